"""Report, viewer and order speak of one patient, one order, one study."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import BLOCK, Context, Problem
from reporting.checks.report import Report

NAMES = {"patient_id": "patient", "accession_number": "accession number", "study": "study"}


def check(report: Report) -> Iterator[Problem]:
    for name, words in NAMES.items():
        said: list[tuple[Context, str]] = [
            (context, value.strip())
            for context in report.facts.contexts
            if (value := getattr(context, name)) and value.strip()
        ]
        for other, value in said[1:]:
            first, expected = said[0]
            if value != expected:
                message = (
                    f"Wrong patient? The {first.source} is about {words} {expected}, "
                    f"the {other.source} about {words} {value}."
                )
                yield Problem("wrong_patient", BLOCK, message)
                break
