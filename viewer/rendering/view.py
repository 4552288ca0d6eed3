"""`View`: what the reader wants to see, as a small frozen value. A picture is a pure function of (pixels, View).

The fields are those of the protocol (docs/protocol.md) and never change their meaning: signed reports keep Views for ever.
A View comes in through one door, `View.from_json` or `View.changed`, which refuses what it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

Json = dict[str, Any]

LARGEST_SIDE = 8192
LARGEST_PICTURE = 2**25
"""Pixels of one picture; more than any display has, little enough to draw and hold."""


class BadView(ValueError):
    """The View cannot be drawn; the message names the field and says what is allowed."""


@dataclass(frozen=True, slots=True)
class View:
    """One picture. `None` means "the server chooses"; a resolved View has nothing left to choose.

    Equal Views have equal hashes and draw equal pictures, so a View (with the version of its series) is a cache key.
    """

    series: str | None = None
    organization: str | None = None
    stack: int = 0
    plane: str = "acquired"
    frame: int | None = None
    sop_instance_uid: str | None = None
    frame_number: int | None = None
    projection: str = "slice"
    slab_thickness: float = 0.0
    window_center: float | None = None
    window_width: float | None = None
    voi_lut_function: str | None = None
    preset: str | None = None
    inverted: bool = False
    color_map: str | None = None
    rotation: int = 0
    flip_horizontal: bool = False
    flip_vertical: bool = False
    zoom: float | str | None = None
    pixel_spacing: float | None = None
    pan: tuple[float, float] = (0.0, 0.0)
    size: tuple[int, int] | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> View:
        """The View that a client sends. Raises `BadView` for an unknown field, a wrong type, a number out of range."""
        return cls().changed(data)

    def changed(self, changes: Mapping[str, Any]) -> View:
        """This View with only what changed; null gives a field back to the server. Raises `BadView`.

        A choice replaces those it excludes: a window the preset, a preset the window, `zoom` the `pixel_spacing`, a place
        in the stack the name of the frame, and the other way round; another stack forgets the place in the old one.
        """
        if not isinstance(changes, Mapping):
            raise BadView("a View is a JSON object")
        parsed = {name: _parsed(name, value) for name, value in changes.items()}
        given = {name for name in parsed if changes[name] is not None}
        for one, other in _EXCLUSIVE:
            if given & one and given & other:
                raise BadView(f"{' or '.join(sorted(given & one | given & other))}: give one, not both")
        forgotten = {name for chosen, others in _FORGET if given & chosen for name in others} - given
        kept = {name: value for name, value in parsed.items() if name in _DEFAULTS and name not in forgotten}
        return replace(self, **kept, **{name: _DEFAULTS[name] for name in forgotten})

    def to_json(self) -> Json:
        """The JSON of the protocol, every field present; `View.from_json` gives back an equal View."""
        json: Json = {}
        for field in fields(self):
            value = getattr(self, field.name)
            json[field.name] = list(value) if isinstance(value, tuple) else value
        return json


def _parsed(name: str, value: Any) -> Any:
    if name in NOT_DRAWN:
        if value is None or value == [] or value == {}:
            return None
        raise BadView(f"not drawn by this server yet: {name}")
    if name not in _FIELDS:
        raise BadView(f"{_sound(str(name)[:60])}: no such field of a View")
    return _DEFAULTS[name] if value is None else _FIELDS[name](name, value)


def _number(least: float, most: float) -> Callable[[str, Any], float]:
    def parse(name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadView(f"{name}: a number is needed")
        if not least <= value <= most or not math.isfinite(value):
            raise BadView(f"{name}: {least:g} to {most:g} is allowed")
        return float(value)

    return parse


def _whole(value: Any) -> Any:
    """1.0 as 1: JSON has one kind of number, and some programs write every one with a point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _integer(least: int, most: int) -> Callable[[str, Any], int]:
    def parse(name: str, value: Any) -> int:
        value = _whole(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadView(f"{name}: a whole number is needed")
        if not least <= value <= most:
            raise BadView(f"{name}: {least} to {most} is allowed")
        return value

    return parse


def _text(most: int) -> Callable[[str, Any], str]:
    def parse(name: str, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= most or value != _sound(value):
            raise BadView(f"{name}: a text of 1 to {most} characters is needed")
        return value

    return parse


def _sound(text: str) -> str:
    """The text with "?" for halves of characters, which JSON can escape and nothing can write."""
    return text.encode(errors="replace").decode()


def _one_of(*allowed: str | int) -> Callable[[str, Any], str | int]:
    def parse(name: str, value: Any) -> str | int:
        value = _whole(value)
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in allowed:
            raise BadView(f"{name}: one of {', '.join(str(one) for one in allowed)} is needed")
        return value

    return parse


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadView(f"{name}: true or false is needed")
    return value


def _drawn(drawn: str, *later: str) -> Callable[[str, Any], str]:
    """A field of which this server draws one value so far."""

    def parse(name: str, value: Any) -> str:
        if value == drawn:
            return drawn
        if isinstance(value, Mapping) or value in later:
            raise BadView(f"not drawn by this server yet: {name} {value if isinstance(value, str) else ''}".rstrip())
        raise BadView(f"{name}: {', '.join((drawn, *later))} are the choices")

    return parse


def _positive(name: str, value: Any) -> float:
    number = _number(0.0, _HUGE)(name, value)
    if number < _TINY:
        raise BadView(f"{name}: more than 0 is needed")
    return number


def _slab_thickness(name: str, value: Any) -> float:
    if value == "all" or _number(0.0, _HUGE)(name, value) != 0.0:
        raise BadView(f"not drawn by this server yet: {name} other than 0")
    return 0.0


def _zoom(name: str, value: Any) -> float | str:
    return "native" if value == "native" else _number(0.01, 100.0)(name, value)


def _pair(name: str, value: Any, parse: Callable[[str, Any], Any]) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise BadView(f"{name}: a list of two numbers is needed")
    return parse(name, value[0]), parse(name, value[1])


def _pan(name: str, value: Any) -> tuple[float, float]:
    return _pair(name, value, _number(-100.0, 100.0))


def _size(name: str, value: Any) -> tuple[int, int]:
    rows, columns = _pair(name, value, _integer(1, LARGEST_SIDE))
    if rows * columns > LARGEST_PICTURE:
        raise BadView(f"{name}: {LARGEST_PICTURE} pixels at most")
    return rows, columns


_HUGE = 1e30
_TINY = 1e-30

_FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "series": _text(64),
    "organization": _text(200),
    "stack": _integer(0, 1_000_000),
    "plane": _drawn("acquired", "axial", "coronal", "sagittal"),
    "frame": _integer(0, 10_000_000),
    "sop_instance_uid": _text(64),
    "frame_number": _integer(1, 10_000_000),
    "projection": _drawn("slice", "mip", "minip", "mean", "volume"),
    "slab_thickness": _slab_thickness,
    "window_center": _number(-_HUGE, _HUGE),
    "window_width": _positive,
    "voi_lut_function": _one_of("LINEAR", "LINEAR_EXACT", "SIGMOID"),
    "preset": _text(200),
    "inverted": _boolean,
    "color_map": _text(64),
    "rotation": _one_of(0, 90, 180, 270),
    "flip_horizontal": _boolean,
    "flip_vertical": _boolean,
    "zoom": _zoom,
    "pixel_spacing": _number(1e-6, 1e6),
    "pan": _pan,
    "size": _size,
}
"""How each field is read at the door."""

NOT_DRAWN = frozenset(
    {"center", "volume_preset", "clip", "presentation_state", "overlays", "segmentations", "fusion", "mask"}
)
"""Fields of the protocol that are known and refused; empty values of them ask for nothing and pass."""

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(View)}

_WINDOW = frozenset({"window_center", "window_width", "voi_lut_function"})
_PRESET = frozenset({"preset"})
_ZOOM = frozenset({"zoom"})
_SPACING = frozenset({"pixel_spacing"})
_PLACE = frozenset({"frame"})
_NAME = frozenset({"sop_instance_uid", "frame_number"})

_EXCLUSIVE = ((_WINDOW, _PRESET), (_ZOOM, _SPACING))
"""What may not be asked for at once. A place and a name may: every resolved View holds both, and the name decides."""

_FORGET = (
    (_WINDOW, _PRESET),
    (_PRESET, _WINDOW),
    (_ZOOM, _SPACING),
    (_SPACING, _ZOOM),
    (_PLACE, _NAME),
    (_NAME, _PLACE),
    (frozenset({"sop_instance_uid"}), frozenset({"frame_number"})),
    (frozenset({"stack"}), _PLACE | _NAME),
)
"""(chosen, forgotten): a choice of the first gives the second back to the server, unless that is given too."""
