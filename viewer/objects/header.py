"""What every object written here begins with: the patient and the study of what it is about, and who made it.

    subject = subject_of(path_of_any_image_of_the_study)
    dataset = new_object(subject, SeriesOfObject(...), now)   # then the modules of its own
    data = encoded(dataset)                                   # a PS3.10 file

Texts are written in UTF-8 whatever the file said they were in.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pydicom
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from viewer.dicom.attributes import PatientAttributes, StudyAttributes, patient_attributes, study_attributes
from viewer.dicom.header import opened
from viewer.dicom.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from viewer.dicom.limits import Limits

MANUFACTURER, MODEL, SOFTWARE_VERSION = "Farview", "Farview", "0.1"
DEVICE = UID("2.25.116803562410954138204620471985312649018")
"""Farview itself as an observer (Device Observer UID)."""
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "objects.farview")

_MORE = ("PatientSize", "PatientWeight", "EthnicGroup", "IssuerOfAccessionNumberSequence")
"""Of the Patient Study and General Study modules, beside what the archive reads of every file."""


@dataclass(frozen=True, slots=True)
class SeriesOfObject:
    """The series that an object is put into, and its place there."""

    sop_class_uid: str
    modality: str
    series_instance_uid: str
    number: int
    description: str
    instance_number: int = 1
    sop_instance_uid: str = ""
    """Empty: a new one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One SOP Instance that an object points to."""

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


def new_uid() -> UID:
    """A UID nobody had before (PS3.5 B.2)."""
    return UID(f"2.25.{uuid.uuid4().int}")


def uid_of(*names: object) -> UID:
    """The same UID for the same names."""
    return UID(f"2.25.{uuid.uuid5(NAMESPACE, '/'.join(map(str, names))).int}")


def subject_of(path: Path) -> Dataset:
    """Patient and study (PS3.3 C.7.1.1, C.7.2.1, C.7.2.2) of the file at `path`. Raises DicomError, OSError."""
    with opened(path, Limits()) as header:
        return subject_as_stated(patient_attributes(header.dataset), study_attributes(header.dataset), path)


def subject_as_stated(patient: PatientAttributes, study: StudyAttributes, more: Path | None) -> Dataset:
    """The same of a patient and a study as they are known; `more`: a file that says of them what is nice to have."""
    d = Dataset()
    d.SpecificCharacterSet = "ISO_IR 192"
    always = {
        "PatientName": patient.name,
        "PatientID": patient.patient_id,
        "PatientBirthDate": patient.birth_date,
        "PatientSex": patient.sex,
        "StudyInstanceUID": study.study_instance_uid,
        "StudyID": study.study_id,
        "StudyDate": study.date,
        "StudyTime": study.time,
        "AccessionNumber": study.accession_number,
        "ReferringPhysicianName": study.referring_physician,
    }
    where_known = {
        "IssuerOfPatientID": patient.issuer_of_patient_id,
        "StudyDescription": study.description[:64],
        "PatientAge": study.patient_age.zfill(4) if study.patient_age else "",
        "TimezoneOffsetFromUTC": study.timezone_offset,
    }
    for keyword, value in {**always, **{name: text for name, text in where_known.items() if text}}.items():
        # Identity is given on as it was received, also where it is longer than the standard has it.
        d.add(DataElement(tag_for_keyword(keyword), dictionary_VR(keyword), value, validation_mode=IGNORE))
    if more is not None:
        _add_more(d, more)
    return d


def _add_more(d: Dataset, path: Path) -> None:
    """What is nice to have. A file that another reader stumbles over goes without it."""
    try:
        found = pydicom.dcmread(path, stop_before_pixels=True, force=True, specific_tags=list(_MORE))
        for keyword in _MORE:
            if keyword in found and found[keyword].value:
                d[keyword] = found[keyword]
    except Exception:  # noqa: S110 - whatever it is, the object is whole without these
        pass


def new_object(subject: Dataset, series: SeriesOfObject, now: datetime) -> Dataset:
    """A data set with the patient, study, general series, general equipment and SOP common modules.

    `now` is an aware time; it is written in the zone of the study's own times where the study names one.
    """
    d = Dataset()
    d.update(subject)
    here = now.astimezone(_zone_of(subject) or now.tzinfo)
    d.SOPClassUID = UID(series.sop_class_uid)
    d.SOPInstanceUID = UID(series.sop_instance_uid) if series.sop_instance_uid else new_uid()
    d.InstanceCreationDate = d.SeriesDate = d.ContentDate = f"{here:%Y%m%d}"
    d.InstanceCreationTime = d.SeriesTime = d.ContentTime = f"{here:%H%M%S}"
    d.Modality, d.SeriesInstanceUID = series.modality, UID(series.series_instance_uid)
    d.SeriesNumber, d.SeriesDescription = series.number, series.description[:64]
    d.InstanceNumber = series.instance_number
    d.Manufacturer, d.ManufacturerModelName = MANUFACTURER, MODEL
    d.DeviceSerialNumber, d.SoftwareVersions = "1", SOFTWARE_VERSION
    return d


def _zone_of(subject: Dataset) -> timezone | None:
    """Of Timezone Offset From UTC (0008,0201)."""
    offset = str(subject.get("TimezoneOffsetFromUTC", ""))
    if not offset:
        return None
    sign = -1 if offset.startswith("-") else 1
    return timezone(sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[3:5])))


def evidence(references: Iterable[Reference]) -> list[Dataset]:
    """Items of Current Requested Procedure Evidence (0040,A375) or its like: study, series, instances, each named once."""
    studies: dict[str, dict[str, dict[str, str]]] = {}
    for one in references:
        series = studies.setdefault(one.study_instance_uid, {}).setdefault(one.series_instance_uid, {})
        series[one.sop_instance_uid] = one.sop_class_uid
    items = []
    for study_uid, all_series in studies.items():
        item = Dataset()
        put_uid(item, "StudyInstanceUID", study_uid)
        item.ReferencedSeriesSequence = referenced_series(all_series)
        items.append(item)
    return items


def referenced_series(all_series: dict[str, dict[str, str]]) -> list[Dataset]:
    """Items of Referenced Series Sequence (0008,1115) from {series UID: {SOP Instance UID: SOP Class UID}}."""
    items = []
    for series_uid, instances in all_series.items():
        item = Dataset()
        put_uid(item, "SeriesInstanceUID", series_uid)
        item.ReferencedSOPSequence = [referenced_sop(uid, kind) for uid, kind in instances.items()]
        items.append(item)
    return items


def referenced_sop(sop_instance_uid: str, sop_class_uid: str, frame_number: int | None = None) -> Dataset:
    """An item of Referenced SOP Sequence (PS3.3 10.8), of one frame where `frame_number` (from 1) is given."""
    d = Dataset()
    put_uid(d, "ReferencedSOPClassUID", sop_class_uid)
    put_uid(d, "ReferencedSOPInstanceUID", sop_instance_uid)
    if frame_number is not None:
        d.ReferencedFrameNumber = frame_number
    return d


def put_uid(d: Dataset, keyword: str, uid: str) -> None:
    """A UID given on as it was received, also one that is not written as UIDs are (PS3.5 9.1)."""
    d.add(DataElement(tag_for_keyword(keyword), "UI", uid, validation_mode=IGNORE))


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One coded entry (PS3.3 8.8)."""
    d = Dataset()
    d.CodeValue, d.CodingSchemeDesignator, d.CodeMeaning = value, scheme, meaning[:64]
    return d


def decimal(value: float) -> str:
    """A DS of at most 16 characters (PS3.5 6.2), with as many digits as fit."""
    for digits in range(15, 5, -1):
        text = f"{value:.{digits}g}"
        if len(text) <= 16:
            return text
    return f"{value:.6g}"


def encoded(dataset: Dataset) -> bytes:
    """The data set as a file (PS3.10 7), explicit little endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = (
        UID(IMPLEMENTATION_CLASS_UID),
        IMPLEMENTATION_VERSION_NAME,
    )
    dataset.file_meta = meta
    file = io.BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()
