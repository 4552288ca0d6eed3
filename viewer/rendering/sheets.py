"""The flat that a reader measures on: a lattice of voxels under a picture, with its places in the patient and its values.

Under an acquired picture it is the frame's own pixels. Under a reformat it is the picture's plane, sampled at the spacing of
the voxels it cuts, through voxel centres where it can be. The picture's own pixels are never asked: they are 8 bits and may
be reduced.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .colour import is_colour
from .geometry import PictureGeometry
from .outlines import Place
from .sampling import Placement, pixel_shape, place
from .view import View
from .voi import modality_values
from .volume import HOLE, Frame, Point, Volume

Values = NDArray[np.float64]

_IN_THE_PLANE = 0.5
"""mm by which a patient point may miss the picture's plane and still count as lying in it."""
_LEAST_WEIGHT = 1.0 / 256.0
"""A sample with less than this share of real voxels is no image, as in pictures."""


class CannotMeasure(ValueError):
    """This cannot be measured here; the message says why, for the reader."""


@dataclass(frozen=True)
class Shown:
    """The picture on which points were set."""

    view: View
    """Resolved, as its header says."""
    rows: int
    columns: int
    """Of the picture that was sent; while things move it may have fewer pixels than the View's size."""
    geometry: PictureGeometry | None
    """Of the picture that was sent."""


class Sheet:
    """What `measuring` asks of a flat. Places are (row, column) of the lattice, points are LPS mm."""

    pitch: Place | None
    """mm between lattice rows and columns; None where no source for millimetres is known."""
    shape: Place
    """Height and width of a lattice cell, for angles: mm, or the aspect ratio alone."""
    source: str
    """What says the millimetres."""
    counted: str
    """What the lattice points are called: "pixels" or "samples"."""
    unit: str
    """Of values."""
    colour: bool

    def place(self, point: Sequence[float]) -> Place:
        """Of [column, row] in picture pixels, or [x, y, z]. Raises `CannotMeasure` for a point that is not on the flat."""
        raise NotImplementedError

    def patient(self, point: Sequence[float]) -> Point | None:
        """LPS mm of [column, row] in picture pixels; [x, y, z] as it is."""
        raise NotImplementedError

    def bounds(self) -> tuple[range, range]:
        """Rows and columns of the lattice beyond which there is no image."""
        raise NotImplementedError

    def values(self, rows: range, columns: range) -> Values:
        """(rows, columns) modality values, NaN where there is no image."""
        raise NotImplementedError

    def value_at(self, place: Place) -> float:
        """The modality value under one place, NaN outside."""
        raise NotImplementedError

    def notes(self) -> list[str]:
        """What a reader must know about numbers measured here."""
        return []

    def refuse_gaps(self, points: Sequence[Point | None]) -> None:
        """Raises `CannotMeasure` where a line through these points crosses what was never imaged."""


class FrameSheet(Sheet):
    """The pixels of an acquired frame."""

    counted = "pixels"

    def __init__(self, frame: Frame, shown: Shown) -> None:
        description = frame.description
        self.frame, self.shown = frame, shown
        self.pitch = description.pixel_spacing
        self.shape = pixel_shape(description)
        self.source = description.pixel_spacing_source if self.pitch else "no source for millimetres"
        self.unit = description.unit
        self.colour = is_colour(frame)

    @cached_property
    def _placement(self) -> Placement:
        return place(self.shown.view, self.frame.description)

    def place(self, point: Sequence[float]) -> Place:
        if len(point) == 3:
            return self._place_of_patient(point)
        size = self.shown.view.size or (self.shown.rows, self.shown.columns)
        # Pixels of the picture that was sent to those of the View's size: edges fall on edges.
        row = (point[1] + 0.5) * size[0] / self.shown.rows - 0.5
        column = (point[0] + 0.5) * size[1] / self.shown.columns - 0.5
        return self._placement.voxel(row, column)

    def _place_of_patient(self, point: Sequence[float]) -> Place:
        plane = self.frame.description.plane
        if plane is None or self.pitch is None:
            raise CannotMeasure("this image has no place in the patient")
        row, column = np.asarray(plane.row), np.asarray(plane.column)
        away = np.asarray(point) - np.asarray(plane.position)
        if abs(away @ np.cross(row, column)) > _IN_THE_PLANE:
            raise CannotMeasure("the point does not lie in this image")
        return float(away @ column) / self.pitch[0], float(away @ row) / self.pitch[1]

    def patient(self, point: Sequence[float]) -> Point | None:
        plane = self.frame.description.plane
        if plane is None or self.pitch is None:
            return None
        row, column = self.place(point)
        return _point(
            np.asarray(plane.position)
            + column * self.pitch[1] * np.asarray(plane.row)
            + row * self.pitch[0] * np.asarray(plane.column)
        )

    def bounds(self) -> tuple[range, range]:
        return range(self.frame.values.shape[0]), range(self.frame.values.shape[1])

    def values(self, rows: range, columns: range) -> Values:
        description = self.frame.description
        stored = self.frame.values[rows.start : rows.stop, columns.start : columns.stop].astype(np.float64)
        real = np.isfinite(stored)
        if description.pixel_padding is not None:
            low, high = description.pixel_padding
            real &= (stored < low) | (stored > high)
        values = np.full(stored.shape, math.nan)
        values[real] = modality_values(description, stored[real])
        return values

    def value_at(self, place: Place) -> float:
        row, column = (math.floor(side + 0.5) for side in place)
        rows, columns = self.bounds()
        if row not in rows or column not in columns:
            return math.nan
        return float(self.values(range(row, row + 1), range(column, column + 1))[0, 0])


class PlaneSheet(Sheet):
    """The plane of a reformat through a volume."""

    counted = "samples"
    source = "Pixel Spacing and Image Position (Patient)"

    def __init__(self, volume: Volume, shown: Shown) -> None:
        if shown.geometry is None:
            raise CannotMeasure("this picture has no place in the patient")
        self.volume, self.shown, self.geometry = volume, shown, shown.geometry
        self.unit = volume.description.unit
        self.colour = volume.colour
        self._to_voxels = volume.geometry.to_voxels
        along = [
            self._to_voxels[:, :3] @ np.asarray(direction) for direction in (self.geometry.column, self.geometry.row)
        ]
        self.shape = (float(1.0 / np.linalg.norm(along[0])), float(1.0 / np.linalg.norm(along[1])))
        self.pitch = self.shape

    @cached_property
    def _origin(self) -> NDArray[np.float64]:
        """A point of the plane under the voxel that is nearest to the picture's middle: the lattice goes through it."""
        middle = self.geometry.point((self.shown.rows - 1) / 2.0, (self.shown.columns - 1) / 2.0)
        nearest = np.floor(self._voxel(np.asarray(middle)) + 0.5)
        return self._onto(np.asarray(self.volume.geometry.point((nearest[0], nearest[1], nearest[2]))))

    @property
    def _normal(self) -> NDArray[np.float64]:
        return np.cross(self.geometry.row, self.geometry.column)

    def _onto(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        away = (point - np.asarray(self.geometry.top_left)) @ self._normal
        return np.asarray(point - away * self._normal)

    def _voxel(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._to_voxels[:, :3] @ point + self._to_voxels[:, 3])

    def place(self, point: Sequence[float]) -> Place:
        if len(point) == 2:
            self._refuse_depthless()
        there = np.asarray(self.patient(point))
        if np.linalg.norm(there - self._onto(there)) > _IN_THE_PLANE:
            raise CannotMeasure("the point does not lie in the plane of this picture")
        return self._in_lattice(there)

    def _in_lattice(self, point: NDArray[np.float64]) -> Place:
        away = point - self._origin
        return (
            float(away @ np.asarray(self.geometry.column)) / self.shape[0],
            float(away @ np.asarray(self.geometry.row)) / self.shape[1],
        )

    def patient(self, point: Sequence[float]) -> Point | None:
        if len(point) == 3:
            return _point(np.asarray(point, np.float64))
        self._refuse_depthless()
        return self.geometry.point(point[1], point[0])

    def _refuse_depthless(self) -> None:
        if self.shown.view.projection == "volume":
            raise CannotMeasure("a point on a volume picture has no depth; measure on a plane")

    def bounds(self) -> tuple[range, range]:
        shape = self.volume.geometry.shape
        corners = [
            self._in_lattice(np.asarray(self.volume.geometry.point((k, i, j))))
            for k in (-0.5, shape[0] - 0.5)
            for i in (-0.5, shape[1] - 0.5)
            for j in (-0.5, shape[2] - 0.5)
        ]
        rows, columns = zip(*corners, strict=True)
        return (
            range(math.floor(min(rows)), math.ceil(max(rows)) + 1),
            range(math.floor(min(columns)), math.ceil(max(columns)) + 1),
        )

    def values(self, rows: range, columns: range) -> Values:
        down = np.asarray(rows, np.float64)[:, None, None] * self.shape[0] * np.asarray(self.geometry.column)
        across = np.asarray(columns, np.float64)[None, :, None] * self.shape[1] * np.asarray(self.geometry.row)
        return self._projected(self._origin + down + across)

    def value_at(self, place: Place) -> float:
        there = (
            self._origin
            + place[0] * self.shape[0] * np.asarray(self.geometry.column)
            + place[1] * self.shape[1] * np.asarray(self.geometry.row)
        )
        return float(self._projected(there[None, None])[0, 0])

    def _projected(self, points: NDArray[np.float64]) -> Values:
        """Modality values of the View's projection at points (rows, columns, 3) of the plane."""
        how = self.shown.view.projection
        if how == "volume":
            raise CannotMeasure("a volume picture shows no values; measure on a plane")
        total = np.full(points.shape[:2], math.nan)
        count = np.zeros(points.shape[:2])
        for depth in self._depths():
            values = sampled(self.volume, self._voxel_places(points + depth * self._normal))
            real = values == values
            count += real
            if how == "mean":
                total = np.where(real, np.where(total == total, total, 0.0) + values, total)
            else:
                total = np.fmin(total, values) if how == "minip" else np.fmax(total, values)
        if how == "mean":
            total = total / np.maximum(count, 1.0)
        return total * self.volume.slope + self.volume.intercept

    def _voxel_places(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        return points @ self._to_voxels[:, :3].T + self._to_voxels[:, 3]

    def _depths(self) -> NDArray[np.float64]:
        """mm along the normal at which the slab is sampled: at most the smallest voxel spacing apart, both ends included."""
        if self.shown.view.projection == "slice":
            return np.zeros(1)
        low, high = self._slab()
        steps = math.ceil((high - low) / min(self.volume.geometry.spacing) - 1e-6)
        return np.linspace(low, high, steps + 1) if steps > 0 else np.array([(low + high) / 2.0])

    def _slab(self) -> tuple[float, float]:
        thickness = self.shown.view.slab_thickness
        if isinstance(thickness, str):  # "all": the whole volume
            shape = self.volume.geometry.shape
            away = [
                (np.asarray(self.volume.geometry.point((k, i, j))) - np.asarray(self.geometry.top_left)) @ self._normal
                for k in (0, shape[0] - 1)
                for i in (0, shape[1] - 1)
                for j in (0, shape[2] - 1)
            ]
            return float(min(away)), float(max(away))
        return -thickness / 2.0, thickness / 2.0

    def notes(self) -> list[str]:
        """Depth is lost in a projection; a corrected volume says what was corrected."""
        view = self.shown.view
        found = list(self.volume.corrections)
        if view.projection != "slice":
            thickness = "the whole volume" if isinstance(view.slab_thickness, str) else f"{view.slab_thickness:g} mm"
            found.append(f"in a projection ({view.projection}) of {thickness}: distances in depth are not counted")
        return found

    def refuse_gaps(self, points: Sequence[Point | None]) -> None:
        """A gap is a run of slices without any image."""
        if not self.volume.holes:
            return
        slices = [self._voxel(np.asarray(point))[0] for point in points if point is not None]
        last = self.volume.geometry.shape[0] - 1
        first, end = (min(max(math.floor(k + 0.5), 0), last) for k in (min(slices), max(slices)))
        values = self.volume.values
        for k in range(first, end + 1):
            layer = values[k] if values.ndim == 3 else values[:, k]
            if not _real(layer).any():
                raise CannotMeasure("slices are missing here; nothing is measured across a gap")


def sampled(volume: Volume, places: NDArray[np.float64]) -> Values:
    """Trilinear values of a grey volume at voxel places (..., 3) of (slice, row, column), in its own units, in 64 bits.

    Holes have no weight; NaN outside the volume and where hardly any weight is left.
    """
    shape = np.asarray(volume.geometry.shape)
    outside = ((places < -0.5) | (places >= shape - 0.5)).any(axis=-1)
    inside = np.clip(places, 0.0, shape - 1.0)
    low = np.minimum(inside.astype(np.int64), shape - 2)
    part = inside - low
    total, share = np.zeros(places.shape[:-1]), np.zeros(places.shape[:-1])
    for corner in np.ndindex(2, 2, 2):
        k, i, j = np.moveaxis(low + corner, -1, 0)
        voxels = volume.values[k, i, j]
        weight = np.where(corner, part, 1.0 - part).prod(axis=-1)
        if volume.holes:
            weight = np.where(_real(voxels), weight, 0.0)
        total += np.where(weight > 0.0, voxels, 0).astype(np.float64) * weight
        share += weight
    nothing = outside | (share < _LEAST_WEIGHT)
    return np.where(nothing, math.nan, total / np.where(nothing, 1.0, share))


def _real(voxels: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which of these are image, and not a hole."""
    return np.asarray(np.isfinite(voxels) if voxels.dtype.kind == "f" else voxels != HOLE)


def _point(vector: NDArray[np.float64]) -> Point:
    return float(vector[0]), float(vector[1]), float(vector[2])


def sheet_of(source: Frame | Volume, shown: Shown) -> Sheet:
    """The flat under a picture that was drawn from a frame or from a volume."""
    return FrameSheet(source, shown) if isinstance(source, Frame) else PlaneSheet(source, shown)
