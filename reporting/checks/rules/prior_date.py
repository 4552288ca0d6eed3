"""Dates of comparison on which no earlier study is known."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.dates import dates_in
from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.reading import Sentence
from reporting.checks.report import Report, around
from reporting.checks.texts import TOLD, Text

COMPARING = "comparison"


def check(report: Report) -> Iterator[Problem]:
    facts = report.facts
    if facts.comparison_dates is None:
        return
    known = {*facts.comparison_dates, *(prior.date for prior in facts.priors if prior.date)}
    if facts.study_date is not None:
        known.add(facts.study_date)
    for text, start, end in _spans(report):
        for date in dates_in(text.text, start, end, facts.language, facts.study_date):
            if not any(one in date.days or (date.month == (one.year, one.month)) for one in known):
                message = f"No earlier study of {text.text[date.start : date.end]} is known here"
                quote = around(text.text, date.start, date.end)
                place = text.stored(date.start, date.end)
                yield Problem("prior_date", ACKNOWLEDGE, f"{message}: {quote}", text.field, place)
                return


def _spans(report: Report) -> Iterator[tuple[Text, int, int]]:
    """Where a report speaks of earlier examinations of ours."""
    if report.lexicon is None:
        yield from ((text, 0, len(text.text)) for text in report.texts if text.kind == COMPARING)
        return
    for text, sentence in report.sentences:
        if _compares(sentence):
            yield text, sentence.start, sentence.end


def _compares(sentence: Sentence) -> bool:
    if sentence.whole & {"outside", "event", "family"}:
        return False
    return sentence.kind == COMPARING or (sentence.kind in {*TOLD, "technique"} and bool(sentence.of("dating")))
