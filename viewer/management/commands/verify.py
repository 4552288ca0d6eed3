"""`manage.py verify`: re-read every stored byte, the audit chain and what other apps keep; names whatever is damaged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand

from accounts import audit
from viewer import verification
from viewer.archive.storage import BlobStore, blob_store
from viewer.management.progress import Progress
from viewer.models import Blob, Conflict, Instance, Quarantined

READERS = 2
AHEAD = 64


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = "Re-read every stored blob, every report and the audit chain. Exits with 1 on damage, naming it."

    def handle(self, **_: Any) -> None:
        problems = self._blobs(blob_store())
        self._name_orphans(blob_store())
        for problem in audit.verify_chain():
            problems += 1
            self.stderr.write(problem)
        for check in verification.CHECKS.values():
            for problem in check():
                problems += 1
                self.stderr.write(problem)
        if problems:
            self.stdout.write(f"{problems} problem{'s' if problems > 1 else ''} found.")
            raise SystemExit(1)
        self.stdout.write(
            "Everything stored is as it was received, and the chains of the record and of the reports are whole."
        )

    def _blobs(self, store: BlobStore) -> int:
        problems = 0
        rows = Blob.objects.order_by("sha256").values_list("sha256", "size").iterator(chunk_size=1000)
        out = self.stderr._out  # type: ignore[attr-defined]
        with Progress(Blob.objects.count(), "stored files", out) as progress, ThreadPoolExecutor(READERS) as readers:
            while batch := list(islice(rows, AHEAD)):
                for (sha256, _size), damage in zip(
                    batch, readers.map(lambda row: store.damage(*row), batch), strict=True
                ):
                    if damage and Blob.objects.filter(pk=sha256).exists():  # else it was deleted meanwhile
                        problems += 1
                        progress.say(f"blob {sha256} {damage}: {_whose(sha256)}")
                    progress.step()
        return problems

    def _name_orphans(self, store: BlobStore) -> None:
        """Files that no row names are no damage: nobody was told that they are kept. A starting server sweeps the old ones
        where they are few; here they are only named."""
        for digests in store.digests():
            known = set(Blob.objects.filter(pk__in=digests).values_list("sha256", flat=True))
            for sha256 in sorted(set(digests) - known):
                if store.is_settled(sha256):
                    self.stderr.write(f"blob {sha256} has no row; no object refers to it")


def _whose(sha256: str) -> str:
    """Which objects these bytes are, for whoever has to find them again."""
    held = Instance.objects.filter(blob_id=sha256).values_list(
        "organization__name", "series__study__study_instance_uid", "sop_instance_uid"
    )
    aside = Conflict.objects.filter(blob_id=sha256).values_list(
        "organization__name", "study_instance_uid", "sop_instance_uid"
    )
    named = [f"SOP Instance {sop} of study {study} in {where}" for where, study, sop in (*held, *aside)]
    refused = Quarantined.objects.filter(blob_id=sha256).values_list("organization__name", "door")
    named += [f"an object refused by {door}, in the quarantine of {where}" for where, door in refused]
    named += [words for owners in verification.OWNERS for words in owners(sha256)]
    return "; ".join(named) or "no object refers to it"
