"""A finding that somebody must hear of, and no record that anybody did."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.lexicon import CONCEPTS
from reporting.checks.reading import Hit, Sentence
from reporting.checks.report import Report
from reporting.checks.texts import Text

NAMES: dict[str, str] = CONCEPTS["critical"]
NOT_NOW = frozenset({"deny", "doubt", "past", "old", "unchanged", "small", "compare", "family", "outside", "partial"})


def check(report: Report) -> Iterator[Problem]:
    for name, text, sentence, hit in _named(report):
        message = f"Critical ({name}), and no communication is recorded"
        yield report.problem("critical", ACKNOWLEDGE, message, text, sentence, hit)


def finding_of(report: Report) -> str:
    """What the check found, in a word; the report says more, and may be corrected. Empty: nothing."""
    return next((name for name, *_ in _named(report)), "")


def _named(report: Report) -> Iterator[tuple[str, Text, Sentence, Hit]]:
    """The first critical finding that is asserted, where no communication is recorded."""
    if report.facts.criticals:
        return
    for text, sentence in report.told:
        for hit in sentence.hits:
            named = next((value for value in hit.values("finding") if value in NAMES), None)
            if named is not None and not sentence.said(hit) & NOT_NOW:
                yield NAMES[named], text, sentence, hit
                return
