"""`View`: what the reader wants to see, as a small frozen value. A picture is a pure function of (pixels, View).

The fields are those of the protocol (docs/protocol.md) and never change their meaning: signed reports keep Views for ever.
A View comes in through one door, `View.from_json` or `View.changed`, which refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from . import fields as read
from .fields import HUGE, LARGEST_PICTURE, LARGEST_SIDE, BadView, Parser, PlaneName, Triple

__all__ = ["LARGEST_PICTURE", "LARGEST_SIDE", "NOT_DRAWN", "BadView", "Fusion", "View", "needs_volume", "varied"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fusion:
    """A second series laid over the first, in colours, at the same places of the patient. `None`: the server chooses."""

    series: str
    organization: str | None = None
    stack: int = 0
    window_center: float | None = None
    window_width: float | None = None
    voi_lut_function: str | None = None
    color_map: str | None = None
    opacity: float | None = None
    """0 to 1, at the upper end of its window."""

    def to_json(self) -> Json:
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class View:
    """One picture. `None` means "the server chooses"; a resolved View has nothing left to choose.

    Equal Views have equal hashes and draw equal pictures, so a View (with the version of its series) is a cache key.
    """

    series: str | None = None
    organization: str | None = None
    stack: int = 0
    plane: PlaneName = "acquired"
    """A name, or (row, column) unit vectors."""
    frame: int | None = None
    sop_instance_uid: str | None = None
    frame_number: int | None = None
    center: Triple | None = None
    projection: str = "slice"
    slab_thickness: float | str = 0.0
    """mm, or "all"."""
    window_center: float | None = None
    window_width: float | None = None
    voi_lut_function: str | None = None
    preset: str | None = None
    volume_preset: str | None = None
    clip: tuple[Triple, Triple] | None = None
    """Least and greatest corner."""
    fusion: Fusion | None = None
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
        in the stack the name of the frame, and the other way round; another stack forgets the place in the old one. A
        `fusion` without its `series` changes the one that is there.
        """
        if not isinstance(changes, Mapping):
            raise BadView("a View is a JSON object")
        parsed = {name: _parsed(name, value) for name, value in changes.items()}
        if isinstance(parsed.get("fusion"), dict):
            parsed["fusion"] = _fused(self.fusion, parsed["fusion"])
        given = {name for name in parsed if changes[name] is not None}
        for one, other in _EXCLUSIVE:
            if given & one and given & other:
                raise BadView(f"{' or '.join(sorted(given & one | given & other))}: give one, not both")
        forgotten = {name for chosen, others in _FORGET if given & chosen for name in others} - given
        kept = {name: value for name, value in parsed.items() if name in _DEFAULTS and name not in forgotten}
        return varied(self, **kept, **{name: _DEFAULTS[name] for name in forgotten})

    def to_json(self) -> Json:
        """The JSON of the protocol, every field present; `View.from_json` gives back an equal View."""
        json: Json = {field.name: _listed(getattr(self, field.name)) for field in fields(self)}
        if not isinstance(self.plane, str):
            json["plane"] = {"row": list(self.plane[0]), "column": list(self.plane[1])}
        if self.fusion is not None:
            json["fusion"] = self.fusion.to_json()
        return json


def varied(view: View, **changes: Any) -> View:
    """The View with some fields changed: `dataclasses.replace` in a third of its 20 us. Every picture takes several."""
    new = object.__new__(View)
    for get, put in _SLOTS:
        put(new, get(view))
    for name, value in changes.items():
        _PUT[name](new, value)
    return new


_PUT = {field.name: getattr(View, field.name).__set__ for field in fields(View)}
_SLOTS = tuple((getattr(View, field.name).__get__, getattr(View, field.name).__set__) for field in fields(View))


def needs_volume(view: View) -> bool:
    """Whether a View is drawn from the volume of its stack; else from the one frame that it means."""
    return view.plane != "acquired" or view.projection != "slice" or view.fusion is not None


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, tuple) else value


def _parsed(name: str, value: Any) -> Any:
    if name in NOT_DRAWN:
        if value is None or value == [] or value == {}:
            return None
        raise BadView(f"not drawn by this server yet: {name}")
    if name not in _FIELDS:
        raise BadView(f"{read.sound(str(name)[:60])}: no such field of a View")
    return _DEFAULTS[name] if value is None else _FIELDS[name](name, value)


def _fusion(name: str, value: Any) -> dict[str, Any] | None:
    """The parsed fields that were given; None for an empty object, which asks for nothing."""
    if not isinstance(value, Mapping):
        raise BadView(f'{name}: an object is needed, with the "series" to lay over this one')
    unknown = [key for key in value if key not in _FUSION_FIELDS]
    if unknown:
        raise BadView(f"{name}: no such field of a fusion: {read.sound(str(unknown[0])[:60])}")
    given = {
        key: _FUSION_DEFAULTS[key] if one is None else _FUSION_FIELDS[key](f"{name} {key}", one)
        for key, one in value.items()
    }
    return given or None


def _fused(present: Fusion | None, given: dict[str, Any]) -> Fusion:
    if given.get("series") is not None:
        return Fusion(**given)
    if present is None or "series" in given:
        raise BadView("fusion: series is needed")
    return replace(present, **given)


_SHORT = read.text(64)
_LONG = read.text(200)
_ANY_NUMBER = read.number(-HUGE, HUGE)
_CURVES = read.one_of("LINEAR", "LINEAR_EXACT", "SIGMOID")

_FIELDS: dict[str, Parser] = {
    "series": _SHORT,
    "organization": _LONG,
    "stack": read.integer(0, 1_000_000),
    "plane": read.plane,
    "frame": read.integer(0, 10_000_000),
    "sop_instance_uid": _SHORT,
    "frame_number": read.integer(1, 10_000_000),
    "center": read.point,
    "projection": read.one_of("slice", "mip", "minip", "mean", "volume"),
    "slab_thickness": read.slab_thickness,
    "window_center": _ANY_NUMBER,
    "window_width": read.positive,
    "voi_lut_function": _CURVES,
    "preset": _LONG,
    "volume_preset": _SHORT,
    "clip": read.box,
    "fusion": _fusion,
    "inverted": read.boolean,
    "color_map": _SHORT,
    "rotation": read.one_of(0, 90, 180, 270),
    "flip_horizontal": read.boolean,
    "flip_vertical": read.boolean,
    "zoom": read.zoom,
    "pixel_spacing": read.number(1e-6, 1e6),
    "pan": read.pan,
    "size": read.size,
}
"""How each field is read at the door."""

_FUSION_FIELDS: dict[str, Parser] = {
    "series": _SHORT,
    "organization": _LONG,
    "stack": read.integer(0, 1_000_000),
    "window_center": _ANY_NUMBER,
    "window_width": read.positive,
    "voi_lut_function": _CURVES,
    "color_map": _SHORT,
    "opacity": read.number(0.0, 1.0),
}

NOT_DRAWN = frozenset({"presentation_state", "overlays", "segmentations", "mask"})
"""Fields of the protocol that are known and refused; empty values of them ask for nothing and pass."""

_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(View)}
_FUSION_DEFAULTS: dict[str, Any] = {field.name: field.default for field in fields(Fusion)} | {"series": None}

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
