"""Show-if, by the table of cases that the browser is held to as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.mrrt.schema import OPERATORS, Condition, to_json
from reporting.mrrt.showing import holds, parsed, shown, written
from reporting.mrrt.words import line

CASES = json.loads((Path(__file__).parents[1] / "show_if.json").read_text())


def condition_of(text: str) -> dict[str, Any]:
    found = parsed(text)
    assert found is not None, text
    return dict(to_json(found))


@pytest.mark.parametrize(("text", "meant"), CASES["written"], ids=lambda value: repr(value)[:40])
def test_a_condition_is_read_or_refused(text: str, meant: dict[str, str] | None) -> None:
    found = parsed(text)
    assert (found and to_json(found)) == meant


@pytest.mark.parametrize(("text", "value", "true"), CASES["holds"], ids=lambda value: repr(value)[:40])
def test_a_condition_holds_or_not(text: str, value: Any, true: bool) -> None:
    assert holds(condition_of(text), {"a": value}) is true


@pytest.mark.parametrize("case", CASES["shown"], ids=lambda case: case["what"])
def test_fields_are_shown_by_their_conditions(case: dict[str, Any]) -> None:
    fields = [{"id": name, "show_if": condition_of(text) if text else None} for name, text in case["fields"].items()]
    schema = {"sections": [{"fields": fields[:1]}, {"fields": fields[1:]}]}
    assert sorted(shown(schema, case["content"])) == case["shown"]


@given(st.sampled_from(OPERATORS), st.text(max_size=30).map(lambda text: line(text, 30)))
def test_a_condition_is_read_as_it_was_written(op: str, value: str) -> None:
    given_ = Condition("field_1", op, "" if op in ("empty", "filled") else value)
    if given_.value or op in ("=", "!=", "empty", "filled"):
        assert parsed(written(given_)) == given_
