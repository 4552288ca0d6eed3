"""Turns taken one by one, medians, and a table: what every benchmark here needs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

Row = Sequence[object]

printed: list[str] = []
"""Every table of this run as Markdown, for docs/benchmarks.md."""


def alternately(
    work: Mapping[str, Callable[[int], object]], turns: int, seconds: float = 20.0, warm: int = 2
) -> dict[str, float]:
    """Median milliseconds of each, each doing turn i before any does turn i + 1; the first `warm` turns are not counted.

    A busy machine slows all of them alike, so ratios mean more than the figures. Ends early when the time is up. Work that
    returns a number is believed: these are its milliseconds, without what it did around them.
    """
    taken: dict[str, list[float]] = {name: [] for name in work}
    end = time.monotonic() + seconds
    for turn in range(turns + warm):
        for name, one in work.items():
            begun = time.perf_counter()
            own = one(turn)
            spent = (time.perf_counter() - begun) * 1000
            if turn >= warm:
                taken[name].append(own if isinstance(own, float) else spent)
        if time.monotonic() > end and turn >= warm + 2:
            break
    return {name: statistics.median(times) for name, times in taken.items()}


def table(title: str, head: Row, rows: Sequence[Row]) -> None:
    """A table on the screen, first column left, the others right."""
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in lines) for column in range(len(head))]
    print(f"\n{title}")
    for place, row in enumerate(lines):
        print(
            "  " + "  ".join(_padded(cell, width, i) for i, (cell, width) in enumerate(zip(row, widths, strict=True)))
        )
        if place == 0:
            print("  " + "  ".join("-" * width for width in widths), flush=True)
    ruler = "|" + "|".join("---" if column == 0 else "---:" for column in range(len(head))) + "|"
    marked = ["| " + " | ".join(row) + " |" for row in lines]
    printed.append("\n".join([f"## {title}", "", marked[0], ruler, *marked[1:]]))


def note(text: str) -> None:
    """A line that belongs under the last table."""
    print(f"  {text}", flush=True)
    printed.append(text)


def _padded(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column else cell.ljust(width)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which so many percent lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def times(ours: float, theirs: float | None) -> str:
    """How many of ours fit into one of theirs."""
    return "-" if theirs is None else f"{theirs / ours:.1f}x"
