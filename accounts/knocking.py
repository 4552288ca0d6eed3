"""What is written down how often: one opening once, and of whoever knocks at doors all day only so much that the record stays
readable."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

WHILE_S = 15 * 60.0
REMEMBERED = 50_000
KNOCKS = 60
"""Denials of one caller at one kind of door, within that time, that are written down one by one."""


class Lately:
    """What was noted within the last quarter of an hour, as this process knows. Safe for threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: OrderedDict[Hashable, float] = OrderedDict()
        self._lock = threading.Lock()

    def noted(self, key: Hashable) -> bool:
        with self._lock:
            return self._at.get(key, float("-inf")) > self._clock() - WHILE_S

    def note(self, key: Hashable) -> None:
        with self._lock:
            self._at[key] = self._clock()
            self._at.move_to_end(key)
            while len(self._at) > REMEMBERED:
                self._at.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._at.clear()


class Knocks:
    """How many denials of each sort there were. Safe for threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, key: Hashable) -> tuple[bool, int]:
        """Whether this one is to be written, and how many before it were not (told with the first of the next while)."""
        with self._lock:
            now = self._clock()
            since, number = self._counted.get(key, (now, 0))
            left_out = 0
            if now - since > WHILE_S:
                since, left_out, number = now, max(0, number - KNOCKS), 0
            self._counted[key] = (since, number + 1)
            self._counted.move_to_end(key)
            while len(self._counted) > REMEMBERED:
                self._counted.popitem(last=False)
            return number < KNOCKS, left_out

    def forget(self) -> None:
        with self._lock:
            self._counted.clear()
