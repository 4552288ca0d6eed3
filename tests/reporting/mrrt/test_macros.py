"""Macros, by the table of cases that the browser is held to as well."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reporting.mrrt.macros import LONGEST, expand

CASES = json.loads((Path(__file__).parents[1] / "macros.json").read_text())


@pytest.mark.parametrize(("text", "meant", "unknown", "loops"), CASES["expanded"], ids=lambda value: repr(value)[:40])
def test_macros_are_written_out(text: str, meant: str, unknown: list[str], loops: list[str]) -> None:
    told = expand(text, CASES["macros"])
    assert (told.text, list(told.unknown), list(told.loops), told.too_much) == (meant, unknown, loops, False)


def test_macros_that_grow_without_bound_are_stopped() -> None:
    bomb = {f"m{one}": f"{{m{one + 1}}}" * 10 for one in range(10)} | {"m10": "lol"}
    told = expand("{m0}", bomb)
    assert told.too_much
    assert len(told.text) < 2 * LONGEST
    deep = {f"d{one:02}": f"{{d{one + 1:02}}}" for one in range(40)}
    assert expand("{d00}", deep).text == "{d16}"
    assert expand("{aa}" * 3, {"aa": "x" * 8000}).too_much
