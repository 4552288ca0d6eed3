"""What a presentation state subtracts (PS3.3 C.11.13, C.11.19); that of angiograms moves the mask part by part."""

from __future__ import annotations

from typing import Any

from viewer.rendering.volume import MaskRegion

from . import state_tags as st
from . import values
from .elements import Dataset
from .masks import frame_ranges, mask_item, mask_shift
from .shutters import MOST_VERTICES

_MOST_REGIONS = 256


def state_mask(dataset: Dataset) -> dict[str, Any] | None:
    """An item of the Mask Subtraction Sequence; None where it asks for no subtraction.

    Each item of its Pixel Shift Sequence (0028,9501) names frames and regions; only the first that means a frame counts.
    """
    item = mask_item(dataset)
    if not item:
        return None
    moved = [
        {"ranges": frame_ranges(shift, st.PIXEL_SHIFT_FRAME_RANGE), "regions": regions}
        for shift in dataset.items(st.PIXEL_SHIFT_SEQUENCE)
        if (regions := _regions(shift))
    ]
    return {**item, "moved": moved} if moved else item


def _regions(dataset: Dataset) -> list[MaskRegion]:
    found = []
    for region in dataset.items(st.REGION_PIXEL_SHIFT_SEQUENCE)[:_MOST_REGIONS]:
        shift, polygon = mask_shift(region), _polygon(region)
        if shift is not None and polygon is not None:
            found.append(MaskRegion((shift[0], shift[1]), polygon))
    return found


def _polygon(dataset: Dataset) -> tuple[tuple[float, float], ...] | None:
    """(row, column) from 0 of its corners, none for the whole frame; None where it bounds nothing."""
    if st.VERTICES_OF_THE_REGION not in dataset:
        return ()
    flat = values.numbers(dataset, st.VERTICES_OF_THE_REGION, "SS")[: 2 * MOST_VERTICES]
    corners = tuple((row - 1.0, column - 1.0) for row, column in zip(flat[::2], flat[1::2], strict=False))
    return corners if len(corners) > 2 else None
