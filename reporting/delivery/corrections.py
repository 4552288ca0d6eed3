"""Patients as messages correct and merge them (HL7 v2.5.1 3.3): corrections of the archive, which orders follow.

A study that says otherwise than the patient's row did keeps that, and carries a warning: a reader must see that the two do not
agree.
"""

from __future__ import annotations

from accounts.models import Organization
from reporting.delivery.kinds import ACTOR
from reporting.messages.patients import PatientSaid
from reporting.messages.reading import NotUsable
from reporting.worklist.orders import PatientFacts, patient_row
from viewer.archive import disagreement
from viewer.archive.correcting import BadCorrection, CannotCorrect, Who, merge_patients, update_patient
from viewer.archive.correcting_facts import PERSONAL, STATED
from viewer.models import Patient, Study


def correct(organization: Organization, said: PatientSaid, event: str = "A08") -> int:
    """Bring a patient up to date; how many rows that were. Within a transaction. Raises NotUsable where nothing says which of
    several patients with that number is meant."""
    found = _known(organization, said)
    for patient in found:
        stated = {name: value for name in STATED if (value := getattr(said, PERSONAL[name])) is not None}
        update_patient(patient, stated, _who(event))
        _warn(patient, said)
    return len(found)


def merge(organization: Organization, former: PatientSaid, surviving: PatientSaid, event: str) -> bool:
    """The number of `former` is one of `surviving` from now on; whether anything is known of either. Within a transaction.

    Raises NotUsable.
    """
    gone, stays = _known(organization, former), _known(organization, surviving)
    if not gone and not stays:
        return False
    target = _one(stays) if stays else patient_row(organization, _facts(surviving))
    source = _one(gone) if gone else patient_row(organization, _facts(former))
    try:
        merge_patients(source, target, _who(event))
    except (BadCorrection, CannotCorrect) as problem:
        raise NotUsable(str(problem), "MRG-1") from None
    correct(organization, surviving, event)
    return True


def _known(organization: Organization, said: PatientSaid) -> list[Patient]:
    known = list(
        Patient.objects.select_for_update()
        .filter(organization=organization, patient_id=said.patient_id, only_study_uid="")
        .order_by("id")
    )
    found = [one for one in known if one.issuer_of_patient_id in ("", said.issuer)] if said.issuer else known
    if len({one.issuer_of_patient_id for one in found} - {""}) > 1:
        raise NotUsable("several patients bear this number: the peer's mapping has to name the issuer", "PID-3")
    return found


def _one(found: list[Patient]) -> Patient:
    """Of rows with and without the issuer the one with."""
    return max(found, key=lambda one: one.issuer_of_patient_id)


def _facts(said: PatientSaid) -> PatientFacts:
    return PatientFacts(said.patient_id, said.issuer, said.name or "", said.birth_date or "", said.sex or "")


def _who(event: str) -> Who:
    return Who(ACTOR, f"The hospital's system said so (ADT^{event}).", "hl7")


def _warn(patient: Patient, said: PatientSaid) -> None:
    """On every study whose own images say otherwise."""
    for study in Study.objects.select_for_update().filter(patient=patient):
        before = list(study.warnings)
        disagreement.note(study, [f"{disagreement.HOSPITAL} {what}." for what in _differing(study, said)])
        if study.warnings != before:
            study.save(update_fields=["warnings"])


def _differing(study: Study, said: PatientSaid) -> list[str]:
    checks = (
        ("patient's name", study.patient_name, said.name, disagreement.same_name),
        ("birth date", study.patient_birth_date, said.birth_date, str.__eq__),
        ("sex", study.patient_sex, said.sex, str.__eq__),
    )
    return [
        f'{what}: "{theirs}" instead of "{ours}" in the images'
        for what, ours, theirs, same in checks
        if ours and theirs and not same(ours, theirs)
    ]
