"""The note that takes back a report that was withdrawn; nothing is deleted.

A key object selection that names every object of the report (PS3.3 A.35.4, PS3.16 TID 2010, CID 7011; IHE RAD TF-3 4.66,
Imaging Object Change Management). One that names other objects is another note.
"""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage

from reporting.exports import dicom_values as fit
from reporting.exports import identifiers
from reporting.exports.dicom_subject import REPORT_CLASS, NoSuchForm, begun, signatures_of
from reporting.exports.document import SignedReport
from viewer.objects import captured_picture, codes
from viewer.objects.content import CONTAINS, CONTEXT, Code, coded, container, item, person, text
from viewer.objects.header import Reference, SeriesOfObject, encoded, evidence, referenced_sop

TITLES: dict[str, Code] = {
    "cancelled": ("113001", "DCM", "Rejected for Quality Reasons"),
    "entered_in_error": ("113037", "DCM", "Rejected for Patient Safety Reasons"),
}
"""By the state of a report that was withdrawn."""
SAID = {"cancelled": "Report withdrawn", "entered_in_error": "Report entered in error"}
DESCRIPTION: Code = ("113012", "DCM", "Key Object Description")
LONGEST = 1000
NUMBER = 9711


def make(report: SignedReport) -> bytes:
    """Raises NoSuchForm where there is nothing to take back."""
    return encoded(dataset(report))


def dataset(report: SignedReport) -> Dataset:
    withdrawn = report.filed or tuple(_presumed(report))
    if not withdrawn:
        raise NoSuchForm("Nothing of this report was filed: there is no object to take back.")
    said = SAID[report.state]
    series = SeriesOfObject(
        sop_class_uid=str(KeyObjectSelectionDocumentStorage),
        modality="KO",
        series_instance_uid=identifiers.series(report.uid, "rejection"),
        number=NUMBER,
        description=said,
        instance_number=report.version,
        sop_instance_uid=identifiers.rejection_object(
            report.uid, report.version, [one.sop_instance_uid for one in withdrawn]
        ),
    )
    d = begun(report, series)
    by = (signatures_of(report) or list(report.signatures))[-1]
    inside = [
        coded(CONTEXT, codes.OBSERVER_TYPE, codes.PERSON),
        person(CONTEXT, codes.PERSON_NAME, fit.spoken(by.name or by.username) or "?"),
        text(CONTAINS, DESCRIPTION, f"{said}. {report.reason}".strip()[:LONGEST]),
        *map(_reference, withdrawn),
    ]
    d.update(container("", TITLES[report.state], inside, template="2010"))
    d.ReferencedPerformedProcedureStepSequence = []
    d.CurrentRequestedProcedureEvidenceSequence = evidence(withdrawn)
    return d


def _presumed(report: SignedReport) -> list[Reference]:
    """The documents of earlier signed versions of a report that is in error: of those that it names, else of its signatures."""
    if report.state != "entered_in_error":
        return []
    versions = [one.version for one in signatures_of(report) if one.version < report.version]
    uids = report.predecessors or tuple(identifiers.report_object(report.uid, one) for one in dict.fromkeys(versions))
    uids = uids or (identifiers.report_object(report.uid, report.version - 1),)
    study, series = report.study.study_instance_uid, identifiers.series(report.uid, "report")
    return [Reference(study, series, REPORT_CLASS, uid) for uid in uids]


def _reference(of: Reference) -> Dataset:
    d = item(CONTAINS, "IMAGE" if of.sop_class_uid == captured_picture.SOP_CLASS else "COMPOSITE", None)
    d.ReferencedSOPSequence = [referenced_sop(of.sop_instance_uid, of.sop_class_uid)]
    return d
