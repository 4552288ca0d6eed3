"""`manage.py demo`: the demonstration studies, made here and taken in as any other study."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Organization
from accounts.people import DEFAULT_ORGANIZATION, organization_named
from viewer.archive.ingest import Outcome, ingest, note_refusals
from viewer.archive.rows import DatabaseBusy, Sender, patiently
from viewer.archive.sources import walk
from viewer.archive.storage import StorageFull
from viewer.management.progress import Progress
from viewer.models import Study


def unfinished() -> Path:
    """There while the studies come in: a run that was cut off is made whole by the next one."""
    return Path(settings.FARVIEW_DATA_DIR) / "demonstration.unfinished"


class Command(BaseCommand):
    help = "Make the demonstration studies (synthetic; nobody was examined) and take them in. Running it again is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="only when the archive holds no study yet")
        parser.add_argument(
            "--organization", default=DEFAULT_ORGANIZATION, help="whose they become; made when new (default: default)"
        )

    def handle(self, *, if_empty: bool, organization: str, **_: Any) -> None:
        mark = unfinished()
        try:
            if if_empty and Study.objects.exists() and not mark.exists():
                return
            owner = patiently(lambda: organization_named(organization))
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        except (StorageFull, DatabaseBusy) as problem:
            raise CommandError(f"Not begun: {problem}. Run `manage.py demo` again later.") from problem
        mark.touch()
        try:
            folder = Path(tempfile.mkdtemp(prefix="demonstration-", dir=settings.FARVIEW_TMP_DIR))
            try:
                self._bring(folder, owner)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError as problem:
            raise CommandError(
                f"The demonstration studies could not be written under {settings.FARVIEW_TMP_DIR}: "
                f"{problem.strerror or problem}. They need about 300 MB twice while they are made; "
                "then run `manage.py demo` again."
            ) from problem
        except (StorageFull, DatabaseBusy) as problem:
            raise CommandError(f"Stopped: {problem}. Run `manage.py demo` again: it goes on where it was.") from problem
        mark.unlink(missing_ok=True)

    def _bring(self, folder: Path, owner: Organization) -> None:
        self.stdout.write("Making the demonstration studies (synthetic; half a minute, once)")
        self.stdout.flush()
        from viewer.phantom import write_demonstration  # compiles its loops: not for a run that does nothing

        steps = Steps(self.stdout._out)  # type: ignore[attr-defined]
        paths = write_demonstration(folder, steps)
        self.stdout.write("Taking them into the archive")
        self.stdout.flush()
        sender = Sender(owner, "command demo", "demo")
        counts: Counter[str] = Counter()
        left: list[Outcome] = []
        with Progress(len(paths), "files", self.stderr._out) as progress:  # type: ignore[attr-defined]
            for outcome in ingest(walk(folder), sender):
                counts[outcome.outcome] += 1
                if outcome.outcome not in {"stored", "duplicate"}:
                    left.append(outcome)
                progress.step()
        note_refusals(left, sender)
        self.stdout.write(f"{counts['stored']:,} images taken in, {counts['duplicate']:,} held already.")
        if left:
            first = left[0]
            raise CommandError(f"{len(left):,} were not taken in; the first: {first.outcome}, {first.reason}")


class Steps:
    """A line for every step: growing percentages on a terminal, its duration when it is done."""

    def __init__(self, out: TextIO) -> None:
        self.out = out
        self.begun = time.monotonic()
        self.shown = -1

    def __call__(self, step: str, share: float) -> None:
        if share <= 0:
            self.begun, self.shown = time.monotonic(), -1
        percent = int(share * 100)
        if percent == self.shown:
            return
        self.shown = percent
        if percent >= 100:
            clear = "\r\x1b[K" if self.out.isatty() else ""
            self.out.write(f"{clear}  {step}: {time.monotonic() - self.begun:.1f} s\n")
        elif self.out.isatty():
            self.out.write(f"\r\x1b[K  {step}: {percent} %")
        self.out.flush()
