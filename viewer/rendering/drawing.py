"""One frame, a resolved View and a placement to pixels: which kernel draws what."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import grey
from .colour import GREY, coloured, is_colour, to_rgb
from .dressing import state_of
from .grey import RAMP, TABLE, Greyscale
from .presented import with_table
from .presets import preset_of
from .sampling import Axis, Placement, taps
from .view import BadView, View
from .voi import curve_of, display_of
from .volume import Frame, FrameDescription, LookupTable

Pixels = NDArray[np.uint8]


def draw_slice(frame: Frame, view: View, placement: Placement) -> Pixels:
    """One frame as it lies: (rows, columns) grey, or (rows, columns, 3) for colour and under a colour map."""
    if is_colour(frame):
        rgb = to_rgb(frame)
        samples = rgb.reshape(rgb.shape[0], -1)
        return _laid_out(_sampled(samples, 3, colour_pipeline(view), placement), placement)
    drawn = _sampled(_drawable(frame.values), 1, grey_pipeline(view, frame), placement)
    picture = _laid_out(drawn, placement)[:, :, 0]
    return picture if view.color_map in (None, GREY) else coloured(picture, str(view.color_map))


def _drawable(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The four kinds of numbers that the kernels are compiled for. 32-bit integers are exact in 64-bit floats."""
    if values.dtype == np.int8:
        values = values.astype(np.int16)
    elif values.dtype == np.bool_:
        values = values.astype(np.uint8)
    elif values.dtype not in (np.uint8, np.uint16, np.int16):
        values = values.astype(np.float64)
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))


# --- the greyscale pipeline as numbers

_NONE = np.empty(0, np.float64)
_AS_IS = Greyscale(
    slope=1.0, intercept=0.0, modality=_NONE, modality_first=0.0, padding_low=1.0, padding_high=0.0, holes=False,
    curve=RAMP, center=127.5, width=255.0, low=0.0, high=255.0, table=_NONE, table_first=0.0, inverted=False,
)  # fmt: skip
"""0..255 as they are."""


def grey_pipeline(view: View, frame: Frame) -> Greyscale:
    """PS3.4 N.2.1 for one grey frame.

    MONOCHROME1 and Presentation LUT Shape INVERSE say the same thing (PS3.3 C.8.11.3.1.2 asks for both together), so they
    turn the picture once, not twice.
    """
    description = frame.description
    state = state_of(frame)
    inverse = description.photometric_interpretation == "MONOCHROME1" or description.presentation_inverse
    if state is not None:
        inverse = state.inverse  # polarity of the image counts no more (PS3.4 N.2.1.4)
    pipeline = _with_voi(_AS_IS, view, description)._replace(
        slope=float(description.rescale_slope),
        intercept=float(description.rescale_intercept),
        inverted=inverse != view.inverted,
        holes=description.pixel_padding is not None or frame.values.dtype.kind == "f",
    )
    if description.modality_lut is not None:
        table = description.modality_lut
        pipeline = pipeline._replace(
            modality=table.data.astype(np.float64), modality_first=float(table.first_value_mapped)
        )
    if description.pixel_padding is not None:
        low, high = description.pixel_padding
        pipeline = pipeline._replace(padding_low=float(low), padding_high=float(high))
    return pipeline if state is None or state.table is None else with_table(pipeline, state.table, frame)


def colour_pipeline(view: View) -> Greyscale:
    """For each channel on its own: as it is, or windowed, or inverted."""
    pipeline = _AS_IS if view.window_center is None else _with_voi(_AS_IS, view, None)
    return pipeline._replace(inverted=view.inverted)


def _with_voi(pipeline: Greyscale, view: View, description: FrameDescription | None) -> Greyscale:
    if view.preset is not None and description is not None:
        table = preset_of(description, view.preset)
        if isinstance(table, LookupTable):
            return pipeline._replace(curve=TABLE, table=display_of(table), table_first=float(table.first_value_mapped))
    if view.voi_lut_function is None or view.window_center is None or view.window_width is None:
        raise BadView("window_center: the View is not resolved")
    curve = curve_of(view.voi_lut_function, view.window_center, view.window_width)
    return pipeline._replace(curve=curve.kind, center=curve.center, width=curve.width, low=curve.low, high=curve.high)


# --- the part of the picture that the frame covers, along the FRAME's rows and columns: (rows, columns, channels)


def _sampled(values: NDArray[np.generic], channels: int, pipeline: Greyscale, placement: Placement) -> Pixels:
    """`values`: (rows, columns x channels).

    To Numba an array that may be written to is another type: all are passed as read-only, so that every kernel is
    compiled once for each kind of number and a frame that lies in somebody else's memory is not copied.
    """
    if values.dtype == np.uint8 and placement.sampling != "native":
        values = values.astype(np.uint16)  # cheaper than one more kind of number to compile for
    values = _read_only(values)
    rows, columns = placement.frame_rows, placement.frame_columns
    height, width = (axis.covered[1] - axis.covered[0] for axis in (rows, columns))
    drawn = np.empty((height, width * channels), np.uint8)
    if drawn.size == 0:
        return drawn.reshape(height, width, channels)
    if placement.sampling == "native":
        _draw_native(values, _first_voxel(rows), _first_voxel(columns) * channels, pipeline, drawn)
        return drawn.reshape(height, width, channels)[:: int(rows.step), :: int(columns.step)]
    # 32 bits are exact for 16 stored ones, and for the 16 of a LUT; floats and 32-bit integers may need more.
    precision = np.float64 if values.dtype == np.float64 else np.float32
    kernel = grey.draw_reduced if placement.sampling == "reduced" else grey.draw_enlarged
    down, across = taps(rows), taps(columns)
    starts = across.starts
    weights: NDArray[Any] = across.weights.astype(precision)
    if channels > 1:
        starts = (starts[:, None] * channels + np.arange(channels)).reshape(-1)
        weights = np.repeat(weights, channels, axis=0)
    kernel(values, down.starts, down.weights.astype(precision), starts, weights, channels, pipeline, drawn)
    return drawn.reshape(height, width, channels)


def _read_only(values: NDArray[np.generic]) -> NDArray[np.generic]:
    values = values.view()
    values.flags.writeable = False
    return values


def _first_voxel(axis: Axis) -> int:
    """The lowest voxel that a native axis shows."""
    first, end = axis.covered
    return int(axis.offset + (first if axis.step > 0 else -(end - 1)))


def _draw_native(values: NDArray[np.generic], row: int, column: int, pipeline: Greyscale, drawn: Pixels) -> None:
    """The exact pipeline, the fastest way that gives the same bytes (512 x 512, one thread).

    Integers: the pipeline is run once over every value that occurs, to a table. Where that table is a straight slope in
    whole numbers, which is checked entry by entry and holds for nearly every window, the picture is a multiplication and
    a shift (0.06 ms in all). Else a ramp is computed for each voxel (0.15 ms), and other curves are looked up (0.2 ms; a
    sigmoid for each voxel is 2 ms).
    """
    if values.dtype != np.float64:
        part = values[row : row + drawn.shape[0], column : column + drawn.shape[1]]
        lowest, highest = int(part.min()), int(part.max())
        if highest - lowest < drawn.size // 4:
            table = np.empty((1, highest - lowest + 1), np.uint8)
            every_value = _read_only(np.arange(lowest, highest + 1, dtype=np.float64)[None])
            grey.draw_native(every_value, 0, 0, pipeline, table)
            slope = _slope(table[0], pipeline, lowest)
            if slope is not None:
                grey.climb(values, row, column, lowest, *slope, drawn)
                return
            if pipeline.curve != RAMP or pipeline.modality.size:
                grey.look_up(values, row, column, lowest, table[0], drawn)
                return
    grey.draw_native(values, row, column, pipeline, drawn)


_SHIFT = 24
_STEEPEST = 2.0**15
"""Of 64 bits, 24 are the fraction; the steepest rise over 65,536 values still fits."""


def _slope(table: Pixels, pipeline: Greyscale, lowest: int) -> tuple[int, int, int] | None:
    """(rise, start, shift) with which `grey.climb` draws this table of a ramp exactly, if there are such numbers."""
    if pipeline.curve != RAMP or pipeline.modality.size or pipeline.width == 0.0:
        return None
    rise = pipeline.slope / pipeline.width * 255.0
    start = ((lowest * pipeline.slope + pipeline.intercept - pipeline.center) / pipeline.width + 0.5) * 255.0
    if pipeline.inverted:
        rise, start = -rise, 255.0 - start
    if not abs(rise) < _STEEPEST or not abs(start) < _STEEPEST:
        return None
    whole = (round(rise * 2**_SHIFT), round((start + 0.5) * 2**_SHIFT), _SHIFT)
    return whole if grey.is_slope(table, *whole) else None


def _laid_out(drawn: Pixels, placement: Placement) -> Pixels:
    """Turn what was drawn along the frame into the picture, and put background around it."""
    if placement.transposed:
        drawn = drawn.transpose(1, 0, 2)
    shape = (placement.rows.length, placement.columns.length, drawn.shape[2])
    if drawn.shape == shape:
        return np.ascontiguousarray(drawn)
    picture = np.zeros(shape, np.uint8)
    (top, bottom), (left, right) = placement.rows.covered, placement.columns.covered
    picture[top:bottom, left:right] = drawn
    return picture
