"""Presentation states for tests, written by pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, GrayscaleSoftcopyPresentationStateStorage, generate_uid

from .making import item


def state_dataset(images: list[Dataset], frames: list[int] | None = None, **attributes: Any) -> Dataset:
    """A GSPS about `images`, which are of one series, or about `frames` of each of them."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    first = images[0]
    known: dict[str, Any] = {
        "SOPClassUID": GrayscaleSoftcopyPresentationStateStorage,
        "SOPInstanceUID": generate_uid(),
        "StudyInstanceUID": first.StudyInstanceUID,
        "SeriesInstanceUID": "1.2.3.99",
        "Modality": "PR",
        "PatientName": first.PatientName,
        "PatientID": first.PatientID,
        "InstanceNumber": 1,
        "ContentLabel": "STATE",
        "ContentDescription": "as it was read",
        "PresentationLUTShape": "IDENTITY",
        "ReferencedSeriesSequence": [
            item({"SeriesInstanceUID": first.SeriesInstanceUID, "ReferencedImageSequence": references(images, frames)})
        ],
    }
    for keyword, value in (known | attributes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    return dataset


def references(images: list[Dataset], frames: list[int] | None = None) -> list[Dataset]:
    found = []
    for image in images:
        one = item({"ReferencedSOPClassUID": image.SOPClassUID, "ReferencedSOPInstanceUID": image.SOPInstanceUID})
        if frames:
            one.ReferencedFrameNumber = frames
        found.append(one)
    return found


def save(dataset: Dataset, path: Path) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def lut(entries: np.ndarray, bits: int, first: int = 0, vr: str = "US", **more: Any) -> Dataset:
    """An item of a LUT sequence."""
    found = item(more)
    found.add_new(0x00283002, vr, [len(entries) % 65536, first, bits])
    found.add_new(0x00283006, "OW", np.asarray(entries, "<u2").tobytes())
    return found


def overlay(dataset: Dataset, group: int, bits: np.ndarray, **more: Any) -> Dataset:
    """Add a plane 60xx; `bits` are (rows, columns), or (frames, rows, columns)."""
    base = group << 16
    rows, columns = bits.shape[-2:]
    dataset.add_new(base | 0x0010, "US", rows)
    dataset.add_new(base | 0x0011, "US", columns)
    if bits.ndim == 3:
        dataset.add_new(base | 0x0015, "IS", bits.shape[0])
        dataset.add_new(base | 0x0051, "US", more.get("first", 1))
    dataset.add_new(base | 0x0040, "CS", more.get("kind", "G"))
    dataset.add_new(base | 0x0050, "SS", list(more.get("origin", (1, 1))))
    dataset.add_new(base | 0x0100, "US", 1)
    dataset.add_new(base | 0x0102, "US", 0)
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    dataset.add_new(base | 0x3000, "OW", packed + b"\0" * (len(packed) % 2))
    for number, vr, name in (
        (0x0022, "LO", "description"), (0x1500, "LO", "label"), (0x1001, "CS", "layer"), (0x1301, "IS", "area"),
        (0x1302, "DS", "mean"), (0x1303, "DS", "sd"),
    ):  # fmt: skip
        if name in more:
            dataset.add_new(base | number, vr, more[name])
    return dataset
