"""What a series holds, summed up for lists: its stacks, and what of it cannot be drawn and why.

Made from index rows alone and kept on the series' row until its version grows, or the rules by which stacks are made change.
"""

from __future__ import annotations

import contextlib
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from django.db import OperationalError

from viewer.archive.query import series_content
from viewer.dicom import cine, frames, series, stacks
from viewer.dicom.frames import frame_sources
from viewer.dicom.series import SeriesContent
from viewer.dicom.stacks import Stack, build_stacks, undrawable
from viewer.models import Series

FRAME_TIMES_LISTED = 2000
REASONS_SHOWN = 5


def summary(row: Series) -> dict[str, Any]:
    """`{"stacks": [{"stack", "label", "kind", "frames", "rows", "columns", "frame_times_ms"}], "not_drawn": None}`;
    `not_drawn` is a sentence where something of the series cannot be drawn."""
    if row.stacks_version != row.version or row.stacks.get("rules") != _rules():
        row.stacks = {**summed_up(series_content(row)), "rules": _rules()}
        row.stacks_version = row.version
        # Kept for the next one who asks, unless the series has grown meanwhile or the database has no time for it.
        with contextlib.suppress(OperationalError):
            Series.objects.filter(pk=row.pk, version=row.version).update(
                stacks=row.stacks, stacks_version=row.stacks_version
            )
    return {name: row.stacks[name] for name in ("stacks", "not_drawn")}


@cache
def _rules() -> str:
    """A name for the code that makes stacks: what other code made is made again."""
    files = [Path(module.__file__ or "") for module in (cine, frames, series, stacks)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in (*files, Path(__file__)))).hexdigest()[:16]


def summed_up(content: SeriesContent) -> dict[str, Any]:
    """The summary of a series' content, computed."""
    reasons: dict[str, int] = {}
    sources = []
    for instance in content.instances:
        reason = undrawable(instance)
        if reason is None:
            sources += frame_sources(instance)
        else:
            reasons[reason] = reasons.get(reason, 0) + 1
    stacks = [_stack(number, stack) for number, stack in enumerate(build_stacks(sources))]
    return {"stacks": stacks, "not_drawn": _said(reasons)}


def _stack(number: int, stack: Stack) -> dict[str, Any]:
    first = stack.frames[0].layout
    return {
        "stack": number,
        "label": stack.label,
        "kind": stack.kind,
        "frames": len(stack.frames),
        "rows": first.rows,
        "columns": first.columns,
        "frame_times_ms": _times(stack.frame_times_ms),
    }


def _times(times: tuple[float, ...] | None) -> list[float] | dict[str, float] | None:
    """One number where all frames last alike; a list where they do not."""
    if not times:
        return None
    if len(set(times)) == 1 or len(times) > FRAME_TIMES_LISTED:
        return {"frame_time_ms": sum(times) / len(times)}
    return list(times)


def _said(reasons: dict[str, int]) -> str | None:
    if not reasons:
        return None
    often = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:REASONS_SHOWN]
    return "; ".join(reason if count == 1 else f"{count} x {reason}" for reason, count in often)
