"""Which scale holds for points on an ultrasound image (PS3.3 C.8.5.5): centimetres of tissue, time, velocity, or none at all.

An image may hold several regions with a scale each. A distance has a meaning only between points of one region; a region that
lies on top of another one hides it (Region Flags, bit 0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .volume import FrameDescription, UltrasoundRegion

Place = tuple[float, float]
"""(row, column) of the frame."""

TISSUE, M_MODE, SPECTRAL = 1, 2, 3
"""Region Spatial Format: 2D tissue or flow, M-mode, Doppler spectrum."""
_CENTIMETRES, _SECONDS = 3, 4
_QUANTITIES: dict[int, tuple[str, str, float]] = {
    1: ("share", "%", 1.0),
    2: ("level", "dB", 1.0),
    _CENTIMETRES: ("depth", "mm", 10.0),
    _SECONDS: ("time", "s", 1.0),
    5: ("frequency", "Hz", 1.0),
    6: ("level_rate", "dB/s", 1.0),
    7: ("velocity", "cm/s", 1.0),
    8: ("area", "cm²", 1.0),
    9: ("area_rate", "cm²/s", 1.0),
    10: ("volume", "cm³", 1.0),
    11: ("flow", "cm³/s", 1.0),
    12: ("angle", "°", 1.0),
}
"""Physical Units: name of the quantity, unit it is given in, and how many of that a stored one is."""
_EDGE = 0.5
"""A region reaches to the outer edges of its outermost pixels."""


@dataclass(frozen=True, slots=True)
class RegionScale:
    """What holds for some points: millimetres, quantities along the axes, or neither, and then why."""

    region: UltrasoundRegion | None = None
    pitch: Place | None = None
    """mm between rows, between columns."""
    note: str = ""

    @property
    def source(self) -> str:
        return "no source for millimetres" if self.region is None else f"from ultrasound region {self.region.number}"

    @property
    def is_trace(self) -> bool:
        """Its axes are two quantities, such as time and velocity."""
        return self.region is not None and self.pitch is None

    def between(self, one: Place, other: Place) -> dict[str, dict[str, Any]]:
        """How far two points of a trace are apart along each axis."""
        return self._numbers([abs(b - a) for a, b in zip(one, other, strict=True)], absolute=True)

    def at(self, place: Place) -> dict[str, dict[str, Any]]:
        """What the axes of a trace say at a point, where its reference pixel is known."""
        region = self.region
        if region is None or region.reference is None or self.pitch is not None:
            return {}
        return self._numbers(
            [there - zero for there, zero in zip(place, region.reference, strict=True)], absolute=False
        )

    def _numbers(self, pixels: Sequence[float], absolute: bool) -> dict[str, dict[str, Any]]:
        region, numbers = self.region, {}
        if region is None:
            return {}
        for axis in (1, 0):
            quantity = _QUANTITIES.get(region.units[axis])
            if quantity is not None and region.deltas[axis]:
                name, unit, factor = quantity
                delta = abs(region.deltas[axis]) if absolute else region.deltas[axis]
                value = pixels[axis] * delta + (0.0 if absolute else region.values[axis])
                numbers[name] = {"value": value * factor, "unit": unit, "source": self.source}
        return numbers


def scale_at(regions: Sequence[UltrasoundRegion], places: Sequence[Place]) -> RegionScale:
    """The scale that holds for all of these places of the frame."""
    own = [[region for region in regions if _holds(region, place)] for place in places]
    if not all(own):
        return RegionScale(
            note="a point lies outside the ultrasound regions, where no scale is known: measured in pixels"
        )
    seen = [{_scale(region) for region in _on_top(held)} for held in own]
    shared = [
        region
        for region in regions
        if all(region in held and _scale(region) in scales for held, scales in zip(own, seen, strict=True))
    ]
    if not shared:
        return RegionScale(note="the points lie in different ultrasound regions: measured in pixels")
    shared = _on_top(shared)
    if len({_scale(region) for region in shared}) > 1:
        return RegionScale(note="ultrasound regions of different scales lie over each other here: measured in pixels")
    region = shared[0]
    pitch = millimetres(region)
    if pitch is not None:
        return RegionScale(region, pitch)
    if region.kind == TISSUE or not any(unit in _QUANTITIES for unit in region.units):
        note = f"ultrasound region {region.number} has no scale in centimetres: measured in pixels"
        return RegionScale(note=note)
    names = " and ".join(_QUANTITIES[unit][0] for unit in reversed(region.units) if unit in _QUANTITIES)
    return RegionScale(region, note=f"ultrasound region {region.number} shows {names}, not a distance")


def millimetres(region: UltrasoundRegion) -> Place | None:
    """mm between the rows and between the columns of a region of tissue that says so."""
    known = region.kind == TISSUE and region.units == (_CENTIMETRES, _CENTIMETRES) and all(region.deltas)
    return (abs(region.deltas[0]) * 10.0, abs(region.deltas[1]) * 10.0) if known else None


def picture_scale(description: FrameDescription) -> tuple[Place | None, str]:
    """(mm between rows, between columns) that a scale bar beside the whole frame may show, and what says so.

    Of an image with regions only where one alone shows tissue, with the middle of the frame in it, and none shows a spectrum or
    an M-mode: beside those nobody could tell what the bar is about.
    """
    if not has_own_scales(description):
        return description.pixel_spacing, description.pixel_spacing_source
    tissue = [region for region in description.regions if region.kind == TISSUE]
    middle = ((description.rows - 1) / 2.0, (description.columns - 1) / 2.0)
    others = any(region.kind in (M_MODE, SPECTRAL) for region in description.regions)
    if others or len(tissue) != 1 or not _holds(tissue[0], middle):
        return None, ""
    pitch = millimetres(tissue[0])
    return pitch, "" if pitch is None else f"from ultrasound region {tissue[0].number}"


def has_own_scales(description: FrameDescription) -> bool:
    """Whether regions say what the pixels of a frame measure; one that lies in the patient says it itself."""
    return bool(description.regions) and (description.plane is None or description.pixel_spacing is None)


def _holds(region: UltrasoundRegion, place: Place) -> bool:
    return all(
        first - _EDGE <= at <= last + _EDGE
        for at, (first, last) in zip(place, (region.rows, region.columns), strict=True)
    )


def _on_top(regions: Sequence[UltrasoundRegion]) -> list[UltrasoundRegion]:
    high = [region for region in regions if not region.low_priority]
    return high or list(regions)


def _scale(region: UltrasoundRegion) -> tuple[Any, ...]:
    return region.kind, region.units, region.deltas
