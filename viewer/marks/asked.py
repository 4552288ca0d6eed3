"""What a reader asks to be kept: the JSON of a measurement, read and refused at the door."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from viewer.rendering.measuring import KINDS, MOST_POINTS
from viewer.rendering.view import View

LABEL = 200
LONGEST_MM = 10_000.0
_UID = re.compile(r"[0-9.]{1,64}\Z")
_FARTHEST = 1e7

Points = list[list[float]]


class BadMark(ValueError):
    """What was sent is no measurement; the message names the field."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A measurement as a reader drew it, without its numbers."""

    kind: str
    label: str
    series: str
    stack: int
    sop_instance_uid: str
    frame_number: int | None
    space: str
    """"patient": points are LPS mm. "image": [column, row] of the stored frame, pixel centres at whole numbers."""
    points: Points
    view: dict[str, Any]
    follows: str
    known: float | None
    """mm of a calibration's line, as the reader states them."""

    @property
    def placed(self) -> View:
        """Of the View, what says where the plane lies. Raises BadView."""
        View.from_json(self.view)
        kept = {name: self.view[name] for name in _PLACE if self.view.get(name) is not None}
        if kept.get("sop_instance_uid"):
            kept.pop("frame", None)
        elif self.sop_instance_uid and kept.get("plane", "acquired") == "acquired":
            kept |= {"sop_instance_uid": self.sop_instance_uid, "frame_number": self.frame_number or 1}
            kept.pop("frame", None)
        return View.from_json({"stack": self.stack, **kept})


_PLACE = (
    *("stack", "plane", "frame", "sop_instance_uid", "frame_number", "center", "projection", "slab_thickness"),
    *("rotation", "flip_horizontal", "flip_vertical", "zoom", "pixel_spacing", "pan", "size"),
)
FIELDS = frozenset(Asked.__dataclass_fields__)


def new(body: Mapping[str, Any]) -> Asked:
    """A measurement from the body of a POST. Raises BadMark."""
    return Asked(
        kind=_kind(body.get("kind")),
        label=_text(body, "label", LABEL),
        series=uid(body, "series"),
        stack=_whole(body, "stack", 0) or 0,
        sop_instance_uid=uid(body, "sop_instance_uid", needed=False),
        frame_number=_whole(body, "frame_number", 1),
        space=_space(body.get("space", "patient")),
        points=_points(body.get("points"), body.get("space", "patient")),
        view=_view(body.get("view")),
        follows=uid(body, "follows", needed=False),
        known=_known(body),
    )


def changed(before: Asked, body: Mapping[str, Any]) -> Asked:
    """`before` with what the body of a PUT names. Raises BadMark."""
    if body.get("kind", before.kind) != before.kind:
        raise BadMark("kind: stays what it is; draw another measurement")
    whole = {name: getattr(before, name) for name in FIELDS} | {n: v for n, v in body.items() if n in FIELDS}
    return new(whole)


def moved(before: Asked, after: Asked) -> bool:
    """Whether the numbers have to be found anew."""
    return replace(before, label="", follows="") != replace(after, label="", follows="")


def same(before: Asked, after: Asked) -> bool:
    """Whether it is the same thing, sent twice."""
    return all(getattr(before, name) == getattr(after, name) for name in ("kind", "space", "points", "series", "known"))


def uid(body: Mapping[str, Any], name: str, needed: bool = True) -> str:
    """A UID (PS3.5 9.1) of the body. Raises BadMark."""
    value = body.get(name) or ""
    if not value and not needed:
        return ""
    if not isinstance(value, str) or not _UID.match(value):
        raise BadMark(f"{name}: a UID is needed")
    return value


def _kind(value: Any) -> str:
    if not isinstance(value, str) or value not in KINDS:
        raise BadMark(f"kind: one of {', '.join(KINDS)} is needed")
    return value


def _text(body: Mapping[str, Any], name: str, longest: int) -> str:
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > longest:
        raise BadMark(f"{name}: a text of {longest} characters at most is needed")
    return "".join(c if c.isprintable() else " " for c in value.encode(errors="replace").decode()).strip()


def _whole(body: Mapping[str, Any], name: str, least: int) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**31:
        raise BadMark(f"{name}: a whole number from {least} on is needed")
    return value


def _space(value: Any) -> str:
    if value not in ("patient", "image"):
        raise BadMark('space: "patient" or "image" is needed')
    return str(value)


def _points(value: Any, space: Any) -> Points:
    count = 3 if space == "patient" else 2
    if not isinstance(value, list) or not 0 < len(value) <= MOST_POINTS:
        raise BadMark(f"points: a list of 1 to {MOST_POINTS} is needed")
    points = []
    for point in value:
        if not isinstance(point, list) or len(point) != count or not all(map(_is_number, point)):
            what = "[x, y, z] in LPS mm" if count == 3 else "[column, row] of the stored frame"
            raise BadMark(f"points: each is {what}")
        points.append([float(number) for number in point])
    return points


def _is_number(value: Any) -> bool:
    sound = isinstance(value, int | float) and not isinstance(value, bool)
    return sound and abs(value) <= _FARTHEST  # so is neither NaN nor infinity


def _view(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadMark("view: a View as a JSON object is needed")
    return value


def _known(body: Mapping[str, Any]) -> float | None:
    value = body.get("known")
    if isinstance(value, dict):
        if value.get("unit", "mm") != "mm":
            raise BadMark("known: millimetres are needed")
        value = value.get("value")
    if body.get("kind") != "calibration":
        return None
    if not _is_number(value) or not 0.0 < value <= LONGEST_MM:  # type: ignore[operator]
        raise BadMark(f"known: how long the line is in mm, more than 0 and {LONGEST_MM:g} at most")
    return float(value)  # type: ignore[arg-type]
