"""A finding that somebody must hear of, and no record that anybody did."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.lexicon import CONCEPTS
from reporting.checks.report import Report

NAMES: dict[str, str] = CONCEPTS["critical"]
NOT_NOW = frozenset({"deny", "doubt", "past", "old", "unchanged", "small", "compare", "family", "outside", "partial"})


def check(report: Report) -> Iterator[Problem]:
    if report.facts.criticals:
        return
    for text, sentence in report.told:
        for hit in sentence.hits:
            named = next((value for value in hit.values("finding") if value in NAMES), None)
            if named is not None and not sentence.said(hit) & NOT_NOW:
                message = f"Critical ({NAMES[named]}), and no communication is recorded"
                yield report.problem("critical", ACKNOWLEDGE, message, text, sentence, hit)
                return
