"""Measurements as lines in the pixels of a picture that was drawn, by the picture's own header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from viewer.marks.annotating import drawings_of, words_of
from viewer.models import Measurement

Pair = tuple[float, float]

NEAR = 1.0
"""mm from the plane of the picture within which a measurement lies on it, where no slab is thicker."""


def on_picture(mark: Measurement, header: Mapping[str, Any]) -> list[Pair] | None:
    """[column, row] of the picture under the points of a measurement (pixel centres at whole numbers); None where they do not
    lie on it."""
    if mark.space == "image":
        return _from_image(mark, header)
    geometry = header.get("geometry")
    if geometry is None or mark.view.get("series") is None:
        return None
    row, column = np.asarray(geometry["row"]), np.asarray(geometry["column"])
    between_rows, between_columns = geometry["pixel_spacing"]
    away = np.asarray(mark.points, np.float64) - np.asarray(geometry["top_left"])
    slab = header["view"].get("slab_thickness")
    near = max(NEAR, slab / 2.0) if isinstance(slab, int | float) else NEAR
    if np.abs(away @ np.cross(row, column)).max() > near:
        return None
    return [
        (float(x), float(y)) for x, y in zip(away @ row / between_columns, away @ column / between_rows, strict=True)
    ]


def _from_image(mark: Measurement, header: Mapping[str, Any]) -> list[Pair] | None:
    placement, view = header.get("placement"), header["view"]
    here = (view.get("sop_instance_uid"), view.get("frame_number") or 1)
    if placement is None or here != (mark.sop_instance_uid, mark.frame_number or 1):
        return None
    across, down = np.asarray(placement["across"], float), np.asarray(placement["down"], float)
    ways = np.linalg.inv(np.column_stack((across, down)))
    away = np.asarray(mark.points, np.float64) - np.asarray(placement["first"], float)
    return [(float(x), float(y)) for x, y in away @ ways.T]


def stated(mark: Measurement, header: Mapping[str, Any]) -> dict[str, Any]:
    """The measurement as it stands, with what to draw over the picture: kept with the evidence for ever."""
    points = on_picture(mark, header)
    words = words_of(mark, points) if points else None
    return {
        "uid": mark.uid,
        "kind": mark.kind,
        "label": mark.label,
        "version": mark.version,
        "values": mark.values,
        "notes": mark.notes,
        "points": mark.points,
        "space": mark.space,
        "author": mark.author_name,
        "drawings": [
            {"graphic": drawing.graphic, "points": [list(point) for point in drawing.points]}
            for drawing in (drawings_of(mark.kind, points, _spacing(header)) if points else ())
        ],
        "words": {"text": words.text, "at": list(words.at)} if words else None,
    }


def _spacing(header: Mapping[str, Any]) -> tuple[float, float]:
    geometry = header.get("geometry")
    spacing: Sequence[float] = geometry["pixel_spacing"] if geometry else (1.0, 1.0)
    return float(spacing[0]), float(spacing[1])
