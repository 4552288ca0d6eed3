"""Values of kept elements as Python's own: text, numbers, UIDs, dates. Nothing here raises; what is no value is absent."""

from __future__ import annotations

import math
import re
import struct
from datetime import date

from . import tags
from .elements import Dataset
from .text import charset_of, decode, decode_name

_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q"}
_TEXT_LIMIT = 65536


def declare_charset(dataset: Dataset) -> list[str]:
    """Set the character set that (0008,0005) names for this data set; returns the terms."""
    terms = [part.strip() for part in dataset.raw(tags.SPECIFIC_CHARACTER_SET).decode("ascii", "replace").split("\\")]
    terms = [term.rstrip("\0") for term in terms]
    dataset.charset = charset_of(terms)
    return terms


def text(dataset: Dataset, tag: int) -> str:
    """The whole value as text, several values still parted by backslashes."""
    return decode(dataset.raw(tag)[:_TEXT_LIMIT], dataset.charset)


def texts(dataset: Dataset, tag: int) -> list[str]:
    value = text(dataset, tag)
    return [part.strip() for part in value.split("\\")] if value else []


def code(dataset: Dataset, tag: int) -> str:
    """The first value of a code string, upper case."""
    values = texts(dataset, tag)
    return values[0].upper() if values else ""


def name(dataset: Dataset, tag: int) -> str:
    return decode_name(dataset.raw(tag)[:_TEXT_LIMIT], dataset.charset)


def uid(dataset: Dataset, tag: int) -> str:
    """A UID, or "" where the value is none (PS3.5 9.1)."""
    value = dataset.raw(tag)[:80].decode("ascii", "replace").strip("\0 \t")
    return value if re.fullmatch(r"[0-9.]{1,64}", value) else ""


def numbers(dataset: Dataset, tag: int, vr: str) -> list[float]:
    """Finite numbers of a DS, IS or binary value; `vr` is the dictionary's, used where the file does not say."""
    raw = dataset.raw(tag)
    if not raw:
        return []
    said = dataset.vr(tag)
    vr = said if said in _NUMBERS or said in ("DS", "IS") else vr
    if vr in _NUMBERS:
        kind = _NUMBERS[vr]
        count = len(raw) // struct.calcsize("<" + kind)
        values = struct.unpack_from(f"{'<' if dataset.little else '>'}{count}{kind}", raw)
        return [float(value) for value in values if math.isfinite(value)]
    found: list[float] = []
    for part in raw[: 2**21].decode("latin_1").split("\\"):
        try:
            value = float(part.strip(" \0\t\r\n"))
        except ValueError:
            continue
        if math.isfinite(value):
            found.append(value)
    return found


def number(dataset: Dataset, tag: int, vr: str) -> float | None:
    values = numbers(dataset, tag, vr)
    return values[0] if values else None


def integer(dataset: Dataset, tag: int, vr: str = "US") -> int | None:
    """The first value as an integer of 32 bits, else None."""
    value = number(dataset, tag, vr)
    return int(value) if value is not None and abs(value) < 2**31 else None


def day(dataset: Dataset, tag: int) -> str:
    """A date as YYYYMMDD; the dots of ACR-NEMA are taken, what is no day of the calendar is not."""
    value = text(dataset, tag).replace(".", "")[:8]
    if not re.fullmatch(r"\d{8}", value):
        return ""
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return ""
    return value


def time_of_day(dataset: Dataset, tag: int) -> str:
    """A time as HHMMSS.FFFFFF, as many digits as are stored."""
    value = text(dataset, tag).replace(":", "")
    return value if re.fullmatch(r"\d{2,6}(\.\d{1,6})?", value) else ""
