"""Closed lines on a flat lattice: how much they hold, and which lattice points lie inside.

Places are (row, column) of the lattice, whole numbers at its points; `pitch` is the distance between its rows and between
its columns, in whatever unit the areas are wanted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Place = tuple[float, float]
Box = tuple[float, float, float, float]
"""(first row, first column, last row, last column), fractions allowed."""


class Outline(Protocol):
    """What every closed line can say of itself."""

    @property
    def area(self) -> float | None:
        """In squares of the pitch's unit; None where the line crosses itself, so that only counting helps."""

    @property
    def perimeter(self) -> float: ...

    @property
    def box(self) -> Box: ...

    def reach(self, slope: Place) -> tuple[float, float]:
        """Least and greatest of row * slope[0] + column * slope[1] on the line."""

    def inside(self, rows: range, columns: range) -> NDArray[np.bool_]:
        """(rows, columns): which lattice points lie inside."""


@dataclass(frozen=True, slots=True)
class Polygon:
    """Straight lines from corner to corner, and back to the first. Inside is what an odd number of them lies left of."""

    corners: tuple[Place, ...]
    pitch: Place

    @property
    def area(self) -> float | None:
        if self.crosses_itself:
            return None
        y, x = self._scaled()
        return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2.0)

    @property
    def perimeter(self) -> float:
        y, x = self._scaled()
        return float(np.hypot(x - np.roll(x, -1), y - np.roll(y, -1)).sum())

    @property
    def box(self) -> Box:
        rows, columns = zip(*self.corners, strict=True)
        return min(rows), min(columns), max(rows), max(columns)

    def reach(self, slope: Place) -> tuple[float, float]:
        heights = [row * slope[0] + column * slope[1] for row, column in self.corners]
        return min(heights), max(heights)

    @property
    def crosses_itself(self) -> bool:
        """Whether two sides that are no neighbours meet in more than a point at their ends."""
        begin = np.asarray(self.corners, np.float64)
        end = np.roll(begin, -1, axis=0)
        count = len(begin)
        for side in range(count - 2):
            others = slice(side + 2, count - 1 if side == 0 else count)
            if _any_crosses(begin[side], end[side], begin[others], end[others]):
                return True
        return False

    def inside(self, rows: range, columns: range) -> NDArray[np.bool_]:
        (y0, x0), (y1, x1) = np.asarray(self.corners).T, np.roll(np.asarray(self.corners), -1, axis=0).T
        mask = np.zeros((len(rows), len(columns)), np.bool_)
        places = np.asarray(columns, np.float64)
        for line, y in enumerate(rows):
            crossed = (y0 <= y) != (y1 <= y)  # half open: a corner belongs to one of its two sides
            if crossed.any():
                at = x0[crossed] + (y - y0[crossed]) / (y1[crossed] - y0[crossed]) * (x1[crossed] - x0[crossed])
                mask[line] = np.searchsorted(np.sort(at), places, side="right") % 2 == 1
        return mask

    def _scaled(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows and columns in the pitch's unit, counted from the first corner so that large coordinates cost no digits."""
        places = (np.asarray(self.corners, np.float64) - self.corners[0]) * self.pitch
        return places[:, 0], places[:, 1]


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Given by its middle and the two half axes, each as (rows, columns) from the middle; they stand square in the unit."""

    middle: Place
    half_axes: tuple[Place, Place]
    pitch: Place

    @property
    def lengths(self) -> tuple[float, float]:
        """Of the half axes, in the pitch's unit."""
        one, other = (math.hypot(row * self.pitch[0], column * self.pitch[1]) for row, column in self.half_axes)
        return one, other

    @property
    def area(self) -> float:
        one, other = self.lengths
        return math.pi * one * other

    @property
    def perimeter(self) -> float:
        """Ramanujan's second formula; off by less than 1e-4 of the length unless it is ten times longer than wide."""
        one, other = self.lengths
        if one + other == 0.0:
            return 0.0
        flatness = ((one - other) / (one + other)) ** 2
        return math.pi * (one + other) * (1.0 + 3.0 * flatness / (10.0 + math.sqrt(4.0 - 3.0 * flatness)))

    @property
    def box(self) -> Box:
        (a, b), (c, d) = self.half_axes
        tall, wide = math.hypot(a, c), math.hypot(b, d)
        row, column = self.middle
        return row - tall, column - wide, row + tall, column + wide

    def reach(self, slope: Place) -> tuple[float, float]:
        middle, one, other = (row * slope[0] + column * slope[1] for row, column in (self.middle, *self.half_axes))
        far = math.hypot(one, other)
        return middle - far, middle + far

    def inside(self, rows: range, columns: range) -> NDArray[np.bool_]:
        y = (np.asarray(rows, np.float64)[:, None] - self.middle[0]) * self.pitch[0]
        x = (np.asarray(columns, np.float64)[None] - self.middle[1]) * self.pitch[1]
        away = np.zeros((len(rows), len(columns)), np.float64)
        for (row, column), length in zip(self.half_axes, self.lengths, strict=True):
            if length == 0.0:
                return np.zeros(away.shape, np.bool_)
            along = (y * (row * self.pitch[0]) + x * (column * self.pitch[1])) / length**2
            away += along**2
        return away <= 1.0


def rectangle(corners: Sequence[Place], pitch: Place) -> Polygon:
    """From two opposite corners, its sides along the lattice."""
    (top, left), (bottom, right) = corners
    return Polygon(((top, left), (top, right), (bottom, right), (bottom, left)), pitch)


def ellipse(points: Sequence[Place], pitch: Place) -> Ellipse:
    """From two opposite corners of the rectangle that it fills, or from the ends of one axis and then of the other (as PS3.3
    C.10.5.1.2 lists them). The second axis is taken square to the first, as long as its points are apart."""
    if len(points) == 2:
        (top, left), (bottom, right) = points
        middle = ((top + bottom) / 2.0, (left + right) / 2.0)
        return Ellipse(middle, (((bottom - top) / 2.0, 0.0), (0.0, (right - left) / 2.0)), pitch)
    one, other = (
        ((b[0] - a[0]) / 2.0, (b[1] - a[1]) / 2.0) for a, b in ((points[0], points[1]), (points[2], points[3]))
    )
    middle = ((points[0][0] + points[1][0]) / 2.0, (points[0][1] + points[1][1]) / 2.0)
    long, wide = (math.hypot(axis[0] * pitch[0], axis[1] * pitch[1]) for axis in (one, other))
    # A quarter turn in the unit, back in lattice steps.
    square = (one[1] * pitch[1] / pitch[0], -one[0] * pitch[0] / pitch[1])
    share = wide / long if long else 0.0
    return Ellipse(middle, (one, (square[0] * share, square[1] * share)), pitch)


def _any_crosses(
    begin: NDArray[np.float64], end: NDArray[np.float64], begins: NDArray[np.float64], ends: NDArray[np.float64]
) -> bool:
    """Whether one side properly crosses any of the others: the ends of each lie on both sides of the other."""

    def turn(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64]) -> NDArray[np.float64]:
        ab, ac = b - a, c - a
        return np.asarray(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])

    apart = turn(begin, end, begins) * turn(begin, end, ends) < 0.0
    return bool((apart & (turn(begins, ends, begin) * turn(begins, ends, end) < 0.0)).any())
