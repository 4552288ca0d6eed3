"""The note that withdraws a report entered in error; nothing is deleted.

A key object selection "Rejected for Patient Safety Reasons" that names every object of the report (PS3.3 A.35.4, PS3.16 TID
2010; IHE Imaging Object Change Management).
"""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import KeyObjectSelectionDocumentStorage

from reporting.exports import dicom_values as fit
from reporting.exports import identifiers
from reporting.exports.dicom_subject import REPORT_CLASS, begun, signatures_of
from reporting.exports.document import SignedReport
from viewer.objects import codes
from viewer.objects.content import CONTAINS, CONTEXT, Code, coded, container, item, person, text
from viewer.objects.header import Reference, SeriesOfObject, encoded, evidence, referenced_sop

TITLE: Code = ("113037", "DCM", "Rejected for Patient Safety Reasons")
DESCRIPTION: Code = ("113012", "DCM", "Key Object Description")
NUMBER = 9711


def make(report: SignedReport) -> bytes:
    return encoded(dataset(report))


def dataset(report: SignedReport) -> Dataset:
    series = SeriesOfObject(
        sop_class_uid=str(KeyObjectSelectionDocumentStorage),
        modality="KO",
        series_instance_uid=identifiers.series(report.uid, "rejection"),
        number=NUMBER,
        description="Report entered in error",
        instance_number=report.version,
        sop_instance_uid=identifiers.rejection_object(report.uid, report.version),
    )
    d = begun(report, series)
    withdrawn = _withdrawn(report)
    by = signatures_of(report)[-1]
    inside = [
        coded(CONTEXT, codes.OBSERVER_TYPE, codes.PERSON),
        person(CONTEXT, codes.PERSON_NAME, fit.spoken(by.name or by.username) or "?"),
        text(CONTAINS, DESCRIPTION, f"Report entered in error. {report.reason}".strip()),
        *map(_reference, withdrawn),
    ]
    d.update(container("", TITLE, inside, template="2010"))
    d.ReferencedPerformedProcedureStepSequence = []
    d.CurrentRequestedProcedureEvidenceSequence = evidence(withdrawn)
    return d


def _withdrawn(report: SignedReport) -> list[Reference]:
    """Every object of earlier signed versions; of a report that names none, those of its signatures before this one."""
    versions = [one.version for one in signatures_of(report) if one.version < report.version]
    uids = report.predecessors or tuple(identifiers.report_object(report.uid, one) for one in dict.fromkeys(versions))
    uids = uids or (identifiers.report_object(report.uid, report.version - 1),)
    study, series = report.study.study_instance_uid, identifiers.series(report.uid, "report")
    return [Reference(study, series, REPORT_CLASS, uid) for uid in uids]


def _reference(of: Reference) -> Dataset:
    d = item(CONTAINS, "COMPOSITE", None)
    d.ReferencedSOPSequence = [referenced_sop(of.sop_instance_uid, of.sop_class_uid)]
    return d
