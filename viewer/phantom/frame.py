"""The body's frame: skin, fat, muscles, rib cage, spine, and the couch below. CT values in HU, lengths in mm, LPS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from viewer.phantom.radiograph import Thin
from viewer.phantom.shapes import (
    DIRECTIONS,
    HEIGHTS,
    TABLE_Z,
    Contour,
    Deformation,
    Ellipsoid,
    Layers,
    Solid,
    Tubes,
    axes_from,
    blur_angles,
    blur_rows,
    carve,
    knots,
    superellipse,
    tube,
)

FAT, MUSCLE, SKIN, CARTILAGE = -104.0, 58.0, 12.0, 105.0
CORTEX, MARROW = 780.0, 190.0


# height: half width, front, back of the skin; then of the pleura and peritoneum (inside of the ribs)
SKIN_KNOTS = {
    -260: (166, 114, 99), -220: (161, 112, 99), -180: (155, 110, 100), -140: (150, 108, 101), -100: (150, 108, 102),
    -60: (154, 110, 103), -20: (159, 112, 105), 20: (163, 114, 106), 60: (167, 112, 108), 100: (170, 107, 109),
    130: (174, 101, 109), 160: (178, 92, 107), 180: (178, 83, 103), 200: (172, 74, 98), 230: (160, 66, 92),
}  # fmt: skip
CAGE_KNOTS = {
    -260: (118, 92, 62), -220: (120, 92, 62), -180: (118, 91, 63), -140: (116, 89, 65), -100: (120, 88, 69),
    -60: (126, 88, 73), -20: (131, 90, 76), 20: (133, 90, 78), 60: (131, 87, 79), 100: (125, 80, 78), 130: (116, 71, 75),
    160: (98, 56, 69), 180: (78, 44, 60), 200: (52, 34, 48), 230: (46, 30, 40),
}  # fmt: skip
# height: y of the middle of the vertebral body, half width, half depth
SPINE_KNOTS = {
    -260: (22, 25, 17), -200: (20, 24.5, 17), -150: (22, 23.5, 16.5), -90: (29, 21.5, 15.5), -40: (36, 19, 15),
    20: (42, 16.5, 14.5), 80: (44, 15, 13), 130: (41, 14, 11.5), 170: (34, 14, 10), 205: (24, 14, 9), 240: (14, 13, 8.5),
}  # fmt: skip
LEVELS = {
    "C7": 224.0, "T1": 205.5, "T2": 186, "T3": 166, "T4": 145, "T5": 123, "T6": 100.5, "T7": 77.5, "T8": 54, "T9": 29.5,
    "T10": 4.0, "T11": -23, "T12": -52, "L1": -84, "L2": -118.5, "L3": -153.5, "L4": -189, "L5": -225,
}  # fmt: skip
"""Middles of the vertebral bodies."""


@dataclass(frozen=True)
class Frame:
    """Contours that the organs are fitted to, (HEIGHTS, ANGLES) mm around the z axis."""

    skin: NDArray[np.float64]
    cage: NDArray[np.float64]
    spine: NDArray[np.float64]
    """(HEIGHTS, 3): y of the vertebral bodies, half width, half depth."""


def make_frame() -> Frame:
    dx, dy = DIRECTIONS.T
    s = knots(SKIN_KNOTS, 10)
    skin = superellipse(s[:, 0], s[:, 0], s[:, 1], s[:, 2], 2.25, 2.7)
    back = np.exp(-((dx / 0.13) ** 2)) * (dy > 0)  # the furrow over the spine
    skin -= 5.0 * back * np.interp(TABLE_Z, [-260, -150, 60, 200], [1.3, 1.5, 0.8, 0.3])[:, None]
    breast = np.exp(-(((np.abs(dx) - 0.62) / 0.22) ** 2)) * (dy < 0)
    skin += 7.0 * breast * np.exp(-(((TABLE_Z - 78) / 38) ** 2))[:, None]
    c = knots(CAGE_KNOTS, 8)
    cage = superellipse(c[:, 0], c[:, 0], c[:, 1], c[:, 2], 2.25, 2.35)
    gutter = np.exp(-(((np.abs(dx) - 0.62) / 0.25) ** 2)) * (dy > 0)
    cage += 4.0 * gutter * np.interp(TABLE_Z, [-120, -60, 60, 160], [0, 1, 1, 0])[:, None]
    return Frame(blur_angles(skin, 2), blur_angles(cage, 2), knots(SPINE_KNOTS, 9))


def _ramp(*pairs: tuple[float, float]) -> NDArray[np.float64]:
    heights, values = zip(*pairs, strict=True)
    return blur_rows(np.interp(TABLE_Z, heights, values)[:, None], 6)


def soft_wall(frame: Frame) -> list[Solid]:
    """Skin, fat under it, the muscles of the wall and the cavity within, from outside to inside."""
    dx, dy = DIRECTIONS.T
    side, rear, front = np.abs(dx), np.clip(dy, 0, 1), np.clip(-dy, 0, 1)
    skin, cage = frame.skin, frame.cage
    room = skin - 2.0 - cage
    chest = _ramp((-140, 0), (-90, 0.30), (-20, 0.75), (60, 1), (260, 1))
    upper = _ramp((50, 0), (85, 0.45), (125, 1), (260, 1))
    belly = _ramp((-260, 1), (-125, 1), (-75, 0.5), (-25, 0))
    # Outermost: latissimus behind, pectoral muscles before, trapezius; below the ribs the external oblique.
    lats = np.exp(-(((side - 0.76) / 0.20) ** 2)) * (rear > 0.12)
    pecs = np.exp(-(((side - 0.60) / 0.30) ** 2)) * (front > 0.35)
    trapezius = np.exp(-(((side - 0.30) / 0.26) ** 2)) * (rear > 0.3)
    thick = blur_angles(blur_rows(chest * lats * 11 + upper * (pecs * 17 + trapezius * 9), 5), 3.5)
    flank = blur_angles(np.clip(side * 1.6 - 0.5, 0, 1)[None], 4)
    oblique = belly * flank * 6.5
    inner = 8.2 + belly * flank * 7.0
    outer = np.minimum(inner + 2.4 + thick + oblique, room - 4.5)
    gap = np.minimum(np.maximum(outer - np.maximum(thick * 0.6, 2.5) * (thick > oblique) - oblique, inner + 1.6), outer)
    middle = np.minimum(inner + 1.4 + thick * 0.28, room - 6.5)
    ribbed = np.where(belly > 0.5, inner * np.clip(side * 1.3 + rear, 0.12, 1) + 0.6, inner)
    ribbed = blur_angles(blur_rows(np.minimum(ribbed, room - 6.5), 3), 2)
    thread = (_ramp((-260, 1), (-120, 1), (-85, 0)) > 0.5) & (ribbed > 6)
    layers: list[tuple[NDArray[np.float64], float]] = [
        (skin, SKIN),
        (skin - 2.0, FAT),
        (cage + np.where(thick + oblique > 1.5, outer, -cage), MUSCLE + 2),
        (cage + gap, FAT + 6),
        (np.where(thick > 6, cage + middle, 0), MUSCLE),  # the deeper pectoral muscle, serratus, rhomboids
        (cage + np.minimum(inner + 1.3, room - 6.5), FAT + 8),
        (cage + ribbed, MUSCLE - 4),
        (np.where(thread, cage + ribbed * 0.62, 0), FAT + 30),  # between internal oblique and transversus
        (np.where(thread, cage + ribbed * 0.50, 0), MUSCLE),
        (cage, FAT + 2),
    ]
    return [Layers(layers)]


def trunk_muscles(frame: Frame, bend: Deformation) -> list[Solid]:
    """Muscles along the spine, straight muscles of the belly, psoas, shoulder girdle."""
    solids: list[Solid] = []
    y_spine, half, deep = frame.spine.T
    for sign in (-1.0, 1.0):
        back = frame.skin[:, np.argmin(np.abs(DIRECTIONS[:, 0] - 0.25 * sign) - DIRECTIONS[:, 1])]
        size = np.interp(TABLE_Z, [-260, -190, -120, -40, 60, 150, 220], [1.25, 1.3, 1.2, 0.92, 0.72, 0.66, 0.6])
        wide, thick = 25 * size, 16.5 * size
        y = np.minimum(y_spine + deep + 26 - 3 * size, back - 13 - thick)
        center = np.stack([sign * (8 + wide * 0.92), y], axis=1)
        solids.append(Contour(superellipse(wide, wide, thick, thick, 2.6), center, MUSCLE - 3))
        # Fat between longissimus, iliocostalis and multifidus.
        rows: list[tuple[float, ...]] = []
        for share, lean in ((0.36, 0.56), (-0.26, -0.40)):
            for z in range(-215, 150, 12):
                i = z - int(TABLE_Z[0])
                inner = (center[i, 0] + share * sign * wide[i], y[i] - thick[i] * 0.75, z)
                outer = (center[i, 0] + lean * sign * wide[i], y[i] + thick[i] * 0.8, z - 3)
                rows += tube([inner, outer], 6.5, -70, ratio=0.13, smooth=1)
        solids.append(Tubes(rows, bend))
    rectus = {-260: (40, 9.5), -150: (42, 8.5), -60: (46, 7), -20: (46, 6), 25: (40, 3.5), 45: (30, 0.5), 60: (0, 0)}
    size = knots(rectus, 5)
    for sign in (-1.0, 1.0):
        y = -frame.cage[:, _front()] - 2.5
        center = np.stack([sign * (size[:, 0] * 0.62 + 3), y], axis=1)
        radius = superellipse(size[:, 0] * 0.60, size[:, 0] * 0.60, size[:, 1], size[:, 1] * 0.6, 2.4)
        solids.append(Contour(radius * (size[:, :1] > 1), center, MUSCLE + 2))
        psoas = np.interp(TABLE_Z, [-260, -200, -130, -85, -60, -50], [23, 21, 14, 8, 3, 0])
        center = np.stack([sign * (half + psoas * 0.85 + 1), y_spine - 2 + psoas * 0.2], axis=1)
        radius = superellipse(psoas * 0.85, psoas * 0.85, psoas * 1.05, psoas * 1.05, 2.2)
        solids.append(Contour(np.where(psoas[:, None] > 1, radius, 0), center, MUSCLE))
        quadratus = np.interp(TABLE_Z, [-260, -200, -120, -70, -60], [20, 19, 15, 6, 0])
        center = np.stack([sign * (half + 26 + quadratus * 0.8), y_spine + 22], axis=1)
        radius = superellipse(quadratus, quadratus, quadratus * 0.42, quadratus * 0.42, 2.2)
        solids.append(Contour(np.where(quadratus[:, None] > 1, radius, 0), center, MUSCLE - 2))
    return solids


def _front() -> int:
    return int(np.argmin(DIRECTIONS[:, 1]))


def spine(frame: Frame, bend: Deformation) -> list[Solid]:
    """Vertebral bodies with end plates, marrow and discs; arches, processes and the canal."""
    y_spine, half, deep = frame.spine.T
    names = list(LEVELS)
    value = np.full(HEIGHTS, 88.0)
    core = np.full(HEIGHTS, 78.0)
    wall = np.full(HEIGHTS, 4.0)
    waist = np.ones(HEIGHTS)
    for name in names:
        height = _body_height(name)
        off = np.abs(TABLE_Z - LEVELS[name])
        body = off <= height / 2
        plate = body & (off > height / 2 - 1.6)
        value[body], core[body], wall[body] = CORTEX * 0.8, MARROW, 1.5
        core[plate] = 430.0
        waist[body] = 0.90 + 0.10 * (off[body] / (height / 2)) ** 2
        waist[~body & (off <= height / 2 + 4)] = 0.97
    core = np.where(np.roll(core, 1) != core, 0.5 * (np.roll(core, 1) + core), core)
    radius = superellipse(half * waist, half * waist, deep * waist, deep * waist * 0.9, 2.15, 2.9)
    center = np.stack([np.zeros(HEIGHTS), y_spine], axis=1)
    tilt = -np.gradient(blur_rows(y_spine[:, None], 12)[:, 0])
    # Canal first: the arch is drawn around it.
    canal = np.stack([np.zeros(HEIGHTS), y_spine + deep + 7.5], axis=1)
    ring = np.full(HEIGHTS, 1.0)
    posterior: list[tuple[float, ...]] = []
    marrow: list[tuple[float, ...]] = []

    def bone(
        points: list[tuple[float, float, float]],
        radii: list[float] | float,
        ratio: float,
        up: tuple[float, float, float],
    ) -> None:
        posterior.extend(tube(points, radii, CORTEX * 0.85, ratio=ratio, up=up, smooth=2))
        core_radii = np.maximum(np.asarray(radii, float) - 1.5, 0.1)
        core_radii = core_radii if core_radii.ndim else float(core_radii)
        if np.min(radii) * min(ratio, 1) > 2.4:
            marrow.extend(tube(points, core_radii, MARROW + 30, ratio=ratio * 0.9, up=up, smooth=2))

    for name in names:
        z = LEVELS[name]
        i = int(z - TABLE_Z[0])
        y, w, d = y_spine[i], half[i], deep[i]
        lumbar, size = name[0] == "L", w / 18
        low = 0.25 * _body_height(name)
        for sign in (-1, 1):
            bone(
                [(sign * w * 0.62, y + d * 0.75, z + low), (sign * w * 0.78, y + d + 9 * size, z + low)],
                5.2 * size,
                0.75,
                (0, 0, 1),
            )
            bone(
                [(sign * w * 0.76, y + d + 10 * size, z + 1), (0, y + d + 18 * size, z - 9)],
                7.5 * size,
                0.38,
                (0, 0, 1),
            )
            out, rear = (w + 20, y + d + 14) if lumbar else (w + 19, y + d + 21)
            bone(
                [(sign * w * 0.8, y + d + 10 * size, z + low), (sign * out, rear, z + low + (0 if lumbar else 3))],
                [5.0, 4.0],
                0.8,
                (0, 0, 1),
            )
            bone(
                [(sign * w * 0.8, y + d + 11 * size, z + 12), (sign * w * 0.82, y + d + 12 * size, z - 17)],
                [4.0, 5.5],
                0.8,
                (1, 0, 0),
            )
        tip = (0, y + d + 43 * (0.9 if lumbar else 0.95), z - (14 if lumbar else 27))
        bone(
            [(0, y + d + 17 * size, z - 7), tip],
            [9.5 if lumbar else 6.0, 8.5 if lumbar else 4.5],
            0.34 if lumbar else 0.55,
            (0, 0, 1),
        )
    sac = np.stack([np.zeros(HEIGHTS), y_spine + deep + 7.0], axis=1)
    cord = np.interp(TABLE_Z, [-115, -85, 240], [1.5, 4.3, 5.2])
    return [
        Contour(radius, center, value, core, wall, tilt=tilt, edge=1.0),
        Tubes(posterior, bend, 1.0),
        Tubes(marrow, bend, 1.0),
        Contour(superellipse(ring * 9.5, ring * 9.5, ring * 8, ring * 8.5, 2.2), canal, -40),
        Contour(superellipse(ring * 8, ring * 8, ring * 6.8, ring * 6.8, 2.0), sac, 14),
        Contour(superellipse(cord * 1.15, cord * 1.15, cord * 0.85, cord * 0.85, 2.0), sac, 42),
    ]  # fmt: skip


def _body_height(name: str) -> float:
    order = list(LEVELS)
    i = order.index(name)
    below = LEVELS[order[min(i + 1, len(order) - 1)]]
    gap = LEVELS[name] - below if i + 1 < len(order) else 36.0
    return gap * (0.80 if name[0] == "T" else 0.74)


SHELL, MARROW_IN_SHELL = 1.05, -0.80
"""Density of ribs in a radiograph against soft tissue, and of their marrow against the shell."""


def ribs(frame: Frame, bend: Deformation) -> list[Thin]:
    """Twelve pairs of ribs with cortex and marrow, cartilage, breastbone, collarbones, shoulder blades."""
    shells: list[tuple[float, ...]] = []
    cores: list[tuple[float, ...]] = []
    cartilage: list[tuple[float, ...]] = []
    fall = {1: 28, 2: 44, 3: 58, 4: 70, 5: 82, 6: 93, 7: 102, 8: 106, 9: 104, 10: 96, 11: 70, 12: 42}
    reach = {
        1: 0.86,
        2: 0.86,
        3: 0.86,
        4: 0.86,
        5: 0.85,
        6: 0.83,
        7: 0.80,
        8: 0.74,
        9: 0.68,
        10: 0.60,
        11: 0.42,
        12: 0.28,
    }
    for number in range(1, 13):
        level = LEVELS[f"T{number}"] + 9
        i = int(level - TABLE_Z[0])
        y, w, d = frame.spine[i]
        for sign in (-1.0, 1.0):
            points = [(sign * (w * 0.72), y + d * 0.65, level), (sign * (w + 14), y + d + 15, level + 4)]
            for s in np.linspace(0.12, reach[number], 16):
                points.append(_on_cage(frame, sign, s, level + 3 - fall[number] * s**1.15, 4.3))
            radii = np.interp(np.linspace(0, 1, len(points)), [0, 0.1, 0.5, 1], [5.0, 6.2, 6.6, 7.2]) * (
                0.9 if number in (1, 12) else 1
            )
            shells += tube(points, radii, CORTEX * 0.92, ratio=0.56, up=(0, 0, 1), smooth=3)
            cores += tube(points, radii - 1.4, MARROW - 20, ratio=0.44, up=(0, 0, 1), smooth=3)
            if number <= 10:
                cartilage += _cartilage(frame, sign, number, points[-1])
    return [
        Thin(Tubes(cartilage, bend), 0.06),
        Thin(Tubes(shells, bend, 1.1), SHELL),
        Thin(Tubes(cores, bend, 1.0), MARROW_IN_SHELL),
        *_breastbone(frame, bend),
        *_shoulder(bend),
    ]


def _on_cage(frame: Frame, sign: float, s: float, z: float, out: float) -> tuple[float, float, float]:
    """A point on the rib cage: s 0 at the spine, 1 at the breastbone."""
    angle = np.pi / 2 - np.pi * s
    direction = np.array([sign * np.cos(angle), np.sin(angle)])
    index = int(np.argmax(DIRECTIONS @ direction))
    row = int(np.clip(z - TABLE_Z[0], 0, HEIGHTS - 1))
    x, y = DIRECTIONS[index] * (frame.cage[row, index] + out)
    return float(x), float(y), float(z)


def _cartilage(frame: Frame, sign: float, number: int, start: tuple[float, float, float]) -> list[tuple[float, ...]]:
    target = {1: 160, 2: 143, 3: 122, 4: 100, 5: 80, 6: 62, 7: 46, 8: 20, 9: -6, 10: -32}[number]
    if number <= 7:
        end = (sign * 15.0, _on_cage(frame, sign, 0.97, target, 5)[1], target)
        middle = _on_cage(frame, sign, 0.91, 0.45 * start[2] + 0.55 * target - 5, 5)
    else:
        end = _on_cage(frame, sign, 0.90 - 0.035 * (number - 7), target, 5)
        middle = _on_cage(frame, sign, 0.82 - 0.05 * (number - 7), start[2] * 0.6 + target * 0.4 - 2, 5)
    return tube([start, middle, end], [6.6, 6.0, 5.5], CARTILAGE, ratio=0.66)


def _breastbone(frame: Frame, bend: Deformation) -> list[Thin]:
    line = [(0.0, _on_cage(frame, 1, 1.0, z, 7.0)[1], float(z)) for z in (168, 155, 138, 120, 95, 70, 48, 34, 20)]
    wide = [19, 24, 17, 14.5, 16, 18, 15, 8, 4]
    return [
        Thin(Tubes(tube(line, wide, CORTEX * 0.62, ratio=0.36, up=(1, 0, 0)), bend, 1.1), 0.45),
        Thin(Tubes(tube(line, [w - 1.6 for w in wide], MARROW - 50, ratio=0.29, up=(1, 0, 0)), bend, 1.0), -0.35),
    ]


GIRDLE = (
    ([(20, 84, 215), (60, 82, 205), (100, 72, 203), (138, 48, 212)], [20, 17, 14, 10], 0.42),  # trapezius
    ([(10, 80, 150), (50, 90, 165), (96, 86, 180)], [16, 16, 12], 0.30),
    ([(70, 76, 182), (100, 64, 190), (140, 34, 203)], [14, 15, 10], 0.8),  # above the blade
    ([(60, -76, 150), (100, -62, 164), (140, -22, 188)], [22, 17, 12], 0.42),  # pectoral muscles to the arm
    ([(78, -62, 150), (104, -50, 168), (128, -10, 192)], [13, 11, 8], 0.5),
    ([(122, 62, 92), (136, 46, 130), (150, 22, 176)], [18, 18, 12], 0.55),  # latissimus and teres to the arm
)
"""Muscles of the shoulder girdle on the left: line, half widths along z, thickness as a share."""


def shoulder_muscles(bend: Deformation) -> list[Solid]:
    """Muscles before and behind the shoulder blades, and the raised arms with their joints."""
    solids: list[Solid] = []
    for sign in (-1.0, 1.0):
        axes = axes_from((sign * 0.82, -0.57, 0.10))
        for shift, thick, top in ((-9.0, 9.0, 160), (10.0, 10.0, 150)):
            solids.append(Ellipsoid((sign * 112, 62 + shift, 0.5 * (top + 70)), (38, thick, 62), MUSCLE, axes=axes))
        solids.append(Ellipsoid((sign * 158, 18, 195), (30, 36, 40), MUSCLE))
        for points, radii, ratio in GIRDLE:
            solids.append(Tubes(tube([(sign * x, y, z) for x, y, z in points], radii, MUSCLE, ratio=ratio), bend))
        solids.append(Ellipsoid((sign * 150, 22, 188), (17, 19, 22), CORTEX * 0.7, MARROW - 10, 2.0))
        solids.append(Ellipsoid((sign * 163, 8, 204), (23, 23, 23), CORTEX * 0.8, MARROW - 60, 1.8))
    return solids


def _shoulder(bend: Deformation) -> list[Thin]:
    """Collarbones and shoulder blades."""
    shells: list[tuple[float, ...]] = []
    cores: list[tuple[float, ...]] = []
    blades: list[tuple[float, ...]] = []
    for sign in (-1.0, 1.0):
        collar = [(18, -58, 172), (50, -60, 180), (85, -44, 192), (118, -24, 204), (140, -8, 212)]
        collar = [(sign * x, y, z) for x, y, z in collar]
        shells += tube(collar, [8.5, 6.5, 6.0, 6.0, 7.0], CORTEX * 0.9, ratio=0.9)
        cores += tube(collar, [6.4, 4.2, 3.6, 3.8, 5.0], MARROW, ratio=0.9)
        for z in np.arange(52.0, 205.0, 3.0):
            t = (z - 52) / 150
            x, y = np.interp(t, [0, 0.6, 1], [112, 78, 74]), np.interp(t, [0, 0.5, 1], [76, 83, 70])
            inner = np.array([sign * x, y, z])
            x, y = (
                np.interp(t, [0, 0.3, 0.75, 1], [116, 128, 146, 140]),
                np.interp(t, [0, 0.3, 0.75, 1], [73, 62, 36, 34]),
            )
            outer = np.array([sign * x, y, z])
            bow = 0.5 * (inner + outer) + np.array([sign * 3.0, 4.0, 0.0])
            blades += tube([inner, bow, outer], [2.4, 1.7, 3.4], CORTEX * 0.8, smooth=3)
            if t > 0.55:
                cores += tube([bow * 0.15 + outer * 0.85, outer], [1.6, 2.4], MARROW, smooth=1)
        ridge = [(sign * 84, 84, 176), (sign * 112, 78, 188), (sign * 142, 52, 205)]
        shells += tube(ridge, [4.5, 5.5, 7.0], CORTEX * 0.8, ratio=0.8)
        cores += tube(ridge, [2.5, 3.6, 5.2], MARROW, ratio=0.8)
    return [
        Thin(Tubes(blades, bend, 1.1), 0.45, tree=True),
        Thin(Tubes(shells, bend, 1.1), SHELL),
        Thin(Tubes(cores, bend, 1.0), MARROW_IN_SHELL),
    ]


def couch() -> list[Solid]:
    """The table top under the patient: a thin carbon shell around foam, and a mattress. Drawn undeformed, as tubes along z."""
    solids: list[Solid] = []
    for shrink, value in ((0.0, -560.0), (2.2, -955.0)):
        radius = superellipse(
            np.full(HEIGHTS, 190.0 - shrink), np.full(HEIGHTS, 190.0 - shrink),
            np.full(HEIGHTS, 3.0), np.full(HEIGHTS, 44.0 - shrink), 5.0, 2.4,
        )  # fmt: skip
        center = np.stack([np.zeros(HEIGHTS), np.full(HEIGHTS, 130.0 + shrink)], axis=1)
        solids.append(Contour(radius, center, value))
    mattress = superellipse(
        np.full(HEIGHTS, 176.0), np.full(HEIGHTS, 176.0), np.full(HEIGHTS, 11.5), np.full(HEIGHTS, 11.5), 8.0
    )
    solids.insert(0, Contour(mattress, np.stack([np.zeros(HEIGHTS), np.full(HEIGHTS, 115.5)], axis=1), -925.0))
    return solids


__all__ = [
    "FAT",
    "MUSCLE",
    "Frame",
    "carve",
    "couch",
    "make_frame",
    "ribs",
    "shoulder_muscles",
    "soft_wall",
    "spine",
    "trunk_muscles",
]
