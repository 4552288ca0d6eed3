"""Closed contours on planes, filled along the rows of a picture: a pixel is inside where an odd number of them holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .lattices import NOWHERE, Axes, Lattice, Vector, Window, extents, merged, plane_at, usual_gap
from .volume import Point

Pixels = NDArray[np.uint8]

_PARALLEL = 0.999
"""Cosine between the normals of contours of one region."""
_FLAT = 0.5
"""mm by which the points of a contour may miss its plane."""


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """The contours of one region by plane."""

    axes: Axes
    lows: Vector
    highs: Vector
    firsts: NDArray[np.int64]
    """(planes + 1): where the sides of each plane begin."""
    sides: Vector
    """(sides, 4): down and across of both ends, mm."""
    box: Vector


@dataclass(frozen=True, slots=True, eq=False)
class Contours:
    """Regions of a structure set; None for one that encloses nothing."""

    regions: tuple[_Region | None, ...]

    @property
    def nbytes(self) -> int:
        return int(sum(r.sides.nbytes + r.firsts.nbytes + r.lows.nbytes * 2 for r in self.regions if r is not None))

    def window(self, index: int, lattice: Lattice, size: tuple[int, int]) -> Window:
        region = self.regions[index]
        return Window(0, 0, 0, 0) if region is None else region.axes.window(region.box, lattice, size)

    def sampled(self, index: int, lattice: Lattice, window: Window) -> Pixels:
        out = np.zeros((window.bottom - window.top, window.right - window.left), np.uint8)
        region = self.regions[index]
        if region is not None:
            affine = region.axes.affine(lattice)
            fill(region.lows, region.highs, region.firsts, region.sides, affine, window.top, window.left, out)
        return out


def contours_of(regions: Sequence[Sequence[Vector]]) -> tuple[Contours, list[int]]:
    """Regions of (points, 3) contours in LPS mm; with how many contours of each do not lie on its planes and are left out."""
    flat = [_on_planes(contours) for contours in regions]
    gaps = [gap for _, positions, _ in flat if (gap := usual_gap(merged(positions)[0])) is not None]
    between = min(gaps, default=1.0)
    kept = tuple(_region(axes, positions, sides, between) for axes, positions, sides in flat)
    left_out = [len(contours) - len(positions) for contours, (_, positions, _) in zip(regions, flat, strict=True)]
    return Contours(kept), left_out


def _on_planes(contours: Sequence[Vector]) -> tuple[Axes, list[float], list[Vector]]:
    """The planes' axes, and of each contour its position along their normal and its corners (points, 2)."""
    normals = [_normal(points) for points in contours]
    largest = max(normals, key=lambda normal: float(np.linalg.norm(normal)), default=np.zeros(3))
    if not largest.any():
        return Axes((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)), [], []
    axes = _axes(largest / np.linalg.norm(largest))
    positions, corners = [], []
    for points, normal in zip(contours, normals, strict=True):
        turned = points @ axes.matrix.T
        long = float(np.linalg.norm(normal))
        middle = float(turned[:, 0].mean())
        straight = long > 0.0 and abs(normal @ axes.matrix[0]) >= _PARALLEL * long
        if straight and abs(turned[:, 0] - middle).max() <= _FLAT:
            positions.append(middle)
            corners.append(turned[:, 1:])
    return axes, positions, corners


def _normal(points: Vector) -> Vector:
    """Of the area that a closed line encloses, twice as long (Newell)."""
    away = points - points[0]
    return np.asarray(np.cross(away, np.roll(away, -1, axis=0)).sum(axis=0), np.float64)


def _axes(normal: Vector) -> Axes:
    """Any two directions square to the normal and to each other; for axial contours those of an axial picture."""
    normal = normal * (1.0 if normal[int(np.argmax(abs(normal)))] > 0.0 else -1.0)
    least = np.eye(3)[int(np.argmin(abs(normal)))]
    row = least - (least @ normal) * normal
    row /= np.linalg.norm(row)
    return Axes(_triple(row), _triple(np.cross(normal, row)))


def _triple(vector: Vector) -> Point:
    return float(vector[0]) + 0.0, float(vector[1]) + 0.0, float(vector[2]) + 0.0


def _region(axes: Axes, positions: list[float], corners: list[Vector], between: float) -> _Region | None:
    if not positions:
        return None
    planes, numbers = merged(positions)
    lows, highs = extents(planes, usual_gap(planes) or between)
    order = np.argsort(numbers, kind="stable")
    sides = np.concatenate([np.hstack((corners[n], np.roll(corners[n], -1, axis=0))) for n in order])
    counts = np.zeros(len(planes) + 1, np.int64)
    for number, outline in zip(numbers, corners, strict=True):
        counts[number + 1] += len(outline)
    ends = sides.reshape(-1, 2)
    box = NOWHERE.copy()
    box[0] = lows.min(), highs.max()
    box[1:] = np.stack((ends.min(axis=0), ends.max(axis=0)), axis=1)
    return _Region(axes, lows, highs, np.cumsum(counts), np.ascontiguousarray(sides), box)


@compiled
def fill(
    lows: Vector,
    highs: Vector,
    firsts: NDArray[np.int64],
    sides: Vector,
    affine: Vector,
    top: int,
    left: int,
    out: Pixels,
) -> None:
    """255 where a pixel's centre lies inside; `out` comes as zeros.

    A row of the picture is a straight line through the planes. Of each stretch of it that one plane holds, every side that the
    line crosses turns inside to outside from there on.
    """
    width = out.shape[1]
    for i in range(out.shape[0]):
        row = float(top + i)
        along = affine[0, 0] + affine[0, 1] * row + affine[0, 2] * left
        y = affine[1, 0] + affine[1, 1] * row + affine[1, 2] * left
        x = affine[2, 0] + affine[2, 1] * row + affine[2, 2] * left
        begin = 0
        while begin < width:
            plane = plane_at(lows, highs, along + affine[0, 2] * begin, -1)
            end = begin + 1
            while end < width and plane_at(lows, highs, along + affine[0, 2] * end, plane) == plane:
                end += 1
            if plane >= 0:
                part = sides[firsts[plane] : firsts[plane + 1]]
                cross_out(part, y, x, affine[1, 2], affine[2, 2], out[i], begin, end)
            begin = end


@compiled
def cross_out(
    sides: Vector, y: float, x: float, down: float, across: float, line: Pixels, begin: int, end: int
) -> None:
    """Turn what lies behind each crossing of the line (y, x) + j * (down, across), for j from `begin` to `end`."""
    square = down * down + across * across
    for side in range(sides.shape[0]):
        y0, x0, y1, x1 = sides[side, 0] - y, sides[side, 1] - x, sides[side, 2] - y, sides[side, 3] - x
        if square == 0.0:  # the line stands on the plane: one point of it, asked as along a row
            if (y0 <= 0.0) != (y1 <= 0.0) and x0 - y0 / (y1 - y0) * (x1 - x0) <= 0.0:
                for j in range(begin, end):
                    line[j] = 255 - line[j]
            continue
        off0, off1 = y0 * across - x0 * down, y1 * across - x1 * down
        if (off0 <= 0.0) != (off1 <= 0.0):  # half open: a corner belongs to one of its two sides
            share = off0 / (off0 - off1)
            at = ((y0 + share * (y1 - y0)) * down + (x0 + share * (x1 - x0)) * across) / square
            for j in range(int(np.ceil(min(max(at, float(begin)), float(end)))), end):
                line[j] = 255 - line[j]
