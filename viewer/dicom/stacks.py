"""Frames of a series to stacks that can be scrolled: parted where they do not belong together, in the reader's order.

A stack runs head to feet (axial), anterior to posterior (coronal), right to left (sagittal), by position; without
positions by frame, then Instance Number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from viewer.rendering.volume import Point

from .cine import frame_durations
from .frames import Directions, FrameSource
from .series import InstanceFile

_SAME_DIRECTION = 0.9999
"""Cosine: about 0.8 degrees, the rounding of direction cosines with a few digits."""
_SAME_PLACE = 0.01
"""mm along the normal."""
_EVEN = 0.01
"""Steps within 1 % are even."""

AXES = ("sagittal", "coronal", "axial")
_AXIS_SIGN = (1.0, 1.0, -1.0)
"""Along x to the left, along y to the back, along z to the feet: LPS, so z is run backwards."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames in the order in which they are scrolled."""

    frames: tuple[FrameSource, ...]
    label: str
    """What tells this stack from the others of its series: "axial, echo 30 ms", ..."""
    kind: str
    """"spatial", "cine" or "other"."""
    frame_times_ms: tuple[float, ...] | None = None
    """How long each frame stays, where the file gives a timing."""
    frame_of_reference_uid: str = ""
    spacing_between_slices: float | None = None
    """mm, measured between positions; None where it is not even."""
    reason_no_volume: str | None = None
    """Why these frames make no volume; None where they do."""


def build_stacks(sources: Iterable[FrameSource]) -> list[Stack]:
    """Stacks in the order of their first frames by Instance Number. Objects without frames leave no trace here."""
    frames = sorted(sources, key=_as_numbered)
    placed = [frame for frame in frames if _is_placed(frame)]
    unplaced = [frame for frame in frames if not _is_placed(frame)]
    stacks = [*_spatial_stacks(placed), *_clips(unplaced)]
    return sorted(stacks, key=lambda stack: min(map(_as_numbered, stack.frames)))


def undrawable(instance: InstanceFile) -> str | None:
    """Why an instance shows no picture; None where it has frames that can be drawn."""
    reason: str | None = instance.index.get("not_drawn")
    return reason


def _as_numbered(frame: FrameSource) -> tuple[bool, int, str, int]:
    number = frame.instance_number
    return (number is None, number or 0, frame.sop_instance_uid, frame.frame_number)


def _is_placed(frame: FrameSource) -> bool:
    return frame.position is not None and frame.orientation is not None


# Frames without a place


def _clips(frames: list[FrameSource]) -> list[Stack]:
    """A multi-frame instance is a stack of its own; single frames pool."""
    clips: dict[str, list[FrameSource]] = {}
    pool: list[FrameSource] = []
    for frame in frames:
        if frame.frames_in_instance > 1:
            clips.setdefault(frame.sop_instance_uid, []).append(frame)
        else:
            pool.append(frame)
    stacks = [_clip(clip, len(clips) > 1) for clip in clips.values()]
    if pool:
        reason = "a single image" if len(pool) == 1 else "the images say no position"
        stacks.append(Stack(tuple(pool), "", "other", reason_no_volume=reason))
    return stacks


def _clip(frames: list[FrameSource], several: bool) -> Stack:
    number = frames[0].instance_number
    label = f"clip {number}" if several and number is not None else "clip" if several else ""
    return Stack(
        tuple(frames),
        label,
        "cine",
        frame_times_ms=frame_durations(frames[0].instance.index, len(frames)),
        frame_of_reference_uid=frames[0].frame_of_reference_uid,
        reason_no_volume="the frames say no position",
    )


# Frames with a place


def _spatial_stacks(frames: list[FrameSource]) -> list[Stack]:
    groups = _by_orientation(frames)
    lone = [group for group in groups if len(group) == 1]
    if len(lone) > 3:
        # Turned views, each in a direction of its own, are scrolled as one.
        groups = [group for group in groups if len(group) > 1]
        turned = sorted((group[0] for group in lone), key=_as_numbered)
        stacks = [Stack(tuple(turned), "mixed orientations", "other", reason_no_volume="the orientations differ")]
    else:
        stacks = []
    parts = [part for group in groups for part in _parted(group, [])]
    return stacks + [_spatial_stack(part, labels, len(parts) + len(stacks) > 1) for part, labels in parts]


def _by_orientation(frames: list[FrameSource]) -> list[list[FrameSource]]:
    """Frames of one frame of reference, size and, within rounding, orientation."""
    scattered = _is_scattered(frames)
    groups: list[tuple[tuple[str, int, int], Directions, list[FrameSource]]] = []
    for frame in frames:
        directions = frame.orientation
        if directions is None:
            continue
        pixels = frame.instance.index["pixels"]
        like = ("" if scattered else frame.frame_of_reference_uid, pixels["rows"], pixels["columns"])
        for known, reference, members in groups:
            if known == like and all(_dot(a, b) > _SAME_DIRECTION for a, b in zip(reference, directions, strict=True)):
                members.append(frame)
                break
        else:
            groups.append((like, directions, [frame]))
    return [members for _, _, members in groups]


def _is_scattered(frames: Sequence[FrameSource]) -> bool:
    """Every one of several frames names a frame of reference of its own: what some anonymisers leave of a series that was
    acquired in one. They make a stack, which then belongs to no space that other series could share."""
    return len(frames) > 1 and len({frame.frame_of_reference_uid for frame in frames}) == len(frames)


def _parted(frames: list[FrameSource], labels: list[str]) -> list[tuple[list[FrameSource], list[str]]]:
    """Part frames that lie at the same places by what the file says differs between them."""
    for key in _STACK_KEYS:
        if key.always or _has_doubles(frames):
            values = sorted({key.value(frame) for frame in frames}, key=lambda value: (value is None, value or 0))
            if len(values) < 2 or len(values) == len(frames):
                continue
            parts = [(value, [frame for frame in frames if key.value(frame) == value]) for value in values]
            if not key.always and not _fewer_doubles(frames, [part for _, part in parts]):
                continue
            return [
                found
                for value, part in parts
                for found in _parted(
                    part, [*labels, key.label.format(value) if value is not None else f"no {key.name}"]
                )
            ]
    return _by_occurrence(frames, labels) if _has_doubles(frames) else [(frames, labels)]


def _by_occurrence(frames: list[FrameSource], labels: list[str]) -> list[tuple[list[FrameSource], list[str]]]:
    """Nothing tells them apart: where each place has equally many frames, as numbered, they are repetitions."""
    places: list[list[FrameSource]] = []
    for frame in sorted(frames, key=_along):
        if places and _along(frame) - _along(places[-1][0]) < _SAME_PLACE:
            places[-1].append(frame)
        else:
            places.append([frame])
    counts = {len(place) for place in places}
    if len(places) == 1 or len(counts) > 1:
        return [(frames, labels)]
    for place in places:
        place.sort(key=_as_numbered)
    return [([place[turn] for place in places], [*labels, f"repetition {turn + 1}"]) for turn in range(counts.pop())]


def _has_doubles(frames: list[FrameSource]) -> bool:
    return _doubles(frames) > 0


def _doubles(frames: Sequence[FrameSource]) -> int:
    """How many frames lie where another one lies already."""
    places = sorted(_along(frame) for frame in frames)
    return sum(b - a < _SAME_PLACE for a, b in pairwise(places))


def _fewer_doubles(frames: list[FrameSource], parts: list[list[FrameSource]]) -> bool:
    return sum(map(_doubles, parts)) < _doubles(frames)


def _spatial_stack(frames: list[FrameSource], labels: list[str], several: bool) -> Stack:
    ordered = sorted(frames, key=lambda frame: (round(_along(frame) / _SAME_PLACE), *_within_place(frame)))
    places = [_along(frame) for frame in ordered]
    steps = [b - a for a, b in pairwise(places)]
    in_one_place = len(ordered) > 1 and places[-1] - places[0] < _SAME_PLACE
    even = _even_step(steps)
    axis = AXES[_dominant_axis(ordered[0])]
    same_file = all(frame.digest == ordered[0].digest for frame in ordered)
    times = frame_durations(ordered[0].instance.index, len(ordered)) if in_one_place and same_file else None
    return Stack(
        tuple(ordered),
        ", ".join([axis, *labels]) if several or labels else axis,
        "cine" if in_one_place else "spatial",
        frame_times_ms=times,
        frame_of_reference_uid="" if _is_scattered(ordered) else ordered[0].frame_of_reference_uid,
        spacing_between_slices=even,
        reason_no_volume=_no_volume(ordered, steps),
    )


def _within_place(frame: FrameSource) -> tuple[float, float, tuple[bool, int, str, int]]:
    """The order of frames at one place: by time, then as numbered."""
    time = frame.group.get("trigger")
    return (float(frame.temporal_position or 0), float(time or 0), _as_numbered(frame))


def _even_step(steps: list[float]) -> float | None:
    if not steps:
        return None
    middle = median(steps)
    even = middle >= _SAME_PLACE and all(abs(step - middle) <= _EVEN * middle for step in steps)
    return middle if even else None


def _no_volume(frames: list[FrameSource], steps: list[float]) -> str | None:
    if len(frames) == 1:
        return "a single image"
    if min(steps) < _SAME_PLACE:
        return "several images lie at the same position"
    if any(frame.pixel_spacing is None for frame in frames):
        return "the pixel spacing is not known"
    if len({frame.pixel_spacing for frame in frames}) > 1:
        return "the pixel spacings differ"
    if any(frame.instance.index["pixels"]["samples_per_pixel"] != 1 for frame in frames):
        return "the images are in colour"
    return None


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _normal(frame: FrameSource) -> Point:
    row, column = frame.orientation or ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    return (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )


def _dominant_axis(frame: FrameSource) -> int:
    normal = _normal(frame)
    return max(range(3), key=lambda axis: abs(normal[axis]))


def _along(frame: FrameSource) -> float:
    """mm along the normal in the direction of scrolling: to the feet, to the back, or to the left."""
    normal = _normal(frame)
    axis = _dominant_axis(frame)
    sign = _AXIS_SIGN[axis] * (1.0 if normal[axis] >= 0 else -1.0)
    return sign * _dot(normal, frame.position or (0.0, 0.0, 0.0))


@dataclass(frozen=True, slots=True)
class _StackKey:
    name: str
    label: str
    value: Callable[[FrameSource], float | str | None]
    always: bool = False
    """Parts frames even where none lies on another."""


_STACK_KEYS = (
    _StackKey("stack", "stack {}", lambda frame: frame.stack_id or None, always=True),
    _StackKey("b-value", "b {:g}", lambda frame: frame.b_value),
    _StackKey("echo", "echo {:g} ms", lambda frame: frame.echo_time),
    _StackKey("echo", "echo {}", lambda frame: frame.group.get("echo_number")),
    _StackKey("time", "time {}", lambda frame: frame.temporal_position),
    _StackKey("trigger time", "{:g} ms", lambda frame: frame.group.get("trigger")),
    _StackKey("acquisition", "acquisition {}", lambda frame: frame.group.get("acquisition")),
    _StackKey("time", "at {}", lambda frame: "".join(frame.group.get("acquired", ())) or None),
    _StackKey("kind", "{}", lambda frame: frame.instance.index.get("labels", {}).get("image_type")),
)
