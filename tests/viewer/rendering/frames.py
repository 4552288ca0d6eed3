"""Frames for tests, and the data set that says the same, for the judge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from viewer.rendering.volume import Frame, FrameDescription, LookupTable


def frame(values: NDArray[Any], photometric: str = "MONOCHROME2", **more: Any) -> Frame:
    """A frame of these stored values; `more` are fields of its description."""
    bits = 8 * values.dtype.itemsize
    fields: dict[str, Any] = {
        "rows": values.shape[0],
        "columns": values.shape[1],
        "samples_per_pixel": 3 if values.ndim == 3 else 1,
        "photometric_interpretation": photometric,
        "bits_allocated": bits,
        "bits_stored": bits,
        "pixel_representation": int(values.dtype.kind == "i"),
        "modality": "OT",
        "sop_instance_uid": "1.2.3",
        "frame_number": 1,
    }
    return Frame(values, photometric, FrameDescription(**(fields | more)))


def dataset_of(drawn: Frame) -> Dataset:
    """The same frame in the words of a DICOM file."""
    description = drawn.description
    dataset = Dataset()
    dataset.Modality = description.modality
    dataset.PhotometricInterpretation = description.photometric_interpretation
    dataset.PixelRepresentation = description.pixel_representation
    dataset.BitsStored = description.bits_stored
    dataset.RescaleSlope = repr(description.rescale_slope)[:16]
    dataset.RescaleIntercept = repr(description.rescale_intercept)[:16]
    if description.presentation_inverse:
        dataset.PresentationLUTShape = "INVERSE"
    if description.pixel_padding is not None:
        low, high = description.pixel_padding
        vr = "SS" if description.pixel_representation else "US"
        dataset.add_new(0x00280120, vr, high)
        if low != high:
            dataset.add_new(0x00280121, vr, low)
    if description.modality_lut is not None:
        dataset.ModalityLUTSequence = [lut_item(description.modality_lut)]
    if description.voi_luts:
        dataset.VOILUTSequence = [lut_item(table) for table in description.voi_luts]
    return dataset


def lut_item(table: LookupTable) -> Dataset:
    item = Dataset()
    vr = "SS" if table.first_value_mapped < 0 else "US"
    item.add_new(0x00283002, vr, [table.data.size % 65536, table.first_value_mapped, table.bits])
    item.add_new(0x00283006, "OW", table.data.astype("<u2").tobytes())
    return item


def noise(
    shape: tuple[int, ...], dtype: Any = np.int16, low: int = -1200, high: int = 2400, seed: int = 1
) -> NDArray[Any]:
    """Reproducible noise: every value of the range is as likely as any other."""
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)
