"""Lengths as texts write them: "12 mm", "2.1 x 1.4 cm", "2,1 x 1,4"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from reporting.checks.texts import Text

MILLIMETRES = {"mm": 1.0, "cm": 10.0}
SAME = 0.06
"""Share by which two lengths may differ and still be one, rounded."""
NUMBER = r"\d{1,4}(?:[.,]\d{1,2})?"
TIMES = r"\s?(?:[x×X*]|mal|by|par|por)\s?"
_LENGTH = re.compile(
    rf"(?<![\w.,:/×])({NUMBER})(?:{TIMES}({NUMBER}))?(?:{TIMES}({NUMBER}))?\s{{0,2}}-?(mm|cm|MM|CM|Mm|Cm)\b"
)


@dataclass(frozen=True, slots=True)
class Length:
    """One written size: one number, or two or three of one thing."""

    text: Text
    start: int
    end: int
    millimetres: tuple[float, ...]


def lengths_of(text: Text) -> Iterator[Length]:
    """Every size with its unit."""
    for found in _LENGTH.finditer(text.text):
        factor = MILLIMETRES[found[4].lower()]
        values = tuple(float(one.replace(",", ".")) * factor for one in found.groups()[:3] if one)
        yield Length(text, found.start(), found.end(), values)


def same(one: float, other: float) -> bool:
    """Whether two lengths are one, rounding apart."""
    return abs(one - other) <= SAME * max(one, other)
