"""Timers of an association (PS3.8 9.1.4) by a clock that nobody sets."""

from __future__ import annotations

import time

from pynetdicom.timer import Timer


class SteadyTimer(Timer):
    """pynetdicom's goes by the time of day: where that is set forward, every association that waits is ended. One that was
    stopped too late counts as run out for ever there; here what was stopped does not run."""

    def start(self) -> None:
        self._start_time = time.monotonic()

    def stop(self) -> None:
        self._start_time = None

    @property
    def remaining(self) -> float:
        """Seconds; negative once it has run out, 1 where it never does."""
        if self.timeout is None:
            return 1.0
        return self.timeout - (0.0 if self._start_time is None else time.monotonic() - self._start_time)
