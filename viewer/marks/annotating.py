"""Measurements as lines, regions and words in the pixels of one stored frame."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from viewer.dicom.frames import FrameSource
from viewer.models import Measurement
from viewer.objects.presentation_state import Drawing, Words

Pair = tuple[float, float]

NEAR = 1.0
"""mm from the plane of the frame within which a point lies on it, where no slice thickness says more."""
HEAD = 0.18
"""Of an arrow's length: its head."""


def pixels_of(mark: Measurement, frame: FrameSource) -> list[Pair] | None:
    """[column, row] of the stored frame under the points of a measurement; None where they do not lie on it."""
    if mark.space == "image":
        here = mark.sop_instance_uid == frame.sop_instance_uid and (mark.frame_number or 1) == frame.frame_number
        return [(float(column), float(row)) for column, row in mark.points] if here else None
    position, directions, spacing = frame.position, frame.orientation, frame.pixel_spacing
    if position is None or directions is None or spacing is None:
        return None
    if mark.frame_of_reference_uid != frame.frame_of_reference_uid:
        return None
    if not mark.frame_of_reference_uid and mark.sop_instance_uid != frame.sop_instance_uid:
        return None  # nothing says that two images lie in one space
    row, column = map(np.asarray, directions)
    away = np.asarray(mark.points, np.float64) - np.asarray(position)
    thickness = float(frame.group.get("thickness") or 0.0)
    if np.abs(away @ np.cross(row, column)).max() > max(NEAR, thickness / 2.0):
        return None
    columns, rows = away @ row / spacing[1], away @ column / spacing[0]
    return [(float(one), float(other)) for one, other in zip(columns, rows, strict=True)]


def pixels_in(mark: Measurement, header: Mapping[str, Any], frame_of_reference_uid: str) -> list[Pair] | None:
    """[column, row] of a picture, as its header describes it, under the points of a measurement; None where they do not lie on
    it. The picture is of a slice in that frame of reference."""
    view = header["view"]
    if mark.space == "image":
        placement = header.get("placement")
        here = mark.sop_instance_uid == view.get("sop_instance_uid") and mark.frame_number == view.get("frame_number")
        return _placed(mark.points, placement) if here and placement else None
    geometry = header.get("geometry")
    if geometry is None or view.get("projection") == "volume" or mark.frame_of_reference_uid != frame_of_reference_uid:
        return None
    if not frame_of_reference_uid and mark.series_instance_uid != view.get("series"):
        return None
    row, column = np.asarray(geometry["row"]), np.asarray(geometry["column"])
    away = np.asarray(mark.points, np.float64) - np.asarray(geometry["top_left"])
    slab = view.get("slab_thickness") or 0.0
    reach = np.inf if slab == "all" else max(NEAR, slab / 2.0)
    if np.abs(away @ np.cross(row, column)).max() > reach:
        return None
    rows, columns = away @ column / geometry["pixel_spacing"][0], away @ row / geometry["pixel_spacing"][1]
    return [(float(one), float(other)) for one, other in zip(columns, rows, strict=True)]


def _placed(points: Sequence[Sequence[float]], placement: Mapping[str, Any]) -> list[Pair]:
    """Stored pixels as pixels of a picture of them."""
    turned = np.stack((placement["across"], placement["down"]), axis=1).astype(np.float64)
    found = np.linalg.solve(turned, (np.asarray(points, np.float64) - np.asarray(placement["first"])).T).T
    return [(float(column), float(row)) for column, row in found]


def drawings_of(kind: str, points: Sequence[Pair], spacing: Pair = (1.0, 1.0)) -> list[Drawing]:
    """What is drawn for a measurement of this kind; nothing for one that is words alone."""
    count = len(points)
    if kind == "text":
        return []
    if count == 1:
        return [Drawing("POINT", (points[0],))]
    if kind == "arrow":
        return _arrow(points[0], points[-1])
    if kind == "ellipse":
        return [Drawing("ELLIPSE", _axes(points, spacing))] if count in (2, 4) else []
    if kind == "rectangle" and count == 2:
        (left, top), (right, bottom) = points
        return [_line((left, top), (right, top), (right, bottom), (left, bottom), (left, top))]
    if kind in ("freehand", "rectangle"):
        return [_line(*points, points[0])]
    if kind in ("bidirectional", "cobb") or (kind == "angle" and count == 4):
        return [_line(*points[start : start + 2]) for start in range(0, count - 1, 2)]
    return [_line(*points)]


def words_of(mark: Measurement, points: Sequence[Pair]) -> Words | None:
    """What is written beside a measurement: its label and its numbers, each with its unit."""
    numbers = [one for name in SAID.get(mark.kind, ()) if (one := _number(name, mark.values.get(name), mark.kind))]
    text = "\n".join(part for part in (mark.label.strip(), ", ".join(numbers)) if part)
    if not text:
        return None
    return Words(
        text, max(points) if mark.kind in ("ellipse", "rectangle", "freehand") else points[0], mark.kind == "text"
    )


def number_words(said: object) -> str:
    """A value of a measurement with its unit, rounded as pictures show it; empty for what is no number."""
    if not isinstance(said, dict):
        return ""
    value = said.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return ""
    unit = str(said.get("unit") or "")
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.1f}"
    return f"{text}{unit}" if unit == "°" else f"{text} {unit}".rstrip()


def _number(name: str, said: object, kind: str) -> str:
    text = number_words(said)
    return text if not text or len(SAID[kind]) == 1 else f"{name} {text}"


def _line(*points: Pair) -> Drawing:
    return Drawing("POLYLINE", points)


def _arrow(tail: Pair, tip: Pair) -> list[Drawing]:
    """A line with two short ones at its second end."""
    across, down = (tail[0] - tip[0]) * HEAD, (tail[1] - tip[1]) * HEAD
    left = (tip[0] + across - down / 2.0, tip[1] + down + across / 2.0)
    right = (tip[0] + across + down / 2.0, tip[1] + down - across / 2.0)
    return [_line(tail, tip), _line(left, tip, right)]


def _axes(points: Sequence[Pair], spacing: Pair) -> tuple[Pair, ...]:
    """The ends of the longer axis in the patient, then of the other (PS3.3 C.10.5.1.2); two points are corners of the box."""
    if len(points) == 2:
        (left, top), (right, bottom) = points
        middle = ((left + right) / 2.0, (top + bottom) / 2.0)
        points = ((left, middle[1]), (right, middle[1]), (middle[0], top), (middle[0], bottom))
    one, other = tuple(points[:2]), tuple(points[2:])
    return one + other if _length(one, spacing) >= _length(other, spacing) else other + one


def _length(axis: Sequence[Pair], spacing: Pair) -> float:
    (x, y), (to_x, to_y) = axis
    return math.hypot((to_x - x) * spacing[1], (to_y - y) * spacing[0])


SAID = {
    "probe": ("value",),
    "length": ("length",),
    "calibration": ("known",),
    "bidirectional": ("long", "short"),
    "angle": ("angle",),
    "cobb": ("angle",),
    "ellipse": ("area", "mean", "sd", "min", "max"),
    "rectangle": ("area", "mean", "sd", "min", "max"),
    "freehand": ("area", "mean", "sd", "min", "max"),
}
"""The numbers that are written beside each kind, in this order."""
