"""Slices whose picture columns run along the rows or the slices of the volume: axial, coronal and sagittal ones and all that
are turned about such an axis. What a picture row needs of the volume its neighbour mostly had.

For a pixel and all those below it two of three coordinates are the same. So a step down the picture goes on to the next row
(or slice) of voxels at most, and half of the eight voxels are those of the pixel above, already interpolated along the
columns; where the picture is magnified, all are. The same operations on the same numbers as in `projections.sample`: equal to
the last bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined
from .lanes import (
    WIDTH,
    every,
    every_int,
    floating,
    lane,
    lane_numbers,
    neighbours_at,
    prefetch_at,
    put_line,
    select,
    whole,
)
from .vector import Floats, Ints, Lines, between, sample_anywhere

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)

_AHEAD = 6
"""Rows of voxels asked for before they are needed: about the time that memory takes. In every lane: asking twice for a line of
voxels costs less than waiting for one that only some lanes need."""


def axis_of(rays: NDArray[np.float32]) -> int | None:
    """The axis along which the picture columns run (0: slices, 1: rows), where nothing else changes along them and it does
    not change along the picture rows."""
    for axis in (1, 0):
        if rays[3 + 1 - axis] == 0.0 and rays[5] == 0.0 and rays[6 + axis] == 0.0:
            return axis
    return None


@compiled
def walk(values: NDArray[Any], rays: NDArray[np.float32], axis: int, first_row: int, out: Lines) -> None:
    """A slice, as `projections.plain`, of a volume without holes. `axis` as `axis_of`; lanes are the pixels of a row."""
    slices, rows, columns = values.shape
    plane = rows * columns
    length, breadth = (slices, rows) if axis == 0 else (rows, slices)
    onward, beside = (plane, columns) if axis == 0 else (columns, plane)
    for left in range(0, out.shape[1], WIDTH):
        right = min(left + WIDTH, out.shape[1]) - 1
        numbers = every_int(left) + lane_numbers()
        pixels = floating(select(numbers > every_int(right), every_int(right), numbers))
        other = rays[1 - axis] + pixels * rays[7 - axis]
        j = rays[2] + pixels * rays[8]
        inside = _between_voxels(rays[1 - axis], rays[7 - axis], left, right, breadth)
        inside = inside and _between_voxels(rays[2], rays[8], left, right, columns)
        other0, j0 = whole(other), whole(j)
        aside, along = other - floating(other0), j - floating(j0)
        places = other0 * np.int32(beside) + j0
        # Lines of voxels `held` and the next one: at the places and beside them.
        held = np.int64(-2)
        near, far = every(_ZERO), every(_ZERO)
        next_near, next_far = every(_ZERO), every(_ZERO)
        for row in range(out.shape[0]):
            at = rays[axis] + np.float32(first_row + row) * rays[3 + axis]
            if inside and at >= _ONE and at < np.float32(length - 1):
                line = np.int64(at)
                if line != held:
                    start = line * onward
                    ahead = start + (1 + _AHEAD) * onward if rays[3 + axis] > _ZERO else start - _AHEAD * onward
                    prefetch_at(values, ahead, places)
                    prefetch_at(values, ahead + beside, places)
                    if line == held + 1:
                        near, far = next_near, next_far
                        next_near, next_far = _interpolated(values, start + onward, beside, places, along)
                    elif line == held - 1:
                        next_near, next_far = near, far
                        near, far = _interpolated(values, start, beside, places, along)
                    else:
                        near, far = _interpolated(values, start, beside, places, along)
                        next_near, next_far = _interpolated(values, start + onward, beside, places, along)
                    held = line
                fraction = every(at - np.float32(line))
                if axis == 0:
                    value = between(between(near, far, aside), between(next_near, next_far, aside), fraction)
                else:
                    value = between(between(near, next_near, fraction), between(far, next_far, fraction), aside)
            elif axis == 0:
                value = sample_anywhere(values, every(at), other, j, False)
            else:
                value = sample_anywhere(values, other, every(at), j, False)
            if right - left == WIDTH - 1:
                put_line(out, row, left, value)
            else:
                for number in range(right - left + 1):
                    out[row, left + number] = lane(value, number)


@inlined
def _between_voxels(start: np.float32, step: np.float32, first: int, last: int, size: int) -> bool:
    """Whether start + n * step, for n of `first` .. `last`, has voxels on both sides."""
    one, other = start + np.float32(first) * step, start + np.float32(last) * step
    return bool(min(one, other) >= _ONE and max(one, other) < np.float32(size - 1))


@inlined
def _interpolated(values: NDArray[Any], start: int, beside: int, places: Ints, along: Floats) -> tuple[Floats, Floats]:
    """Of the line of voxels at `start`, and of the one beside it."""
    a, b = neighbours_at(values, start, places)
    c, d = neighbours_at(values, start + beside, places)
    return between(a, b, along), between(c, d, along)
