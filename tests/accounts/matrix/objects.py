"""Beside the images of the world's study: one object of every kind that a door of its own shows."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41, KeyObjectSelectionDocumentStorage, VideoEndoscopicImageStorage

from tests.viewer.dicom.reports import dcm, item, report, save, text

OF_FILES = {
    "seg": "derived/seg_liver.dcm",
    "rtstruct": "derived/rtstruct_lctsc.dcm",
    "sr": "derived/sr_basic_text.dcm",
    "pdf": "derived/encapsulated_pdf.dcm",
}
KINDS = (*OF_FILES, "ko", "video")
"""As names of the world: the SOP Instance UID of that object, and of its ghost."""
MP4 = b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 4


def objects_of(image: Dataset, shared_data: Path, folder: Path, words: str) -> dict[str, Path]:
    """Files in `folder`, by KINDS, of the study that `image` is of; `words` stand in the report."""
    made = {kind: pydicom.dcmread(shared_data / name) for kind, name in OF_FILES.items()}
    made["ko"] = _key_objects(image, words)
    made["video"] = _video(image)
    paths = {}
    for number, (kind, dataset) in enumerate(made.items(), start=1):
        for name in ("StudyInstanceUID", "PatientID", "PatientName", "PatientBirthDate", "PatientSex"):
            setattr(dataset, name, image.get(name, ""))
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = f"2.25.7703{number}", f"2.25.7704{number}"
        path = paths[kind] = folder / f"{kind}.dcm"
        if hasattr(dataset, "file_meta"):
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            pydicom.dcmwrite(path, dataset, enforce_file_format=True)
        else:
            save(dataset, path)
    return paths


def _key_objects(image: Dataset, words: str) -> Dataset:
    of_interest = dcm("113000", "Of Interest")
    held = item("IMAGE", None)
    referenced = Dataset()
    referenced.ReferencedSOPClassUID, referenced.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    held.ReferencedSOPSequence = [referenced]
    described = text(dcm("113012", "Key Object Description"), words)
    return report(described, held, title=of_interest, SOPClassUID=KeyObjectSelectionDocumentStorage, Modality="KO")


def _video(image: Dataset) -> Dataset:
    """One fragment of MPEG-4 AVC (PS3.5 A.4.5 as of MPEG4HP41), for a door that passes its bytes on."""
    made = Dataset()
    made.SOPClassUID, made.Modality, made.InstanceNumber = VideoEndoscopicImageStorage, "ES", 1
    made.StudyDate, made.StudyTime, made.StudyID = image.get("StudyDate", ""), image.get("StudyTime", ""), ""
    made.AccessionNumber, made.ReferringPhysicianName, made.SeriesNumber = "", "", 9
    made.Rows, made.Columns, made.NumberOfFrames, made.SamplesPerPixel = 4, 4, 1, 3
    made.PhotometricInterpretation, made.PlanarConfiguration = "YBR_PARTIAL_420", 0
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = encapsulate([MP4], has_bot=False)
    made["PixelData"].VR, made["PixelData"].is_undefined_length = "OB", True
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = MPEG4HP41
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    return made
