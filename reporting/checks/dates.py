"""Dates as reports write them, in four languages. 03/04/2024 is two days until the language says which."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from reporting.checks.lexicon import FOLDER, folded

_MONTHS: dict[str, int] = json.loads((FOLDER / "months.json").read_text(encoding="utf-8"))
_NAME = r"([^\W\d_]{3,10})"
_DATE = re.compile(
    r"(?<![\w./-])(?:"
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"|(\d{1,2})([-/.])(\d{1,2})\5(\d{4}|\d{2})"
    rf"|(\d{{1,2}})(?:st|nd|rd|th|er|\.)?[ -](?:of |de )?{_NAME}\.?,?[ -](?:de |del )?(\d{{4}})"
    rf"|{_NAME}\.? (\d{{1,2}})(?:st|nd|rd|th)?,? (\d{{4}})"
    rf"|{_NAME}\.? (?:de |del )?(\d{{4}})"
    r")(?![\w/-]|\.\d)"
)


@dataclass(frozen=True, slots=True)
class Written:
    """A date in a text: the days that it can mean, or a month."""

    start: int
    end: int
    days: frozenset[date]
    month: tuple[int, int] | None = None


def dates_in(text: str, start: int, end: int, language: str, near: date | None) -> Iterator[Written]:
    """Every full date or month with its year between two places. `near` settles the century of "24"."""
    for found in _DATE.finditer(text, start, end):
        parts = found.groups()
        month = None
        if parts[0]:
            days = _days((parts[0], parts[1], parts[2]))
        elif parts[3]:
            days = _numeric(parts[3], parts[5], _year(parts[6], near), language)
        elif parts[7]:
            days = _days((parts[9], _month(parts[8]), parts[7]))
        elif parts[10]:
            days = _days((parts[12], _month(parts[10]), parts[11]))
        else:
            number, days = _month(parts[13]), frozenset()
            month = (int(parts[14]), number) if number else None
        if days or month:
            yield Written(found.start(), found.end(), days, month)


def _month(name: str) -> int:
    return _MONTHS.get(folded(name)[:4], 0) or _MONTHS.get(folded(name)[:3], 0)


def _year(written: str, near: date | None) -> str:
    if len(written) == 4:
        return written
    last = near.year if near is not None else 2099
    return str(2000 + int(written) if 2000 + int(written) <= last else 1900 + int(written))


def _numeric(first: str, second: str, year: str, language: str) -> frozenset[date]:
    """Day first everywhere; in English the month may be."""
    days = _days((year, second, first))
    return days | _days((year, first, second)) if language.startswith("en") else days


def _days(parts: tuple[str | int, str | int, str | int]) -> frozenset[date]:
    with suppress(ValueError):
        year, month, day = (int(part) for part in parts)
        return frozenset({date(year, month, day)})
    return frozenset()
