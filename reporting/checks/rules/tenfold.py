"""Millimetres for centimetres: lengths that are ten times what was measured, or what the findings say."""

from __future__ import annotations

from collections.abc import Iterator

from reporting.checks.facts import ACKNOWLEDGE, Measured, Problem
from reporting.checks.lengths import HALF_A_MILLIMETRE, MILLIMETRES, Length, Values, lengths_of, same
from reporting.checks.report import Report, around
from reporting.checks.texts import FINDINGS, IMPRESSION

MOST = 300
"""Sizes and measurements that are compared with one another: more than any report holds."""


def check(report: Report) -> Iterator[Problem]:
    written = {
        kind: [one for text in report.texts if text.kind == kind for one in lengths_of(text)]
        for kind in (FINDINGS, IMPRESSION)
    }
    measured = [one for one in report.facts.measurements if one.unit in MILLIMETRES and one.value > 0]
    for kind, lengths in written.items():
        said = Values(lengths)
        before = written[FINDINGS][:MOST] if kind == IMPRESSION else []
        said_before = Values(before)
        for length in lengths[:MOST]:
            truth = _measured(length, measured[:MOST], said, said_before) or _said_before(
                report, length, before, said_before
            )
            if truth:
                quote = around(length.text.text, length.start, length.end)
                place = length.text.stored(length.start, length.end)
                yield Problem("tenfold", ACKNOWLEDGE, f"{truth}; ten times off? {quote}", length.text.field, place)
                return


def _tenfold(length: Length, true: float) -> bool:
    return any(same(value, 10 * true) or same(10 * value, true) for value in length.millimetres)


def _measured(length: Length, measured: list[Measured], said: Values, before: Values) -> str:
    """What was measured, where a length is ten times that and nothing beside it says the true one."""
    for one in measured:
        true = one.value * MILLIMETRES[one.unit]
        if not _tenfold(length, true):
            continue
        excused = said.near(true, HALF_A_MILLIMETRE) or before.near(length.millimetres[0])
        if _in_chip(length, one) or not excused:
            name = one.label or "the length"
            return f"{name[:1].upper()}{name[1:]} measured is {one.value:g} {one.unit}"
    return ""


def _in_chip(length: Length, measured: Measured) -> bool:
    """Whether a length stands in a link to this very measurement."""
    return any(
        chip.uid == measured.uid and (not chip.value or chip.value == measured.name) and begin <= length.start < end
        for chip in length.text.chips
        for begin, end in (length.text.shown(chip),)
    )


def _said_before(report: Report, length: Length, before: list[Length], values: Values) -> str:
    """What the findings say of the same thing, where the impression says ten times that."""
    first = length.millimetres[0]
    if values.near(first) or not (values.near(10 * first) or values.near(first / 10)):
        return ""
    about = report.about(length.text, length.start)
    for one in before:
        for value in one.millimetres:
            if _tenfold(length, value) and about & report.about(one.text, one.start):
                return f"The findings say {value:g} mm"
    return ""
