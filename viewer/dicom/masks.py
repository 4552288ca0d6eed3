"""The Mask Module (PS3.3 C.7.6.10): what an index keeps of it, and which frames make the mask of which.

`mask` of an index: `items`, objects of `operation` (AVG_SUB, TID, REV_TID) with `ranges` [[first, last], ...], `frames`,
`averaging`, `shift` [x, y] and `offset`; `relationship` of the values to the intensity (LIN, LOG, DISP; C.8.7.1.1.2) and its
`sign`. An item of an enhanced image has an `id` too: each frame says by `pixel_shift` of its group how far the mask of that
item is moved for it (C.7.6.16.2.14), and by `relationship` and `sign` what the index of another image says once (C.8.19.6.4).
An item of a state for angiograms has `moved`, objects of `ranges` and `regions` (C.11.19).
Frames count from 1 as in the file.

Mask Sub-pixel Shift (0028,6114) is stored as (vertical, horizontal): a positive row offset moves the mask toward the lower
row of the pixel plane, a positive column offset toward its left column (PS3.3 C.7.6.10, Table C.7-16). `shift` of an index
counts to the right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from viewer.rendering.volume import MaskRegion

from . import tags, values
from .elements import Dataset

Index = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """What is subtracted from one frame; frame numbers count from 1."""

    mask: tuple[int, ...]
    """Averaged."""
    contrast: tuple[int, ...]
    """Averaged; the frame itself first."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Of the mask, in voxels (to the right, down)."""
    regions: tuple[MaskRegion, ...] = ()
    """Where there are any, they stand for `shift`, a later one over those before it; outside them the mask is not moved."""


def mask_index(dataset: Dataset) -> dict[str, Any]:
    """The `mask` part of an index; empty where the file says nothing."""
    found: dict[str, Any] = {}
    items = [item for item in map(mask_item, dataset.items(tags.MASK_SUBTRACTION_SEQUENCE)) if item]
    if items:
        found["items"] = items
    found |= intensity_index(dataset)
    return {"mask": found} if found else {}


def intensity_index(dataset: Dataset) -> dict[str, Any]:
    """`relationship` and `sign` of the values to the intensity; empty where nothing is said."""
    relationship = values.code(dataset, tags.PIXEL_INTENSITY_RELATIONSHIP)
    if not relationship:
        return {}
    negative = values.integer(dataset, tags.PIXEL_INTENSITY_RELATIONSHIP_SIGN, "SS") == -1
    return {"relationship": relationship[:16], **({"sign": -1} if negative else {})}


def frame_shifts(item: Dataset) -> list[list[float]]:
    """[id, right, down] for each subtraction that a functional group moves the mask for (PS3.3 C.7.6.16.2.14)."""
    found = []
    for one in item.items(tags.FRAME_PIXEL_SHIFT_SEQUENCE):
        number, shift = values.integer(one, tags.SUBTRACTION_ITEM_ID, "US"), mask_shift(one)
        if number is not None and shift is not None:
            found.append([number, *shift])
    return found


def mask_shift(dataset: Dataset) -> list[float] | None:
    """Mask Sub-pixel Shift as [right, down]; None where there is none or one that cannot be."""
    shift = values.numbers(dataset, tags.MASK_SUB_PIXEL_SHIFT, "FL")
    if len(shift) < 2 or not all(abs(one) <= 1000 for one in shift[:2]):
        return None
    return [-shift[1] or 0.0, shift[0]]  # stored as (down, to the left)


def mask_item(dataset: Dataset) -> dict[str, Any]:
    """An item of the Mask Subtraction Sequence; empty where it asks for no subtraction."""
    operation = values.code(dataset, tags.MASK_OPERATION)
    frames = [int(n) for n in values.numbers(dataset, tags.MASK_FRAME_NUMBERS, "US") if n >= 1]
    if operation not in ("AVG_SUB", "TID", "REV_TID") or (operation == "AVG_SUB" and not frames):
        return {}
    found: dict[str, Any] = {"operation": operation}
    number = values.integer(dataset, tags.SUBTRACTION_ITEM_ID, "US")
    if number is not None:
        found["id"] = number
    ranges = frame_ranges(dataset, tags.APPLICABLE_FRAME_RANGE)
    if ranges:
        found["ranges"] = ranges
    if operation == "AVG_SUB":
        found["frames"] = frames
    else:
        offset = values.integer(dataset, tags.TID_OFFSET, "SS")
        found["offset"] = 1 if offset is None else offset
    averaging = values.integer(dataset, tags.CONTRAST_FRAME_AVERAGING)
    if averaging is not None and averaging > 1:
        found["averaging"] = averaging
    shift = mask_shift(dataset)
    if shift is not None and any(shift):
        found["shift"] = shift
    return found


def frame_ranges(dataset: Dataset, tag: int) -> list[list[int]]:
    """[[first, last], ...] of pairs of frame numbers."""
    ends = [int(n) for n in values.numbers(dataset, tag, "US")]
    return [[first, last] for first, last in zip(ends[::2], ends[1::2], strict=False) if 1 <= first <= last]


def own_plan(items: Iterable[Index], frame_number: int, frames: int, group: Index | None = None) -> MaskPlan | None:
    """What the file subtracts from a frame of `frames`, of which `group` is said besides; None where it subtracts nothing
    from this one."""
    for item in items:
        plan = _plan(item, frame_number, frames, group or {})
        if plan is not None:
            return plan
    return None


def _plan(item: Index, number: int, frames: int, group: Index) -> MaskPlan | None:
    averaging = item.get("averaging", 1)
    ranges = item.get("ranges")
    if ranges:
        if not any(first <= number <= last for first, last in ranges):
            return None
    elif number > frames - averaging + 1:
        return None
    if item["operation"] == "AVG_SUB":
        mask = tuple(n for n in item["frames"] if n <= frames)
    elif item["operation"] == "TID":
        mask = (number - item["offset"],)
    elif ranges:
        first = ranges[0][0]
        mask = ((first - item["offset"]) - (number - first),)
    else:
        return None  # REV_TID counts from its range
    if not mask or not all(1 <= n <= frames for n in mask):
        return None
    contrast = tuple(range(number, min(number + averaging - 1, frames) + 1))
    x, y = _shift(item, group)
    return MaskPlan(mask, contrast, (float(x), float(y)), _regions(item, number))


def _shift(item: Index, group: Index) -> Sequence[float]:
    """A frame's own goes before that of all frames of the subtraction."""
    own: dict[int | None, list[float]] = {number: shift for number, *shift in group.get("pixel_shift", ())}
    every: list[float] = item.get("shift", [0.0, 0.0])
    return own.get(item.get("id"), every)


def _regions(item: Index, number: int) -> tuple[MaskRegion, ...]:
    for moved in item.get("moved", ()):
        if not moved["ranges"] or any(first <= number <= last for first, last in moved["ranges"]):
            return tuple(moved["regions"])
    return ()
