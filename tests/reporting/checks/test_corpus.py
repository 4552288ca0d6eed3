"""What the rules find in the corpus, and that docs/checks.md says so."""

from __future__ import annotations

import re

import pytest

from reporting.checks import CHECKS
from tests.reporting.checks.cases import PARTS, cases
from tests.reporting.checks.measure import recorded, table

CELL = re.compile(r"\((\d+), (\d+), (\d+)\)")


def figures(written: str) -> dict[str, list[tuple[int, int, int]]]:
    """rule -> (found, false, missed) of each part."""
    rows = [line for line in written.splitlines() if line.startswith(("| `", "| all"))]
    return {
        row.split("|")[1].strip().strip("`"): [(int(a), int(b), int(c)) for a, b, c in CELL.findall(row)]
        for row in rows
    }


@pytest.fixture(scope="module")
def now() -> str:
    return table()


def test_no_rule_is_worse_than_recorded(now: str, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\n{now}")
    was, is_now = figures(recorded()), figures(now)
    for rule, parts in was.items():
        for part, (found, false, missed), (found_now, false_now, missed_now) in zip(
            PARTS, parts, is_now[rule], strict=True
        ):
            before, after = (found + false) or 1, (found_now + false_now) or 1
            assert found_now * before >= found * after, f"{rule} is less precise in {part}: {false_now} false alarms"
            assert missed_now * (found + missed) <= missed * (found_now + missed_now), f"{rule} misses more in {part}"


def test_the_document_holds_what_is_measured(now: str) -> None:
    assert recorded() == now, "python -m tests.reporting.checks.measure --write"


def test_the_corpus_is_large_and_tries_every_rule() -> None:
    every = [case for part in PARTS for case in cases(part)]
    assert len(every) >= 400
    assert {case.language for case in every} >= {"en", "de", "es", "fr"}
    assert {rule for case in every for rule in case.expected} == set(CHECKS)
    assert sum(not case.expected for case in every) > len(every) / 3, "reports in which nothing is wrong"
    assert len({case.name for case in every}) == len(every)


def test_half_of_all_alarms_on_sides_being_false_would_show() -> None:
    """The corpus holds enough sides that are right: without them precision means nothing."""
    sided = re.compile(r"\b(?:left|right|links|rechts|izquierd|derech|gauche|droit)", re.I)
    right = [
        case
        for part in PARTS
        for case in cases(part)
        if sided.search(case.words) and not any(rule.startswith("laterality") for rule in case.expected)
    ]
    assert len(right) > 150
