"""A template that is meant for others."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.report import Report
from reporting.checks.rules.age import in_years
from reporting.checks.rules.sex import SEXES


def check(report: Report) -> Iterator[Problem]:
    facts, limits = report.facts, report.facts.template
    if limits.sex in SEXES and facts.sex in SEXES and limits.sex != facts.sex:
        message = f"This template is meant for {SEXES[limits.sex]} patients; the patient is {SEXES[facts.sex]}."
        yield Problem("template_limits", ACKNOWLEDGE, message)
    if facts.age is None:
        return
    years = int(facts.age)
    if limits.age_to is not None and years > limits.age_to:
        message = (
            f"This template is meant for patients up to {limits.age_to} years; the patient is {in_years(facts.age)}."
        )
        yield Problem("template_limits", ACKNOWLEDGE, message)
    if limits.age_from is not None and years < limits.age_from:
        message = (
            f"This template is meant for patients from {limits.age_from} years; the patient is {in_years(facts.age)}."
        )
        yield Problem("template_limits", ACKNOWLEDGE, message)
