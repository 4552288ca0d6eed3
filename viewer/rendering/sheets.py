"""The flat that a reader measures on: a lattice of voxels under a picture, with its places in the patient and its values.

Under an acquired picture it is the frame's own pixels. Under a reformat it is the picture's plane, sampled at the spacing of
the voxels it cuts, through voxel centres where it can be. The picture's own pixels are never asked: they are 8 bits and may
be reduced.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from . import planes
from .colour import is_colour
from .geometry import PictureGeometry
from .outlines import Outline, Place
from .planes import Depth
from .projections import Rays, project
from .regions import RegionScale, has_own_scales, scale_at
from .sampling import Placement, pixel_shape, place
from .view import View
from .voi import modality_values
from .volume import Frame, Point, Volume

Values = NDArray[np.float64]

_OPPOSITE = {"mip": "minip", "minip": "mip"}
_IN_THE_PLANE = 0.5
"""mm by which a patient point may miss the picture's plane and still count as lying in it."""


class CannotMeasure(ValueError):
    """This cannot be measured here; the message says why, for the reader."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A reader's calibration of a frame: how large its pixels are, and who says so."""

    unit: float
    """mm to one unit of the pixels' shape (`pixel_shape`): to the width of a square pixel of which nothing is known."""
    source: str


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
    stated: Stated | None = None
    """Millimetres that a reader has given this frame."""


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
    scale = RegionScale()
    """On an ultrasound image with regions: what holds for the points at hand."""

    def settle(self, points: Sequence[Sequence[float]]) -> None:
        """Take on the scale that holds for all of these points, where a flat has several."""

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

    def refuse_gaps_within(self, outline: Outline) -> None:
        """The same for all that a line encloses, which may reach further than the points it was given by."""


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
        if shown.stated is not None:
            self.pitch = self.shape[0] * shown.stated.unit, self.shape[1] * shown.stated.unit
            self.source = shown.stated.source

    def settle(self, points: Sequence[Sequence[float]]) -> None:
        description = self.frame.description
        if self.shown.stated is not None or not has_own_scales(description):
            return
        self.scale = scale_at(description.regions, [self.place(point) for point in points])
        self.pitch = self.scale.pitch
        self.shape = self.pitch or pixel_shape(description)
        self.source = self.scale.source if self.pitch else "no source for millimetres"

    def notes(self) -> list[str]:
        return [self.scale.note] if self.scale.note else []

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
        if plane is None or self.pitch is None or self.shown.stated is not None:
            raise CannotMeasure("this image has no place in the patient")
        row, column = np.asarray(plane.row), np.asarray(plane.column)
        away = np.asarray(point) - np.asarray(plane.position)
        if abs(away @ np.cross(row, column)) > _IN_THE_PLANE:
            raise CannotMeasure("the point does not lie in this image")
        return float(away @ column) / self.pitch[0], float(away @ row) / self.pitch[1]

    def patient(self, point: Sequence[float]) -> Point | None:
        plane = self.frame.description.plane
        if plane is None or self.pitch is None or self.shown.stated is not None:
            return None
        row, column = self.place(point)
        return _triple(
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
        self._row, self._column = np.asarray(self.geometry.row), np.asarray(self.geometry.column)
        self._normal = np.cross(self._row, self._column)
        down, across = (float(np.linalg.norm(self._to_voxels[:, :3] @ way)) for way in (self._column, self._row))
        self.pitch = self.shape = (1.0 / down, 1.0 / across)

    @cached_property
    def _origin(self) -> NDArray[np.float64]:
        """A point of the plane under the voxel that is nearest to the picture's middle: the lattice goes through it."""
        middle = self.geometry.point((self.shown.rows - 1) / 2.0, (self.shown.columns - 1) / 2.0)
        nearest = np.floor(self._voxel(np.asarray(middle)) + 0.5)
        return self._onto(np.asarray(self.volume.geometry.point((nearest[0], nearest[1], nearest[2]))))

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
        return float(away @ self._column) / self.shape[0], float(away @ self._row) / self.shape[1]

    def patient(self, point: Sequence[float]) -> Point | None:
        if len(point) == 3:
            return _triple(np.asarray(point, np.float64))
        self._refuse_depthless()
        return self.geometry.point(point[1], point[0])

    def _refuse_depthless(self) -> None:
        if self.shown.view.projection == "volume":
            raise CannotMeasure("a point on a volume picture has no depth; measure on a plane")

    def _corners(self, beyond: float) -> list[NDArray[np.float64]]:
        """LPS mm of the corners of the volume, so many voxels beyond the centres of the outermost ones."""
        geometry = self.volume.geometry
        sides = [(-beyond, count - 1 + beyond) for count in geometry.shape]
        return [np.asarray(geometry.point((k, i, j))) for k, i, j in itertools.product(*sides)]

    def bounds(self) -> tuple[range, range]:
        rows, columns = zip(*(self._in_lattice(corner) for corner in self._corners(0.5)), strict=True)
        return (
            range(math.floor(min(rows)), math.ceil(max(rows)) + 1),
            range(math.floor(min(columns)), math.ceil(max(columns)) + 1),
        )

    def values(self, rows: range, columns: range) -> Values:
        return self._projected((float(rows.start), float(columns.start)), (len(rows), len(columns)))

    def value_at(self, place: Place) -> float:
        return float(self._projected(place, (1, 1))[0, 0])

    def _projected(self, first: Place, size: tuple[int, int]) -> Values:
        """Modality values of the View's projection from one place on, the way pictures are made."""
        view = self.shown.view
        if view.projection == "volume":
            raise CannotMeasure("a volume picture shows no values; measure on a plane")
        depth, normal = Depth(), self._normal
        if view.projection != "slice":
            sight = planes.sight(view, self.volume, planes.center_of(view, self.volume))
            depth, normal = sight.depth, np.asarray(sight.normal)
        down, across = self.shape[0] * self._column, self.shape[1] * self._row
        rays = Rays(
            origin=_triple(self._voxel(self._origin + first[0] * down + first[1] * across + depth.first * normal)),
            row_step=_triple(self._to_voxels[:, :3] @ down),
            column_step=_triple(self._to_voxels[:, :3] @ across),
            depth_step=_triple(self._to_voxels[:, :3] @ normal * depth.step),
            samples=depth.samples,
        )
        # Under a negative slope the greatest modality value is the least of those kept.
        how = _OPPOSITE.get(view.projection, view.projection) if self.volume.slope < 0.0 else view.projection
        values = np.empty(size, np.float32)
        project(self.volume, rays, how, 0, size[0], values)
        return values.astype(np.float64) * self.volume.slope + self.volume.intercept

    def notes(self) -> list[str]:
        """Depth is lost in a projection; a corrected volume says what was corrected."""
        view = self.shown.view
        found = list(self.volume.corrections)
        if view.projection != "slice":
            thickness = "the whole volume" if isinstance(view.slab_thickness, str) else f"{view.slab_thickness:g} mm"
            found.append(f"in a projection ({view.projection}) of {thickness}: distances in depth are not counted")
        return found

    def refuse_gaps(self, points: Sequence[Point | None]) -> None:
        slices = [float(self._voxel(np.asarray(point))[0]) for point in points if point is not None]
        if slices:
            self._refuse_gaps(min(slices), max(slices))

    def refuse_gaps_within(self, outline: Outline) -> None:
        down, across = (float(self._to_voxels[0, :3] @ way) for way in (self._column, self._row))
        least, greatest = outline.reach((down * self.shape[0], across * self.shape[1]))
        begin = float(self._voxel(self._origin)[0])
        self._refuse_gaps(begin + least, begin + greatest)

    def _refuse_gaps(self, first: float, last: float) -> None:
        """From one slice coordinate to another."""
        if any(last > low and first < high for low, high in self.volume.gaps):
            raise CannotMeasure("slices are missing here; nothing is measured across a gap")


def _triple(vector: NDArray[np.float64]) -> Point:
    return float(vector[0]), float(vector[1]), float(vector[2])


def sheet_of(source: Frame | Volume, shown: Shown) -> Sheet:
    """The flat under a picture that was drawn from a frame or from a volume."""
    return FrameSheet(source, shown) if isinstance(source, Frame) else PlaneSheet(source, shown)
