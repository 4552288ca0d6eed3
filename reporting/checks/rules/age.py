"""Ages that the patient has not: "45-year-old", "neonatal", "senile"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.reading import Sentence
from reporting.checks.report import Report
from reporting.checks.texts import FINDINGS, IMPRESSION, Text

KINDS = frozenset({FINDINGS, IMPRESSION, "technique", "recommendation", "history"})
AGE_TOLERANCE = 1.5
"""Years: texts round, and are dictated before or after a birthday."""
YEARS_OLD = re.compile(
    r"(?<![\w.,-])(\d{1,3})[ -]?(?:years?[ -]old|y\.?/?o\.?(?![a-z])|yo\b|yrs?[ -]old|-?jährige[rnms]?\b|ans\b|años\b)",
    re.I,
)
PERSON = re.compile(
    r"\s*(?:[FM]\b|man\b|woman\b|male\b|female\b|boy\b|girl\b|lady\b|gentleman\b|patient|child\b|with\b|who\b|,|mit\b|con\b|avec\b|presenting\b|smoker\b|"
    r"mann\b|frau\b|junge\b|mädchen\b|hombre|mujer|paciente|varón|niñ[oa]|homme|femme|garçon|fille|enfant)",
    re.I,
)


def check(report: Report) -> Iterator[Problem]:
    age = report.facts.age
    if age is None:
        return
    for text, sentence in report.sentences:
        if sentence.kind in KINDS and "family" not in sentence.whole:
            problem = _stated_age(report, age, text, sentence) or _age_word(report, age, text, sentence)
            if problem is not None:
                yield problem
                return


def _stated_age(report: Report, age: float, text: Text, sentence: Sentence) -> Problem | None:
    """An age that the text gives the patient: "45-year-old woman"; not "a 10-year-old fracture"."""
    for found in YEARS_OLD.finditer(text.text, sentence.start, sentence.end):
        person = PERSON.match(text.text, found.end())
        if person and not age - AGE_TOLERANCE <= float(found[1]) < age + AGE_TOLERANCE:
            message = f"The patient is {in_years(age)}, the text says {found[1]}"
            place = text.stored(found.start(), found.end())
            quote = report.quote(text, sentence)
            return Problem("age", ACKNOWLEDGE, f"{message}: {quote}", text.field, place)
    return None


def _age_word(report: Report, age: float, text: Text, sentence: Sentence) -> Problem | None:
    """Words of an age that this is not: "neonatal" of an adult. What is past or denied may be of any age."""
    if sentence.kind == "history":
        return None
    for hit in sentence.of("age"):
        for limit in hit.values("age"):
            side, _, years = limit.partition(" ")
            fits = age < float(years) if side == "under" else age >= float(years)
            if not fits and not sentence.said(hit) & {"deny", "past", "doubt"}:
                start, end = sentence.place(hit)
                message = f"“{text.text[start:end]}” does not fit a patient of {in_years(age)}"
                return report.problem("age", ACKNOWLEDGE, message, text, sentence, hit)
    return None


def in_years(age: float) -> str:
    return f"{age:.0f} years" if age >= 2 else f"{age * 12:.0f} months"
