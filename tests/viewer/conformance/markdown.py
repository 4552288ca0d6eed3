"""Tables in Markdown, and how values are written in them."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.uid import UID

Row = Iterable[object]


def table(head: str, rows: Iterable[Row]) -> str:
    names = head.split(" | ")
    lines = [f"| {head} |", "|" + "---|" * len(names)]
    return "\n".join([*lines, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def name_of(uid: str) -> str:
    return str(UID(uid).name)


def size(count: int) -> str:
    for unit, power in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 1 << power and count % (1 << power) == 0:
            return f"{count >> power} {unit}"
    return f"{count:,}"


def tag_of(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
