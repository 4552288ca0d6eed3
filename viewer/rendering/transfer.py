"""From voxel values to colour and opacity, for volume pictures: the presets, and the table a kernel looks values up in.

A preset is drawn through its points in modality units: colour and the opacity of one millimetre, straight lines between. A
`TransferTable` is a preset made ready for one volume and one distance between samples.

Hounsfield units mean the same in every CT, so its five presets do. Other values mean nothing between two scanners: those
volumes have presets whose points are laid between the background and the brightest voxels of the volume itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .view import BadView
from .volume import HOLE, Bricks, FrameDescription, Volume

Colour = tuple[float, float, float]
"""Red, green, blue, 0..1."""


@dataclass(frozen=True, slots=True)
class Shading:
    """How a preset answers to light. The lamps stand beside the reader; what they light is bright up to 1."""

    ambient: float = 0.18
    diffuse: float = 0.82
    specular: float = 0.25
    edge: float = 40.0
    """Units per mm (percent of the range per mm without HU): where values change less than this there is no surface to
    speak of, and the light fades into an even one instead of showing noise."""
    haze: float = 0.35
    """Share of the light that is lost from the front of the volume to its back."""


@dataclass(frozen=True, slots=True)
class VolumePreset:
    points: tuple[tuple[float, float, Colour], ...]
    """(modality value, opacity of a millimetre, colour), values ascending. Ends go on for ever."""
    shading: Shading
    hounsfield: bool = True
    """Points are HU; else percent of the way from background to the brightest voxels."""


@dataclass(frozen=True, slots=True, eq=False)
class TransferTable:
    """A preset for one volume and step.

    A row of `colours` belongs to a value. Its first half is what a step dims if the value stays as it is: the extinction
    (opacity is 1 - exp(-extinction)), and red, green, blue. Its second half holds the sums from the first row to this one of
    extinction and of extinction times red, green, blue: with them a kernel has the mean over all values that a ray passes
    through from one sample to the next, and surfaces show no rings where samples fall before or behind them.
    """

    colours: NDArray[np.float32]
    """(entries, 8)."""
    first: np.float32
    """In the volume's own units, before slope and intercept."""
    scale: np.float32
    """Entries per unit. A value stands at entry floor((value - first) * scale + 0.5), within the table."""
    leaps: NDArray[np.int16]
    """One number for each brick of 8 voxels: 0 where something may be seen, else how many bricks away that is at least, in
    the largest of the three directions."""
    shading: Shading
    """`edge` in the volume's own units."""


def presets_for(description: FrameDescription) -> tuple[str, ...]:
    """The presets that a volume of such frames can be drawn with, the usual one first."""
    hounsfield = _is_hounsfield(description)
    return tuple(name for name, preset in VOLUME_PRESETS.items() if preset.hounsfield == hounsfield)


def table_of(name: str, volume: Volume, step_mm: float) -> TransferTable:
    """The preset `name` for samples `step_mm` apart. Raises `BadView` for a name the volume is not offered."""
    offered = presets_for(volume.description)
    if name not in offered:
        raise BadView(f"volume_preset: {', '.join(offered)} are the presets of this volume")
    if volume.bricks is None:
        raise BadView("projection: a colour volume has no volume picture")
    preset = VOLUME_PRESETS[name]
    unit, zero = _unit_of(volume, preset)
    values = np.array([point[0] for point in preset.points]) * unit + zero
    if unit < 0.0:
        values = values[::-1]
    colours = _colours(values, _columns(preset, reverse=unit < 0.0), step_mm)
    first = np.float32(values[0])
    scale = np.float32((_ENTRIES - 1) / (values[-1] - values[0]))
    shading = preset.shading
    own = Shading(shading.ambient, shading.diffuse, shading.specular, shading.edge * abs(unit), shading.haze)
    return TransferTable(colours, first, scale, _leaps(volume.bricks, colours, first, scale), own)


def _is_hounsfield(description: FrameDescription) -> bool:
    return description.modality == "CT" and description.unit == "HU"


def _unit_of(volume: Volume, preset: VolumePreset) -> tuple[float, float]:
    """(size, zero) of the preset's unit in the volume's own: own = value * size + zero."""
    if preset.hounsfield:
        return 1.0 / volume.slope, -volume.intercept / volume.slope
    stride = max(1, round((volume.values.size / _SAMPLED) ** (1 / 3)))
    some = volume.values[::stride, ::stride, ::stride].astype(np.float32).ravel()
    some = some[some != HOLE] if volume.values.dtype == np.int16 else some[np.isfinite(some)]
    if volume.slope < 0.0:
        some = -some
    if not some.size:
        return 0.01, 0.0
    low, high = (float(value) for value in np.percentile(some, _PERCENTILES))
    unit = max(high - low, 1e-3) / 100.0
    return (-unit, -low) if volume.slope < 0.0 else (unit, low)


def _columns(preset: VolumePreset, reverse: bool) -> list[list[float]]:
    """Opacity, red, green, blue of the points."""
    rows = [(opacity, *colour) for _, opacity, colour in preset.points]
    return [list(column) for column in zip(*(reversed(rows) if reverse else rows), strict=True)]


def _colours(values: NDArray[np.float64], columns: list[list[float]], step_mm: float) -> NDArray[np.float32]:
    """(entries, 8), as `TransferTable`."""
    places = np.linspace(values[0], values[-1], _ENTRIES)
    opacity, *channels = (np.interp(places, values, column) for column in columns)
    extinction = -np.log(1.0 - np.minimum(opacity, _MOST_OPACITY)) * step_mm
    extinction[extinction < _LEAST_EXTINCTION] = 0.0
    steps = np.stack([extinction, *(extinction * channel for channel in channels)], axis=1)
    sums = np.zeros_like(steps)
    np.cumsum((steps[1:] + steps[:-1]) / 2.0, axis=0, out=sums[1:])
    colours = np.column_stack((extinction, *channels, sums)).astype(np.float32)
    colours.flags.writeable = False
    return colours


def _leaps(bricks: Bricks, colours: NDArray[np.float32], first: np.float32, scale: np.float32) -> NDArray[np.int16]:
    """Those of the last tables are kept for as long as the volume is there: a turn changes the step, seldom what is seen."""
    visible = colours[:, 0] > 0.0
    kept, key = _KEPT.setdefault(bricks, {}), (float(first), float(scale), visible.tobytes())
    leaps = kept.get(key)
    if leaps is None:
        leaps = _marked(bricks, visible, first, scale)
        while len(kept) >= _MOST_KEPT:
            kept.pop(next(iter(kept)), None)
        kept[key] = leaps
    return leaps


def _marked(bricks: Bricks, visible: NDArray[np.bool_], first: np.float32, scale: np.float32) -> NDArray[np.int16]:
    seen = np.concatenate(([0], np.cumsum(visible))).astype(np.int32)
    leaps = np.empty(bricks.least.shape, np.int16)
    _mark(bricks.least, bricks.greatest, seen, first, scale, leaps)
    _measure(leaps)
    leaps.flags.writeable = False
    return leaps


@compiled
def entry_of(value: np.float32, first: np.float32, scale: np.float32, entries: int) -> int:
    """Where a value stands in a table; the ends of the table go on for ever. NaN stands at 0."""
    place = (value - first) * scale + np.float32(0.5)
    last = np.float32(entries - 1)
    place = place if place > np.float32(0.0) else np.float32(0.0)
    return int(place if place < last else last)


@compiled
def _mark(
    least: NDArray[np.generic],
    greatest: NDArray[np.generic],
    seen: NDArray[np.int32],
    first: np.float32,
    scale: np.float32,
    leaps: NDArray[np.int16],
) -> None:
    """`leaps` = 0 for bricks with values in which the table shows something, else 255. `seen[n]`: visible entries before n."""
    entries = seen.size - 1
    for k in range(leaps.shape[0]):
        for i in range(leaps.shape[1]):
            for j in range(leaps.shape[2]):
                low, high = np.float32(least[k, i, j]), np.float32(greatest[k, i, j])
                visible = False
                if low <= high:
                    visible = (
                        seen[entry_of(high, first, scale, entries) + 1] > seen[entry_of(low, first, scale, entries)]
                    )
                leaps[k, i, j] = 0 if visible else 255


@compiled
def _measure(leaps: NDArray[np.int16]) -> None:
    """255 becomes the distance to the nearest 0 in bricks, in the largest of the three directions.

    Two passes over all bricks, each looking at the half of the 26 neighbours that it has passed already (Rosenfeld and Pfaltz
    1966); exact for this distance.
    """
    least = np.full(leaps.shape[2] + 2, 255, np.int16)
    for k in range(leaps.shape[0]):
        for i in range(leaps.shape[1]):
            _measure_line(leaps, k, i, -1, least)
            line = leaps[k, i]
            for j in range(1, line.size):
                line[j] = min(line[j], line[j - 1] + 1)
    for k in range(leaps.shape[0] - 1, -1, -1):
        for i in range(leaps.shape[1] - 1, -1, -1):
            _measure_line(leaps, k, i, 1, least)
            line = leaps[k, i]
            for j in range(line.size - 2, -1, -1):
                line[j] = min(line[j], line[j + 1] + 1)


@compiled
def _measure_line(leaps: NDArray[np.int16], k: int, i: int, side: int, least: NDArray[np.int16]) -> None:
    """From the four lines beside (k, i) on one side. `least`, their least, has a border of 255."""
    inner = least[1:-1]
    inner[:] = 255
    for slices, rows in ((side, -1), (side, 0), (side, 1), (0, side)):
        if 0 <= k + slices < leaps.shape[0] and 0 <= i + rows < leaps.shape[1]:
            beside = leaps[k + slices, i + rows]
            for j in range(inner.size):
                inner[j] = beside[j] if beside[j] < inner[j] else inner[j]
    line = leaps[k, i]
    for j in range(line.size):
        near = min(least[j], least[j + 1], least[j + 2]) + np.int16(1)
        line[j] = near if near < line[j] else line[j]


_ENTRIES = 4096
_MOST_OPACITY = 0.999
_LEAST_EXTINCTION = 1.0 / 1024.0
"""Of a step: what is clearer than this is not there. A hundred such steps would dim what lies behind by a tenth."""
_SAMPLED = 100_000
"""Voxels looked at to find the range of a volume."""
_PERCENTILES = (5.0, 99.8)
_MOST_KEPT = 4
_KEPT: WeakKeyDictionary[Bricks, dict[tuple[float, float, bytes], NDArray[np.int16]]] = WeakKeyDictionary()
"""Render threads may make the same one twice, and then keep either: they are equal."""

_SHELL: Colour = (0.92, 0.90, 0.86)

VOLUME_PRESETS: dict[str, VolumePreset] = {
    "bone": VolumePreset(
        (
            (170.0, 0.0, (0.55, 0.33, 0.22)),
            (260.0, 0.22, (0.78, 0.56, 0.41)),
            (400.0, 0.85, (0.92, 0.82, 0.68)),
            (800.0, 0.97, (0.97, 0.94, 0.87)),
            (1600.0, 0.99, (1.0, 1.0, 0.97)),
        ),
        Shading(),
    ),
    "vessels": VolumePreset(
        (
            (120.0, 0.0, (0.50, 0.04, 0.03)),
            (170.0, 0.10, (0.72, 0.11, 0.07)),
            (230.0, 0.50, (0.86, 0.24, 0.15)),
            (330.0, 0.75, (0.93, 0.52, 0.36)),
            (500.0, 0.90, (0.97, 0.84, 0.68)),
            (1000.0, 0.97, (1.0, 0.97, 0.90)),
        ),
        Shading(),
    ),
    "soft tissue": VolumePreset(
        (
            (-20.0, 0.0, (0.70, 0.42, 0.30)),
            (20.0, 0.012, (0.68, 0.36, 0.27)),
            (60.0, 0.10, (0.74, 0.38, 0.29)),
            (120.0, 0.45, (0.86, 0.52, 0.39)),
            (220.0, 0.80, (0.95, 0.84, 0.70)),
            (800.0, 0.97, (1.0, 0.98, 0.93)),
        ),
        Shading(edge=60.0),
    ),
    "lung": VolumePreset(
        (
            (-940.0, 0.0, (0.30, 0.42, 0.65)),
            (-860.0, 0.0025, (0.36, 0.48, 0.68)),
            (-720.0, 0.008, (0.55, 0.66, 0.80)),
            (-580.0, 0.05, (0.90, 0.74, 0.66)),
            (-420.0, 0.085, (1.0, 0.84, 0.75)),
            (-280.0, 0.03, (1.0, 0.86, 0.77)),
            (-180.0, 0.0, (1.0, 0.86, 0.77)),
        ),
        Shading(edge=120.0, haze=0.2),
    ),
    "skin": VolumePreset(
        (
            (-450.0, 0.0, (0.80, 0.56, 0.44)),
            (-300.0, 0.50, (0.86, 0.64, 0.52)),
            (-150.0, 0.995, (0.91, 0.71, 0.59)),
            (400.0, 0.999, (0.95, 0.80, 0.70)),
        ),
        Shading(specular=0.12, edge=80.0),
    ),
    "surface": VolumePreset(
        (
            (12.0, 0.0, _SHELL),
            (25.0, 0.45, _SHELL),
            (100.0, 0.95, _SHELL),
        ),
        Shading(edge=3.0),
        hounsfield=False,
    ),
    "brightest": VolumePreset(
        (
            (6.0, 0.0, (0.16, 0.10, 0.22)),
            (20.0, 0.004, (0.40, 0.10, 0.18)),
            (45.0, 0.02, (0.78, 0.27, 0.12)),
            (75.0, 0.12, (1.0, 0.70, 0.25)),
            (100.0, 0.60, (1.0, 1.0, 0.85)),
        ),
        Shading(edge=3.0),
        hounsfield=False,
    ),
}
"""Points are in HU for CT: air -1000, lung about -850, fat -100, water 0, muscle 50, enhanced vessels 150 to 400, bone above
250. The ramps of bone and skin are steep, so that a surface is opaque within a voxel or two of where it begins; those of lung
are low, because rays cross the skin and the couch at the same values as the walls of its vessels."""
