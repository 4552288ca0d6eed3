"""Planes in the patient that are asked at the pixels of a picture: whose coordinates are what, and how far a plane reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .volume import Point

Vector = NDArray[np.float64]


class Lattice(NamedTuple):
    """Where the pixels of a picture lie: the centre of pixel (row i, column j) is `origin + i * down + j * across`."""

    origin: Vector
    down: Vector
    across: Vector


class Window(NamedTuple):
    """Rows [top, bottom) and columns [left, right) of a picture."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def samples(self) -> int:
        return max(self.bottom - self.top, 0) * max(self.right - self.left, 0)


def extents(positions: Vector, spacing: float) -> tuple[Vector, Vector]:
    """How far planes at these sorted positions reach, [low, high) mm: half way to a neighbour that is no further than one and a
    half times the usual spacing, else half the spacing."""
    lows, highs = positions - spacing / 2.0, positions + spacing / 2.0
    near = np.diff(positions) <= 1.5 * spacing
    middles = (positions[:-1] + positions[1:]) / 2.0
    lows[1:] = np.where(near, middles, lows[1:])
    highs[:-1] = np.where(near, middles, highs[:-1])
    return lows, highs


def usual_gap(positions: Vector) -> float | None:
    """Between neighbours of sorted positions."""
    return float(np.median(np.diff(positions))) if len(positions) > 1 else None


def merged(positions: Sequence[float], tolerance: float = 0.01) -> tuple[Vector, NDArray[np.int64]]:
    """Sorted positions, those within `tolerance` mm of their neighbour as one; and which one each given one became."""
    given = np.asarray(positions, np.float64)
    if not len(given):
        return given, np.empty(0, np.int64)
    order = np.argsort(given, kind="stable")
    steps = np.concatenate(([0], np.cumsum(np.diff(given[order]) > tolerance)))
    number = np.empty(len(given), np.int64)
    number[order] = steps
    firsts = np.searchsorted(steps, np.arange(int(steps[-1]) + 1))
    return given[order][firsts], number


@dataclass(frozen=True, slots=True, eq=False)
class Axes:
    """Coordinates of shapes: along the normal of their planes (mm), and down and across them in units of `spacing` mm."""

    row: Point
    column: Point
    spacing: tuple[float, float] = (1.0, 1.0)
    """mm down, across."""

    @property
    def matrix(self) -> Vector:
        """(3, 3): (along, down, across) = matrix @ LPS mm."""
        row, column = np.asarray(self.row), np.asarray(self.column)
        return np.stack((np.cross(row, column), column / self.spacing[0], row / self.spacing[1]))

    def affine(self, lattice: Lattice) -> Vector:
        """(3, 3): (along, down, across) of pixel (i, j) = affine @ (1, i, j)."""
        affine = self.matrix @ np.stack((lattice.origin, lattice.down, lattice.across), axis=1)
        affine[:, 1:][abs(affine[:, 1:]) < _STRAIGHT] = 0.0
        return np.ascontiguousarray(affine)

    def window(self, box: Vector, lattice: Lattice, size: tuple[int, int]) -> Window:
        """The pixels that may lie in a box (3, 2) of these coordinates."""
        if not np.isfinite(box).all():
            return _EMPTY
        places = np.array([[a, d, c] for a in box[0] for d in box[1] for c in box[2]])
        corners = places @ np.linalg.inv(self.matrix).T - lattice.origin
        normal = np.cross(lattice.across, lattice.down)
        depth = corners @ (normal / np.linalg.norm(normal))
        if depth.min() > _NEAR or depth.max() < -_NEAR:
            return _EMPTY
        sides: list[int] = []
        for step, length in ((lattice.down, size[0]), (lattice.across, size[1])):
            along = corners @ step / (step @ step)
            low, high = np.clip((np.floor(along.min()), np.ceil(along.max()) + 1), 0, length)
            sides += [int(low), int(high)]
        return Window(*sides)


_EMPTY = Window(0, 0, 0, 0)
_NEAR = 1e-3
"""mm by which rounding may part a plane from the picture."""
_STRAIGHT = 1e-10
"""Steps this small are rounding: along a picture's row the plane of a parallel picture stays the same."""
NOWHERE = np.array([[np.inf, -np.inf]] * 3)
"""The box of a segment that lies nowhere."""


@compiled
def plane_at(lows: Vector, highs: Vector, along: float, guess: int) -> int:
    """The plane that holds a position, -1 for none; `guess` is tried first."""
    if guess >= 0 and lows[guess] <= along < highs[guess]:
        return guess
    first, end = 0, lows.size
    while first < end:
        middle = (first + end) // 2
        if lows[middle] <= along:
            first = middle + 1
        else:
            end = middle
    return first - 1 if first > 0 and along < highs[first - 1] else -1
