"""Numbers outside what the template allows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from reporting.checks.facts import ACKNOWLEDGE, Problem
from reporting.checks.report import Report


def check(report: Report) -> Iterator[Problem]:
    for section in report.facts.sections:
        for field in section.fields:
            number = _number(field.value) if field.shown and field.type == "number" else None
            if number is None:
                continue
            low, high = field.minimum, field.maximum
            if (low is not None and number < low) or (high is not None and number > high):
                limits = (
                    f"{_said(low)} to {_said(high)}"
                    if low is not None and high is not None
                    else (f"at least {_said(low)}" if low is not None else f"at most {_said(high)}")
                )
                units = field.units.strip("{}")  # UCUM writes "{score}"
                message = f"{field.label or field.id}: {number:g} {units}".rstrip()
                yield Problem("out_of_range", ACKNOWLEDGE, f"{message} is out of range ({limits}).", field.id)


def _said(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
