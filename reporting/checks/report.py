"""A report laid out for the rules: its texts, read once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from reporting.checks.facts import Facts
from reporting.checks.texts import Text, texts_of

QUOTED = 160
"""Characters of a quoted sentence."""


@dataclass
class Report:
    facts: Facts

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        return tuple(texts_of(self.facts))

    def quote(self, text: Text, start: int, end: int) -> str:
        """What stands around a place, in quotes, on one line."""
        return quoted(text.text, start, end)


def quoted(text: str, start: int, end: int) -> str:
    around = max(0, (QUOTED - (end - start)) // 2)
    first, last = max(0, start - around), min(len(text), max(end, start + QUOTED) + 0, end + around)
    line = max(text.rfind("\n", first, start) + 1, first)
    stop = text.find("\n", end, last)
    last = last if stop < 0 else stop
    words = " ".join(text[line:last].split())
    return f"“{'…' if line > 0 and line == first else ''}{words}{'…' if last < len(text) and stop < 0 else ''}”"
