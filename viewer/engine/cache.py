"""What was loaded once, kept while there is room: least recently used goes first, a load in progress is shared.

Lives on the event loop; nothing here is touched from another thread.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .errors import CannotDraw
from .workers import Priority

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

REMEMBER_FAILURE = 5.0
"""Seconds for which a key that cannot be had answers with the same error without another try: a frame that takes a decode child
with it costs seconds, and a reader scrolls over it many times. What failed for no fault of its own is tried again at once."""


class Loading(Protocol[V]):
    """A value on its way: a Job, or what is made of many of them."""

    @property
    def future(self) -> asyncio.Future[V]: ...

    def promote(self) -> None:
        """A reader waits for it now."""

    def drop(self) -> bool:
        """Nobody waits for it any more. True if it will not come."""


@dataclass(slots=True)
class _Load(Generic[V]):
    job: Loading[V]
    waiters: int = 0


@dataclass(slots=True)
class CacheCounts:
    """What the cache did so far."""

    hits: int = 0
    misses: int = 0
    """Loads that were begun."""
    evicted: int = 0


class Cache(Generic[K, V]):
    """At most `limit` bytes of values by `size_of`. One that is larger than all of it is kept alone, until the next comes: who
    looks at it draws it again and again."""

    def __init__(self, limit: int, size_of: Callable[[V], int], *, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.used = 0
        self.reserved = 0
        """Bytes of values on their way that `reserve` was told of."""
        self.counts = CacheCounts()
        self._size_of = size_of
        self._clock = clock
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._loads: dict[K, _Load[V]] = {}
        self._failures: dict[K, tuple[float, CannotDraw]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: K) -> bool:
        return key in self._values

    def get(self, key: K) -> V | None:
        """The value, now the most recently used one; None when it is not here."""
        kept = self._values.get(key)
        if kept is None:
            return None
        self._values.move_to_end(key)
        self.counts.hits += 1
        return kept[0]

    async def load(self, key: K, start: Callable[[Priority], Loading[V]], priority: Priority) -> V:
        """The value, from here or from `start(priority)`; callers for the same key share one load.

        A load that every caller was cancelled away from is not begun; once it runs it is let finish, and kept, unless it can
        be dropped even then.
        """
        value = self.get(key)
        if value is not None:
            return value
        load = self._loads.get(key)
        if load is None:
            self._raise_recent_failure(key)
            self.counts.misses += 1
            load = self._loads[key] = _Load(start(priority))
            load.job.future.add_done_callback(lambda future: self._landed(key, future))
        elif priority is Priority.INTERACTIVE:
            load.job.promote()
        load.waiters += 1
        try:
            return await asyncio.shield(load.job.future)
        finally:
            load.waiters -= 1
            if not load.waiters and not load.job.future.done() and load.job.drop():
                self._loads.pop(key, None)

    def reserve(self, size: int) -> None:
        """Make room for a value that is on its way, until `release`."""
        self.reserved += size
        self._make_room(0)

    def release(self, size: int) -> None:
        self.reserved -= size

    def clear(self) -> None:
        """Forget every value; loads in progress go on."""
        self._values.clear()
        self._failures.clear()
        self.used = 0

    def _landed(self, key: K, future: asyncio.Future[V]) -> None:
        if future.cancelled():
            return
        self._loads.pop(key, None)
        error = future.exception()
        if error is None:
            self._keep(key, future.result())
        elif isinstance(error, CannotDraw):
            self._remember_failure(key, error)

    def _keep(self, key: K, value: V) -> None:
        size = self._size_of(value)
        self._make_room(size)
        self._values[key] = (value, size)
        self.used += size

    def _make_room(self, size: int) -> None:
        while self._values and self.used + self.reserved + size > self.limit:
            _, (_, freed) = self._values.popitem(last=False)
            self.used -= freed
            self.counts.evicted += 1

    def _raise_recent_failure(self, key: K) -> None:
        failed = self._failures.get(key)
        if failed is None:
            return
        at, error = failed
        if self._clock() - at < REMEMBER_FAILURE:
            raise error.with_traceback(None)
        del self._failures[key]

    def _remember_failure(self, key: K, error: CannotDraw) -> None:
        now = self._clock()
        error.__traceback__ = error.__cause__ = error.__context__ = None  # they hold on to the bytes that failed
        self._failures = {k: (at, e) for k, (at, e) in self._failures.items() if now - at < REMEMBER_FAILURE}
        self._failures[key] = (now, error)
