"""Rays through a volume for a block of neighbouring pixels at once, one in each lane.

The same operations in the same order as the plain functions of `projections`, which are their judge: equal to the last bit.
What is saved beside the width of the registers:

- A stretch of samples of a whole block lies in a box, whose corners are known before any sample is. Boxes outside the volume
  are passed over; in boxes well inside it no sample is tested or moved to the edge.
- A maximum takes no sample of a box whose bricks (`volume.Bricks`) hold nothing above what all lanes have already, and the
  brightest stretch of the rays comes first, so that most of the others can be passed over. The greatest of some numbers does
  not depend on their order. Nor does it need a lane that has reached the ceiling.

A box is exact, not a guess: every step of origin + row * step + column * step + s * step, rounded, grows or falls with
row, column and s, so the places of the lanes in between lie between those of the corners. And an interpolated value, rounded,
lies between its voxels (`projections.LARGEST_FRACTION`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined
from .lanes import (
    ACROSS,
    WIDTH,
    any_of,
    every,
    every_int,
    floating,
    lane,
    lane_numbers,
    neighbours_at,
    prefetch_at,
    prefetch_some_at,
    put,
    select,
    whole,
)
from .volume import HOLE

Floats = Any
"""Lanes of floats; `Ints` and `Truths` likewise."""
Ints = Any
Truths = Any
Lines = NDArray[np.float32]

MOST_VOXELS = 2**31 - 1
"""Places are counted in 32 bits."""

_SHORT, _LONG = 8, 32
"""Samples in a stretch: about as many voxels as a brick and as a coarse brick are long."""

_NAN = np.float32(math.nan)
_INFINITE = np.float32(math.inf)
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LARGEST_FRACTION = np.float32(1.0 - 2.0**-23)
_LEAST_WEIGHT = np.float32(1.0 / 256.0)
_HOLE = np.float32(HOLE)

_OUTSIDE, _EDGE, _INSIDE = 0, 1, 2
_OF_FIELD, _OF_BLOCK, _OF_PARTS = 0, 1, 2

_LOG_ACROSS = ACROSS.bit_length() - 1
_DOWN = WIDTH // ACROSS
"""Rows of a block."""
_FIELD = 16
"""Pixels on the side of a field: what holds for all its rays is found once for all its blocks."""


# --- kernels


@compiled
def average(
    values: NDArray[Any], rays: NDArray[np.float32], samples: int, holes: bool, first_row: int, out: Lines
) -> None:
    """Mean of the real samples of each ray; of one sample, the sample. As `projections.plain`."""
    block, box = np.empty((3, 2), np.float32), np.empty((3, 2), np.float32)
    for top in range(0, out.shape[0], _DOWN):
        for left in range(0, out.shape[1], ACROSS):
            rows, columns = _pixels(first_row, out, top, left, block, rays)
            k, i, j = _starts(rays, rows, columns)
            if samples == 1:
                _prefetch_below(values, rays, k, i, j)
            total = every(_ZERO)
            count = every(_ZERO)
            for first in range(0, samples, _SHORT):
                end = min(first + _SHORT, samples)
                where = _stretch(values, rays, first, end, block, box)
                if where == _OUTSIDE:
                    continue
                for s in range(first, end):
                    value = _sample(values, rays, k, i, j, s, holes, where == _INSIDE)
                    real = value == value
                    total = select(real, total + value, total)
                    count = select(real, count + _ONE, count)
            _write(select(count > _ZERO, total / count, _NAN), out, top, left)


@compiled
def extreme(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    samples: int,
    sign: np.float32,
    holes: bool,
    nothing: np.float32,
    floor: np.float32,
    ceiling: np.float32,
    bricks: tuple[NDArray[Any], int],
    coarse: tuple[NDArray[Any], int],
    first_row: int,
    out: Lines,
) -> None:
    """The greatest of `sign` * sample of each ray, between `floor` and `ceiling`, times `sign`: with -1 the least.

    `nothing` is less than any sample. `bricks` and `coarse`: the greatest voxel (with -1 the least) of each cube, and the
    logarithm of its side."""
    field, block, box = np.empty((3, 2), np.float32), np.empty((3, 2), np.float32), np.empty((3, 2), np.float32)
    field_bounds = np.empty(-(-samples // _LONG), np.float32)
    long_bounds = np.empty_like(field_bounds)
    short_bounds = np.empty((long_bounds.size, _LONG // _SHORT), np.float32)
    known = np.empty(long_bounds.size, np.int64)
    for top in range(0, out.shape[0], _FIELD):
        for left in range(0, out.shape[1], _FIELD):
            bottom, right = min(top + _FIELD, out.shape[0]), min(left + _FIELD, out.shape[1])
            _enclose(rays, first_row + top, first_row + bottom - 1, left, right - 1, field)
            crossing = _bound_stretches(values, rays, 0, samples, _LONG, sign, coarse, field, box, field_bounds)
            for row in range(top, bottom, _DOWN):
                for column in range(left, right, ACROSS):
                    rows, columns = _pixels(first_row, out, row, column, block, rays)
                    k, i, j = _starts(rays, rows, columns)
                    met = every(_ZERO) < every(_ONE)
                    if crossing != _INSIDE:
                        met = _meets(values, rays, samples, k, i, j, block, box)
                    # Lanes that meet nothing want no sample.
                    best = select(met, every(nothing if holes else floor), _INFINITE)
                    long_bounds[:] = field_bounds
                    known[:] = _OF_FIELD
                    while True:
                        brightest = int(np.argmax(long_bounds))
                        if not any_of(best < min(long_bounds[brightest], ceiling)):
                            break
                        first = brightest * _LONG
                        end = min(first + _LONG, samples)
                        parts = short_bounds[brightest]
                        if known[brightest] == _OF_FIELD:
                            known[brightest] = _OF_BLOCK
                            where = _stretch(values, rays, first, end, block, box)
                            bound = _bound(values, coarse, sign, box)
                            long_bounds[brightest] = -_INFINITE if where == _OUTSIDE else bound
                            continue
                        if known[brightest] == _OF_BLOCK:
                            known[brightest] = _OF_PARTS
                            _bound_stretches(values, rays, first, end, _SHORT, sign, bricks, block, box, parts)
                        else:
                            part = int(np.argmax(parts))
                            parts[part] = -_INFINITE
                            first += part * _SHORT
                            end = min(first + _SHORT, end)
                            where = _stretch(values, rays, first, end, block, box)
                            _prefetch_stretch(values, rays, k, i, j, first, end)
                            for s in range(first, end):
                                value = _sample(values, rays, k, i, j, s, holes, where == _INSIDE) * sign
                                if holes:
                                    value = select(value < floor, floor, value)
                                best = select(value > best, value, best)
                        long_bounds[brightest] = parts.max()
                    found = met & (best > nothing)
                    best = select(best > ceiling, ceiling, best) * sign
                    _write(select(found, best, _NAN), out, row, column)


# --- blocks of pixels, stretches of samples, and the boxes around them: least and greatest k, i and j


@inlined
def _pixels(
    first_row: int, out: Lines, top: int, left: int, block: NDArray[np.float32], rays: NDArray[np.float32]
) -> tuple[Floats, Floats]:
    """Row and column of each lane; past the end of `out` the last ones once more. `block` becomes their box at sample 0."""
    bottom = first_row + min(top + _DOWN, out.shape[0]) - 1
    right = min(left + ACROSS, out.shape[1]) - 1
    _enclose(rays, first_row + top, bottom, left, right, block)
    numbers = lane_numbers()
    rows = every_int(first_row + top) + (numbers >> every_int(_LOG_ACROSS))
    columns = every_int(left) + (numbers & every_int(ACROSS - 1))
    rows = select(rows > every_int(bottom), every_int(bottom), rows)
    columns = select(columns > every_int(right), every_int(right), columns)
    return floating(rows), floating(columns)


@inlined
def _enclose(rays: NDArray[np.float32], top: int, bottom: int, left: int, right: int, box: NDArray[np.float32]) -> None:
    """The box of some pixels at sample 0, from the first to the last row and column."""
    for axis in range(3):
        upper, lower = np.float32(top) * rays[3 + axis], np.float32(bottom) * rays[3 + axis]
        near, far = np.float32(left) * rays[6 + axis], np.float32(right) * rays[6 + axis]
        box[axis, 0] = rays[axis] + min(upper, lower) + min(near, far)
        box[axis, 1] = rays[axis] + max(upper, lower) + max(near, far)


@inlined
def _starts(rays: NDArray[np.float32], rows: Floats, columns: Floats) -> tuple[Floats, Floats, Floats]:
    """Where sample 0 of each lane lies."""
    k = rays[0] + rows * rays[3] + columns * rays[6]
    i = rays[1] + rows * rays[4] + columns * rays[7]
    j = rays[2] + rows * rays[5] + columns * rays[8]
    return k, i, j


@inlined
def _write(lanes: Floats, out: Lines, top: int, left: int) -> None:
    if top + _DOWN <= out.shape[0] and left + ACROSS <= out.shape[1]:
        put(out, top, left, lanes)
        return
    for number in range(WIDTH):
        row, column = top + number // ACROSS, left + number % ACROSS
        if row < out.shape[0] and column < out.shape[1]:
            out[row, column] = lane(lanes, number)


@inlined
def _stretch(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    first: int,
    end: int,
    block: NDArray[np.float32],
    box: NDArray[np.float32],
) -> int:
    """`box` becomes that of the samples `first` .. `end` of the rays of `block`. Says where it lies: _OUTSIDE the volume,
    _INSIDE where every sample has voxels on all sides, or at an _EDGE."""
    where = _INSIDE
    for axis in range(3):
        near, far = np.float32(first) * rays[9 + axis], np.float32(end - 1) * rays[9 + axis]
        low, high = block[axis, 0] + min(near, far), block[axis, 1] + max(near, far)
        box[axis, 0], box[axis, 1] = low, high
        size = np.float32(values.shape[axis])
        if high < -_HALF or low > size - _HALF:
            where = _OUTSIDE
        elif low < _ONE or high >= size - _ONE:
            where = min(where, _EDGE)
    return where


@inlined
def _bound_stretches(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    first: int,
    end: int,
    length: int,
    sign: np.float32,
    bricks: tuple[NDArray[Any], int],
    block: NDArray[np.float32],
    box: NDArray[np.float32],
    bounds: NDArray[np.float32],
) -> int:
    """`bounds` become what `sign` * sample cannot pass in each `length` of the samples `first` .. `end`, -inf outside the
    volume and past the end. Says where these stretches lie, for the one that lies best."""
    best = _OUTSIDE
    for number in range(bounds.size):
        begin = first + number * length
        bounds[number] = -_INFINITE
        if begin < end:
            where = _stretch(values, rays, begin, min(begin + length, end), block, box)
            if where != _OUTSIDE:
                bounds[number] = _bound(values, bricks, sign, box)
            best = max(best, where)
    return best


@inlined
def _bound(
    values: NDArray[Any], bricks: tuple[NDArray[Any], int], sign: np.float32, box: NDArray[np.float32]
) -> np.float32:
    """What `sign` * sample cannot pass in a box, by the bricks in which its samples begin."""
    voxels, shift = bricks
    first_k, last_k = _bricks_along(box[0, 0], box[0, 1], values.shape[0], shift)
    first_i, last_i = _bricks_along(box[1, 0], box[1, 1], values.shape[1], shift)
    first_j, last_j = _bricks_along(box[2, 0], box[2, 1], values.shape[2], shift)
    bound = voxels[first_k, first_i, first_j]
    if last_k - first_k <= 2 and last_i - first_i <= 2 and last_j - first_j <= 2:
        # Nearly always. A number of turns that does not vary is not guessed wrongly.
        for k in range(3):
            for i in range(3):
                for j in range(3):
                    voxel = voxels[min(first_k + k, last_k), min(first_i + i, last_i), min(first_j + j, last_j)]
                    bound = _brighter(bound, voxel, sign)
    else:
        for k in range(first_k, last_k + 1):
            for i in range(first_i, last_i + 1):
                for j in range(first_j, last_j + 1):
                    bound = _brighter(bound, voxels[k, i, j], sign)
    return np.float32(bound) * sign


@inlined
def _brighter(one: Any, other: Any, sign: np.float32) -> Any:
    return max(one, other) if sign > _ZERO else min(one, other)


@inlined
def _bricks_along(low: np.float32, high: np.float32, size: int, shift: int) -> tuple[int, int]:
    most = np.float32(size - 1)
    return int(min(max(low, _ZERO), most)) >> shift, int(min(max(high, _ZERO), most)) >> shift


@inlined
def _meets(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    samples: int,
    k: Floats,
    i: Floats,
    j: Floats,
    block: NDArray[np.float32],
    box: NDArray[np.float32],
) -> Truths:
    """The lanes of which any sample is in the volume."""
    met = k < -_INFINITE
    for first in range(0, samples, _LONG):
        end = min(first + _LONG, samples)
        if _stretch(values, rays, first, end, block, box) == _INSIDE:
            return k == k
    for first in range(0, samples, _LONG):
        end = min(first + _LONG, samples)
        if _stretch(values, rays, first, end, block, box) != _OUTSIDE:
            for s in range(first, end):
                depth = np.float32(s)
                met = met | _in_volume(values, k + depth * rays[9], i + depth * rays[10], j + depth * rays[11])
            if not any_of(~met):
                break
    return met


@inlined
def _prefetch_below(values: NDArray[Any], rays: NDArray[np.float32], k: Floats, i: Floats, j: Floats) -> None:
    """Of a slice every block lies in memory that was not touched yet, and where the next one lies only this code knows: ask
    for the block below. What it shares with its upper neighbour is there already, the other half is new."""
    steps = np.float32(_DOWN)
    places = _places(values, k + steps * rays[3], i + steps * rays[4], j + steps * rays[5])
    columns = values.shape[2]
    plane = values.shape[1] * columns
    if abs(rays[4]) >= abs(rays[3]):
        ahead, beside = columns if rays[4] > _ZERO else 0, plane
    else:
        ahead, beside = plane if rays[3] > _ZERO else 0, columns
    prefetch_at(values, ahead, places)
    prefetch_at(values, ahead + beside, places)


@inlined
def _prefetch_stretch(
    values: NDArray[Any], rays: NDArray[np.float32], k: Floats, i: Floats, j: Floats, first: int, end: int
) -> None:
    """The same for the samples of a stretch that is taken out of its order."""
    columns = values.shape[2]
    plane = values.shape[1] * columns
    for s in range(first, end):
        depth = np.float32(s)
        places = _places(values, k + depth * rays[9], i + depth * rays[10], j + depth * rays[11])
        prefetch_some_at(values, 0, places)
        prefetch_some_at(values, columns, places)
        prefetch_some_at(values, plane, places)
        prefetch_some_at(values, plane + columns, places)


@inlined
def _places(values: NDArray[Any], k: Floats, i: Floats, j: Floats) -> Ints:
    """The voxels at or before (k, i, j), as places in the flat array; of the nearest ones in the volume."""
    slices, rows, columns = values.shape
    k, i, j = _kept(k, slices), _kept(i, rows), _kept(j, columns)
    return (whole(k) * np.int32(rows) + whole(i)) * np.int32(columns) + whole(j)


# --- one sample of every lane


@inlined
def _sample(
    values: NDArray[Any],
    rays: NDArray[np.float32],
    k: Floats,
    i: Floats,
    j: Floats,
    s: int,
    holes: bool,
    inside: bool,
) -> Floats:
    """Sample `s` of lanes whose rays begin at (k, i, j): as `projections.sample`."""
    depth = np.float32(s)
    k, i, j = k + depth * rays[9], i + depth * rays[10], j + depth * rays[11]
    if inside:
        return _sample_inside(values, k, i, j, holes)
    return sample_anywhere(values, k, i, j, holes)


@inlined
def _sample_inside(values: NDArray[Any], k: Floats, i: Floats, j: Floats, holes: bool) -> Floats:
    """Where 1 <= coordinate < size - 1: nothing to test, and fractions are small enough as they are."""
    k0, i0, j0 = whole(k), whole(i), whole(j)
    row = values.shape[2]
    plane = values.shape[1] * row
    places = (k0 * np.int32(values.shape[1]) + i0) * np.int32(row) + j0
    a, b = neighbours_at(values, 0, places)
    c, d = neighbours_at(values, row, places)
    e, f = neighbours_at(values, plane, places)
    g, h = neighbours_at(values, plane + row, places)
    return _weigh(a, b, c, d, e, f, g, h, k - floating(k0), i - floating(i0), j - floating(j0), holes)


@inlined
def sample_anywhere(values: NDArray[Any], k: Floats, i: Floats, j: Floats, holes: bool) -> Floats:
    slices, rows, columns = values.shape
    in_volume = _in_volume(values, k, i, j)
    k, i, j = _kept(k, slices), _kept(i, rows), _kept(j, columns)
    k0, i0, j0 = whole(k), whole(i), whole(j)
    dk, di, dj = _fraction(k, k0), _fraction(i, i0), _fraction(j, j0)
    # The neighbour of the last voxel is that voxel. Pairs begin one before, so that none ends outside the array.
    last = j0 > every_int(columns - 2)
    places = (k0 * np.int32(rows) + i0) * np.int32(columns) + select(last, every_int(columns - 2), j0)
    down = select(i0 > every_int(rows - 2), every_int(0), every_int(columns))
    back = select(k0 > every_int(slices - 2), every_int(0), every_int(rows * columns))
    a, b = neighbours_at(values, 0, places)
    c, d = neighbours_at(values, 0, places + down)
    e, f = neighbours_at(values, 0, places + back)
    g, h = neighbours_at(values, 0, places + back + down)
    a, c, e, g = select(last, b, a), select(last, d, c), select(last, f, e), select(last, h, g)
    return select(in_volume, _weigh(a, b, c, d, e, f, g, h, dk, di, dj, holes), _NAN)


@inlined
def _in_volume(values: NDArray[Any], k: Floats, i: Floats, j: Floats) -> Truths:
    slices, rows, columns = values.shape
    inside = (k >= -_HALF) & (k <= np.float32(slices) - _HALF)
    inside = inside & (i >= -_HALF) & (i <= np.float32(rows) - _HALF)
    return inside & (j >= -_HALF) & (j <= np.float32(columns) - _HALF)


@inlined
def _kept(place: Floats, size: int) -> Floats:
    last = np.float32(size - 1)
    place = select(place > _ZERO, place, _ZERO)
    return select(place < last, place, last)


@inlined
def _fraction(place: Floats, start: Ints) -> Floats:
    fraction = place - floating(start)
    return select(fraction < _LARGEST_FRACTION, fraction, _LARGEST_FRACTION)


@inlined
def between(a: Floats, b: Floats, fraction: Floats) -> Floats:
    return a + (b - a) * fraction


@inlined
def _weigh(
    a: Floats,
    b: Floats,
    c: Floats,
    d: Floats,
    e: Floats,
    f: Floats,
    g: Floats,
    h: Floats,
    dk: Floats,
    di: Floats,
    dj: Floats,
    holes: bool,
) -> Floats:
    """Eight voxels, columns first, then rows, then slices; the real ones among them by their weights."""
    above = between(between(a, b, dj), between(c, d, dj), di)
    below = between(between(e, f, dj), between(g, h, dj), di)
    value = between(above, below, dk)
    if holes:
        missing = _missing(a) | _missing(b) | _missing(c) | _missing(d)
        missing = missing | _missing(e) | _missing(f) | _missing(g) | _missing(h)
        if any_of(missing):
            value = select(missing, _weigh_real(a, b, c, d, e, f, g, h, dk, di, dj), value)
    return value


@inlined
def _missing(value: Floats) -> Truths:
    return (value == _HOLE) | ~(value == value)


@inlined
def _weigh_real(
    a: Floats,
    b: Floats,
    c: Floats,
    d: Floats,
    e: Floats,
    f: Floats,
    g: Floats,
    h: Floats,
    dk: Floats,
    di: Floats,
    dj: Floats,
) -> Floats:
    """As `projections.sample_beside_holes`."""
    uk, ui, uj = _ONE - dk, _ONE - di, _ONE - dj
    sums = (every(_ZERO), every(_ZERO), every(_INFINITE), every(-_INFINITE))
    sums = _add_real(sums, a, uk * ui * uj)
    sums = _add_real(sums, b, uk * ui * dj)
    sums = _add_real(sums, c, uk * di * uj)
    sums = _add_real(sums, d, uk * di * dj)
    sums = _add_real(sums, e, dk * ui * uj)
    sums = _add_real(sums, f, dk * ui * dj)
    sums = _add_real(sums, g, dk * di * uj)
    sums = _add_real(sums, h, dk * di * dj)
    total, share, least, greatest = sums
    mean = total / share
    mean = select(mean > least, mean, least)
    mean = select(mean < greatest, mean, greatest)
    return select(share < _LEAST_WEIGHT, _NAN, mean)


@inlined
def _add_real(
    sums: tuple[Floats, Floats, Floats, Floats], value: Floats, weight: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    total, share, least, greatest = sums
    real = ~_missing(value)
    return (
        select(real, total + weight * value, total),
        select(real, share + weight, share),
        select(real & (value < least), value, least),
        select(real & (value > greatest), value, greatest),
    )
