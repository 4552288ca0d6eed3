"""Lungs, airways, heart and the great vessels of the CT phantom. HU, mm, LPS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.phantom import facts, growth
from viewer.phantom.frame import MUSCLE, Frame
from viewer.phantom.radiograph import Thin
from viewer.phantom.shapes import (
    HEIGHTS,
    TABLE_Z,
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
    tube,
)

LUNG = -868.0
ARTERY, VEIN, PULMONARY, CHAMBER, MYOCARDIUM = 205.0, 150.0, 190.0, 188.0, 112.0
HEART_AXIS = np.array([0.76, -0.50, -0.42])


def diaphragm() -> Roof:
    """Two domes and the tendon between; steep towards the wall, low behind."""

    def height(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        right = 24 - 92 * (((x + 66) / 74) ** 2 + ((y + 12) / 92) ** 2) ** 1.25
        left = 12 - 92 * (((x - 70) / 70) ** 2 + ((y + 8) / 90) ** 2) ** 1.25
        middle = 8 - 70 * ((x / 60) ** 2 + ((y + 18) / 75) ** 2) ** 1.2
        sharp = 0.16
        behind = 4 - 70 * ((x / 68) ** 2 + ((y - 32) / 70) ** 2) ** 1.2
        return np.log(sum(np.exp(sharp * part) for part in (right, left, middle, behind))) / sharp

    return Roof.of(lambda x, y: np.maximum(height(x, y), -140.0))


@dataclass(frozen=True)
class Lungs:
    radius: dict[float, NDArray[np.float64]]
    center: dict[float, NDArray[np.float64]]
    roof: Roof


def make_lungs(frame: Frame) -> Lungs:
    """Each lung is the rib cage beside the mediastinum; keyed by side, -1.0 is the right one."""
    radius, centers = {}, {}
    y_spine, half, _ = frame.spine.T
    inside_cage = depth(frame.cage, np.zeros((HEIGHTS, 2)))
    for side in (-1.0, 1.0):
        center = np.stack(
            [
                side * np.interp(TABLE_Z, [-80, 60, 140, 200], [74, 72, 62, 42]),
                np.interp(TABLE_Z, [-80, 20, 150, 200], [22, 8, 8, 12]),
            ],
            axis=1,
        )

        def inside(
            x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], side: float = side
        ) -> NDArray[np.float64]:
            row = np.clip((z - TABLE_Z[0]).astype(int), 0, HEIGHTS - 1)
            ys = y_spine[row]
            anterior = np.clip((-y - 35) / 40, 0, 1)
            edge = 33 * (1 - anterior) + (5.0 if side < 0 else 9.0) * anterior
            edge = edge + np.clip((z - 120) / 40, 0, 1) * 4 * (1 - anterior)
            beside = np.exp(-(((y - ys - 8) / 20) ** 2)) * (z < 165)
            edge = edge - beside * (33 - half[row] - 7 + (0.0 if side < 0 else -5.0)) * 1.0
            edge = np.where(y > ys + 16, np.minimum(edge, half[row] + 6), edge)
            medial = side * x - edge
            apex = 47 - np.hypot(np.hypot((x - side * 40) / 0.92, (y - 14) / 1.02), np.maximum(z - 147, 0))
            apex = np.where(z > 147, apex, 99)
            return np.minimum(np.minimum(inside_cage(x, y, z) - 1.0, medial), np.where(z > 168, apex, 99.0))

        radius[side] = carve(center, inside, -92, 196, reach=140, blur=(4, 2.2))
        centers[side] = center
    return Lungs(radius, centers, diaphragm())


def lung_solids(lungs: Lungs) -> list[Solid]:
    solids: list[Solid] = []
    for side in (-1.0, 1.0):
        radius, center = lungs.radius[side], lungs.center[side]
        solids.append(
            Contour(np.where(radius > 0, radius + 1.2, 0), center, MUSCLE - 8, roof=lungs.roof, side=1, gap=-3.2)
        )
        solids.append(Contour(radius, center, LUNG, slope=0.35, roof=lungs.roof, side=1, gap=0.0, edge=1.4))
    return solids


def fissures(lungs: Lungs, bend: Deformation) -> list[Solid]:
    """The oblique and the horizontal fissure: threads of tissue, thin as on a CT."""
    rows: list[tuple[float, ...]] = []
    for side in (-1.0, 1.0):
        radius, center = lungs.radius[side], lungs.center[side]
        for x in np.arange(12.0, 132.0, 2.0):
            y = np.arange(-95.0, 90.0, 4.0)
            bow = 7 * np.sin(x / 40) + 5 * np.sin(y / 35)
            z = 62 + (y + 4) * 1.05 + bow
            rows += _sheet(np.stack([np.full_like(y, side * x), y, z], axis=1), radius, center)
            if side < 0:
                y = np.arange(-95.0, 6.0, 4.0)
                z = 78 + 5 * np.sin(x / 30) + 4 * np.cos(y / 28)
                rows += _sheet(np.stack([np.full_like(y, side * x), y, z], axis=1), radius, center)
    return [Tubes(rows, bend)]


def _sheet(
    points: NDArray[np.float64], radius: NDArray[np.float64], center: NDArray[np.float64]
) -> list[tuple[float, ...]]:
    keep = contains(radius, center, points) > 1.0
    return [
        (*a, *b, 1.35, 1.35, 0.26, 1.0, 0.0, 0.0, -690.0, 1.0, 0.0, 0.0)
        for a, b, ka, kb in zip(points, points[1:], keep, keep[1:], strict=False)
        if ka and kb
    ]


PERICARDIUM = (
    ((19.0, -22.0, 46.0), (70.0, 53.0, 50.0), axes_from(HEART_AXIS, (0.2, 0.3, 1))),
    ((-14.0, -12.0, 66.0), (38.0, 40.0, 44.0), np.eye(3)),
    ((2.0, -22.0, 92.0), (36.0, 36.0, 34.0), np.eye(3)),
)
"""Ellipsoids that hold the heart: centre, half axes, axes."""


def heart() -> list[Solid]:
    """Fat in the pericardium, four chambers, the muscle of the left one, coronary arteries."""
    axes = PERICARDIUM[0][2]
    solids: list[Solid] = []
    for grow, value in ((2.6, 26.0), (0.8, -88.0)):
        for center, radii, around in PERICARDIUM:
            solids.append(Ellipsoid(center, [r + grow for r in radii], value, axes=around))
    solids += [
        Ellipsoid((2, 11, 70), (35, 19, 24), 150, CHAMBER, 1.5),  # left atrium
        Ellipsoid((30, 4, 84), (11, 9, 12), CHAMBER),  # its appendage
        Ellipsoid((-36, -16, 56), (23, 29, 33), 130, 165.0, 1.6, axes=axes_from((0.2, 1, 0.25))),  # right atrium
        Ellipsoid((6, -47, 47), (47, 21, 31), 110, 172.0, 3.0, axes=axes),  # right ventricle
        Ellipsoid((13, -46, 80), (17, 18, 26), 110, 172.0, 2.5),  # its outflow
        Ellipsoid((42, -27, 40), (55, 33.5, 34), MYOCARDIUM, axes=axes),  # left ventricle: muscle
        Ellipsoid((37, -23, 43), (43, 21, 21.5), CHAMBER, axes=axes),  # and blood
        Ellipsoid((14, -8, 60), (20, 15, 16), CHAMBER, axes=axes),  # mitral opening
    ]
    return solids


def coronaries(bend: Deformation) -> list[Solid]:
    rows: list[tuple[float, ...]] = []
    rows += tube(
        [(0, -24, 88), (14, -22, 92), (32, -34, 84), (46, -58, 62), (62, -66, 40), (82, -58, 12)],
        [2.4, 2.3, 2.0, 1.7, 1.4, 1.0],
        220,
    )
    rows += tube([(14, -22, 92), (32, -8, 84), (52, 2, 66), (62, 8, 44)], [2.1, 1.9, 1.7, 1.3], 220)
    rows += tube(
        [(-8, -28, 86), (-24, -46, 78), (-34, -52, 56), (-30, -44, 28), (-8, -18, 12)], [2.2, 2.0, 1.9, 1.6, 1.2], 220
    )
    rows += tube([(38, -48, 76), (44, -55, 66)], [1.5, 1.2], 640)  # a little calcium
    # Papillary muscles in the left ventricle.
    papillary = tube([(40, -38, 46), (58, -42, 32)], [4.2, 3.4], MYOCARDIUM) + tube(
        [(38, -12, 38), (56, -22, 26)], [4.0, 3.2], MYOCARDIUM
    )
    return [Tubes([*rows, *papillary], bend)]


AORTA = [
    (4, -14, 80), (-2, -19, 92), (-9, -23, 106), (-11, -22, 122), (-6, -16, 138), (6, -4, 149), (18, 10, 149), (26, 22, 140),
    (29, 28, 122), (28, 32, 95), (26, 32, 65), (22, 29, 30), (15, 21, -5), (8, 11, -40), (6, 3, -70), (6, 0, -105),
    (6, -3, -150), (5, -3, -196), (5, -3, -230),
]  # fmt: skip
AORTA_RADII = [15, 16.5, 16, 15.5, 14.5, 13.5, 12.8, 12.5, 12.2, 12, 11.8, 11.5, 11.2, 10.8, 10.2, 9.6, 9.0, 8.6, 8.4]
VENA_CAVA_INFERIOR = [
    (-24, 2, -230),
    (-24, 2, -190),
    (-24, 2, -140),
    (-25, 0, -95),
    (-27, 0, -55),
    (-28, 0, -20),
    (-27, -4, 8),
    (-30, -10, 32),
]
VENA_CAVA_SUPERIOR = [(-24, -26, 150), (-25, -22, 125), (-26, -18, 105), (-30, -14, 78)]


def great_vessels(bend: Deformation) -> list[Solid]:
    wall = tube(AORTA, [r + 1.2 for r in AORTA_RADII], 60)
    rows = tube(AORTA, AORTA_RADII, ARTERY)
    rows += tube(VENA_CAVA_SUPERIOR, [10, 10, 10.5, 12], 165) + tube(
        VENA_CAVA_INFERIOR, [10, 10, 10.5, 11.5, 12.5, 13, 14, 15], VEIN - 12
    )
    rows += tube([(-24, -26, 148), (-28, -30, 166), (-32, -30, 190), (-34, -24, 225)], [9, 8, 6.5, 6.5], 150)
    rows += tube(
        [(-22, -30, 152), (0, -42, 158), (22, -38, 166), (30, -30, 188), (34, -24, 225)], [8, 7.5, 7, 6.5, 6.5], 220
    )
    # Brachiocephalic, left carotid, left subclavian and their branches.
    rows += tube([(-2, -14, 146), (-8, -14, 164), (-18, -10, 180), (-24, -6, 225)], [7, 6.4, 5, 3.6], ARTERY)
    rows += tube([(-18, -10, 180), (-40, -8, 196), (-80, -20, 200), (-120, -14, 208)], [5, 4.4, 4, 3.6], ARTERY)
    rows += tube([(8, -4, 152), (12, -4, 172), (20, -4, 200), (22, -4, 225)], [4.6, 4.0, 3.6, 3.4], ARTERY)
    rows += tube(
        [(17, 8, 152), (22, 8, 174), (36, 0, 194), (78, -18, 200), (120, -14, 208)], [5.2, 5, 4.6, 4, 3.6], ARTERY
    )
    # Pulmonary trunk and its two arteries.
    rows += tube(
        [(13, -46, 92), (17, -36, 102), (24, -18, 108), (33, 2, 112), (44, 14, 104)], [14, 14.5, 14, 12, 10], PULMONARY
    )
    rows += tube(
        [(20, -26, 106), (4, -6, 102), (-18, 0, 100), (-36, 2, 97), (-46, 6, 90)], [12, 11.5, 11, 10, 8.5], PULMONARY
    )
    # Pulmonary veins into the left atrium.
    for side in (-1, 1):
        rows += tube([(side * 24, 12, 74), (side * 38, 4, 82), (side * 50, -4, 92)], [8, 7, 6], CHAMBER)
        rows += tube([(side * 24, 16, 64), (side * 38, 20, 58), (side * 50, 22, 50)], [8, 7, 6], CHAMBER)
    rows += tube(
        [(26, 12, 150), (26, 18, 120), (-6, 24, 106), (-14, 26, 60), (-10, 24, 0), (-8, 20, -40)],
        [0.6, 0.8, 2.5, 2.6, 2.4, 2.0],
        140,
    )
    calcium = tube([(37, 26, 118), (38.5, 31, 110)], [1.4, 1.0], 700) + tube(
        [(-3, 4, -128), (-2, 6, -136)], [1.3, 1.3], 800
    )
    calcium += tube([(14, 3, -150), (14.5, -1, -158)], [1.3, 1.0], 750) + tube(
        [(11, 14, 158), (14, 12, 157)], [1.2, 1.0], 700
    )
    return [Tubes(wall, bend), Tubes(rows, bend), Tubes(calcium, bend, 1.1)]


TRACHEA = [(0, -2, 240), (0, 2, 205), (1, 6, 175), (0, 12, 145), (-2, 15, 124), (-3, 17, 113)]


def airways_and_gullet(bend: Deformation) -> list[Solid]:
    gullet = [
        (8, 14, 240),
        (7, 18, 190),
        (6, 24, 150),
        (7, 27, 118),
        (8, 27, 90),
        (9, 26, 50),
        (12, 20, 18),
        (18, 8, -6),
        (28, 4, -22),
    ]
    return [
        Tubes(tube(gullet, [7, 7.5, 7.5, 7.5, 7.5, 8, 8.5, 9, 9], 44, ratio=0.75, up=(1, 0, 0)), bend),
        Tubes(tube(gullet[1:5], [1.2, 2.6, 1.8, 1.0], -600, ratio=0.6, up=(1, 0, 0)), bend),
        Ellipsoid((-23, -2, 214), (10, 13, 24), 118),  # thyroid
        Ellipsoid((23, -2, 214), (10, 13, 24), 118),
        Ellipsoid((0, -66, 120), (13, 7, 24), -40),  # what is left of the thymus
    ]


TRUNKS = {
    -1.0: ([(-3, 17, 113), (-20, 16, 104), (-34, 16, 94)], [8.0, 7.2, 6.2]),
    1.0: ([(-3, 17, 113), (14, 18, 104), (34, 19, 96), (42, 20, 86)], [8.0, 7.2, 6.2, 5.6]),
}
"""The main bronchi: points and radii of the lumen."""


def lung_trees(lungs: Lungs, bend: Deformation, detail: float, seed: int = 7) -> list[Thin]:
    """Arteries with the airways beside them, and veins between them. `detail` 1 is the full number of branches."""
    rng = np.random.default_rng(seed)
    vessels: list[NDArray[np.float64]] = []
    airways: list[NDArray[np.float64]] = []
    trunks: list[tuple[float, ...]] = []
    sleeves: list[tuple[float, ...]] = []
    for side in (-1.0, 1.0):
        cloud = _cloud(lungs, side, int(2500 * detail), rng)
        hilum = np.array([side * 46.0, 10.0, 92.0])
        high = cloud[:, 2] > 96 + 0.25 * cloud[:, 1]
        for part, offset, heading in ((high, (0, -2, 3), (0.8, -0.1, 0.9)), (~high, (0, 4, -6), (0.55, 0.3, -1.0))):
            share = part.mean() ** 0.4
            way = np.array(heading) * (side, 1, 1)
            tree = growth.grow(hilum + np.array(offset), way, cloud[part], 9.0 * share, power=0.375, smallest=0.45)
            vessels.append(_within(tree, lungs, side))
        served = cloud[:: max(int(14 * detail), 1)] + np.array([0.0, 0.0, 2.5])
        high = served[:, 2] > 96 + 0.25 * served[:, 1]
        points, radii = TRUNKS[side]
        for part, heading in ((high, (1, 0.0, 0.8)), (~high, (0.5, 0.25, -1.0))):
            way = np.array(heading) * (side, 1, 1)
            tree = growth.grow(np.array(points[-1], float), way, served[part], 5.0, power=0.45, smallest=0.5)
            airways.append(_within(tree[tree[:, 6] > 0.85], lungs, side))
        sleeves += tube(points, [r + 1.3 for r in radii], 30)
        trunks += tube(points, radii, -990)
        drained = _cloud(lungs, side, int(1900 * detail), rng)
        high = drained[:, 2] > 70 + 0.2 * drained[:, 1]
        for part, root, heading in (
            (high, (side * 50.0, -5, 92), (side * 0.7, -0.3, 0.6)),
            (~high, (side * 50.0, 22, 50), (side * 0.8, 0.35, -0.5)),
        ):
            tree = growth.grow(np.array(root), np.array(heading), drained[part], 6.2, power=0.385, smallest=0.42)
            vessels.append(_within(tree, lungs, side))
    tubes = np.concatenate(airways)
    wall = 0.45 + 0.10 * tubes[:, 6:7]
    walls = np.hstack([tubes[:, :6], tubes[:, 6:] + wall])
    blood = [_brighter(row) for row in _beside_nodule(growth.rows(np.concatenate(vessels), 0.0), bend)]
    windpipe = tube(TRACHEA, 8.8, -995)
    sleeves += tube(TRACHEA, 10.4, 40)
    return [
        Thin(Tubes(blood, bend), 0.9, tree=True),
        Thin(Tubes([*_beside_nodule(growth.rows(walls, -120.0), bend), *sleeves], bend), 0.0),
        Thin(Tubes(_beside_nodule(growth.rows(tubes, -985.0), bend), bend, 1.1), 0.0),
        Thin(Tubes([*windpipe, *trunks], bend, 1.1), -1.0, whole=True),
    ]


def _within(tree: NDArray[np.float64], lungs: Lungs, side: float) -> NDArray[np.float64]:
    """Branches that stay in the lung or near its root: none runs through the heart or the diaphragm."""
    keep = np.ones(len(tree), bool)
    for share in (0.5, 1.0):
        points = tree[:, :3] + share * (tree[:, 3:6] - tree[:, :3])
        near = np.linalg.norm(points - np.array([side * 44.0, 12.0, 86.0]), axis=1) < 22
        keep &= near | _in_lung(lungs, side, points, 1.0)
    return tree[keep]


def _in_lung(lungs: Lungs, side: float, points: NDArray[np.float64], margin: float) -> NDArray[np.bool_]:
    """Which points lie in a lung, above the diaphragm and outside the heart, by a margin in mm."""
    inside = contains(lungs.radius[side], lungs.center[side], points) > margin
    roof = lungs.roof
    column = np.clip(((points[:, 0] - roof.geometry[0]) / roof.geometry[2]).astype(int), 0, roof.heights.shape[1] - 1)
    row = np.clip(((points[:, 1] - roof.geometry[1]) / roof.geometry[2]).astype(int), 0, roof.heights.shape[0] - 1)
    inside &= points[:, 2] > roof.heights[row, column] + 3 + margin
    for center, radii, axes in PERICARDIUM:
        inside &= (((points - center) @ axes / (np.array(radii) + 3 + margin)) ** 2).sum(axis=1) > 1
    return inside


def _beside_nodule(rows: list[tuple[float, ...]], bend: Deformation) -> list[tuple[float, ...]]:
    """Nothing touches the nodule, so that its volume and its mean can be measured."""
    table = np.array(rows)
    a, b = bend.place(table[:, :3]), bend.place(table[:, 3:6])
    nearest = np.min(
        [np.linalg.norm(a + t * (b - a) - facts.NODULE.center, axis=1) for t in np.linspace(0, 1, 9)], axis=0
    )
    keep = nearest > facts.NODULE.diameter / 2 + 4 + table[:, 6]
    return [row for row, wanted in zip(rows, keep, strict=True) if wanted]


def _brighter(row: tuple[float, ...]) -> tuple[float, ...]:
    """Wide vessels carry contrast, thin ones look grey by partial volume alone."""
    value = float(np.interp(row[6], [0.5, 1.5, 4.0], [20.0, 110.0, 185.0]))
    return (*row[:12], value, *row[13:])


def _cloud(lungs: Lungs, side: float, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Points in one lung, away from its border and from the nodule."""
    points = rng.uniform((3, -95, -75), (136, 92, 190), (count * 5, 3)) * (side, 1, 1)
    inside = _in_lung(lungs, side, points, 1.5)
    inside &= np.linalg.norm(points - np.array(facts.NODULE.center), axis=1) > facts.NODULE.diameter + 2
    return points[inside][:count]
