"""Real series as volumes, cut in all directions, equal the judge, who reads values and positions with pydicom."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.pixels import pixel_array

from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile
from viewer.dicom.stacks import build_stacks
from viewer.engine.assembling import load_volume
from viewer.rendering.render import render
from viewer.rendering.view import View
from viewer.rendering.volume import Volume

from . import volume_judge
from .volume_judge import Asked, slab

SERIES = {"series/pet_body": 133, "series/ct_head_gantry_tilt_ge_jpll": 14, "series/mr_head_sag_HFDR": 35}
"""How many images from one end lie evenly; the tilted head goes on with larger steps."""
PLANES: dict[str, Any] = {
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
    "oblique": ((0.8, 0.6, 0.0), (-0.36, 0.48, 0.8)),
}


@cache
def loaded(folder: Path, count: int) -> Volume:
    files = [Path(image.filename) for image in images_of(folder, count)]
    sources = [one for file in files for one in frame_sources(InstanceFile(file, file.name, read_instance(file).index))]
    (stack,) = build_stacks(sources)
    return load_volume(stack)


@cache
def images_of(folder: Path, count: int) -> list[Dataset]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images = [dcmread(file) for file in folder.glob("*.dcm")]
        return sorted(images, key=lambda image: float(along(image) @ position(image)))[:count]


@cache
def read_plainly(folder: Path, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Modality values (slices, rows, columns) and the affine, of images that lie evenly along a straight line."""
    images = images_of(folder, count)
    values = np.stack([modality_values(image) for image in images])
    row, column = directions(images[0])
    between_rows, between_columns = map(float, images[0].PixelSpacing)
    step = (position(images[-1]) - position(images[0])) / (len(images) - 1)
    return values, np.column_stack((step, column * between_rows, row * between_columns, position(images[0])))


def modality_values(image: Dataset) -> NDArray[np.float64]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stored = pixel_array(image)
    values = stored * float(image.get("RescaleSlope", 1)) + float(image.get("RescaleIntercept", 0))
    return np.where(stored == image.get("PixelPaddingValue"), np.nan, values)


def directions(image: Dataset) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    both = np.array(image.ImageOrientationPatient, float)
    return both[:3], both[3:]


def along(image: Dataset) -> NDArray[np.float64]:
    return np.asarray(np.cross(*directions(image)))


def position(image: Dataset) -> NDArray[np.float64]:
    return np.array(image.ImagePositionPatient, float)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize(("projection", "thickness"), [("slice", 0.0), ("mip", 6.0), ("mean", 4.5)])
def test_a_real_series_is_cut_as_the_judge_cuts_it(
    series: str, plane: str, projection: str, thickness: float, shared_data: Path
) -> None:
    volume = loaded(shared_data / series, SERIES[series])
    values, affine = read_plainly(shared_data / series, SERIES[series])
    low, high = np.nanpercentile(values[::3, ::3, ::3], (2, 99))
    window = (float(low + high) / 2, float(high - low), "LINEAR_EXACT")
    row, column = PLANES[plane]
    smallest = min(volume.geometry.spacing)
    millimetres = 1.2 * smallest
    center = tuple(float(x) for x in affine @ [*((np.array(values.shape) - 1) / 2 + (0.3, 1.2, -2.1)), 1.0])
    view = View.from_json({
        "plane": {"row": row, "column": column} if plane == "oblique" else plane, "center": center, "projection": projection,
        "slab_thickness": thickness, "pixel_spacing": millimetres, "size": [60, 70], "window_center": window[0],
        "window_width": window[1], "voi_lut_function": window[2],
    })  # fmt: skip
    picture = render(volume, view)
    asked = Asked(row, column, center, (60, 70), millimetres, projection, slab(thickness, smallest))
    inverted = volume.description.photometric_interpretation == "MONOCHROME1"
    apart = np.min(
        [
            np.abs(
                picture.pixels
                - volume_judge.grey(volume_judge.values_of(values, affine, asked, spare), window, inverted)
            )
            for spare in (1e-3, -1e-3)
        ],
        axis=0,
    )
    assert len(np.unique(picture.pixels)) > 40
    # Positions are written with few digits: the volume's straight line and the judge's may differ by a thousandth of a mm.
    assert (apart > 1).mean() < 0.002
    assert (apart > 0).mean() < 0.02
