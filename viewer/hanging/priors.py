"""Which earlier studies of the same patient a study is compared with, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from viewer.dicom.modalities import examining

from . import words

SAME_KIND, SAME_MODALITY, SAME_PART, OTHER = 3, 2, 1, 0
ALIKE = ({"CR", "DX", "RG"}, {"XA", "RF"}, {"PT", "NM"})
"""Modalities that show the same."""


@dataclass(frozen=True, slots=True)
class Outline:
    """So much of a study as it takes to tell whether it can be compared."""

    study_instance_uid: str
    date: str = ""
    time: str = ""
    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()

    @property
    def regions(self) -> frozenset[str]:
        return frozenset().union(*(words.regions_in(text) for text in (*self.body_parts, *self.descriptions)))


@dataclass(frozen=True, slots=True)
class Relevance:
    """How much another study has to say beside this one."""

    degree: int
    """3 same modality and part of the body; 2 same modality; 1 same part; 0 neither."""
    reason: str
    earlier: bool
    """Taken before: a prior. Else it came later, or nothing says when."""


def relevance(current: Outline, other: Outline) -> Relevance:
    """What another study of the same patient is to the current one."""
    modalities = sorted(_kinds(current) & _kinds(other))
    here, there = current.regions, other.regions
    shared = sorted(here & there)
    said = "/".join(modalities)
    if modalities and shared:
        degree, reason = SAME_KIND, f"same modality and part of the body: {said}, {', '.join(shared)}"
    elif modalities and not (here and there):
        degree, reason = SAME_MODALITY, f"same modality: {said}; the part of the body is not said"
    elif modalities:
        degree, reason = OTHER, f"same modality ({said}), another part of the body: {', '.join(sorted(there))}"
    elif shared:
        degree, reason = SAME_PART, f"same part of the body ({', '.join(shared)}), another modality"
    else:
        degree, reason = OTHER, "another modality and part of the body"
    return Relevance(degree, reason, is_earlier(other, current))


def is_earlier(one: Outline, other: Outline) -> bool:
    """Was `one` taken before `other`? Not where a date is missing."""
    if not one.date or not other.date:
        return False
    return (one.date, one.time) < (other.date, other.time)


def compared(current: Outline, others: Iterable[Outline]) -> list[str]:
    """UIDs of the studies that protocols call "prior 1", "prior 2", ...: earlier, same modality, no other part of the body;
    newest first."""
    found = [one for one in others if _compares(relevance(current, one))]
    return [one.study_instance_uid for one in sorted(found, key=lambda one: (one.date, one.time), reverse=True)]


def _compares(found: Relevance) -> bool:
    return found.earlier and found.degree >= SAME_MODALITY


def _kinds(study: Outline) -> set[str]:
    """Modalities of its images, those that show the same under one name."""
    images = examining(study.modalities)
    return {min(next((group for group in ALIKE if one in group), {one})) for one in images}
