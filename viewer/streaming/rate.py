"""How many messages a client may send."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

PER_SECOND: Mapping[str, int] = {"merged": 5000, "other": 120}
"""`view.change` and `frame.shown` are merged in place and cost next to nothing; everything else is work."""


class RateMeter:
    """A bucket for each kind of message, full at the start, that holds one second's worth."""

    def __init__(
        self, per_second: Mapping[str, int] = PER_SECOND, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_second = per_second
        self._clock = clock
        now = clock()
        self._buckets = {kind: (float(most), now) for kind, most in per_second.items()}

    def allows(self, kind: str) -> bool:
        """Count one message; False when there were too many."""
        most, now = self._per_second[kind], self._clock()
        left, then = self._buckets[kind]
        left = min(float(most), left + (now - then) * most)
        self._buckets[kind] = (left - 1.0 if left >= 1.0 else left, now)
        return left >= 1.0
