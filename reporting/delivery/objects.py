"""A signed report as DICOM objects: the structured report, the PDF in an envelope, and what shows its evidence.

Every UID is made of the report and the version, and every time is that of the signature: made again, they are the same.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage

from reporting.delivery import evidence_objects
from reporting.delivery.outcomes import NotSent
from reporting.delivery.to_archive import unpacked
from reporting.evidence.blobs import bytes_of
from reporting.exports import EXPORTS
from reporting.exports.document import SignedReport
from reporting.models import Report, ReportVersion
from viewer.archive.storage import blob_store
from viewer.models import Instance
from viewer.objects import key_object
from viewer.objects.header import Reference, SeriesOfObject, code, encoded, new_object, subject_of, uid_of
from viewer.objects.key_object import Selected, Selection

WITHDRAWN = {
    "cancelled": ("113001", "DCM", "Rejected for Quality Reasons"),
    "entered_in_error": ("113037", "DCM", "Rejected for Patient Safety Reasons"),
}
"""State of the report -> title of the note that takes its objects back (CID 7011, IHE IOCM)."""
PDF_SERIES, NOTE_SERIES = 9011, 9012
Named = tuple[str, bytes]


def of_report(report: Report, version: ReportVersion, said: SignedReport) -> list[Named]:
    """(name, PS3.10 file) of every object that a version becomes. Raises NotSent, DicomError, OSError."""
    subject = _subject(report)
    if said.state in WITHDRAWN:
        return [("rejection note", _note(report, version, said, subject))]
    report_file = EXPORTS["sr"].make(said)
    found = [("structured report", report_file), ("encapsulated pdf", _pdf(report, version, said, subject))]
    return found + evidence_objects.of_version(report, version, subject)


def begun(report: Report, version: ReportVersion, subject: Dataset, series: SeriesOfObject) -> Dataset:
    """A data set of the report's study, made at the time of the signature."""
    return new_object(subject, series, version.at.astimezone(ZoneInfo(report.organization.time_zone)))


def _subject(report: Report) -> Dataset:
    first = Instance.objects.filter(series__study=report.study).order_by("id").values_list("blob_id", flat=True).first()
    if first is None:
        raise NotSent("the study has no objects any more that say whose it is")
    return subject_of(blob_store().path(first))


def _pdf(report: Report, version: ReportVersion, said: SignedReport, subject: Dataset) -> bytes:
    """Encapsulated PDF (PS3.3 A.45.1)."""
    d = begun(
        report,
        version,
        subject,
        SeriesOfObject(
            sop_class_uid=str(EncapsulatedPDFStorage),
            modality="DOC",
            series_instance_uid=str(uid_of("report pdf", report.uid)),
            number=PDF_SERIES,
            description="Report",
            instance_number=version.number,
            sop_instance_uid=str(uid_of("report pdf", report.uid, version.number)),
        ),
    )
    pdf = EXPORTS["pdf"].make(said)
    d.ConversionType = "WSD"
    d.BurnedInAnnotation = "YES"
    d.AcquisitionDateTime = None
    d.DocumentTitle = said.title[:1024]
    d.ConceptNameCodeSequence = [code("18748-4", "LN", "Diagnostic imaging study")]
    d.VerificationFlag = "VERIFIED" if said.state in ("final", "appended", "corrected") else "UNVERIFIED"
    d.MIMETypeOfEncapsulatedDocument = "application/pdf"
    d.EncapsulatedDocumentLength = len(pdf)
    d.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    images = [
        Reference(report.study.study_instance_uid, one.series_instance_uid, one.sop_class_uid, one.sop_instance_uid)
        for picture in said.pictures
        for one in picture.sources
    ]
    if images:
        d.SourceInstanceSequence = [_source(one) for one in dict.fromkeys(images)]
    return encoded(d)


def _source(reference: Reference) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference.sop_class_uid, reference.sop_instance_uid
    return item


def _note(report: Report, version: ReportVersion, said: SignedReport, subject: Dataset) -> bytes:
    """What takes back the objects of earlier versions (IHE RAD TF-3 4.66, IOCM)."""
    d = begun(
        report,
        version,
        subject,
        SeriesOfObject(
            sop_class_uid=key_object.SOP_CLASS,
            modality="KO",
            series_instance_uid=str(uid_of("report rejection", report.uid)),
            number=NOTE_SERIES,
            description="Report withdrawn",
            instance_number=version.number,
            sop_instance_uid=str(uid_of("report rejection", report.uid, version.number)),
        ),
    )
    taken_back = [Selected(reference) for reference in _filed_before(report)]
    if not taken_back:
        raise NotSent("no object of this report is in the archive that could be taken back")
    reason = said.reason or "The report was withdrawn."
    key_object.write(d, Selection("of interest", [evidence_objects.observer(version)], taken_back, reason[:1000]))
    d.ConceptNameCodeSequence = [code(*WITHDRAWN[said.state])]
    return encoded(d)


def _filed_before(report: Report) -> Iterable[Reference]:
    """Documents of this report in the archive: the envelopes by their series, and structured reports by what they were filed
    with."""
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
