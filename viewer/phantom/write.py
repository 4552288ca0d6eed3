"""Phantoms as DICOM files: attributes of PS3.3 IODs, deterministic UIDs under 2.25, PS3.10 files."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "phantom.farview")
IMPLEMENTATION = UID("2.25.302043790172249692526321623266752743501")


def uid(*names: object) -> UID:
    """The same UID for the same names, so that writing the studies again changes nothing (PS3.5 B.2)."""
    return UID(f"2.25.{uuid.uuid5(NAMESPACE, '/'.join(map(str, names))).int}")


@dataclass(frozen=True)
class Patient:
    """A person who does not exist, and whose name says so."""

    name: str
    patient_id: str
    birth_date: str
    sex: str
    size: float
    weight: float


ADA = Patient("Phantom^Ada", "PHANTOM-0001", "19640310", "F", 1.71, 68.0)
BRUNO = Patient("Phantom^Bruno", "PHANTOM-0002", "19870922", "M", 1.82, 80.0)
CLARA = Patient("Phantom^Clara", "PHANTOM-0003", "19520605", "F", 1.64, 71.0)


@dataclass(frozen=True)
class Study:
    """One examination; `date` YYYYMMDD, `time` HHMMSS, local time at +0100."""

    key: str
    patient: Patient
    date: str
    time: str
    accession: str
    study_id: str
    description: str

    @property
    def uid(self) -> UID:
        return uid("study", self.key)

    def age(self) -> str:
        born, now = self.patient.birth_date, self.date
        years = int(now[:4]) - int(born[:4]) - (now[4:] < born[4:])
        return f"{years:03d}Y"


def base(study: Study, series: str, sop_class: str, modality: str, number: int, **more: Any) -> Dataset:
    """Patient, study, series and equipment modules (PS3.3 C.7.1 to C.7.5) of one series; `more` by DICOM keyword."""
    d = Dataset()
    patient = study.patient
    d.SpecificCharacterSet = "ISO_IR 192"
    d.ImageType = ["ORIGINAL", "PRIMARY"]
    d.InstanceCreationDate, d.InstanceCreationTime = study.date, study.time
    d.SOPClassUID = UID(sop_class)
    d.StudyDate = d.SeriesDate = d.AcquisitionDate = d.ContentDate = study.date
    d.StudyTime = d.SeriesTime = d.AcquisitionTime = d.ContentTime = study.time
    d.TimezoneOffsetFromUTC = "+0100"
    d.AccessionNumber = study.accession
    d.Modality = modality
    d.Manufacturer = "Farview Phantom"  # not that of what is written here about images: these are to be read
    d.ManufacturerModelName = "Phantom"
    d.DeviceSerialNumber = "0"
    d.SoftwareVersions = "1"
    d.InstitutionName = "Farview Demonstration"
    d.StationName = f"PHANTOM-{modality}"
    d.ReferringPhysicianName = "Phantom^Referrer"
    d.StudyDescription = study.description
    d.PatientName, d.PatientID = patient.name, patient.patient_id
    d.PatientBirthDate, d.PatientSex = patient.birth_date, patient.sex
    d.PatientAge, d.PatientSize, d.PatientWeight = study.age(), patient.size, patient.weight
    d.PatientComments = "Synthetic. No person was examined."
    d.StudyInstanceUID = study.uid
    d.SeriesInstanceUID = uid("series", study.key, series)
    d.StudyID = study.study_id
    d.SeriesNumber = number
    d.BurnedInAnnotation = "NO"
    d.LossyImageCompression = "00"
    for keyword, value in more.items():
        setattr(d, keyword, value)
    return d


def pixels_of(
    d: Dataset, rows: int, columns: int, *, bits: int, signed: bool = False, photometric: str = "MONOCHROME2"
) -> None:
    """The Image Pixel module (PS3.3 C.7.6.3) without the pixels."""
    d.SamplesPerPixel = 1
    d.PhotometricInterpretation = photometric
    d.Rows, d.Columns = rows, columns
    d.BitsAllocated = 8 if bits <= 8 else 16
    d.BitsStored, d.HighBit = bits, bits - 1
    d.PixelRepresentation = int(signed)


def plane_of(
    d: Dataset, position: tuple[float, float, float], orientation: tuple[float, ...], spacing: tuple[float, float]
) -> None:
    """The Image Plane module (PS3.3 C.7.6.2); spacing is (rows, columns) mm."""
    d.ImagePositionPatient = [decimal(v) for v in position]
    d.ImageOrientationPatient = [decimal(v) for v in orientation]
    d.PixelSpacing = [decimal(v) for v in spacing]


def decimal(value: float) -> str:
    """A DS of at most 16 characters (PS3.5 6.2)."""
    return f"{float(value):.10g}"[:16]


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """One coded entry (PS3.3 8.8)."""
    d = Dataset()
    d.CodeValue, d.CodingSchemeDesignator, d.CodeMeaning = value, scheme, meaning
    return d


def sequence(*items: Dataset) -> Sequence:
    return Sequence(list(items))


def save(
    d: Dataset,
    path: Path,
    pixels: NDArray[Any] | list[bytes],
    *,
    syntax: str = ExplicitVRLittleEndian,
    changes: Mapping[str, Any] | None = None,
) -> Path:
    """Write one file (PS3.10 7). `pixels` is native little-endian values, or the encoded frames of an encapsulated syntax."""
    for keyword, value in (changes or {}).items():
        setattr(d, keyword, value)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = d.SOPClassUID
    meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID
    meta.TransferSyntaxUID = UID(syntax)
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "FARVIEW_PHANTOM"
    d.file_meta = meta
    if isinstance(pixels, list):
        d.PixelData = encapsulate(pixels)
        d["PixelData"].VR = "OB"
        d["PixelData"].is_undefined_length = True
    else:
        data = np.ascontiguousarray(pixels).tobytes()
        d.PixelData = data + b"\0" * (len(data) % 2)
        d["PixelData"].VR = "OW" if d.BitsAllocated > 8 else "OB"
    path.parent.mkdir(parents=True, exist_ok=True)
    dcmwrite(path, d, enforce_file_format=True)
    return path
