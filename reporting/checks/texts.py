"""The texts of a report as rules read them: plain, each with the kind of section that it stands in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reporting.checks.facts import Facts, Field, Section
from reporting.checks.lexicon import kind_of_heading
from reporting.chips import Chip, chips_of

FINDINGS, IMPRESSION = "findings", "impression"
TOLD = frozenset({FINDINGS, IMPRESSION})
"""Kinds of section that say what is seen; the others say what was asked, done or compared."""
KIND_BY_LOINC = {
    "55752-0": "history",
    "11329-0": "history",
    "18785-6": "history",
    "55111-9": "technique",
    "18834-2": "comparison",
    "59776-5": FINDINGS,
    "18782-3": FINDINGS,
    "19005-8": IMPRESSION,
    "18783-1": "recommendation",
    "73569-6": "communication",
}
TEXT_TYPES = frozenset({"text", "textarea", "merge"})


@dataclass(frozen=True, slots=True)
class Text:
    """One text as it reads, chips as their words."""

    field: str
    kind: str
    """findings, impression, comparison, history, technique, recommendation or communication."""
    label: str
    title: str
    """Of the section."""
    text: str
    chips: tuple[Chip, ...] = ()
    """With their places in the stored text."""
    shifts: tuple[tuple[int, int], ...] = ()
    """(place in `text`, what to add from there on) to come to the stored text."""
    marked: bool = True
    """Whether places in it mean anything to a page: not so for choices and numbers."""
    said: frozenset[str] = frozenset()
    """What holds for all of it: deny, doubt."""

    def stored(self, start: int, end: int) -> tuple[int, int] | None:
        """A place of `text` in the stored text."""
        return (self._stored(start), max(self._stored(start), self._stored(end - 1) + 1)) if self.marked else None

    def _stored(self, place: int) -> int:
        at = bisect_right(self.shifts, place, key=lambda shift: shift[0]) - 1
        return place + (self.shifts[at][1] if at >= 0 else 0)

    def shown(self, chip: Chip) -> tuple[int, int]:
        """Where a chip's words stand in `text`."""
        words = chip.start + chip_prefix(chip)
        before = 0
        for place, shift in self.shifts:
            if place + shift <= words:
                before = shift
        return words - before, words - before + len(chip.words)


def chip_prefix(chip: Chip) -> int:
    """Characters of a chip before its words."""
    return chip.end - chip.start - len(chip.words) - 2


def text_of(section: Section, field: Field, kind: str) -> Text | None:
    """The field as text; None: it says nothing."""
    if field.type in TEXT_TYPES or isinstance(field.value, str):
        return _written(section, field, kind)
    said = _chosen(field)
    return Text(field.id, kind, field.label, section.title, said, marked=False) if said else None


def _written(section: Section, field: Field, kind: str) -> Text | None:
    if not isinstance(field.value, str) or not field.value.strip():
        return None
    labels = dict(field.options)
    if field.value in labels:
        return Text(field.id, kind, field.label, section.title, labels[field.value] or field.value, marked=False)
    parts: list[str] = []
    shifts: list[tuple[int, int]] = []
    chips = tuple(chips_of(field.value))
    end = length = 0
    for chip in chips:
        parts += [field.value[end : chip.start], chip.words]
        length += chip.start - end
        shifts.append((length, chip.start + chip_prefix(chip) - length))
        length += len(chip.words)
        end = chip.end
        shifts.append((length, end - length))
    parts.append(field.value[end:])
    return Text(field.id, kind, field.label, section.title, "".join(parts), chips, tuple(shifts))


def _chosen(field: Field) -> str:
    """A number, tick or list of choices as it reads."""
    value: Any = field.value
    labels = dict(field.options)
    if isinstance(value, bool):
        return field.label if value else ""
    if isinstance(value, list | tuple):
        return ", ".join(labels.get(str(one), str(one)) for one in value)
    return f"{value} {field.units}".strip() if isinstance(value, int | float) else ""


def kind_of(section: Section) -> str:
    """What a section is for, by its code or else its title; one that nothing is known of holds findings."""
    return (
        KIND_BY_LOINC.get(section.code)
        or kind_of_heading(section.id.replace("_", " "))
        or kind_of_heading(section.title)
        or FINDINGS
    )


def texts_of(facts: Facts) -> Iterator[Text]:
    """Every text that is shown, in order."""
    for section in facts.sections:
        kind = kind_of(section)
        for field in section.fields:
            text = text_of(section, field, kind) if field.shown else None
            if text is not None:
                yield text


def says_nothing(value: Any) -> bool:
    """Nothing was entered: no text, no choice, no tick. Zero is a number like any other."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is False or (isinstance(value, list | tuple | dict) and not value)
