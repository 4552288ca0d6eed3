"""The PDF of a signed report inside a DICOM object (PS3.3 A.45.1): for archives that show documents beside images."""

from __future__ import annotations

from dataclasses import replace

from pydicom.dataset import Dataset

from reporting.exports import dicom_values as fit
from reporting.exports import identifiers, pdf
from reporting.exports import sr_codes as words
from reporting.exports.cleaning import cleaned
from reporting.exports.dicom_subject import DOCUMENT_CLASS, begun, evidence_of, flags_of
from reporting.exports.document import SignedReport
from viewer.objects.header import SeriesOfObject, code, encoded, referenced_sop

MEDIA_TYPE = "application/dicom"
NUMBER = 9712


def make(report: SignedReport) -> bytes:
    """The file. Raises NoSuchForm for a report that has no object in its state."""
    return encoded(dataset(cleaned(report)))


def dataset(report: SignedReport) -> Dataset:
    flags = flags_of(report)
    series = SeriesOfObject(
        sop_class_uid=DOCUMENT_CLASS,
        modality="DOC",
        series_instance_uid=identifiers.series(report.uid, "pdf"),
        number=NUMBER,
        description="Report",
        instance_number=report.version,
        sop_instance_uid=identifiers.document_object(report.uid, report.version, report.told_since),
    )
    d = begun(report, series)
    d.ConversionType = "WSD"
    d.AcquisitionDateTime = ""
    d.BurnedInAnnotation = "YES"
    d.DocumentTitle = fit.line(report.title, 1024) or "Report"
    d.ConceptNameCodeSequence = [code(*words.title_of(report.study.modalities))]
    d.VerificationFlag = flags.verification
    images = [one for one in evidence_of(report) if one.study_instance_uid == report.study.study_instance_uid]
    if images:
        d.SourceInstanceSequence = [referenced_sop(one.sop_instance_uid, one.sop_class_uid) for one in images]
    d.MIMETypeOfEncapsulatedDocument = "application/pdf"
    # How a picture would be drawn today changes from day to day; what lies in an archive does not.
    document = pdf.make(replace(report, pictures=tuple(replace(one, draws_the_same=None) for one in report.pictures)))
    d.EncapsulatedDocumentLength = len(document)
    d.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    return d
