"""Whether two statements of who a patient is agree. What one of them leaves out says nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A patient as an order or a study states them."""

    issuer_of_patient_id: str = ""
    patient_id: str = ""
    name_folded: str = ""
    """As `viewer.dicom.text.fold` writes it: words parted by spaces."""
    birth_date: str = ""
    """YYYYMMDD."""
    sex: str = ""


SEXES = ("M", "F")
"""Of Patient's Sex (PS3.3 C.7.1.1); others say nothing that could disagree."""


def disagreements(order: Identity, study: Identity) -> list[str]:
    """In words, what the images say otherwise than the order does; none where nothing disagrees.

    Names are written in many ways: only two names without a word in common disagree.
    """
    found = [
        f'{what} "{ours}" in the order, "{theirs}" in the images'
        for what, ours, theirs in (
            ("Patient ID", order.patient_id, study.patient_id),
            ("issuer of the Patient ID", order.issuer_of_patient_id, study.issuer_of_patient_id),
            ("birth date", order.birth_date, study.birth_date),
        )
        if ours and theirs and ours != theirs
    ]
    if order.sex in SEXES and study.sex in SEXES and order.sex != study.sex:
        found.append(f'sex "{order.sex}" in the order, "{study.sex}" in the images')
    ours, theirs = set(order.name_folded.split()), set(study.name_folded.split())
    if ours and theirs and not ours & theirs:
        found.append(f'name "{order.name_folded}" in the order, "{study.name_folded}" in the images')
    return found


def confirmed(order: Identity, study: Identity) -> bool:
    """Whether both state a Patient ID, the same one."""
    return bool(order.patient_id) and order.patient_id == study.patient_id
