"""Rays through a volume: one value for each pixel, from one sample or from many along the ray.

Everything is said in voxel coordinates (slice k, row i, column j): voxel centres lie at whole numbers, the volume reaches half
a voxel beyond the outer ones, where the outermost voxel goes on as it does in a two-dimensional picture. Past that is
background.

The functions for one pixel are plain: 32-bit floats, no closures, nothing of the host, so that the same code compiles for the
CPU and for a GPU. They are the judge of the kernels in `vector`, which do the same operations in the same order for
neighbouring pixels at once: the values are equal to the last bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import lanes, vector, walking
from .compiled import compiled
from .volume import HOLE, Bricks, Volume

SLICE, MEAN, GREATEST, LEAST = 0, 1, 2, 3
PROJECTIONS = {"slice": SLICE, "mean": MEAN, "mip": GREATEST, "minip": LEAST}
"""By the names of a View."""

Triple = tuple[float, float, float]

NAN = np.float32(math.nan)
ZERO, HALF, ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
INFINITE = np.float32(math.inf)
_HOLE = np.float32(HOLE)
_LARGEST_FRACTION = np.float32(1.0 - 2.0**-23)
"""Of a fraction between two voxels. With it a + (b - a) * fraction, rounded at every step, is never outside a..b, which
passing over bricks relies on."""
_LEAST_WEIGHT = np.float32(1.0 / 256.0)
"""A sample with less than this share of real voxels is background, as in two dimensions."""
_LEAST_STEP = 1e-9
"""Voxels; thousands of them are less than 32 bits can tell."""
_MARGIN = np.float32(0.01)
"""Voxels; more than rounding can move a sample."""


@dataclass(frozen=True, slots=True)
class Rays:
    """Where the samples of a picture lie, in voxels: pixel (row, column), sample s is at
    `origin` + row * `row_step` + column * `column_step` + s * `depth_step`."""

    origin: Triple
    """Centre of pixel (0, 0) at sample 0, as (slice, row, column)."""
    row_step: Triple
    """From a picture row to the next."""
    column_step: Triple
    depth_step: Triple = (0.0, 0.0, 0.0)
    samples: int = 1
    packed: NDArray[np.float32] = field(init=False, repr=False, compare=False)
    """(12,): origin, row step, column step, depth step, for kernels. Steps that are nothing but the rounding of an affine
    are none."""

    def __post_init__(self) -> None:
        steps = [*self.row_step, *self.column_step, *self.depth_step]
        packed = [*self.origin, *(0.0 if abs(step) < _LEAST_STEP else step for step in steps)]
        object.__setattr__(self, "packed", np.array(packed, np.float32))


def project(
    volume: Volume,
    rays: Rays,
    projection: str,
    first_row: int,
    end_row: int,
    out: NDArray[np.float32],
    floor: float = -math.inf,
    ceiling: float = math.inf,
    channel: int | None = None,
) -> None:
    """Fill `out` (end_row - first_row, columns) with the rows `first_row` .. `end_row` of the picture.

    `projection`: "slice" (sample 0 alone), "mip", "minip" or "mean" of the samples that are real. Values are in the
    volume's own unit, before its slope; NaN where no sample is real. `floor` and `ceiling` are for mip and minip: results
    are moved between them, and time is saved where that settles the pixel. `channel` of a colour volume.

    Pure, releases the interpreter lock; a pixel does not depend on the rows it is drawn with.
    """
    values = _read_only(volume.values if channel is None else volume.values[channel])
    least, greatest = np.float32(floor), np.float32(ceiling)
    if lanes.AVAILABLE and values.size <= vector.MOST_VOXELS:
        _draw_lanes(volume, values, rays, projection, least, greatest, first_row, out[: end_row - first_row])
        return
    number = PROJECTIONS[projection]
    out = out[: end_row - first_row]
    plain(values, rays.packed, rays.samples, number, volume.holes, least, greatest, first_row, out)


def _draw_lanes(
    volume: Volume,
    values: NDArray[Any],
    rays: Rays,
    projection: str,
    floor: np.float32,
    ceiling: np.float32,
    first_row: int,
    out: NDArray[np.float32],
) -> None:
    """`project` by the kernels of `vector`."""
    packed = rays.packed
    if projection == "slice" and not volume.holes and (axis := walking.axis_of(packed)) is not None:
        walking.walk(values, packed, axis, first_row, out)
        return
    if projection in ("slice", "mean"):
        samples = 1 if projection == "slice" else rays.samples
        vector.average(values, packed, samples, volume.holes, first_row, out)
        return
    whole_numbers = values.dtype == np.int16
    nothing = np.float32(HOLE) if whole_numbers and volume.holes else -INFINITE
    bricks = volume.bricks or _UNBOUNDED[whole_numbers]
    if projection == "mip":
        fine, coarse, sign = bricks.greatest, bricks.coarse_greatest, ONE
    else:
        fine, coarse, sign = bricks.least, bricks.coarse_least, -ONE
        floor, ceiling = -ceiling, -floor
    fine_bits, coarse_bits = (3, 5) if volume.bricks else (31, 31)
    vector.extreme(
        values,
        packed,
        rays.samples,
        sign,
        volume.holes,
        nothing,
        floor,
        ceiling,
        (_read_only(fine), fine_bits),
        (_read_only(coarse), coarse_bits),
        first_row,
        out,
    )


def _read_only(values: NDArray[Any]) -> NDArray[Any]:
    """The same voxels, of the one type that kernels are compiled for."""
    seen = values.view()
    seen.flags.writeable = False
    return seen


def _unbounded(least: NDArray[Any], greatest: NDArray[Any]) -> Bricks:
    return Bricks(least, greatest, least, greatest)


_UNBOUNDED = {
    True: _unbounded(np.full((1, 1, 1), -32768, np.int16), np.full((1, 1, 1), 32767, np.int16)),
    False: _unbounded(np.full((1, 1, 1), -np.inf, np.float32), np.full((1, 1, 1), np.inf, np.float32)),
}
"""For volumes without bricks: one that says nothing, by whether voxels are whole numbers."""


@compiled
def plain(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    samples: int,
    projection: int,
    holes: bool,
    floor: np.float32,
    ceiling: np.float32,
    first_row: int,
    out: NDArray[np.float32],
) -> None:
    """Every pixel of `out` on its own; `out` begins at picture row `first_row`."""
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = project_pixel(
                values, rays, samples, projection, holes, floor, ceiling, first_row + row, column
            )


# --- one pixel; for the CPU and for the GPU


@compiled
def project_pixel(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    samples: int,
    projection: int,
    holes: bool,
    floor: np.float32,
    ceiling: np.float32,
    row: int,
    column: int,
) -> np.float32:
    """`rays` as `Rays.packed`, `projection` one of the numbers above; the rest as `project`."""
    k = rays[0] + np.float32(row) * rays[3] + np.float32(column) * rays[6]
    i = rays[1] + np.float32(row) * rays[4] + np.float32(column) * rays[7]
    j = rays[2] + np.float32(row) * rays[5] + np.float32(column) * rays[8]
    if projection == SLICE:
        return sample(values, k, i, j, holes)
    first, end = reach(k, rays[9], values.shape[0], 0, samples)
    first, end = reach(i, rays[10], values.shape[1], first, end)
    first, end = reach(j, rays[11], values.shape[2], first, end)
    if projection == MEAN:
        return _mean(values, k, i, j, rays, holes, first, end)
    if projection == GREATEST:
        return _greatest(values, k, i, j, rays, holes, floor, ceiling, first, end)
    return _least(values, k, i, j, rays, holes, floor, ceiling, first, end)


@compiled
def _mean(
    values: NDArray[Any],
    k: np.float32,
    i: np.float32,
    j: np.float32,
    rays: NDArray[np.float32],
    holes: bool,
    first: int,
    end: int,
) -> np.float32:
    total = ZERO
    count = ZERO
    for s in range(first, end):
        depth = np.float32(s)
        value = sample(values, k + depth * rays[9], i + depth * rays[10], j + depth * rays[11], holes)
        if value == value:
            total = total + value
            count = count + ONE
    return total / count if count > ZERO else NAN


@compiled
def _greatest(
    values: NDArray[Any],
    k: np.float32,
    i: np.float32,
    j: np.float32,
    rays: NDArray[np.float32],
    holes: bool,
    floor: np.float32,
    ceiling: np.float32,
    first: int,
    end: int,
) -> np.float32:
    greatest = -INFINITE
    real = False
    for s in range(first, end):
        depth = np.float32(s)
        value = sample(values, k + depth * rays[9], i + depth * rays[10], j + depth * rays[11], holes)
        if value == value:
            real = True
            greatest = max(greatest, value)
            if greatest >= ceiling:
                break
    return min(max(greatest, floor), ceiling) if real else NAN


@compiled
def _least(
    values: NDArray[Any],
    k: np.float32,
    i: np.float32,
    j: np.float32,
    rays: NDArray[np.float32],
    holes: bool,
    floor: np.float32,
    ceiling: np.float32,
    first: int,
    end: int,
) -> np.float32:
    least = INFINITE
    real = False
    for s in range(first, end):
        depth = np.float32(s)
        value = sample(values, k + depth * rays[9], i + depth * rays[10], j + depth * rays[11], holes)
        if value == value:
            real = True
            least = min(least, value)
            if least <= floor:
                break
    return min(max(least, floor), ceiling) if real else NAN


@compiled
def reach(start: np.float32, step: np.float32, size: int, first: int, end: int) -> tuple[int, int]:
    """The samples of `first` .. `end` that may lie in the volume along one axis: start + s * step in -0.5 .. size - 0.5.
    Never too few; a sample too many is found outside by `sample`."""
    below = -(HALF + _MARGIN) - start
    above = np.float32(size) - HALF + _MARGIN - start
    if step == ZERO:
        return (first, end) if below <= ZERO and above >= ZERO else (first, first)
    enters = min(below / step, above / step)
    leaves = max(below / step, above / step)
    enters = min(max(enters, np.float32(first)), np.float32(end))
    leaves = min(max(leaves, np.float32(first)), np.float32(end))
    return max(first, int(enters)), min(end, int(leaves) + 2)


@compiled
def sample(values: NDArray[Any], k: np.float32, i: np.float32, j: np.float32, holes: bool) -> np.float32:
    """Trilinear value at (k, i, j): along columns first, then rows, then slices. NaN outside, and where hardly any of the
    voxels around is real. `holes`: some voxels may be HOLE or NaN."""
    slices, rows, columns = values.shape
    inside = (
        k >= -HALF
        and k <= np.float32(slices) - HALF
        and i >= -HALF
        and i <= np.float32(rows) - HALF
        and j >= -HALF
        and j <= np.float32(columns) - HALF
    )
    if not inside:
        return NAN
    k = min(max(k, ZERO), np.float32(slices - 1))
    i = min(max(i, ZERO), np.float32(rows - 1))
    j = min(max(j, ZERO), np.float32(columns - 1))
    k0, i0, j0 = np.int32(k), np.int32(i), np.int32(j)
    dk = min(k - np.float32(k0), _LARGEST_FRACTION)
    di = min(i - np.float32(i0), _LARGEST_FRACTION)
    dj = min(j - np.float32(j0), _LARGEST_FRACTION)
    k1, i1, j1 = min(k0 + 1, slices - 1), min(i0 + 1, rows - 1), min(j0 + 1, columns - 1)
    a, b = np.float32(values[k0, i0, j0]), np.float32(values[k0, i0, j1])
    c, d = np.float32(values[k0, i1, j0]), np.float32(values[k0, i1, j1])
    e, f = np.float32(values[k1, i0, j0]), np.float32(values[k1, i0, j1])
    g, h = np.float32(values[k1, i1, j0]), np.float32(values[k1, i1, j1])
    if holes:
        real = is_real(a) and is_real(b) and is_real(c) and is_real(d)
        real = real and is_real(e) and is_real(f) and is_real(g) and is_real(h)
        if not real:
            return sample_beside_holes(a, b, c, d, e, f, g, h, dk, di, dj)
    above = between(between(a, b, dj), between(c, d, dj), di)
    below = between(between(e, f, dj), between(g, h, dj), di)
    return between(above, below, dk)


@compiled
def is_real(value: np.float32) -> bool:
    return bool(value == value and value != _HOLE)


@compiled
def between(a: np.float32, b: np.float32, fraction: np.float32) -> np.float32:
    return a + (b - a) * fraction


@compiled
def sample_beside_holes(
    a: np.float32,
    b: np.float32,
    c: np.float32,
    d: np.float32,
    e: np.float32,
    f: np.float32,
    g: np.float32,
    h: np.float32,
    dk: np.float32,
    di: np.float32,
    dj: np.float32,
) -> np.float32:
    """Mean of the real ones among eight voxels, by their trilinear weights, and between the least and the greatest of them
    whatever rounding does."""
    uk, ui, uj = ONE - dk, ONE - di, ONE - dj
    sums = (ZERO, ZERO, INFINITE, -INFINITE)
    sums = add_real(sums, a, uk * ui * uj)
    sums = add_real(sums, b, uk * ui * dj)
    sums = add_real(sums, c, uk * di * uj)
    sums = add_real(sums, d, uk * di * dj)
    sums = add_real(sums, e, dk * ui * uj)
    sums = add_real(sums, f, dk * ui * dj)
    sums = add_real(sums, g, dk * di * uj)
    sums = add_real(sums, h, dk * di * dj)
    total, share, least, greatest = sums
    if share < _LEAST_WEIGHT:
        return NAN
    return min(max(total / share, least), greatest)


@compiled
def add_real(
    sums: tuple[np.float32, np.float32, np.float32, np.float32], value: np.float32, weight: np.float32
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """`sums`: weight times value, weight, least, greatest."""
    total, share, least, greatest = sums
    if is_real(value):
        return total + weight * value, share + weight, min(least, value), max(greatest, value)
    return sums
