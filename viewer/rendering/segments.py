"""Segmentations over a picture: what is filled, and the line around it.

A segmentation is a set of shapes, one for each of its segments: masks on planes of their own (PS3.3 C.8.20), or closed
contours on planes (PS3.3 C.8.8.6). A picture asks them at the patient points under its own pixels, so that nothing depends on
the grid that a segmentation was made on: masks answer with the nearest mask pixel of the nearest plane, contours with whether
the point lies inside an odd number of them. What lies further from every plane than half way to its neighbour is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .contours import contours_of
from .geometry import PictureGeometry
from .lattices import Lattice, Window
from .masks import Parts, cut_labels, mask_on_frame
from .sampling import Placement
from .view import BadView, SegmentationChoice, View

Pixels = NDArray[np.uint8]

PALETTE: tuple[tuple[int, int, int], ...] = (
    (230, 80, 80), (80, 170, 240), (110, 200, 90), (240, 180, 60), (180, 110, 230), (70, 205, 200),
    (240, 130, 190), (170, 190, 60), (120, 140, 245), (235, 140, 90), (90, 200, 150), (215, 170, 220),
)  # fmt: skip
"""For segments whose file names no colour, in turn."""

MOST_SAMPLES = 2**28
"""Points of one picture at which segments are asked: a second or two."""
INSIDE = 128
"""Of 255: from here on a fractional mask counts as inside, for the line around it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What a legend says of one segment."""

    number: int
    label: str
    color: tuple[int, int, int]
    category: str = ""
    type: str = ""
    algorithm: str = ""
    reason: str = ""
    """Why it cannot be drawn, or what of it."""


class Shapes(Protocol):
    """Segments that can be asked at points."""

    @property
    def nbytes(self) -> int: ...

    def window(self, index: int, lattice: Lattice, size: tuple[int, int]) -> Window:
        """Where in a picture the segment may be found; empty where it lies elsewhere."""

    def sampled(self, index: int, lattice: Lattice, window: Window) -> Pixels:
        """(rows, columns) of the window: 0 outside the segment, 255 inside, between for fractional masks."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """All segments of one object, ready to be drawn. Never changed; kept by the engine."""

    key: str
    kind: str
    """"seg" or "rtstruct"."""
    title: str
    segments: tuple[Segment, ...]
    frame_of_reference_uid: str
    refers_to: frozenset[str]
    """SOP Instance UIDs of the images that it was made on."""
    shapes: tuple[Shapes, ...] = ()
    """In the patient."""
    on_frames: Mapping[tuple[str, int], Parts] = field(default_factory=dict)
    """(SOP Instance UID, frame number or 0) to what lies on that image, in its own pixels: for masks without a place."""
    mask_size: tuple[int, int] = (0, 0)
    """Rows and columns of those."""
    packed: bool = True
    """A bit a pixel."""
    reason: str = ""
    """Why none of it can be drawn."""

    @property
    def nbytes(self) -> int:
        alone = sum(crop.data.nbytes for parts in self.on_frames.values() for _, crop in parts)
        return 4096 + 512 * len(self.segments) + sum(shapes.nbytes for shapes in self.shapes) + alone

    def chosen(self, choice: SegmentationChoice) -> list[int]:
        """Indexes of the segments to draw. Raises BadView for a number that is not there."""
        if choice.segments is None:
            return list(range(len(self.segments)))
        places = {segment.number: index for index, segment in enumerate(self.segments)}
        missing = [number for number in choice.segments if number not in places]
        if missing:
            raise BadView(f"segmentations: there is no segment {missing[0]} in this object")
        return [places[number] for number in choice.segments]


def check_projection(view: View) -> None:
    """Raises BadView for pictures in which a segment has no place."""
    if view.segmentations and view.projection != "slice":
        raise BadView("segmentations: they are drawn on slices, not on projections or volume pictures")


def lattice_of(geometry: PictureGeometry) -> Lattice:
    """In the patient, mm."""
    return Lattice(
        np.asarray(geometry.top_left, np.float64),
        np.asarray(geometry.column, np.float64) * geometry.pixel_spacing[0],
        np.asarray(geometry.row, np.float64) * geometry.pixel_spacing[1],
    )


def lattice_on_frame(placement: Placement) -> Lattice:
    """In the stored pixels of a frame, as (column, row, 0)."""
    said = placement.to_json()
    first, down, across = (np.array([*said[name], 0.0]) for name in ("first", "down", "across"))
    return Lattice(first, down, across)


def draw_segments(
    pixels: Pixels,
    view: View,
    segmented: Sequence[Segmentation],
    geometry: PictureGeometry | None,
    frame: tuple[Placement, str, int] | None = None,
) -> Pixels:
    """The picture, (rows, columns) or (rows, columns, 3), under the segments of `view`: (rows, columns, 3).

    `segmented` are the objects of `view.segmentations`, in their order. `geometry` is that of the pixels; without it what was
    made on the very image is drawn, which `frame` names: (placement, SOP Instance UID, frame number). Raises BadView.
    """
    if len(segmented) != len(view.segmentations):
        raise BadView("segmentations: the objects that they name are needed")
    picture = pixels.copy() if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    work = 0
    for choice, segmentation in zip(view.segmentations, segmented, strict=True):
        if segmentation.reason:
            raise BadView(f"segmentations: {segmentation.reason}")
        indexes = segmentation.chosen(choice)
        for shapes, lattice in _places(segmentation, geometry, frame):
            for index in indexes:
                window = shapes.window(index, lattice, (picture.shape[0], picture.shape[1]))
                work += window.samples
                if work > MOST_SAMPLES:
                    raise BadView("segmentations: too many segments lie in this picture; choose some of them")
                if window.samples:
                    _draw(picture, shapes, index, lattice, window, segmentation.segments[index], choice.opacity)
    return picture


def _places(
    segmentation: Segmentation, geometry: PictureGeometry | None, frame: tuple[Placement, str, int] | None
) -> list[tuple[Shapes, Lattice]]:
    if geometry is not None and segmentation.shapes:
        lattice = lattice_of(geometry)
        return [(shapes, lattice) for shapes in segmentation.shapes]
    if frame is None:
        raise BadView("segmentations: this object is known only on the very images that it was made on; look at those")
    placement, uid, number = frame
    parts = segmentation.on_frames.get((uid, number)) or segmentation.on_frames.get((uid, 0))
    if parts is None:
        return []
    if segmentation.mask_size != (placement.frame_rows.voxels, placement.frame_columns.voxels):
        raise BadView("segmentations: the masks of this object have another size than the image that they were made on")
    return [(mask_on_frame(parts, len(segmentation.segments), segmentation.packed), lattice_on_frame(placement))]


def _draw(
    picture: Pixels,
    shapes: Shapes,
    index: int,
    lattice: Lattice,
    window: Window,
    segment: Segment,
    opacity: float,
) -> None:
    """One pixel more is asked on each side, also beyond the picture: its edge is no edge of the segment."""
    wider = Window(window.top - 1, window.bottom + 1, window.left - 1, window.right + 1)
    mask = shapes.sampled(index, lattice, wider)
    paint(picture, mask, window.top, window.left, np.array(segment.color, np.float32), np.float32(opacity))


@compiled
def paint(picture: Pixels, mask: Pixels, top: int, left: int, color: NDArray[np.float32], opacity: np.float32) -> None:
    """Fill, and a line of one pixel along the inner side of the edge. `mask` is a pixel wider than what is painted."""
    for i in range(mask.shape[0] - 2):
        for j in range(mask.shape[1] - 2):
            here = mask[i + 1, j + 1]
            if here == 0:
                continue
            share = opacity * np.float32(here) / np.float32(255.0)
            if here >= INSIDE and (
                mask[i, j + 1] < INSIDE
                or mask[i + 2, j + 1] < INSIDE
                or mask[i + 1, j] < INSIDE
                or mask[i + 1, j + 2] < INSIDE
            ):
                share = np.float32(1.0)
            for channel in range(3):
                below = np.float32(picture[top + i, left + j, channel])
                value = below + (color[channel] - below) * share
                picture[top + i, left + j, channel] = np.uint8(np.int32(value + np.float32(0.5)))


def warm() -> None:
    """Compile the kernels, or load them from disk."""
    picture = np.zeros((4, 4, 3), np.uint8)
    lattice = Lattice(np.zeros(3), np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0]))
    square = np.array([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [2.0, 2.0, 0.0], [0.0, 2.0, 0.0]])
    parts = list(cut_labels(np.eye(3, dtype=np.uint8), {1: 0}))
    segment = Segment(1, "", (0, 0, 0))
    for shapes in (mask_on_frame(parts, 1, True), contours_of([[square]])[0]):
        _draw(picture, shapes, 0, lattice, Window(0, 4, 0, 4), segment, 0.5)
