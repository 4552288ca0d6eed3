"""Greyscale kernels: stored values to 8 bits, at native size (PS3.4 N.2.1) or resampled on the way, in one pass.

A row is always drawn in the same two steps: modality values as 64-bit floats with NaN for what is no image (`_modality`),
then VOI, polarity and rounding (`_shade`), where NaN is background. The lines of floats stay in the first-level cache, so
the two steps cost no more than one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled

RAMP, SIGMOID, TABLE = 0, 1, 2
"""Shapes of a VOI curve. LINEAR and LINEAR_EXACT are both a ramp, with other corners."""

_LEAST_WEIGHT = 1.0 / 256.0
"""A picture pixel with less than this share of real voxels is background: rounding must not decide whether it shows."""


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
def _modality(voxels: NDArray[np.generic], pipeline: Greyscale, line: NDArray[np.float64]) -> None:
    """`line` = modality values of one row of `voxels`, NaN for padding."""
    slope, intercept = pipeline.slope, pipeline.intercept
    low, high = pipeline.padding_low, pipeline.padding_high
    if pipeline.modality.size:
        last = pipeline.modality.size - 1
        for i in range(line.size):
            stored = float(voxels[i])
            entry = min(max(stored - pipeline.modality_first, 0.0), float(last))
            line[i] = math.nan if low <= stored <= high else pipeline.modality[int(entry)]
    elif low <= high:
        for i in range(line.size):
            stored = float(voxels[i])
            value = stored * slope + intercept
            line[i] = math.nan if (stored >= low) & (stored <= high) else value
    else:
        for i in range(line.size):
            line[i] = voxels[i] * slope + intercept


@compiled
def _shade(line: NDArray[np.float64], pipeline: Greyscale, pixels: NDArray[np.uint8]) -> None:
    """`pixels` = VOI, polarity and floor(y + 0.5) of `line`; 0 for NaN."""
    if pipeline.curve == RAMP:
        center, width, low, high = pipeline.center, pipeline.width, pipeline.low, pipeline.high
        black, white = (255.0, 0.0) if pipeline.inverted else (0.0, 255.0)
        for i in range(line.size):
            x = line[i]
            y = ((x - center) / width + 0.5) * 255.0
            y = 255.0 - y if pipeline.inverted else y
            y = black if x <= low else y
            y = white if x > high else y
            y = y if x == x else 0.0
            pixels[i] = np.uint8(np.int32(y + 0.5))
        return
    last = pipeline.table.size - 1
    for i in range(line.size):
        x = line[i]
        if x != x:
            pixels[i] = 0
            continue
        if pipeline.curve == SIGMOID:
            y = 255.0 / (1.0 + math.exp(-4.0 * (x - pipeline.center) / pipeline.width))
        else:
            y = pipeline.table[int(min(max(math.floor(x + 0.5) - pipeline.table_first, 0.0), float(last)))]
        y = 255.0 - y if pipeline.inverted else y
        pixels[i] = np.uint8(np.int32(y + 0.5))


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
        for column in range(picture.shape[1]):
            entry = np.int64(values[first_row + row, first_column + column]) - lowest
            picture[row, column] = table[entry]


@compiled
def draw_enlarged(
    values: NDArray[np.generic],
    row_starts: NDArray[np.int64],
    row_weights: NDArray[np.float64],
    column_starts: NDArray[np.int64],
    column_weights: NDArray[np.float64],
    stride: int,
    pipeline: Greyscale,
    picture: NDArray[np.uint8],
) -> None:
    """Bilinear, two taps a direction (`sampling.taps`); `stride` is 3 for colour samples side by side in a row.

    Every source row is stretched once and serves all picture rows between it and the next, so the part that does not
    vectorise is done once a source row, not once a picture row.
    """
    first = column_starts.min()
    source = np.zeros(column_starts.max() + stride + 1 - first, np.float64)
    voxels = source[: min(source.size, values.shape[1] - first)]
    stretched = np.zeros((2, picture.shape[1]), np.float64)
    shares = np.zeros((2, picture.shape[1]), np.float64)
    held = np.full(2, -1, np.int64)
    line = np.empty(picture.shape[1], np.float64)
    for row in range(picture.shape[0]):
        for tap in range(2):
            wanted = row_starts[row] + tap
            slot = wanted & 1
            if held[slot] != wanted and row_weights[row, tap] > 0.0:
                held[slot] = wanted
                _modality(values[wanted, first : first + voxels.size], pipeline, voxels)
                _stretch(source, first, stride, column_starts, column_weights, stretched[slot], shares[slot])
        above = row_starts[row] & 1
        below = 1 - above
        # A row of no weight may never have been drawn.
        if row_weights[row, 0] == 0.0:
            above = below
        if row_weights[row, 1] == 0.0:
            below = above
        _blend(
            stretched[above],
            shares[above],
            row_weights[row, 0],
            stretched[below],
            shares[below],
            row_weights[row, 1],
            line,
        )
        _shade(line, pipeline, picture[row])


@compiled
def _stretch(
    source: NDArray[np.float64],
    first: int,
    stride: int,
    starts: NDArray[np.int64],
    weights: NDArray[np.float64],
    stretched: NDArray[np.float64],
    shares: NDArray[np.float64],
) -> None:
    """One source row to picture columns: sums of weight x value, and of weight, over what is no padding."""
    for column in range(starts.size):
        left = source[starts[column] - first]
        right = source[starts[column] - first + stride]
        left_weight = weights[column, 0] if left == left else 0.0
        right_weight = weights[column, 1] if right == right else 0.0
        left = left if left == left else 0.0
        right = right if right == right else 0.0
        stretched[column] = left * left_weight + right * right_weight
        shares[column] = left_weight + right_weight


@compiled
def _blend(
    above: NDArray[np.float64],
    above_shares: NDArray[np.float64],
    above_weight: float,
    below: NDArray[np.float64],
    below_shares: NDArray[np.float64],
    below_weight: float,
    line: NDArray[np.float64],
) -> None:
    """Two stretched rows to one, NaN where padding leaves nothing."""
    for column in range(line.size):
        share = above_shares[column] * above_weight + below_shares[column] * below_weight
        total = above[column] * above_weight + below[column] * below_weight
        line[column] = total / share if share >= _LEAST_WEIGHT else math.nan


@compiled
def draw_reduced(
    values: NDArray[np.generic],
    row_starts: NDArray[np.int64],
    row_weights: NDArray[np.float64],
    column_starts: NDArray[np.int64],
    column_weights: NDArray[np.float64],
    stride: int,
    pipeline: Greyscale,
    picture: NDArray[np.uint8],
) -> None:
    """Any number of taps in both directions (area mean): source rows are summed first, which vectorises, then columns."""
    taps = column_weights.shape[1]
    first = column_starts.min()
    size = column_starts.max() + (taps - 1) * stride + 1 - first
    total = np.empty(size, np.float64)
    share = np.empty(size, np.float64)
    source = np.zeros(size, np.float64)
    voxels = source[: min(size, values.shape[1] - first)]
    line = np.empty(picture.shape[1], np.float64)
    for row in range(picture.shape[0]):
        total[:] = 0.0
        share[:] = 0.0
        for tap in range(row_weights.shape[1]):
            weight = row_weights[row, tap]
            if weight > 0.0:
                _modality(values[row_starts[row] + tap, first : first + voxels.size], pipeline, voxels)
                for i in range(size):
                    real = source[i] == source[i]
                    total[i] += weight * (source[i] if real else 0.0)
                    share[i] += weight if real else 0.0
        for column in range(line.size):
            value, weight = 0.0, 0.0
            start = column_starts[column] - first
            for tap in range(taps):
                value += total[start + tap * stride] * column_weights[column, tap]
                weight += share[start + tap * stride] * column_weights[column, tap]
            line[column] = value / weight if weight >= _LEAST_WEIGHT else math.nan
        _shade(line, pipeline, picture[row])
