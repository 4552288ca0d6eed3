"""Notes that reject objects: key object selections of certain titles (PS3.16 CID 7010; IHE RAD-66, Imaging Object Change
Management)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import document_tags as said
from . import tags, values
from .documents import evidence_series, line
from .elements import Dataset
from .header import opened
from .limits import Limits

SOP_CLASS = "1.2.840.10008.5.1.4.1.1.88.59"
"""Key Object Selection Document Storage."""
CODES = {
    "113001": "Rejected for Quality Reasons",
    "113037": "Rejected for Patient Safety Reasons",
    "113038": "Incorrect Modality Worklist Entry",
    "113039": "Data Retention Policy Expired",
}
"""Code value (DCM) of a title -> its meaning."""
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class RejectionNote:
    code: str
    """One of `CODES`."""
    sop_instance_uid: str
    study_instance_uid: str
    objects: Mapping[str, str]
    """SOP Instance UID of each object that it rejects -> the Study Instance UID that it gives."""
    reason: str = ""
    """Key Object Description, where it has one."""


def rejection_note(path: Path, limits: Limits) -> RejectionNote | None:
    """What the object in this file rejects; None where it is no such note. Raises Refused, NotDicom, OSError."""
    with opened(path, limits, said.READ) as header:
        dataset = header.dataset
        code = _title(dataset)
        if code not in CODES:
            return None
        named = {uid: study for uid, (study, _) in evidence_series(header).items() if uid}
        study = values.uid(dataset, tags.STUDY_INSTANCE_UID)
        return RejectionNote(code, values.uid(dataset, tags.SOP_INSTANCE_UID), study, named, _reason(dataset))


def _title(dataset: Dataset) -> str:
    for concept in dataset.items(said.CONCEPT_NAME_CODE_SEQUENCE)[:1]:
        if line(concept, said.CODING_SCHEME_DESIGNATOR) == "DCM":
            return line(concept, said.CODE_VALUE)
    return ""


def _reason(dataset: Dataset) -> str:
    for item in dataset.items(said.CONTENT_SEQUENCE):
        concept = item.items(said.CONCEPT_NAME_CODE_SEQUENCE)
        if concept and line(concept[0], said.CODE_VALUE) == "113012":
            return " ".join(values.text(item, said.TEXT_VALUE).split())[:LONGEST]
    return ""
