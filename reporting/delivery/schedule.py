"""When a delivery that failed is tried again, and when it waits for a person."""

from __future__ import annotations

import random
from datetime import timedelta

FIRST_S = 5.0
LONGEST_S = 3600.0
SPREAD = 0.25
"""Waits differ by up to this part, so that a receiver that comes back is not met by all at once."""
GIVE_UP_AFTER = timedelta(hours=24)


def plain_wait(tries: int) -> float:
    """Seconds to wait after the try of this number (from 1): doubled each time up to an hour."""
    return min(LONGEST_S, FIRST_S * 2.0 ** min(max(tries, 1) - 1, 20))


def wait(tries: int) -> timedelta:
    return timedelta(seconds=plain_wait(tries) * random.uniform(1 - SPREAD, 1 + SPREAD))  # noqa: S311 - no secret


def _most_tries() -> int:
    tries, waited = 1, 0.0
    while waited < GIVE_UP_AFTER.total_seconds():
        waited += plain_wait(tries)
        tries += 1
    return tries


MOST_TRIES = _most_tries()
"""As many as take `GIVE_UP_AFTER`. Counted by tries, because a server that was off has tried nothing."""
