"""Bricks of a volume: the least and greatest value of each cube, of a finished volume or of slices as they come in.

Compiled and without the interpreter lock, like all that is done for hundreds of frames in a row.
"""

from __future__ import annotations

import math
import threading

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled, inlined
from .storing import Run, Voxels, convert, read_only, serial
from .volume import HOLE, Bricks, Cells

BRICK = 8
COARSE = 4
"""A coarse brick is as many bricks long."""


def bricks_of(values: Voxels, run: Run = serial) -> Bricks:
    """The bricks of a grey volume (slices, rows, columns); bands of 8 slices are given to `run`."""
    least, greatest = _nothing_yet(_bands(values.shape), values.dtype)
    voxels = read_only(values)
    kernel = _brick_whole if values.dtype == np.int16 else _brick_floats
    run(lambda first, end: kernel(voxels, first, end, least, greatest), least.shape[0])
    return _with_coarse(least, greatest)


class GrowingBricks:
    """Bricks of an int16 volume of `shape` whose slices come in runs, in any order and from several threads."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._bands = _bands(shape)
        self._least, self._greatest = _nothing_yet(self._bands, np.dtype(np.int16))
        self._missing = shape[0]
        self._lock = threading.Lock()

    def part(self, first: int, slices: int) -> BrickPart:
        """Where the bricks of slices first .. first + slices - 1 are gathered."""
        return BrickPart(first, slices, self._bands[1:])

    def add(self, part: BrickPart) -> None:
        """A part in which all its slices were taken."""
        bands = slice(part.first_band, part.first_band + part.least.shape[0])
        with self._lock:
            np.minimum(self._least[bands], part.least, out=self._least[bands])
            np.maximum(self._greatest[bands], part.greatest, out=self._greatest[bands])
            self._missing -= part.slices

    def finished(self) -> Bricks | None:
        """None while slices are missing."""
        return None if self._missing else _with_coarse(self._least, self._greatest)


class BrickPart:
    """What a run of neighbouring slices adds to the bricks."""

    def __init__(self, first: int, slices: int, across: tuple[int, int]) -> None:
        self.first, self.slices = first, slices
        self.first_band = first_band(first)
        bands = (first + slices - 1) // BRICK + 1 - self.first_band
        self.least, self.greatest = _nothing_yet((bands, *across), np.dtype(np.int16))


@inlined
def first_band(first: int) -> int:
    """The first band of bricks that slice `first` is in: a band's last slice is also the first one of the next."""
    return max(first - 1, 0) // BRICK


@compiled
def take_slice(
    values: NDArray[np.int16],
    how: Cells,
    number: int,
    first: int,
    end: int,
    low: NDArray[np.int16],
    high: NDArray[np.int16],
    least: NDArray[np.int16],
    greatest: NDArray[np.int16],
) -> bool:
    """Slice `number` of the run first .. end - 1, taken in their order: convert it in place as `how` says, and gather its
    extremes while it lies in the processor's cache. True where some of it is no image.

    `values` (rows, columns); `low` and `high` (bands of rows, columns) are kept between the slices of one band; `least` and
    `greatest` are those of the run's `BrickPart`.
    """
    rows, columns = values.shape
    flat = values.reshape(-1)
    if number == first or number % BRICK == 0:
        low[:] = -HOLE - 1
        high[:] = HOLE
    holes, done = False, 0
    for row_band in range(low.shape[0]):
        until = min(BRICK * row_band + BRICK + 1, rows)
        holes |= convert(flat[done * columns : until * columns], how)
        done = until
        _widen(values[BRICK * row_band : until], low[row_band], high[row_band])
    band = number // BRICK - first_band(first)
    if number % BRICK == 0 and number:
        _cut_rows(low, high, least[band - 1], greatest[band - 1])
    if number % BRICK == BRICK - 1 or number == end - 1:
        _cut_rows(low, high, least[band], greatest[band])
    return holes


def _bands(shape: tuple[int, ...]) -> tuple[int, int, int]:
    slices, rows, columns = (-(-side // BRICK) for side in shape)
    return slices, rows, columns


def _nothing_yet(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> tuple[Voxels, Voxels]:
    """What least and greatest are where there are only holes."""
    most, least = (-HOLE - 1, HOLE) if dtype == np.int16 else (math.inf, -math.inf)
    return np.full(shape, most, dtype), np.full(shape, least, dtype)


def _with_coarse(least: Voxels, greatest: Voxels) -> Bricks:
    return Bricks(least, greatest, _coarse(least, np.minimum), _coarse(greatest, np.maximum))


def _coarse(fine: Voxels, reduce: np.ufunc) -> Voxels:
    for axis in range(3):
        fine = reduce.reduceat(fine, np.arange(0, fine.shape[axis], COARSE), axis=axis)
    return np.ascontiguousarray(fine)


@inlined
def _widen(lines: NDArray[np.int16], low: NDArray[np.int16], high: NDArray[np.int16]) -> None:
    """Let the extremes of each column take in some lines: three at a time, so that little is written, and never more, so
    that the compiler still takes many columns at once."""
    threes = lines.shape[0] // 3 * 3
    for i in range(0, threes, 3):
        _widen_by_three(lines[i], lines[i + 1], lines[i + 2], low, high)
    for i in range(threes, lines.shape[0]):
        _widen_by_three(lines[i], lines[i], lines[i], low, high)


@inlined
def _widen_by_three(
    one: NDArray[np.int16],
    two: NDArray[np.int16],
    three: NDArray[np.int16],
    low: NDArray[np.int16],
    high: NDArray[np.int16],
) -> None:
    hole, most = np.int16(HOLE), np.int16(-HOLE - 1)
    for j in range(low.size):
        a, b, c, lowest, highest = one[j], two[j], three[j], low[j], high[j]
        highest = a if a > highest else highest
        highest = b if b > highest else highest
        high[j] = c if c > highest else highest
        a = most if a == hole else a
        b = most if b == hole else b
        c = most if c == hole else c
        lowest = a if a < lowest else lowest
        lowest = b if b < lowest else lowest
        low[j] = c if c < lowest else lowest


@compiled
def _brick_whole(
    values: NDArray[np.int16],
    first: int,
    end: int,
    least: NDArray[np.int16],
    greatest: NDArray[np.int16],
) -> None:
    """Bands [first, end) of bricks. Whole lines are compared first and are then cut into bricks."""
    slices, rows, columns = values.shape
    low, high = np.empty(columns, np.int16), np.empty(columns, np.int16)
    for band in range(first, end):
        for row_band in range(least.shape[1]):
            low[:] = -HOLE - 1
            high[:] = HOLE
            for k in range(BRICK * band, min(BRICK * band + BRICK + 1, slices)):
                _widen(values[k, BRICK * row_band : min(BRICK * row_band + BRICK + 1, rows)], low, high)
            _cut(low, high, least[band, row_band], greatest[band, row_band])


@compiled
def _brick_floats(
    values: NDArray[np.float32],
    first: int,
    end: int,
    least: NDArray[np.float32],
    greatest: NDArray[np.float32],
) -> None:
    """The same; a comparison with NaN is false, so holes change nothing."""
    slices, rows, columns = values.shape
    most = np.float32(math.inf)
    low, high = np.empty(columns, np.float32), np.empty(columns, np.float32)
    for band in range(first, end):
        for row_band in range(least.shape[1]):
            low[:] = most
            high[:] = -most
            for k in range(BRICK * band, min(BRICK * band + BRICK + 1, slices)):
                for i in range(BRICK * row_band, min(BRICK * row_band + BRICK + 1, rows)):
                    line = values[k, i]
                    for j in range(columns):
                        value, highest = line[j], high[j]
                        high[j] = value if value > highest else highest
                    for j in range(columns):
                        value, lowest = line[j], low[j]
                        low[j] = value if value < lowest else lowest
            _cut(low, high, least[band, row_band], greatest[band, row_band])


@compiled
def _cut_rows(low: Voxels, high: Voxels, least: Voxels, greatest: Voxels) -> None:
    for row_band in range(low.shape[0]):
        _cut(low[row_band], high[row_band], least[row_band], greatest[row_band])


@compiled
def _cut(low: Voxels, high: Voxels, least: Voxels, greatest: Voxels) -> None:
    """Take the least and greatest of a line's columns into each brick along it: of all whole bricks the same column at a
    time, so that the compiler takes many bricks at once."""
    whole = (low.size - 1) // BRICK
    for column in range(BRICK + 1):
        for brick in range(whole):
            value, lowest = low[BRICK * brick + column], least[brick]
            least[brick] = value if value < lowest else lowest
        for brick in range(whole):
            value, highest = high[BRICK * brick + column], greatest[brick]
            greatest[brick] = value if value > highest else highest
    for brick in range(whole, least.size):
        for j in range(BRICK * brick, low.size):
            least[brick] = min(least[brick], low[j])
            greatest[brick] = max(greatest[brick], high[j])


def warm() -> None:
    """Compile what bricks a finished volume, or load it from the cache."""
    for dtype in (np.int16, np.float32):
        bricks_of(np.zeros((2, 2, 2), dtype))
