"""A stack to the plan of a volume, or the reason why it makes none: the geometry guard. No file is read here.

Slices are placed by Image Position (Patient) along the normal of Image Orientation (Patient) (PS3.3 C.7.6.2), never by number,
Slice Thickness or Spacing Between Slices. What is done to make a volume of them is said in `corrections`:

- Steps within 1 % are a regular grid, taken as it is.
- Uneven steps are laid on a regular grid by linear interpolation between neighbours.
- Across a step of more than 1.5 times the median nothing is drawn: each slice keeps half a median step on its side.
- Slices that are shifted against each other along a straight line, as under a tilted gantry, make a grid that leans; pixels
  stay as they are (docs/decisions/0015-tilted-volumes-lean.md).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.volume import Cells, FrameDescription, Layers, Point, Storage, VolumeGeometry

from .errors import DicomError
from .frames import FrameSource
from .keeping import decoded_cells, raw_cells, storage_of
from .stacks import Stack

_EVEN = 0.01
"""Steps within 1 % are even."""
_ON_GRID = 0.1
"""Even steps may add up to this share of a step away from the grid."""
_GAP = 1.5
"""A step of more than so many median steps is a gap."""
_NEARLY_THE_SAME = 0.05
"""A step of less than this share of the median is no step between slices of one scan."""
_FINEST = 4
"""A median step is cut into so many slices at most."""
_MOST_SLICES = 32
"""For each image: a volume that holds more than that of gaps and of slices between is refused."""
_STRAIGHT = 0.5
"""Pixels a slice may lie beside the straight line from the first to the last."""
_SQUARE = 0.05
"""Pixels the last slice may be shifted against the first before the grid leans: positions are written with few digits."""
_VERSION = 1
"""Of the rules above, for the key."""

Vector = NDArray[np.floating[Any]]


class NoVolume(DicomError):
    """These frames make no volume; `reason` says why."""

    code = "no_volume"


@dataclass(frozen=True, slots=True, eq=False)
class VolumePlan:
    """What a stack becomes and how. Frames are stored in their order into an array of `frames_shape`; where there are
    `layers`, the volume is laid from it."""

    key: str
    """The same frames under the same rules have the same key."""
    frames: tuple[FrameSource, ...]
    geometry: VolumeGeometry
    """Of the finished volume."""
    storage: Storage
    layers: Layers | None = None
    gaps: tuple[tuple[float, float], ...] = ()
    """Stretches of the slice coordinate across which nothing is drawn or measured."""
    places: tuple[float, ...] = ()
    """Slice coordinate of each frame where there are `layers`; else slice k is frame k."""
    corrections: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def frames_shape(self) -> tuple[int, ...]:
        return self._shape(len(self.frames))

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape(self.geometry.shape[0])

    @property
    def nbytes(self) -> int:
        """Of the volume with its bricks; laying an uneven one takes `frames_nbytes` beside it for a moment."""
        size = self._bytes(self.shape)
        return size if self.storage.colour else size + size // 200

    @property
    def frames_nbytes(self) -> int:
        return self._bytes(self.frames_shape)

    def raw(self) -> list[Cells] | None:
        """For each frame how its bytes become values, where all of them are bare 16-bit numbers in the order of this
        machine: they may be read straight into the array. Takes a moment for thousands of frames."""
        return raw_cells(self.frames, self.storage)

    def decoded(self) -> list[Cells] | None:
        """For each frame how the values that a decoder gave become those of the volume, where they are 16-bit numbers that
        may be read straight into the array."""
        return decoded_cells(self.frames, self.storage)

    def description(self) -> FrameDescription:
        """Of the middle frame, with the labels that all frames share. Takes a moment for thousands of frames."""
        middle = self.frames[len(self.frames) // 2].description()
        shared = set(middle.labels.items()).intersection(*(frame.labels().items() for frame in self.frames))
        return replace(middle, labels=dict(sorted(shared)))

    def _shape(self, slices: int) -> tuple[int, ...]:
        shape = (slices, *self.geometry.shape[1:])
        return (3, *shape) if self.storage.colour else shape

    def _bytes(self, shape: tuple[int, ...]) -> int:
        return math.prod(shape) * self.storage.dtype.itemsize


def plan_volume(stack: Stack) -> VolumePlan:
    """From index rows alone. Raises NoVolume with the reason."""
    if stack.reason_no_volume is not None:
        raise NoVolume(stack.reason_no_volume)
    frames = stack.frames
    rows, columns = _size(frames)
    storage = storage_of(frames)
    if storage is None:
        raise NoVolume("the images are of different kinds: colour and grey, or black and white turned round")
    spacing = _pixel_spacing(frames)
    row, column, normal = _directions(frames, spacing)
    positions = np.array([frame.position for frame in frames], np.float64)
    path = positions[-1] - positions[0]
    if path @ normal < 0:
        normal = -normal
    along = (positions - positions[0]) @ normal
    steps = np.diff(along)
    _check_order(steps)
    corrections: list[str] = []
    path = _straight(positions, along, normal, min(spacing), corrections)
    grid = _grid(along, corrections)
    geometry = VolumeGeometry(
        shape=(grid.slices, rows, columns),
        origin=_point(positions[0]),
        steps=(_point(path * grid.step), _point(column * spacing[0]), _point(row * spacing[1])),
        frame_of_reference_uid=stack.frame_of_reference_uid,
    )
    return VolumePlan(
        key=_key(frames),
        frames=frames,
        geometry=geometry,
        storage=storage,
        layers=grid.layers,
        gaps=grid.gaps,
        places=grid.places,
        corrections=tuple(corrections),
        warnings=_warnings(stack),
    )


def _size(frames: Sequence[FrameSource]) -> tuple[int, int]:
    pixels = frames[0].instance.index["pixels"]
    rows, columns = int(pixels["rows"]), int(pixels["columns"])
    if min(rows, columns) < 2:
        raise NoVolume("the images are a single line")
    return rows, columns


def _pixel_spacing(frames: Sequence[FrameSource]) -> tuple[float, float]:
    """(between rows, between columns); stacks are built of frames that agree on it."""
    spacing = frames[0].pixel_spacing
    if spacing is None:
        raise NoVolume("the pixel spacing is not known")
    return spacing


def _directions(frames: Sequence[FrameSource], spacing: tuple[float, float]) -> tuple[Vector, Vector, Vector]:
    """Row and column direction of all frames, and their normal. Raises NoVolume where some are turned against the others
    by so much that a corner lies a pixel away."""
    found = np.array([frame.orientation for frame in frames], np.float64)
    row, column = found.mean(axis=0)
    row /= np.linalg.norm(row)
    column -= row * (row @ column)
    column /= np.linalg.norm(column)
    turned = np.linalg.norm(found - np.stack((row, column)), axis=2)
    pixels = frames[0].instance.index["pixels"]
    reach = turned[:, 0] * spacing[1] * pixels["columns"] + turned[:, 1] * spacing[0] * pixels["rows"]
    if reach.max() > min(spacing):
        degrees = math.degrees(turned.max())
        raise NoVolume(f"the images are turned against each other, by {degrees:.2f} degrees")
    return row, column, np.cross(row, column)


def _check_order(steps: Vector) -> None:
    """Raises NoVolume where two images lie as good as at one place: two scans that nothing tells apart."""
    middle = float(np.median(steps))
    least = float(steps.min())
    if least <= 0 or least < _NEARLY_THE_SAME * middle:
        raise NoVolume(f"some images lie only {max(least, 0.0):.2f} mm apart, others {middle:.1f} mm")


def _straight(positions: Vector, along: Vector, normal: Vector, pixel: float, corrections: list[str]) -> Vector:
    """From the first slice to the last, mm for each mm along the normal. Raises NoVolume where the slices are shifted against
    each other along no straight line."""
    path: Vector = (positions[-1] - positions[0]) / along[-1]
    beside = np.linalg.norm(positions - positions[0] - along[:, None] * path, axis=1)
    if beside.max() > _STRAIGHT * pixel:
        raise NoVolume(f"the images are shifted against each other, by up to {beside.max():.1f} mm off a straight line")
    lean = path - normal
    shift = float(np.linalg.norm(lean)) * along[-1]
    if shift <= _SQUARE * pixel:
        return normal
    if shift >= _STRAIGHT * pixel:
        degrees = math.degrees(math.atan(float(np.linalg.norm(lean))))
        corrections.append(
            f"The slices lean by {degrees:.1f} degrees (gantry tilt): drawn on their own leaning grid, distances are true."
        )
    return path


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    slices: int
    step: float
    """mm along the normal."""
    layers: Layers | None = None
    gaps: tuple[tuple[float, float], ...] = ()
    places: tuple[float, ...] = ()


def _grid(along: Vector, corrections: list[str]) -> _Grid:
    """The regular grid for slices at `along` mm, the first of which is at 0. Raises NoVolume where it would be mostly empty."""
    steps = np.diff(along)
    middle = float(np.median(steps))
    mean = float(along[-1]) / steps.size
    off = np.abs(along - mean * np.arange(along.size)).max()
    if np.abs(steps - middle).max() <= _EVEN * middle and off <= _ON_GRID * mean:
        return _Grid(along.size, mean)
    gaps = steps > _GAP * middle
    parts = math.ceil(middle / float(steps.min()) - 2 * _EVEN)
    if gaps.any():
        # A slice is drawn as far as the next slice of the grid, even into a hole. With an even number of parts that is half
        # a median step, or slices of the grid within that half step take over.
        parts += parts % 2
    wanted = float(along[-1]) * min(parts, _FINEST) / middle
    if wanted > _MOST_SLICES * along.size:
        raise NoVolume(f"the images lie too far apart, by up to {steps.max():.0f} mm, for steps of {middle:.2f} mm")
    intervals = math.floor(wanted + 0.5) if gaps.any() else math.ceil(wanted - _EVEN)
    step = float(along[-1]) / intervals
    slices = intervals + 1
    kept = max(middle - step, step) / 2
    layers = _layers(along, gaps, step * np.arange(slices), kept)
    _say_uneven(steps, gaps, step, corrections)
    half = middle / 2
    undrawn = [((along[k] + half) / step, (along[k + 1] - half) / step) for k in np.flatnonzero(gaps)]
    places = tuple(float(place) for place in along / step)
    return _Grid(slices, step, layers, tuple((float(a), float(b)) for a, b in undrawn), places)


def _layers(along: Vector, gaps: NDArray[np.bool_], places: Vector, kept: float) -> Layers:
    """What lies at each of `places`. In a gap a slice is kept as far as `kept` mm."""
    below = np.clip(np.searchsorted(along, places, side="right") - 1, 0, along.size - 2)
    steps = np.diff(along)
    weight = np.clip((places - along[below]) / steps[below], 0.0, 1.0)
    # What is as good as on a slice is that slice, untouched.
    weight[weight < _EVEN] = 0.0
    weight[weight > 1.0 - _EVEN] = 1.0
    near = kept * (1.0 + 1e-6)
    in_gap = gaps[below]
    upper = in_gap & (along[below + 1] - places <= near)
    weight[in_gap] = 0.0
    weight[upper] = 1.0
    nothing = in_gap & ~upper & (places - along[below] > near)
    whole = weight == 1.0
    below[whole] += 1
    weight[whole] = 0.0
    below[nothing] = -1
    return Layers(below.astype(np.int32), weight.astype(np.float32))


def _say_uneven(steps: Vector, gaps: NDArray[np.bool_], step: float, corrections: list[str]) -> None:
    drawn = steps[~gaps]
    if drawn.size and drawn.max() - drawn.min() > _EVEN * float(np.median(steps)):
        corrections.append(
            f"The slices lie unevenly, {drawn.min():.2f} to {drawn.max():.2f} mm apart: "
            f"interpolated to one every {step:.2f} mm."
        )
    if gaps.any():
        wide = steps[gaps]
        size = f"{wide.min():.1f}" if wide.max() - wide.min() < 0.05 else f"{wide.min():.1f} to {wide.max():.1f}"
        many = "A gap" if wide.size == 1 else f"{wide.size} gaps"
        corrections.append(f"{many} between slices ({size} mm): nothing is drawn or measured across.")


def _warnings(stack: Stack) -> tuple[str, ...]:
    named = {frame.frame_of_reference_uid for frame in stack.frames}
    if not stack.frame_of_reference_uid and len(named) > 1:
        return ("Every image names a frame of reference of its own: one acquisition is assumed.",)
    return ()


def _key(frames: Sequence[FrameSource]) -> str:
    content = hashlib.sha256(f"volume {_VERSION}".encode())
    for frame in frames:
        content.update(f"\n{frame.digest} {frame.frame_number}".encode())
    return content.hexdigest()


def _point(vector: Vector) -> Point:
    x, y, z = (float(value) + 0.0 for value in vector)  # no minus before a zero
    return x, y, z
