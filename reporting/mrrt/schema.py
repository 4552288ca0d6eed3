"""What a report template asks for: sections with fields, as frozen values, and the same as JSON
(`TemplateVersion.schema`)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

Json = dict[str, Any]

FIELD_TYPES: dict[str, str] = {
    "text": "TEXT",
    "textarea": "TEXTAREA",
    "number": "NUMBER",
    "date": "DATE",
    "time": "TIME",
    "selection": "SELECTION_LIST",
    "checkbox": "CHECKBOX",
    "merge": "MERGE",
}
"""Field type -> data-field-type (IHE RAD TF MRRT)."""
COMPLETIONS = ("NONE", "ALERT", "PROHIBIT")
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "contains", "empty", "filled")
MERGE_NAMES = (
    *("patient.name", "patient.id", "patient.birth_date", "patient.sex", "patient.age"),
    *("study.date", "study.description", "study.accession", "order.reason", "order.procedure", "order.referrer"),
    *("comparison.list", "dose.total", "measurements"),
)
MEASUREMENT = re.compile(r"measurement:[A-Za-z0-9_.:\-]{1,64}")
ID = re.compile(r"[a-z0-9_]{1,64}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
LARGEST = 1e15

SECTIONS, FIELDS, OPTIONS, CODES = 100, 500, 500, 20
TITLE, LABEL, OPTION, DEFAULT = 300, 300, 1000, 8000
"""Most of each, and longest texts."""


class BadSchema(Exception):
    """The JSON is no schema; `problems` says why, place by place."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems[:5]))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept; `scheme` is the coding scheme designator (RADLEX, LN, SCT, DCM)."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: `value` is what the report says, `label` what the reader picks."""

    value: str
    label: str
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """When a field is shown: `field op value`; `value` is empty for `empty` and `filled`."""

    field: str
    op: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing to fill in. A checkbox is one box; a group of them is a selection of which several may be chosen."""

    id: str
    type: str
    label: str = ""
    default: Any = ""
    """Text; a number or "" of a number; a bool of a checkbox; a tuple of values where several may be chosen."""
    required: bool = False
    completion: str = "NONE"
    """data-field-completion-action: what happens at signing while it is empty."""
    units: str = ""
    """UCUM."""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    multiple: bool = False
    options: tuple[Option, ...] = ()
    suggestions: tuple[str, ...] = ()
    merge: str = ""
    show_if: Condition | None = None
    codes: tuple[Code, ...] = ()
    spoken: str = ""

    @property
    def several(self) -> bool:
        """Does its value hold a list?"""
        return self.multiple and self.type == "selection"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with fields. `level` is its depth: one of level 2 belongs to the last one of level 1 before it."""

    id: str
    title: str
    level: int = 1
    required: bool = False
    code: Code | None = None
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    title: str
    language: str = "en"
    sections: tuple[Section, ...] = ()

    @property
    def fields(self) -> tuple[Field, ...]:
        """All fields, in order."""
        return tuple(field for section in self.sections for field in section.fields)


# --- as JSON


def to_json(value: Any) -> Any:
    """The JSON of a schema or of a part of it; tuples become lists."""
    if isinstance(value, Schema | Section | Field | Option | Condition | Code):
        return {one.name: to_json(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [to_json(one) for one in value]
    return value


def from_json(value: Any) -> Schema:
    """A schema from its JSON, checked through and through. Raises BadSchema."""
    wrong: list[str] = []
    given = value if isinstance(value, Mapping) else {}
    sections = given.get("sections")
    if not isinstance(sections, list):
        raise BadSchema(["sections: a list is expected"])
    made = tuple(_section(one, f"section {place}", wrong) for place, one in enumerate(sections[: SECTIONS + 1], 1))
    schema = Schema(_text(given, "title", "", TITLE, wrong), _text(given, "language", "", 16, wrong) or "en", made)
    wrong += problems(schema) if not wrong else []
    if wrong:
        raise BadSchema(wrong)
    return schema


def _section(value: Any, where: str, wrong: list[str]) -> Section:
    given = _object(value, where, wrong)
    level, code, inner = given.get("level", 1), given.get("code"), given.get("fields", [])
    if not isinstance(level, int) or isinstance(level, bool):
        wrong.append(f"{where}, level: a whole number is expected")
        level = 1
    return Section(
        id=_text(given, "id", where, 64, wrong),
        title=_text(given, "title", where, TITLE, wrong),
        level=level,
        required=bool(given.get("required")),
        code=None if code is None else _code(code, where, wrong),
        fields=tuple(_field(one, where, wrong) for one in _list(inner, f"{where}, fields", FIELDS, wrong)),
    )


def _field(value: Any, where: str, wrong: list[str]) -> Field:
    given = _object(value, where, wrong)
    name = given.get("id")
    where = f"{where}, field {name!r}" if isinstance(name, str) else where
    condition = given.get("show_if")
    default = given.get("default", "")
    return Field(
        id=_text(given, "id", where, 64, wrong),
        type=_text(given, "type", where, 16, wrong),
        label=_text(given, "label", where, LABEL, wrong),
        default=tuple(map(str, default)) if isinstance(default, list) else default,
        required=bool(given.get("required")),
        completion=_text(given, "completion", where, 16, wrong) or "NONE",
        units=_text(given, "units", where, 32, wrong),
        minimum=_number(given, "minimum", where, wrong),
        maximum=_number(given, "maximum", where, wrong),
        step=_number(given, "step", where, wrong),
        multiple=bool(given.get("multiple")),
        options=tuple(_option(one, where, wrong) for one in _list(given.get("options", []), where, OPTIONS, wrong)),
        suggestions=tuple(
            str(one)[:OPTION] for one in _list(given.get("suggestions", []), f"{where}, suggestions", OPTIONS, wrong)
        ),
        merge=_text(given, "merge", where, 80, wrong),
        show_if=None if condition is None else _condition(condition, where, wrong),
        codes=_codes(given, where, wrong),
        spoken=_text(given, "spoken", where, 100, wrong),
    )


def _option(value: Any, where: str, wrong: list[str]) -> Option:
    given = _object(value, f"{where}, option", wrong)
    text = _text(given, "value", where, OPTION, wrong)
    return Option(text, _text(given, "label", where, OPTION, wrong) or text, _codes(given, where, wrong))


def _condition(value: Any, where: str, wrong: list[str]) -> Condition:
    given = _object(value, f"{where}, show_if", wrong)
    named = (_text(given, name, f"{where}, show_if", OPTION, wrong) for name in ("field", "op", "value"))
    return Condition(*named)


def _code(value: Any, where: str, wrong: list[str]) -> Code:
    given = _object(value, f"{where}, code", wrong)
    return Code(*(_text(given, name, f"{where}, code", LABEL, wrong) for name in ("value", "scheme", "meaning")))


def _codes(given: Mapping[str, Any], where: str, wrong: list[str]) -> tuple[Code, ...]:
    return tuple(_code(one, where, wrong) for one in _list(given.get("codes", []), f"{where}, codes", CODES, wrong))


def _object(value: Any, where: str, wrong: list[str]) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    wrong.append(f"{where}: an object is expected")
    return {}


def _list(value: Any, where: str, most: int, wrong: list[str]) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        wrong.append(f"{where}: a list of {most} at most is expected")
        return []
    return value


def _text(given: Mapping[str, Any], name: str, where: str, longest: int, wrong: list[str]) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        wrong.append(f"{where}, {name}: a text of at most {longest} characters is expected".lstrip(", "))
        return ""
    return value


def _number(given: Mapping[str, Any], name: str, where: str, wrong: list[str]) -> float | None:
    value = given.get(name)
    if value is None or is_number(value):
        return value
    wrong.append(f"{where}, {name}: a number is expected")
    return None


def is_number(value: Any) -> bool:
    """A number that JSON can hold and a reader can mean."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


# --- rules that hold between the parts


def problems(schema: Schema) -> list[str]:
    """Everything that is wrong with a schema, in sentences; none where it can be used."""
    found: list[str] = []
    if not schema.title.strip():
        found.append("title: it is empty")
    if not LANGUAGE.fullmatch(schema.language):
        found.append(f"language: {schema.language!r} is no language tag")
    if not 0 < len(schema.sections) <= SECTIONS or len(schema.fields) > FIELDS:
        found.append(f"1 to {SECTIONS} sections and at most {FIELDS} fields are expected")
    found += _twice("section", [one.id for one in schema.sections])
    found += _twice("field", [one.id for one in schema.fields])
    depth = 0
    for section in schema.sections:
        if not 1 <= section.level <= depth + 1:
            found.append(f"section {section.id!r}: level {section.level} does not follow level {depth}")
        depth = section.level
        for field in section.fields:
            found += [f"field {field.id!r}: {said}" for said in _of_field(field)]
    return [*found, *_of_conditions(schema)]


def _twice(what: str, ids: list[str]) -> Iterable[str]:
    for name in ids:
        if not ID.fullmatch(name):
            yield f"{what} {name!r}: an id holds a-z, 0-9 and _ only"
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"{what} {name!r}: there are two of this id"


def _of_field(field: Field) -> Iterable[str]:
    if field.type not in FIELD_TYPES:
        yield f"type {field.type!r} is none of {', '.join(FIELD_TYPES)}"
    if field.completion not in COMPLETIONS:
        yield f"completion {field.completion!r} is none of {', '.join(COMPLETIONS)}"
    if field.merge and not is_merge_name(field.merge):
        yield f"merge {field.merge!r} is no name of a value"
    if field.type == "merge" and not field.merge:
        yield "a merge field names no value"
    if field.type == "selection" and not field.options:
        yield "a selection has no options"
    values = [option.value for option in field.options]
    if len(set(values)) != len(values) or "" in values:
        yield "options are empty or stand twice"
    if field.minimum is not None and field.maximum is not None and field.minimum > field.maximum:
        yield "the minimum is above the maximum"
    if field.step is not None and not field.step > 0:
        yield "the step is not above 0"
    if not _fits(field):
        yield f"the default {field.default!r} does not fit"


def _fits(field: Field) -> bool:
    value = field.default
    if field.several:
        return isinstance(value, tuple) and set(value) <= {option.value for option in field.options}
    if field.type == "checkbox":
        return isinstance(value, bool) and not field.options
    if field.type == "number":
        return value == "" or (is_number(value) and math.isfinite(value))
    if field.type == "selection":
        return value == "" or value in {option.value for option in field.options}
    return isinstance(value, str) and len(value) <= DEFAULT


def is_merge_name(name: str) -> bool:
    return name in MERGE_NAMES or MEASUREMENT.fullmatch(name) is not None


def _of_conditions(schema: Schema) -> Iterable[str]:
    by_id = {field.id: field for field in schema.fields}
    for field in schema.fields:
        condition = field.show_if
        if condition is None:
            continue
        if condition.op not in OPERATORS:
            yield f"field {field.id!r}: show-if {condition.op!r} is no operator"
        elif condition.field not in by_id:
            yield f"field {field.id!r}: show-if names {condition.field!r}, which is not there"
        elif goes_round(field.id, by_id):
            yield f"field {field.id!r}: show-if leads back to the field itself"


def goes_round(name: str, by_id: Mapping[str, Field]) -> bool:
    """Does following conditions from this field lead back to it?"""
    seen, at = {name}, by_id[name]
    while at.show_if is not None and at.show_if.field in by_id:
        if at.show_if.field in seen:
            return at.show_if.field == name
        seen.add(at.show_if.field)
        at = by_id[at.show_if.field]
    return False


def without_condition(field: Field) -> Field:
    return replace(field, show_if=None)
