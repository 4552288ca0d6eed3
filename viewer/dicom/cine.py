"""True timing of a clip (PS3.3 C.7.6.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def frame_durations(index: Mapping[str, Any], frames: int) -> tuple[float, ...] | None:
    """How long each frame stays, in ms; None where the file gives no timing.

    Frame Time Vector holds the step before each frame, so a frame stays for the step of the next one and the last as
    long as the one before it. Then Frame Time, then the display rates, which are frames per second.
    """
    timing = index.get("cine")
    if not timing or frames < 2:
        return None
    if timing.get("frame_time"):
        return (float(timing["frame_time"]),) * frames
    vector = timing.get("vector")
    if vector and len(vector) >= frames and all(step > 0 for step in vector[1:frames]):
        steps = [float(step) for step in vector[1:frames]]
        return (*steps, steps[-1])
    for name in ("display_rate", "cine_rate"):
        if timing.get(name):
            return (1000 / float(timing[name]),) * frames
    return None
