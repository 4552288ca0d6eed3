"""What is laid on one frame besides its own values: overlay planes, and what a presentation state says of it.

Plain frozen values, as in `volume`, which hands them on; `viewer.dicom` makes them, `dressing` and `presented` draw them.
Places are (row, column) in voxels of the frame, the centre of the first one 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from .volume import LookupTable, Window

Pair = tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class OverlayPlane:
    """The bits of one group 60xx for one frame (PS3.3 C.9.2)."""

    group: int
    """0x6000, 0x6002, ..."""
    bits: NDArray[np.bool_]
    """(rows, columns) of the plane."""
    origin: tuple[int, int] = (0, 0)
    """Voxel under its first bit; may lie outside the frame."""
    region: bool = False
    """Overlay Type is R: a region of interest, not a drawing."""


@dataclass(frozen=True, slots=True, eq=False)
class Shutter:
    """What of a frame is covered (PS3.3 C.7.6.11, C.7.6.15, C.11.12). Where several shapes are given, what lies in all of them
    is left open."""

    rectangle: tuple[int, int, int, int] | None = None
    """First and last row, first and last column that are open."""
    circle: tuple[float, float, float] | None = None
    """Row and column of the centre, radius in columns."""
    polygon: tuple[Pair, ...] = ()
    bitmap: OverlayPlane | None = None
    """Its bits are covered."""
    grey: int = 0
    """0..255 of what is covered."""


@dataclass(frozen=True, slots=True)
class DisplayedArea:
    """The part of a frame that fills the viewport (PS3.3 C.10.4)."""

    rows: tuple[int, int]
    """First and last one, which may lie outside the frame."""
    columns: tuple[int, int]
    magnification: float | None = None
    """Picture pixels for each voxel; None: as large as it fits."""
    aspect: Pair | None = None
    """(height, width) of a voxel as it is to be shown."""
    true_size: Pair | None = None
    """mm (height, width) of a voxel on the display; None where the area is not asked for in true size."""


@dataclass(frozen=True, slots=True)
class Graphic:
    """A drawing or text of a presentation state (PS3.3 C.10.5)."""

    kind: str
    """point, polyline, interpolated, circle, ellipse, text."""
    points: tuple[Pair, ...]
    """(column, row): in voxels of the frame, or as fractions of the displayed area where `in_area`. A circle has its centre and
    a point of its line, an ellipse the ends of its longer axis and of its shorter one, a text the corners of its box."""
    in_area: bool = False
    filled: bool = False
    text: str = ""
    anchor: Pair | None = None
    """What a text is about."""
    anchor_in_area: bool = False
    anchor_visible: bool = False
    justification: str = ""
    """left, center or right."""
    layer: str = ""
    color: str | None = None
    """"#rrggbb"; None where nothing is recommended."""


@dataclass(frozen=True, slots=True, eq=False)
class Presentation:
    """A presentation state for one frame. What it says of modality values stands in the frame's description already."""

    uid: str
    voi: Window | LookupTable | None = None
    """None: the whole range of modality values, from black to white."""
    table: LookupTable | None = None
    """Presentation LUT, to P-Values."""
    inverse: bool = False
    rotation: int = 0
    """Degrees clockwise, before the flip."""
    flip: bool = False
    """Left and right."""
    area: DisplayedArea | None = None
    shutter: Shutter | None = None
    graphics: tuple[Graphic, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Dressing:
    """All of it for one frame."""

    overlays: tuple[OverlayPlane, ...] = ()
    state: Presentation | None = None
    shutter: Shutter | None = None
    """The image's own."""
    subtracted: Subtracted | None = None
    notes: tuple[str, ...] = ()
    """What of it could not be done, for the reader."""


@dataclass(frozen=True, slots=True)
class MaskRegion:
    """A part of the frame for which the mask is moved by itself (PS3.3 C.11.19.1.2)."""

    shift: Pair
    """Of the mask, in voxels (to the right, down)."""
    polygon: tuple[Pair, ...] = ()
    """(row, column) of voxel centres, its line included; the whole frame where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Subtracted:
    """How the values of a frame came about by subtraction (PS3.3 C.7.6.10)."""

    frames: tuple[int, ...]
    """Places in the stack of what was averaged to the mask."""
    shift: Pair
    """Of the mask, in voxels (to the right, down)."""
    logarithmic: bool
    """The logarithm was taken here, since the values are in proportion to the intensity."""
    window: Window
    """That suits the differences."""
    regions: int = 0
    """Parts of the frame for which the mask was moved by itself; `shift` is then none."""
