"""The checks that run while a report is written and when it is signed. No machine learning: rules, and words as data.

A new check is a file in `rules` and a row in `CHECKS`. What each catches and how often it is wrong: docs/checks.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from reporting.checks.facts import ACKNOWLEDGE, BLOCK, Facts, Problem
from reporting.checks.report import Report
from reporting.checks.rules import (
    age,
    contradiction,
    copied,
    critical,
    laterality_order,
    laterality_sections,
    missing_unit,
    out_of_range,
    prior_date,
    removed_organ,
    required,
    sex,
    template_limits,
    tenfold,
    unfilled,
    untouched,
    wrong_patient,
)

__all__ = ["ACKNOWLEDGE", "BLOCK", "CHECKS", "RULES_VERSION", "Facts", "Problem", "critical_finding", "run"]

Check = Callable[[Report], Iterator[Problem]]

CHECKS: dict[str, Check] = {
    "wrong_patient": wrong_patient.check,
    "unfilled": unfilled.check,
    "required": required.check,
    "empty_field": required.check_alerts,
    "laterality_order": laterality_order.check,
    "laterality_sections": laterality_sections.check,
    "sex": sex.check,
    "age": age.check,
    "template_limits": template_limits.check,
    "contradiction": contradiction.check,
    "critical": critical.check,
    "tenfold": tenfold.check,
    "missing_unit": missing_unit.check,
    "out_of_range": out_of_range.check,
    "removed_organ": removed_organ.check,
    "copied": copied.check,
    "prior_date": prior_date.check,
    "untouched": untouched.check,
}


def _digest() -> str:
    """Of every rule and every word list, so that two different sets of rules never go by one version."""
    sha = hashlib.sha256()
    here = Path(__file__).parent
    for path in sorted(
        (*here.rglob("*.py"), *here.rglob("*.json")), key=lambda path: path.relative_to(here).as_posix()
    ):
        sha.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()[:12]


RULES_VERSION = f"1.{_digest()}"
"""Stored with every signature."""


def critical_finding(facts: Facts) -> str:
    """What the check "critical" warns of, in words for whoever has to hear of it; empty: nothing."""
    return critical.finding_of(Report(facts))


def run(facts: Facts) -> list[Problem]:
    """Everything that is wrong or odd, blocks first."""
    report = Report(facts)
    found = [problem for check in CHECKS.values() for problem in check(report)]
    return sorted(found, key=lambda problem: problem.level != BLOCK)
