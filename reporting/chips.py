"""Links to evidence inside a report's text: `[[key_image:UID|shown words]]`, `[[measurement:UID|12.3 mm]]`.

The words are what every plain form of the text says in the chip's place, so a text without its evidence still reads right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CHIP = re.compile(r"\[\[(key_image|measurement):([0-9A-Za-z.\-]{1,64})(?:/([a-z_]{1,40}))?\|([^\[\]|]{1,200})\]\]")


@dataclass(frozen=True, slots=True)
class Chip:
    """One link. `value` names which number of a measurement is meant ("long_axis"), where one is."""

    kind: str
    uid: str
    value: str
    words: str
    start: int
    end: int
    """Its place in the text, as of Python slices."""


def chips_of(text: str) -> Iterator[Chip]:
    """Every chip of a text, in order."""
    for found in _CHIP.finditer(text):
        kind, uid, value, words = found.groups()
        yield Chip(kind, uid, value or "", words, found.start(), found.end())


def plain(text: str) -> str:
    """The text as it reads: each chip as its words."""
    return _CHIP.sub(lambda found: found[4], text)
