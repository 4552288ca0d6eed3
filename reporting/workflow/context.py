"""What a report is about: patient, study and order, as they stand now; and whether everybody means the same."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from reporting.models import Order, Report
from reporting.workflow.refusals import Unusable, WrongPatient
from reporting.workflow.versions import written_at
from reporting.worklist.corrected import another_patient
from viewer.models import Correction, Series, Study

COMPARED = ("study", "patient_id", "accession_number")
"""What a page sends along with every save and signature."""


def context_of(study: Study, order: Order | None) -> dict[str, str]:
    """Patient, study and order in the words of a report's `context`. `study` comes with its patient."""
    said = study.stated_patient
    return {
        "study": study.study_instance_uid,
        "patient_id": study.patient.patient_id,
        "accession_number": study.accession_number or (order.accession_number if order else ""),
        "patient_name": said["name"],
        "birth_date": said["birth_date"],
        "sex": said["sex"],
        "laterality": (order.laterality if order else "") or image_laterality(study),
        "procedure": (order.procedure_text if order else "") or study.description,
    }


def image_laterality(study: Study) -> str:
    """L, R or B, of those series that say one (0020,0060); empty: none does."""
    rows: QuerySet[Series] = Series.objects.held().filter(study=study).exclude(laterality="")
    sides = {side.strip().upper()[:1] for side in rows.values_list("laterality", flat=True)} & {"L", "R", "B"}
    return "B" if len(sides) > 1 else "".join(sides)


def disagreements(study: Study, order: Order | None) -> list[str]:
    """In which of patient, accession number and study the order and the images do not agree."""
    if order is None:
        return []
    ordered, imaged = order.patient, study.patient
    found = []
    issuers = (ordered.issuer_of_patient_id, imaged.issuer_of_patient_id)
    if ordered.pk != imaged.pk and (
        ordered.patient_id != imaged.patient_id or (all(issuers) and len(set(issuers)) > 1)
    ):
        found.append("The order is for another patient than the images are of.")
    if order.accession_number and study.accession_number and order.accession_number != study.accession_number:
        found.append("The order and the images have different accession numbers.")
    if order.study_instance_uid and order.study_instance_uid != study.study_instance_uid:
        found.append("The order names another study than the one that is open.")
    return found


def reassigned(report: Report) -> Correction | None:
    """The act by which the images became another patient's than they were when the newest text was written; None: they are
    not, or a person has said that the text is about that patient."""
    written = written_at(report)
    return another_patient(report.study, written) if written is not None else None


def must_agree(report: Report, given: Any) -> None:
    """Raise WrongPatient where the caller, the order or the images mean somebody else; a caller who says nothing: None."""
    wrong = disagreements(report.study, report.order)
    act = reassigned(report)
    if act is not None and not accepts(given, act):
        wrong.append(REASSIGNED)
    if given is not None:
        if not isinstance(given, dict):
            raise Unusable("context: an object with study, patient_id and accession_number is expected")
        ours = context_of(report.study, report.order)
        for name in COMPARED:
            if name in given and given[name] != ours[name]:
                wrong.append(f"{SAID[name]} on your page is not the one of this report.")
    if wrong:
        raise WrongPatient(
            " ".join(wrong),
            problems=[{"rule": "wrong_patient", "level": "block", "message": sentence} for sentence in wrong],
        )


def accepts(given: Any, act: Correction) -> bool:
    """Whether the caller says that the text is about the patient whose the images are since that act."""
    return isinstance(given, dict) and given.get("corrected") == act.pk


REASSIGNED = "The images were given to another patient after this was written."
SAID = {"study": "The study", "patient_id": "The Patient ID", "accession_number": "The accession number"}
