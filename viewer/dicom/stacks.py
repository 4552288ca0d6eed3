"""Frames of a series to stacks that can be scrolled: parted where they do not belong together, in the reader's order.

A stack runs head to feet (axial), anterior to posterior (coronal), right to left (sagittal), by position; without
positions by frame, then Instance Number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from viewer.rendering.volume import Point

from .cine import frame_durations
from .frames import Directions, FrameSource
from .series import InstanceFile

_SAME_DIRECTION = 0.9999
"""Cosine: about 0.8 degrees, the rounding of direction cosines with a few digits."""
_SAME_PLACE = 0.01
"""mm along the normal."""
_SAME_SPACING = 1.0001
"""Ratio: so much is rounding, and makes a twentieth of a pixel over 512."""
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


class _Placed(NamedTuple):
    """A frame and where it lies in its stack: mm along the normal in the direction of scrolling, to the feet, to the back
    or to the left. All frames of a group are measured along the same normal."""

    along: float
    source: FrameSource


Part = tuple[list[_Placed], list[str]]
"""Frames that belong together, and the labels that tell them from their neighbours."""


def _spatial_stacks(frames: list[FrameSource]) -> list[Stack]:
    groups = _by_orientation(frames)
    lone = [group for _, group in groups if len(group) == 1]
    stacks: list[Stack] = []
    if len(lone) > 3:
        # Turned views, each in a direction of its own, are scrolled as one.
        groups = [(axis, group) for axis, group in groups if len(group) > 1]
        turned = sorted((group[0].source for group in lone), key=_as_numbered)
        stacks.append(Stack(tuple(turned), "mixed orientations", "other", reason_no_volume="the orientations differ"))
    parts = [(axis, *part) for axis, group in groups for part in _parted(group, [])]
    return stacks + [_spatial_stack(axis, part, labels) for axis, part, labels in parts]


def _by_orientation(frames: list[FrameSource]) -> list[tuple[int, list[_Placed]]]:
    """Frames of one frame of reference, size and, within rounding, orientation, with the axis they are stacked along."""
    scattered = _is_scattered(frames)
    groups: list[tuple[tuple[str, int, int], Directions, list[FrameSource]]] = []
    for frame in frames:
        directions = frame.orientation
        if directions is None:
            continue
        pixels = frame.instance.index["pixels"]
        like = ("" if scattered else frame.frame_of_reference_uid, pixels["rows"], pixels["columns"])
        for known, reference, members in groups:
            if known == like and (directions == reference or _same_directions(directions, reference)):
                members.append(frame)
                break
        else:
            groups.append((like, directions, [frame]))
    return [_measured(directions, members) for _, directions, members in groups]


def _same_directions(one: Directions, other: Directions) -> bool:
    return _dot(one[0], other[0]) > _SAME_DIRECTION and _dot(one[1], other[1]) > _SAME_DIRECTION


def _measured(directions: Directions, frames: list[FrameSource]) -> tuple[int, list[_Placed]]:
    row, column = directions
    normal = (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )
    axis = max(range(3), key=lambda number: abs(normal[number]))
    sign = _AXIS_SIGN[axis] if normal[axis] >= 0 else -_AXIS_SIGN[axis]
    return axis, [_Placed(sign * _dot(normal, frame.position or (0.0, 0.0, 0.0)), frame) for frame in frames]


def _is_scattered(frames: Sequence[FrameSource]) -> bool:
    """Every one of several frames names a frame of reference of its own: what some anonymisers leave of a series that was
    acquired in one. They make a stack, which then belongs to no space that other series could share."""
    return len(frames) > 1 and len({frame.frame_of_reference_uid for frame in frames}) == len(frames)


def _parted(frames: list[_Placed], labels: list[str]) -> list[Part]:
    """Part frames that lie at the same places by what the file says differs between them."""
    doubles = _doubles(frames)
    for key in _STACK_KEYS:
        if not key.always and not doubles:
            continue
        parts: dict[float | str | None, list[_Placed]] = {}
        for frame in frames:
            parts.setdefault(key.value(frame.source), []).append(frame)
        # Values that vary from image to image, as trigger times do, tell nothing apart.
        if len(parts) in (1, len(frames)) or (not key.always and len(parts) > 2 * _most_at_one_place(frames)):
            continue
        if not key.always and sum(map(_doubles, parts.values())) >= doubles:
            continue
        found: list[Part] = []
        for value in sorted(parts, key=lambda value: (value is None, value or 0)):
            label = f"no {key.name}" if value is None else key.label.format(value)
            found += _parted(parts[value], [*labels, label])
        return found
    return _by_occurrence(frames, labels) if doubles else [(frames, labels)]


def _by_occurrence(frames: list[_Placed], labels: list[str]) -> list[Part]:
    """Nothing tells them apart: where each place has equally many frames, by time and number, they are repetitions."""
    places = _places(frames)
    counts = {len(place) for place in places}
    if len(places) == 1 or len(counts) > 1:
        return [(frames, labels)]
    for place in places:
        place.sort(key=lambda frame: _within_place(frame.source))
    return [([place[turn] for place in places], [*labels, f"repetition {turn + 1}"]) for turn in range(counts.pop())]


def _places(frames: Sequence[_Placed]) -> list[list[_Placed]]:
    places: list[list[_Placed]] = []
    for frame in sorted(frames, key=lambda frame: frame.along):
        if places and frame.along - places[-1][0].along < _SAME_PLACE:
            places[-1].append(frame)
        else:
            places.append([frame])
    return places


def _most_at_one_place(frames: Sequence[_Placed]) -> int:
    return max(len(place) for place in _places(frames))


def _doubles(frames: Sequence[_Placed]) -> int:
    """How many frames lie where another one lies already."""
    return len(frames) - len(_places(frames))


def _spatial_stack(axis: int, frames: list[_Placed], labels: list[str]) -> Stack:
    ordered = sorted(frames, key=lambda frame: (round(frame.along / _SAME_PLACE), *_within_place(frame.source)))
    sources = tuple(frame.source for frame in ordered)
    steps = [b.along - a.along for a, b in pairwise(ordered)]
    in_one_place = len(ordered) > 1 and ordered[-1].along - ordered[0].along < _SAME_PLACE
    same_file = all(source.digest == sources[0].digest for source in sources)
    return Stack(
        sources,
        ", ".join([AXES[axis], *labels]),
        "cine" if in_one_place else "spatial",
        frame_times_ms=frame_durations(sources[0].instance.index, len(sources)) if in_one_place and same_file else None,
        frame_of_reference_uid="" if _is_scattered(sources) else sources[0].frame_of_reference_uid,
        spacing_between_slices=_even_step(steps),
        reason_no_volume=_no_volume(sources, steps),
    )


def _within_place(frame: FrameSource) -> tuple[float, float, tuple[bool, int, str, int]]:
    """The order of frames at one place: by time, then as numbered."""
    return (float(frame.temporal_position or 0), float(frame.group.get("trigger") or 0), _as_numbered(frame))


def _even_step(steps: list[float]) -> float | None:
    if not steps:
        return None
    middle = median(steps)
    even = middle >= _SAME_PLACE and all(abs(step - middle) <= _EVEN * middle for step in steps)
    return middle if even else None


def _no_volume(frames: Sequence[FrameSource], steps: list[float]) -> str | None:
    if len(frames) == 1:
        return "a single image"
    if min(steps) < _SAME_PLACE:
        return "several images lie at the same position"
    if any("LOCALIZER" in (_image_type(frame) or "").upper().split() for frame in frames):
        return "these are localizer images"
    spacings = {frame.pixel_spacing for frame in frames}
    known = [spacing for spacing in spacings if spacing is not None]
    if len(known) < len(spacings):
        return "the pixel spacing is not known"
    if any(max(side) > min(side) * _SAME_SPACING for side in zip(*known, strict=True)):
        return "the pixel spacings differ"
    return None


def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _image_type(frame: FrameSource) -> str | None:
    named: str = frame.instance.index.get("labels", {}).get("image_type", "")
    return named.replace("\\", " ").capitalize() or None


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
    _StackKey("kind", "{}", _image_type),
)
