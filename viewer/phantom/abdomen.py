"""The organs below the diaphragm of the CT phantom. HU, mm, LPS."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import growth
from viewer.phantom.frame import FAT, Frame
from viewer.phantom.shapes import (
    HEIGHTS,
    Contour,
    Deformation,
    Ellipsoid,
    Roof,
    Solid,
    Tubes,
    axes_from,
    carve,
    contains,
    depth,
    spline,
    tube,
)

LIVER, SPLEEN, CORTEX, MEDULLA, PANCREAS = 112.0, 124.0, 196.0, 136.0, 96.0
PORTAL, HEPATIC = 172.0, 158.0
STOMACH = [(54, 22, 4), (66, 26, -14), (74, 2, -44), (66, -32, -72), (42, -54, -92), (10, -56, -98), (-14, -46, -92)]
STOMACH_RADII = [24, 37, 36, 31, 25, 18, 10]


def liver_contour(frame: Frame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    center = np.stack([np.full(HEIGHTS, -52.0), np.full(HEIGHTS, 0.0)], axis=1)
    inside_cage = depth(frame.cage, np.zeros((HEIGHTS, 2)))

    def inside(x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        lower = z - (-138 + 0.60 * (x + 118) + 0.32 * (y + 30) + 9 * np.sin(x / 26))
        left = 60 - x + np.minimum(z + 20, 0) * 0.7 - 0.007 * (y + 58) ** 2
        behind = np.where(x > -8, (-4 - y) - 0.22 * (x + 8), 99)
        groove = np.hypot(x + 27, y - 6) - 20  # around the vena cava
        spine_gap = np.hypot(x - 2, y - 36) - 32
        return np.minimum.reduce(
            [inside_cage(x, y, z) - 3.5, lower * 0.8, left, behind, np.where(y > 4, groove, 99), spine_gap]
        )

    return carve(center, inside, -150, 40, reach=150, blur=(3, 1.6)), center


def liver(frame: Frame, roof: Roof, bend: Deformation, detail: float) -> list[Solid]:
    radius, center = liver_contour(frame)
    rng = np.random.default_rng(11)
    points = rng.uniform((-130, -90, -140), (60, 80, 22), (6000, 3))
    points = points[contains(radius, center, points) > 5]
    column = ((points[:, 0] - roof.geometry[0]) / roof.geometry[2]).astype(int)
    row = ((points[:, 1] - roof.geometry[1]) / roof.geometry[2]).astype(int)
    points = points[points[:, 2] < roof.heights[row, column] - 8]
    portal = points[: int(500 * detail) + 20]
    drained = points[-int(420 * detail) - 20 :]
    rows = tube([(2, -14, -88), (-12, -14, -72), (-30, -16, -56), (-42, -16, -48)], [7.5, 7.2, 6.8, 6.2], PORTAL)
    rows += growth.rows(
        growth.grow(np.array([-42.0, -16, -48]), np.array([-1.0, -0.1, 0.3]), portal, 5.8, smallest=0.7), PORTAL
    )
    west, middle = drained[:, 0] < -72, (drained[:, 0] >= -72) & (drained[:, 0] < -25)
    for part, heading in ((west, (-1, 0.2, -0.3)), (middle, (-0.4, -0.8, -0.4)), (~(west | middle), (0.6, -0.8, -0.2))):
        if part.any():
            tree = growth.grow(np.array([-28.0, -2, 4]), np.array(heading), drained[part], 5.0, smallest=0.6)
            rows += growth.rows(tree, HEPATIC)
    return [
        Contour(radius, center, LIVER, roof=roof, side=-1, gap=-3.6),
        Tubes(rows, bend),
        Ellipsoid((-84, 30, -40), (9, 8, 9), 12.0),  # a cyst
        Ellipsoid((-96, -30, -12), (5, 5, 5), 14.0),
        Ellipsoid((-56, -58, -86), (13, 16, 28), 52, 8, 2.0, axes=axes_from((0.9, 0.3, 0.2))),  # gall bladder
        Tubes(
            tube([(-34, -24, -56), (-22, -20, -74), (-18, -16, -96), (-20, -12, -108)], [2.2, 2.4, 2.4, 2], 10), bend
        ),
    ]


def spleen(frame: Frame, roof: Roof, bend: Deformation) -> list[Solid]:
    center = np.stack([np.full(HEIGHTS, 96.0), np.full(HEIGHTS, 40.0)], axis=1)
    inside_cage = depth(frame.cage, np.zeros((HEIGHTS, 2)))

    def inside(x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
        ball = 45 - np.hypot(np.hypot((x - 98) * 1.1, (y - 34) * 0.85), (z + 36) * 0.66)
        dent = np.hypot(np.hypot(x - 60, y - 4), (z + 30) * 0.5) - 37
        return np.minimum.reduce([inside_cage(x, y, z) - 4, ball, dent])

    radius = carve(center, inside, -104, 30, reach=80, blur=(3, 1.5))
    rows = tube([(8, -8, -78), (30, 2, -74), (56, 16, -62), (78, 26, -50)], [3.2, 3.4, 3.2, 2.4], 190)
    rows += tube([(2, -10, -84), (30, 6, -80), (58, 22, -66), (80, 30, -54)], [4.6, 4.4, 4.2, 3], PORTAL)
    return [
        Contour(radius, center, SPLEEN, roof=roof, side=-1, gap=-3.6),
        Ellipsoid((78, 8, -78), (9, 9, 9), SPLEEN - 2),  # an accessory spleen
        Tubes(rows, bend),
    ]


def stomach(bend: Deformation) -> list[Solid]:
    """Wall, fluid, and the gas that collects in front."""
    wall = tube(STOMACH, STOMACH_RADII, 92, smooth=6)
    line, widths = spline(np.array(STOMACH, float), STOMACH_RADII, 14)
    pleats = (
        widths
        - 4.6
        + 1.5 * np.sin(np.arange(len(widths)) * 1.05) * np.clip((len(widths) - np.arange(len(widths))) / 40, 0, 1)
    )
    inside = tube(line, np.maximum(pleats, 2.0), 22, gas=-990.0, level=-30.0, smooth=1)
    return [Tubes(wall, bend), Tubes(inside, bend, 1.4)]


def kidneys(bend: Deformation) -> list[Solid]:
    solids: list[Solid] = []
    rows: list[tuple[float, ...]] = []
    for side, z in ((-1.0, -116.0), (1.0, -102.0)):
        center = np.array([side * 67.0, 29.0, z])
        axes = axes_from((side * 0.30, 0.18, -0.94), (0, 1, 0))
        facing = np.array([-side * 0.86, -0.5, 0.0])
        solids.append(Ellipsoid(center, (61, 40, 40), FAT - 4, axes=axes))
        solids.append(Ellipsoid(center, (56, 28.5, 29.5), CORTEX, axes=axes))
        for ring, count, out in ((-34, 4, 11), (-17, 6, 15), (0, 6, 16), (17, 6, 15), (34, 4, 11)):
            for k in range(count):
                angle = 2 * np.pi * (k + 0.5 * (ring // 17 % 2)) / count
                spot = center + axes @ np.array([ring * 1.02, np.cos(angle) * out, np.sin(angle) * out])
                way = axes @ np.array([ring * 0.25, np.cos(angle) * out, np.sin(angle) * out])
                solids.append(Ellipsoid(spot, (8.2, 5.6, 5.6), MEDULLA, axes=axes_from(way, (0.3, 0.2, 1)), edge=2.0))
        solids.append(Ellipsoid(center + facing * 10, (34, 15, 12), -70, axes=axes))
        solids.append(Ellipsoid(center + facing * 25, (20, 14, 15), FAT, axes=axes))
        for ring in (-24, -8, 9, 25):
            spot = center + axes @ np.array([ring, 0, 0]) + facing * 5
            solids.append(Ellipsoid(spot, (5, 5, 5), 20.0, edge=2.0))
            rows += tube(
                [center + facing * 16, 0.5 * (center + facing * 16 + spot), spot], [3.0, 2.5, 3.2], 18, smooth=2
            )
        hilum = center + facing * 20
        rows += tube(
            [
                hilum,
                hilum + facing * 12 + (0, 0, -4),
                (side * 38, 16, z - 40),
                (side * 36, 20, -190),
                (side * 32, 14, -230),
            ],
            [6, 4, 2.4, 2.2, 2.2],
            16,
        )
        rows += tube(
            [(6 + side * 8, 0, z + 8), (side * 30, 8, z + 6), center + facing * 18, center + facing * 7 + (0, 0, 10)],
            [3.2, 3, 2.8, 1.6],
            205,
        )
        vein = (-22, 2, z + 2) if side < 0 else (-18, -6, z + 2)
        path = [vein, (side * 34, 2, z), center + facing * 17, center + facing * 6 + (0, 0, -10)]
        if side > 0:
            path.insert(1, (6, -13, z + 2))
        rows += tube(path, [5.5, *([5.2] * (len(path) - 2)), 2.0], 168)
        top = center + np.array([-side * 14, -10, 58])
        for arm in ((side * 6, 16, -6), (side * 14, 10, -12), (-side * 4, -8, 8)):
            rows += tube([top, top + np.array(arm) * 0.6, top + np.array(arm) * 1.3], [3.0, 2.4, 1.6], 78, ratio=1)
    solids.append(Ellipsoid((-92, 30, -140), (9, 9, 9), 6.0))  # a simple cyst
    return [*solids, Tubes(rows, bend)]


def pancreas(bend: Deformation) -> list[Solid]:
    rng = np.random.default_rng(3)
    path = [(-16, -22, -112), (-10, -26, -98), (6, -30, -88), (26, -16, -84), (44, 2, -80), (58, 14, -72)]
    line, widths = spline(np.array(path, float), [15, 14, 10, 10, 9.5, 7.5], 7)
    rows: list[tuple[float, ...]] = []
    for point, width in zip(line, widths, strict=True):
        for _ in range(5):
            spot = point + rng.normal(0, width * 0.42, 3)
            size = rng.uniform(0.36, 0.6) * width
            rows += tube([spot, spot + rng.normal(0, 2.5, 3)], size, PANCREAS + rng.normal(0, 5))
    duct = tube(path[1:], [1.2, 1.1, 1.0, 0.9, 0.8], 30)
    duodenum = [
        (-14, -46, -92),
        (-38, -34, -92),
        (-46, -16, -108),
        (-44, -8, -134),
        (-24, -8, -152),
        (8, -14, -152),
        (34, -22, -138),
    ]
    wall = tube(duodenum, [11, 12.5, 13, 13, 12.5, 12, 11], 78)
    inside = tube(duodenum, [8, 9.5, 10, 10, 9.5, 9, 8], 26, gas=-960.0, level=-50.0)
    mesenteric = tube(
        [(6, -8, -92), (7, -18, -100), (6, -26, -130), (0, -30, -180), (-8, -30, -215)], [4.2, 3.8, 3.6, 3, 2.4], 200
    )
    mesenteric += tube([(2, -14, -88), (-6, -26, -104), (-8, -28, -140), (-16, -32, -190)], [6.5, 5.6, 5, 4], 172)
    mesenteric += tube([(6, -8, -74), (6, -18, -76), (-14, -22, -70), (-30, -20, -60)], [4, 3.4, 2.8, 2.2], 205)
    return [Tubes(wall, bend), Tubes(inside, bend), Tubes(rows, bend, 1.8), Tubes(duct, bend), Tubes(mesenteric, bend)]


COLON = [
    (-98, 22, -214), (-100, 20, -190), (-102, 18, -168), (-98, 8, -146), (-84, -26, -142), (-62, -60, -152), (-30, -70, -166),
    (4, -72, -170), (38, -70, -158), (66, -62, -136), (88, -34, -104), (102, -4, -80), (108, 18, -92), (108, 28, -120),
    (107, 28, -160), (104, 26, -214), (100, 24, -240),
]  # fmt: skip


def colon(bend: Deformation) -> list[Solid]:
    """Large bowel with haustra: stool that carries bubbles, gas in front."""
    rng = np.random.default_rng(5)
    line, _ = spline(np.array(COLON, float), 20.0, 12)
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    calibre = np.interp(arc, [0, 150, 420, 620, 760], [27, 24, 21, 18, 15])
    wide = calibre * (1 - 0.15 * np.abs(np.sin(arc / 11.0 + 0.8 * np.sin(arc / 37))) ** 3)
    wall = tube(line, wide, 70, smooth=1)
    level = np.interp(arc, [0, 170, 300, 520, 640, 760], [3, -14, -66, -62, 8, 16])
    content = np.interp(arc, [0, 140, 200, 560, 640, 760], [38, 42, 30, 25, 48, 52])
    inside: list[tuple[float, ...]] = []
    for i in range(len(line) - 1):
        inside.append(
            (*line[i], *line[i + 1], wide[i] - 2.4, wide[i + 1] - 2.4, 1, 0, 0, 1, content[i], -985.0, level[i], 0)
        )
    bubbles: list[tuple[float, ...]] = []
    for _ in range(900):
        i = int(rng.integers(0, len(line)))
        if 200 < arc[i] < 600 and rng.random() < 0.75:
            continue
        away = rng.normal(0, 0.36, 3) * wide[i]
        spot = line[i] + away
        if spot[1] < level[i] or np.linalg.norm(away) > wide[i] - 5:
            continue
        bubbles += tube(
            [spot, spot + rng.normal(0, 2.0, 3)], float(rng.uniform(0.7, 2.2)), float(rng.choice([-420, -150, 95, 120]))
        )
    return [Tubes(wall, bend), Tubes(inside, bend), Tubes(bubbles, bend)]


def small_bowel(bend: Deformation) -> list[Solid]:
    """Loops that wander through the middle and the left of the belly, with their mesentery."""
    rng = np.random.default_rng(21)
    wall: list[tuple[float, ...]] = []
    inside: list[tuple[float, ...]] = []
    folds: list[tuple[float, ...]] = []
    vessels: list[tuple[float, ...]] = []
    placed: list[NDArray[np.float64]] = []
    for z in (-122, -140, -158, -176, -194, -214, -234):
        for row in range(2):
            y = -30.0 - row * 30
            low, high = (-58.0, 84.0) if row == 0 else (-66.0, 74.0)
            if z > -150:
                low = 22.0
            steps = np.arange(low, high, 12.0)
            phase = rng.uniform(0, 6.28)
            points = np.stack(
                [steps, y + 8 * np.sin(steps / 15 + phase), z + 7 * np.sin(steps / 11 + 2 * phase)], axis=1
            ) + rng.normal(0, 2.2, (len(steps), 3))
            wide = 10.5 + 2.2 * np.sin(np.arange(len(steps)) * 1.1 + phase)
            value, gas = (30.0, -940.0) if rng.random() < 0.45 else (26.0, 1.0)
            wall += tube(points, wide, 104)
            inside += tube(points, wide - 2.6, value, gas=gas, level=y - 5.0)
            line, widths = spline(points, wide, 5)
            for a, w in zip(line[::2], widths[::2], strict=False):
                angle = rng.uniform(0, 6.28)
                offset = np.array([0.15, np.cos(angle), np.sin(angle)]) * (w - 3.0)
                folds += tube([a + offset, a + offset * 0.45], 0.8, 90)
            placed.append(points)
    for points in placed:
        for end in points[::2]:
            root = np.array([2.0, -26.0, float(np.clip(end[2] + 18, -190, -110))])
            middle = 0.5 * (root + end) + rng.normal(0, 5, 3)
            vessels += tube([root, middle, end + np.array([0, 9, 0])], [1.9, 1.4, 0.8], 150, smooth=3)
    return [Tubes(vessels, bend), Tubes(wall, bend), Tubes(inside, bend), Tubes(folds, bend)]


def crura(bend: Deformation) -> list[Solid]:
    rows = tube(
        [(-16, 6, -20), (-14, 14, -50), (-14, 18, -90), (-12, 18, -130)],
        [7, 6.5, 5.5, 2.5],
        60,
        ratio=0.55,
        up=(0.4, 1, 0),
    )
    rows += tube(
        [(20, 8, -20), (18, 14, -50), (18, 18, -80), (16, 18, -112)],
        [6.5, 6, 4.5, 2.5],
        60,
        ratio=0.55,
        up=(-0.4, 1, 0),
    )
    return [Tubes(rows, bend)]


__all__ = ["colon", "crura", "kidneys", "liver", "pancreas", "small_bowel", "spleen", "stomach"]
