"""What the values of a volume mean for its pictures."""

from __future__ import annotations

import math
from dataclasses import replace

from .grey import RAMP, TABLE, Greyscale
from .volume import HOLE, Frame, Volume


def as_frame(volume: Volume) -> Frame:
    """All slices of a grey volume as one tall frame, to find windows and the greyscale pipeline by the same rules as for a
    frame. No value is copied."""
    description = replace(
        volume.description,
        rescale_slope=volume.slope,
        rescale_intercept=volume.intercept,
        modality_lut=None,
        pixel_padding=(HOLE, HOLE) if volume.holes and volume.values.dtype.kind == "i" else None,
    )
    values = volume.values.reshape(-1, volume.values.shape[-1])
    return Frame(values, description.photometric_interpretation, description)


def seen_range(pipeline: Greyscale) -> tuple[float, float]:
    """(floor, ceiling) in the volume's own values: all below the first are drawn alike, and all above the second."""
    if pipeline.curve == RAMP:
        low, high, spare = pipeline.low, pipeline.high, 1e-3 * (pipeline.high - pipeline.low)
    elif pipeline.curve == TABLE:
        low, high, spare = pipeline.table_first, pipeline.table_first + pipeline.table.size - 1.0, 1.0
    else:
        return -math.inf, math.inf
    if pipeline.slope == 0.0:
        return -math.inf, math.inf
    # Rounding in 32 bits may not bring the ends of the range back among what is told apart.
    spare += 1e-5 * max(abs(low), abs(high), abs(pipeline.intercept))
    ends = [(end - pipeline.intercept) / pipeline.slope for end in (low - spare, high + spare)]
    return min(ends), max(ends)
