"""Normals that the template filled in and nobody touched, listed: what is pre-filled is signed unread."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Field, Problem
from reporting.checks.report import Report
from reporting.checks.texts import says_nothing

LISTED = 12


def check(report: Report) -> Iterator[Problem]:
    names = [
        field.label or section.title or field.id
        for section in report.facts.sections
        for field in section.fields
        if field.shown and _untouched(field)
    ]
    if names:
        rest = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        message = f"As the template filled them in, untouched: {', '.join(names[:LISTED])}{rest}."
        yield Problem("untouched", ACKNOWLEDGE, message)


def _untouched(field: Field) -> bool:
    return field.fill == "default" and not says_nothing(field.value) and field.type != "merge"
