"""Places in a message by name ("OBR-18", "PID-3.1"), and the types of values that orders and patients are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone, tzinfo

from reporting.messages.er7 import BadMessage, Segment, dicom_name

DELETE = '""'
"""The sender says: no longer valued (2.5.3, "null")."""
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})-(\d{1,3})(?:\.(\d{1,2}))?(?:\.(\d{1,2}))?\Z")


class NotUsable(BadMessage):
    """A message that is one, and cannot be done: `place` is the field, `error` a row of the answer's table."""

    def __init__(self, words: str, place: str = "", error: str = "data type") -> None:
        super().__init__(words)
        self.place = place
        self.error = error


def is_place(text: str) -> bool:
    """Is this the name of a field?"""
    return _PLACE.match(text) is not None


def value(segments: Sequence[Segment], places: Iterable[str]) -> str | None:
    """The first of `places` that is valued: "" where the sender says to delete it, None where none is."""
    for place in places:
        found = _PLACE.match(place)
        if found is None:
            continue
        name, numbers = found[1], [int(one or 1) for one in found.groups()[1:]]
        for segment in segments:
            if segment.name == name and (text := segment.text(*numbers).strip()):
                return "" if text == DELETE else text
    return None


def name_of(segment: Segment, number: int) -> str | None:
    """A DICOM name (PS3.5 6.2.1.2) from repetitions of XPN: alphabetic, ideographic, phonetic (table 0465), of the legal name
    where several are named (table 0200)."""
    groups: dict[str, str] = {}
    if segment.raw(number) == DELETE:
        return ""
    for place in range(1, len(segment.repetitions(number)) + 1):
        parts = segment.components(number, place)
        kind = segment.text(number, 8, repetition=place).upper() or "A"
        use = segment.text(number, 7, repetition=place).upper()
        name = dicom_name(parts)
        if name and kind in ("A", "I", "P") and (kind not in groups or use == "L"):
            groups[kind] = name
    if not groups:
        return None
    return "=".join(groups.get(kind, "") for kind in ("A", "I", "P")).rstrip("=")


def person_of(segments: Sequence[Segment], places: Iterable[tuple[str, int]]) -> tuple[str, str]:
    """(number, DICOM name) of the first XCN that is valued."""
    for wanted, number in places:
        for segment in segments:
            if segment.name == wanted and segment.repetitions(number):
                parts = segment.components(number)
                found = parts[0].strip(), dicom_name(parts[1:6])
                if any(found):
                    return found
    return "", ""


def date_of(text: str, place: str) -> str:
    """YYYYMMDD of a DT or TS. Raises NotUsable for what is no day."""
    digits = text.strip()[:8]
    if len(digits) < 8:
        return ""  # a year, or a year and a month: no day that could be compared
    try:
        if not digits.isascii():
            raise ValueError
        datetime.strptime(digits, "%Y%m%d")
    except ValueError:
        raise NotUsable(f"{place}: {digits!r} is not a date", place) from None
    return digits


_TIME = re.compile(r"(\d{8})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.\d{1,6})?)?)?)?([+-]\d{4})?\Z", re.ASCII)


def time_of(text: str, zone: tzinfo) -> datetime | None:
    """An aware time of a TS (2.A.77), in `zone` where it names none; None for what is none: no order waits for one."""
    found = _TIME.match(text.strip())
    if found is None:
        return None
    day, hour, minute, second, offset = found.groups()
    try:
        naive = datetime.strptime(f"{day}{hour or '00'}{minute or '00'}{second or '00'}", "%Y%m%d%H%M%S")
        if offset is None:
            return naive.replace(tzinfo=zone)
        sign = -1 if offset[0] == "-" else 1
        return naive.replace(tzinfo=timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5]))))
    except ValueError:
        return None
