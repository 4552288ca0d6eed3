"""Precision and recall of each rule on each part of the corpus, as the table in docs/checks.md.

`python -m tests.reporting.checks.measure` prints it, `--write` puts it into the document.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from reporting.checks import CHECKS, run
from tests.reporting.checks.cases import PARTS, cases

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "checks.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end of measured -->"
HEADER = "| rule | " + " | ".join(f"{part.replace('_', ' ')}" for part in PARTS) + " |\n|---|" + "---|" * len(PARTS)


@dataclass
class Count:
    """How often a rule spoke up rightly, wrongly, and not at all though it should have."""

    right: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)


def measured(part: str) -> Count:
    count = Count()
    for case in cases(part):
        found = {problem.rule for problem in run(case.facts)}
        for rule in found | case.expected:
            kind = count.wrong if rule not in case.expected else count.right if rule in found else count.missed
            kind[rule] += 1
    return count


def share(good: int, bad: int) -> str:
    return f"{100 * good / (good + bad):.0f}" if good + bad else "-"


def cell(right: int, wrong: int, missed: int) -> str:
    """precision / recall in percent (found, false, missed)."""
    return f"{share(right, wrong)} / {share(right, missed)} ({right}, {wrong}, {missed})"


def table() -> str:
    counts = {part: measured(part) for part in PARTS}
    rows = [HEADER]
    for rule in CHECKS:
        cells = [cell(one.right[rule], one.wrong[rule], one.missed[rule]) for one in counts.values()]
        rows.append(f"| `{rule}` | " + " | ".join(cells) + " |")
    sums = [cell(one.right.total(), one.wrong.total(), one.missed.total()) for one in counts.values()]
    return "\n".join([*rows, "| all | " + " | ".join(sums) + " |"])


def recorded() -> str:
    return DOCUMENT.read_text(encoding="utf-8").split(BEGIN, 1)[1].split(END, 1)[0].strip()


if __name__ == "__main__":
    if "--write" in sys.argv:
        text = DOCUMENT.read_text(encoding="utf-8")
        before, after = text.split(BEGIN, 1)[0], text.split(END, 1)[1]
        DOCUMENT.write_text(f"{before}{BEGIN}{table()}\n{END}{after}", encoding="utf-8")
    print(table())
