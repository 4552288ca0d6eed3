"""A picture that no presentation state can describe, as a Secondary Capture image (PS3.3 A.8.1): its very pixels, and what it
was made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from .header import Reference, decimal, referenced_series, referenced_sop

SOP_CLASS = str(SecondaryCaptureImageStorage)
SOURCES = 5000
"""Images that are named as what the picture was made from."""


@dataclass(frozen=True, slots=True)
class Captured:
    pixels: NDArray[np.uint8]
    """(rows, columns), or (rows, columns, 3) RGB."""
    description: str
    """How it was made."""
    sources: Sequence[Reference]
    pixel_spacing: tuple[float, float] | None = None
    """mm between rows and between columns, where one number holds for the whole picture."""
    lossy: tuple[str, str] | None = None
    """Ratio and method, where a source was compressed with loss before."""


def write(d: Dataset, picture: Captured) -> None:
    """Add the modules of a Secondary Capture image to a data set of `header.new_object`."""
    d.ImageType = ["DERIVED", "SECONDARY"]
    d.ConversionType = "WSD"
    d.Laterality = d.PatientOrientation = None
    d.DerivationDescription = picture.description[:1024]
    sources = list(dict.fromkeys(picture.sources))[:SOURCES]
    if sources:
        d.SourceImageSequence = [referenced_sop(one.sop_instance_uid, one.sop_class_uid) for one in sources]
        series: dict[str, dict[str, str]] = {}
        for one in sources:
            series.setdefault(one.series_instance_uid, {})[one.sop_instance_uid] = one.sop_class_uid
        d.ReferencedSeriesSequence = _instances(series)
    rows, columns = picture.pixels.shape[:2]
    colour = picture.pixels.ndim == 3
    d.SamplesPerPixel = 3 if colour else 1
    d.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        d.PlanarConfiguration = 0
    d.Rows, d.Columns = rows, columns
    d.BitsAllocated, d.BitsStored, d.HighBit, d.PixelRepresentation = 8, 8, 7, 0
    d.BurnedInAnnotation = "NO"
    if picture.pixel_spacing is not None:
        d.PixelSpacing = [decimal(one) for one in picture.pixel_spacing]
    d.LossyImageCompression = "00" if picture.lossy is None else "01"
    for keyword, said in zip(
        ("LossyImageCompressionRatio", "LossyImageCompressionMethod"), picture.lossy or (), strict=False
    ):
        if said:
            setattr(d, keyword, said.split("\\"))
    data = np.ascontiguousarray(picture.pixels).tobytes()
    d.PixelData = data + b"\0" * (len(data) % 2)
    d["PixelData"].VR = "OB"


def _instances(series: dict[str, dict[str, str]]) -> list[Dataset]:
    """Of Common Instance Reference (C.12.2), where instances stand in Referenced Instance Sequence."""
    items = referenced_series(series)
    for item in items:
        item.ReferencedInstanceSequence = item.ReferencedSOPSequence
        del item.ReferencedSOPSequence
    return items
