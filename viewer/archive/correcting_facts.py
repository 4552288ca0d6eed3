"""What is said of a patient and of a study, by DICOM keyword, and where rows keep it."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import QuerySet

from viewer.archive import disagreement
from viewer.dicom.text import fold
from viewer.models import Patient, SeriesRequest, Study

PERSONAL = {
    "PatientName": "name",
    "PatientID": "patient_id",
    "IssuerOfPatientID": "issuer_of_patient_id",
    "PatientBirthDate": "birth_date",
    "PatientSex": "sex",
}
"""DICOM keyword -> column of a patient."""
STATED = {"PatientName": "patient_name", "PatientBirthDate": "patient_birth_date", "PatientSex": "patient_sex"}
"""DICOM keyword -> column of a study that says it of its patient."""
OF_STUDY = {
    "StudyInstanceUID": "study_instance_uid",
    "StudyID": "study_id",
    "StudyDate": "date",
    "StudyTime": "time",
    "AccessionNumber": "accession_number",
    "StudyDescription": "description",
    "ReferringPhysicianName": "referring_physician",
}
"""DICOM keyword -> column of a study."""
ORDERED = ("AccessionNumber", "StudyDescription", "ReferringPhysicianName")
"""What a study says of its order."""


def change(study: Study, after: Mapping[str, str], patient: Patient | None = None) -> None:
    """Bring a study's row, and the warnings that it carries, up to what its objects say from now on."""
    former = facts_of(study)
    if patient is not None:
        study.patient = patient
    for name, column in {**STATED, **OF_STUDY}.items():
        if name in after and name != "StudyInstanceUID":
            setattr(study, column, after[name])
    study.description_folded = fold(study.description)[:200]
    renumber(SeriesRequest.objects.filter(series__study=study), former, {**former, **after})
    study.warnings = disagreement.after_correction(study.warnings, former, {**former, **after})
    study.save()


def renumber(requests: QuerySet[SeriesRequest], former: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Requests of series under the accession number that their study had have the one that it has now."""
    number, now = former["AccessionNumber"], after["AccessionNumber"]
    if number and now and number != now:
        requests.filter(accession_number=number).update(accession_number=now)


def facts_of(study: Study) -> dict[str, str]:
    """DICOM keyword -> value, as the objects of a study leave."""
    stated = study.stated_patient
    return {
        **{name: stated[PERSONAL[name]] for name in STATED},
        "PatientID": study.patient.patient_id,
        "IssuerOfPatientID": study.patient.issuer_of_patient_id,
        **{name: getattr(study, column) for name, column in OF_STUDY.items()},
    }


def as_known(patient: Patient) -> dict[str, str]:
    """What is known of a patient; the Patient ID and its issuer in any case."""
    always = ("PatientID", "IssuerOfPatientID")
    return {name: value for name, value in person_of(patient).items() if value or name in always}


def set_person(patient: Patient, said: Mapping[str, str]) -> None:
    """Name, birth date and sex of a patient's row."""
    for name in STATED:
        if name in said:
            setattr(patient, PERSONAL[name], said[name])
    patient.name_folded = fold(patient.name)[:400]
    patient.save(update_fields=["name", "name_folded", "birth_date", "sex"])


def person_of(patient: Patient) -> dict[str, str]:
    return {name: getattr(patient, column) for name, column in PERSONAL.items()}


def for_study(study: Study, before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """What of `after` is for a study: its patient's number, and what it left out or said as the patient's row did."""
    said = facts_of(study)
    return {
        name: value
        for name, value in after.items()
        if name not in STATED or not said[name] or _same(name, said[name], before.get(name, ""))
    }


def _same(name: str, one: str, other: str) -> bool:
    return disagreement.same_name(one, other) if name == "PatientName" else one == other


def differs(former: Mapping[str, str], after: Mapping[str, str]) -> bool:
    return any(former.get(name, "") != value for name, value in after.items())
