"""Organs that the patient's sex has not. Patient's Sex O or empty: nothing is said."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.reading import Hit, Sentence
from reporting.checks.report import Report
from reporting.checks.texts import FINDINGS, IMPRESSION, Text

SEXES = {"F": "female", "M": "male"}
KINDS = frozenset({FINDINGS, IMPRESSION, "technique", "recommendation", "history"})


def check(report: Report) -> Iterator[Problem]:
    sex = report.facts.sex.strip().upper()
    if sex not in SEXES:
        return
    other = "M" if sex == "F" else "F"
    for text, sentence, hit in _words(report, "sex", other):
        if sentence.kind != "history" and "family" not in sentence.whole:
            yield _sex_problem(report, sex, text, sentence, hit)
            return
    for text, sentence, hit in _words(report, "gender", other):
        if "family" not in sentence.whole:
            yield _sex_problem(report, sex, text, sentence, hit)
            return


def _sex_problem(report: Report, sex: str, text: Text, sentence: Sentence, hit: Hit) -> Problem:
    start, end = sentence.place(hit)
    message = f"The patient is {SEXES[sex]}, the text speaks of “{text.text[start:end]}”"
    return report.problem("sex", ACKNOWLEDGE, message, text, sentence, hit)


def _words(report: Report, kind: str, value: str) -> Iterator[tuple[Text, Sentence, Hit]]:
    for text, sentence in report.sentences:
        if sentence.kind in KINDS:
            for hit in sentence.of(kind):
                if (kind, value) in hit.marks:
                    yield text, sentence, hit
