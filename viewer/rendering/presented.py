"""A presentation state on its way to the picture: how the frame lies in it, what is covered, which drawings lie over it.

The state comes first and the View on top of it: the View's rotation turns what the state has turned, zoom 1 shows the displayed
area of the state as large as the state wants it, pan moves that. So a View without any of these shows what was stored.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .appearance import DisplayedArea, Graphic, Pair, Presentation, Shutter
from .grey import RAMP, SIGMOID, TABLE, Greyscale
from .overlays import in_frame, on_picture
from .sampling import Placement, pixel_shape, place, turned
from .view import View, varied
from .voi import modality_values
from .volume import Frame, FrameDescription, LookupTable, Window

Pixels = NDArray[np.uint8]

_FINEST = 2**18
"""Entries of a table that stands for a whole pipeline."""
_SAME_SHAPE = 0.01
_MOST_DRAWN = 100.0
"""Picture sizes away from the middle: no drawing beyond it is told."""


# --- how the frame lies in the picture


def stretches(state: Presentation, description: FrameDescription) -> bool:
    """Whether the state wants voxels in other proportions than the image gives them. They keep those of the image, on which
    everything that is measured rests."""
    aspect = state.area.aspect if state.area else None
    if aspect is None:
        return False
    height, width = pixel_shape(description)
    return not math.isclose(aspect[0] / aspect[1], height / width, rel_tol=_SAME_SHAPE)


def laid_out(view: View, state: Presentation, description: FrameDescription) -> View:
    """The plain View of the frame, without its state, that lies as `view` does with it. `view` has its size and zoom."""
    plain = varied(
        view,
        rotation=(state.rotation + (-view.rotation if state.flip else view.rotation)) % 360,
        flip_horizontal=view.flip_horizontal != state.flip,
    )
    if state.area is None or view.size is None:
        return plain
    zoom = _zoom(plain, state.area, description, view.size)
    return varied(plain, zoom=zoom, pan=_pan(varied(plain, zoom=zoom), state.area, description, view.size))


def default_size(view: View, state: Presentation | None) -> View:
    """Where nothing says how large the picture is: the displayed area, a voxel a pixel."""
    if state is None or state.area is None or (view.zoom, view.pixel_spacing, view.size) != (None, None, None):
        return view
    rotated = (state.rotation + view.rotation) % 180 != 0
    rows, columns = (_count(state.area.rows), _count(state.area.columns))
    return varied(view, zoom="native", size=(columns, rows) if rotated else (rows, columns))


def _count(ends: tuple[int, int]) -> int:
    return ends[1] - ends[0] + 1


def _zoom(view: View, area: DisplayedArea, description: FrameDescription, size: tuple[int, int]) -> float | str | None:
    """Of the whole frame, so that the area is as large as it shall be."""
    if not isinstance(view.zoom, float):
        return view.zoom
    shape = turned(pixel_shape(description), view)
    unit = min(shape)
    whole = turned((description.rows, description.columns), view)
    part = turned((_count(area.rows), _count(area.columns)), view)
    fits = min(size[side] / (whole[side] * shape[side] / unit) for side in (0, 1))
    wanted = area.magnification or min(size[side] / (part[side] * shape[side] / unit) for side in (0, 1))
    return view.zoom * wanted / fits


def _pan(view: View, area: DisplayedArea, description: FrameDescription, size: tuple[int, int]) -> Pair:
    """Of the whole frame, so that the middle of the area lies where the View's pan wants it."""
    middle = place(varied(view, pan=(0.0, 0.0)), description)
    wanted = ((area.rows[0] + area.rows[1]) / 2.0, (area.columns[0] + area.columns[1]) / 2.0)
    row, column = picture_place(middle, *wanted)
    away = ((size[1] - 1) / 2.0 - column) / size[1], ((size[0] - 1) / 2.0 - row) / size[0]
    return view.pan[0] + away[0], view.pan[1] + away[1]


def picture_place(placement: Placement, row: float, column: float) -> Pair:
    """(row, column) of the picture over a place of the frame, in voxels."""
    if placement.transposed:
        row, column = column, row
    rows, columns = placement.rows, placement.columns
    return (row - rows.offset) / rows.step, (column - columns.offset) / columns.step


# --- grey values


def identity_window(description: FrameDescription) -> Window:
    """The window that stands for no VOI transformation: all that modality values can be, black to white."""
    table = description.modality_lut
    if table is not None:
        low, high = 0.0, float(2**table.bits - 1)
    else:
        signed = bool(description.pixel_representation)
        bits = description.bits_stored
        ends = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        low, high = sorted(float(end) for end in modality_values(description, np.asarray(ends, np.float64)))
    return Window((low + high) / 2.0, max(high - low, 1e-9), "LINEAR_EXACT", "the whole range")


def with_table(pipeline: Greyscale, table: LookupTable, frame: Frame) -> Greyscale:
    """A pipeline whose VOI output goes through a Presentation LUT (C.11.6): one table for both, as fine as there is room for.

    Every value that a stored one becomes has an entry of its own, so nothing is rounded that is not interpolated.
    """
    scaled, values = _grid(pipeline, frame)
    share = _through_voi(pipeline, values) / 255.0
    entries = np.floor(share * (table.data.size - 1) + 0.5).astype(np.int64)
    return scaled._replace(curve=TABLE, table=table.data[entries].astype(np.float64) * 255.0 / float(2**table.bits - 1))


def _grid(pipeline: Greyscale, frame: Frame) -> tuple[Greyscale, NDArray[np.float64]]:
    """The pipeline with its modality values scaled so that whole numbers from `table_first` on are a fine grid of them; and
    the modality values that those stand for."""
    if pipeline.modality.size:
        last = int(pipeline.modality.max())
        finer = _finer(last)
        scaled = pipeline._replace(modality=pipeline.modality * finer, table_first=0.0)
        return scaled, np.arange(last * finer + 1) / finer
    stored = frame.values[np.isfinite(frame.values)] if frame.values.dtype.kind == "f" else frame.values
    low, high = (float(stored.min()), float(stored.max())) if stored.size else (0.0, 1.0)
    whole = frame.values.dtype.kind in "biu"
    per_value = float(_finer(high - low)) if whole else (_FINEST - 4) / max(high - low, 1e-9)
    sign = -1.0 if pipeline.slope < 0.0 else 1.0
    first, last_place = (math.floor(end * per_value) for end in sorted((sign * low, sign * high)))
    grid = (first + np.arange(last_place - first + 2, dtype=np.float64)) / per_value * sign
    scaled = pipeline._replace(slope=sign * per_value, intercept=0.0, table_first=float(first))
    return scaled, grid * pipeline.slope + pipeline.intercept


def _finer(span: float) -> int:
    """Entries for each whole number of a span."""
    return int(min(max(_FINEST / (span + 1.0), 1.0), 64.0))


def _through_voi(pipeline: Greyscale, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """y in 0..255 of modality values."""
    if pipeline.curve == TABLE:
        entries = np.clip(np.floor(values + 0.5) - pipeline.table_first, 0, pipeline.table.size - 1).astype(np.int64)
        return pipeline.table[entries]
    if pipeline.curve == SIGMOID:
        return 255.0 / (1.0 + np.exp(-4.0 * (values - pipeline.center) / pipeline.width))
    assert pipeline.curve == RAMP  # noqa: S101
    y = ((values - pipeline.center) / pipeline.width + 0.5) * 255.0
    return np.where(values <= pipeline.low, 0.0, np.where(values > pipeline.high, 255.0, y))


# --- what is covered


def covered(picture: Pixels, shutter: Shutter, placement: Placement, description: FrameDescription) -> Pixels:
    """The picture with what the shutter closes in its grey."""
    shut = shut_voxels(shutter, placement, description)
    closed = ~on_picture(~shut, placement) & on_picture(np.ones_like(shut), placement)
    picture = picture.copy()
    picture[closed] = shutter.grey
    return picture


def shut_voxels(shutter: Shutter, placement: Placement, description: FrameDescription) -> NDArray[np.bool_]:
    """(rows, columns) of the frame: whether a voxel is covered. A voxel is open when its centre is."""
    shape = (description.rows, description.columns)
    rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    open_ = np.ones(shape, np.bool_)
    if shutter.rectangle is not None:
        top, bottom, left, right = shutter.rectangle
        open_ &= (rows >= top) & (rows <= bottom) & (columns >= left) & (columns <= right)
    if shutter.circle is not None:
        row, column, radius = shutter.circle
        height, width = pixel_shape(description)
        open_ &= ((rows - row) * (height / width)) ** 2 + (columns - column) ** 2 <= radius**2
    if shutter.polygon:
        open_ &= inside(shutter.polygon, shape)
    if shutter.bitmap is not None:
        open_ &= ~in_frame(shutter.bitmap.bits, shutter.bitmap.origin, placement)
    return ~open_


def inside(polygon: tuple[Pair, ...], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Which voxel centres lie in a polygon of (row, column), its line included."""
    rows, columns = np.arange(shape[0], dtype=np.float64)[:, None], np.arange(shape[1], dtype=np.float64)[None, :]
    inside, on_line = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for (row, column), (next_row, next_column) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        low, high = min(row, next_row), max(row, next_row)
        turn = (columns - column) * (next_row - row) - (rows - row) * (next_column - column)
        beside = (columns >= min(column, next_column)) & (columns <= max(column, next_column))
        on_line |= (turn == 0.0) & (rows >= low) & (rows <= high) & beside
        crosses = (rows >= low) & (rows < high)
        left = turn < 0.0 if next_row > row else turn > 0.0
        inside ^= crosses & left
    return inside | on_line


# --- drawings


def drawings(state: Presentation, placement: Placement, description: FrameDescription) -> list[dict[str, Any]]:
    """The state's graphics in pixels of the picture, as the frame header of the protocol gives them."""
    area = state.area or DisplayedArea((0, description.rows - 1), (0, description.columns - 1))
    corners = [
        picture_place(placement, row, column)
        for row in (area.rows[0] - 0.5, area.rows[1] + 0.5)
        for column in (area.columns[0] - 0.5, area.columns[1] + 0.5)
    ]
    top, left = min(row for row, _ in corners), min(column for _, column in corners)
    height, width = max(row for row, _ in corners) - top, max(column for _, column in corners) - left

    def at(point: Pair, in_area: bool) -> list[float]:
        """[column, row] of the picture."""
        if in_area:
            return [left + point[0] * width, top + point[1] * height]
        row, column = picture_place(placement, point[1], point[0])
        return [column, row]

    most = _MOST_DRAWN * max(placement.rows.length, placement.columns.length)
    found = [_drawing(graphic, at) for graphic in state.graphics]
    return [one for one in found if all(abs(number) <= most for point in one["points"] for number in point)]


def _drawing(graphic: Graphic, at: Any) -> dict[str, Any]:
    drawing: dict[str, Any] = {
        "kind": graphic.kind,
        "points": [at(point, graphic.in_area) for point in graphic.points],
        "filled": graphic.filled,
        "layer": graphic.layer,
        "color": graphic.color,
    }
    if graphic.kind == "text":
        anchor = None if graphic.anchor is None else at(graphic.anchor, graphic.anchor_in_area)
        drawing |= {"text": graphic.text, "anchor": anchor, "anchor_visible": graphic.anchor_visible}
        drawing["justification"] = graphic.justification
    return drawing
