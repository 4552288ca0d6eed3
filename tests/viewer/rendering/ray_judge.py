"""Small volumes, and the judge of what rays through them say: trilinear interpolation written from its definition, in
64-bit NumPy, sharing no line with the kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.viewer.rendering.frames import frame
from viewer.rendering.projections import Rays
from viewer.rendering.volume import HOLE, Volume, VolumeGeometry

Float = NDArray[np.float64]


def volume_of(values: NDArray[np.generic], holes: bool = False) -> Volume:
    """A volume of 1 mm voxels."""
    values = np.ascontiguousarray(values)
    values.flags.writeable = False
    slices, rows, columns = values.shape[-3:]
    geometry = VolumeGeometry((slices, rows, columns), (0.0, 0.0, 0.0), ((0, 0, 1), (0, 1, 0), (1, 0, 0)))
    return Volume("key", values, geometry, frame(values[..., 0, :, :]).description, holes=holes)


def noise(shape: tuple[int, int, int], seed: int, dtype: type = np.int16, holes: float = 0.0) -> NDArray[np.generic]:
    """Random voxels, a share of them `holes`."""
    random = np.random.default_rng(seed)
    values = random.integers(-1024, 3000, shape).astype(dtype)
    values[random.random(shape) < holes] = HOLE if dtype is np.int16 else np.nan
    return values


def judge(
    values: NDArray[np.generic], rays: Rays, projection: str, shape: tuple[int, int]
) -> tuple[Float, NDArray[np.bool_]]:
    """The projection of every pixel, NaN for background; and which pixels stand on an edge, where rounding may decide
    (a sample within 0.001 of the border of the volume or a share of real voxels close to the least)."""
    rows, columns, depth = np.meshgrid(*map(np.arange, (*shape, rays.samples)), indexing="ij")
    parts = zip(rays.origin, rays.row_step, rays.column_step, rays.depth_step, strict=True)
    places = [o + rows * r + columns * c + depth * d for o, r, c, d in parts]
    samples, edges = interpolated(values, places)
    with np.errstate(all="ignore"):
        real = ~np.isnan(samples)
        result = {
            "slice": samples[..., 0],
            "mip": np.where(real, samples, -np.inf).max(axis=-1),
            "minip": np.where(real, samples, np.inf).min(axis=-1),
            "mean": np.where(real, samples, 0.0).sum(axis=-1) / real.sum(axis=-1),
        }[projection]
    deciding = edges[..., :1] if projection == "slice" else edges
    return np.where(np.isfinite(result), result, np.nan), deciding.any(axis=-1)


def interpolated(values: NDArray[np.generic], places: list[Float]) -> tuple[Float, NDArray[np.bool_]]:
    """Sum of weight x value over sum of weight of the real ones among the eight voxels around each place."""
    voxels = values.astype(np.float64)
    if values.dtype == np.int16:
        voxels[values == HOLE] = np.nan
    outside = np.zeros(places[0].shape, bool)
    edges = np.zeros(places[0].shape, bool)
    lower, fractions = [], []
    for place, size in zip(places, values.shape, strict=True):
        outside |= (place < -0.5) | (place > size - 0.5)
        edges |= np.minimum(np.abs(place + 0.5), np.abs(place - size + 0.5)) < 1e-3
        kept = np.clip(place, 0.0, size - 1.0)
        lower.append(np.minimum(np.floor(kept).astype(int), size - 2))
        fractions.append(kept - lower[-1])
    total, share = np.zeros(outside.shape), np.zeros(outside.shape)
    for corner in np.ndindex(2, 2, 2):
        found = voxels[tuple(low + step for low, step in zip(lower, corner, strict=True))]
        weight = np.ones(outside.shape)
        for fraction, step in zip(fractions, corner, strict=True):
            weight = weight * (fraction if step else 1.0 - fraction)
        real = ~np.isnan(found)
        total += np.where(real, weight * np.nan_to_num(found), 0.0)
        share += np.where(real, weight, 0.0)
    edges |= (np.abs(share - 1.0 / 256.0) < 1e-3) & ~outside
    with np.errstate(all="ignore"):
        return np.where(outside | (share < 1.0 / 256.0), np.nan, total / share), edges


def oblique(seed: int, shape: tuple[int, ...], size: tuple[int, int], samples: int, reach: float = 1.0) -> Rays:
    """Rays in a random direction about the middle of a volume, `reach` times its diagonal wide and deep."""
    random = np.random.default_rng(seed)
    axes = np.linalg.qr(random.normal(size=(3, 3)))[0] * random.choice([-1.0, 1.0], 3)
    diagonal = float(np.linalg.norm(shape)) * reach
    steps = [axis * diagonal / n for axis, n in zip(axes.T, (*size, samples), strict=True)]
    middle = (np.array(shape) - 1.0) / 2.0
    counts = (size[0] - 1, size[1] - 1, samples - 1)
    origin = middle - sum(step * n / 2.0 for step, n in zip(steps, counts, strict=True))
    return Rays(*(tuple(map(float, vector)) for vector in (origin, *steps)), samples)
