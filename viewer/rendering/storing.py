"""Frames into a volume: stored values to kept ones, uneven slices to a regular grid.

Everything here is called for hundreds of frames in a row on threads of the engine, so what takes time is compiled and holds
no interpreter lock.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .colour import to_rgb
from .compiled import compiled
from .volume import HOLE, CellDescription, Cells, Frame, FrameDescription, Layers, LookupTable, Storage

Voxels = NDArray[Any]
"""int16 or float32."""

Run = Callable[[Callable[[int, int], None], int], None]
"""Calls a function for ranges [first, end) that together are 0 .. n, on as many threads as it likes."""


def serial(work: Callable[[int, int], None], count: int) -> None:
    """The plainest `Run`."""
    work(0, count)


# --- one frame


def store(frame: Frame, storage: Storage, out: Voxels) -> bool:
    """Keep `frame` in its slice of a volume: `out` (rows, columns), or (3, rows, columns) of a colour volume.

    True where some of it is no image (padding, no number). Raises ValueError for a frame of another kind or size than the
    volume was planned for.
    """
    if storage.colour:
        out[...] = np.moveaxis(to_rgb(frame), 2, 0)
        return False
    if frame.values.shape != out.shape or not out.flags.c_contiguous:
        raise ValueError(f"a frame of {frame.values.shape} does not go into a slice of {out.shape}")
    description = frame.description
    flat = out.reshape(-1)
    if out.dtype == np.float32:
        numbers = frame.values.astype(np.float64).reshape(-1)
        low, high = _padding(description)
        table, first = _table(description)
        slope, intercept = description.rescale_slope, description.rescale_intercept
        return bool(_to_floats(read_only(numbers), slope, intercept, table, first, low, high, flat))
    if description.modality_lut is not None:
        return _store_looked_up(frame.values, description, description.modality_lut, out)
    if frame.values.dtype.kind == "f":
        raise ValueError("floating point values in a volume of whole numbers")
    np.copyto(out, frame.values, casting="unsafe")
    return bool(convert(flat, storage.cells(_cells_of(description))))


def read_only(values: Voxels) -> Voxels:
    """To Numba an array that may be written to is another type: read-only, every kernel is compiled once."""
    values = values.view()
    values.flags.writeable = False
    return values


def _cells_of(description: FrameDescription) -> CellDescription:
    """Of a decoded frame, whose stored bits are at the low end of its values."""
    bits = description.bits_stored
    return CellDescription(
        bits, bits - 1, bool(description.pixel_representation), description.rescale_intercept, description.pixel_padding
    )


def _padding(description: FrameDescription) -> tuple[float, float]:
    low, high = description.pixel_padding or (1, 0)
    return float(low), float(high)


def _table(description: FrameDescription) -> tuple[NDArray[np.float64], float]:
    """The Modality LUT; an empty one where Rescale Slope and Intercept apply."""
    table = description.modality_lut
    return (np.empty(0), 0.0) if table is None else (table.data.astype(np.float64), float(table.first_value_mapped))


def _store_looked_up(values: Voxels, description: FrameDescription, table: LookupTable, out: Voxels) -> bool:
    """Through a Modality LUT whose entries fit into the volume (PS3.3 C.11.1.1)."""
    stored = values.astype(np.int32)
    out[...] = table.data[np.clip(stored - table.first_value_mapped, 0, table.data.size - 1)]
    low, high = description.pixel_padding or (1, 0)
    padding = (stored >= low) & (stored <= high)
    out[padding] = HOLE
    return bool(padding.any())


@compiled
def convert(values: NDArray[np.int16], how: Cells) -> bool:
    """16-bit cells of a file in this machine's order, where they lie, to values of an int16 volume. True where some of it
    is no image.

    One array, because two that overlap keep the compiler from taking many values at once; and 16 bits at every step, because
    it takes twice as many of them as of wider ones.
    """
    mask, sign, offset = np.uint16(how.mask), np.uint16(how.sign), np.uint16(how.offset)
    low, span = np.uint16(how.padding_low), np.uint16(how.padding_span)
    hole, instead = np.int16(HOLE), np.int16(how.instead)
    least = np.int16(0)
    if how.right:  # hardly ever, and it takes as long as all the rest
        for i in range(values.size):
            values[i] = np.int16(np.uint16(values[i]) >> np.uint16(how.right))
    if how.padded:
        for i in range(values.size):
            stored = np.uint16(np.uint16(np.uint16(np.uint16(values[i]) & mask) ^ sign) - sign)
            kept = np.int16(np.uint16(stored + offset))
            kept = instead if kept == hole else kept
            kept = hole if np.uint16(stored - low) <= span else kept
            least = kept if kept < least else least
            values[i] = kept
    else:
        for i in range(values.size):
            stored = np.uint16(np.uint16(np.uint16(np.uint16(values[i]) & mask) ^ sign) - sign)
            kept = np.int16(np.uint16(stored + offset))
            values[i] = instead if kept == hole else kept
    return bool(least == hole)


@compiled
def _to_floats(
    stored: NDArray[np.float64],
    slope: float,
    intercept: float,
    table: NDArray[np.float64],
    first: float,
    low: float,
    high: float,
    out: NDArray[np.float32],
) -> bool:
    """Modality values; NaN for padding and for what is no finite number."""
    found = False
    for i in range(out.size):
        value = stored[i] * slope + intercept
        if table.size:
            value = table[int(min(max(stored[i] - first, 0.0), float(table.size - 1)))]
        kept = np.float32(value)
        hole = (low <= stored[i] <= high) or not math.isfinite(kept)
        found |= hole
        out[i] = np.float32(math.nan) if hole else kept
    return found


# --- uneven slices


def lay(values: Voxels, layers: Layers, run: Run = serial) -> Voxels:
    """A volume on its regular grid, (slices, rows, columns) or (3, slices, rows, columns), from the frames of `values`.

    A mean of two slices is taken over those of the two that are image; int16 is rounded to the nearest. Read-only.
    """
    planes = values if values.ndim == 4 else values[None]
    slices = layers.below.size
    laid = np.empty((planes.shape[0], slices, *planes.shape[2:]), values.dtype)

    def work(first: int, end: int) -> None:
        for channel in range(planes.shape[0]):
            for k in range(first, end):
                _lay_slice(planes[channel], int(layers.below[k]), layers.weight[k], laid[channel, k])

    run(work, slices)
    laid.flags.writeable = False
    return laid if values.ndim == 4 else laid[0]


def _lay_slice(frames: Voxels, below: int, weight: np.float32, out: Voxels) -> None:
    if below < 0:
        out[...] = HOLE if out.dtype == np.int16 else np.nan
    elif weight == 0.0:
        out[...] = frames[below]
    else:
        lower, upper = (read_only(frames[k].reshape(-1)) for k in (below, below + 1))
        blend = _blend_whole if out.dtype == np.int16 else _blend_floats
        blend(lower, upper, weight, out.reshape(-1))


@compiled
def _blend_whole(
    lower: NDArray[np.int16], upper: NDArray[np.int16], weight: np.float32, out: NDArray[np.int16]
) -> None:
    hole = np.int16(HOLE)
    for i in range(out.size):
        a, b = np.float32(lower[i]), np.float32(upper[i])
        mean = a + (b - a) * weight
        kept = np.int16(np.int32(math.floor(mean + np.float32(0.5))))
        kept = lower[i] if upper[i] == hole else kept
        out[i] = upper[i] if lower[i] == hole else kept


@compiled
def _blend_floats(
    lower: NDArray[np.float32], upper: NDArray[np.float32], weight: np.float32, out: NDArray[np.float32]
) -> None:
    for i in range(out.size):
        a, b = lower[i], upper[i]
        kept = a + (b - a) * weight
        kept = a if b != b else kept
        out[i] = b if a != a else kept


def warm() -> None:
    """Compile everything here, or load it from the cache."""
    for dtype in (np.int16, np.float32):
        values = np.zeros((2, 2, 2), dtype)
        lay(values, Layers(np.array([0], np.int32), np.array([0.5], np.float32)))
    convert(np.zeros(4, np.int16), Cells(0, 0xFFFF, 0, 0, False, 0, 0, 0))
    _to_floats(read_only(np.zeros(4)), 1.0, 0.0, np.empty(0), 0.0, 1.0, 0.0, np.empty(4, np.float32))
