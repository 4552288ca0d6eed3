"""A signed report as DICOM objects: the structured report, the PDF in an envelope, and what shows its evidence.

Every UID is made of the report and the version, and every time is that of the signature: made again, they are the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pydicom
from pydicom.dataset import Dataset

from reporting.delivery import evidence_objects
from reporting.delivery.outcomes import NotSent
from reporting.delivery.to_archive import unpacked
from reporting.evidence.blobs import bytes_of
from reporting.exports import EXPORTS, identifiers
from reporting.exports.document import SignedReport
from reporting.models import Report, ReportVersion
from viewer.archive.storage import blob_store
from viewer.models import Instance
from viewer.objects import captured_picture, key_object
from viewer.objects.header import Reference, SeriesOfObject, code, encoded, new_object, subject_of
from viewer.objects.key_object import Selected, Selection

WITHDRAWN = {
    "cancelled": ("113001", "DCM", "Rejected for Quality Reasons"),
    "entered_in_error": ("113037", "DCM", "Rejected for Patient Safety Reasons"),
}
"""State of the report -> title of the note that takes its objects back (CID 7011, IHE IOCM)."""
NOTE_SERIES = 9711
DOCUMENTS = {"sr": "structured report", "dicom-pdf": "encapsulated pdf"}
"""Of `reporting.exports`."""
Named = tuple[str, bytes]


def of_report(report: Report, version: ReportVersion, said: SignedReport) -> list[Named]:
    """(name, PS3.10 file) of every object that a version becomes. Raises NotSent, DicomError, OSError."""
    subject = _subject(report)
    if said.state in WITHDRAWN:
        note = _note(report, version, said, subject)
        return [("rejection note", note)] if note is not None else []
    documents = [(name, EXPORTS[kind].make(said)) for kind, name in DOCUMENTS.items()]
    return documents + evidence_objects.of_version(report, version, subject)


def _subject(report: Report) -> Dataset:
    first = Instance.objects.filter(series__study=report.study).order_by("id").values_list("blob_id", flat=True).first()
    if first is None:
        raise NotSent("the study has no objects any more that say whose it is")
    return subject_of(blob_store().path(first))


def _note(report: Report, version: ReportVersion, said: SignedReport, subject: Dataset) -> bytes | None:
    """What takes back the objects of earlier versions (IHE RAD TF-3 4.66, IOCM); None: none was filed."""
    taken_back = [Selected(reference) for reference in _filed_before(report)]
    if not taken_back:
        return None
    series = SeriesOfObject(
        sop_class_uid=key_object.SOP_CLASS,
        modality="KO",
        series_instance_uid=identifiers.series(str(report.uid), "rejection"),
        number=NOTE_SERIES,
        description="Report withdrawn",
        instance_number=version.number,
        sop_instance_uid=identifiers.rejection_object(str(report.uid), version.number),
    )
    d = new_object(subject, series, version.at.astimezone(ZoneInfo(report.organization.time_zone)))
    reason = said.reason or "The report was withdrawn."
    key_object.write(d, Selection("of interest", [evidence_objects.observer(version)], taken_back, reason[:1000]))
    d.ConceptNameCodeSequence = [code(*WITHDRAWN[said.state])]
    for item in d.ContentSequence:
        if (
            item.ValueType == "IMAGE"
            and item.ReferencedSOPSequence[0].ReferencedSOPClassUID != captured_picture.SOP_CLASS
        ):
            item.ValueType = "COMPOSITE"
    return encoded(d)


def _filed_before(report: Report) -> Iterable[Reference]:
    """What was filed of this report: its documents, presentation states and pictures."""
    rows = report.deliveries.filter(destination__kind="archive", state="acknowledged").exclude(payload=None)
    found: dict[str, Reference] = {}
    for delivery in rows.select_related("payload").order_by("id"):
        for _, data in unpacked(bytes_of(delivery.payload)):
            header = pydicom.dcmread(
                io.BytesIO(data), specific_tags=["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"]
            )
            if header.SOPClassUID != key_object.SOP_CLASS:
                found[header.SOPInstanceUID] = Reference(
                    report.study.study_instance_uid,
                    str(header.SeriesInstanceUID),
                    str(header.SOPClassUID),
                    str(header.SOPInstanceUID),
                )
    return found.values()
