"""Lengths as texts write them: "12 mm", "2.1 x 1.4 cm", "2,1 x 1,4"."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reporting.checks.texts import Text

MILLIMETRES = {"mm": 1.0, "cm": 10.0}
SAME = 0.06
"""Share by which two lengths may differ and still be one, rounded."""
HALF_A_MILLIMETRE = 0.5
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


class Values:
    """Many lengths in millimetres, searched without looking at all of them."""

    def __init__(self, lengths: Iterable[Length]) -> None:
        self._sorted = sorted({value for one in lengths for value in one.millimetres})

    def near(self, value: float, margin: float = 0.0) -> float | None:
        """One of them that is `value`, rounding apart."""
        at = bisect_left(self._sorted, value)
        for one in self._sorted[max(0, at - 1) : at + 1]:
            if same(one, value) or abs(one - value) <= margin:
                return one
        return None


def same(one: float, other: float) -> bool:
    """Whether two lengths are one, rounding apart."""
    return abs(one - other) <= SAME * max(one, other)
