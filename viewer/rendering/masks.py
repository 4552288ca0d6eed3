"""Masks on planes of their own, cut down to what is in them and asked at the pixels of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .lattices import NOWHERE, Axes, Lattice, Vector, Window, extents, merged, plane_at, usual_gap
from .volume import Plane

Pixels = NDArray[np.uint8]

_GREATEST = 0xFFFF
"""Segment Number."""
_UP = 1e-6
"""Mask pixels: a point this close to the middle between two belongs to the further one, whatever rounding made of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """The smallest rectangle around what is in one mask."""

    top: int
    left: int
    height: int
    width: int
    data: Pixels
    """A bit a pixel, the first in the lowest place, rows without a gap; or a byte a pixel."""


Parts = Sequence[tuple[int, Crop]]
"""(segment index, what is in its mask)."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedMask:
    """One mask of one segment, and where it lies."""

    segment: int
    """Index among the segments of its object."""
    crop: Crop
    plane: Plane
    spacing: tuple[float, float]
    """mm between rows, between columns."""
    between: float | None
    """mm to the next plane, where the file says so."""


class SeveralMasks(ValueError):
    """A segment has several masks at one place of the patient."""


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """Masks on parallel planes, of any number of segments."""

    axes: Axes
    lows: Vector
    highs: Vector
    firsts: NDArray[np.int64]
    """(segments + 1): where the crops of each segment begin."""
    planes: NDArray[np.int64]
    """(crops): on which plane each lies."""
    corners: Vector
    """(crops, 2): down and across, in mask pixels, of the first pixel of the mask that each crop was cut from."""
    crops: NDArray[np.int64]
    """(crops, 4): top, left, height, width."""
    starts: NDArray[np.int64]
    """Of each crop in `data`."""
    data: Pixels
    packed: bool
    boxes: Vector
    """(segments, 3, 2): along, down, across that each segment reaches."""

    @property
    def nbytes(self) -> int:
        parts = (self.firsts, self.planes, self.corners, self.crops, self.starts, self.data, self.boxes)
        return int(sum(part.nbytes for part in parts))

    def window(self, index: int, lattice: Lattice, size: tuple[int, int]) -> Window:
        return self.axes.window(self.boxes[index], lattice, size)

    def sampled(self, index: int, lattice: Lattice, window: Window) -> Pixels:
        out = np.empty((window.bottom - window.top, window.right - window.left), np.uint8)
        affine = self.axes.affine(lattice)
        table = np.full(len(self.lows), -1, np.int64)
        own = np.arange(self.firsts[index], self.firsts[index + 1])
        table[self.planes[own]] = own
        sample(
            table, self.lows, self.highs, self.corners, self.crops, self.starts, self.data, self.packed,
            affine, window.top, window.left, out,
        )  # fmt: skip
        return out


def cut(values: NDArray[np.generic], maximum: int | None = None) -> Crop | None:
    """What is in a mask: bits for one that is 0 or not; with the `maximum` of a fractional one bytes 0..255. None: nothing."""
    if maximum is not None:
        values = np.floor(np.minimum(values, maximum) * 255.0 / maximum + 0.5).astype(np.uint8)
    rows = np.flatnonzero(values.any(axis=1))
    if not len(rows):
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(values[top:bottom].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    part = values[top:bottom, left:right]
    data = _packed(part != 0) if maximum is None else np.ascontiguousarray(part).reshape(-1)
    return Crop(top, left, bottom - top, right - left, data)


def cut_labels(values: NDArray[np.generic], wanted: dict[int, int]) -> Iterator[tuple[int, Crop]]:
    """(segment index, its part) of a frame whose values are numbers of segments; `wanted` gives the index of each number."""
    labels = np.ascontiguousarray(values.astype(np.int64))
    labels[labels > _GREATEST] = 0
    boxes = np.empty((int(labels.max(initial=0)) + 1, 4), np.int64)
    label_boxes(labels, boxes)
    for number in np.flatnonzero(boxes[:, 1] >= 0):
        index = wanted.get(int(number))
        if index is not None:
            top, bottom, left, right = (int(side) for side in boxes[number])
            part = labels[top : bottom + 1, left : right + 1] == number
            yield index, Crop(top, left, bottom + 1 - top, right + 1 - left, _packed(part))


def _packed(part: NDArray[np.bool_]) -> Pixels:
    return np.packbits(part.reshape(-1), bitorder="little")


def masks_of(placed: Sequence[PlacedMask], segments: int, packed: bool) -> list[Masks]:
    """Masks in the patient, those on parallel planes with pixels of one size together. Raises SeveralMasks."""
    groups: dict[tuple[float, ...], list[PlacedMask]] = {}
    for mask in placed:
        known = (*mask.plane.row, *mask.plane.column, *mask.spacing)
        groups.setdefault(tuple(round(number, 4) for number in known), []).append(mask)
    return [_on_planes(group, segments, packed) for group in groups.values()]


def _on_planes(placed: Sequence[PlacedMask], segments: int, packed: bool) -> Masks:
    first = placed[0]
    axes = Axes(first.plane.row, first.plane.column, first.spacing)
    places = np.array([mask.plane.position for mask in placed]) @ axes.matrix.T
    positions, numbers = merged(places[:, 0].tolist())
    lows, highs = extents(positions, _spacing(positions, [mask.between for mask in placed]))
    if len({(mask.segment, int(plane)) for mask, plane in zip(placed, numbers, strict=True)}) < len(placed):
        raise SeveralMasks
    parts = [(mask.segment, mask.crop) for mask in placed]
    return _kept(axes, lows, highs, numbers, places[:, 1:], parts, segments, packed)


def _spacing(positions: Vector, said: Sequence[float | None]) -> float:
    """mm from plane to plane: what the file says, unless the planes lie a little further apart than that."""
    known = [between for between in said if between is not None and between > 0.0]
    gap = usual_gap(positions)
    if not known:
        return gap or 1.0
    between = float(np.median(known))
    return gap if gap is not None and between < gap <= 1.5 * between else between


def mask_on_frame(parts: Parts, segments: int, packed: bool) -> Masks:
    """Masks on the pixels of one image, which lies nowhere in particular: (column, row, 0) stands for a point."""
    axes = Axes((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    numbers, corners = np.zeros(len(parts), np.int64), np.zeros((len(parts), 2))
    return _kept(axes, np.array([-1.0]), np.array([1.0]), numbers, corners, parts, segments, packed)


def _kept(
    axes: Axes,
    lows: Vector,
    highs: Vector,
    planes: NDArray[np.int64],
    corners: Vector,
    parts: Parts,
    segments: int,
    packed: bool,
) -> Masks:
    """Sorted by segment. `planes` and `corners` are those of each part."""
    of_segment = np.array([segment for segment, _ in parts], np.int64)
    order = np.argsort(of_segment, kind="stable")
    crops = [parts[number][1] for number in order]
    planes, corners = planes[order], np.ascontiguousarray(corners[order])
    sides = np.array([(c.top, c.left, c.height, c.width) for c in crops], np.int64).reshape(-1, 4)
    ends = np.cumsum([0, *(crop.data.size for crop in crops)], dtype=np.int64)
    data = np.concatenate([crop.data for crop in crops]) if crops else np.zeros(0, np.uint8)
    firsts = np.searchsorted(of_segment[order], np.arange(segments + 1)).astype(np.int64)
    boxes = np.broadcast_to(NOWHERE, (segments, 3, 2)).copy()
    low = np.column_stack((lows[planes], sides[:, :2] + corners - 0.5))
    high = np.column_stack((highs[planes], sides[:, :2] + corners - 0.5 + sides[:, 2:]))
    for segment in np.unique(of_segment):
        own = slice(firsts[segment], firsts[segment + 1])
        boxes[segment] = np.stack((low[own].min(axis=0), high[own].max(axis=0)), axis=1)
    starts = np.ascontiguousarray(ends[:-1])
    return Masks(axes, lows, highs, firsts, planes, corners, sides, starts, data, packed, boxes)


@compiled
def label_boxes(labels: NDArray[np.int64], boxes: NDArray[np.int64]) -> None:
    """First and last row, first and last column of each value; -1 as the last of one that is not there."""
    boxes[:, 0] = labels.shape[0]
    boxes[:, 2] = labels.shape[1]
    boxes[:, 1] = -1
    boxes[:, 3] = -1
    for i in range(labels.shape[0]):
        for j in range(labels.shape[1]):
            value = labels[i, j]
            if value > 0:
                boxes[value, 0] = min(boxes[value, 0], i)
                boxes[value, 1] = i
                boxes[value, 2] = min(boxes[value, 2], j)
                boxes[value, 3] = max(boxes[value, 3], j)


@compiled
def sample(
    table: NDArray[np.int64],
    lows: Vector,
    highs: Vector,
    corners: Vector,
    crops: NDArray[np.int64],
    starts: NDArray[np.int64],
    data: Pixels,
    packed: bool,
    affine: Vector,
    top: int,
    left: int,
    out: Pixels,
) -> None:
    """The nearest mask pixel under each pixel of a picture, from row `top` and column `left` on."""
    plane = -1
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = 0
            row, column = float(top + i), float(left + j)
            along = affine[0, 0] + affine[0, 1] * row + affine[0, 2] * column
            plane = plane_at(lows, highs, along, plane)
            if plane < 0 or table[plane] < 0:
                continue
            crop = table[plane]
            down = affine[1, 0] + affine[1, 1] * row + affine[1, 2] * column - corners[crop, 0]
            across = affine[2, 0] + affine[2, 1] * row + affine[2, 2] * column - corners[crop, 1]
            y = int(np.floor(down + 0.5 + _UP)) - crops[crop, 0]
            x = int(np.floor(across + 0.5 + _UP)) - crops[crop, 1]
            if 0 <= y < crops[crop, 2] and 0 <= x < crops[crop, 3]:
                place = y * crops[crop, 3] + x
                if packed:
                    if data[starts[crop] + (place >> 3)] >> np.uint8(place & 7) & 1:
                        out[i, j] = 255
                else:
                    out[i, j] = data[starts[crop] + place]
