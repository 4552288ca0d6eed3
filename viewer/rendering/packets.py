"""Volume pictures for a tile of rays at once.

The rays of a tile go on together, round by round. In every round each ray is moved to its next brick that may show something,
and its samples there are written down behind those of the other rays. All are interpolated side by side, one in each lane; of
those that do show something the gradients are read and lit, again side by side; and each ray takes what its own samples give.
A ray that has ended leaves the tile's list, so that lanes are full whatever becomes of its neighbours.

Every ray does what `shading.composite_pixel` does, in the same order, and to the same last bit. What is rare is left to that
code itself: samples at the edges of the volume and beside holes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined
from .lanes import (
    WIDTH,
    any_of,
    bits_of,
    every,
    every_int,
    floating,
    lane,
    lane_numbers,
    load,
    lowest_bit,
    neighbours_at,
    put_line,
    root,
    select,
    whole,
)
from .projections import sample
from .shading import (
    AMBIENT,
    BRICK,
    DIFFUSE,
    EDGE,
    EVEN,
    FAINT,
    FAR,
    FIRST,
    HALF,
    HAZE,
    HEADLAMP,
    KEY,
    MIST,
    PACE,
    RAY,
    SCALE,
    SPECULAR,
    TURN,
    gradient,
    grey_of,
    span_of,
)
from .volume import HOLE

MOST_VOXELS = 2**31 - 1
"""Places are counted in 32 bits."""

Floats = Any
"""Lanes of floats; `Ints` and `Truths` likewise."""
Ints = Any
Truths = Any
Lines = NDArray[np.float32]
"""(n, rays): a row for each number that is kept of every ray, or of every sample of a round."""

_DOWN, _ACROSS = 8, 32
"""A tile, in pixels: as high as the bands in which pictures are drawn."""
_RAYS = _DOWN * _ACROSS
_RUN = WIDTH - 2
"""Samples of a ray in a round at most. With the one before them there is a lane for each."""

# Rows of the numbers kept of a ray: where it starts; what comes through it still, and what it has gathered; its next sample,
# the first and the last, the last in bricks that may show something; its pixel.
_K, _I, _J, _CLEAR, _RED, _GREEN, _BLUE, _AT, _START, _LAST, _END, _ROW, _COLUMN = range(13)
# Rows of the numbers of a sample: place, number along the ray, number of the ray, value, entry in the table, sum up to there,
# entry of the sample before.
_PK, _PI, _PJ, _STEP, _OWNER, _VALUE, _ENTRY, _SUM, _BEFORE_ENTRY = range(9)
_SAMPLES = _RAYS * (_RUN + 1) + 1
# And of one that shows something: where it shows it, and what it sends back. Those with gradients are listed by themselves in
# the rows of places and values; `_PLACE` says which they are among the others.
_BEFORE, _PLACE, _GK, _GI, _GJ, _OPACITY, _SR, _SG, _SB = range(7, 16)

_ONE = np.float32(1.0)
_HOLE = np.float32(HOLE)
_INFINITE = np.float32(math.inf)


@compiled
def composite_rows(
    values: NDArray[Any],
    holes: bool,
    colours: NDArray[np.float32],
    leaps: NDArray[np.int16],
    numbers: NDArray[np.float32],
    first_row: int,
    end_row: int,
    out: NDArray[np.uint8],
) -> None:
    """As `shading.composite_rows`."""
    rays = np.zeros((13, _RAYS + WIDTH), np.float32)
    samples = np.zeros((9, _SAMPLES + 2 * WIDTH), np.float32)
    shown = np.zeros((16, _SAMPLES + 2 * WIDTH), np.float32)
    samples[_OWNER, 0] = -1
    for top in range(first_row, end_row, _DOWN):
        for left in range(0, out.shape[1], _ACROSS):
            living = _start(values, numbers, top, left, first_row, end_row, rays, out)
            while living:
                _leap(leaps, numbers, rays, living)
                living = _bury(rays, living, out)
                end = _advance(numbers, rays, living, samples)
                _interpolate(values, samples, end, holes)
                found, steep = _choose(colours, numbers, rays, samples, end, shown)
                if found:
                    _measure(values, shown, steep, holes)
                    _light(numbers, colours, shown, found)
                    _take(rays, shown, found)


@compiled
def _start(
    values: NDArray[Any],
    numbers: NDArray[np.float32],
    top: int,
    left: int,
    first_row: int,
    end_row: int,
    rays: Lines,
    out: NDArray[np.uint8],
) -> int:
    """Set up the rays of a tile that meet the volume. How many they are is the answer."""
    living = 0
    for row in range(top, min(top + _DOWN, end_row)):
        for column in range(left, min(left + _ACROSS, out.shape[1])):
            first, last = span_of(values, numbers, row, column)
            if first > last:
                out[row - first_row, column] = 0
                continue
            r, c = np.float32(row), np.float32(column)
            for axis in range(3):
                rays[_K + axis, living] = (
                    numbers[RAY + axis] + r * numbers[RAY + 3 + axis] + c * numbers[RAY + 6 + axis]
                )
            rays[_CLEAR, living] = 1.0
            rays[_RED, living] = rays[_GREEN, living] = rays[_BLUE, living] = 0.0
            rays[_AT, living] = rays[_START, living] = first
            rays[_LAST, living] = last
            rays[_END, living] = first - 1
            rays[_ROW, living] = row - first_row
            rays[_COLUMN, living] = column
            living += 1
    return living


@compiled
def _leap(leaps: NDArray[np.int16], numbers: NDArray[np.float32], rays: Lines, living: int) -> None:
    """Move rays whose run of bricks has ended to the next brick that may show something, or past their end: as
    `shading.run_of`."""
    _, rows, columns = leaps.shape
    eight, one, zero = np.int32(1 << BRICK), np.int32(1), every_int(0)
    none = every(np.float32(0.0))
    for first in range(0, living, WIDTH):
        at, last, end = load(rays, _AT, first), load(rays, _LAST, first), load(rays, _END, first)
        seeking = (at > end) & (at <= last)
        if not any_of(seeking):
            continue
        k, i, j = load(rays, _K, first), load(rays, _I, first), load(rays, _J, first)
        while any_of(seeking):
            pk = k + at * numbers[RAY + 9]
            pi = i + at * numbers[RAY + 10]
            pj = j + at * numbers[RAY + 11]
            bk, bi, bj = _brick(pk, leaps.shape[0]), _brick(pi, rows), _brick(pj, columns)
            place = (bk * np.int32(rows) + bi) * np.int32(columns) + bj
            # Two neighbours are loaded: the brick is the second of them, or the first of all.
            place = place - one
            this, following = neighbours_at(leaps, 0, select(place > zero, place, zero))
            away = whole(select(place >= zero, following, this))
            wide = select(away > zero, away, every_int(1))
            steps = _to_leave(bk, wide, pk, numbers[PACE + 0], eight)
            side = _to_leave(bi, wide, pi, numbers[PACE + 1], eight)
            steps = select(side < steps, side, steps)
            side = _to_leave(bj, wide, pj, numbers[PACE + 2], eight)
            steps = select(side < steps, side, steps)
            passed = at + (floating(whole(select(steps > none, steps, none))) + _ONE)
            seen = seeking & (away == zero)
            end = select(seen, select(passed < last, passed, last), end)
            seeking = seeking & ~(away == zero)
            at = select(seeking, passed, at)
            seeking = seeking & (at <= last)
        put_line(rays, _AT, first, at)
        put_line(rays, _END, first, end)


@inlined
def _brick(place: Floats, bricks: int) -> Ints:
    zero, last = every_int(0), every_int(bricks - 1)
    brick = whole(place) >> every_int(BRICK)
    brick = select(brick > zero, brick, zero)
    return select(brick < last, brick, last)


@inlined
def _to_leave(brick: Ints, wide: Ints, place: Floats, pace: np.float32, eight: np.int32) -> Floats:
    border = brick + wide if pace > np.float32(0.0) else brick - wide + np.int32(1)
    steps = (floating(border * eight) - place) * pace
    return select(steps < np.float32(FAR), steps, np.float32(FAR))


@compiled
def _bury(rays: Lines, living: int, out: NDArray[np.uint8]) -> int:
    """Write the pixels of rays that have come to their end, and move others into their places. How many are left is the
    answer."""
    ray = 0
    while ray < living:
        if rays[_AT, ray] <= rays[_LAST, ray]:
            ray += 1
            continue
        row, column = int(rays[_ROW, ray]), int(rays[_COLUMN, ray])
        out[row, column, 0] = grey_of(rays[_RED, ray])
        out[row, column, 1] = grey_of(rays[_GREEN, ray])
        out[row, column, 2] = grey_of(rays[_BLUE, ray])
        living -= 1
        for number in range(13):
            rays[number, ray] = rays[number, living]
    return living


@compiled
def _advance(numbers: NDArray[np.float32], rays: Lines, living: int, samples: Lines) -> int:
    """Write down the next samples of every ray, with the one before them in front. They begin at 1; their end is the
    answer."""
    dk, di, dj = numbers[RAY + 9], numbers[RAY + 10], numbers[RAY + 11]
    ahead = floating(lane_numbers())
    end = 1
    for ray in range(living):
        at = rays[_AT, ray]
        taken = min(rays[_END, ray] - at + _ONE, np.float32(_RUN))
        steps = (at - _ONE) + ahead
        put_line(samples, _PK, end, rays[_K, ray] + steps * dk)
        put_line(samples, _PI, end, rays[_I, ray] + steps * di)
        put_line(samples, _PJ, end, rays[_J, ray] + steps * dj)
        put_line(samples, _STEP, end, steps)
        put_line(samples, _OWNER, end, every(np.float32(ray)))
        if at == rays[_START, ray]:
            # Nothing is known before: as if the values had been the same.
            for row in range(_PK, _PJ + 1):
                samples[row, end] = samples[row, end + 1]
        rays[_AT, ray] = at + taken
        end += int(taken) + 1
    return end


@compiled
def _interpolate(values: NDArray[Any], samples: Lines, end: int, holes: bool) -> None:
    """_VALUE at _PK, _PI, _PJ, as `projections.sample`."""
    _fill(samples, 1, end)
    _, rows, columns = values.shape
    plane = rows * columns
    for first in range(1, end, WIDTH):
        k, i, j = load(samples, _PK, first), load(samples, _PI, first), load(samples, _PJ, first)
        easy = _inside(values, k, i, j, _ONE)
        if easy:
            k0, i0, j0 = whole(k), whole(i), whole(j)
            dk, di, dj = k - floating(k0), i - floating(i0), j - floating(j0)
            places = (k0 * np.int32(rows) + i0) * np.int32(columns) + j0
            a, b = neighbours_at(values, 0, places)
            c, d = neighbours_at(values, columns, places)
            e, f = neighbours_at(values, plane, places)
            g, h = neighbours_at(values, plane + columns, places)
            if holes:
                missing = _missing(a) | _missing(b) | _missing(c) | _missing(d)
                missing = missing | _missing(e) | _missing(f) | _missing(g) | _missing(h)
                easy = not any_of(missing)
            above = _between(_between(a, b, dj), _between(c, d, dj), di)
            below = _between(_between(e, f, dj), _between(g, h, dj), di)
            put_line(samples, _VALUE, first, _between(above, below, dk))
        if not easy:
            for n in range(first, min(first + WIDTH, end)):
                samples[_VALUE, n] = sample(values, samples[_PK, n], samples[_PI, n], samples[_PJ, n], holes)


@inlined
def _inside(values: NDArray[Any], k: Floats, i: Floats, j: Floats, beyond: np.float32) -> bool:
    """Whether all lanes have voxels on all sides: one before, and `beyond` behind the next one."""
    slices, rows, columns = values.shape
    inside = (k >= _ONE) & (k < np.float32(slices) - beyond)
    inside = inside & (i >= _ONE) & (i < np.float32(rows) - beyond)
    inside = inside & (j >= _ONE) & (j < np.float32(columns) - beyond)
    return not any_of(~inside)


@inlined
def _between(a: Floats, b: Floats, fraction: Floats) -> Floats:
    return a + (b - a) * fraction


@inlined
def _missing(value: Floats) -> Truths:
    return (value == _HOLE) | ~(value == value)


@inlined
def _fill(samples: Lines, first: int, end: int) -> None:
    """Repeat the last place, so that lanes past the end are in the volume."""
    if end > first:
        for row in range(_PK, _PJ + 1):
            put_line(samples, row, end, every(samples[row, end - 1]))


@compiled
def _choose(
    colours: NDArray[np.float32],
    numbers: NDArray[np.float32],
    rays: Lines,
    samples: Lines,
    end: int,
    shown: Lines,
) -> tuple[int, int]:
    """List the samples that show something, and the places half a step back of those whose gradients are to be read. How
    many both are is the answer."""
    dk, di, dj = numbers[RAY + 9], numbers[RAY + 10], numbers[RAY + 11]
    zero, most = np.float32(0.0), np.float32(colours.shape[0] - 1)
    for first in range(1, end, WIDTH):
        entry = (load(samples, _VALUE, first) - numbers[FIRST]) * numbers[SCALE] + np.float32(0.5)
        entry = select(entry > zero, entry, zero)
        row = whole(select(entry < most, entry, most))
        total, _ = neighbours_at(colours, 4, row * np.int32(8))
        put_line(samples, _ENTRY, first, floating(row))
        put_line(samples, _SUM, first, total)
    found, steep = 0, 0
    for first in range(1, end, WIDTH):
        value, before = load(samples, _VALUE, first), load(samples, _VALUE, first - 1)
        here, there = load(samples, _ENTRY, first), load(samples, _ENTRY, first - 1)
        there = select(before == before, there, here)
        same = here == there
        extinction, _ = neighbours_at(colours, 0, whole(here) * np.int32(8))
        rise = load(samples, _SUM, first) - load(samples, _SUM, first - 1)
        rises = ~same & ((rise < zero) | (rise > zero))
        own = load(samples, _OWNER, first) == load(samples, _OWNER, first - 1)
        bits = bits_of(own & (value == value) & (rises | (same & (extinction > zero))))
        if end - first < WIDTH:
            bits &= (1 << (end - first)) - 1
        if not bits:
            continue
        solid = bits_of(select(same, extinction, rise / (here - there)) >= np.float32(MIST))
        put_line(samples, _BEFORE_ENTRY, first, there)
        while bits:
            n = first + lowest_bit(bits)
            ray, step = int(samples[_OWNER, n]), samples[_STEP, n]
            shown[_STEP, found] = step
            shown[_OWNER, found] = samples[_OWNER, n]
            shown[_ENTRY, found] = samples[_ENTRY, n]
            shown[_BEFORE, found] = samples[_BEFORE_ENTRY, n]
            if solid & bits & -bits:
                middle = step - np.float32(0.5)
                shown[_PK, steep] = rays[_K, ray] + middle * dk
                shown[_PI, steep] = rays[_I, ray] + middle * di
                shown[_PJ, steep] = rays[_J, ray] + middle * dj
                shown[_VALUE, steep] = samples[_VALUE, n]
                shown[_PLACE, steep] = found
                steep += 1
            else:
                shown[_GK, found] = shown[_GI, found] = shown[_GJ, found] = 0.0
            found += 1
            bits &= bits - 1
    return found, steep


@compiled
def _measure(values: NDArray[Any], samples: Lines, count: int, holes: bool) -> None:
    """_GK, _GI, _GJ of the samples _PLACE, at _PK, _PI, _PJ: as `shading.gradient`."""
    _fill(samples, 0, count)
    for first in range(0, count, WIDTH):
        k, i, j = load(samples, _PK, first), load(samples, _PI, first), load(samples, _PJ, first)
        easy = _inside(values, k, i, j, np.float32(2.0))
        if easy:
            gk, gi, gj, missing = _gradient(values, k, i, j, holes)
            easy = not (holes and any_of(missing))
            for n in range(WIDTH if easy else 0):
                if first + n < count:
                    place = int(samples[_PLACE, first + n])
                    samples[_GK, place], samples[_GI, place], samples[_GJ, place] = (
                        lane(gk, n),
                        lane(gi, n),
                        lane(gj, n),
                    )
        if not easy:
            for n in range(first, min(first + WIDTH, count)):
                k1, i1, j1, place = samples[_PK, n], samples[_PI, n], samples[_PJ, n], int(samples[_PLACE, n])
                g = gradient(values, k1, i1, j1, holes, samples[_VALUE, n])
                samples[_GK, place], samples[_GI, place], samples[_GJ, place] = g


@inlined
def _gradient(
    values: NDArray[Any], k: Floats, i: Floats, j: Floats, holes: bool
) -> tuple[Floats, Floats, Floats, Truths]:
    """Of places with voxels all around; and where one of those is missing."""
    row = values.shape[2]
    plane = values.shape[1] * row
    k1, i1, j1 = whole(k), whole(i), whole(j)
    fk, fi, fj = k - floating(k1), i - floating(i1), j - floating(j1)
    places = (k1 * np.int32(values.shape[1]) + i1) * np.int32(row) + j1

    a0, ma = _line(values, -plane, places, fj, holes)
    b0, mb = _line(values, row - plane, places, fj, holes)
    a3, mc = _line(values, 2 * plane, places, fj, holes)
    b3, md = _line(values, row + 2 * plane, places, fj, holes)
    above1, me = _line(values, -row, places, fj, holes)
    below1, mf = _line(values, 2 * row, places, fj, holes)
    above2, mg = _line(values, plane - row, places, fj, holes)
    below2, mh = _line(values, plane + 2 * row, places, fj, holes)
    a1, da1, mi = _line_and_rise(values, 0, places, fj, holes)
    b1, db1, mj = _line_and_rise(values, row, places, fj, holes)
    a2, da2, mk = _line_and_rise(values, plane, places, fj, holes)
    b2, db2, ml = _line_and_rise(values, plane + row, places, fj, holes)
    missing = ma | mb | mc | md | me | mf | mg | mh | mi | mj | mk | ml

    p0, p1, p2, p3 = _between(a0, b0, fi), _between(a1, b1, fi), _between(a2, b2, fi), _between(a3, b3, fi)
    gk = _between(p2 - p0, p3 - p1, fk)
    r1 = _between(b1 - above1, below1 - a1, fi)
    r2 = _between(b2 - above2, below2 - a2, fi)
    gi = _between(r1, r2, fk)
    c1, c2 = _between(da1, db1, fi), _between(da2, db2, fi)
    gj = _between(c1, c2, fk)
    half = np.float32(0.5)
    return gk * half, gi * half, gj * half, missing


@inlined
def _line(values: NDArray[Any], offset: int, places: Ints, f: Floats, holes: bool) -> tuple[Floats, Truths]:
    here, there = neighbours_at(values, offset, places)
    missing = _missing(here) | _missing(there) if holes else here < -_INFINITE
    return _between(here, there, f), missing


@inlined
def _line_and_rise(
    values: NDArray[Any], offset: int, places: Ints, f: Floats, holes: bool
) -> tuple[Floats, Floats, Truths]:
    before, here = neighbours_at(values, offset - 1, places)
    there, after = neighbours_at(values, offset + 1, places)
    missing = here < -_INFINITE
    if holes:
        missing = _missing(before) | _missing(here) | _missing(there) | _missing(after)
    return _between(here, there, f), _between(there - before, after - here, f), missing


@compiled
def _light(numbers: NDArray[np.float32], colours: NDArray[np.float32], samples: Lines, count: int) -> None:
    """What samples send back, for `_take`: as `shading.light_on` and `shading.colour_between`."""
    zero = np.float32(0.0)
    for first in range(0, count, WIDTH):
        gk, gi, gj = load(samples, _GK, first), load(samples, _GI, first), load(samples, _GJ, first)
        x = numbers[TURN + 0] * gk + numbers[TURN + 1] * gi + numbers[TURN + 2] * gj
        y = numbers[TURN + 3] * gk + numbers[TURN + 4] * gi + numbers[TURN + 5] * gj
        z = numbers[TURN + 6] * gk + numbers[TURN + 7] * gi + numbers[TURN + 8] * gj
        steep = root(x * x + y * y + z * z)
        upright = select(z > zero, -_ONE, every(_ONE)) / (steep + np.float32(1e-6))
        x, y, z = x * upright, y * upright, z * upright
        key = x * np.float32(KEY[0]) + y * np.float32(KEY[1]) + z * np.float32(KEY[2])
        key = select(key > zero, key, zero)
        facing = np.float32(1.0 - HEADLAMP) * key - np.float32(HEADLAMP) * z
        glint = x * np.float32(HALF[0]) + y * np.float32(HALF[1]) + z * np.float32(HALF[2])
        glint = select(glint > zero, glint, zero)
        glint = glint * glint
        glint = glint * glint
        glint = glint * glint
        glint = glint * glint
        surface = steep / (steep + numbers[EDGE])
        even = np.float32(EVEN)
        lit = even + (numbers[AMBIENT] + numbers[DIFFUSE] * facing - even) * surface
        left = _ONE - numbers[HAZE] * load(samples, _STEP, first)
        lit, glint = lit * left, numbers[SPECULAR] * glint * surface * left

        here, there = load(samples, _ENTRY, first), load(samples, _BEFORE, first)
        places, places_before = whole(here) * np.int32(8), whole(there) * np.int32(8)
        same = here == there
        extinction, red = neighbours_at(colours, 0, places)
        green, blue = neighbours_at(colours, 2, places)
        sum_e, sum_r = neighbours_at(colours, 4, places)
        sum_g, sum_b = neighbours_at(colours, 6, places)
        before_e, before_r = neighbours_at(colours, 4, places_before)
        before_g, before_b = neighbours_at(colours, 6, places_before)
        total = sum_e - before_e
        red = select(same, red, (sum_r - before_r) / total)
        green = select(same, green, (sum_g - before_g) / total)
        blue = select(same, blue, (sum_b - before_b) / total)
        extinction = select(same, extinction, total / (here - there))
        part = extinction * np.float32(1.0 / 16.0)
        grown = _ONE + part + part * part * np.float32(0.5)
        grown = grown * grown
        grown = grown * grown
        grown = grown * grown
        grown = grown * grown
        put_line(samples, _OPACITY, first, _ONE - _ONE / grown)
        put_line(samples, _SR, first, red * lit + glint)
        put_line(samples, _SG, first, green * lit + glint)
        put_line(samples, _SB, first, blue * lit + glint)


@compiled
def _take(rays: Lines, samples: Lines, count: int) -> None:
    """Add to each ray what its samples send back; end those that hardly any light comes through."""
    for n in range(count):
        ray = int(samples[_OWNER, n])
        clear = rays[_CLEAR, ray]
        if clear < np.float32(FAINT):
            continue
        weight = clear * samples[_OPACITY, n]
        rays[_RED, ray] += weight * samples[_SR, n]
        rays[_GREEN, ray] += weight * samples[_SG, n]
        rays[_BLUE, ray] += weight * samples[_SB, n]
        clear -= weight
        rays[_CLEAR, ray] = clear
        if clear < np.float32(FAINT):
            rays[_AT, ray] = rays[_LAST, ray] + _ONE
