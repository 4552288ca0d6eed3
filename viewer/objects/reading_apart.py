"""The measurements of a large structured report, read in a process of its own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from viewer.dicom import apart

from .measurement_reader import Document, Found, read


def read_apart(path: Path, seconds: float = apart.SECONDS) -> Document | None:
    """What the report at `path` says, None where it is no report. Raises Refused, Waiting."""
    said = apart.asked(__name__, path, seconds)
    if said is None:
        return None
    found = tuple(Found(**one) for one in said["found"])
    return Document(said["sop_instance_uid"], said["written"], frozenset(said["predecessors"]), found)


def _said(path: Path) -> dict[str, Any] | None:
    document = read(path)
    return None if document is None else {**asdict(document), "predecessors": sorted(document.predecessors)}


if __name__ == "__main__":
    apart.answer(_said)
