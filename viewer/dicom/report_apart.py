"""A structured report as a tree, a large one read in a process of its own, the largest not at all."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from . import apart
from .errors import Refused
from .limits import Limits
from .structured_report import Report, read_report

SMALL = 512 << 10
"""Bytes of a file that is read here and now."""
LARGEST = 32 << 20


def report_of(path: Path, limits: Limits) -> Report:
    """The report in this file. Raises Refused, NotDicom, OSError, Waiting."""
    size = path.stat().st_size
    if size > LARGEST:
        raise Refused(f"it is larger than {LARGEST >> 20} MiB, which no report is that a person reads", "limit")
    if size <= SMALL:
        return read_report(path, limits)
    said = apart.asked(__name__, path)
    facts, concept = tuple((name, value) for name, value in said["facts"]), said["concept"]
    return Report(said["title"], (concept[0], concept[1]), facts, said["tree"], tuple(said["notes"]))


def _said(path: Path) -> dict[str, Any]:
    return asdict(read_report(path, replace(Limits(), max_object_bytes=LARGEST)))


if __name__ == "__main__":
    apart.answer(_said)
