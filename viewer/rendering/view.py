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

__all__ = [
    "LARGEST_PICTURE",
    "LARGEST_SIDE",
    "BadView",
    "Fusion",
    "Mask",
    "SegmentationChoice",
    "View",
    "needs_volume",
    "objects_named",
    "varied",
]

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
class Mask:
    """What is subtracted from the images of a clip. `None`: as the file says."""

    frame: int | None = None
    """Place in the stack."""
    shift: tuple[float, float] | None = None
    """By how many pixels the mask is moved, (to the right, down)."""

    def to_json(self) -> Json:
        return {"frame": self.frame, "shift": None if self.shift is None else list(self.shift)}


@dataclass(frozen=True, slots=True)
class SegmentationChoice:
    """Segments of one object that are drawn over the picture."""

    sop_instance_uid: str
    segments: tuple[int, ...] | None = None
    """Their numbers; None: all of them."""
    opacity: float = 0.4
    """0 to 1, of what is filled; the line around it is always whole."""

    def to_json(self) -> Json:
        numbers = "all" if self.segments is None else list(self.segments)
        return {"sop_instance_uid": self.sop_instance_uid, "segments": numbers, "opacity": self.opacity}


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
    mask: Mask | None = None
    """None: nothing is subtracted."""
    overlays: tuple[str, ...] | str = ()
    """Groups of overlay planes, or "all"."""
    presentation_state: str | None = None
    """SOP Instance UID."""
    segmentations: tuple[SegmentationChoice, ...] = ()
    """Each drawn over those before it."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> View:
        """The View that a client sends. Raises `BadView` for an unknown field, a wrong type, a number out of range."""
        return cls().changed(data)

    def changed(self, changes: Mapping[str, Any]) -> View:
        """This View with only what changed; null gives a field back to the server. Raises `BadView`.

        A choice replaces those it excludes: a window the preset, a preset the window, `zoom` the `pixel_spacing`, a place
        in the stack the name of the frame, and the other way round; another stack forgets the place in the old one. A
        `fusion` without its `series` changes the one that is there. A window chosen for one kind of grey values is forgotten
        with them: when subtraction begins or ends, and when another presentation state is chosen.
        """
        if not isinstance(changes, Mapping):
            raise BadView("a View is a JSON object")
        parsed = {name: _parsed(name, value) for name, value in changes.items()}
        if isinstance(parsed.get("fusion"), dict):
            parsed["fusion"] = _fused(self.fusion, parsed["fusion"])
        if isinstance(parsed.get("mask"), dict):
            parsed["mask"] = replace(self.mask or Mask(), **parsed["mask"]) if parsed["mask"] else Mask()
        given = {name for name in parsed if changes[name] is not None}
        for one, other in _EXCLUSIVE:
            if given & one and given & other:
                raise BadView(f"{' or '.join(sorted(given & one | given & other))}: give one, not both")
        forgotten = {name for chosen, others in _FORGET if given & chosen for name in others} - given
        if self._other_greys(parsed):
            forgotten |= (_WINDOW | _PRESET) - given
        kept = {name: value for name, value in parsed.items() if name in _DEFAULTS and name not in forgotten}
        return varied(self, **kept, **{name: _DEFAULTS[name] for name in forgotten})

    def _other_greys(self, parsed: Mapping[str, Any]) -> bool:
        """Whether the change makes other grey values of the same pixels."""
        subtracts = "mask" in parsed and (parsed["mask"] is None) != (self.mask is None)
        return subtracts or parsed.get("presentation_state", self.presentation_state) != self.presentation_state

    def to_json(self) -> Json:
        """The JSON of the protocol, every field present; `View.from_json` gives back an equal View."""
        json: Json = {field.name: _listed(getattr(self, field.name)) for field in fields(self)}
        if not isinstance(self.plane, str):
            json["plane"] = {"row": list(self.plane[0]), "column": list(self.plane[1])}
        if self.fusion is not None:
            json["fusion"] = self.fusion.to_json()
        if self.mask is not None:
            json["mask"] = self.mask.to_json()
        json["segmentations"] = [choice.to_json() for choice in self.segmentations]
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


def objects_named(view: View) -> frozenset[str]:
    """SOP Instance UIDs of the objects that a View lays on its picture. Whoever asks for it must be let to see them."""
    named = {choice.sop_instance_uid for choice in view.segmentations}
    return frozenset(named if view.presentation_state is None else named | {view.presentation_state})


def _listed(value: Any) -> Any:
    return [_listed(part) for part in value] if isinstance(value, tuple) else value


def _parsed(name: str, value: Any) -> Any:
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


def _mask(name: str, value: Any) -> dict[str, Any]:
    """The parsed fields that were given; an empty object stands for the mask of the file."""
    if not isinstance(value, Mapping):
        raise BadView(f'{name}: an object is needed, with the "frame" to subtract and its "shift"')
    unknown = [key for key in value if key not in _MASK_FIELDS]
    if unknown:
        raise BadView(f"{name}: no such field of a mask: {read.sound(str(unknown[0])[:60])}")
    return {key: None if one is None else _MASK_FIELDS[key](f"{name} {key}", one) for key, one in value.items()}


def _segmentations(name: str, value: Any) -> tuple[SegmentationChoice, ...]:
    if not isinstance(value, list | tuple) or len(value) > _MOST_SEGMENTATIONS:
        raise BadView(f"{name}: a list of {_MOST_SEGMENTATIONS} objects at most is needed")
    return tuple(_segmentation(name, one) for one in value)


def _segmentation(name: str, value: Any) -> SegmentationChoice:
    if not isinstance(value, Mapping) or value.get("sop_instance_uid") is None:
        raise BadView(f"{name}: each is an object with the sop_instance_uid of what to draw")
    unknown = [key for key in value if key not in _SEGMENTATION_FIELDS]
    if unknown:
        raise BadView(f"{name}: no such field of a segmentation: {read.sound(str(unknown[0])[:60])}")
    given = {key: _SEGMENTATION_FIELDS[key](f"{name} {key}", one) for key, one in value.items() if one is not None}
    return SegmentationChoice(**given)


_MOST_SEGMENTATIONS = 16
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
    "mask": _mask,
    "overlays": read.overlays,
    "presentation_state": read.uid,
    "segmentations": _segmentations,
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

_MASK_FIELDS: dict[str, Parser] = {"frame": read.integer(0, 10_000_000), "shift": read.shift}

_SEGMENTATION_FIELDS: dict[str, Parser] = {
    "sop_instance_uid": read.uid,
    "segments": read.segments,
    "opacity": read.number(0.0, 1.0),
}

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
    (frozenset({"stack"}), _PLACE | _NAME | {"mask"}),
)
"""(chosen, forgotten): a choice of the first gives the second back to the server, unless that is given too."""
