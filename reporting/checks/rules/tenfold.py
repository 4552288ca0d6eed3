"""Millimetres for centimetres: lengths that are ten times what was measured, or what the findings say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reporting.checks.facts import ACKNOWLEDGE, Measured, Problem
from reporting.checks.lengths import MILLIMETRES, Length, lengths_of, same
from reporting.checks.report import Report, around
from reporting.checks.texts import FINDINGS, IMPRESSION


def check(report: Report) -> Iterator[Problem]:
    written = {
        kind: [one for text in report.texts if text.kind == kind for one in lengths_of(text)]
        for kind in (FINDINGS, IMPRESSION)
    }
    measured = [one for one in report.facts.measurements if one.unit in MILLIMETRES and one.value > 0]
    for kind, lengths in written.items():
        said = _values(lengths)
        before = _values(written[FINDINGS]) if kind == IMPRESSION else []
        for length in lengths:
            truth = _measured(length, measured, said, before) or _said_before(length, before)
            if truth:
                quote = around(length.text.text, length.start, length.end)
                place = length.text.stored(length.start, length.end)
                yield Problem("tenfold", ACKNOWLEDGE, f"{truth}; ten times off? {quote}", length.text.field, place)
                return


def _values(lengths: Iterable[Length]) -> list[float]:
    return [value for length in lengths for value in length.millimetres]


def _tenfold(length: Length, true: float) -> bool:
    return any(same(value, 10 * true) or same(10 * value, true) for value in length.millimetres)


def _measured(length: Length, measured: list[Measured], said: list[float], before: list[float]) -> str:
    """What was measured, where a length is ten times that and nothing beside it says the true one."""
    for one in measured:
        true = one.value * MILLIMETRES[one.unit]
        if not _tenfold(length, true):
            continue
        excused = any(same(value, true) for value in said) or any(
            same(value, length.millimetres[0]) for value in before
        )
        if _in_chip(length, one) or not excused:
            return f"{one.label[:1].upper()}{one.label[1:]} measured {one.value:g} {one.unit}".strip().replace(
                "measured", "measured" if one.label else "Measured", 1
            )
    return ""


def _in_chip(length: Length, measured: Measured) -> bool:
    """Whether a length stands in a link to this very measurement."""
    return any(
        chip.uid == measured.uid and (not chip.value or chip.value == measured.name) and begin <= length.start < end
        for chip in length.text.chips
        for begin, end in (length.text.shown(chip),)
    )


def _said_before(length: Length, before: list[float]) -> str:
    """What the findings say, where the impression says ten times that and never so in the findings."""
    first = length.millimetres[0]
    if any(same(value, first) for value in before):
        return ""
    tenth = next((value for value in before if _tenfold(length, value)), None)
    return f"The findings say {tenth:g} mm" if tenth is not None else ""
