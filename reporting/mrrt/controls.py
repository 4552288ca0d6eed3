"""One control of HTML as a field: its type, what it offers, what stands in it to begin with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reporting.mrrt import words
from reporting.mrrt.notes import Notes, Words, quoted
from reporting.mrrt.schema import COMPLETIONS, DEFAULT, FIELD_TYPES, LARGEST, OPTION, OPTIONS, is_merge_name
from reporting.mrrt.tree import Node, attribute, elements, has, line_of, text_of

BY_INPUT: dict[str, str] = {
    **{"text": "text", "": "text", "search": "text", "email": "text", "tel": "text", "url": "text", "password": "text"},
    **{"textarea": "textarea", "number": "number", "range": "number", "date": "date", "time": "time"},
    **{"checkbox": "checkbox", "radio": "selection", "datetime-local": "text", "month": "text", "week": "text"},
}
"""type of <input> -> field type; what is not here is no field of a report."""
BY_NAME = {theirs: ours for ours, theirs in FIELD_TYPES.items()}
PLACEHOLDERS = frozenset({"", "-", "--", "---", "–", "—", "―", "...", "…"})
"""Options that stand for nothing chosen."""
KEYS = frozenset({"yes", "no", "true", "false", "on", "off", "y", "n"})


@dataclass(slots=True)
class Draft:
    """A field while it is read."""

    node: Node
    type: str
    raw_id: str
    line: int | None
    chain: list[str] = field(default_factory=list)
    """The words that tell what it is, from the outside in; the first of them is `heading`, where there is one."""
    heading: Words | None = None
    default: Any = ""
    required: bool = False
    completion: str = "NONE"
    units: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    multiple: bool = False
    options: list[tuple[str, str, str]] = field(default_factory=list)
    """(value, label, id as it is written)."""
    suggestions: list[str] = field(default_factory=list)
    merge: str = ""
    merge_flag: bool = False
    condition: str = ""
    twin_of: tuple[str, str] | None = None
    """Raw id and value of the choice that this text completes."""
    spoken: str = ""
    element_code: str = ""

    @property
    def name(self) -> str:
        return quoted(self.raw_id or "without a name")


def draft_of(node: Node, notes: Notes) -> Draft | None:
    """The field of a control; None for what is no field of a report (and said so)."""
    kind = _type_of(node, notes)
    if kind is None:
        return None
    made = Draft(node, kind, attribute(node, "id") or attribute(node, "name"), line_of(node))
    common(made, node, notes)
    made.multiple = kind == "selection" and has(node, "multiple")
    if kind == "number":
        _bounds(made, node, notes)
    if node.name == "select":
        _options_of_select(made, notes)
    else:
        _value(made, node, notes)
    return made


def common(made: Draft, node: Node, notes: Notes) -> None:
    """What every field may say of itself."""
    made.required = has(node, "required")
    said = attribute(node, "data-field-completion-action").strip().upper()
    if said in COMPLETIONS:
        made.completion = said
    elif said:
        notes.repaired(made.line, f"field {made.name}: the completion action {quoted(said)} is none; NONE is taken")
    made.units = _units(made, attribute(node, "data-field-units"), notes)
    made.spoken = words.line(attribute(node, "data-field-verbal-trigger"), 100)
    made.condition = attribute(node, "data-x-show-if")
    made.merge_flag = attribute(node, "data-field-merge-flag").strip().lower() in ("true", "1", "yes")
    named = attribute(node, "data-x-merge").strip()
    if is_merge_name(named):
        made.merge = named
    elif named:
        notes.dropped(made.line, f"field {made.name}: {quoted(named)} is no value to merge")


def _units(made: Draft, said: str, notes: Notes) -> str:
    plain = "".join(said.split())
    if plain and (len(plain) > 32 or not plain.isascii() or set(plain) & set('<>"&')):
        notes.dropped(made.line, f"field {made.name}: the unit {quoted(said)}, which is no UCUM")
        return ""
    return plain


def _type_of(node: Node, notes: Notes) -> str | None:
    line, said = line_of(node), attribute(node, "data-field-type").strip().upper().replace("-", "_")
    name = quoted(attribute(node, "id") or attribute(node, "name") or "without a name")
    shape = _shape(node)
    if shape is None:
        notes.dropped(line, f"<input type={quoted(attribute(node, 'type'), 20)}>, which is no field of a report")
        return None
    wanted = BY_NAME.get(said)
    if wanted is None:
        what = f"the field type {quoted(said)} is none" if said else "a field does not say its type"
        notes.repaired(line, f"{what}; it is made for {FIELD_TYPES[shape]} and read as that")
        return shape
    if wanted == shape or wanted in FITS.get(shape, ()):
        return wanted
    if wanted == "selection" and has(node, "list"):
        return "text"
    notes.repaired(line, f"field {name}: it says {said} and is made for {FIELD_TYPES[shape]}; read as that")
    return shape


FITS: Mapping[str, tuple[str, ...]] = {
    "text": ("textarea", "number", "date", "time", "merge"),
    "textarea": ("text", "merge"),
    "number": ("merge",),
    "date": ("merge",),
    "time": ("merge",),
}
"""Shape of a control -> what it may also hold when it says so."""


def _shape(node: Node) -> str | None:
    if node.name == "select":
        return "selection"
    if node.name == "textarea":
        return "textarea"
    return BY_INPUT.get(attribute(node, "type").strip().lower(), None if has(node, "type") else "text")


def _bounds(made: Draft, node: Node, notes: Notes) -> None:
    for name, theirs in (("minimum", "min"), ("maximum", "max"), ("step", "step")):
        said = attribute(node, theirs).strip()
        value = number(said)
        if value is not None and (name != "step" or value > 0):
            setattr(made, name, value)
        elif said and said.lower() != "any":
            notes.dropped(made.line, f"field {made.name}: {theirs}={quoted(said, 20)} is no number to go by")
    if made.minimum is not None and made.maximum is not None and made.minimum > made.maximum:
        notes.repaired(made.line, f"field {made.name}: its min is above its max; they are exchanged")
        made.minimum, made.maximum = made.maximum, made.minimum


def number(text: str) -> float | None:
    """A number as HTML writes it; a decimal comma is understood too."""
    plain = text.strip().replace(",", ".")
    if len(plain) > 30 or not plain.isascii() or "_" in plain:
        return None
    try:
        value = float(plain)
    except ValueError:
        return None
    if not math.isfinite(value) or abs(value) > LARGEST:
        return None
    return int(value) if value.is_integer() and "." not in plain and "e" not in plain.lower() else value


def _options_of_select(made: Draft, notes: Notes) -> None:
    chosen: list[str] = []
    first = ""
    for node in elements(made.node):
        if node.name != "option":
            continue
        value, label = option_words(node)
        taken = add_option(made, value, label, attribute(node, "id"), line_of(node), notes)
        first = first or taken or "-"
        if taken and has(node, "selected"):
            chosen.append(taken)
    if made.multiple:
        made.default = tuple(dict.fromkeys(chosen))
        return
    if len(chosen) > 1:
        notes.repaired(
            made.line, f"field {made.name}: several options are selected of which one may be; the last is taken"
        )
    made.default = chosen[-1] if chosen else "" if first == "-" else first


def option_words(node: Node) -> tuple[str, str]:
    """(value, label) of an option: what the report says, and what the reader picks."""
    text = words.line(text_of(node), OPTION)
    value = words.line(attribute(node, "value"), OPTION) if has(node, "value") else text
    return value, words.line(attribute(node, "label"), OPTION) or text or value


def add_option(made: Draft, value: str, label: str, raw_id: str, line: int | None, notes: Notes) -> str:
    """Take one option in; returns its value, empty when it is none."""
    if not notes.exact and value.lower() != label.lower() and is_key(value) and label not in PLACEHOLDERS:
        notes.repaired(
            line, f"field {made.name}: the option {quoted(value, 20)} reads as {quoted(label)} in the report"
        )
        value = label
    if not value or (not notes.exact and (value in PLACEHOLDERS or label in PLACEHOLDERS)):
        if value or label:
            notes.repaired(line, f"the option {quoted(label or value, 20)} stands for nothing chosen")
        return ""
    known = {one for one, _, _ in made.options}
    if value in known:
        notes.dropped(line, f"field {made.name}: the option {quoted(value)} stands there twice")
        return value
    if len(made.options) >= OPTIONS:
        notes.dropped(line, f"field {made.name}: more than {OPTIONS} options")
        return ""
    made.options.append((value, label, raw_id))
    return value


def is_key(value: str) -> bool:
    """Is this a program's word for a choice, not what a report would say?"""
    return value.lower() in KEYS or value.lstrip("-").isdigit()


def _value(made: Draft, node: Node, notes: Notes) -> None:
    if made.type == "checkbox":
        made.default = has(node, "checked")
        return
    said = text_of(node) if node.name == "textarea" else attribute(node, "value")
    several = made.type == "textarea"
    value = words.lines(said, DEFAULT) if several else words.line(said, DEFAULT)
    plain = words.without_chips(value)
    if plain != value:
        notes.repaired(made.line, f"field {made.name}: a link to evidence in its text; its words are kept")
    if several and not plain.strip():
        plain = ""
    made.default = plain
    if made.type == "number" and plain:
        held = number(plain)
        made.default = "" if held is None else held
        if held is None:
            notes.dropped(made.line, f"field {made.name}: the default {quoted(plain, 20)}, which is no number")
