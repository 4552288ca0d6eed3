"""Other studies of a patient, and whether they say of themselves to be of the same person.

A patient is (organization, Issuer of Patient ID, Patient ID). A study that gives another name, birth date or sex under the
same ID is shown with a warning and never taken as a prior by itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from viewer.models import Series, Study

IDENTITY = {"Patient ID": "patient_id", "patient's name": "name", "birth date": "birth_date", "sex": "sex"}
"""What the warnings of a study call it (`disagreement.between`) -> the patient's column."""
_SENTENCE = re.compile(
    r'An image of this study gives another (Patient ID|patient\'s name|birth date|sex): "(.*)" instead of ".*"\.'
)


def disagreements(study: Study, other: Study) -> list[str]:
    """What `other` says of its patient otherwise than `study` does, in words; none where they agree.

    Both belong to one patient's row, whose values are those of the first study that came; a study that came with other
    values carries a warning for each.
    """
    here, there = _said(study), _said(other)
    found = []
    for what, column in IDENTITY.items():
        if here.get(what) != there.get(what):
            of_row = getattr(other.patient, column)
            ours, theirs = (" or ".join(sorted(map(_readable, said.get(what, {of_row})))) for said in (here, there))
            found.append(f"another {what}: {theirs or 'none'} instead of {ours or 'none'}")
    return found


def _said(study: Study) -> dict[str, frozenset[str]]:
    """Values that the study's own files give in place of those of the patient's row."""
    found: dict[str, set[str]] = {}
    for warning in study.warnings:
        match = _SENTENCE.fullmatch(warning)
        if match:
            found.setdefault(match[1], set()).add(match[2])
    return {what: frozenset(values) for what, values in found.items()}


def _readable(value: str) -> str:
    return " ".join(value.replace("^", " ").split())


def words_of(studies: Iterable[Study]) -> dict[int, tuple[list[str], list[str]]]:
    """(Body Part Examined, descriptions) of the series of each study, by row id, in one query."""
    rows = Series.objects.filter(study__in=[study.pk for study in studies], number_of_frames__gt=0)
    found: dict[int, tuple[list[str], list[str]]] = {}
    for study, part, description in rows.values_list("study", "body_part_examined", "description"):
        parts, descriptions = found.setdefault(study, ([], []))
        if part and part not in parts:
            parts.append(part)
        if description and len(descriptions) < DESCRIPTIONS:
            descriptions.append(description)
    return found


DESCRIPTIONS = 40
