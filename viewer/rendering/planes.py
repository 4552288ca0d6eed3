"""Where a picture of a volume lies: its plane in the patient, the size of its pixels, and how far it reaches in depth.

A picture is a rectangle in the patient: unit vectors along its rows and down its columns, a normal away from the reader, and
the point in its middle. `Sight` is that rectangle with pixels; it gives the rays through the volume, the geometry of the
header, and the numbers for scrolling. Everything is LPS millimetres in 64 bits until the rays are handed to a kernel.

Axial pictures have the patient's left on their right and the back below; coronal ones left and feet; sagittal ones the back on
their right and feet below. The reader of an axial picture stands at the feet.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .fields import LARGEST_PICTURE, LARGEST_SIDE, BadView, Triple
from .geometry import PictureGeometry
from .projections import Rays
from .view import View
from .volume import Volume, VolumeGeometry

NAMED: dict[str, tuple[Triple, Triple]] = {
    "axial": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)),
    "coronal": ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    "sagittal": ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)),
}
"""(row, column) of the planes that have a name."""

_ALONG = 1e-4
"""Sine of the angle up to which a normal runs along an axis of the grid: 0.05 mm over a picture of 500."""
_MOST_SAMPLES = 2**14
_MOST_SUB = 4
"""A pixel is the mean of so many rays along each side at most."""
_NEARLY = 0.25
"""Of a ray a side: pixels up to a quarter larger than voxels are not worth four rays."""
_ON_GRID = 1e-6
"""Voxels: a ray this close to a voxel's centre goes through it, so that nothing is interpolated there by rounding."""


@dataclass(frozen=True, slots=True)
class Depth:
    """Samples along the normal, in mm from the plane of the picture: `first` + s * `step`, away from the reader."""

    first: float = 0.0
    step: float = 0.0
    samples: int = 1


@dataclass(frozen=True, slots=True)
class Scroll:
    """How to go through a volume along a direction: the planes that are worth seeing, `first` to `last`, `step` mm apart.

    Positions are mm along `direction`, which runs as stacks do: to the feet, to the back or to the left.
    """

    direction: Triple
    position: float
    first: float
    last: float
    step: float

    @property
    def count(self) -> int:
        return max(1, math.floor((self.last - self.first) / self.step + 0.5) + 1)

    def to_json(self) -> dict[str, Any]:
        """As the frame header has it. The next picture has its `center` moved by `step` along `direction`."""
        index = math.floor((self.position - self.first) / self.step + 0.5)
        return {
            "direction": list(_plain(self.direction)),
            "position": round(self.position, 6) + 0.0,
            "first": round(self.first, 6) + 0.0,
            "last": round(self.last, 6) + 0.0,
            "step": round(self.step, 6),
            "count": self.count,
            "index": min(max(index, 0), self.count - 1),
        }


@dataclass(frozen=True, slots=True)
class Sight:
    """A picture's rectangle. `row` and `column` are unit vectors in which its column index and its row index grow."""

    row: Triple
    column: Triple
    normal: Triple
    """Away from the reader; does not turn round when the picture is flipped."""
    middle: Triple
    size: tuple[int, int]
    pixel_spacing: tuple[float, float]
    """mm between rows, between columns."""
    depth: Depth
    sub: int
    """A pixel is the mean of `sub` x `sub` rays."""

    def geometry(self) -> PictureGeometry:
        corner, row, column = (_plain(numbers) for numbers in (self._place(0.0, 0.0), self.row, self.column))
        return PictureGeometry(corner, row, column, self.pixel_spacing)

    def rays(self, geometry: VolumeGeometry, sub: int = 1) -> Rays:
        """Through a volume; pixels are parted into `sub` x `sub` of their own size."""
        grid = Grid.of(geometry)
        inset = (1.0 - sub) / (2.0 * sub)
        corner = self._place(inset, inset)
        origin = grid.place(along(corner, self.normal, self.depth.first))
        between_rows, between_columns = self.pixel_spacing
        return Rays(
            origin=_on_grid(origin),
            row_step=_on_axes(grid.steps(scaled(self.column, between_rows / sub))),
            column_step=_on_axes(grid.steps(scaled(self.row, between_columns / sub))),
            depth_step=_on_axes(grid.steps(scaled(self.normal, self.depth.step))),
            samples=self.depth.samples,
        )

    def _place(self, row: float, column: float) -> Triple:
        """LPS mm of a place in the picture, in pixels."""
        down = (row - (self.size[0] - 1) / 2.0) * self.pixel_spacing[0]
        across = (column - (self.size[1] - 1) / 2.0) * self.pixel_spacing[1]
        return along(along(self.middle, self.column, down), self.row, across)


@dataclass(frozen=True, slots=True)
class Grid:
    """The inverse of a volume's affine: how fast each voxel coordinate grows, per mm."""

    origin: Triple
    gradients: tuple[Triple, Triple, Triple]

    @staticmethod
    @lru_cache(maxsize=64)
    def of(geometry: VolumeGeometry) -> Grid:
        """Asked for several times by every picture; geometries are told apart by identity."""
        slices, rows, columns = geometry.steps
        volume = dot(slices, cross(rows, columns))
        return Grid(
            geometry.origin,
            (
                scaled(cross(rows, columns), 1.0 / volume),
                scaled(cross(columns, slices), 1.0 / volume),
                scaled(cross(slices, rows), 1.0 / volume),
            ),
        )

    def place(self, point: Triple) -> Triple:
        """(slice, row, column) of LPS mm."""
        return self.steps(along(point, self.origin, -1.0))

    def steps(self, way: Triple) -> Triple:
        """(slice, row, column) that a way in mm leads on."""
        k, i, j = self.gradients
        return dot(k, way), dot(i, way), dot(j, way)

    def axis_along(self, normal: Triple) -> int | None:
        """The voxel coordinate that stays the same all over a plane with this normal, if there is one."""
        for axis, gradient in enumerate(self.gradients):
            if math.hypot(*cross(gradient, normal)) <= _ALONG * math.hypot(*gradient):
                return axis
        return None


def directions(view: View, geometry: VolumeGeometry) -> tuple[Triple, Triple]:
    """(row, column) of the plane of a View, before rotation and flips."""
    if view.plane == "acquired":
        _, rows, columns = geometry.steps
        return scaled(columns, 1.0 / math.hypot(*columns)), scaled(rows, 1.0 / math.hypot(*rows))
    return NAMED[view.plane] if isinstance(view.plane, str) else view.plane


def smallest_spacing(geometry: VolumeGeometry) -> float:
    """mm; samples are at most this far apart."""
    slices, rows, columns = geometry.steps
    across = cross(columns, rows)
    return min(abs(dot(slices, across)) / math.hypot(*across), math.hypot(*rows), math.hypot(*columns))


def middle_of(geometry: VolumeGeometry) -> Triple:
    slices, rows, columns = ((count - 1) / 2.0 for count in geometry.shape)
    return place_in(geometry, (slices, rows, columns))


def place_in(geometry: VolumeGeometry, voxel: Triple) -> Triple:
    """LPS mm of (slice, row, column)."""
    point = geometry.origin
    for step, count in zip(geometry.steps, voxel, strict=True):
        point = along(point, step, count)
    return point


def default_center(view: View, geometry: VolumeGeometry) -> Triple:
    """The middle of the volume. Where planes of this direction are planes of the grid, on the nearest of them: nothing is
    interpolated between slices then."""
    row, column = directions(view, geometry)
    normal, middle = cross(row, column), middle_of(geometry)
    grid = Grid.of(geometry)
    axis = grid.axis_along(normal)
    if axis is None:
        return middle
    off = geometry.shape[axis] // 2 - (geometry.shape[axis] - 1) / 2.0
    return along(middle, normal, off / dot(grid.gradients[axis], normal))


def center_of(view: View, volume: Volume) -> Triple:
    """The point in the middle of the picture of a resolved View, before it is panned; of an acquired one, of its frame."""
    if view.plane != "acquired":
        return view.center or default_center(view, volume.geometry)
    frame = view.frame or 0
    place = volume.places[frame] if volume.places else float(frame)
    _, rows, columns = volume.geometry.shape
    return place_in(volume.geometry, (place, (rows - 1) / 2.0, (columns - 1) / 2.0))


# --- size


def resolved_size(view: View, geometry: VolumeGeometry) -> tuple[float | str | None, tuple[int, int]]:
    """`zoom` and `size` of a View: with neither a pixel is as large as the smallest side of a voxel; with a size the volume is
    fitted in. Raises `BadView` for a picture that is too large."""
    zoom, size, spacing = view.zoom, view.size, view.pixel_spacing
    if spacing is None and zoom is None:
        zoom = "native" if size is None else 1.0
    if size is None:
        height, width = _extent(view, geometry)
        unit = spacing or smallest_spacing(geometry)
        size = _whole(height / unit), _whole(width / unit)
    if max(size) > LARGEST_SIDE or size[0] * size[1] > LARGEST_PICTURE:
        raise BadView(f"size: {size[0]} x {size[1]} is more than one picture may have; give a smaller size")
    return zoom, size


def _whole(length: float) -> int:
    return max(1, math.floor(min(length, 1e9) + 0.5))


def _extent(view: View, geometry: VolumeGeometry) -> tuple[float, float]:
    """mm (height, width) that the box of the volume takes in the picture."""
    row, column = _turned(view, *directions(view, geometry))
    sides = [scaled(step, float(count)) for step, count in zip(geometry.steps, geometry.shape, strict=True)]
    return sum(abs(dot(side, column)) for side in sides), sum(abs(dot(side, row)) for side in sides)


def _turned(view: View, row: Triple, column: Triple) -> tuple[Triple, Triple]:
    """The picture's own row and column after rotation (clockwise), then flips."""
    if view.rotation == 90:
        row, column = negative(column), row
    elif view.rotation == 180:
        row, column = negative(row), negative(column)
    elif view.rotation == 270:
        row, column = column, negative(row)
    return negative(row) if view.flip_horizontal else row, negative(column) if view.flip_vertical else column


# --- the picture


def sight(view: View, volume: Volume, center: Triple) -> Sight:
    """The rectangle of a View whose `size` and `zoom` are resolved."""
    if view.size is None:
        raise BadView("size: the View is not resolved")
    geometry = volume.geometry
    plane = directions(view, geometry)
    normal = cross(*plane)
    row, column = _turned(view, *plane)
    smallest = smallest_spacing(geometry)
    pixel = _pixel(view, geometry, smallest)
    down, across = view.pan[1] * view.size[0] * pixel, view.pan[0] * view.size[1] * pixel
    depth = _depth(view, geometry, normal, center, smallest)
    return Sight(
        row=row,
        column=column,
        normal=normal,
        middle=along(along(center, column, -down), row, -across),
        size=view.size,
        pixel_spacing=(pixel, pixel),
        depth=depth,
        sub=1 if view.projection == "volume" else _sub(pixel, smallest),
    )


def fewer(whole: Sight, most: int, smallest: float) -> Sight:
    """The same rectangle in `most` pixels at most, as a picture is sent while the hand moves; at least as large as voxels.

    Many samples are not averaged over several rays then; nor is any picture that was made smaller.
    """
    rows, columns = whole.size
    pixels = rows * columns
    if pixels <= most:
        return whole if whole.depth.samples == 1 or whole.sub == 1 else _replaced(whole, whole.size)
    factor = max(math.sqrt(pixels / most), smallest / min(whole.pixel_spacing))
    return _replaced(whole, (max(1, math.floor(rows / factor)), max(1, math.floor(columns / factor))))


def _replaced(whole: Sight, size: tuple[int, int]) -> Sight:
    spacing = (
        whole.pixel_spacing[0] * (whole.size[0] / size[0]),
        whole.pixel_spacing[1] * (whole.size[1] / size[1]),
    )
    return Sight(whole.row, whole.column, whole.normal, whole.middle, size, spacing, whole.depth, 1)


def _pixel(view: View, geometry: VolumeGeometry, smallest: float) -> float:
    """mm from a pixel to the next."""
    if view.zoom == "native":
        return smallest
    if view.pixel_spacing is not None:
        return view.pixel_spacing
    if view.size is None or not isinstance(view.zoom, float):
        raise BadView("size: the View is not resolved")
    height, width = _extent(view, geometry)
    return max(height / view.size[0], width / view.size[1]) / view.zoom


def _sub(pixel: float, smallest: float) -> int:
    return min(max(math.ceil(pixel / smallest - _NEARLY), 1), _MOST_SUB)


def _depth(view: View, geometry: VolumeGeometry, normal: Triple, center: Triple, smallest: float) -> Depth:
    """Samples at most `smallest` apart, both ends of the slab included. Those past the volume are left out."""
    if view.projection == "slice" or view.slab_thickness == 0.0:
        return Depth()
    # How far the volume reaches along the normal, from the center.
    reach = [
        dot(scaled(step, float(count)), normal) for step, count in zip(geometry.steps, geometry.shape, strict=True)
    ]
    half = sum(map(abs, reach)) / 2.0
    middle = dot(along(middle_of(geometry), center, -1.0), normal)
    nearest, farthest = middle - half, middle + half
    if isinstance(view.slab_thickness, str):
        return _whole_depth(geometry, normal, middle, nearest, farthest, smallest)
    intervals = max(1, math.ceil(view.slab_thickness / smallest - 1e-6))
    step, first = view.slab_thickness / intervals, -view.slab_thickness / 2.0
    # A slab that lies wholly beside the volume keeps its own end, where nothing is.
    low = min(max(math.ceil((nearest - first) / step - 1e-6), 0), intervals)
    high = min(math.floor((farthest - first) / step + 1e-6), intervals)
    return _counted(Depth(first + low * step, step, max(high - low + 1, 1)))


def _whole_depth(
    geometry: VolumeGeometry, normal: Triple, middle: float, nearest: float, farthest: float, smallest: float
) -> Depth:
    """Through the whole volume: from slice to slice where it is cut along its grid, so that every voxel is met."""
    grid = Grid.of(geometry)
    axis = grid.axis_along(normal)
    if axis is None:
        intervals = max(1, math.ceil((farthest - nearest) / smallest - 1e-6))
        return _counted(Depth(nearest, (farthest - nearest) / intervals, intervals + 1))
    apart = 1.0 / math.hypot(*grid.gradients[axis])
    count = geometry.shape[axis]
    between = max(1, math.ceil(apart / smallest - 1e-6))
    return _counted(Depth(middle - (count - 1) / 2.0 * apart, apart / between, (count - 1) * between + 1))


def _counted(depth: Depth) -> Depth:
    if depth.samples > _MOST_SAMPLES:
        raise BadView(f"slab_thickness: {depth.samples} samples a pixel are more than {_MOST_SAMPLES}")
    return depth


def scroll(view: View, geometry: VolumeGeometry, center: Triple) -> Scroll:
    """Along the normal of a View; from slice to slice where its planes are planes of the grid."""
    normal = cross(*directions(view, geometry))
    axis = max(range(3), key=lambda number: abs(normal[number]))
    sign = (1.0, 1.0, -1.0)[axis]
    direction = scaled(normal, 1.0 if normal[axis] * sign >= 0.0 else -1.0)
    grid = Grid.of(geometry)
    along_axis = grid.axis_along(normal)
    middle = dot(middle_of(geometry), direction)
    if along_axis is not None:
        step = 1.0 / math.hypot(*grid.gradients[along_axis])
        half = (geometry.shape[along_axis] - 1) / 2.0 * step
    else:
        ways = [abs(dot(way, direction)) for way in geometry.steps]
        half = sum(way * (count - 1) for way, count in zip(ways, geometry.shape, strict=True)) / 2.0
        step = max(math.hypot(*ways), 1e-6)
    return Scroll(direction, dot(center, direction), middle - half, middle + half, step)


# --- three numbers


def dot(one: Triple, other: Triple) -> float:
    return one[0] * other[0] + one[1] * other[1] + one[2] * other[2]


def cross(one: Triple, other: Triple) -> Triple:
    return (
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    )


def scaled(vector: Triple, factor: float) -> Triple:
    return vector[0] * factor, vector[1] * factor, vector[2] * factor


def along(point: Triple, direction: Triple, far: float) -> Triple:
    return point[0] + far * direction[0], point[1] + far * direction[1], point[2] + far * direction[2]


def negative(vector: Triple) -> Triple:
    """Without turning 0.0 into -0.0."""
    return 0.0 - vector[0], 0.0 - vector[1], 0.0 - vector[2]


def _plain(vector: Triple) -> Triple:
    """-0.0 as 0.0, which is the same and should be the same text."""
    return vector[0] + 0.0, vector[1] + 0.0, vector[2] + 0.0


def _on_grid(place: Triple) -> Triple:
    k, i, j = (float(round(x)) if abs(x - round(x)) < _ON_GRID else x for x in place)
    return k, i, j


def _on_axes(step: Triple) -> Triple:
    """Steps to the last digits of what they were meant to be: rounding of the affine's inverse must not add up."""
    largest = max(map(abs, step))
    k, i, j = (0.0 if abs(x) < 1e-9 * largest else round(x, 9) if abs(x - round(x)) < 1e-9 else x for x in step)
    return k, i, j
