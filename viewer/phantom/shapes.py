"""Solids, and the grid they are painted on.

A scene is a list of solids in painter's order: the later one covers the earlier. Every solid has `paint(slab)`; slabs are
painted independently, so threads may share a scene. All lengths are mm, coordinates LPS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import kernels

Floats = NDArray[np.float32]
Vector = Sequence[float] | NDArray[Any]
Row = tuple[float, ...]
"""One tube, as `kernels.paint_tubes` has it."""
HEIGHTS = 521
ANGLES = 256
TABLE_Z = kernels.TABLE_Z0 + np.arange(HEIGHTS)
"""Heights (mm) of the rows of every contour table."""
_u = np.arange(ANGLES) * (4.0 / ANGLES) - 1.0
_t = np.where(_u <= 1, _u, 2 - _u)
_d = np.stack([np.where(_u <= 1, 1 - np.abs(_t), -(1 - np.abs(_t))), _t], axis=1)
DIRECTIONS = _d / np.linalg.norm(_d, axis=1, keepdims=True)
"""Unit directions (ANGLES, 2) of the contour tables: x (left), y (posterior)."""


@dataclass(frozen=True)
class Grid:
    """Voxel centres: `origin` is the first one; slices run head to feet, `spacing` is (slices, rows, columns) mm."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]

    @property
    def edge(self) -> float:
        """Width of a drawn edge: the blur of a scanner, or a voxel where voxels are larger."""
        return max(1.25, 0.8 * max(self.spacing[1:]), 0.45 * self.spacing[0])

    def heights(self, start: int, stop: int) -> Floats:
        return (self.origin[2] - self.spacing[0] * np.arange(start, stop)).astype(np.float32)


class Deformation:
    """A smooth displacement of space, so that nothing is an exact ellipse; the same every time for one seed."""

    step = 20.0

    def __init__(self, seed: int, scale: float = 1.0) -> None:
        rng = np.random.default_rng(seed)
        self.origin = np.array([-260.0, -260.0, -320.0], np.float32)
        cells = (33, 27, 27)
        coarse = _smooth(rng.standard_normal((*cells, 3)), 2.2)
        fine = _smooth(rng.standard_normal((*cells, 3)), 0.9)
        coarse *= 4.2 / coarse.std()
        fine *= 1.5 / fine.std()
        self.grid = np.ascontiguousarray((coarse + fine) * scale, np.float32)
        self.reach = float(np.abs(self.grid).max()) + 1.0

    def at(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Displacement (n, 3) of points (n, 3)."""
        f = (points - self.origin) / self.step
        i = np.clip(f.astype(int), 0, np.array(self.grid.shape[2::-1]) - 2)
        w = f - i
        total = np.zeros_like(points)
        for corner in range(8):
            bit = np.array([corner & 1, corner >> 1 & 1, corner >> 2 & 1])
            weight = np.prod(np.where(bit, w, 1 - w), axis=1)
            ix, iy, iz = (i + bit).T
            total += weight[:, None] * self.grid[iz, iy, ix]
        return total

    def place(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where points of the undeformed body come to lie: the inverse, by iteration."""
        placed = points.copy()
        for _ in range(4):
            placed = points - self.at(placed)
        return placed


@dataclass
class Slab:
    """Some slices being painted, with the deformed coordinates of their voxels."""

    grid: Grid
    zs: Floats
    values: Floats
    qx: Floats
    qy: Floats
    qz: Floats
    reach: float

    @classmethod
    def empty(cls, grid: Grid, slices: int) -> Slab:
        shape = (slices, *grid.shape[1:])
        arrays = [np.empty(shape, np.float32) for _ in range(4)]
        return cls(grid, np.zeros(slices, np.float32), *arrays, reach=0.0)

    def start(self, first: int, deformation: Deformation, background: float) -> None:
        self.place(self.grid, first)
        self.values.fill(background)
        self.deform(deformation)

    def place(self, grid: Grid, first: int) -> None:
        """Let the voxels stand at the slices from `first` on of this grid."""
        self.grid = grid
        self.zs = grid.heights(first, first + self.values.shape[0])

    def deform(self, deformation: Deformation) -> None:
        self.reach = deformation.reach
        kernels.deform(
            deformation.grid,
            deformation.origin,
            np.float32(deformation.step),
            *self.plane,
            self.zs,
            self.qx,
            self.qy,
            self.qz,
        )

    @property
    def plane(self) -> tuple[float, float, float, float]:
        """x of column 0 and step, y of row 0 and step."""
        _, dy, dx = self.grid.spacing
        return self.grid.origin[0], dx, self.grid.origin[1], dy

    def box(self, low: Vector, high: Vector) -> NDArray[np.int64] | None:
        """Rows and columns [j0, j1, i0, i1] that LPS bounds (x, y, z) may touch; None when this slab lies outside."""
        spare = self.reach + self.grid.edge
        if low[2] - spare > self.zs[0] or high[2] + spare < self.zs[-1]:
            return None
        x0, dx, y0, dy = self.plane
        rows, columns = self.grid.shape[1:]
        j0, j1 = int((low[1] - spare - y0) / dy), int((high[1] + spare - y0) / dy) + 2
        i0, i1 = int((low[0] - spare - x0) / dx), int((high[0] + spare - x0) / dx) + 2
        box = np.array([max(j0, 0), min(j1, rows), max(i0, 0), min(i1, columns)])
        return box if box[0] < box[1] and box[2] < box[3] else None


@dataclass
class Contour:
    """Star-shaped in every axial plane: `radius` (HEIGHTS, ANGLES) around `center` (HEIGHTS, 2)."""

    radius: NDArray[np.floating]
    center: NDArray[np.floating]
    value: float | NDArray[np.floating]
    core: float | NDArray[np.floating] = 0.0
    wall: float | NDArray[np.floating] = 0.0
    slope: float = 0.0
    gas: float = 1.0
    level: float = 0.0
    roof: Roof | None = None
    side: int = 0
    gap: float = 0.0
    tilt: NDArray[np.floating] | None = None
    edge: float = 0.0
    _tables: tuple[Floats, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        values = np.zeros((HEIGHTS, 3), np.float32)
        values[:, 0], values[:, 1], values[:, 2] = self.value, self.core, self.wall
        tilt = np.zeros(HEIGHTS) if self.tilt is None else self.tilt
        radius = np.ascontiguousarray(self.radius, np.float32)
        center = np.ascontiguousarray(self.center, np.float32)
        self._tables = radius, radius.max(axis=1), center, tilt.astype(np.float32), values

    def paint(self, slab: Slab) -> None:
        lean = 25 if self.tilt is not None else 1
        low = max(int(slab.zs[-1] - slab.reach - lean - kernels.TABLE_Z0), 0)
        high = int(slab.zs[0] + slab.reach + lean - kernels.TABLE_Z0) + 2
        radius, widest, center, tilt, values = self._tables
        live = np.flatnonzero(widest[low:high] > 0.05) + low
        if not live.size:
            return
        points = center[live][:, None] + radius[live][..., None] * DIRECTIONS.astype(np.float32)
        (x0, y0), (x1, y1) = points.min(axis=(0, 1)), points.max(axis=(0, 1))
        box = slab.box((x0, y0, slab.zs[-1]), (x1, y1, slab.zs[0]))
        if box is None:
            return
        roof = self.roof or NO_ROOF
        kernels.paint_contour(
            slab.values, slab.qx, slab.qy, slab.qz, box, radius, widest, center, tilt, values,
            np.float32(self.edge or slab.grid.edge), np.float32(self.slope), np.float32(self.level), np.float32(self.gas),
            roof.heights, roof.geometry, self.side if self.roof else 0, np.float32(self.gap),
        )  # fmt: skip


@dataclass
class Layers:
    """Contours around the z axis from outside to inside, painted in one pass; the last one is the cavity."""

    layers: Sequence[tuple[NDArray[np.floating], float]]
    """(HEIGHTS, ANGLES) mm and value."""

    def __post_init__(self) -> None:
        self._radii = np.ascontiguousarray(np.stack([radius for radius, _ in self.layers]), np.float32)
        self._values = np.array([value for _, value in self.layers], np.float32)

    def paint(self, slab: Slab) -> None:
        low = max(int(slab.zs[-1] - slab.reach - kernels.TABLE_Z0) - 1, 0)
        high = int(slab.zs[0] + slab.reach - kernels.TABLE_Z0) + 2
        points = self._radii[0, low:high, :, None] * DIRECTIONS.astype(np.float32)
        (x0, y0), (x1, y1) = points.min(axis=(0, 1)), points.max(axis=(0, 1))
        box = slab.box((x0, y0, slab.zs[-1]), (x1, y1, slab.zs[0]))
        if box is not None:
            edges = np.full(len(self._values), slab.grid.edge, np.float32)
            kernels.paint_layers(slab.values, slab.qx, slab.qy, slab.qz, box, self._radii, self._values, edges)


@dataclass
class Roof:
    """A height field z(x, y) in mm on a square mesh: the diaphragm."""

    heights: Floats
    geometry: Floats
    """x and y of the first entry, mesh width."""

    @classmethod
    def of(cls, function: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]) -> Roof:
        mesh = np.arange(-210.0, 211.0, 3.0)
        x, y = np.meshgrid(mesh, mesh)
        return cls(function(x, y).astype(np.float32), np.array([-210.0, -210.0, 3.0], np.float32))


NO_ROOF = Roof(np.zeros((2, 2), np.float32), np.array([0.0, 0.0, 1.0], np.float32))


@dataclass
class Ellipsoid:
    """Half axes `radii` along the columns of `axes` (3, 3); `wall` > 0 has `core` inside."""

    center: Vector
    radii: Vector
    value: float
    core: float = 0.0
    wall: float = 0.0
    axes: NDArray[np.float64] | None = None
    edge: float = 0.0

    def paint(self, slab: Slab) -> None:
        axes = np.eye(3) if self.axes is None else self.axes
        half = np.sqrt(((axes * np.asarray(self.radii)) ** 2).sum(axis=1))
        box = slab.box(np.asarray(self.center) - half, np.asarray(self.center) + half)
        if box is None:
            return
        shape = (axes / np.asarray(self.radii)).T.astype(np.float32)
        edge = np.float32(self.edge or slab.grid.edge)
        kernels.paint_ellipsoid(
            slab.values, slab.qx, slab.qy, slab.qz, box, np.asarray(self.center, np.float32), np.ascontiguousarray(shape),
            np.float32(self.value), np.float32(self.core), np.float32(self.wall), edge,
        )  # fmt: skip


class Tubes:
    """Many cones; their points are deformed once, here, so each is painted in a tight box."""

    def __init__(self, rows: Iterable[Sequence[float]], deformation: Deformation | None, edge: float = 0.0) -> None:
        table = np.array(list(rows), np.float64).reshape(-1, 16)
        if deformation is not None and len(table):
            table[:, 0:3] = deformation.place(table[:, 0:3])
            table[:, 3:6] = deformation.place(table[:, 3:6])
        self.table = np.ascontiguousarray(table, np.float32)
        self.edge = edge

    def paint(self, slab: Slab) -> None:
        t = self.table
        reach = np.maximum(t[:, 6], t[:, 7]) * np.maximum(t[:, 8], 1) + slab.grid.edge
        low, high = np.minimum(t[:, 2], t[:, 5]) - reach, np.maximum(t[:, 2], t[:, 5]) + reach
        here = t[(low <= slab.zs[0]) & (high >= slab.zs[-1])]
        if len(here):
            kernels.paint_tubes(slab.values, *slab.plane, slab.zs, here, np.float32(self.edge or slab.grid.edge))


@dataclass
class Balls:
    """Exact balls at true places: rows of centre (3), radius, value."""

    rows: Sequence[Sequence[float]]

    def paint(self, slab: Slab) -> None:
        balls = np.array(self.rows, np.float32).reshape(-1, 5)
        kernels.paint_balls(slab.values, *slab.plane, slab.zs, np.float32(slab.grid.spacing[0]), balls)


Solid = Contour | Layers | Ellipsoid | Tubes | Balls


def tube(
    points: Sequence[Vector] | NDArray[Any],
    radii: float | Vector,
    value: float,
    *,
    ratio: float = 1.0,
    up: Vector = (0, 0, 1),
    gas: float = 1.0,
    level: float = 0.0,
    smooth: int = 4,
) -> list[Row]:
    """Rows for `Tubes` along a smooth line through `points`; `smooth` pieces per span."""
    line, widths = spline(np.asarray(points, np.float64), radii, smooth)
    return [
        (*line[i], *line[i + 1], widths[i], widths[i + 1], ratio, *up, value, gas, level, 0.0)
        for i in range(len(line) - 1)
    ]


def spline(
    points: NDArray[np.float64], radii: float | Vector, pieces: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A Catmull-Rom line through points (n, 3), with radii interpolated alike."""
    widths = np.full(len(points), radii) if np.isscalar(radii) else np.asarray(radii, np.float64)
    four = np.column_stack([points, widths])
    if len(four) < 3 or pieces < 2:
        return four[:, :3], four[:, 3]
    padded = np.vstack([2 * four[0] - four[1], four, 2 * four[-1] - four[-2]])
    t = (np.arange(pieces) / pieces)[:, None]
    spans = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        spans.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    line = np.vstack([*spans, four[-1:]])
    return line[:, :3], np.maximum(line[:, 3], 0.2)


def knots(table: Mapping[Any, Sequence[float]], blur: float = 5.0) -> NDArray[np.float64]:
    """Values by height: {z: (a, b, ...)} to (HEIGHTS, n), linear between knots, then smoothed over `blur` mm."""
    heights = sorted(table)
    values = np.array([table[z] for z in heights], np.float64)
    columns = [np.interp(TABLE_Z, heights, column) for column in values.T]
    return blur_rows(np.stack(columns, axis=1), blur)


def blur_rows(table: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Gaussian smoothing along the first axis (heights), ends repeated."""
    if sigma <= 0:
        return table
    half = int(3 * sigma) + 1
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    weights /= weights.sum()
    padded = np.concatenate([np.repeat(table[:1], half, 0), table, np.repeat(table[-1:], half, 0)])
    out = np.zeros_like(table)
    for offset, weight in enumerate(weights):
        out += weight * padded[offset : offset + len(table)]
    return out


def blur_angles(table: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Gaussian smoothing around the contour (second axis, periodic)."""
    frequency = np.fft.rfftfreq(table.shape[1]) * 2 * np.pi
    return np.fft.irfft(np.fft.rfft(table, axis=1) * np.exp(-0.5 * (frequency * sigma) ** 2), table.shape[1], axis=1)


def superellipse(
    left: NDArray[np.float64], right: NDArray[np.float64], front: NDArray[np.float64], back: NDArray[np.float64],
    power: float = 2.4, power_back: float | None = None,
) -> NDArray[np.float64]:  # fmt: skip
    """Radii (HEIGHTS, ANGLES) of a contour with four half axes (HEIGHTS,) and rounded corners."""
    dx, dy = DIRECTIONS.T
    across = np.where(dx >= 0, left[:, None], right[:, None]) + 1e-6
    along = np.where(dy >= 0, back[:, None], front[:, None]) + 1e-6
    n = np.where(dy >= 0, power_back or power, power)
    n = blur_angles(n[None, :].astype(float), 12)[0]
    return (np.abs(dx / across) ** n + np.abs(dy / along) ** n) ** (-1 / n)


def carve(
    center: NDArray[np.float64],
    inside: Callable[[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
    low: float,
    high: float,
    reach: float = 150.0,
    every: int = 4,
    blur: tuple[float, float] = (3.0, 1.5),
) -> NDArray[np.float64]:
    """Radii (HEIGHTS, ANGLES) of the region where `inside(x, y, z)` > 0, seen from `center` (HEIGHTS, 2).

    0 outside [low, high].

    `inside` should grow by about 1 per mm, so that the border falls between two samples at the right place.
    """
    rows = np.flatnonzero(np.abs(TABLE_Z - (low + high) / 2) <= (high - low) / 2 + every)[::every]
    r = np.arange(0.0, reach, 2.0)
    x = center[rows, 0, None, None] + DIRECTIONS[:, 0, None] * r
    y = center[rows, 1, None, None] + DIRECTIONS[:, 1, None] * r
    field = inside(x, y, TABLE_Z[rows][:, None, None])
    out = field <= 0
    out[..., -1] = True
    first = out.argmax(axis=2)
    previous = np.maximum(first - 1, 0)
    take = np.take_along_axis
    a = take(field, previous[..., None], 2)[..., 0]
    b = take(field, first[..., None], 2)[..., 0]
    border = np.where(first == 0, 0.0, r[previous] + 2.0 * np.clip(a / np.maximum(a - b, 1e-6), 0, 1))
    radius = np.zeros((HEIGHTS, ANGLES))
    for column in range(ANGLES):
        radius[:, column] = np.interp(TABLE_Z, TABLE_Z[rows], border[:, column], left=0, right=0)
    return blur_angles(blur_rows(radius, blur[0]), blur[1])


def contains(
    radius: NDArray[np.float64], center: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How deep (mm, negative outside) points (n, 3) lie in a contour."""
    h = np.clip(np.round(points[:, 2] - kernels.TABLE_Z0).astype(int), 0, HEIGHTS - 1)
    d = points[:, :2] - center[h]
    t = d[:, 1] / (np.abs(d).sum(axis=1) + 1e-6)
    u = np.where(d[:, 0] >= 0, t + 1, 3 - t) * (ANGLES / 4)
    return radius[h, u.astype(int) % ANGLES] - np.linalg.norm(d, axis=1)


def depth(radius: NDArray[np.float64], center: NDArray[np.float64]) -> Callable[..., NDArray[np.float64]]:
    """The same for broadcast x, y, z arrays: for use in `carve`."""

    def inside(x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y, z = np.broadcast_arrays(x, y, z)
        points = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
        return contains(radius, center, points).reshape(x.shape)

    return inside


def _smooth(noise: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    """Periodic Gaussian smoothing over the first three axes."""
    spectrum = np.fft.fftn(noise, axes=(0, 1, 2))
    for axis in range(3):
        frequency = np.fft.fftfreq(noise.shape[axis]) * 2 * np.pi
        shape = [1] * noise.ndim
        shape[axis] = -1
        spectrum *= np.exp(-0.5 * (frequency * sigma) ** 2).reshape(shape)
    return np.fft.ifftn(spectrum, axes=(0, 1, 2)).real


def axes_from(direction: Vector, up: Vector = (0, 0, 1)) -> NDArray[np.float64]:
    """Three orthonormal columns; the first is `direction`."""
    a = np.asarray(direction, np.float64)
    a = a / np.linalg.norm(a)
    b = np.cross(np.asarray(up, np.float64), a)
    b /= np.linalg.norm(b)
    return np.stack([a, b, np.cross(a, b)], axis=1)
