"""Painting solids into slabs of a volume: the compiled loops.

A slab is a float32 array (slices, rows, columns) of modality values. Every loop mixes a value into the voxels near a
solid, by the share of the voxel that the solid covers (taken from the signed distance over one edge width), so surfaces
have the soft partial volume of a scanner. `qx, qy, qz` are the voxel centres after a smooth deformation, LPS mm: organs
are drawn there, so no ellipse stays one. Measuring marks are drawn at the true centres.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

F = np.float32
Table = NDArray[Any]
TABLE_Z0 = -260.0
"""Height (mm) of row 0 of every contour table; rows are 1 mm apart."""


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile at the first call, without the interpreter's lock; kept on disk unless there is no place for it."""
    try:
        return numba.njit(cache=True, nogil=True)(function)  # type: ignore[no-any-return]
    except RuntimeError:
        return numba.njit(nogil=True)(function)  # type: ignore[no-any-return]


@compiled
def deform(
    grid: Table,
    origin: Table,
    step: float,
    x0: float,
    dx: float,
    y0: float,
    dy: float,
    zs: Table,
    qx: Table,
    qy: Table,
    qz: Table,
) -> None:
    """Voxel centres moved by a coarse displacement grid (gz, gy, gx, 3), mm, interpolated trilinearly."""
    slices, rows, columns = qx.shape
    across = grid.shape[2]
    line = np.empty((across, 3), F)
    for k in range(slices):
        z = zs[k]
        fz = (z - origin[2]) / step
        iz = int(fz)
        wz = F(fz - iz)
        for j in range(rows):
            y = F(y0 + dy * j)
            fy = (y - origin[1]) / step
            iy = int(fy)
            wy = F(fy - iy)
            for i in range(across):
                for c in range(3):
                    line[i, c] = (F(1) - wz) * ((F(1) - wy) * grid[iz, iy, i, c] + wy * grid[iz, iy + 1, i, c]) + wz * (
                        (F(1) - wy) * grid[iz + 1, iy, i, c] + wy * grid[iz + 1, iy + 1, i, c]
                    )
            for i in range(columns):
                x = F(x0 + dx * i)
                fx = (x - origin[0]) / step
                ix = int(fx)
                wx = F(fx - F(ix))
                vx = F(1) - wx
                qx[k, j, i] = x + vx * line[ix, 0] + wx * line[ix + 1, 0]
                qy[k, j, i] = y + vx * line[ix, 1] + wx * line[ix + 1, 1]
                qz[k, j, i] = z + vx * line[ix, 2] + wx * line[ix + 1, 2]


@compiled
def paint_layers(
    slab: Table,
    qx: Table,
    qy: Table,
    qz: Table,
    box: Table,
    radii: Table,
    values: Table,
    edges: Table,
) -> None:
    """Contours (layers, heights, angles) around the z axis, each covering the one before: the onion of a body's wall.

    One pass for all of them; where the innermost covers a voxel whole, the others are not looked at.
    """
    layers, heights, angles = radii.shape
    for k in range(slab.shape[0]):
        for j in range(box[0], box[1]):
            for i in range(box[2], box[3]):
                h = qz[k, j, i] - F(TABLE_Z0)
                ih = int(h)
                if ih < 1 or ih >= heights - 1:
                    continue
                wh = h - F(ih)
                x = qx[k, j, i]
                y = qy[k, j, i]
                t = y / (abs(x) + abs(y) + F(1e-6))
                u = t + F(1) if x >= 0 else F(3) - t
                u *= F(angles * 0.25)
                iu = int(u)
                wu = u - F(iu)
                iu = iu % angles
                ju = iu + 1 if iu + 1 < angles else 0
                rho = math.sqrt(x * x + y * y)
                value = slab[k, j, i]
                for layer in range(-1, layers):
                    at = layer if layer >= 0 else layers - 1
                    table = radii[at]
                    r = (F(1) - wh) * ((F(1) - wu) * table[ih, iu] + wu * table[ih, ju]) + wh * (
                        (F(1) - wu) * table[ih + 1, iu] + wu * table[ih + 1, ju]
                    )
                    share = F(0.5) - (rho - r) / edges[at]
                    if layer < 0:
                        if share >= 1:
                            value = values[at]
                            break
                        continue
                    if share <= 0:
                        if layer == 0:
                            break  # outside the skin
                        continue
                    value += (values[at] - value) * min(share, F(1))
                slab[k, j, i] = value


@compiled
def paint_contour(
    slab: Table,
    qx: Table,
    qy: Table,
    qz: Table,
    box: Table,
    radius: Table,
    widest: Table,
    center: Table,
    tilt: Table,
    values: Table,
    edge: float,
    slope: float,
    level: float,
    gas: float,
    roof: Table,
    roof_geometry: Table,
    roof_side: int,
    roof_gap: float,
) -> None:
    """A solid that is star-shaped in every axial plane.

    `radius` (heights, angles) mm, `widest` their largest by height, by "diamond angle" around `center` (heights, 2);
    `values` (heights, 3): outer value, inner
    value, wall (mm). `slope` adds value per mm of y. Above the height `level` (y smaller) the inside is `gas`.
    `roof` is a height field: side 1 paints only above it, -1 only below, with a gap in mm.
    """
    heights, angles = radius.shape
    for k in range(slab.shape[0]):
        for j in range(box[0], box[1]):
            for i in range(box[2], box[3]):
                z = qz[k, j, i]
                h = z - F(TABLE_Z0)
                ih = int(h)
                if ih < 1 or ih >= heights - 1:
                    continue
                y = qy[k, j, i]
                x = qx[k, j, i]
                if tilt[ih] != 0:
                    h -= tilt[ih] * (y - center[ih, 1])
                    ih = int(h)
                    if ih < 1 or ih >= heights - 1:
                        continue
                wh = h - F(ih)
                ddx = x - (center[ih, 0] * (F(1) - wh) + center[ih + 1, 0] * wh)
                ddy = y - (center[ih, 1] * (F(1) - wh) + center[ih + 1, 1] * wh)
                rho2 = ddx * ddx + ddy * ddy
                limit = widest[ih] + edge
                if rho2 > limit * limit:
                    continue
                total = abs(ddx) + abs(ddy) + F(1e-6)
                t = ddy / total
                u = t + F(1) if ddx >= 0 else F(3) - t
                u *= F(angles * 0.25)
                iu = int(u)
                wu = u - F(iu)
                iu = iu % angles
                ju = iu + 1 if iu + 1 < angles else 0
                r = (F(1) - wh) * ((F(1) - wu) * radius[ih, iu] + wu * radius[ih, ju]) + wh * (
                    (F(1) - wu) * radius[ih + 1, iu] + wu * radius[ih + 1, ju]
                )
                if r <= F(0.05):
                    continue
                distance = math.sqrt(rho2) - r
                share = F(0.5) - distance / edge
                if share <= 0:
                    continue
                share = min(share, F(1))
                if roof_side != 0:
                    gx = (x - roof_geometry[0]) / roof_geometry[2]
                    gy = (y - roof_geometry[1]) / roof_geometry[2]
                    gx = min(max(gx, F(0)), F(roof.shape[1] - 2))
                    gy = min(max(gy, F(0)), F(roof.shape[0] - 2))
                    mx = int(gx)
                    my = int(gy)
                    ax = gx - F(mx)
                    ay = gy - F(my)
                    top = (F(1) - ay) * ((F(1) - ax) * roof[my, mx] + ax * roof[my, mx + 1]) + ay * (
                        (F(1) - ax) * roof[my + 1, mx] + ax * roof[my + 1, mx + 1]
                    )
                    above = F(0.5) + (z - top - roof_gap) * F(roof_side) / edge
                    if above <= 0:
                        continue
                    share = min(share, above)
                near = ih if wh < F(0.5) else ih + 1
                value = values[near, 0]
                wall = values[near, 2]
                if wall > 0:
                    inside = min(max(F(0.5) - (distance + wall) / edge, F(0)), F(1))
                    core = values[near, 1]
                    if inside > 0 and gas < F(0):
                        dry = min(max(F(0.5) + (level - y), F(0)), F(1))
                        core += (gas - core) * dry
                    value += (core - value) * inside
                value += slope * y
                slab[k, j, i] += (value - slab[k, j, i]) * share


@compiled
def paint_ellipsoid(
    slab: Table,
    qx: Table,
    qy: Table,
    qz: Table,
    box: Table,
    center: Table,
    shape: Table,
    value: float,
    core: float,
    wall: float,
    edge: float,
) -> None:
    """An ellipsoid: `shape` (3, 3) maps mm from the centre into the unit ball; `core` fills it within `wall` > 0."""
    for k in range(slab.shape[0]):
        for j in range(box[0], box[1]):
            for i in range(box[2], box[3]):
                ddx = qx[k, j, i] - center[0]
                ddy = qy[k, j, i] - center[1]
                ddz = qz[k, j, i] - center[2]
                a = shape[0, 0] * ddx + shape[0, 1] * ddy + shape[0, 2] * ddz
                b = shape[1, 0] * ddx + shape[1, 1] * ddy + shape[1, 2] * ddz
                c = shape[2, 0] * ddx + shape[2, 1] * ddy + shape[2, 2] * ddz
                f = a * a + b * b + c * c
                if f > F(2.2):
                    continue
                gx = shape[0, 0] * a + shape[1, 0] * b + shape[2, 0] * c
                gy = shape[0, 1] * a + shape[1, 1] * b + shape[2, 1] * c
                gz = shape[0, 2] * a + shape[1, 2] * b + shape[2, 2] * c
                root = math.sqrt(f)
                distance = (root - F(1)) * root / (math.sqrt(gx * gx + gy * gy + gz * gz) + F(1e-6))
                share = min(F(0.5) - distance / edge, F(1))
                if share <= 0:
                    continue
                paint = value
                if wall > 0:
                    inside = min(max(F(0.5) - (distance + wall) / edge, F(0)), F(1))
                    paint += (core - value) * inside
                slab[k, j, i] += (paint - slab[k, j, i]) * share


@compiled
def paint_tubes(
    slab: Table,
    x0: float,
    dx: float,
    y0: float,
    dy: float,
    zs: Table,
    tubes: Table,
    edge: float,
) -> None:
    """Cones with elliptic cross-section between two points, rounded at the ends.

    A row of `tubes`: start (3), end (3), radius at start, at end, ratio of the second radius, direction of the
    first radius (3), value, value of gas (0: none), level of the gas (y mm), spare.
    """
    slices, rows, columns = slab.shape
    dz = zs[1] - zs[0] if slices > 1 else F(-1)
    for s in range(tubes.shape[0]):
        ax, ay, az, bx, by, bz, ra, rb, ratio, ux, uy, uz, value, gas, level, _ = tubes[s]
        reach = max(ra, rb) * max(ratio, F(1)) + edge
        k0 = math.floor((max(az, bz) + reach - zs[0]) / dz)
        k1 = math.ceil((min(az, bz) - reach - zs[0]) / dz) + 1
        k0 = max(k0, 0)
        k1 = min(k1, slices)
        if k0 >= k1:
            continue
        j0 = max(math.floor((min(ay, by) - reach - y0) / dy), 0)
        j1 = min(math.ceil((max(ay, by) + reach - y0) / dy) + 1, rows)
        i0 = max(math.floor((min(ax, bx) - reach - x0) / dx), 0)
        i1 = min(math.ceil((max(ax, bx) + reach - x0) / dx) + 1, columns)
        lx = bx - ax
        ly = by - ay
        lz = bz - az
        length2 = lx * lx + ly * ly + lz * lz + F(1e-6)
        for k in range(k0, k1):
            pz = zs[k] - az
            for j in range(j0, j1):
                y = F(y0 + dy * j)
                py = y - ay
                for i in range(i0, i1):
                    px = F(x0 + dx * i) - ax
                    t = min(max((px * lx + py * ly + pz * lz) / length2, F(0)), F(1))
                    ex = px - t * lx
                    ey = py - t * ly
                    ez = pz - t * lz
                    r = ra + (rb - ra) * t
                    d2 = ex * ex + ey * ey + ez * ez
                    if ratio == F(1):
                        distance = math.sqrt(d2) - r
                    else:
                        along = ex * ux + ey * uy + ez * uz
                        across2 = max(d2 - along * along, F(0))
                        short = r * ratio
                        f = math.sqrt(along * along / (r * r) + across2 / (short * short))
                        gradient = math.sqrt(
                            along * along / (r * r * r * r) + across2 / (short * short * short * short)
                        )
                        distance = (f - F(1)) * f / (gradient + F(1e-6))
                    share = F(0.5) - distance / edge
                    if share <= 0:
                        continue
                    # A tube thinner than a voxel covers only a part of it.
                    share = min(share, F(1), F(2.4) * r * min(ratio, F(1)) / edge)
                    paint = value
                    if gas < 0:
                        paint += (gas - value) * min(max(F(0.5) + (level - y), F(0)), F(1))
                    slab[k, j, i] += (paint - slab[k, j, i]) * share


@compiled
def paint_balls(
    slab: Table,
    x0: float,
    dx: float,
    y0: float,
    dy: float,
    zs: Table,
    dz: float,
    balls: Table,
) -> None:
    """Balls drawn exactly: the covered share of a voxel is counted on 5 x 5 x 5 points. Row: centre (3), radius, value."""
    slices, rows, columns = slab.shape
    for s in range(balls.shape[0]):
        cx, cy, cz, r, value = balls[s]
        for k in range(slices):
            if abs(zs[k] - cz) > r + dz:
                continue
            for j in range(max(int((cy - r - y0) / dy) - 1, 0), min(int((cy + r - y0) / dy) + 3, rows)):
                for i in range(max(int((cx - r - x0) / dx) - 1, 0), min(int((cx + r - x0) / dx) + 3, columns)):
                    count = 0
                    for a in range(5):
                        pz = zs[k] + dz * (a - 2) / 5 - cz
                        for b in range(5):
                            py = y0 + dy * j + dy * (b - 2) / 5 - cy
                            for c in range(5):
                                px = x0 + dx * i + dx * (c - 2) / 5 - cx
                                if px * px + py * py + pz * pz <= r * r:
                                    count += 1
                    if count:
                        slab[k, j, i] += (value - slab[k, j, i]) * F(count / 125.0)


@compiled
def finish(
    slab: Table,
    fine: Table,
    streak: Table,
    sigma: Table,
    streak_sigma: Table,
    texture: Table,
    low: float,
    high: float,
    out: NDArray[np.int16],
) -> None:
    """Noise by place, a little texture in lung, and rounding to int16. `fine`, `streak`, `texture` (slices, rows, columns)."""
    for k in range(slab.shape[0]):
        for j in range(slab.shape[1]):
            for i in range(slab.shape[2]):
                value = slab[k, j, i]
                if value < F(-600) and value > F(-930):
                    value += texture[k, j, i]
                value += fine[k, j, i] * sigma[j, i] + streak[k, j, i] * streak_sigma[k] * sigma[j, i]
                out[k, j, i] = np.int16(math.floor(min(max(value, low), high) + F(0.5)))


@compiled
def cast_shadow(
    image: Table,
    layer: Table,
    left: float,
    top: float,
    pixel: float,
    tubes: Table,
    horizontal: int,
    beam: int,
    weight: float,
) -> None:
    """Add the shadow of one connected line of tubes to a radiograph: path length (mm) times `weight`; rows run down in z.

    `horizontal` and `beam` are the axes (0 x, 1 y) across the image and along the rays; `left` is the coordinate of column 0,
    `top` the z of row 0. Where tubes of the line overlap the longest path counts once. `layer` is scratch of the image's shape
    and zero before and after.
    """
    rows, columns = image.shape
    low_j, high_j, low_i, high_i = rows, 0, columns, 0
    for s in range(tubes.shape[0]):
        ra, rb, ratio = tubes[s, 6], tubes[s, 7], tubes[s, 8]
        ax = tubes[s, horizontal]
        az = tubes[s, 2]
        lx = tubes[s, 3 + horizontal] - ax
        lz = tubes[s, 5] - az
        deep = tubes[s, 3 + beam] - tubes[s, beam]
        flat2 = lx * lx + lz * lz + F(1e-6)
        flat = math.sqrt(flat2)
        length = math.sqrt(flat2 + deep * deep)
        # How wide the elliptic cross-section looks across the projected axis.
        along = (-lz * tubes[s, 9 + horizontal] + lx * tubes[s, 11]) / flat
        wide = math.sqrt(min(along * along, F(1)) * (F(1) - ratio * ratio) + ratio * ratio)
        margin = max(ra, rb) * max(wide, F(0.3)) + pixel
        i0 = max(int((min(ax, ax + lx) - margin - left) / pixel), 0)
        i1 = min(int((max(ax, ax + lx) + margin - left) / pixel) + 2, columns)
        j0 = max(int((top - max(az, az + lz) - margin) / pixel), 0)
        j1 = min(int((top - min(az, az + lz) + margin) / pixel) + 2, rows)
        if i0 >= i1 or j0 >= j1:
            continue
        low_j, high_j, low_i, high_i = min(low_j, j0), max(high_j, j1), min(low_i, i0), max(high_i, i1)
        for j in range(j0, j1):
            pz = top - pixel * j - az
            for i in range(i0, i1):
                px = left + pixel * i - ax
                t = min(max((px * lx + pz * lz) / flat2, F(0)), F(1))
                ex = px - t * lx
                ez = pz - t * lz
                r = ra + (rb - ra) * t
                reach = max(r * wide, F(0.2))
                f2 = (ex * ex + ez * ez) / (reach * reach)
                if f2 >= F(1):
                    continue
                path = F(2) * r * r * ratio / reach * math.sqrt(F(1) - f2)
                path = min(path * length / flat, path + F(0.3) * length)
                if path > layer[j, i]:
                    layer[j, i] = path
    for j in range(low_j, high_j):
        for i in range(low_i, high_i):
            image[j, i] += layer[j, i] * weight
            layer[j, i] = F(0)
