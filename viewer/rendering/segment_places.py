"""Where in the patient, or on which image, a segment is largest: what a reader is led to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from .contours import Contours
from .lattices import Axes, Vector
from .masks import Crop, Masks
from .segments import INSIDE, Pixels, Segmentation
from .volume import Point


@dataclass(frozen=True, slots=True)
class Place:
    """`center` is LPS mm in the middle of the segment on its largest plane; of masks without a place the image is named."""

    center: Point | None = None
    sop_instance_uid: str = ""
    frame_number: int | None = None
    """From 1; None where all frames of the image are meant."""


def largest(segmentation: Segmentation, index: int) -> Place | None:
    """Where the segment covers most; None where it lies nowhere."""
    found = [one for shapes in segmentation.shapes if (one := _largest(shapes, index)) is not None]
    if found:
        _, center = max(found, key=lambda one: one[0])
        return Place(center)
    sizes = {
        image: sum(_size(crop, segmentation.packed) for segment, crop in parts if segment == index)
        for image, parts in segmentation.on_frames.items()
    }
    image = max(sizes, key=lambda one: sizes[one], default=None)
    if image is None or not sizes[image]:
        return None
    return Place(None, image[0], image[1] or None)


@singledispatch
def _largest(shapes: object, index: int) -> tuple[float, Point] | None:
    """(mm², the middle) of a segment on the plane where it covers most."""
    return None


@_largest.register
def _(shapes: Masks, index: int) -> tuple[float, Point] | None:
    own = range(int(shapes.firsts[index]), int(shapes.firsts[index + 1]))
    ends = [*shapes.starts[1:], shapes.data.size]
    best: tuple[int, int] | None = None
    for crop in own:
        pixels = shapes.data[shapes.starts[crop] : ends[crop]]
        size = int(np.bitwise_count(pixels).sum()) if shapes.packed else int((pixels >= INSIDE).sum())
        if size and (best is None or size > best[0]):
            best = size, crop
    if best is None:
        return None
    size, crop = best
    _, _, height, width = (int(side) for side in shapes.crops[crop])
    pixels = shapes.data[shapes.starts[crop] : ends[crop]]
    rows, columns = np.nonzero(_mask(pixels, height, width, shapes.packed))
    top, left = shapes.crops[crop, :2] + shapes.corners[crop]
    plane = shapes.planes[crop]
    along = (shapes.lows[plane] + shapes.highs[plane]) / 2.0
    center = _in_patient(shapes.axes, along, top + rows.mean(), left + columns.mean())
    return size * shapes.axes.spacing[0] * shapes.axes.spacing[1], center


@_largest.register
def _(shapes: Contours, index: int) -> tuple[float, Point] | None:
    region = shapes.regions[index]
    if region is None:
        return None
    best: tuple[float, int] | None = None
    for plane in range(len(region.lows)):
        area = abs(_twice_area(region.sides[region.firsts[plane] : region.firsts[plane + 1]]).sum()) / 2.0
        if area > 0.0 and (best is None or area > best[0]):
            best = float(area), plane
    if best is None:
        return None
    area, plane = best
    sides = region.sides[region.firsts[plane] : region.firsts[plane + 1]]
    parts = _twice_area(sides)
    down = ((sides[:, 0] + sides[:, 2]) * parts).sum() / (3.0 * parts.sum())
    across = ((sides[:, 1] + sides[:, 3]) * parts).sum() / (3.0 * parts.sum())
    along = (region.lows[plane] + region.highs[plane]) / 2.0
    return area, _in_patient(region.axes, along, down, across)


def _twice_area(sides: Vector) -> Vector:
    """Of the triangle from the origin to each side, with its sign (Gauss's formula)."""
    return np.asarray(sides[:, 0] * sides[:, 3] - sides[:, 2] * sides[:, 1])


def _in_patient(axes: Axes, along: float, down: float, across: float) -> Point:
    x, y, z = np.linalg.solve(axes.matrix, np.array([along, down, across]))
    return float(x), float(y), float(z)


def _size(crop: Crop, packed: bool) -> int:
    return int(np.bitwise_count(crop.data).sum()) if packed else int((crop.data >= INSIDE).sum())


def _mask(pixels: Pixels, height: int, width: int, packed: bool) -> NDArray[np.bool_]:
    inside = np.unpackbits(pixels, bitorder="little", count=height * width) != 0 if packed else pixels >= INSIDE
    return inside.reshape(height, width)
