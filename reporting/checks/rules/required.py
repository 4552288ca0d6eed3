"""What the template wants filled before a report is signed. A hidden field never stands in the way."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, BLOCK, Field, Problem, Section
from reporting.checks.report import Report
from reporting.checks.texts import says_nothing


def check(report: Report) -> Iterator[Problem]:
    for section in report.facts.sections:
        shown = [field for field in section.fields if field.shown]
        empty = [field for field in shown if says_nothing(field.value)]
        wanted = [field for field in empty if field.required or field.completion == "PROHIBIT"]
        for field in wanted:
            yield Problem("required", BLOCK, f"{_name(section, field)} must be filled in.", field.id)
        if section.required and shown and len(empty) == len(shown) and not wanted:
            message = f"The section {_quoted(section.title or section.id)} is empty, and the template requires it."
            yield Problem("required", BLOCK, message, shown[0].id)


def check_alerts(report: Report) -> Iterator[Problem]:
    for section in report.facts.sections:
        for field in section.fields:
            if field.shown and field.completion == "ALERT" and not field.required and says_nothing(field.value):
                message = f"{_name(section, field)} is empty. Leave it so?"
                yield Problem("empty_field", ACKNOWLEDGE, message, field.id)


def _name(section: Section, field: Field) -> str:
    name, title = field.label or field.id, section.title or section.id
    return _quoted(name) if name.lower() == title.lower() else f"{_quoted(name)} in {_quoted(title)}"


def _quoted(words: str) -> str:
    return f"“{words}”"
