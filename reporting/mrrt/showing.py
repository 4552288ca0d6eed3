"""Which fields are shown: `data-x-show-if="field op value"`. static/reporting/showing.js says the same in the browser;
tests/reporting/show_if.json holds both to it.

Numbers compare as numbers, dates and times (YYYY-MM-DD, HH:MM) in their order; everything else is only equal or not. A
field whose question is itself hidden is hidden too.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from reporting.mrrt.schema import OPERATORS, Condition

SPACE = " \t\n\r\f\v\u00a0"
_WRITTEN = re.compile(
    rf"([^{SPACE}=<>!'\"]{{1,200}})(?:[{SPACE}]*(!=|<=|>=|=|<|>)|[{SPACE}]+(contains|empty|filled)(?![^{SPACE}]))([^\n\r]*)"
)
_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]{0,15})?|\.[0-9]{1,15})([eE][+-]?[0-9]{1,2})?")
_MOMENT = (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), re.compile(r"[0-9]{2}:[0-9]{2}(:[0-9]{2})?"))
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def parsed(text: str) -> Condition | None:
    """The condition that a text writes; None where it is none. The value may stand in quotes."""
    found = _WRITTEN.fullmatch(text.strip(SPACE))
    if found is None:
        return None
    field, op, value = found[1], found[2] or found[3], found[4].strip(SPACE)
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    if op in ("empty", "filled"):
        return Condition(field, op) if not value else None
    return Condition(field, op, value) if value or op in ("=", "!=") else None


def written(condition: Condition) -> str:
    """The text of a condition, such that `parsed` gives it back."""
    if condition.op in ("empty", "filled"):
        return f"{condition.field} {condition.op}"
    value = condition.value
    bare = value == value.strip(SPACE) and value[:1] not in ("'", '"', "=", "")
    return f"{condition.field} {condition.op} " + (value if bare else f'"{value}"')


def shown(schema: Mapping[str, Any], content: Mapping[str, Any]) -> set[str]:
    """Ids of the fields that are shown. A condition that cannot be read, or asks for what is not there, hides
    nothing."""
    conditions = {
        field["id"]: field.get("show_if") for section in schema["sections"] for field in section.get("fields", ())
    }
    return {name for name in conditions if _is_shown(name, conditions, content)}


def _is_shown(name: str, conditions: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Follows the questions one after the other; a circle ends where it began."""
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        condition = conditions.get(name)
        if not condition or condition["field"] not in conditions or condition["op"] not in OPERATORS:
            return True
        if not holds(condition, content):
            return False
        name = condition["field"]
    return True


def holds(condition: Mapping[str, str], content: Mapping[str, Any]) -> bool:
    """Is one condition, as of a schema, true for what is filled in?"""
    value, op, wanted = content.get(condition["field"]), condition["op"], condition.get("value", "")
    if op == "empty":
        return _is_empty(value)
    if op == "filled":
        return not _is_empty(value)
    if op == "=":
        return _equal(value, wanted)
    if op == "!=":
        return not _equal(value, wanted)
    if op == "contains":
        return _contains(value, wanted)
    return _ordered(op, value, wanted)


def _is_empty(value: Any) -> bool:
    """Nothing, spaces only, no choice, or a checkbox that is not ticked."""
    if isinstance(value, str):
        return not value.strip(SPACE)
    return value is None or value is False or (isinstance(value, list | tuple) and not value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip(SPACE) if isinstance(value, str) else ""


def _as_number(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = value.strip(SPACE) if isinstance(value, str) else ""
    return float(text) if _NUMBER.fullmatch(text) else None


def _equal(value: Any, wanted: str) -> bool:
    """Of a list: is it among the chosen ones? An unticked checkbox is "false"; what nobody filled in equals only ""."""
    if isinstance(value, list | tuple):
        return any(_equal(one, wanted) for one in value) if value else not wanted.strip(SPACE)
    numbers = _as_number(value), _as_number(wanted)
    if numbers[0] is not None and numbers[1] is not None:
        return numbers[0] == numbers[1]
    if numbers[0] is not None and not isinstance(value, str):
        return False
    return _plain(value) == wanted.strip(SPACE)


def _contains(value: Any, wanted: str) -> bool:
    if isinstance(value, list | tuple):
        return any(_equal(one, wanted) for one in value)
    return isinstance(value, str) and wanted.strip(SPACE) in value


def _ordered(op: str, value: Any, wanted: str) -> bool:
    if isinstance(value, list | tuple):
        return any(_ordered(op, one, wanted) for one in value)
    here, there = _as_number(value), _as_number(wanted)
    if here is not None and there is not None:
        return _ORDER[op](here, there)
    texts = _plain(value), wanted.strip(SPACE)
    for form in _MOMENT:
        if all(form.fullmatch(text) for text in texts):
            return _ORDER[op](*texts)
    return False
