"""Stored values out of what a codec or a file gives: bits, sign and shape (PS3.5 8.1.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CannotDecode
from .layout import FrameLayout


def stored_values(values: NDArray[np.generic], layout: FrameLayout) -> NDArray[np.generic]:
    """Pixel cells as stored values: what lies beside the stored bits (overlays, rubbish) is cut off, and the sign is
    taken from the high bit, whatever sign the cells came with."""
    target = layout.dtype
    if layout.floating:
        return values.astype(target, copy=False)
    size = target.itemsize * 8
    cells = values if values.dtype.itemsize == target.itemsize else values.astype(f"i{target.itemsize}")
    above = size - 1 - layout.high_bit
    right = size - layout.bits_stored
    own: NDArray[np.integer[Any]] = cells.view(target)
    if right == 0:
        return own
    if layout.pixel_representation:
        return (own << above) >> right
    if layout.high_bit != layout.bits_stored - 1:
        own = own >> (layout.high_bit + 1 - layout.bits_stored)
    return own & ((1 << layout.bits_stored) - 1)


def clipped_values(values: NDArray[np.generic], layout: FrameLayout) -> NDArray[np.generic]:
    """Values of a codec that knows their sign and may overshoot the stored range by its loss: clipped, never wrapped."""
    if layout.pixel_representation:
        low, high = -(1 << (layout.bits_stored - 1)), (1 << (layout.bits_stored - 1)) - 1
    else:
        low, high = 0, (1 << layout.bits_stored) - 1
    own: NDArray[np.integer[Any]] = values.astype(values.dtype, copy=False)
    info = np.iinfo(own.dtype)
    if low > info.min or info.max > high:
        own = np.clip(own, max(low, int(info.min)), min(high, int(info.max)))
    return own.astype(layout.dtype, copy=False)


def shaped(values: NDArray[np.generic], layout: FrameLayout) -> NDArray[np.generic]:
    """`values` in the frame's shape. Raises CannotDecode where the codec gave another picture."""
    if values.shape != layout.shape:
        if values.size == layout.rows * layout.columns and layout.samples_per_pixel == 1:
            return values.reshape(layout.shape)
        raise CannotDecode(f"the compressed picture is {values.shape}, the header says {layout.shape}")
    return np.ascontiguousarray(values)
