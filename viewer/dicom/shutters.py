"""Display Shutters (PS3.3 C.7.6.11, C.7.6.15, C.11.12): what an image or a state covers, as JSON and as it is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viewer.rendering.volume import OverlayPlane, Shutter

from . import tags, values
from .elements import Dataset

MOST_VERTICES = 4096
_EDGES = (tags.SHUTTER_UPPER, tags.SHUTTER_LOWER, tags.SHUTTER_LEFT, tags.SHUTTER_RIGHT)


def shutter_index(dataset: Dataset) -> dict[str, Any]:
    """The `shutter` part of an index; empty where the file has none. Places count from 0, as (row, column)."""
    shapes = {shape.upper() for shape in values.texts(dataset, tags.SHUTTER_SHAPE)}
    group = values.integer(dataset, tags.SHUTTER_OVERLAY_GROUP)
    if not shapes and group is None:
        return {}
    found: dict[str, Any] = {}
    if "RECTANGULAR" in shapes:
        edges = [values.integer(dataset, tag, "IS") for tag in _EDGES]
        if None not in edges:
            found["rectangle"] = [(edge or 0) - 1 for edge in edges]
    if "CIRCULAR" in shapes:
        center = values.numbers(dataset, tags.SHUTTER_CENTER, "IS")
        radius = values.number(dataset, tags.SHUTTER_RADIUS, "IS")
        if len(center) >= 2 and radius is not None:
            found["circle"] = [center[0] - 1, center[1] - 1, radius]
    if "POLYGONAL" in shapes:
        flat = values.numbers(dataset, tags.SHUTTER_VERTICES, "IS")[: 2 * MOST_VERTICES]
        polygon = [[row - 1, column - 1] for row, column in zip(flat[::2], flat[1::2], strict=False)]
        if len(polygon) > 2:
            found["polygon"] = polygon
    if group is not None and ("BITMAP" in shapes or not shapes):
        found["group"] = group
    # Whether all that it says is understood.
    whole = bool(found) and len(found) >= len(shapes)
    return {"shutter": {**found, "grey": _grey(dataset), "whole": whole}}


def _grey(dataset: Dataset) -> int:
    """0..255 of a P-Value (C.7.6.11: 0 is black, FFFF white)."""
    value = values.integer(dataset, tags.SHUTTER_VALUE) or 0
    return int(min(max(value, 0), 65535) * 255 / 65535 + 0.5)


def shutter_of(said: Mapping[str, Any], planes: Mapping[int, OverlayPlane]) -> Shutter | None:
    """As it is drawn; `planes`: overlays by group, of which one may be its bitmap. None where nothing of it is understood."""
    rectangle, circle, bitmap = said.get("rectangle"), said.get("circle"), planes.get(said.get("group", 0))
    polygon = tuple((row, column) for row, column in said.get("polygon", ()))
    if rectangle is None and circle is None and not polygon and bitmap is None:
        return None
    return Shutter(
        None if rectangle is None else (rectangle[0], rectangle[1], rectangle[2], rectangle[3]),
        None if circle is None else (circle[0], circle[1], circle[2]),
        polygon,
        bitmap,
        said.get("grey", 0),
    )
