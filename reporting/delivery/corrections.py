"""Patients as messages correct them: in orders and in the patient's row, never in stored files.

What images say otherwise is a warning on their study: a reader must see that the two do not agree.
"""

from __future__ import annotations

from accounts import audit
from accounts.models import Organization
from reporting.delivery.kinds import ACTOR
from reporting.messages.patients import PatientSaid
from reporting.messages.reading import NotUsable
from reporting.models import Order
from reporting.worklist import orders
from viewer.archive import disagreement
from viewer.dicom.text import fold
from viewer.models import Patient, Study

COLUMNS = ("name", "birth_date", "sex")


def correct(organization: Organization, said: PatientSaid) -> int:
    """Bring a patient's row and open orders up to date; how many rows that were. Within a transaction. Raises NotUsable where
    nothing says which of several patients with that number is meant."""
    known = list(
        Patient.objects.select_for_update()
        .filter(organization=organization, patient_id=said.patient_id, only_study_uid="")
        .order_by("id")
    )
    found = [one for one in known if one.issuer_of_patient_id in ("", said.issuer)] if said.issuer else known
    if len({one.issuer_of_patient_id for one in found} - {""}) > 1:
        raise NotUsable("several patients bear this number: the peer's mapping has to name the issuer", "PID-3")
    for patient in found:
        _correct(organization, patient, said)
    return len(found)


def _correct(organization: Organization, patient: Patient, said: PatientSaid) -> None:
    stated = {name: value for name in COLUMNS if (value := getattr(said, name)) is not None}
    new = {name: value for name, value in stated.items() if value != getattr(patient, name)}
    if new:
        for name, value in new.items():
            setattr(patient, name, value)
        patient.name_folded = fold(patient.name)
        patient.save(update_fields=[*new, "name_folded"])
        audit.record(
            "patient.correct",
            actor=ACTOR,
            organization=organization.name,
            patient_id=patient.patient_id,
            detail={"door": "hl7", "changed": sorted(new)},
        )
    _correct_orders(patient, stated)
    _warn(patient, said)


def _correct_orders(patient: Patient, stated: dict[str, str]) -> None:
    columns = {f"patient_{name}": value for name, value in stated.items()}
    for order in Order.objects.filter(patient=patient, status="ordered").exclude(source="study").order_by("id"):
        if any(getattr(order, name) != value for name, value in columns.items()):
            orders.correct(order, columns, ACTOR)


def _warn(patient: Patient, said: PatientSaid) -> None:
    """On every study whose own images say otherwise."""
    for study in Study.objects.select_for_update().filter(patient=patient):
        before = list(study.warnings)
        disagreement.note(study, [f"{_SENTENCE} {what}." for what in _differing(study, said)])
        if study.warnings != before:
            study.save(update_fields=["warnings"])


_SENTENCE = "The hospital's system gives another"


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
