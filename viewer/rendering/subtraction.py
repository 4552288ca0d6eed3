"""Subtraction of a mask from a frame of a clip (PS3.3 C.7.6.10, PS3.4 N.2.1.2), in 64 bits.

Frames that stand for one are averaged, the mask is moved (bilinear), then one is taken from the other: as they are where values
are in proportion to the logarithm of the intensity, or say nothing of it; else after the logarithm, spread over the range of
the stored bits. Where the mask does not reach there is no image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .appearance import Dressing, MaskRegion, Pair, Subtracted
from .presented import inside
from .view import BadView
from .voi import modality_values
from .volume import Frame, FrameDescription, Window

Values = NDArray[np.float64]

LINEAR_RELATIONSHIP = "LIN"
_SPAN = (0.5, 99.5)
"""Percentiles of the mask between which the anatomy lies."""
_PART = 0.5
"""Of that, the width of the window for differences: vessels take up less of the range than anatomy does."""


@dataclass(frozen=True, slots=True, eq=False)
class Subtraction:
    """What is subtracted from a frame, with everything loaded."""

    mask: tuple[Frame, ...]
    """Averaged."""
    contrast: tuple[Frame, ...]
    """Averaged; the frame itself is the first of them."""
    places: tuple[int, ...]
    """In the stack, of the mask's frames."""
    shift: Pair = (0.0, 0.0)
    """Of the mask, in voxels (to the right, down)."""
    regions: tuple[MaskRegion, ...] = ()
    """In place of `shift`: a later one goes over those before it, and outside all of them the mask is not moved."""
    relationship: str = ""
    """Pixel Intensity Relationship."""
    sign: int = 1
    """Pixel Intensity Relationship Sign: -1 where higher values stand for less intensity."""
    through_lut: bool = False
    """The modality transformation of the frames leads to a logarithmic space, and is applied before."""


def subtracted(plan: Subtraction) -> Frame:
    """The difference as a frame of floating point values that mean themselves. Raises `BadView` where frames do not fit."""
    frame = plan.contrast[0]
    description = frame.description
    every = (*plan.mask, *plan.contrast)
    if any(one.values.ndim != 2 or one.description.palette is not None for one in every):
        raise BadView("mask: colours are not subtracted")
    if any(one.values.shape != frame.values.shape for one in every):
        raise BadView("mask: the mask and the image have different sizes")
    logarithmic = plan.relationship == LINEAR_RELATIONSHIP and not plan.through_lut
    mask, contrast = _averaged(plan.mask, plan.through_lut), _averaged(plan.contrast, plan.through_lut)
    window = _window(mask, logarithmic, plan.sign, description)
    mask = _moved_by_regions(mask, plan.regions) if plan.regions else _moved(mask, plan.shift)
    if logarithmic:
        mask, contrast = (_logarithm(one, plan.sign, description) for one in (mask, contrast))
    return Frame(
        values=contrast - mask,
        photometric_interpretation=frame.photometric_interpretation,
        description=replace(
            description,
            rescale_slope=1.0,
            rescale_intercept=0.0,
            modality_lut=None,
            unit="",
            windows=(),
            voi_luts=(),
            pixel_padding=None,
        ),
        dressing=Dressing(subtracted=Subtracted(plan.places, plan.shift, logarithmic, window, len(plan.regions))),
    )


def _averaged(frames: Sequence[Frame], through_lut: bool) -> Values:
    """NaN where any of them is padding."""
    return sum((_values(frame, through_lut) for frame in frames[1:]), _values(frames[0], through_lut)) / len(frames)


def _values(frame: Frame, through_lut: bool) -> Values:
    values = frame.values.astype(np.float64)
    padding = frame.description.pixel_padding
    if padding is not None:
        values[(values >= padding[0]) & (values <= padding[1])] = np.nan
    if not through_lut:
        return values
    real = ~np.isnan(values)
    values[real] = modality_values(frame.description, values[real])
    return values


def _moved_by_regions(values: Values, regions: Sequence[MaskRegion]) -> Values:
    found = values.copy()
    for region in regions:
        moved = _moved(values, region.shift)
        shape = (values.shape[0], values.shape[1])
        found = np.where(inside(region.polygon, shape), moved, found) if region.polygon else moved
    return found


def _moved(values: Values, shift: Pair) -> Values:
    """The picture moved by (right, down) voxels; NaN where it does not reach."""
    for axis, by in ((1, shift[0]), (0, shift[1])):
        if by:
            values = _moved_along(values, axis, by)
    return values


def _moved_along(values: Values, axis: int, by: float) -> Values:
    length = values.shape[axis]
    places = np.arange(length) - by
    reached = (places >= 0.0) & (places <= length - 1.0)
    lower = np.clip(np.floor(places), 0, max(length - 2, 0)).astype(np.int64)
    part = np.clip(places - lower, 0.0, 1.0)
    upper = np.minimum(lower + 1, length - 1)
    part = part[:, None] if axis == 0 else part
    moved = values.take(lower, axis) * (1.0 - part)
    # What has no weight must not spread its NaN.
    moved = np.where(part > 0.0, moved + values.take(upper, axis) * part, values.take(lower, axis))
    moved = np.where(part >= 1.0, values.take(upper, axis), moved)
    moved[(slice(None), ~reached) if axis else (~reached, slice(None))] = np.nan
    return np.asarray(moved)


def _logarithm(values: Values, sign: int, description: FrameDescription) -> Values:
    """M ln(1 + x) / ln(1 + M) with the greatest stored value M: the ends of the range stay where they are."""
    most = float(2**description.bits_stored - 1)
    intensity = most - values if sign < 0 else values
    logarithm = np.log1p(np.maximum(intensity, 0.0)) * (most / np.log1p(most))
    return np.asarray(-logarithm if sign < 0 else logarithm)


def _window(mask: Values, logarithmic: bool, sign: int, description: FrameDescription) -> Window:
    """Nothing in the middle, and as wide as half the anatomy of the mask: the same for all frames that share it."""
    step = max(1, int(np.sqrt(mask.size / 16384.0)))
    sample = mask[::step, ::step]
    sample = sample[np.isfinite(sample)]
    if logarithmic:
        sample = _logarithm(sample, sign, description)
    low, high = np.percentile(sample, _SPAN) if sample.size else (0.0, 0.0)
    return Window(0.0, max(float(high - low) * _PART, 2.0), "LINEAR_EXACT", "subtraction")
