"""`render(frame, view) -> Picture`: the one function behind every picture that leaves the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import grey
from .colour import COLOR_MAPS, GREY, coloured, is_colour, to_rgb
from .geometry import PictureGeometry, picture_geometry, picture_millimetres
from .grey import RAMP, TABLE, Greyscale
from .presets import Preset, named_presets, preset_of
from .sampling import Axis, Placement, place, resolve_size, taps
from .view import BadView, View
from .voi import curve_of, default_function, default_voi, display_of
from .volume import Frame, FrameDescription, LookupTable, Window

RENDERER = "numba/1"
"""Kernel family and version; the version grows whenever any byte of any picture changes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished picture: `pixels` are 8 bits, (rows, columns) grey or (rows, columns, 3) RGB, C-contiguous."""

    pixels: NDArray[np.uint8]
    sampling: str
    """`native`, `enlarged`, `reduced` or `reformatted`."""
    geometry: PictureGeometry | None
    millimetres: tuple[float, float] | None
    """mm between the picture's rows and between its columns, where the file says so."""
    millimetres_source: str
    """What says so ("Pixel Spacing"); empty without millimetres."""
    view: View
    """Resolved: what was drawn, with nothing left to choose."""


def resolve(view: View, frame: Frame) -> View:
    """Fill everything the View leaves to the server. Resolving twice is resolving once.

    Raises `BadView` for what this frame cannot be drawn with.
    """
    description = frame.description
    view = resolve_size(view, description)
    view = _resolve_colour_window(view) if is_colour(frame) else _resolve_window(view, frame)
    return replace(
        view,
        sop_instance_uid=description.sop_instance_uid,
        frame_number=description.frame_number,
        color_map=_color_map(view, frame),
    )


def render(frame: Frame, view: View) -> Picture:
    """Draw one frame. Pure, safe in any thread, the same bytes every time. Raises `BadView`."""
    view = resolve(view, frame)
    placement = place(view, frame.description)
    millimetres = picture_millimetres(placement, frame.description)
    return Picture(
        pixels=PROJECTIONS[view.projection](frame, view, placement),
        sampling=placement.sampling,
        geometry=picture_geometry(placement, frame.description),
        millimetres=millimetres,
        millimetres_source=frame.description.pixel_spacing_source if millimetres else "",
        view=view,
    )


def warm() -> None:
    """Compile every kernel, or load it from disk, for every kind of stored value."""
    for dtype in (np.uint8, np.uint16, np.int16, np.float32):
        for curve in ({"voi_lut_function": "LINEAR"}, {"voi_lut_function": "SIGMOID"}):
            for size in ((4, 4), (8, 8), (2, 2)):
                window = {"window_center": 1.0, "window_width": 2.0} | curve
                render(_plain_frame(np.ones((4, 4), dtype)), View.from_json(window | {"size": list(size)}))
    for photometric in ("RGB", "YBR_FULL"):
        render(_plain_frame(np.ones((4, 4, 3), np.uint8), photometric), View(size=(8, 8)))
    render(_plain_frame(np.ones((4, 4), np.uint8)), View(color_map="hot_iron"))


def _plain_frame(values: NDArray[np.generic], photometric: str = "MONOCHROME2") -> Frame:
    bits = 8 * values.dtype.itemsize
    samples = 3 if values.ndim == 3 else 1
    description = FrameDescription(
        values.shape[0],
        values.shape[1],
        samples,
        photometric,
        bits,
        bits,
        0,
        "OT",
        sop_instance_uid="1",
        frame_number=1,
    )
    return Frame(values, photometric, description)


# --- what the View leaves to the server


def _color_map(view: View, frame: Frame) -> str | None:
    """A picture with colours of its own takes no map: then the resolved View says null."""
    if is_colour(frame):
        return None
    if view.color_map is not None and view.color_map not in COLOR_MAPS:
        raise BadView(f"color_map: one of {', '.join(COLOR_MAPS)} is needed")
    return view.color_map or GREY


def _resolve_window(view: View, frame: Frame) -> View:
    """Explicit numbers, or the name of a VOI LUT of the file."""
    description = frame.description
    whole_numbers = frame.values.dtype.kind in "biu" and float(description.rescale_slope).is_integer()
    preset = _chosen_preset(view, frame)
    if isinstance(preset, LookupTable):
        return replace(view, preset=_name_of(preset, description))
    center = preset.center if view.window_center is None else view.window_center
    width = preset.width if view.window_width is None else view.window_width
    function = view.voi_lut_function
    if function is None and view.window_center is None and view.window_width is None:
        function = preset.voi_lut_function
    if function is None:
        function = default_function(description, whole_numbers and width >= 1.0)
    curve_of(function, center, width)
    return replace(view, window_center=center, window_width=width, voi_lut_function=function, preset=None)


def _chosen_preset(view: View, frame: Frame) -> Preset:
    """The window or VOI LUT that gives what the View does not say; a VOI LUT only where the View says nothing."""
    if view.preset is not None:
        return preset_of(frame.description, view.preset)
    if view.window_center is not None and view.window_width is not None:
        return Window(view.window_center, view.window_width)
    default = default_voi(frame.description, frame.values)
    partly = view.window_center is not None or view.window_width is not None or view.voi_lut_function is not None
    if isinstance(default, LookupTable) and partly:
        default = default_voi(replace(frame.description, voi_luts=()), frame.values)
    if default is None:
        raise BadView("window_center: this image has no values of its own to window")
    return default


def _name_of(table: LookupTable, description: FrameDescription) -> str:
    return next(name for name, (preset, _) in named_presets(description).items() if preset is table)


def _resolve_colour_window(view: View) -> View:
    """Colour is drawn as it is; a window is applied to each channel, 0..255, when one is asked for in full."""
    if view.preset is not None:
        raise BadView("preset: none are the presets of a colour image")
    if view.window_center is None or view.window_width is None:
        return replace(view, window_center=None, window_width=None, voi_lut_function=None)
    function = view.voi_lut_function or ("LINEAR" if view.window_width >= 1.0 else "LINEAR_EXACT")
    curve_of(function, view.window_center, view.window_width)
    return replace(view, voi_lut_function=function)


# --- the greyscale pipeline as numbers


_NONE = np.empty(0, np.float64)


def _pipeline(view: View, frame: Frame) -> Greyscale:
    """PS3.4 N.2.1 for one grey frame and a resolved View."""
    description = frame.description
    modality, padding = description.modality_lut, description.pixel_padding
    inverse = description.photometric_interpretation == "MONOCHROME1" or description.presentation_inverse
    plain = _curve(view, description)._replace(
        slope=float(description.rescale_slope),
        intercept=float(description.rescale_intercept),
        inverted=inverse != view.inverted,
    )
    if modality is not None:
        plain = plain._replace(
            modality=modality.data.astype(np.float64), modality_first=float(modality.first_value_mapped)
        )
    if padding is not None:
        plain = plain._replace(padding_low=float(padding[0]), padding_high=float(padding[1]))
    return plain


def _colour_pipeline(view: View) -> Greyscale:
    """For each channel on its own: as it is, or windowed, or inverted."""
    if view.window_center is None:
        view = replace(view, window_center=128.0, window_width=256.0, voi_lut_function="LINEAR")
    return _curve(view, None)._replace(inverted=view.inverted)


def _curve(view: View, description: FrameDescription | None) -> Greyscale:
    plain = Greyscale(
        slope=1.0, intercept=0.0, modality=_NONE, modality_first=0.0, padding_low=1.0, padding_high=0.0,
        curve=RAMP, center=0.0, width=1.0, low=0.0, high=0.0, table=_NONE, table_first=0.0, inverted=False,
    )  # fmt: skip
    if view.preset is not None and description is not None:
        table = preset_of(description, view.preset)
        if isinstance(table, Window):
            raise BadView("preset: the View is not resolved")
        return plain._replace(curve=TABLE, table=display_of(table), table_first=float(table.first_value_mapped))
    if view.voi_lut_function is None or view.window_center is None or view.window_width is None:
        raise BadView("window_center: the View is not resolved")
    curve = curve_of(view.voi_lut_function, view.window_center, view.window_width)
    return plain._replace(curve=curve.kind, center=curve.center, width=curve.width, low=curve.low, high=curve.high)


# --- drawing


def draw_slice(frame: Frame, view: View, placement: Placement) -> NDArray[np.uint8]:
    """One frame as it lies: (rows, columns) grey, or (rows, columns, 3) for colour and under a colour map."""
    if is_colour(frame):
        rgb = to_rgb(frame)
        samples = rgb.reshape(rgb.shape[0], -1)
        return _laid_out(_sampled(samples, 3, _colour_pipeline(view), placement), placement)
    drawn = _sampled(_drawable(frame.values), 1, _pipeline(view, frame), placement)
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


def _sampled(
    values: NDArray[np.generic], channels: int, pipeline: Greyscale, placement: Placement
) -> NDArray[np.uint8]:
    """The part of the picture that the frame covers, (rows, columns, channels) along the FRAME's rows and columns.

    `values`: (rows, columns x channels).
    """
    rows, columns = placement.frame_rows, placement.frame_columns
    shape = tuple(axis.covered[1] - axis.covered[0] for axis in (rows, columns))
    drawn = np.empty((shape[0], shape[1] * channels), np.uint8)
    if drawn.size == 0:
        return drawn.reshape(*shape, channels)
    if placement.sampling == "native":
        first_row, first_column = _first_voxel(rows), _first_voxel(columns)
        _draw_native(values, first_row, first_column * channels, pipeline, drawn)
        picture = drawn.reshape(*shape, channels)
        return picture[:: int(rows.step), :: int(columns.step)]
    kernel = grey.draw_reduced if placement.sampling == "reduced" else grey.draw_enlarged
    down, across = taps(rows), taps(columns)
    starts, weights = across.starts, across.weights
    if channels > 1:
        starts = (starts[:, None] * channels + np.arange(channels)).reshape(-1)
        weights = np.repeat(weights, channels, axis=0)
    kernel(values, down.starts, down.weights, starts, weights, channels, pipeline, drawn)
    return drawn.reshape(*shape, channels)


def _first_voxel(axis: Axis) -> int:
    """The lowest voxel that a native axis shows."""
    first, end = axis.covered
    return int(axis.offset + (first if axis.step > 0 else -(end - 1)))


def _draw_native(
    values: NDArray[np.generic], row: int, column: int, pipeline: Greyscale, drawn: NDArray[np.uint8]
) -> None:
    """By arithmetic where the curve is a ramp, which vectorises; else from a table of the values that occur."""
    if (pipeline.curve == RAMP and not pipeline.modality.size) or values.dtype == np.float64:
        grey.draw_native(values, row, column, pipeline, drawn)
        return
    part = values[row : row + drawn.shape[0], column : column + drawn.shape[1]]
    lowest, highest = int(part.min()), int(part.max())
    table = np.empty((1, highest - lowest + 1), np.uint8)
    grey.draw_native(np.arange(lowest, highest + 1, dtype=np.float64)[None], 0, 0, pipeline, table)
    grey.look_up(values, row, column, lowest, table[0], drawn)


def _laid_out(drawn: NDArray[np.uint8], placement: Placement) -> NDArray[np.uint8]:
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


PROJECTIONS: dict[str, Callable[[Frame, View, Placement], NDArray[np.uint8]]] = {"slice": draw_slice}
"""How the pixels of a View are made, by its `projection`."""
