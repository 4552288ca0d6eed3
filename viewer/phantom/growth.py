"""Trees that fill a space: vessels and airways.

A branch heads for the middle of the points it has to serve, which are then parted in two by a plane through that middle, and
each half grows a branch of its own: the way lungs and livers are commonly modelled. Radii follow the number of points served.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def grow(
    root: Points,
    direction: Points,
    cloud: Points,
    radius: float,
    *,
    leaf: int = 1,
    power: float = 0.40,
    fraction: float = 0.42,
    smallest: float = 0.35,
    bend: float = 0.9,
) -> NDArray[np.float64]:
    """Branches (n, 8): start (3), end (3), radius at start and end. `cloud` (m, 3) is what has to be reached."""
    branches: list[tuple[float, ...]] = []
    total = len(cloud)
    pending = [(np.asarray(root, float), np.asarray(direction, float), cloud, radius)]
    while pending:
        start, heading, points, wide = pending.pop()
        middle = points.mean(axis=0)
        way = middle - start
        distance = float(np.linalg.norm(way)) + 1e-9
        way /= distance
        heading = heading / (np.linalg.norm(heading) + 1e-9)
        way = way + heading * (bend * 0.5)
        way /= np.linalg.norm(way)
        last = len(points) <= leaf
        narrow = max(radius * (len(points) / total) ** power, smallest)
        length = distance * (0.9 if last else fraction)
        if last and length > 26:
            length = 26.0
        end = start + way * length
        knee = start + (heading * 0.35 + way * 0.65) * (length * 0.45)
        half = 0.5 * (wide + narrow)
        branches.append((*start, *knee, wide, half))
        branches.append((*knee, *end, half, narrow))
        if last or len(points) < 2:
            continue
        for part in _halves(points, middle, way):
            pending.append((end, way, part, max(radius * (len(part) / total) ** power, smallest) * 1.04))
    return np.array(branches)


def _halves(points: Points, middle: Points, way: Points) -> list[Points]:
    """Two parts, by a plane that holds the branch and cuts the longest extent across it."""
    offset = points - middle
    across = offset - (offset @ way)[:, None] * way
    covariance = across.T @ across
    axis = np.linalg.eigh(covariance)[1][:, -1]
    side = offset @ axis > 0
    if side.all() or not side.any():
        side = np.arange(len(points)) % 2 == 0
    return [points[side], points[~side]]


def rows(branches: NDArray[np.float64], value: float, widen: float = 0.0) -> list[tuple[float, ...]]:
    """Rows for `shapes.Tubes`; `widen` (mm) adds to every radius, for a wall around a lumen."""
    return [(*b[:6], b[6] + widen, b[7] + widen, 1.0, 0.0, 0.0, 1.0, value, 1.0, 0.0, 0.0) for b in branches]
