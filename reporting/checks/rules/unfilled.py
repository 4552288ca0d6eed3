"""Places that a template or macro left to be filled: `[ ]` and `***`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reporting.checks.facts import BLOCK, Problem
from reporting.checks.report import Report, around

PLACE = re.compile(r"\[[ \t\u00a0_]{0,40}\]|\*{3,200}")


def check(report: Report) -> Iterator[Problem]:
    for text in report.texts:
        found = PLACE.search(text.text)
        if found:
            message = f"A place is not filled in: {around(text.text, found.start(), found.end())}"
            yield Problem("unfilled", BLOCK, message, text.field, text.stored(found.start(), found.end()))
