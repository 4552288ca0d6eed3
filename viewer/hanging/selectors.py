"""Which of a study's images a viewport wants: conditions that must hold, and an order among those for which they do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import words
from .facts import DRAWN_ON, Candidate


@dataclass(frozen=True, slots=True)
class Selector:
    """Conditions on a stack or image. Empty ones say nothing; in a list any one will do; all that are given must hold."""

    modality: tuple[str, ...] = ()
    description: tuple[str, ...] = ()
    """Patterns, looked for in series description, protocol name and the label of the stack."""
    not_description: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    plane: tuple[str, ...] = ()
    view_position: tuple[str, ...] = ()
    laterality: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    contrast: bool | None = None
    volume: bool | None = None
    sort: tuple[str, ...] = ()
    """Names of `SORTS`, "-" before one turns it round; then localizers last, then as the study is ordered."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Selector:
        """Of a checked protocol (`check.problems`)."""
        read: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**read)

    def takes(self, one: Candidate) -> bool:
        """Do all conditions hold?"""
        if self.modality and one.modality not in self.modality:
            return False
        if self.description and not words.any_found(self.description, one.text):
            return False
        if self.not_description and words.any_found(self.not_description, one.text):
            return False
        if self.body_part and not self._is_of(one):
            return False
        for wanted, has in ((self.plane, one.plane), (self.kind, one.kind), (self.laterality, one.laterality)):
            if wanted and has not in wanted:
                return False
        if self.view_position and one.view_position not in self.view_position:
            return False
        return self.contrast in (None, one.contrast) and self.volume in (None, one.volume)

    def _is_of(self, one: Candidate) -> bool:
        regions = words.regions_in(one.body_part) | words.regions_in(one.text)
        return any(words.region_named(part) in regions for part in self.body_part)

    def ranked(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Those for which it holds, the best first."""
        places = {one.key: place for place, one in enumerate(candidates)}
        found = [one for one in candidates if self.takes(one)]
        return sorted(found, key=lambda one: (*self._order(one), *usual_order(one), places[one.key]))

    def _order(self, one: Candidate) -> list[float]:
        order = []
        for name in self.sort:
            value = SORTS[name.removeprefix("-")](one)
            order.append(-value if name.startswith("-") else value)
        return order

    def in_words(self, patterns: int = 50) -> str:
        """What it asks for, for people: CT, axial, described as "lung*". `patterns`: so many are named."""
        parts = ["/".join(self.modality), "/".join(self.plane), "/".join(self.laterality), "/".join(self.view_position)]
        parts += ["/".join(self.body_part), "/".join(self.kind)]
        if self.description:
            parts.append(f"described as {quoted(self.description, patterns)}")
        if self.not_description and patterns > BRIEF:
            parts.append(f"not {quoted(self.not_description, patterns)}")
        parts += [{True: "with contrast", False: "without contrast", None: ""}[self.contrast]]
        parts += [{True: "that makes a volume", False: "that makes no volume", None: ""}[self.volume]]
        return ", ".join(filter(None, parts)) or "any images"


BRIEF = 2
"""Patterns that are named where somebody only wants to know what is missing."""


def quoted(patterns: Sequence[str], most: int = 50) -> str:
    """ "lung*" or "hrct": put together as it is taken apart where it is told in another language."""
    one, *others = patterns
    if others and most > 1:
        return f'"{one}" or {quoted(others, most - 1)}'
    return f'"{one}" ...' if others else f'"{one}"'


def usual_order(one: Candidate) -> tuple[bool, bool]:
    """What was drawn on others and what is no picture of the patient proper comes after the rest."""
    return (one.modality in DRAWN_ON, one.aside)


def similarity(one: Candidate, other: Candidate) -> float:
    """How well two stacks or images of two studies can be compared; 0: not at all."""
    if one.modality != other.modality or one.aside != other.aside:
        return 0.0
    if one.view_position and other.view_position and one.view_position != other.view_position:
        return 0.0
    if {one.laterality, other.laterality} == {"L", "R"}:
        return 0.0
    score = 1.0
    score += 4.0 * (one.plane == other.plane)
    score += 4.0 * (bool(one.view_position) and one.view_position == other.view_position)
    score += 2.0 * (bool(one.laterality) and one.laterality == other.laterality)
    score += 4.0 * _alike(_bare(one), _bare(other))
    score += (
        1.0 * (one.contrast == other.contrast) + 1.0 * (one.volume == other.volume) + 1.0 * (one.kind == other.kind)
    )
    score += 1.0 * min(one.frames, other.frames) / max(one.frames, other.frames, 1)
    if one.thickness and other.thickness:
        score += 1.0 * min(one.thickness, other.thickness) / max(one.thickness, other.thickness)
    return score


def _bare(one: Candidate) -> frozenset[str]:
    """The words of a description; numbers in it (thickness, series) tell little."""
    return frozenset(word for word in words.folded(one.text).split() if not word.isdigit())


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0


SORTS: dict[str, Callable[[Candidate], float]] = {
    "number": lambda one: float("inf") if one.number is None else one.number,
    "frames": lambda one: one.frames,
    "thickness": lambda one: float("inf") if one.thickness is None else one.thickness,
    "size": lambda one: one.rows * one.columns,
    "volume": lambda one: not one.volume,
    "contrast": lambda one: not one.contrast,
}
"""By what candidates can be sorted, the least first; yes before no."""
