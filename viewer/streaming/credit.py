"""How many frames may be on their way to one viewport.

What the web server and the kernel hold for a slow client cannot be taken back, so this is what bounds it, and what keeps the
newest picture from standing in a queue behind older ones.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from .pacing import Link

LEAST = 2
MOST = 6
MOST_BYTES = 1 << 20
QUICKEST = 0.008
"""Seconds between frames that are never undercut: no screen shows more."""
SLACK = 0.030
"""Seconds' worth of bytes that may be on their way beyond what fills it."""


class Credit:
    """Two unacknowledged frames until acknowledgements have measured the round trip; then as many as fill it, up to six
    frames and 1 MiB. One frame may always go when none is on its way, however large it is."""

    def __init__(self, link: Link | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.link = link or Link()
        self._flying: deque[tuple[int, int, float, bool]] = deque()
        """(index, bytes, when sent, nothing else was on the link), oldest first."""
        self.bytes = 0
        """On their way, not acknowledged."""
        self.limit = LEAST
        self.link.users.append(self)

    @property
    def open(self) -> bool:
        """Another frame may be drawn."""
        if not self._flying:
            return True
        return len(self._flying) < self.limit and self.link.flying < self._window()

    def fits(self, size: int) -> bool:
        """A frame of this many bytes may be sent."""
        return not self._flying or (len(self._flying) < self.limit and self.bytes + size <= MOST_BYTES)

    def sent(self, index: int, size: int) -> None:
        """Frame `index` left."""
        self._flying.append((index, size, self._clock(), not self.link.flying))
        self.bytes += size

    def shown(self, index: int) -> bool:
        """Every frame up to `index` is acknowledged. False if that acknowledged nothing new."""
        flying = self._flying
        if not flying or flying[0][0] > index:
            return False
        _, size, sent, alone = flying.popleft()
        frames = 1
        while flying and flying[0][0] <= index:
            size += flying.popleft()[1]
            frames += 1
        self.bytes -= size
        self.link.shown(self._clock(), sent, size, frames, alone)
        # What fills the way; the quarter forgives a clock that is not quite even.
        way = self.link.way
        fill = way / max(self.link.service, QUICKEST) + 0.25 if way < math.inf else LEAST
        self.limit = max(LEAST, math.floor(min(MOST, fill)))
        return True

    def leave(self) -> None:
        """The viewport is closed: nobody may acknowledge what is on its way, and the link is judged without it."""
        if self in self.link.users:
            self.link.users.remove(self)

    def come_back(self) -> None:
        """A viewport of that name is opened again."""
        if self not in self.link.users:
            self.link.users.append(self)

    def _window(self) -> float:
        """Bytes on the whole link beyond which a further frame would stand in a queue."""
        link = self.link
        return min(MOST_BYTES, link.carries(link.round_trip + SLACK)) if link.measured else MOST_BYTES
