"""Where the voxels of a frame fall in the picture: rotation, flips, zoom and pan, and the weights of interpolation.

Rotations are quarter turns, so each side of the picture runs along one side of the frame, and everything is said twice, once
a side, by `Axis`: the place in the frame is `offset + step * index` for the picture's row or column `index`. Places are
counted in voxels, the centre of the first is 0 and the frame covers -0.5 .. length - 0.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .view import LARGEST_PICTURE, LARGEST_SIDE, BadView, View
from .volume import FrameDescription

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of the picture along one side of the frame."""

    length: int
    """Pixels of the picture."""
    voxels: int
    """Of the frame."""
    offset: float
    step: float
    """Voxels from one pixel to the next; negative where picture and frame run against each other."""

    @property
    def covered(self) -> tuple[int, int]:
        """The pixels [first, end) whose centres lie in the frame; the others are background.

        A frame thinner than a pixel may hold no centre: it gets the pixel that its middle falls on.
        """
        low, high = sorted(((-0.5 - self.offset) / self.step, (self.voxels - 0.5 - self.offset) / self.step))
        first, end = (min(max(math.floor(place) - 1, 0), self.length) for place in (low, high))
        # The last bit of these quotients may err, so the pixels at both ends are asked themselves.
        while first < min(self.length, high + 1) and not self._holds(first):
            first += 1
        while end < min(self.length, high + 1) and self._holds(max(end, first)):
            end += 1
        if first < end:
            return first, end
        nearest = math.floor(((self.voxels - 1) / 2.0 - self.offset) / self.step + 0.5)
        thin = self.voxels < abs(self.step) and 0 <= nearest < self.length
        return (nearest, nearest + 1) if thin else (0, 0)

    def _holds(self, index: int) -> bool:
        return -0.5 <= self.offset + self.step * index < self.voxels - 0.5


@dataclass(frozen=True, slots=True)
class Placement:
    """The picture over the frame. `transposed`: the picture's rows run along the frame's columns."""

    rows: Axis
    columns: Axis
    transposed: bool
    sampling: str
    """`native`, `enlarged` or `reduced`."""

    @property
    def frame_rows(self) -> Axis:
        """The axis that runs along the frame's row index."""
        return self.columns if self.transposed else self.rows

    @property
    def frame_columns(self) -> Axis:
        return self.rows if self.transposed else self.columns

    def voxel(self, row: float, column: float) -> Pair:
        """(row, column) in the frame under the picture's pixel (row, column); fractions and outside are allowed."""
        along_rows = self.rows.offset + self.rows.step * row
        along_columns = self.columns.offset + self.columns.step * column
        return (along_columns, along_rows) if self.transposed else (along_rows, along_columns)

    def to_json(self) -> dict[str, list[float]]:
        """[column, row] of the frame: under the picture's first pixel, and from one pixel to the next across and down."""
        across, down = (0.0, self.columns.step), (self.rows.step, 0.0)
        if self.transposed:
            across, down = across[::-1], down[::-1]
        first = self.voxel(0.0, 0.0)
        return {name: [pair[1], pair[0]] for name, pair in (("first", first), ("across", across), ("down", down))}


def pixel_shape(description: FrameDescription) -> Pair:
    """(height, width) of a voxel: mm where the spacing is known, else the aspect ratio."""
    return description.pixel_spacing or description.pixel_aspect_ratio


def turned(pair: Pair, view: View) -> Pair:
    """(along rows, along columns) of the frame as seen after the View's rotation."""
    return (pair[1], pair[0]) if view.rotation in (90, 270) else pair


def resolved_size(view: View, description: FrameDescription) -> tuple[float | str | None, tuple[int, int]]:
    """`zoom` and `size` of a View: with neither the frame is shown as it is; with a size it is fitted in.

    Raises `BadView` for a pixel spacing where no millimetres are known, and for a picture that is too large.
    """
    rows, columns = turned((description.rows, description.columns), view)
    zoom, size, spacing = view.zoom, view.size, view.pixel_spacing
    if spacing is not None and description.pixel_spacing is None:
        raise BadView("pixel_spacing: no millimetres are known for this image")
    if spacing is None and zoom is None:
        zoom = "native" if size is None else 1.0
    if size is None:
        height, width = (1.0, 1.0) if spacing is None else turned(pixel_shape(description), view)
        size = (_whole(rows * height / (spacing or 1.0)), _whole(columns * width / (spacing or 1.0)))
    if max(size) > LARGEST_SIDE or size[0] * size[1] > LARGEST_PICTURE:
        raise BadView(f"size: {size[0]} x {size[1]} is more than one picture may have; give a smaller size")
    return zoom, size


def _whole(length: float) -> int:
    return max(1, math.floor(min(length, 1e9) + 0.5))


def place(view: View, description: FrameDescription) -> Placement:
    """The placement of a View whose `size` and `zoom` are resolved.

    The middle of the turned frame lies in the middle of the viewport, moved by `pan`. At one voxel to one pixel it is
    moved by whole pixels, so that nothing is interpolated.
    """
    if view.size is None:
        raise BadView("size: the View is not resolved")
    transposed = view.rotation in (90, 270)
    voxels = turned((description.rows, description.columns), view)
    scales = _scales(view, description, voxels)
    # A clockwise quarter turn lays the frame's rows along the picture's columns, from right to left; three of them lay
    # the frame's columns along the picture's rows, from bottom to top.
    rows_reversed = (view.rotation in (180, 270)) != view.flip_vertical
    columns_reversed = (view.rotation in (90, 180)) != view.flip_horizontal
    native = scales == (1.0, 1.0)
    axes = [
        _axis(view.size[side], int(voxels[side]), scales[side], view.pan[1 - side], backwards, native)
        for side, backwards in ((0, rows_reversed), (1, columns_reversed))
    ]
    sampling = "native" if native else "reduced" if min(scales) < 1.0 else "enlarged"
    return Placement(axes[0], axes[1], transposed, sampling)


def _scales(view: View, description: FrameDescription, voxels: Pair) -> Pair:
    """Pixels of the picture to one voxel, along the picture's rows and columns."""
    if view.zoom == "native":
        return 1.0, 1.0
    shape = turned(pixel_shape(description), view)
    if view.pixel_spacing is not None:
        return shape[0] / view.pixel_spacing, shape[1] / view.pixel_spacing
    if view.size is None or not isinstance(view.zoom, float):
        raise BadView("size: the View is not resolved")
    # The smaller side of a voxel is the unit: with square voxels a fit that needs no scaling is then exactly 1.
    unit = min(shape)
    height, width = shape[0] / unit, shape[1] / unit
    fit = min(view.size[0] / (voxels[0] * height), view.size[1] / (voxels[1] * width))
    return fit * view.zoom * height, fit * view.zoom * width


def _axis(length: int, voxels: int, scale: float, pan: float, backwards: bool, native: bool) -> Axis:
    if native:
        shift = math.floor((length - voxels) / 2.0 + pan * length + 0.5)
        return Axis(length, voxels, float(voxels - 1 + shift if backwards else -shift), -1.0 if backwards else 1.0)
    step = 1.0 / scale
    first = (voxels - 1) / 2.0 - ((length - 1) / 2.0 + pan * length) * step
    return Axis(length, voxels, voxels - 1 - first if backwards else first, -step if backwards else step)


def coarser(placement: Placement, most: int) -> Placement:
    """The same part of the patient in `most` pixels at most; the placement itself where it has no more.

    A picture that enlarges its frame is brought down to a pixel for each voxel, since no detail is lost by that.
    """
    rows, columns = placement.rows, placement.columns
    pixels = rows.length * columns.length
    if pixels <= most:
        return placement
    factor = max(math.sqrt(pixels / most), min(1.0 / abs(rows.step), 1.0 / abs(columns.step)))
    rows, columns = _shortened(rows, factor), _shortened(columns, factor)
    sampling = "reduced" if max(abs(rows.step), abs(columns.step)) > 1.0 else "enlarged"
    return Placement(rows, columns, placement.transposed, sampling)


def _shortened(axis: Axis, factor: float) -> Axis:
    """An axis of fewer pixels from the same edge to the same edge."""
    length = max(1, math.floor(axis.length / factor))
    stretch = axis.length / length
    return Axis(length, axis.voxels, axis.offset + axis.step * (stretch - 1.0) / 2.0, axis.step * stretch)


@dataclass(frozen=True, slots=True)
class Taps:
    """Weights of one axis for the covered pixels: pixel i is the sum over k of weights[i, k] x voxel[starts[i] + k]."""

    starts: NDArray[np.int64]
    weights: NDArray[np.float64]


def taps(axis: Axis) -> Taps:
    """Bilinear where the axis enlarges, area mean where it reduces, for the pixels of `axis.covered`.

    Past the edge the frame is not continued: the voxel at the edge keeps all the weight. Weights of a pixel add up to 1.
    Starts never point past the end: starts[i] + weights.shape[1] <= voxels, unless the frame itself is shorter.
    """
    first, end = axis.covered
    places = axis.offset + axis.step * np.arange(first, end, dtype=np.float64)
    return _bilinear(places, axis.voxels) if abs(axis.step) <= 1.0 else _area(places, axis.voxels, abs(axis.step))


def _bilinear(places: NDArray[np.float64], voxels: int) -> Taps:
    inside = np.clip(places, 0.0, voxels - 1.0)
    starts = np.minimum(np.floor(inside), max(voxels - 2, 0)).astype(np.int64)
    fraction = inside - starts
    return Taps(starts, np.stack((1.0 - fraction, fraction), axis=1))


def _area(places: NDArray[np.float64], voxels: int, step: float) -> Taps:
    """Voxel v covers v - 0.5 .. v + 0.5; its weight is the share of the pixel's own stretch that it covers."""
    lower = np.clip(places - step / 2.0, -0.5, voxels - 0.5)
    upper = np.clip(places + step / 2.0, -0.5, voxels - 0.5)
    count = min(math.ceil(step) + 1, voxels)
    starts = np.clip(np.floor(lower + 0.5).astype(np.int64), 0, voxels - count)
    voxel = starts[:, None] + np.arange(count)
    covered = np.minimum(upper[:, None], voxel + 0.5) - np.maximum(lower[:, None], voxel - 0.5)
    weights = np.maximum(covered, 0.0)
    return Taps(starts, np.ascontiguousarray(weights / weights.sum(axis=1, keepdims=True)))
