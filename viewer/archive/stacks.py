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
from viewer.dicom.frames import FrameSource, frame_sources
from viewer.dicom.series import SeriesContent
from viewer.dicom.stacks import AXES, Stack, build_stacks, undrawable
from viewer.models import Series

FRAME_TIMES_LISTED = 2000
REASONS_SHOWN = 5
IMAGES_NAMED = 64
VIEW_FACTS = ("view_position", "laterality", "patient_orientation", "image_type")


def summary(row: Series) -> dict[str, Any]:
    """`{"stacks": [{"stack", "label", "kind", "frames", "rows", "columns", "frame_times_ms", ...}], "not_drawn": None}`;
    `not_drawn` is a sentence where something of the series cannot be drawn. What else is in a stack: `_hanging`."""
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
        **_hanging(stack),
    }


def _hanging(stack: Stack) -> dict[str, Any]:
    """What hanging protocols ask for: the plane, the view, the side, and where single images are looked at one by one those
    of each of them. Empty where the files do not say."""
    plane = stack.label.split(",")[0]
    return {
        "plane": plane if plane in AXES else "",
        "volume": stack.reason_no_volume is None,
        "frame_of_reference_uid": stack.frame_of_reference_uid,
        "spacing_between_slices": stack.spacing_between_slices,
        "contrast": bool(stack.frames[0].labels().get("contrast_agent")),
        **_view(stack.frames[0]),
        "images": [_image(frame) for frame in stack.frames] if _one_by_one(stack) else [],
    }


def _one_by_one(stack: Stack) -> bool:
    """Are these separate images, few enough to name each?"""
    return stack.kind == "other" and len(stack.frames) <= IMAGES_NAMED


def _view(frame: FrameSource) -> dict[str, str]:
    labels = frame.labels()
    return {name: labels.get(name, "") for name in VIEW_FACTS}


def _image(frame: FrameSource) -> dict[str, Any]:
    """mm between rows and columns as the file has them, at the detector where that is all that is known."""
    layout = frame.layout
    return {
        "sop_instance_uid": frame.sop_instance_uid,
        "rows": layout.rows,
        "columns": layout.columns,
        "spacing": None if frame.pixel_spacing is None else list(frame.pixel_spacing),
        **_view(frame),
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
