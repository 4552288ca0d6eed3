"""The judge of pictures of volumes: drawn slowly and plainly in 64-bit NumPy, point by point in the patient.

It shares no line with the code it judges. A pixel is a point of the patient; the voxels around it are found by the inverse of
the affine, and mixed by their trilinear weights (PS3.3 has no word on it; docs/protocol.md says what a View means).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .judge import through_window

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """A picture in the words of a View, everything decided."""

    row: tuple[float, float, float]
    column: tuple[float, float, float]
    center: tuple[float, float, float]
    size: tuple[int, int]
    millimetres: float
    """From a pixel to the next."""
    projection: str = "slice"
    depths: tuple[float, ...] = (0.0,)
    """mm along the normal."""
    rotation: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    pan: tuple[float, float] = (0.0, 0.0)
    sub: int = 1


def values_of(values: Float, affine: Float, asked: Asked, spare: float = 0.0) -> Float:
    """(rows, columns) of modality values, NaN for background. `values` (slices, rows, columns), NaN where nothing is.

    `affine` (3, 4) leads from (slice, row, column) to mm. `spare` makes the volume larger by as many voxels and fewer real
    voxels suffice: what is within rounding of an edge may be drawn either way.
    """
    points = points_of(asked)
    normal = np.cross(asked.row, asked.column)
    samples = np.stack([interpolated(values, affine, points + depth * normal, spare) for depth in asked.depths])
    with np.errstate(all="ignore"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            fine = PROJECTED[asked.projection](samples)
            blocks = fine.reshape(asked.size[0], asked.sub, asked.size[1], asked.sub)
            return np.nanmean(blocks, axis=(1, 3))


PROJECTED: dict[str, Any] = {
    "slice": lambda samples: samples[0],
    "mip": lambda samples: np.nanmax(samples, axis=0),
    "minip": lambda samples: np.nanmin(samples, axis=0),
    "mean": lambda samples: np.nanmean(samples, axis=0),
}


def points_of(asked: Asked) -> Float:
    """(rows x sub, columns x sub, 3) LPS mm."""
    rows, columns = asked.size
    sub = asked.sub
    # Places in the picture, in pixels from its middle.
    y, x = np.meshgrid(
        (np.arange(rows * sub) + 0.5) / sub - rows / 2,
        (np.arange(columns * sub) + 0.5) / sub - columns / 2,
        indexing="ij",
    )
    x, y = x - asked.pan[0] * columns, y - asked.pan[1] * rows
    x = -x if asked.flip_horizontal else x
    y = -y if asked.flip_vertical else y
    for _ in range(asked.rotation // 90):  # back by a quarter turn: what is seen on the right was on top
        x, y = y, -x
    return np.asarray(
        np.asarray(asked.center)
        + asked.millimetres * (x[..., None] * np.asarray(asked.row) + y[..., None] * np.asarray(asked.column))
    )


def interpolated(values: Float, affine: Float, points: Float, spare: float) -> Float:
    """Trilinear among real voxels; the outermost voxels reach half a voxel further."""
    places = (points - affine[:, 3]) @ np.linalg.inv(affine[:, :3]).T
    last = np.array(values.shape) - 1
    inside = ((places >= -0.5 - spare) & (places <= last + 0.5 + spare)).all(axis=-1)
    places = np.clip(places, 0.0, last)
    lower = np.minimum(np.floor(places), last - 1).astype(int)
    fraction = places - lower
    total, weight = np.zeros(points.shape[:-1]), np.zeros(points.shape[:-1])
    for corner in np.ndindex(2, 2, 2):
        share = np.prod([fraction[..., axis] if corner[axis] else 1 - fraction[..., axis] for axis in range(3)], axis=0)
        voxel = values[tuple(lower[..., axis] + corner[axis] for axis in range(3))]
        real = ~np.isnan(voxel)
        total += np.where(real, share * np.nan_to_num(voxel), 0.0)
        weight += np.where(real, share, 0.0)
    with np.errstate(all="ignore"):
        return np.where(inside & (weight >= 1 / 256 - spare), total / weight, math.nan)


def grey(values: Float, window: tuple[float, float, str], inverted: bool = False) -> NDArray[np.int64]:
    """Values through a window to 0..255; background is 0."""
    y = through_window(np.nan_to_num(values), *window)
    y = 255.0 - y if inverted else y
    return np.where(np.isnan(values), 0, np.floor(y + 0.5)).astype(np.int64)


def slab(thickness: float, spacing: float) -> tuple[float, ...]:
    """Depths of the samples: at most `spacing` apart, both ends included."""
    if thickness == 0:
        return (0.0,)
    samples = math.ceil(thickness / spacing - 1e-6) + 1
    return tuple(np.linspace(-thickness / 2, thickness / 2, samples))
