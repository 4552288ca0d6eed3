"""A template filled in to try it out: what was typed into its form, and the text that a report would give."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from django.http import QueryDict

from reporting.exports.document import Section
from reporting.workflow import content as contents
from reporting.workflow.reading import sections_of

SAMPLES: Mapping[str, str] = {
    "patient.name": "Sample, Sam",
    "patient.id": "S-1",
    "patient.birth_date": "1970-01-31",
    "patient.sex": "O",
    "patient.age": "55",
    "study.date": "2026-01-31",
    "study.description": "Sample examination",
    "study.accession": "A-1",
    "order.reason": "Sample reason for the examination.",
    "order.procedure": "Sample procedure",
    "order.referrer": "Dr. Sample",
    "comparison.list": "Sample examination of 2025-01-31.",
    "dose.total": "100 mGy.cm",
    "measurements": "Sample measurement 12 mm",
}
"""What merge fields show while no patient is there."""


def begun(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What a new report would hold."""
    return contents.beginning(schema, SAMPLES)[0]


def filled(schema: Mapping[str, Any], form: QueryDict) -> dict[str, Any]:
    """What stands in a form that was sent, by the types of the fields. Raises contents.BadContent."""
    given: dict[str, Any] = {}
    for name, field in contents.fields_of(schema).items():
        if field["type"] == "checkbox":
            given[name] = name in form
        elif field["multiple"]:
            given[name] = form.getlist(name)[:500]
        else:
            given[name] = _one(field, form.get(name, ""))
    return contents.checked(schema, {name: value for name, value in given.items() if value not in ("", None)})


def _one(field: Mapping[str, Any], said: str) -> Any:
    if field["type"] != "number" or not said.strip():
        return said
    try:
        return float(said.replace(",", "."))
    except ValueError:
        return said


def text_of(schema: Mapping[str, Any], content: Mapping[str, Any]) -> tuple[Section, ...]:
    """Sections and entries as a signed report has them: by the very function that reads those."""
    version: Any = SimpleNamespace(template_version=SimpleNamespace(schema=schema), content=dict(content))
    return sections_of(version, {})
