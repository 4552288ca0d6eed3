"""Drawings and texts of a presentation state (PS3.3 C.10.5, C.10.7), as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from viewer.rendering.volume import Graphic

from . import state_tags as st
from . import values
from .cielab import srgb
from .elements import Dataset

Pair = tuple[float, float]

_KINDS = {"POINT": 1, "POLYLINE": 2, "INTERPOLATED": 2, "CIRCLE": 2, "ELLIPSE": 4}
"""Graphic Type and how many points it takes at least."""
_MOST_POINTS = 10_000
_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Layers:
    """Graphic layers by name: order and recommended colour."""

    known: dict[str, tuple[int, str | None]]

    def order(self, item: Dataset) -> int:
        return self.known.get(_layer(item), (len(self.known), None))[0]

    def color(self, item: Dataset) -> str | None:
        return self.known.get(_layer(item), (0, None))[1]


def layers_of(dataset: Dataset) -> Layers:
    found: dict[str, tuple[int, str | None]] = {}
    for number, item in enumerate(dataset.items(st.GRAPHIC_LAYER_SEQUENCE)):
        order = values.integer(item, st.LAYER_ORDER, "IS")
        color = _color(values.numbers(item, st.LAYER_COLOR, "US"))
        grey = values.integer(item, st.LAYER_GREY)
        if color is None and grey is not None:
            level = min(max(grey, 0), 65535) * 255 // 65535
            color = f"#{level:02x}{level:02x}{level:02x}"
        found[_layer(item)] = (number if order is None else order, color)
    return Layers(found)


def graphics_of(item: Dataset, layers: Layers, notes: list[str]) -> tuple[Graphic, ...]:
    """What one item of the Graphic Annotation Sequence draws; `notes` grow by what cannot be drawn."""
    layer, color = _layer(item), layers.color(item)
    objects = item.items(st.GRAPHIC_OBJECT_SEQUENCE)
    plain = {values.integer(one, st.COMPOUND_INSTANCE_ID, "UL") for one in objects}
    plain |= {values.integer(one, st.COMPOUND_INSTANCE_ID, "UL") for one in item.items(st.TEXT_OBJECT_SEQUENCE)}
    found = [_object(one, layer, color, notes) for one in objects]
    for one in item.items(st.COMPOUND_GRAPHIC_SEQUENCE):
        # Most come with plain drawings that say the same.
        if values.integer(one, st.COMPOUND_INSTANCE_ID, "UL") not in plain:
            found.append(_compound(one, layer, color, notes))
    found += [_text(one, layer, color, notes) for one in item.items(st.TEXT_OBJECT_SEQUENCE)]
    return tuple(graphic for graphic in found if graphic is not None)


def _layer(item: Dataset) -> str:
    return values.text(item, st.GRAPHIC_LAYER)[:64]


def _object(item: Dataset, layer: str, color: str | None, notes: list[str]) -> Graphic | None:
    kind = values.code(item, st.GRAPHIC_TYPE)
    units = _units(item, st.GRAPHIC_UNITS)
    points = _pairs(values.numbers(item, st.GRAPHIC_DATA, "FL"), units)
    if kind not in _KINDS or units is None or len(points) < _KINDS[kind]:
        notes.append(f"a drawing of the presentation state is left out: {kind[:16] or 'of no kind'}")
        return None
    if kind in ("CIRCLE", "ELLIPSE", "POINT"):
        points = points[: _KINDS[kind]]
    filled = values.code(item, st.GRAPHIC_FILLED) == "Y" and kind != "POINT"
    return Graphic(
        kind.lower(), points, units == "DISPLAY", filled=filled, layer=layer, color=_own_color(item, filled) or color
    )


def _compound(item: Dataset, layer: str, color: str | None, notes: list[str]) -> Graphic | None:
    """Those that are a plain drawing by another name (C.10.5.1.2.1)."""
    kind = values.code(item, st.COMPOUND_TYPE)
    units = _units(item, st.COMPOUND_UNITS)
    points = _pairs(values.numbers(item, st.GRAPHIC_DATA, "FL"), units)
    filled = values.code(item, st.GRAPHIC_FILLED) == "Y"
    own = _own_color(item, filled) or color
    if kind in ("MULTILINE", "ARROW", "RULER") and units is not None and len(points) >= 2:
        return Graphic("polyline", points, units == "DISPLAY", layer=layer, color=own)
    if kind in ("RECTANGLE", "ELLIPSE") and units is not None and len(points) >= 4:
        if kind == "RECTANGLE":
            (left, top), (right, bottom) = _corners(points)
            line = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
            return Graphic("polyline", line, units == "DISPLAY", filled=filled, layer=layer, color=own)
        return Graphic("ellipse", points[:4], units == "DISPLAY", filled=filled, layer=layer, color=own)
    notes.append(f"a drawing of the presentation state is left out: {kind[:16] or 'of no kind'}")
    return None


def _corners(points: Sequence[Pair]) -> tuple[Pair, Pair]:
    columns, rows = zip(*points, strict=True)
    return (min(columns), min(rows)), (max(columns), max(rows))


def _text(item: Dataset, layer: str, color: str | None, notes: list[str]) -> Graphic | None:
    text = "\n".join(line.rstrip() for line in values.text(item, st.TEXT)[:_TEXT].splitlines())
    units, anchor_units = _units(item, st.BOX_UNITS), _units(item, st.ANCHOR_UNITS)
    one = _pairs(values.numbers(item, st.BOX_TOP_LEFT, "FL"), units)
    other = _pairs(values.numbers(item, st.BOX_BOTTOM_RIGHT, "FL"), units)
    anchor = _pairs(values.numbers(item, st.ANCHOR_POINT, "FL"), anchor_units)
    box = (one[0], other[0]) if units and one and other else ()
    if not text or not (box or (anchor and anchor_units)):
        notes.append("a text of the presentation state is left out: it has no place")
        return None
    return Graphic(
        "text",
        box,
        units == "DISPLAY",
        text=text,
        anchor=anchor[0] if anchor and anchor_units else None,
        anchor_in_area=anchor_units == "DISPLAY",
        anchor_visible=values.code(item, st.ANCHOR_VISIBILITY) == "Y",
        justification=values.code(item, st.BOX_JUSTIFICATION).lower(),
        layer=layer,
        color=_text_color(item) or color,
    )


def _units(item: Dataset, tag: int) -> str | None:
    """PIXEL or DISPLAY; matrices of whole slides are not read here."""
    units = values.code(item, tag)
    return units if units in ("PIXEL", "DISPLAY") else None


def _pairs(flat: Sequence[float], units: str | None) -> tuple[Pair, ...]:
    """(column, row). The corner of the first pixel is 0\\0 in the file and -0.5, -0.5 here."""
    back = 0.5 if units == "PIXEL" else 0.0
    pairs = zip(flat[::2], flat[1::2], strict=False)
    return tuple((column - back, row - back) for column, row in pairs)[:_MOST_POINTS]


def _color(stored: Sequence[float]) -> str | None:
    found = srgb(stored[:3]) if len(stored) >= 3 else None
    return None if found is None else "#{:02x}{:02x}{:02x}".format(*found)


def _own_color(item: Dataset, filled: bool) -> str | None:
    styles = item.items(st.FILL_STYLE_SEQUENCE if filled else st.LINE_STYLE_SEQUENCE)
    return _color(values.numbers(styles[0], st.PATTERN_ON_COLOR, "US")) if styles else None


def _text_color(item: Dataset) -> str | None:
    styles = item.items(st.TEXT_STYLE_SEQUENCE)
    return _color(values.numbers(styles[0], st.TEXT_COLOR, "US")) if styles else None
