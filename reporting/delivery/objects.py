"""A signed report as DICOM objects: the structured report, the PDF in an envelope, and what shows its evidence.

Every UID is made of the report and the version, and every time is that of the signature: made again, they are the same.
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from reporting.delivery import evidence_objects
from reporting.delivery.filed import DOCUMENTS, NOTE
from reporting.delivery.outcomes import NotSent
from reporting.exports import EXPORTS, rejection
from reporting.exports.document import SignedReport
from reporting.models import Report, ReportVersion
from viewer.marks.subject import AnotherPatient, subject_for
from viewer.models import Instance

Named = tuple[str, bytes]


def of_report(report: Report, version: ReportVersion, said: SignedReport) -> list[Named]:
    """(name, PS3.10 file) of every object that a version becomes. Raises NotSent, DicomError, OSError."""
    if said.state in rejection.TITLES:
        return [(NOTE, EXPORTS["sr"].make(said))] if said.filed else []
    documents = [(name, EXPORTS[kind].make(said)) for kind, name in DOCUMENTS.items()]
    return documents + evidence_objects.of_version(report, version, _subject(report, version))


def _subject(report: Report, version: ReportVersion) -> Dataset:
    """Raises NotSent where an image that the report shows names another patient."""
    shown = {one["sop_instance_uid"] for evidence in version.frozen.all() for one in evidence.sop_instances}
    ours = Instance.objects.filter(series__study=report.study, sop_instance_uid__in=shown)
    try:
        return subject_for(report.study, ours.values_list("sop_instance_uid", flat=True))
    except AnotherPatient:  # whose name they bear stays out of rows that administrators see
        raise NotSent("an image that the report shows names another patient than its study") from None
