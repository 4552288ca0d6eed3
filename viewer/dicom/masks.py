"""The Mask Module (PS3.3 C.7.6.10): what an index keeps of it, and which frames make the mask of which.

`mask` of an index: `items`, objects of `operation` (AVG_SUB, TID, REV_TID) with `ranges` [[first, last], ...], `frames`,
`averaging`, `shift` [x, y] and `offset`; `relationship` of the values to the intensity (LIN, LOG, DISP; C.8.7.1.1.2) and its
`sign`.
Frames count from 1 as in the file.

Mask Sub-pixel Shift (0028,6114) is stored as (vertical, horizontal): a positive row offset moves the mask toward the lower
row of the pixel plane, a positive column offset toward its left column (PS3.3 C.7.6.10, Table C.7-16). `shift` of an index
counts to the right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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


def mask_index(dataset: Dataset) -> dict[str, Any]:
    """The `mask` part of an index; empty where the file says nothing."""
    found: dict[str, Any] = {}
    items = mask_items(dataset)
    if items:
        found["items"] = items
    relationship = values.code(dataset, tags.PIXEL_INTENSITY_RELATIONSHIP)
    if relationship:
        found["relationship"] = relationship[:16]
        if values.integer(dataset, tags.PIXEL_INTENSITY_RELATIONSHIP_SIGN, "SS") == -1:
            found["sign"] = -1
    return {"mask": found} if found else {}


def mask_items(dataset: Dataset) -> list[dict[str, Any]]:
    """Items of the Mask Subtraction Sequence that ask for a subtraction."""
    return [item for item in map(_item, dataset.items(tags.MASK_SUBTRACTION_SEQUENCE)) if item]


def _item(dataset: Dataset) -> dict[str, Any]:
    operation = values.code(dataset, tags.MASK_OPERATION)
    frames = [int(n) for n in values.numbers(dataset, tags.MASK_FRAME_NUMBERS, "US") if n >= 1]
    if operation not in ("AVG_SUB", "TID", "REV_TID") or (operation == "AVG_SUB" and not frames):
        return {}
    found: dict[str, Any] = {"operation": operation}
    ends = [int(n) for n in values.numbers(dataset, tags.APPLICABLE_FRAME_RANGE, "US")]
    ranges = [[first, last] for first, last in zip(ends[::2], ends[1::2], strict=False) if 1 <= first <= last]
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
    shift = values.numbers(dataset, tags.MASK_SUB_PIXEL_SHIFT, "FL")
    if len(shift) >= 2 and any(shift[:2]) and all(abs(one) <= 1000 for one in shift[:2]):
        found["shift"] = [-shift[1] or 0.0, shift[0]]  # stored as (down, to the left)
    return found


def own_plan(items: Iterable[Index], frame_number: int, frames: int) -> MaskPlan | None:
    """What the file subtracts from a frame of `frames`; None where it subtracts nothing from this one."""
    for item in items:
        plan = _plan(item, frame_number, frames)
        if plan is not None:
            return plan
    return None


def _plan(item: Index, number: int, frames: int) -> MaskPlan | None:
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
    x, y = item.get("shift", (0.0, 0.0))
    return MaskPlan(mask, contrast, (float(x), float(y)))
