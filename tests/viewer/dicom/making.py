"""Small DICOM files with known content, written by pydicom, and the way from a file to its frames."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from viewer.dicom.frames import FrameSource, frame_sources
from viewer.dicom.limits import Limits
from viewer.dicom.read import ParsedInstance, read_instance
from viewer.dicom.series import InstanceFile


def sources_of(path: Path, parsed: ParsedInstance | None = None) -> list[FrameSource]:
    """Frames of a file by its index as the database gives it back: through JSON."""
    parsed = parsed or read_instance(path)
    return frame_sources(InstanceFile(path, str(path), json.loads(json.dumps(parsed.index))))


def image_dataset(pixels: np.ndarray | None = None, **attributes: Any) -> Dataset:
    """A CT image of `pixels`, which may be (frames, rows, columns) too; keywords of DICOM replace and add, None removes."""
    if pixels is None:
        pixels = np.zeros((4, 6), dtype=np.uint16)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    frames = pixels.shape[0] if pixels.ndim == 3 and pixels.shape[-1] != 3 else 1
    colour = pixels.shape[-1] == 3 and pixels.ndim >= 3
    bits = pixels.dtype.itemsize * 8
    known: dict[str, Any] = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": "1.2.3.4",
        "Modality": "CT",
        "PatientName": "Doe^Jane",
        "PatientID": "007",
        "InstanceNumber": 1,
        "SamplesPerPixel": 3 if colour else 1,
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2",
        "Rows": pixels.shape[-3] if colour else pixels.shape[-2],
        "Columns": pixels.shape[-2] if colour else pixels.shape[-1],
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
        "PixelData": pixels.tobytes() + b"\0" * (pixels.nbytes % 2),
    }
    if colour:
        known["PlanarConfiguration"] = 0
    if frames > 1:
        known["NumberOfFrames"] = frames
    for keyword, value in (known | attributes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OW" if bits > 8 else "OB"
    return dataset


def write(path: Path, dataset: Dataset, *, syntax: str | None = None, fragments: list[bytes] | None = None) -> Path:
    """Save as a DICOM file; `fragments` become encapsulated frames."""
    if syntax is not None:
        dataset.file_meta.TransferSyntaxUID = syntax
    if fragments is not None:
        dataset.PixelData = encapsulate(fragments)
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    dataset.save_as(path, enforce_file_format=True)
    return path


def image_file(path: Path, pixels: np.ndarray | None = None, **attributes: Any) -> Path:
    return write(path, image_dataset(pixels, **attributes))


def read_dataset(path: Path, dataset: Dataset, limits: Limits | None = None) -> ParsedInstance:
    return read_instance(write(path, dataset), limits or Limits())


def item(attributes: Mapping[str, Any]) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset
