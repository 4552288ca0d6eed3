"""Greyscale kernels: stored values to 8 bits, at native size (PS3.4 N.2.1) or resampled on the way, in one pass.

A row is always drawn in the same two steps: modality values as floats with NaN for what is no image (`_modality`), then VOI,
polarity and rounding (`_shade`), where NaN is background. The lines of floats stay in the first-level cache.

Native pictures are computed in 64 bits in the order in which the standard writes the equations, so that they equal it to the
bit. Resampled ones are computed in the precision of their weights: 32 bits hold everything that 16 stored bits can say, and
twice as many of them fit into a register.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

RAMP, SIGMOID, TABLE = 0, 1, 2
"""Shapes of a VOI curve. LINEAR and LINEAR_EXACT are both a ramp, with other corners."""

_LEAST_WEIGHT = 1.0 / 256.0
"""A picture pixel with less than this share of real voxels is background: rounding must not decide whether it shows."""

Number = np.floating[Any]
Floats = NDArray[Number]
"""All of one precision within a call."""


class Greyscale(NamedTuple):
    """The greyscale pipeline of one picture, as numbers and arrays that a kernel can take."""

    slope: float
    intercept: float
    modality: NDArray[np.float64]
    """Modality LUT (PS3.3 C.11.1.1); empty where Rescale Slope and Intercept apply."""
    modality_first: float
    padding_low: float
    padding_high: float
    """Inclusive range of stored values that are no image; low > high where there is none."""
    holes: bool
    """Whether some values may be no image: there is padding, or floats may be no number."""
    curve: int
    """RAMP, SIGMOID or TABLE."""
    center: float
    width: float
    """RAMP: y = ((x - center) / width + 0.5) * 255. SIGMOID: y = 255 / (1 + exp(-4 (x - center) / width))."""
    low: float
    high: float
    """RAMP: 0 for x <= low, 255 for x > high."""
    table: NDArray[np.float64]
    """TABLE: y in 0..255 for `table_first`, `table_first` + 1, ..."""
    table_first: float
    inverted: bool


@compiled
def _modality(voxels: NDArray[np.generic], pipeline: Greyscale, line: Floats) -> None:
    """`line` = modality values of one row of `voxels`, NaN for padding."""
    number = line.dtype.type
    slope, intercept = number(pipeline.slope), number(pipeline.intercept)
    low, high = number(pipeline.padding_low), number(pipeline.padding_high)
    if pipeline.modality.size:
        last = pipeline.modality.size - 1
        for i in range(line.size):
            index = np.float64(voxels[i])
            entry = min(max(index - pipeline.modality_first, 0.0), float(last))
            looked_up = number(pipeline.modality[int(entry)])
            line[i] = number(math.nan) if low <= index <= high else looked_up
    elif low <= high:
        for i in range(line.size):
            stored = number(voxels[i])
            line[i] = number(math.nan) if (stored >= low) & (stored <= high) else stored * slope + intercept
    else:
        for i in range(line.size):
            line[i] = number(voxels[i]) * slope + intercept


@compiled
def _shade(line: Floats, pipeline: Greyscale, pixels: NDArray[np.uint8]) -> None:
    """`pixels` = VOI, polarity and floor(y + 0.5) of `line`; 0 for NaN."""
    if pipeline.curve == RAMP:
        _shade_ramp(line, pipeline, pixels)
        return
    last = float(pipeline.table.size - 1)
    for i in range(line.size):
        x = float(line[i])
        if x != x:
            pixels[i] = 0
            continue
        if pipeline.curve == SIGMOID:
            y = 255.0 / (1.0 + math.exp(-4.0 * (x - pipeline.center) / pipeline.width))
        else:
            y = pipeline.table[int(min(max(math.floor(x + 0.5) - pipeline.table_first, 0.0), last))]
        y = 255.0 - y if pipeline.inverted else y
        pixels[i] = np.uint8(np.int32(y + 0.5))


@compiled
def _shade_ramp(line: Floats, pipeline: Greyscale, pixels: NDArray[np.uint8]) -> None:
    """The same for a ramp, without a branch that would keep it from being vectorised."""
    number = line.dtype.type
    center, width, low, high = (
        number(pipeline.center),
        number(pipeline.width),
        number(pipeline.low),
        number(pipeline.high),
    )
    half, most, nothing = number(0.5), number(255.0), number(0.0)
    black, white = (most, nothing) if pipeline.inverted else (nothing, most)
    for i in range(line.size):
        x = line[i]
        y = ((x - center) / width + half) * most
        y = most - y if pipeline.inverted else y
        y = black if x <= low else y
        y = white if x > high else y
        y = y if x == x else nothing
        pixels[i] = np.uint8(np.int32(y + half))


# --- what was sampled in a volume


@compiled
def shade(values: Floats, sub: int, pipeline: Greyscale, picture: NDArray[np.uint8]) -> None:
    """Fill `picture` (rows, columns) from kept values of a volume, NaN where nothing is: (rows x sub, columns x sub), of which
    each pixel is the mean of those that are something."""
    number = values.dtype.type
    slope, intercept = number(pipeline.slope), number(pipeline.intercept)
    as_they_are = sub == 1 and slope == number(1.0) and intercept == number(0.0)
    line = np.empty(picture.shape[1], values.dtype)
    for row in range(picture.shape[0]):
        if as_they_are:
            _shade(values[row], pipeline, picture[row])
            continue
        if sub == 1:
            line[:] = values[row]
        else:
            _mean_of_blocks(values[row * sub : (row + 1) * sub], sub, line)
        for i in range(line.size):
            line[i] = line[i] * slope + intercept
        _shade(line, pipeline, picture[row])


@compiled
def _mean_of_blocks(values: Floats, sub: int, line: Floats) -> None:
    """`line` = means of the blocks that lie side by side in `values` (sub, columns x sub); NaN where a block has nothing."""
    number = values.dtype.type
    for column in range(line.size):
        total, count = number(0.0), number(0.0)
        for i in range(sub):
            for j in range(sub):
                value = values[i, column * sub + j]
                if value == value:
                    total += value
                    count += number(1.0)
        line[column] = total / count if count > number(0.0) else number(math.nan)


# --- native


@compiled
def draw_native(
    values: NDArray[np.generic],
    first_row: int,
    first_column: int,
    pipeline: Greyscale,
    picture: NDArray[np.uint8],
) -> None:
    """One voxel, one pixel: fill `picture` (rows, columns) from `values` beginning at (first_row, first_column)."""
    line = np.empty(picture.shape[1], np.float64)
    for row in range(picture.shape[0]):
        _modality(values[first_row + row, first_column : first_column + line.size], pipeline, line)
        _shade(line, pipeline, picture[row])


@compiled
def look_up(
    values: NDArray[np.generic],
    first_row: int,
    first_column: int,
    lowest: int,
    table: NDArray[np.uint8],
    picture: NDArray[np.uint8],
) -> None:
    """As `draw_native` for integers, from a table that holds the grey of every value from `lowest` on."""
    for row in range(picture.shape[0]):
        voxels = values[first_row + row, first_column : first_column + picture.shape[1]]
        pixels = picture[row]
        for i in range(pixels.size):
            pixels[i] = table[np.int64(voxels[i]) - lowest]


@compiled
def is_slope(table: NDArray[np.uint8], rise: int, start: int, shift: int) -> bool:
    """Whether (i * rise + start) >> shift, kept in 0..255, is every entry i of the table."""
    wrong = np.int64(0)
    for i in range(table.size):
        level = min(max((i * rise + start) >> shift, 0), 255)
        wrong |= np.int64(level) ^ np.int64(table[i])
    return bool(wrong == 0)


@compiled
def climb(
    values: NDArray[np.generic],
    first_row: int,
    first_column: int,
    lowest: int,
    rise: int,
    start: int,
    shift: int,
    picture: NDArray[np.uint8],
) -> None:
    """As `look_up` where `is_slope` holds: whole-number arithmetic in place of the table, which vectorises."""
    for row in range(picture.shape[0]):
        voxels = values[first_row + row, first_column : first_column + picture.shape[1]]
        pixels = picture[row]
        for i in range(pixels.size):
            level = ((np.int64(voxels[i]) - lowest) * rise + start) >> shift
            pixels[i] = np.uint8(min(max(level, np.int64(0)), np.int64(255)))


# --- resampled; starts and weights are those of `sampling.taps`, `stride` is 3 for colour samples side by side in a row


@compiled
def draw_enlarged(
    values: NDArray[np.generic],
    row_starts: NDArray[np.int64],
    row_weights: Floats,
    column_starts: NDArray[np.int64],
    column_weights: Floats,
    stride: int,
    pipeline: Greyscale,
    picture: NDArray[np.uint8],
) -> None:
    """Bilinear, two taps a direction.

    Every source row is stretched once and serves all picture rows between it and the next, so the part that does not
    vectorise is done once a source row, not once a picture row.
    """
    first = column_starts.min()
    columns = picture.shape[1]
    source = np.zeros(column_starts.max() + stride + 1 - first, row_weights.dtype)
    voxels = source[: min(source.size, values.shape[1] - first)]
    stretched = np.zeros((2, columns), row_weights.dtype)
    shares = np.zeros((2, columns), row_weights.dtype)
    held = np.full(2, -1, np.int64)
    line = np.empty(columns, row_weights.dtype)
    for row in range(picture.shape[0]):
        for tap in range(2):
            wanted = row_starts[row] + tap
            slot = wanted & 1
            if held[slot] != wanted and row_weights[row, tap] > 0.0:
                held[slot] = wanted
                _modality(values[wanted, first : first + voxels.size], pipeline, voxels)
                if pipeline.holes:
                    _stretch_masked(source, first, stride, column_starts, column_weights, stretched[slot], shares[slot])
                else:
                    _stretch(source, first, stride, column_starts, column_weights, stretched[slot])
        above = row_starts[row] & 1
        below = 1 - above
        # A row of no weight may never have been stretched.
        if row_weights[row, 0] == 0.0:
            above = below
        if row_weights[row, 1] == 0.0:
            below = above
        _blend(stretched[above], row_weights[row, 0], stretched[below], row_weights[row, 1], line)
        if pipeline.holes:
            _divide(line, shares[above], row_weights[row, 0], shares[below], row_weights[row, 1])
        _shade(line, pipeline, picture[row])


@compiled
def _stretch(
    source: Floats, first: int, stride: int, starts: NDArray[np.int64], weights: Floats, stretched: Floats
) -> None:
    """One source row to picture columns."""
    for column in range(starts.size):
        left = starts[column] - first
        stretched[column] = source[left] * weights[column, 0] + source[left + stride] * weights[column, 1]


@compiled
def _stretch_masked(
    source: Floats,
    first: int,
    stride: int,
    starts: NDArray[np.int64],
    weights: Floats,
    stretched: Floats,
    shares: Floats,
) -> None:
    """The same where values may be NaN: sums of weight x value, and of weight, over those that are not."""
    nothing = source.dtype.type(0.0)
    for column in range(starts.size):
        left = source[starts[column] - first]
        right = source[starts[column] - first + stride]
        left_weight = weights[column, 0] if left == left else nothing
        right_weight = weights[column, 1] if right == right else nothing
        left = left if left == left else nothing
        right = right if right == right else nothing
        stretched[column] = left * left_weight + right * right_weight
        shares[column] = left_weight + right_weight


@compiled
def _blend(above: Floats, above_weight: Number, below: Floats, below_weight: Number, line: Floats) -> None:
    for column in range(line.size):
        line[column] = above[column] * above_weight + below[column] * below_weight


@compiled
def _divide(line: Floats, above: Floats, above_weight: Number, below: Floats, below_weight: Number) -> None:
    """Sums to means: by the weight that fell on voxels; NaN where hardly any did."""
    number = line.dtype.type
    least, nothing = number(_LEAST_WEIGHT), number(math.nan)
    for column in range(line.size):
        share = above[column] * above_weight + below[column] * below_weight
        line[column] = line[column] / share if share >= least else nothing


@compiled
def draw_reduced(
    values: NDArray[np.generic],
    row_starts: NDArray[np.int64],
    row_weights: Floats,
    column_starts: NDArray[np.int64],
    column_weights: Floats,
    stride: int,
    pipeline: Greyscale,
    picture: NDArray[np.uint8],
) -> None:
    """Any number of taps in both directions (area mean): source rows are summed first, which vectorises, then columns."""
    taps = column_weights.shape[1]
    first = column_starts.min()
    size = column_starts.max() + (taps - 1) * stride + 1 - first
    source = np.zeros(size, row_weights.dtype)
    voxels = source[: min(size, values.shape[1] - first)]
    total = np.empty(size, row_weights.dtype)
    share = np.empty(size, row_weights.dtype)
    line = np.empty(picture.shape[1], row_weights.dtype)
    shares = np.empty(picture.shape[1], row_weights.dtype)
    one, nothing = row_weights.dtype.type(1.0), row_weights.dtype.type(0.0)
    for row in range(picture.shape[0]):
        total[:] = 0.0
        share[:] = 0.0
        for tap in range(row_weights.shape[1]):
            weight = row_weights[row, tap]
            if weight > 0.0:
                _modality(values[row_starts[row] + tap, first : first + voxels.size], pipeline, voxels)
                if pipeline.holes:
                    _add_masked(source, weight, total, share)
                else:
                    _add(source, weight, total)
        _gather(total, first, stride, column_starts, column_weights, line)
        if pipeline.holes:
            _gather(share, first, stride, column_starts, column_weights, shares)
            _divide(line, shares, one, shares, nothing)
        _shade(line, pipeline, picture[row])


@compiled
def _add(source: Floats, weight: Number, total: Floats) -> None:
    for i in range(source.size):
        total[i] += weight * source[i]


@compiled
def _add_masked(source: Floats, weight: Number, total: Floats, share: Floats) -> None:
    nothing = source.dtype.type(0.0)
    for i in range(source.size):
        real = source[i] == source[i]
        total[i] += weight * (source[i] if real else nothing)
        share[i] += weight if real else nothing


@compiled
def _gather(total: Floats, first: int, stride: int, starts: NDArray[np.int64], weights: Floats, line: Floats) -> None:
    """Sums of source columns to sums of picture columns."""
    for column in range(line.size):
        start = starts[column] - first
        value = total.dtype.type(0.0)
        for tap in range(weights.shape[1]):
            value += total[start + tap * stride] * weights[column, tap]
        line[column] = value
