"""Findings that say a thing is there, an impression that says it is not."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.lexicon import CONCEPTS
from reporting.checks.mentions import Mention, comparable
from reporting.checks.reading import Sentence
from reporting.checks.report import Report
from reporting.checks.texts import FINDINGS, IMPRESSION, Text

RULE = "contradiction"
CONTRADICTED = frozenset(CONCEPTS["contradicted"])
SERIOUS = frozenset(CONCEPTS["serious"])
ACUTE = frozenset(CONCEPTS["acute"])
NOT_NOW = frozenset({"deny", "doubt", "past", "old", "compare", "family", "outside"})
MOST = 1500
"""Mentions that are looked at: more than any report holds."""
LEFT_OVER = 1
"""Words beside those of examinations that a sentence may hold and still be "Normal chest radiograph"."""


def check(report: Report) -> Iterator[Problem]:
    there = [one for one in report.kind(FINDINGS) if one.finding in CONTRADICTED and not one.said & NOT_NOW][:MOST]
    if not there:
        return
    impression = [one for one in report.kind(IMPRESSION) if one.finding][:MOST]
    asserted = {one.finding for one in impression if "deny" not in one.said}
    by_finding: dict[str, list[Mention]] = {}
    for one in there:
        by_finding.setdefault(one.finding, []).append(one)
    told: set[str] = set()
    for mention in impression:
        if "deny" in mention.said and mention.finding not in told | asserted:
            against = _against(mention, by_finding.get(mention.finding, []))
            if against is not None:
                told.add(mention.finding)
                message = f"The findings say otherwise ({report.quote(against.text, against.sentence)})"
                yield report.problem(RULE, ACKNOWLEDGE, message, mention.text, mention.sentence, mention.hit)
    if not told:
        yield from _normal_after_all(report, impression, there)


def _against(mention: Mention, there: list[Mention]) -> Mention | None:
    """What the findings assert and this denies: of the same place and side, without a reservation."""
    if mention.said & {"doubt", "other", "compare", "family", "outside", "past"}:
        return None
    return next((one for one in there if _same(mention, one)), None)


def _same(mention: Mention, other: Mention) -> bool:
    sides = {mention.side, other.side}
    return comparable(mention, other) and (len(sides) == 1 or bool(sides & {"", "B"}))


def _normal_after_all(report: Report, impression: list[Mention], there: list[Mention]) -> Iterator[Problem]:
    """ "Normal chest radiograph", and no word of what the findings found."""
    if any("deny" not in one.said for one in impression):
        return
    for text, sentence in report.told:
        if sentence.kind == IMPRESSION:
            meant = _all_normal(text, sentence)
            found = next((one for one in there if one.finding in meant and "small" not in one.said), None)
            if found is not None:
                message = f"The findings say otherwise ({report.quote(found.text, found.sentence)})"
                yield report.problem(RULE, ACKNOWLEDGE, message, text, sentence)
                return


def _all_normal(text: Text, sentence: Sentence) -> frozenset[str]:
    """Which findings a sentence like "normal study" or "no acute abnormality" denies."""
    for hit in sentence.of("all_normal"):
        scoped = any(other.first == hit.last + 1 for other in sentence.of("scope"))
        if not scoped and not sentence.said(hit) & {"doubt"}:
            return ACUTE if hit.has("all_normal_acute") else SERIOUS
    if not sentence.of("normal") or sentence.of("all_normal"):
        return frozenset()
    known = {at for hit in (*sentence.of("exam"), *sentence.of("normal")) for at in range(hit.first, hit.last + 1)}
    rest = [word for at, word in enumerate(sentence.words) if at not in known and not word.text.isdigit()]
    return SERIOUS if len(rest) <= LEFT_OVER and len(sentence.words) > 1 else frozenset()
