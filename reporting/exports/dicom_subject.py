"""What every DICOM object of a report begins with, and how its state reads in DICOM."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydicom.dataset import Dataset
from pydicom.uid import EncapsulatedPDFStorage, EnhancedSRStorage

from reporting.exports import dicom_values as fit
from reporting.exports import written
from reporting.exports.document import Signature, SignedReport
from viewer.objects.header import Reference, SeriesOfObject, new_object

REPORT_CLASS = str(EnhancedSRStorage)
"""Numbers and images, no coordinates: Enhanced SR holds all that is written here (PS3.3 A.35.2)."""
DOCUMENT_CLASS = str(EncapsulatedPDFStorage)


class NoSuchForm(ValueError):
    """This report has no such form in its state; `str` says why, for a person."""


@dataclass(frozen=True, slots=True)
class Flags:
    """Completion (0040,A491), Verification (0040,A493) and Preliminary Flag (0040,A496)."""

    completion: str
    verification: str
    preliminary: str


FLAGS: dict[str, Flags] = {
    "preliminary": Flags("COMPLETE", "UNVERIFIED", "PRELIMINARY"),
    "pending_cosign": Flags("COMPLETE", "UNVERIFIED", "PRELIMINARY"),
    "final": Flags("COMPLETE", "VERIFIED", "FINAL"),
    "appended": Flags("COMPLETE", "VERIFIED", "FINAL"),
    "corrected": Flags("COMPLETE", "VERIFIED", "FINAL"),
}
"""Reports that are returned to a resident or cancelled have no object; one entered in error has a rejection note."""

VERIFYING = {"verified", "co-signer", "correction", "addendum"}


def flags_of(report: SignedReport) -> Flags:
    """Raises NoSuchForm where a report in this state has no object."""
    flags = FLAGS.get(report.state)
    if flags is None:
        raise NoSuchForm(f"A report that is {report.state.replace('_', ' ')} has no DICOM object.")
    return refuse_impossible(flags)


def refuse_impossible(flags: Flags) -> Flags:
    """What PS3.3 C.17.2 excludes: a partial document cannot be verified, nor a verified one preliminary."""
    if flags.verification == "VERIFIED" and (flags.completion != "COMPLETE" or flags.preliminary != "FINAL"):
        raise NoSuchForm("A report that is not complete and final cannot be marked as verified.")
    return flags


def signatures_of(report: SignedReport) -> list[Signature]:
    """All that are on it, oldest first."""
    return sorted((*report.signatures, *(one.signature for one in report.addenda)), key=lambda one: one.at)


def newest_at(report: SignedReport) -> datetime:
    """When the newest of them was given, in the zone of the object's own times."""
    signatures = signatures_of(report)
    if not signatures:
        raise NoSuchForm("This report is not signed.")
    return local(signatures[-1].at, report)


def local(at: datetime, report: SignedReport) -> datetime:
    zone = fit.zone(report.study.timezone_offset)
    return at.astimezone(zone) if zone else written.local(at, report.site.time_zone)


def subject(report: SignedReport) -> Dataset:
    """Patient and study (PS3.3 C.7.1.1, C.7.2.1) as the images have them."""
    patient, study = report.patient, report.study
    d = Dataset()
    d.SpecificCharacterSet = "ISO_IR 192"
    at = newest_at(report)
    for keyword, value in {
        "PatientName": fit.person(patient.name),
        "PatientID": fit.line(patient.patient_id, 10_000),
        "PatientBirthDate": fit.date(patient.birth_date),
        "PatientSex": patient.sex if patient.sex in ("M", "F", "O") else "",
        "StudyInstanceUID": study.study_instance_uid,
        "StudyID": fit.line(study.study_id, 16),
        "StudyDate": fit.date(study.date),
        "StudyTime": fit.time(study.time),
        "AccessionNumber": fit.line(study.accession_number, 10_000),
        "ReferringPhysicianName": fit.person(study.referring_physician),
        "TimezoneOffsetFromUTC": fit.offset_of(at),
    }.items():
        fit.put(d, keyword, value)
    if patient.issuer_of_patient_id:
        fit.put(d, "IssuerOfPatientID", fit.line(patient.issuer_of_patient_id))
    if study.description:
        fit.put(d, "StudyDescription", fit.line(study.description))
    return d


def begun(report: SignedReport, series: SeriesOfObject) -> Dataset:
    """A data set dated as the newest signature."""
    d = new_object(subject(report), series, newest_at(report))
    d.InstitutionName = fit.line(report.site.title or report.site.name)
    return d


def evidence_of(report: SignedReport) -> list[Reference]:
    """Every image of the study that was read, and every one that a picture of the report was drawn from (C.17.2.3)."""
    study = report.study.study_instance_uid
    found = [
        Reference(study, series, sop_class, sop_instance)
        for series, instances in report.study_series.items()
        for sop_class, sop_instance in instances
    ]
    found += [
        Reference(one.study_instance_uid or study, one.series_instance_uid, one.sop_class_uid, one.sop_instance_uid)
        for picture in report.pictures
        for one in picture.sources
    ]
    return list(dict.fromkeys(found))
