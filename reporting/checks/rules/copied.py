"""A report that reads like the one before it, while what was measured has changed."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Measured, Prior, Problem
from reporting.checks.lengths import MILLIMETRES, lengths_of, same
from reporting.checks.lexicon import folded
from reporting.checks.report import Report
from reporting.checks.texts import FINDINGS, IMPRESSION

ALIKE = 0.9
FEWEST_WORDS = 12
"""Two short reports are always alike."""
CHANGED, CHANGED_MM = 0.1, 1.0
"""Share and millimetres by which a length must differ to have changed."""
_WORD = re.compile(r"[^\W\d_]+")


def check(report: Report) -> Iterator[Problem]:
    facts = report.facts
    prior = next((one for one in facts.priors if one.measurements), None)
    if prior is None or not facts.measurements:
        return
    changed = next((pair for one in facts.measurements if (pair := _changed(one, prior))), None)
    if changed is None:
        return
    impression = _words(" ".join(text.text for text in report.texts if text.kind == IMPRESSION))
    words = _words(" ".join(text.text for text in report.texts if text.kind == FINDINGS)) + impression
    if len(words) < FEWEST_WORDS or alike(words, _words(prior.text)) <= ALIKE:
        return
    now, then = changed
    if _says(report, now) and prior.impression and alike(impression, _words(prior.impression)) <= ALIKE:
        return
    when = f" of {prior.date.isoformat()}" if prior.date else ""
    message = (
        f"This report reads like the one{when}, but {now.label or 'a measurement'} has changed "
        f"from {then.value:g} to {now.value:g} {now.unit}."
    )
    yield Problem("copied", ACKNOWLEDGE, message)


def _changed(now: Measured, prior: Prior) -> tuple[Measured, Measured] | None:
    """A measurement and what it was, where that differs by more than rounding and another hand."""
    then = [
        one for one in prior.measurements if one.unit == now.unit and (one.label, one.name) == (now.label, now.name)
    ]
    factor = MILLIMETRES.get(now.unit, 1.0)
    if not then or any(
        abs(one.value - now.value) <= max(CHANGED * max(one.value, now.value), CHANGED_MM / factor) for one in then
    ):
        return None
    return now, min(then, key=lambda one: abs(one.value - now.value))


def _says(report: Report, measured: Measured) -> bool:
    true = measured.value * MILLIMETRES.get(measured.unit, 1.0)
    return any(same(value, true) for text in report.texts for one in lengths_of(text) for value in one.millimetres)


def _words(text: str) -> list[str]:
    return [folded(word) for word in _WORD.findall(text)]


def alike(one: list[str], other: list[str]) -> float:
    """Dice's coefficient of pairs of words; numbers do not count."""
    first, second = Counter(itertools.pairwise(one)), Counter(itertools.pairwise(other))
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 0.0
