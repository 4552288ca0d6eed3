"""What is known about the phantoms, exactly: the measuring stick of the tests and of whoever tries a ruler. LPS, mm, HU."""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Nodule:
    """A ball in the right upper lobe."""

    center: Point
    diameter: float
    hounsfield: float


@dataclass(frozen=True)
class Marker:
    """A dense bead."""

    name: str
    center: Point
    diameter: float = 5.0
    hounsfield: float = 1500.0


@dataclass(frozen=True)
class Scan:
    """Geometry of a CT: (slices, rows, columns), spacing alike, centre of the first voxel."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: Point


CENTER = (0.0, 10.0, -4.375)
"""Middle of the scanned box."""
EXTENT = (420.0, 384.0, 384.0)
"""Its size: head to feet, front to back, right to left."""


def scan(shape: tuple[int, int, int]) -> Scan:
    """The same box in any number of voxels; slices run from head to feet."""
    spacing = (EXTENT[0] / shape[0], EXTENT[1] / shape[1], EXTENT[2] / shape[2])
    origin = (
        CENTER[0] - spacing[2] * (shape[2] - 1) / 2,
        CENTER[1] - spacing[1] * (shape[1] - 1) / 2,
        CENTER[2] + spacing[0] * (shape[0] - 1) / 2,
    )
    return Scan(shape, spacing, origin)


CURRENT = scan((336, 512, 512))
PRIOR = scan((168, 512, 512))

NODULE = Nodule((-71.5, -14.25, 131.875), 10.0, 38.0)
PRIOR_SHIFT: Point = (2.5, -1.5, 4.0)
"""Where the patient lay at the earlier date, against the later one."""
PRIOR_NODULE = Nodule((NODULE.center[0] + 2.5, NODULE.center[1] - 1.5, NODULE.center[2] + 4.0), 6.0, 38.0)

MARKERS = (
    Marker("A", (-100.0, 117.0, 100.0)),
    Marker("B", (100.0, 117.0, 100.0)),
    Marker("C", (100.0, 117.0, -100.0)),
    Marker("D", (-100.0, 117.0, -100.0)),
    Marker("E", (-40.0, 117.0, 0.0)),
    Marker("F", (0.0, 117.0, 30.0)),
)
"""Beads in the mattress. A to D are a square of 200 mm, E to F measures exactly 50 mm."""

WHITE_MATTER_SPOTS: tuple[tuple[Point, float], ...] = (
    ((-24.0, -18.0, 34.0), 4.0),
    ((27.0, 22.0, 36.0), 3.0),
    ((20.0, -30.0, 30.0), 2.5),
)
"""In the head: centre and radius of small balls, bright in T2."""

ULTRASOUND_PIXEL = 0.285
"""mm per pixel of the clip, both ways."""
WIRES = ((-58.0, 90.0), (-58.0, 130.0))
"""Two thin wires in the clip: mm to the side of the transducer and mm deep; exactly 40 mm apart."""


@dataclass(frozen=True)
class Spot:
    """In the left breast: mm from the chest wall, and mm above the nipple's line in each view."""

    depth: float
    height: dict[str, float]
    diameter: float


MASS = Spot(66.0, {"CC": 24.0, "MLO": 30.0}, 12.0)
"""With spicules; not there two years earlier."""
CALCIFICATIONS = (
    Spot(40.0, {"CC": -20.0, "MLO": -12.0}, 0.6),
    Spot(60.0, {"CC": -20.0, "MLO": -12.0}, 0.6),
    Spot(43.0, {"CC": -17.5, "MLO": -9.0}, 0.4),
    Spot(45.5, {"CC": -21.0, "MLO": -13.5}, 0.5),
    Spot(47.0, {"CC": -16.0, "MLO": -15.0}, 0.35),
    Spot(50.0, {"CC": -19.0, "MLO": -10.5}, 0.45),
)
"""Grains; the first two are exactly 20 mm apart in both views, at both dates."""


def distance(a: Point, b: Point) -> float:
    """Millimetres between two points."""
    return math.dist(a, b)


def marker_distances() -> dict[tuple[str, str], float]:
    """Every pair of beads and the millimetres between their centres."""
    return {(a.name, b.name): distance(a.center, b.center) for i, a in enumerate(MARKERS) for b in MARKERS[i + 1 :]}
