"""When something was last done in each session, as this process knows; what the rows are told of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

REMEMBERED = 20_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Acts:
    """Last acts by session key. Safe for threads."""

    def __init__(self) -> None:
        self._last: dict[str, datetime] = {}
        self._written: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def note(self, key: str, at: datetime) -> None:
        with self._lock:
            if key not in self._last and len(self._last) >= REMEMBERED:
                self._drop_older_half()
            self._last[key] = max(at, self._last.get(key, at))

    def last(self, key: str) -> datetime | None:
        return self._last.get(key)

    def adopt(self, key: str, at: datetime) -> None:
        """What the row says."""
        self.note(key, at)
        self._written[key] = max(at, self._written.get(key, at))

    def forget(self, key: str) -> None:
        with self._lock:
            self._last.pop(key, None)
            self._written.pop(key, None)

    def take_unwritten(self, now: datetime, step: timedelta, keys: Iterable[str] | None = None) -> dict[str, datetime]:
        """What the rows ought to be told, by session key; told is then thought of as written at `now`."""
        with self._lock:
            due = {
                key: self._last[key]
                for key in (list(self._last) if keys is None else keys)
                if key in self._last and self._last[key] - self._written.get(key, _LONG_AGO) >= step
            }
            self._written.update(due)
        return due

    def _drop_older_half(self) -> None:
        for key in sorted(self._last, key=lambda one: self._last[one])[: REMEMBERED // 2]:
            del self._last[key]
            self._written.pop(key, None)


ACTS = Acts()
"""Of this process."""
