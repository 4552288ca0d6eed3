"""Other studies of the same patient: which are earlier ones to compare with, why, and which are not taken and why not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from accounts.models import User
from viewer.archive import priors as rules
from viewer.archive import query
from viewer.hanging.priors import Outline, Relevance, compared, relevance
from viewer.models import Study

LISTED = 50


@dataclass(frozen=True)
class Priors:
    """What `user` may see of the same patient beside one study, newest first."""

    taken: list[tuple[Study, Relevance]] = field(default_factory=list)
    refused: list[tuple[Study, list[str]]] = field(default_factory=list)
    """Same Patient ID, but they say otherwise about the person; with the disagreements."""
    compared: list[Study] = field(default_factory=list)
    """Of those taken the earlier ones that protocols call "prior 1", "prior 2", ..."""


def priors_of(user: User, study: Study) -> Priors:
    others = list(query.priors(user, study).select_related("organization", "patient")[:LISTED])
    said = rules.words_of([study, *others])
    outlines = {one.pk: _outline(one, said.get(one.pk, ([], []))) for one in [study, *others]}
    disagreeing = {one.pk: rules.disagreements(study, one) for one in others}
    taken = [one for one in others if not disagreeing[one.pk]]
    by_uid = {one.study_instance_uid: one for one in taken}
    return Priors(
        taken=[(one, relevance(outlines[study.pk], outlines[one.pk])) for one in taken],
        refused=[(one, disagreeing[one.pk]) for one in others if disagreeing[one.pk]],
        compared=[by_uid[uid] for uid in compared(outlines[study.pk], (outlines[one.pk] for one in taken))],
    )


def _outline(study: Study, said: tuple[list[str], list[str]]) -> Outline:
    parts, descriptions = said
    return Outline(
        study_instance_uid=study.study_instance_uid,
        date=study.date,
        time=study.time,
        modalities=tuple(code for code in study.modalities.split("\\") if code),
        body_parts=tuple(parts),
        descriptions=(study.description, *descriptions),
    )


def prior_row(study: Study, found: Relevance) -> dict[str, Any]:
    return {**_row(study), "earlier": found.earlier, "relevance": found.degree, "reason": found.reason}


def refused_row(study: Study, disagreements: list[str]) -> dict[str, Any]:
    return {**_row(study), "disagreements": disagreements}


def _row(study: Study) -> dict[str, Any]:
    return {
        "study_instance_uid": study.study_instance_uid,
        "organization": study.organization.name,
        "date": study.date,
        "time": study.time,
        "description": study.description,
        "accession_number": study.accession_number,
        "modalities": [code for code in study.modalities.split("\\") if code],
        "number_of_series": study.number_of_series,
    }
