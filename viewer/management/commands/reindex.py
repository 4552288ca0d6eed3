"""`manage.py reindex`: read the headers of everything stored again, for what this version of Farview knows to look for."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import F

from viewer.archive.correcting_arrivals import requests_of
from viewer.archive.rows import keep_requests, patiently
from viewer.archive.storage import blob_store
from viewer.dicom.errors import DicomError
from viewer.dicom.read import ParsedInstance, read_instance
from viewer.management.progress import Progress
from viewer.models import Instance, Series


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = "Read the headers of all stored objects again, also while `serve` runs. For archives of an older version."

    def handle(self, **_: Any) -> None:
        store, renewed, problems = blob_store(), 0, 0
        rows = (
            Instance.objects.order_by("id").values_list("id", "blob_id", "sop_instance_uid").iterator(chunk_size=1000)
        )
        out = self.stderr._out  # type: ignore[attr-defined]
        with Progress(Instance.objects.count(), "objects", out) as progress:
            for key, digest, uid in rows:
                try:
                    parsed = read_instance(store.path(digest))
                except (DicomError, OSError) as error:
                    problems += 1
                    progress.say(f"SOP Instance {uid}: {error}")
                else:
                    renewed += renew(key, parsed) | learn(key, parsed)
                progress.step()
        self.stdout.write(f"{renewed} of the indexes renewed.")
        if problems:
            raise SystemExit(1)


def learn(key: int, parsed: ParsedInstance) -> bool:
    """What a series of an older version does not know of itself yet, from one of its objects; False: it knows."""
    said = parsed.series

    def write() -> bool:
        series = Series.objects.select_related("study").filter(instances=key).first()
        if series is None:
            return False
        missing = [name for name in LEARNED if getattr(said, name) and not getattr(series, name)]
        requests = not series.requests.exists() and requests_of(parsed, series.study.accession_number)
        for name in missing:
            setattr(series, name, getattr(said, name))
        if missing:
            series.save(update_fields=missing)
        if requests:
            keep_requests(series, requests)
        return bool(missing or requests)

    return patiently(write) if said.requests or any(getattr(said, name) for name in LEARNED) else False


LEARNED = ("performed_date", "performed_time")
"""Columns of a series that older versions did not have."""


def renew(key: int, parsed: ParsedInstance) -> bool:
    """Keep what is read of one instance now; False where that is what was kept."""
    index = json.loads(json.dumps(parsed.index))

    def write() -> bool:
        row = Instance.objects.filter(pk=key).first()
        # One that has other frames by now would need its series counted again: files do not change, so none has.
        if row is None or row.index == index or row.number_of_frames != parsed.number_of_frames:
            return False
        row.index, row.warnings = index, parsed.warnings
        row.save(update_fields=["index", "warnings"])
        Series.objects.filter(pk=row.series_id).update(version=F("version") + 1)
        return True

    return patiently(write)
