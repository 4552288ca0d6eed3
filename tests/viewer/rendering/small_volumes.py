"""Volumes for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.bricks import bricks_of
from viewer.rendering.volume import HOLE, FrameDescription, Volume, VolumeGeometry

from .frames import noise

Float = NDArray[np.float64]


def description(**more: Any) -> FrameDescription:
    fields: dict[str, Any] = {
        "rows": 1,
        "columns": 1,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": 16,
        "pixel_representation": 1,
        "modality": "CT",
        "unit": "HU",
        "sop_instance_uid": "1.2.3",
        "frame_number": 1,
    }
    return FrameDescription(**(fields | more))


def volume(
    values: NDArray[Any],
    steps: Any = ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)),
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    *,
    frame_of_reference_uid: str = "1.2.8",
    slope: float = 1.0,
    intercept: float = 0.0,
    places: tuple[float, ...] = (),
    corrections: tuple[str, ...] = (),
    **more: Any,
) -> Volume:
    """A volume of these kept values; `more` are fields of its description."""
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    slices, rows, columns = (int(n) for n in values.shape[-3:])
    grid = tuple(tuple(float(x) for x in step) for step in steps)
    holes = bool((values == HOLE).any()) if values.dtype == np.int16 else bool(np.isnan(values).any())
    return Volume(
        key=f"{id(values)}",
        values=values,
        geometry=VolumeGeometry((slices, rows, columns), origin, grid, frame_of_reference_uid),  # type: ignore[arg-type]
        description=description(rows=rows, columns=columns, **more),
        slope=slope,
        intercept=intercept,
        holes=holes,
        places=places,
        corrections=corrections,
        bricks=None if values.ndim == 4 else bricks_of(values),
    )


def modality_values(of: Volume) -> Float:
    """What the kept values mean, NaN for holes."""
    kept = of.values.astype(np.float64)
    if of.values.dtype == np.int16 and of.holes:
        kept[of.values == HOLE] = np.nan
    return kept * of.slope + of.intercept


def with_holes(values: NDArray[Any], share: float = 0.3, seed: int = 5) -> NDArray[Any]:
    values = values.copy()
    values[np.random.default_rng(seed).random(values.shape) < share] = HOLE if values.dtype == np.int16 else np.nan
    return values


# Head to feet, voxels 2 x 0.75 x 0.5 mm.
ORIGIN = (-11.0, 7.0, 300.0)
STRAIGHT = ((0.0, 0.0, -2.0), (0.0, 0.75, 0.0), (0.5, 0.0, 0.0))
LEANING = ((0.0, 0.5, -2.0), (0.0, 0.75, 0.0), (0.5, 0.0, 0.0))
TURNED = ((-1.2, 0.0, -1.6), (0.0, 0.75, 0.0), (0.4, 0.0, -0.3))
SHAPE = (9, 14, 20)

VOLUMES: dict[str, Volume] = {
    "whole numbers": volume(noise(SHAPE), STRAIGHT, ORIGIN),
    "floats": volume(noise(SHAPE).astype(np.float32) / np.float32(7), STRAIGHT, ORIGIN),
    "holes": volume(with_holes(noise(SHAPE)), STRAIGHT, ORIGIN),
    "holes in floats": volume(with_holes(noise(SHAPE).astype(np.float32)), STRAIGHT, ORIGIN),
    "leaning": volume(noise(SHAPE), LEANING, ORIGIN),
    "turned": volume(noise(SHAPE), TURNED, ORIGIN),
    "stored values": volume(noise(SHAPE), STRAIGHT, ORIGIN, slope=0.25, intercept=-100.5),
    "falling": volume(noise(SHAPE), STRAIGHT, ORIGIN, slope=-0.5, intercept=7.0),
    "white is low": volume(noise(SHAPE), STRAIGHT, ORIGIN, photometric_interpretation="MONOCHROME1"),
    "colour": volume(noise((3, *SHAPE), np.int16, 0, 256), STRAIGHT, ORIGIN, photometric_interpretation="RGB"),
}
