"""What the values of a volume mean for its pictures."""

from __future__ import annotations

import math

from .grey import RAMP, TABLE, Greyscale


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
