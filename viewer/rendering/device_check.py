"""Whether a graphics processor draws what the CPU draws: a small volume, drawn by both when the server starts.

Drivers, compilers and memories differ between machines, and this is the machine that readers will use.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .bricks import bricks_of
from .compositing import composite, step_of
from .grey import RAMP, Greyscale, shade
from .projections import PROJECTIONS, Rays, project
from .transfer import presets_for, table_of
from .volume import HOLE, FrameDescription, Volume, VolumeGeometry

if TYPE_CHECKING:
    from .device import Device

Pixels = NDArray[np.uint8]

_SHAPE = (18, 22, 26)
_SIZE = (32, 40)
_SUB = 2
_RAYS = Rays((1.3, -4.1, -2.2), (0.11, 0.83, 0.06), (0.07, -0.09, 0.74), (0.81, 0.12, -0.1), samples=20)
_TABLE = np.empty(0, np.float64)
WINDOW = Greyscale(
    slope=1.0, intercept=0.0, modality=_TABLE, modality_first=0.0, padding_low=1.0, padding_high=0.0, holes=True,
    curve=RAMP, center=39.5, width=399.0, low=-160.0, high=239.0, table=_TABLE, table_first=0.0, inverted=False,
)  # fmt: skip


def differences(device: Device) -> str:
    """What differs by more than a grey level, in words; empty where nothing does. Raises `DeviceFailed`."""
    for dtype in (np.int16, np.float32):
        volume = waves(dtype)
        for name, here, there in _pictures(device, volume):
            worst = int(np.abs(here.astype(np.int16) - there).max())
            if worst > 1:
                return f"{name} of {np.dtype(dtype).name} by {worst} grey levels"
    return ""


def _pictures(device: Device, volume: Volume) -> Iterator[tuple[str, Pixels, Pixels]]:
    """(projection, drawn by the CPU, drawn by the device)."""
    ends = -math.inf, math.inf
    rows, columns = _SIZE[0] // _SUB, _SIZE[1] // _SUB
    for projection in PROJECTIONS:
        values = np.empty(_SIZE, np.float32)
        picture = np.empty((rows, columns), np.uint8)
        project(volume, _RAYS, projection, 0, _SIZE[0], values, *ends)
        shade(values, _SUB, WINDOW, picture)
        yield projection, picture, device.sampled(volume, _RAYS, projection, (rows, columns), _SUB, WINDOW, *ends)
    table = table_of(presets_for(volume.description)[0], volume, step_of(volume, _RAYS))
    lit = np.empty((*_SIZE, 3), np.uint8)
    composite(volume, _RAYS, table, None, 0, _SIZE[0], lit)
    yield "volume", lit, device.lit(volume, _RAYS, table, None, _SIZE)


def waves(dtype: type) -> Volume:
    """Waves of -1000 to 1000 HU, with a hole."""
    k, i, j = np.indices(_SHAPE)
    values = (1000.0 * np.sin(0.5 * k) * np.cos(0.37 * i + 0.2 * k) * np.sin(0.41 * j)).astype(dtype)
    values[6:9, 8:12, 9:15] = HOLE if dtype is np.int16 else math.nan
    values.flags.writeable = False
    geometry = VolumeGeometry(_SHAPE, (0.0, 0.0, 0.0), ((0.0, 0.0, 1.5), (0.0, 0.9, 0.1), (0.8, 0.0, 0.0)))
    description = FrameDescription(
        rows=_SHAPE[1],
        columns=_SHAPE[2],
        samples_per_pixel=1,
        photometric_interpretation="MONOCHROME2",
        bits_allocated=16,
        bits_stored=16,
        pixel_representation=1,
        modality="CT",
        sop_instance_uid="1",
        frame_number=1,
        unit="HU",
    )
    key = f"check {np.dtype(dtype).name}"
    return Volume(key, values, geometry, description, holes=True, bricks=bricks_of(values))
