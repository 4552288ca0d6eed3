"""What a report says, held against its template: types, sizes, and what fits when another template is taken."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any

from reporting.workflow.difference import empty, reads, same

Json = dict[str, Any]

TEXT = 32_000
"""Characters of one field."""
WHOLE = 400_000
"""Characters of a report."""
FILLS = ("default", "touched", "dictated", "merged", "measured")
_NEVER = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
"""NUL, halves of surrogate pairs and what no XML takes: a text that holds them cannot leave this server."""
_BREAKS = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


class BadContent(ValueError):
    """Content that the template has no place for; `problems` are (field, message)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: {message}" for name, message in problems[:10]))
        self.problems = problems


class _Wrong(ValueError):
    pass


def fields_of(schema: Mapping[str, Any]) -> dict[str, Json]:
    """Every field by its id, in order."""
    return {field["id"]: field for section in schema["sections"] for field in section["fields"]}


def labels_of(schema: Mapping[str, Any]) -> dict[str, str]:
    """Field id -> what a person calls it: of a section's only field the section's title."""
    found = {}
    for section in schema["sections"]:
        for field in section["fields"]:
            alone = len(section["fields"]) == 1
            label = field["label"] or field["id"]
            found[field["id"]] = section["title"] if alone or label == section["title"] else label
    return found


def checked(schema: Mapping[str, Any], given: Any) -> Json:
    """`given` as it is kept: None where a field is cleared. Raises BadContent naming each field that cannot be taken."""
    if not isinstance(given, dict):
        raise BadContent([("content", "an object of field: value is expected")])
    fields, problems, kept = fields_of(schema), [], {}
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            problems.append((sound(name)[:100], "the template has no such field"))
            continue
        try:
            kept[name] = None if value is None else KINDS[field["type"]](value, field)
        except _Wrong as wrong:
            problems.append((name, str(wrong)))
    if sum(len(value) for value in kept.values() if isinstance(value, str)) > WHOLE:
        problems.append(("content", f"more than {WHOLE:,} characters"))
    if problems:
        raise BadContent(problems)
    return kept


def checked_fills(schema: Mapping[str, Any], given: Any) -> dict[str, str]:
    """How fields were filled, as a page says. Raises BadContent."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadContent([("fills", "an object of field: how it was filled is expected")])
    fields = fields_of(schema)
    wrong = [sound(str(name))[:100] for name, fill in given.items() if name not in fields or fill not in FILLS]
    if wrong:
        raise BadContent([(name, f"fills: one of {', '.join(FILLS)} for a field is expected") for name in wrong[:50]])
    return dict(given)


def laid_over(base: Json, fills: Mapping[str, str], new: Json, said: Mapping[str, str]) -> tuple[Json, dict[str, str]]:
    """Content and fills with `new` values in place of old ones; fields not named stay. What changed was touched, unless
    `said` says how it was filled."""
    content, filled = dict(base), dict(fills)
    for name, value in new.items():
        changed = not same(base.get(name), value)
        if value is None:
            content.pop(name, None)
        else:
            content[name] = value
        if name in said:
            filled[name] = said[name]
        elif changed:
            filled[name] = "touched"
    for name, fill in said.items():
        if name in content:
            filled[name] = fill
    return content, {name: fill for name, fill in filled.items() if name in content}


def beginning(schema: Mapping[str, Any], merged: Mapping[str, Any]) -> tuple[Json, dict[str, str]]:
    """What a new report says: defaults of the template, and what is known of patient, study and order."""
    content: Json = {}
    fills: dict[str, str] = {}
    for name, field in fields_of(schema).items():
        value, fill = merged.get(field["merge"]) if field["merge"] else None, "merged"
        if empty(value):
            value, fill = field["default"], "default"
        if empty(value) or value is False:
            continue
        try:
            content[name] = KINDS[field["type"]](value, field)
        except _Wrong:
            continue
        fills[name] = fill
    return content, fills


# --- another template


@dataclass(frozen=True, slots=True)
class LeftOver:
    """A field that the new template has no place for; earlier versions of the report still hold it."""

    field: str
    label: str
    value: Any
    words: str


@dataclass(frozen=True, slots=True)
class Fitted:
    content: Json
    fills: dict[str, str]
    left_over: list[LeftOver]


def fitted(content: Json, fills: Mapping[str, str], old: Mapping[str, Any], new: Mapping[str, Any]) -> Fitted:
    """What of `content` has a place in `new`: the same field, or the one text of the same section."""
    kept: Json = {}
    kept_fills: dict[str, str] = {}
    fields, labels, left = fields_of(new), labels_of(old), []
    waiting = [(name, value) for name, value in content.items() if not empty(value)]
    for name, value in list(waiting):
        taken = _taken(fields.get(name), value)
        if taken is not None:
            kept[name], kept_fills[name] = taken, fills.get(name, "touched")
            waiting.remove((name, value))
    places = _places(old, new)
    for name, value in waiting:
        place = places.get(name, "")
        if place and place not in kept and isinstance(value, str):
            kept[place], kept_fills[place] = value, fills.get(name, "touched")
        elif fills.get(name) not in ("default", "merged"):
            label = labels.get(name, name)
            left.append(LeftOver(name, label, value, f"{label}: {reads(value)}"))
    return Fitted(kept, kept_fills, left)


def _taken(field: Json | None, value: Any) -> Any:
    if field is None:
        return None
    try:
        return KINDS[field["type"]](value, field)
    except _Wrong:
        return None


def _places(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Text field of `old` -> the first long text of the section of `new` with the same code or id."""
    by_mark: dict[str, str] = {}
    for section in new["sections"]:
        place = next((field["id"] for field in section["fields"] if field["type"] == "textarea"), None)
        for mark in _marks(section):
            if place is not None:
                by_mark.setdefault(mark, place)
    found = {}
    for section in old["sections"]:
        place = next((by_mark[mark] for mark in _marks(section) if mark in by_mark), None)
        for field in section["fields"]:
            if place is not None and field["type"] in ("text", "textarea"):
                found[field["id"]] = place
    return found


def _marks(section: Mapping[str, Any]) -> Iterator[str]:
    if section.get("code"):
        yield f"code {section['code']['value']}"
    yield f"id {section['id']}"


# --- kinds of fields


def sound(text: str) -> str:
    """A text that can be shown and kept, whatever came."""
    return _NEVER.sub("\N{REPLACEMENT CHARACTER}", text)


def _text(value: Any, field: Json) -> str:
    if not isinstance(value, str):
        raise _Wrong("a text is expected")
    if _NEVER.search(value):
        raise _Wrong("it holds characters that are no text (NUL, halves of surrogate pairs, control characters)")
    if len(value) > TEXT:
        raise _Wrong(f"more than {TEXT:,} characters")
    return _BREAKS.sub("\n", value)


def _number(value: Any, field: Json) -> float | int | str:
    if value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) >= 1e15:
        raise _Wrong("a number is expected")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _date(value: Any, field: Json) -> str:
    return _moment(value, r"\d{4}-\d\d-\d\d", date.fromisoformat, "a date like 2024-01-31 is expected")


def _time(value: Any, field: Json) -> str:
    return _moment(value, r"\d\d:\d\d(:\d\d)?", time.fromisoformat, "a time like 14:05 is expected")


def _moment(value: Any, form: str, read: Callable[[str], object], message: str) -> str:
    if value == "":
        return ""
    try:
        if not isinstance(value, str) or not re.fullmatch(form, value, re.ASCII):
            raise ValueError
        read(value)
    except ValueError:
        raise _Wrong(message) from None
    return value


def _selection(value: Any, field: Json) -> str | list[str]:
    offered = [option["value"] for option in field["options"]]
    if field["multiple"]:
        if value == "":
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) and one in offered for one in value):
            raise _Wrong("a list of what is offered is expected")
        return [one for one in offered if one in value]
    if value == "" or (isinstance(value, str) and value in offered):
        return value
    raise _Wrong("it is not among what is offered")


def _checkbox(value: Any, field: Json) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("true or false is expected")
    return value


KINDS: dict[str, Callable[[Any, Json], Any]] = {
    "text": _text,
    "textarea": _text,
    "merge": _text,
    "number": _number,
    "date": _date,
    "time": _time,
    "selection": _selection,
    "checkbox": _checkbox,
}
