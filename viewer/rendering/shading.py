"""One pixel of a volume picture, in plain functions of float32 numbers and arrays that compile for whichever processor draws.

What a pixel needs to know about its picture travels in one array (`compositing.describe`), whose places are named here.

A ray passes over bricks in which the table shows nothing, reads the gradient only where something is to be seen, and ends
where less than a grey level can still be added. None of it changes the sum: samples left out would have added nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .projections import sample
from .transfer import entry_of
from .volume import HOLE

# Places in the array that describes a picture. A ray is three numbers each for the centre of pixel (0, 0) at sample 0, a step
# to the next row, to the next column, to the next sample.
RAY = 0
"""In voxels (slice, row, column)."""
PACE = 12
"""Samples that a voxel takes: 1 / the step to the next sample."""
RAY_MM = 15
"""LPS mm."""
BOX = 27
"""Clip box: three least, three greatest, LPS mm."""
FIRST, SCALE = 33, 34
"""Of the table."""
TURN = 35
"""(3, 3): from a gradient in voxels to one in mm along right, down and away of the reader."""
AMBIENT, DIFFUSE, SPECULAR, EDGE, HAZE, SAMPLES = 44, 45, 46, 47, 48, 49
"""`HAZE`: share of the light lost at each sample."""
NUMBERS = 50

FAINT = 1.0 / 256.0
"""Where less light than this comes through, the rest of the ray adds less than a grey level."""
MIST = 1.0 / 64.0
"""What dims a step less than this has no surface: it is lit evenly, and its gradient is not read."""
BRICK = 3
"""Bricks of 2**3 voxels."""
EVEN = 0.80
"""Light on what has no surface."""
HEADLAMP = 0.45
"""Share of the diffuse light that comes from the reader; the rest is the key light's."""
KEY = (-0.42, -0.56, -0.714)
"""Towards the key light, right, down and away: above the reader's left shoulder, as anatomy is drawn by custom."""
HALF = (-0.227, -0.302, -0.926)
"""Half way between the key light and the reader: where surfaces must face to glint."""


STILL = 1e-6
"""Voxels or mm to the next sample: a ray that moves less does not move in that direction."""
FAR = 1e6
"""More samples than any ray has."""


@compiled
def composite_rows(
    values: NDArray[np.generic],
    holes: bool,
    colours: NDArray[np.float32],
    leaps: NDArray[np.int16],
    numbers: NDArray[np.float32],
    first_row: int,
    end_row: int,
    out: NDArray[np.uint8],
) -> None:
    for row in range(first_row, end_row):
        for column in range(out.shape[1]):
            red, green, blue = composite_pixel(values, holes, colours, leaps, numbers, row, column)
            out[row - first_row, column, 0] = red
            out[row - first_row, column, 1] = green
            out[row - first_row, column, 2] = blue


@compiled
def composite_pixel(
    values: NDArray[np.generic],
    holes: bool,
    colours: NDArray[np.float32],
    leaps: NDArray[np.int16],
    numbers: NDArray[np.float32],
    row: int,
    column: int,
) -> tuple[np.uint8, np.uint8, np.uint8]:
    """Red, green and blue of one pixel."""
    r, c = np.float32(row), np.float32(column)
    k0 = numbers[RAY + 0] + r * numbers[RAY + 3] + c * numbers[RAY + 6]
    i0 = numbers[RAY + 1] + r * numbers[RAY + 4] + c * numbers[RAY + 7]
    j0 = numbers[RAY + 2] + r * numbers[RAY + 5] + c * numbers[RAY + 8]
    dk, di, dj = numbers[RAY + 9], numbers[RAY + 10], numbers[RAY + 11]
    red = green = blue = np.float32(0.0)
    clear = np.float32(1.0)
    first, last = span_of(values, numbers, row, column)
    at = first
    before = np.float32(math.nan)
    while at <= last:
        step = np.float32(at)
        seen, passed = run_of(leaps, numbers, k0 + step * dk, i0 + step * di, j0 + step * dj)
        if not seen:
            at += passed
            before = np.float32(math.nan)
            continue
        if before != before and at > first:
            step = np.float32(at - 1)
            before = sample(values, k0 + step * dk, i0 + step * di, j0 + step * dj, holes)
        end = min(at + passed, last)  # One more: what is left behind is seen up to the sample after it.
        while at <= end:
            step = np.float32(at)
            at += 1
            value = sample(values, k0 + step * dk, i0 + step * di, j0 + step * dj, holes)
            here = entry_of(value, numbers[FIRST], numbers[SCALE], colours.shape[0])
            there = entry_of(before, numbers[FIRST], numbers[SCALE], colours.shape[0])
            there = here if before != before else there
            seen = colours[here, 4] != colours[there, 4] or (here == there and colours[here, 0] > np.float32(0.0))
            before = value
            if value != value or not seen:
                continue
            extinction, r, g, b = colour_between(colours, there, here)
            gk = gi = gj = np.float32(0.0)
            if extinction >= np.float32(MIST):
                middle = step - np.float32(0.5)
                gk, gi, gj = gradient(values, k0 + middle * dk, i0 + middle * di, j0 + middle * dj, holes, value)
            lit, glint = light_on(numbers, gk, gi, gj, step)
            opacity = opacity_of(extinction)
            weight = clear * opacity
            red += weight * (r * lit + glint)
            green += weight * (g * lit + glint)
            blue += weight * (b * lit + glint)
            clear -= weight
            if clear < np.float32(FAINT):
                at = last + 1
                break
    return grey_of(red), grey_of(green), grey_of(blue)


@compiled
def colour_between(
    colours: NDArray[np.float32], there: int, here: int
) -> tuple[np.float32, np.float32, np.float32, np.float32]:
    """Extinction, red, green, blue of a step on which the values pass from one entry of the table to another."""
    if there == here:
        return colours[here, 0], colours[here, 1], colours[here, 2], colours[here, 3]
    whole = colours[here, 4] - colours[there, 4]
    red = (colours[here, 5] - colours[there, 5]) / whole
    green = (colours[here, 6] - colours[there, 6]) / whole
    blue = (colours[here, 7] - colours[there, 7]) / whole
    return whole / np.float32(here - there), red, green, blue


@compiled
def opacity_of(extinction: np.float32) -> np.float32:
    """1 - exp(-extinction), from exp(x) = exp(x / 16)**16: a share of 1/1500 off at most where it matters, and the same in
    every lane and on every processor."""
    part = extinction * np.float32(1.0 / 16.0)
    grown = np.float32(1.0) + part + part * part * np.float32(0.5)
    grown *= grown
    grown *= grown
    grown *= grown
    grown *= grown
    return np.float32(1.0) - np.float32(1.0) / grown


@compiled
def grey_of(light: np.float32) -> np.uint8:
    return np.uint8(min(light, np.float32(1.0)) * np.float32(255.0) + np.float32(0.5))


@compiled
def span_of(values: NDArray[np.generic], numbers: NDArray[np.float32], row: int, column: int) -> tuple[int, int]:
    """First and last sample of the ray that lie in the volume and in the clip box; first > last where there is none."""
    r, c = np.float32(row), np.float32(column)
    first, last = np.float32(0.0), numbers[SAMPLES] - np.float32(1.0)
    half = np.float32(0.5)
    for axis in range(3):
        place = numbers[RAY + axis] + r * numbers[RAY + 3 + axis] + c * numbers[RAY + 6 + axis]
        step = numbers[RAY + 9 + axis]
        first, last = narrow(place, step, -half, np.float32(values.shape[axis]) - half, first, last)
        place = numbers[RAY_MM + axis] + r * numbers[RAY_MM + 3 + axis] + c * numbers[RAY_MM + 6 + axis]
        step = numbers[RAY_MM + 9 + axis]
        first, last = narrow(place, step, numbers[BOX + axis], numbers[BOX + 3 + axis], first, last)
    if not (first <= last):
        return 1, 0
    return int(math.ceil(first)), int(math.floor(last))  # noqa: RUF046 - on a graphics processor these are floats


@compiled
def narrow(
    place: np.float32, step: np.float32, low: np.float32, high: np.float32, first: np.float32, last: np.float32
) -> tuple[np.float32, np.float32]:
    """`first` .. `last` narrowed to the samples at which place + sample * step is in low .. high."""
    if abs(step) < np.float32(STILL):
        if place < low or place > high:
            return np.float32(1.0), np.float32(0.0)
        return first, last
    enter, leave = (low - place) / step, (high - place) / step
    if enter > leave:
        enter, leave = leave, enter
    return max(first, enter), min(last, leave)


@compiled
def run_of(
    leaps: NDArray[np.int16], numbers: NDArray[np.float32], k: np.float32, i: np.float32, j: np.float32
) -> tuple[bool, int]:
    """Whether there is something to see in the brick at this place, and for how many samples that is so, this one included."""
    bk = min(int(k) >> BRICK, leaps.shape[0] - 1)
    bi = min(int(i) >> BRICK, leaps.shape[1] - 1)
    bj = min(int(j) >> BRICK, leaps.shape[2] - 1)
    away = int(leaps[bk, bi, bj])
    wide = max(away, 1)
    samples = to_leave(bk, wide, k, numbers[PACE + 0])
    samples = min(samples, to_leave(bi, wide, i, numbers[PACE + 1]))
    samples = min(samples, to_leave(bj, wide, j, numbers[PACE + 2]))
    return away == 0, int(max(samples, np.float32(0.0))) + 1


@compiled
def to_leave(brick: int, wide: int, place: np.float32, pace: np.float32) -> np.float32:
    """Samples until a ray at `place` leaves the bricks less than `wide` from `brick`, along one direction."""
    border = brick + wide if pace > np.float32(0.0) else brick - wide + 1
    return min((np.float32(border << BRICK) - place) * pace, np.float32(FAR))


@compiled
def light_on(
    numbers: NDArray[np.float32], gk: np.float32, gi: np.float32, gj: np.float32, step: np.float32
) -> tuple[np.float32, np.float32]:
    """Light that a sample sends back in its own colour, and in white, for a gradient in units per voxel."""
    x = numbers[TURN + 0] * gk + numbers[TURN + 1] * gi + numbers[TURN + 2] * gj
    y = numbers[TURN + 3] * gk + numbers[TURN + 4] * gi + numbers[TURN + 5] * gj
    z = numbers[TURN + 6] * gk + numbers[TURN + 7] * gi + numbers[TURN + 8] * gj
    steep = np.float32(math.sqrt(x * x + y * y + z * z))
    towards = np.float32(-1.0) if z > np.float32(0.0) else np.float32(1.0)
    upright = towards / (steep + np.float32(1e-6))
    x, y, z = x * upright, y * upright, z * upright
    nothing = np.float32(0.0)
    key = max(x * np.float32(KEY[0]) + y * np.float32(KEY[1]) + z * np.float32(KEY[2]), nothing)
    facing = np.float32(1.0 - HEADLAMP) * key - np.float32(HEADLAMP) * z
    glint = max(x * np.float32(HALF[0]) + y * np.float32(HALF[1]) + z * np.float32(HALF[2]), nothing)
    glint *= glint
    glint *= glint
    glint *= glint
    glint *= glint
    surface = steep / (steep + numbers[EDGE])
    even = np.float32(EVEN)
    lit = even + (numbers[AMBIENT] + numbers[DIFFUSE] * facing - even) * surface
    left = np.float32(1.0) - numbers[HAZE] * step
    return lit * left, numbers[SPECULAR] * glint * surface * left


@compiled
def gradient(
    values: NDArray[np.generic],
    k: np.float32,
    i: np.float32,
    j: np.float32,
    holes: bool,
    value: np.float32,
) -> tuple[np.float32, np.float32, np.float32]:
    """Change of the values for a voxel along slices, rows and columns: half the difference between the neighbours on both
    sides, interpolated as values are. Beyond the edge lies the edge's own voxel; a hole is taken to hold `value`."""
    zero, half = np.float32(0.0), np.float32(0.5)
    k = min(max(k, zero), np.float32(values.shape[0] - 1))
    i = min(max(i, zero), np.float32(values.shape[1] - 1))
    j = min(max(j, zero), np.float32(values.shape[2] - 1))
    k1 = min(int(k), values.shape[0] - 2)
    i1 = min(int(i), values.shape[1] - 2)
    j1 = min(int(j), values.shape[2] - 2)
    fk, fi, fj = k - np.float32(k1), i - np.float32(i1), j - np.float32(j1)
    k0, k2, k3 = max(k1 - 1, 0), k1 + 1, min(k1 + 2, values.shape[0] - 1)
    i0, i2, i3 = max(i1 - 1, 0), i1 + 1, min(i1 + 2, values.shape[1] - 1)

    a0, _ = line(values, k0, i1, j1, fj, holes, value)
    b0, _ = line(values, k0, i2, j1, fj, holes, value)
    a1, da1 = line(values, k1, i1, j1, fj, holes, value)
    b1, db1 = line(values, k1, i2, j1, fj, holes, value)
    a2, da2 = line(values, k2, i1, j1, fj, holes, value)
    b2, db2 = line(values, k2, i2, j1, fj, holes, value)
    a3, _ = line(values, k3, i1, j1, fj, holes, value)
    b3, _ = line(values, k3, i2, j1, fj, holes, value)
    above1, _ = line(values, k1, i0, j1, fj, holes, value)
    below1, _ = line(values, k1, i3, j1, fj, holes, value)
    above2, _ = line(values, k2, i0, j1, fj, holes, value)
    below2, _ = line(values, k2, i3, j1, fj, holes, value)

    p0, p1, p2, p3 = a0 + (b0 - a0) * fi, a1 + (b1 - a1) * fi, a2 + (b2 - a2) * fi, a3 + (b3 - a3) * fi
    gk = (p2 - p0) + ((p3 - p1) - (p2 - p0)) * fk
    r1 = (b1 - above1) + ((below1 - a1) - (b1 - above1)) * fi
    r2 = (b2 - above2) + ((below2 - a2) - (b2 - above2)) * fi
    gi = r1 + (r2 - r1) * fk
    c1, c2 = da1 + (db1 - da1) * fi, da2 + (db2 - da2) * fi
    gj = c1 + (c2 - c1) * fk
    return gk * half, gi * half, gj * half


@compiled
def line(
    values: NDArray[np.generic], k: int, i: int, j: int, f: np.float32, holes: bool, value: np.float32
) -> tuple[np.float32, np.float32]:
    """Along columns at (k, i, j + f): the value, and the difference of the neighbours on both sides."""
    before = voxel(values, k, i, max(j - 1, 0), holes, value)
    here = voxel(values, k, i, j, holes, value)
    there = voxel(values, k, i, j + 1, holes, value)
    after = voxel(values, k, i, min(j + 2, values.shape[2] - 1), holes, value)
    rise = there - before
    return here + (there - here) * f, rise + ((after - here) - rise) * f


@compiled
def voxel(values: NDArray[np.generic], k: int, i: int, j: int, holes: bool, value: np.float32) -> np.float32:
    stored = np.float32(values[k, i, j])
    if holes and (stored == np.float32(HOLE) or stored != stored):
        return value
    return stored
