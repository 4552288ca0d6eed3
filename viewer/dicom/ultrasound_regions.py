"""Regions of an ultrasound image and what their pixels measure (PS3.3 C.8.5.5): read for the index, and out of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viewer.rendering.volume import UltrasoundRegion

from . import tags, values
from .elements import Dataset

_MOST = 64
_NEEDED = (
    ("kind", tags.REGION_SPATIAL_FORMAT, "US"),
    ("flags", tags.REGION_FLAGS, "UL"),
    ("left", tags.REGION_LOCATION_MIN_X0, "UL"),
    ("top", tags.REGION_LOCATION_MIN_Y0, "UL"),
    ("right", tags.REGION_LOCATION_MAX_X1, "UL"),
    ("bottom", tags.REGION_LOCATION_MAX_Y1, "UL"),
    ("unit_x", tags.PHYSICAL_UNITS_X, "US"),
    ("unit_y", tags.PHYSICAL_UNITS_Y, "US"),
)
_OPTIONAL = (
    ("reference_x", tags.REFERENCE_PIXEL_X0, "SL"),
    ("reference_y", tags.REFERENCE_PIXEL_Y0, "SL"),
    ("value_x", tags.REFERENCE_PIXEL_VALUE_X, "FD"),
    ("value_y", tags.REFERENCE_PIXEL_VALUE_Y, "FD"),
    ("delta_x", tags.PHYSICAL_DELTA_X, "FD"),
    ("delta_y", tags.PHYSICAL_DELTA_Y, "FD"),
)


def region_index(dataset: Dataset) -> dict[str, Any]:
    """The regions for the index of an image, as stored; nothing where there are none."""
    found = []
    for number, item in enumerate(dataset.items(tags.SEQUENCE_OF_ULTRASOUND_REGIONS)[:_MOST], 1):
        said: dict[str, Any] = {name: values.integer(item, tag, vr) for name, tag, vr in _NEEDED}
        said |= {name: values.number(item, tag, vr) for name, tag, vr in _OPTIONAL}
        said = {name: value for name, value in said.items() if value is not None}
        if {name for name, _, _ in _NEEDED} <= said.keys() | {"flags"}:
            found.append({"number": number, **said})
    return {"regions": found} if found else {}


def regions_of(index: Mapping[str, Any]) -> tuple[UltrasoundRegion, ...]:
    return tuple(map(_region, index.get("regions", [])))


def _region(said: Mapping[str, Any]) -> UltrasoundRegion:
    # The reference pixel is counted from the region's own corner and may lie outside of it.
    reference = None
    if "reference_x" in said and "reference_y" in said:
        reference = (said["top"] + said["reference_y"], said["left"] + said["reference_x"])
    return UltrasoundRegion(
        number=said["number"],
        rows=(said["top"], said["bottom"]),
        columns=(said["left"], said["right"]),
        kind=said["kind"],
        low_priority=bool(said.get("flags", 0) & 1),
        units=(said["unit_y"], said["unit_x"]),
        deltas=(said.get("delta_y", 0.0), said.get("delta_x", 0.0)),
        reference=reference,
        values=(said.get("value_y", 0.0), said.get("value_x", 0.0)),
    )
