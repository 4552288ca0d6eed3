"""`measure(kind, points, source, shown) -> dict`: what a reader measures, from voxels and never from the picture.

Every number has its unit and says where it comes from. No millimetres without a source (they are pixels then), no value
without a voxel, nothing across slices that are missing. Points are [column, row] in pixels of the picture that was shown, pixel
centres at whole numbers, or [x, y, z] in LPS mm.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .geometry import PictureGeometry
from .outlines import Outline, Polygon, ellipse, rectangle
from .sheets import CannotMeasure, Sheet, Shown, sheet_of
from .volume import Frame, Point, Volume

__all__ = ["KINDS", "CannotMeasure", "Shown", "measure", "patient_point", "picture_point"]

Points = Sequence[Sequence[float]]
Numbers = dict[str, dict[str, Any]]
"""Name of a number -> {"value", "unit", "source"}."""

MOST_POINTS = 2000
_FARTHEST = 1e7
_SQUARE = 10.0
"""Degrees by which the two lines of a bidirectional measurement may miss a right angle before it is said."""
_BAND = 2**18
"""Lattice points looked at together: enough to be quick, few enough to be small."""


def measure(kind: str, points: Points, source: Frame | Volume, shown: Shown) -> dict[str, Any]:
    """Measure on the picture `shown`, which was drawn from `source`. Raises `CannotMeasure` with the reason.

    The answer: `kind`; `values`, each {"value", "unit", "source"}; `points`, in LPS mm, null where the image has no place in
    the patient; `notes` that a reader must know.
    """
    if kind not in KINDS:
        raise CannotMeasure(f"kind: one of {', '.join(KINDS)} is needed")
    row = KINDS[kind]
    points = _checked(points, row)
    sheet = sheet_of(source, shown)
    patient = [sheet.patient(point) for point in points]
    values: Numbers = {}
    notes: list[str] = []
    if row.measure is not None:
        sheet.settle(points)
        sheet.refuse_gaps(patient)
        values, notes = row.measure(sheet, points)
        notes = [*notes, *sheet.notes()]
    return {
        "kind": kind,
        "values": values,
        "points": [None if point is None else list(point) for point in patient],
        "notes": notes,
    }


def _checked(points: Points, kind: Kind) -> list[tuple[float, ...]]:
    allowed = " or ".join(str(count) for count in kind.points) or f"{kind.least} to {MOST_POINTS}"
    if len(points) not in kind.points and (kind.points or not kind.least <= len(points) <= MOST_POINTS):
        raise CannotMeasure(f"points: {allowed} are needed")
    checked = [tuple(float(number) for number in point) for point in points]
    if any(len(point) not in (2, 3) for point in checked):
        raise CannotMeasure("points: each is [column, row] or [x, y, z]")
    if not all(abs(number) <= _FARTHEST for point in checked for number in point):
        raise CannotMeasure("points: a number is out of range")
    return checked


# --- a point and its place


def patient_point(geometry: PictureGeometry, column: float, row: float) -> Point:
    """LPS mm under a place of the picture, in pixels."""
    return geometry.point(row, column)


def picture_point(geometry: PictureGeometry, point: Point) -> tuple[float, float, float]:
    """(column, row) of the picture under a patient point, and how many mm the point lies behind the picture's plane: towards
    row x column, which is away from who looks at an axial picture from the feet."""
    away = np.asarray(point) - np.asarray(geometry.top_left)
    row, column = np.asarray(geometry.row), np.asarray(geometry.column)
    return (
        float(away @ row) / geometry.pixel_spacing[1],
        float(away @ column) / geometry.pixel_spacing[0],
        float(away @ np.cross(row, column)),
    )


# --- lines

Measured = tuple[Numbers, list[str]]


def _number(value: float, unit: str, source: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "source": source}


def _vectors(sheet: Sheet, points: Points, cell: tuple[float, float]) -> NDArray[np.float64]:
    """The points as vectors of one unit: LPS mm where all lie in the patient, else (row, column) times the cell's sides."""
    patient = [sheet.patient(point) for point in points]
    known = [point for point in patient if point is not None]
    if len(known) == len(points):
        return np.asarray(known, np.float64)
    return np.asarray([sheet.place(point) for point in points], np.float64) * cell


def _length(sheet: Sheet, points: Points) -> Measured:
    if sheet.scale.is_trace and len(points) == 2:
        return sheet.scale.between(*map(sheet.place, points)), []
    vectors = _vectors(sheet, points, sheet.pitch or (1.0, 1.0))
    length = sum(float(np.linalg.norm(b - a)) for a, b in itertools.pairwise(vectors))
    return {"length": _number(length, "mm" if sheet.pitch else "px", sheet.source)}, []


def _bidirectional(sheet: Sheet, points: Points) -> Measured:
    """Two lines, first to second point and third to fourth, named by which is longer, and their product."""
    a, b, c, d = _vectors(sheet, points, sheet.pitch or (1.0, 1.0))
    short, long = sorted(float(np.linalg.norm(line)) for line in (b - a, d - c))
    unit = "mm" if sheet.pitch else "px"
    sizes = {"long": (long, unit), "short": (short, unit), "product": (long * short, f"{unit}²")}
    numbers = {name: _number(value, unit, sheet.source) for name, (value, unit) in sizes.items()}
    notes = []
    if short and abs(90.0 - _degrees(b - a, d - c)) > _SQUARE:
        notes.append("the two lines are not at a right angle")
    return numbers, notes


def _angle(sheet: Sheet, points: Points) -> Measured:
    """Three points: at the middle one. Four: between the line from the first to the second and that from the third to the
    fourth, 0 where they run in the same direction."""
    vectors = _vectors(sheet, points, sheet.shape)
    if len(vectors) == 3:
        degrees = _degrees(vectors[0] - vectors[1], vectors[2] - vectors[1])
    else:
        degrees = _degrees(vectors[1] - vectors[0], vectors[3] - vectors[2])
    return {"angle": _number(degrees, "°", _source_of_angles(sheet))}, []


def _cobb(sheet: Sheet, points: Points) -> Measured:
    """Between two lines, whichever way each was drawn: 0 to 90 degrees, and what is left of 180."""
    a, b, c, d = _vectors(sheet, points, sheet.shape)
    degrees = _degrees(b - a, d - c)
    degrees = min(degrees, 180.0 - degrees)
    source = _source_of_angles(sheet)
    return {"angle": _number(degrees, "°", source), "supplementary": _number(180.0 - degrees, "°", source)}, []


def _degrees(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Between two directions, 0 to 180."""
    if not one.any() or not other.any():
        raise CannotMeasure("points: two of them are the same, which gives no direction")
    # Half-angle form: exact near 0 and 180 degrees, where the cosine is flat.
    a, b = one / np.linalg.norm(one), other / np.linalg.norm(other)
    return math.degrees(2.0 * math.atan2(float(np.linalg.norm(a - b)), float(np.linalg.norm(a + b))))


def _source_of_angles(sheet: Sheet) -> str:
    return sheet.source if sheet.pitch else "the shape of the pixels"


def _probe(sheet: Sheet, points: Points) -> Measured:
    numbers: Numbers = {}
    there = sheet.patient(points[0])
    if there is not None:
        source = "Image Position (Patient)"
        numbers |= {axis: _number(value, "mm", source) for axis, value in zip("xyz", there, strict=True)}
    numbers |= sheet.scale.at(sheet.place(points[0]))
    if sheet.colour:
        return numbers, ["a colour image has no values to measure"]
    value = sheet.value_at(sheet.place(points[0]))
    if math.isnan(value):
        return numbers, ["there is no image under this point"]
    source = "the pixel under the point" if sheet.counted == "pixels" else "interpolated between voxels"
    return {"value": _number(value, sheet.unit, source), **numbers}, []


# --- areas


def _region(sheet: Sheet, outline: Outline) -> Measured:
    sheet.refuse_gaps_within(outline)
    unit = "mm" if sheet.pitch else "px"
    rows, columns = _covered(outline, sheet)
    found = _statistics(sheet, outline, rows, columns)
    notes = []
    area, source = outline.area, sheet.source
    if area is None:
        height, width = sheet.pitch or (1.0, 1.0)
        area, source = found.inside * height * width, f"{sheet.source}; counted, as the line crosses itself"
    numbers = {"area": _number(area, f"{unit}²", source), "perimeter": _number(outline.perimeter, unit, sheet.source)}
    if sheet.colour:
        return numbers, ["a colour image has no values to measure"]
    source = f"{found.n} {sheet.counted}"
    numbers["n"] = _number(found.n, sheet.counted, f"{sheet.counted} whose centre is inside")
    if found.n:
        statistics = {"mean": found.mean, "sd": found.sd, "min": found.least, "max": found.greatest}
        numbers |= {name: _number(value, sheet.unit, source) for name, value in statistics.items()}
    else:
        notes.append("no centre of a pixel with an image lies inside")
    return numbers, notes


@dataclass(frozen=True, slots=True)
class _Statistics:
    inside: int = 0
    """Lattice points within the line."""
    n: int = 0
    """Of them, those with an image."""
    mean: float = 0.0
    squares: float = 0.0
    """Sum of squared distances from the mean."""
    least: float = math.inf
    greatest: float = -math.inf

    @property
    def sd(self) -> float:
        """Of these very values, n in the denominator."""
        return math.sqrt(max(self.squares, 0.0) / self.n) if self.n else 0.0

    def with_more(self, values: NDArray[np.float64], inside: int) -> _Statistics:
        """Together with further values, which keeps all digits however many there are (Chan, Golub and LeVeque 1979)."""
        if not values.size:
            return _Statistics(self.inside + inside, self.n, self.mean, self.squares, self.least, self.greatest)
        mean, n = float(values.mean()), self.n + values.size
        apart = mean - self.mean
        return _Statistics(
            inside=self.inside + inside,
            n=n,
            mean=self.mean + apart * values.size / n,
            squares=self.squares + float(((values - mean) ** 2).sum()) + apart**2 * self.n * values.size / n,
            least=min(self.least, float(values.min())),
            greatest=max(self.greatest, float(values.max())),
        )


def _covered(outline: Outline, sheet: Sheet) -> tuple[range, range]:
    """The lattice rows and columns that the line's box and the image share."""
    top, left, bottom, right = outline.box
    found = []
    for (low, high), bounds in zip(((top, bottom), (left, right)), sheet.bounds(), strict=True):
        first = max(math.ceil(low), bounds.start)
        found.append(range(first, max(first, min(math.floor(high) + 1, bounds.stop))))
    return found[0], found[1]


def _statistics(sheet: Sheet, outline: Outline, rows: range, columns: range) -> _Statistics:
    found = _Statistics()
    if not columns:
        return found
    height = max(1, _BAND // len(columns))
    for first in range(rows.start, rows.stop, height):
        band = range(first, min(first + height, rows.stop))
        inside = outline.inside(band, columns)
        values = np.empty(0)
        if not sheet.colour and inside.any():
            values = sheet.values(band, columns)[inside]
            values = values[values == values]
        found = found.with_more(values, int(inside.sum()))
    return found


def _polygon(sheet: Sheet, points: Points) -> Measured:
    return _region(sheet, Polygon(tuple(sheet.place(point) for point in points), sheet.pitch or (1.0, 1.0)))


def _rectangle(sheet: Sheet, points: Points) -> Measured:
    return _region(sheet, rectangle([sheet.place(point) for point in points], sheet.pitch or (1.0, 1.0)))


def _ellipse(sheet: Sheet, points: Points) -> Measured:
    return _region(sheet, ellipse([sheet.place(point) for point in points], sheet.pitch or (1.0, 1.0)))


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of `KINDS`: how many points, and what is made of them."""

    points: tuple[int, ...]
    """Allowed counts; empty: `least` or more."""
    measure: Callable[[Sheet, Points], Measured] | None
    """None: a mark without numbers."""
    least: int = 0


KINDS: dict[str, Kind] = {
    "probe": Kind((1,), _probe),
    "length": Kind((2,), _length),
    "polyline": Kind((), _length, least=2),
    "bidirectional": Kind((4,), _bidirectional),
    "angle": Kind((3, 4), _angle),
    "cobb": Kind((4,), _cobb),
    "polygon": Kind((), _polygon, least=3),
    "freehand": Kind((), _polygon, least=3),
    "rectangle": Kind((2,), _rectangle),
    "ellipse": Kind((2, 4), _ellipse),
    "arrow": Kind((1, 2), None),
    "text": Kind((1,), None),
    "calibration": Kind((2,), _length),
}
"""What can be measured, by the `kind` of the message."""
