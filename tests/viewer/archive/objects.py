"""DICOM files made to measure, for tests that need to say what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian


def ct_slice(uid: str = "1.2.3.4.1", study: str = "1.2.3", series: str = "1.2.3.4", **changed: Any) -> Dataset:
    """A 4 x 4 CT slice; `changed` by keyword."""
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, uid
    image.StudyInstanceUID, image.SeriesInstanceUID = study, series
    image.PatientID, image.PatientName, image.PatientBirthDate, image.PatientSex = "P1", "Doe^Jane", "19700101", "F"
    image.StudyDate, image.StudyTime, image.StudyDescription = "20240131", "101500", "Chest"
    image.AccessionNumber, image.Modality, image.SeriesNumber, image.InstanceNumber = "A1", "CT", 1, 1
    image.Rows = image.Columns = 4
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
    image.ImagePositionPatient, image.ImageOrientationPatient = [0, 0, 0], [1, 0, 0, 0, 1, 0]
    image.PixelSpacing, image.RescaleSlope, image.RescaleIntercept = [1, 1], 1, 0
    image.PixelData = bytes(32)
    for keyword, value in changed.items():
        setattr(image, keyword, value)
    return image


def save(image: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a data set as a DICOM file, of a syntax with explicit VRs."""
    image.file_meta = FileMetaDataset()
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.file_meta.TransferSyntaxUID = UID(syntax)
    path.parent.mkdir(parents=True, exist_ok=True)
    pydicom.dcmwrite(path, image, enforce_file_format=True)
    return path


def slices(folder: Path, count: int, study: str = "1.2.3", series: str = "1.2.3.4", **changed: Any) -> list[Path]:
    """A stack of slices, 1 mm apart."""
    return [
        save(
            ct_slice(f"{series}.{n}", study, series, InstanceNumber=n, ImagePositionPatient=[0, 0, n], **changed),
            folder / f"{n:04d}.dcm",
        )
        for n in range(1, count + 1)
    ]
