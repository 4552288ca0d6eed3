"""`manage.py ingest PATH...`: files, folders and zips into the archive, also while the server runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.people import DEFAULT_ORGANIZATION, organization_named
from viewer.archive.ingest import Outcome, ingest, note_refusals
from viewer.archive.rows import DatabaseBusy, Sender, patiently
from viewer.archive.sources import Left, Source, walk
from viewer.archive.storage import StorageFull
from viewer.management.progress import Progress

TOLD = ("refused", "conflict")
LESS_IMPORTANT = {1: ("skipped",), 2: ("stored", "duplicate")}
"""Outcomes that get a line too, from which --verbosity on; the others are counted."""


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = (
        "Take DICOM files, folders and zips into the archive. Running it again is harmless. "
        "Exits with 1 if anything was refused."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder or a zip")
        parser.add_argument(
            "--organization", default=DEFAULT_ORGANIZATION, help="whose they become; made when new (default: default)"
        )

    def handle(self, *, paths: list[str], organization: str, verbosity: int, **_: Any) -> None:
        try:
            owner = patiently(lambda: organization_named(organization))
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        except (StorageFull, DatabaseBusy) as problem:
            raise CommandError(f"Not begun: {problem}. Run the same command again later.") from problem
        sender = Sender(owner, "", "ingest", "command ingest")
        counts: Counter[str] = Counter()
        refused: list[Outcome] = []
        told = {*TOLD, *(kind for level, kinds in LESS_IMPORTANT.items() if verbosity >= level for kind in kinds)}
        with Progress(self._count(paths), "files", self.stderr._out) as progress:  # type: ignore[attr-defined]
            try:
                for outcome in ingest(_walk(paths), sender):
                    counts[outcome.outcome] += 1
                    if outcome.outcome in told:
                        progress.say(": ".join(filter(None, (outcome.outcome, outcome.name, outcome.reason))))
                    if outcome.outcome == "refused":
                        refused.append(outcome)
                    progress.step()
            except (StorageFull, DatabaseBusy) as problem:
                raise CommandError(
                    f"Stopped: {problem}. {_summary(counts)} Run the same command again later."
                ) from problem
            except KeyboardInterrupt:
                progress.say("Stopped. What is not counted below is not in the archive; run the same command again.")
                self.stdout.write(_summary(counts))
                raise SystemExit(130) from None
            finally:
                note_refusals(refused, sender)
        self.stdout.write(_summary(counts))
        if counts["refused"]:
            raise SystemExit(1)

    def _count(self, paths: list[str]) -> int | None:
        """How many files there are to go through; zips count as one, so this is for the bar alone."""
        if not self.stderr.isatty():
            return None
        folders = [Path(path) for path in paths]
        return sum(sum(1 for inner in path.rglob("*") if inner.is_file()) if path.is_dir() else 1 for path in folders)


def _walk(paths: list[str]) -> Iterator[Source | Left]:
    for path in paths:
        yield from walk(Path(path))


def _summary(counts: Counter[str]) -> str:
    parts = [f"{counts[kind]:,} {words}" for kind, words in SUMMARY.items() if counts[kind] or kind == "stored"]
    return ", ".join(parts) + "."


SUMMARY = {
    "stored": "stored",
    "duplicate": "held already",
    "conflict": "kept aside as conflicts",
    "refused": "refused",
    "skipped": "skipped",
}
