"""How many frames may be on their way to one viewport.

The web server has no back-pressure of its own, so this is what bounds memory when a client is slow, and what keeps the
newest picture from standing in a queue behind older ones.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

LEAST = 2
MOST = 6
MOST_BYTES = 1 << 20
REMEMBERED = 8
"""Round trips of lone frames, of which the shortest counts as the link's own."""


class Credit:
    """Two unacknowledged frames until acknowledgements have measured the round trip; then as many as fill it, up to six
    frames and 1 MiB. One frame may always go when none is on its way, however large it is."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._flying: deque[tuple[int, int, float, bool]] = deque()
        """(index, bytes, when sent, nothing else was on its way), oldest first."""
        self._bytes = 0
        self._lone_trips: deque[float] = deque(maxlen=REMEMBERED)
        """Only these tell how long the way is: a frame behind another one has waited for it as well."""
        self._spacing: float | None = None
        """Seconds between acknowledgements while frames follow each other closely: the slowest part of the way."""
        self._last_shown: float | None = None
        self.limit = LEAST

    @property
    def open(self) -> bool:
        """Another frame may be drawn."""
        return len(self._flying) < self.limit and (not self._flying or self._bytes < MOST_BYTES)

    def fits(self, size: int) -> bool:
        """A frame of this many bytes may be sent."""
        return not self._flying or (len(self._flying) < self.limit and self._bytes + size <= MOST_BYTES)

    def sent(self, index: int, size: int) -> None:
        """Frame `index` left."""
        self._flying.append((index, size, self._clock(), not self._flying))
        self._bytes += size

    def shown(self, index: int) -> bool:
        """Every frame up to `index` is acknowledged. False if that acknowledged nothing new."""
        now, newest = self._clock(), None
        while self._flying and self._flying[0][0] <= index:
            newest = self._flying.popleft()
            self._bytes -= newest[1]
        if newest is None:
            return False
        self._measure(now, newest[2], newest[3])
        return True

    def _measure(self, now: float, sent: float, alone: bool) -> None:
        if alone:
            self._lone_trips.append(now - sent)
        if self._last_shown is not None and sent < self._last_shown:  # two were on their way together
            spacing = now - self._last_shown
            self._spacing = spacing if self._spacing is None else 0.75 * self._spacing + 0.25 * spacing
        self._last_shown = now
        if self._spacing is not None and self._lone_trips:
            # One more than what fills the way finds out whether it holds more. Where it does not, spacing stays as it is,
            # and so does the limit. The quarter forgives a clock that is not quite even.
            fill = math.floor(min(self._lone_trips) / max(self._spacing, 0.001) + 0.25)
            self.limit = max(LEAST, min(MOST, fill + 1))
