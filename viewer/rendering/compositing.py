"""Volume pictures: light gathered front to back along each ray, surfaces shaded by the gradient of the values.

The work of one pixel is `shading.composite_pixel`; `packets` does the same for many pixels at once where the processor has
the registers for it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import lanes, packets
from .projections import Rays
from .shading import AMBIENT, BOX, FIRST, NUMBERS, PACE, RAY, RAY_MM, SCALE, STILL, TURN, composite_rows
from .transfer import TransferTable
from .volume import Point, Volume

ClipBox = tuple[Point, Point]
"""Least and greatest corner, LPS mm; what is outside is not drawn."""


def describe(volume: Volume, rays: Rays, table: TransferTable, clip: ClipBox | None) -> NDArray[np.float32]:
    """(NUMBERS,): everything `composite_pixel` needs to know about a picture but the arrays."""
    numbers = np.zeros(NUMBERS, np.float64)
    numbers[RAY : RAY + 12] = rays.packed
    places = np.array([rays.origin, rays.row_step, rays.column_step, rays.depth_step], np.float64)
    depth = places[3]
    numbers[PACE : PACE + 3] = 1.0 / np.where(np.abs(depth) < STILL, np.copysign(STILL, depth), depth)
    forth = volume.geometry.to_patient
    in_mm = places @ forth[:, :3].T
    in_mm[0] += forth[:, 3]
    numbers[RAY_MM : RAY_MM + 12] = in_mm.ravel()
    numbers[BOX : BOX + 6] = np.ravel(clip) if clip is not None else (-np.inf,) * 3 + (np.inf,) * 3
    numbers[FIRST], numbers[SCALE] = table.first, table.scale
    _, down, right, away = in_mm
    screen = np.array([axis / np.linalg.norm(axis) for axis in (right, down, away)])
    numbers[TURN : TURN + 9] = (screen @ volume.geometry.to_voxels[:, :3].T).ravel()
    light = table.shading
    haze = light.haze / max(rays.samples - 1, 1)
    numbers[AMBIENT:] = light.ambient, light.diffuse, light.specular, light.edge, haze, rays.samples
    return numbers.astype(np.float32)


def step_of(volume: Volume, rays: Rays) -> float:
    """mm between the samples of a ray."""
    return float(np.linalg.norm(volume.geometry.to_patient[:, :3] @ np.asarray(rays.depth_step)))


def composite(
    volume: Volume,
    rays: Rays,
    table: TransferTable,
    clip: ClipBox | None,
    first_row: int,
    end_row: int,
    out: NDArray[np.uint8],
) -> None:
    """Draw rows `first_row` .. `end_row` of the picture into `out` (rows, columns, 3); black where nothing is met.

    `table` is made for this volume and for `step_of` these rays.
    """
    numbers = describe(volume, rays, table, clip)
    draw = composite_rows
    if lanes.AVAILABLE and volume.values.size <= packets.MOST_VOXELS:
        draw = packets.composite_rows
    draw(volume.values, volume.holes, table.colours, table.leaps, numbers, first_row, end_row, out)
