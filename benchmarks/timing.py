"""Turns taken one by one, medians, and a table: what every benchmark here needs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def alternately(work: Mapping[str, Callable[[int], object]], turns: int, seconds: float = 20.0) -> dict[str, float]:
    """Median milliseconds of each, each doing turn i before any does turn i + 1; the first two turns are not counted.

    A busy machine slows all of them alike, so ratios mean more than the figures. Ends early when the time is up.
    """
    taken: dict[str, list[float]] = {name: [] for name in work}
    end = time.monotonic() + seconds
    for turn in range(turns + 2):
        for name, one in work.items():
            begun = time.perf_counter()
            one(turn)
            if turn >= 2:
                taken[name].append((time.perf_counter() - begun) * 1000)
        if time.monotonic() > end and turn >= 4:
            break
    return {name: statistics.median(times) for name, times in taken.items()}


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on the screen, first column left, the others right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in lines) for column in range(len(head))]
    print(f"\n{title}")
    for place, row in enumerate(lines):
        print(
            "  "
            + "  ".join(
                cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        )
        if place == 0:
            print("  " + "  ".join("-" * width for width in widths))


def ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def times(ours: float, theirs: float | None) -> str:
    """How many of ours fit into one of theirs."""
    return "-" if theirs is None else f"{theirs / ours:.1f}x"
