"""A head for magnetic resonance: folds, ventricles, deep grey matter, skull, scalp and eyes, as functions of place.

Two contrasts are computed together. Coordinates LPS mm, the middle of the head at the origin. Folds are the level lines
of a sum of plane waves, which is what gives them their winding look.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import facts

Array = NDArray[np.float32]
Vector = tuple[float, float, float]

# T1-like and T2-like signal of each tissue.
TISSUE = {
    "air": (6, 6), "fat": (920, 600), "skin": (430, 260), "muscle": (340, 170), "bone": (45, 40), "marrow": (560, 330),
    "fluid": (120, 1010), "grey": (405, 545), "white": (610, 365), "deep grey": (500, 430), "vitreous": (150, 1060),
    "lens": (330, 200), "dura": (240, 140), "lesion": (260, 830), "mucosa": (380, 700), "vessel": (30, 25),
}  # fmt: skip


@dataclass(frozen=True)
class MrSeries:
    """One series: slices run along `row` x `column`; spacing is (slices, rows, columns) mm."""

    name: str
    shape: tuple[int, int, int]
    spacing: Vector
    row: Vector
    column: Vector
    step: Vector
    """Unit vector from one slice to the next."""
    center: Vector
    """The middle of the stack."""

    def position(self, index: int) -> Vector:
        """Centre of the first voxel of slice `index`."""
        slices, rows, columns = self.shape
        offset = (
            np.array(self.step) * (index - (slices - 1) / 2) * self.spacing[0]
            - np.array(self.column) * (rows - 1) / 2 * self.spacing[1]
            - np.array(self.row) * (columns - 1) / 2 * self.spacing[2]
        )
        x, y, z = np.array(self.center) + offset
        return float(x), float(y), float(z)


def render(series: MrSeries, seed: int = 40) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """The whole stack in both contrasts, T1-like and T2-like, (slices, rows, columns), 12 bit."""
    with ThreadPoolExecutor(2) as pool:
        slices = list(pool.map(lambda index: _slice(series, index, seed), range(series.shape[0])))
    return np.stack([one for one, _ in slices]), np.stack([two for _, two in slices])


def _slice(series: MrSeries, index: int, seed: int) -> list[NDArray[np.uint16]]:
    _, rows, columns = series.shape
    fine = 2
    j = ((np.arange(rows * fine, dtype=np.float32) + 0.5) / fine - 0.5)[:, None]
    i = ((np.arange(columns * fine, dtype=np.float32) + 0.5) / fine - 0.5)[None, :]
    start = np.array(series.position(index), np.float32)
    down = np.array(series.column, np.float32) * np.float32(series.spacing[1])
    across = np.array(series.row, np.float32) * np.float32(series.spacing[2])
    x, y, z = (_axis(start[a], down[a], across[a], j, i) for a in range(3))
    both = tissue(x, y, z).reshape(2, rows, fine, columns, fine).mean(axis=(2, 4))
    rng = np.random.default_rng((seed, index, columns))
    coil = 1.0 + 0.09 * np.cos(y / 75 + 0.5) + 0.05 * np.sin(x / 60)
    pictures = []
    for signal in (
        both * np.broadcast_to(coil, both.shape[1:] if coil.size == 1 else (2 * rows, 2 * columns))[::fine, ::fine]
    ):
        real = signal + rng.normal(0, 13, signal.shape)
        pictures.append(np.clip(np.hypot(real, rng.normal(0, 13, signal.shape)), 0, 4095).astype(np.uint16))
    return pictures


def _axis(start: np.float32, down: np.float32, across: np.float32, j: Array, i: Array) -> Array:
    """One coordinate on a plane, as small as broadcasting allows."""
    if abs(down) < 1e-6 and abs(across) < 1e-6:
        return np.full((1, 1), start, np.float32)
    if abs(across) < 1e-6:
        return start + down * j
    return start + across * i if abs(down) < 1e-6 else start + down * j + across * i


class Canvas:
    """Two contrasts painted over each other by soft masks. Places are three arrays that broadcast to the picture."""

    def __init__(self, x: Array, y: Array, z: Array) -> None:
        self.x, self.y, self.z = x, y, z
        self.shape = np.broadcast_shapes(x.shape, y.shape, z.shape)
        self.values = np.full((2, *self.shape), TISSUE["air"][0], np.float32)

    def paint(
        self, inside: Array, name: str, soft: float = 0.8, window: tuple[slice, slice] = (slice(None), slice(None))
    ) -> None:
        """`inside`: mm within the surface (negative outside)."""
        share = np.clip(inside / np.float32(soft) + np.float32(0.5), 0, 1)
        for value, target in zip(self.values, TISSUE[name], strict=True):
            value[window] += (target - value[window]) * share

    def ball(
        self, name: str, center: Vector, radii: Vector, grow: float = 0.0, lean: float = 0.0, soft: float = 0.8
    ) -> None:
        """An ellipsoid, in its own small window; `lean` shears x with z."""
        reach = np.array(radii) + max(grow, 0) + 2 + np.array([abs(lean) * radii[2], 0, 0])
        found = self.window(np.subtract(center, reach), np.add(center, reach))
        if found:
            window, x, y, z = found
            self.paint(ellipsoid(x, y, z, center, radii, lean) + grow, name, soft, window)

    def tube(
        self,
        name: str,
        points: list[Vector],
        radii: list[float],
        flat: float = 1.0,
        soft: float = 0.8,
        grow: float = 0.0,
    ) -> None:
        """A bent tube, in its own small window."""
        spare = max(radii) + 2 + grow
        found = self.window(np.min(points, axis=0) - spare, np.max(points, axis=0) + spare)
        if found:
            window, x, y, z = found
            self.paint(capsule(x, y, z, points, radii, flat) + grow, name, soft, window)

    def window(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[tuple[slice, slice], Array, Array, Array] | None:
        """The part of the picture between two corners, with its places; None when the plane does not pass there."""
        spans = [slice(None), slice(None)]
        for place, a, b in zip((self.x, self.y, self.z), low, high, strict=True):
            inside = (place >= a) & (place <= b)
            for axis in (0, 1):
                if place.shape[axis] > 1 and place.shape[1 - axis] == 1:
                    hits = np.flatnonzero(inside.any(axis=1 - axis))
                    if not hits.size:
                        return None
                    old = spans[axis]
                    spans[axis] = slice(max(old.start or 0, hits[0]), min(old.stop or 10**6, hits[-1] + 1))
            if place.size == 1 and not inside.all():
                return None
        if any((span.stop or 10**6) <= (span.start or 0) for span in spans):
            return None
        window = (spans[0], spans[1])
        cut = [
            v[spans[0] if v.shape[0] > 1 else slice(None), spans[1] if v.shape[1] > 1 else slice(None)]
            for v in (self.x, self.y, self.z)
        ]
        return window, cut[0], cut[1], cut[2]


def ellipsoid(x: Array, y: Array, z: Array, center: Vector, radii: Vector, lean: float = 0.0) -> Array:
    """About how many mm a place is within an ellipsoid."""
    dx, dy, dz = (
        x - np.float32(center[0]) - np.float32(lean) * (z - np.float32(center[2])),
        y - center[1],
        z - center[2],
    )
    r = np.sqrt((dx / radii[0]) ** 2 + (dy / radii[1]) ** 2 + (dz / radii[2]) ** 2)
    return (1 - r) * min(radii)


def capsule(x: Array, y: Array, z: Array, points: list[Vector], radii: list[float], flat: float = 1.0) -> Array:
    """Mm within a bent tube; `flat` < 1 squeezes it sideways."""
    best = np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), -99.0, np.float32)
    for a, b, ra, rb in zip(points, points[1:], radii, radii[1:], strict=False):
        d = [float(v) for v in np.subtract(b, a)]
        px, py, pz = x - a[0], y - a[1], z - a[2]
        t = np.clip((px * d[0] + py * d[1] + pz * d[2]) / (d[0] ** 2 + d[1] ** 2 + d[2] ** 2), 0, 1)
        away = np.sqrt(((px - t * d[0]) / flat) ** 2 + (py - t * d[1]) ** 2 + (pz - t * d[2]) ** 2)
        best = np.maximum(best, ra + (rb - ra) * t - away)
    return best


def _waves(count: int, length: float, seed: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    k = rng.normal(0, 1, (count, 3))
    k *= (2 * np.pi / length) * rng.uniform(0.8, 1.2, (count, 1)) / np.linalg.norm(k, axis=1, keepdims=True)
    return k.astype(np.float32), rng.uniform(0, 6.283, count).astype(np.float32)


FOLDS = _waves(12, 25.0, 2)
UNEVEN = _waves(5, 70.0, 5)


def _field(waves: tuple[Array, Array], x: Array, y: Array, z: Array) -> Array:
    """A smooth random field of unit variance."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), np.float32)
    for k, phase in zip(*waves, strict=True):
        total += np.cos(k[0] * x + (k[1] * y + (k[2] * z + phase)))
    return total * np.float32((2 / len(waves[1])) ** 0.5)


def tissue(x: Array, y: Array, z: Array) -> Array:
    """Signal of both contrasts, (2, rows, columns), at LPS places (arrays that broadcast to the picture)."""
    canvas = Canvas(x, y, z)
    uneven = _field(UNEVEN, x, y, z)
    _head(canvas, uneven)
    _face(canvas)
    _brain(canvas, uneven)
    _inside(canvas)
    return canvas.values


def _cap(x: Array, y: Array, z: Array, grow: float) -> Array:
    """Mm within the brain case, larger by `grow`."""
    a, front, back, top, bottom = 67 + grow, 84 + grow, 88 + grow, 71 + grow, 66 + grow
    narrow = 1.0 - 0.10 * np.clip(-y / 84, 0, 1)
    dy = np.where(y < 0, y / front, y / back)
    dz = np.where(z > 12, (z - 12) / top, (z - 12) / bottom)
    power = np.float32(2.25)
    r = (np.abs(x / (a * narrow)) ** power + (np.abs(dy) ** power + np.abs(dz) ** power)) ** np.float32(1 / 2.25)
    return (1 - r) * 70


def _head(canvas: Canvas, uneven: Array) -> None:
    """Skin, fat, muscle and skull."""
    x, y, z = canvas.x, canvas.y, canvas.z
    cap = _cap(x, y, z, 3.0)
    outer = cap * 1.02 + 13.4 + 0.5 * uneven
    neck = np.minimum(56 - np.hypot(x / 1.08, y - 26 - 0.10 * (z + 60)), -z - 10)
    outer = np.maximum(np.maximum(outer, neck), ellipsoid(x, y, z, (0, -44, -52), (66, 63, 80)))
    outer = np.maximum(outer, ellipsoid(x, y, z, (0, -104, -48), (12, 17, 22)))
    canvas.paint(outer, "skin")
    canvas.paint(outer - 1.8, "fat")
    temple = np.where(np.abs(x) > 40, np.minimum(outer - 4.0, 30 - np.abs(y + 18)), -9)
    deep = np.minimum(outer - 7, np.minimum(-4 - z, 12 + 0 * x))
    canvas.paint(np.maximum(temple, deep) + 0.8 * uneven, "muscle")
    case = cap + 0.8 * uneven
    canvas.paint(np.minimum(case + 8.0, z + 64 - 0.55 * np.clip(-y, 0, 99)), "bone")
    canvas.paint(np.minimum(np.minimum(case + 6.2, -case - 2.2), z + 16) + 0.5 * uneven, "marrow")


def _face(canvas: Canvas) -> None:
    """Orbits with eyes, nose and sinuses, tongue and jaw, the spine of the neck."""
    for side in (-1.0, 1.0):
        canvas.ball("bone", (side * 30, -62, -24), (21, 30, 20))
        canvas.ball("fat", (side * 30, -64, -24), (18.5, 29, 17.5))
        canvas.tube("white", [(side * 32, -68, -24), (side * 20, -42, -22), (side * 8, -26, -18)], [2.6, 2.4, 2.4])
        for dx, dz in ((12, 0), (-11, 0), (0, 11), (0, -11)):
            canvas.tube("muscle", [(side * (32 + dx), -74, -24.0 + dz), (side * 19, -40, -22.0)], [2.0, 2.2])
        canvas.ball("dura", (side * 32, -77, -24), (12.3, 12.3, 12.3), grow=1.2)
        canvas.ball("vitreous", (side * 32, -77, -24), (12.3, 12.3, 12.3))
        canvas.ball("lens", (side * 32.5, -86.0, -24), (4.6, 2.2, 4.6), soft=0.5)
        canvas.ball("bone", (side * 31, -62, -56), (16, 19, 17))
        canvas.ball("mucosa", (side * 31, -62, -56), (14.5, 17.5, 15.5))
        canvas.ball("air", (side * 31, -62, -55), (13, 16, 14))
        canvas.ball("air", (side * 10, -86, 2), (9, 5, 10))
        canvas.ball("mucosa", (side * 6.5, -70, -46), (5, 28, 17))
        canvas.ball("air", (side * 5, -74, -44), (2.2, 25, 14))
        canvas.ball("bone", (side * 46, 24, -38), (12, 14, 14))
        canvas.ball("fluid", (side * 42, 16, -32), (2, 8, 3))
        canvas.tube("vessel", [(side * 22, 2, -110), (side * 20, 4, -60), (side * 12, -14, -26)], [3, 3, 2.4])
    canvas.ball("bone", (0, -10, -30), (26, 32, 11))
    canvas.ball("air", (0, -24, -30), (13, 13, 10))  # sphenoid sinus
    canvas.ball("muscle", (0, -56, -88), (22, 36, 20))
    canvas.tube("air", [(0, -36, -48), (0, -22, -64), (0, -16, -110)], [7, 8, 9], 1.3)
    for z0 in (-74.0, -94.0, -114.0):
        canvas.ball("bone", (0, 12, z0), (12, 9, 8.5), grow=1.2)
        canvas.ball("marrow", (0, 12, z0), (12, 9, 8.5))
    canvas.tube("fluid", [(0, 34, -48), (0, 30, -80), (0, 30, -140)], [11, 9, 8.5])


def _brain(canvas: Canvas, uneven: Array) -> None:
    """What fills the brain case: fluid, the folded cortex on white matter, the cerebellum."""
    found = canvas.window(np.array([-74.0, -90, -68]), np.array([74.0, 95, 88]))
    if not found:
        return
    window, x, y, z = found
    rough = uneven[window]
    side = np.abs(x)
    case = _cap(x, y, z, 3.0) + 0.8 * rough
    along = [-95.0, -40, -26, -16, 24, 34, 44, 95]
    middle = np.clip(25 - side, 0, 25) * np.interp(y, along, [0, 0, 0, 1, 1, 0, 0, 0]).astype(np.float32)
    base = np.interp(y, along, [-2, -11, -18, -42, -44, -62, -64, -60]).astype(np.float32)
    tent = np.interp(y, along, [-2, -11, -18, -42, -40, -24, -12, 2]).astype(np.float32)
    cavity = np.minimum(case, z - base - middle * 0.9 + 1)
    canvas.paint(cavity, "dura", 1.0, window)
    canvas.paint(cavity - 1.0, "fluid", 0.8, window)
    folds = np.abs(_field(FOLDS, np.where(x < 0, x * 0.97 + 2, x), y + 0.1 * side, z)) / np.float32(0.25)
    depth = np.minimum(case - 3.0, z - tent - middle - 2)
    around = ellipsoid(x, y, z, (0, 6, 8), (24, 46, 24))  # what the falx does not part
    depth = np.minimum(depth, np.maximum(side - 1.0 - 0.3 * rough, around * 1.6))
    gap = np.abs(z - 3 - 0.62 * (y + 2)) + np.clip(np.abs(y + 4) - 20, 0, 99) * 0.9 + np.clip(38 - side, 0, 99) * 2
    island = np.abs(side - 38.5 - 0.02 * (y + 3)) + np.clip(np.hypot((y + 3) / 20, (z - 5) / 12) - 1, 0, 9) * 14
    fissure = np.minimum(gap, island)
    core = ellipsoid(x, y, z, (0, 4, 10), (37, 47, 26)) + 2.5 * rough
    sulcus = folds - np.clip(1.15 - 0.042 * depth, -0.5, 1.1) + np.clip(core, -2, 3) + 2
    surface = np.minimum(np.minimum(sulcus + np.clip(depth - 22, 0, 9), depth), fissure - 0.9)
    canvas.paint(np.minimum(surface, case - 2.5), "grey", 0.8, window)
    ribbon = np.minimum(np.minimum(sulcus - 2.4 + np.clip(depth - 20, 0, 9), depth - 2.9), fissure - 3.6)
    canvas.paint(
        np.minimum(np.maximum(ribbon, np.minimum(core - 1.5, depth - 2.9)), fissure - 3.6), "white", 1.2, window
    )
    _cerebellum(canvas, window, x, y, z, case)
    sinus = np.minimum(3.9 - np.hypot(side, case - 2.4), z + 4 + 0 * x)
    canvas.paint(sinus, "vessel", 0.8, window)


def _cerebellum(canvas: Canvas, window: tuple[slice, slice], x: Array, y: Array, z: Array, case: Array) -> None:
    side = np.abs(x)
    lobes = np.maximum(
        ellipsoid(side, y, z, (23, 50, -34), (29, 30, 21)), ellipsoid(x, y, z, (0, 48, -30), (12, 27, 20))
    )
    lobes = np.minimum(np.minimum(lobes, case - 3.0), np.interp(y, [20, 44, 95], [-16, -6, 4]).astype(np.float32) - z)
    canvas.paint(lobes + 1.5, "fluid", 0.8, window)
    leaves = np.abs(np.sin((z + 0.35 * (y - 30) + 0.012 * (y - 50) ** 2 + 0.1 * side) * (np.pi / 5.6)))
    canvas.paint(lobes - np.clip(0.9 - leaves * 3.0, 0, 1) * 5, "grey", 1.0, window)
    canvas.paint(np.minimum(lobes - 7.5 + 5.5 * leaves, 15 - np.abs(z + 33)), "white", 1.6, window)
    canvas.paint(ellipsoid(side, y, z, (14, 38, -35), (5, 8, 6)), "deep grey", 1.5, window)


STEM: tuple[list[Vector], list[float]] = (
    [(0, 8, 2), (0, 13, -14), (0, 14, -30), (0, 26, -52), (0, 33, -72), (0, 30, -140)], [12, 13, 15, 9.5, 6.5, 5.0]
)  # fmt: skip
HORN: list[Vector] = [(9, -32, 14), (11, -14, 22), (13, 8, 27), (21, 30, 22), (23, 40, 12), (19, 58, 8)]


def _inside(canvas: Canvas) -> None:
    """Brain stem, deep grey matter, ventricles, the bridge between the hemispheres, small lesions."""
    canvas.tube("fluid", STEM[0][1:4], STEM[1][1:4], grow=2.5)
    canvas.tube("white", *STEM, soft=1.2)
    canvas.ball("deep grey", (0, 10, -6), (10, 9, 4), soft=2.0)
    for sign in (-1.0, 1.0):
        canvas.ball("deep grey", (sign * 25, -4, 8), (6.5, 19, 11), lean=0.18 * sign, soft=1.2)
        canvas.ball("grey", (sign * 33, -3, 8), (1.5, 18, 12), lean=0.12 * sign, soft=1.0)
        canvas.ball("deep grey", (sign * 10, 12, 12), (9.5, 15, 9), soft=1.2)
        canvas.tube("deep grey", [(sign * 14, -24, 14), (sign * 17, -4, 24), (sign * 19, 14, 26)], [8, 5, 3], soft=1.2)
        line = [(sign * a, b, c) for a, b, c in HORN]
        canvas.tube("fluid", line, [5.0, 5.8, 5.6, 8.2, 6.5, 2.4], 0.80)
        canvas.tube("fluid", [(sign * 26, 32, 8), (sign * 31, 14, -10), (sign * 29, -6, -16)], [4, 2.6, 2.0])
        canvas.ball("grey", (sign * 24, 8, -20), (6, 16, 5), soft=1.0)
        canvas.ball("muscle", (sign * 22, 33, 17), (3.2, 5, 3.5), soft=1.0)  # choroid plexus
    canvas.ball("white", (0, -8, 21), (0.9, 26, 8), soft=0.7)
    for x in np.arange(-22.0, 22.1, 2.75):  # the bridge, as a sheaf of arches
        rise = 26.5 + 0.004 * x * x
        arch: list[Vector] = [
            (x, -40, rise - 12),
            (x, -36, rise),
            (x, -22, rise + 6),
            (x, 4, rise + 7),
            (x, 28, rise + 3),
            (x, 38, rise - 7),
        ]
        canvas.tube("white", arch, [3.0, 3.4, 2.7, 2.6, 3.4, 4.2], soft=1.0)
    canvas.ball("fluid", (0, 2, 5), (2.0, 14, 10), soft=1.0)
    canvas.ball("fluid", (0, 31, -32), (8, 6, 11), soft=1.0)
    canvas.tube("fluid", [(0, 20, -2), (0, 27, -24)], [1.2, 1.4])
    canvas.ball("grey", (0, -16, -20), (6, 5, 4))
    for center, radius in facts.WHITE_MATTER_SPOTS:
        canvas.ball("lesion", center, (radius, radius, radius))


_TILT = np.radians(9.0)
AXIAL = MrSeries(
    "axial", (32, 256, 256), (4.4, 0.9, 0.9), (1.0, 0.0, 0.0), (0.0, float(np.cos(_TILT)), float(np.sin(_TILT))),
    (0.0, float(np.sin(_TILT)), float(-np.cos(_TILT))), (0.0, 2.0, 10.0),
)  # fmt: skip
SAGITTAL = MrSeries(
    "sagittal",
    (30, 256, 256),
    (5.0, 0.95, 0.95),
    (0.0, 1.0, 0.0),
    (0.0, 0.0, -1.0),
    (1.0, 0.0, 0.0),
    (0.0, -4.0, -14.0),
)
