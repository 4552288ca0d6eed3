"""When something was last done in each session, as this process knows; what the rows are told of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

REMEMBERED = 20_000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Acts:
    """Last acts by the number of the session's row. Safe for threads."""

    def __init__(self) -> None:
        self._last: dict[int, datetime] = {}
        self._written: dict[int, datetime] = {}
        self._lock = threading.Lock()

    def note(self, number: int, at: datetime) -> None:
        with self._lock:
            if number not in self._last and len(self._last) >= REMEMBERED:
                self._drop_older_half()
            self._last[number] = max(at, self._last.get(number, at))

    def last(self, number: int) -> datetime | None:
        return self._last.get(number)

    def adopt(self, number: int, at: datetime) -> None:
        """What the row says."""
        self.note(number, at)
        self._written[number] = max(at, self._written.get(number, at))

    def forget(self, number: int) -> None:
        with self._lock:
            self._last.pop(number, None)
            self._written.pop(number, None)

    def forget_all(self) -> None:
        with self._lock:
            self._last.clear()
            self._written.clear()

    def take_unwritten(
        self, now: datetime, step: timedelta, numbers: Iterable[int] | None = None
    ) -> dict[int, datetime]:
        """What the rows ought to be told, by number; told is then thought of as written at `now`."""
        with self._lock:
            due = {
                number: self._last[number]
                for number in (list(self._last) if numbers is None else numbers)
                if number in self._last and self._last[number] - self._written.get(number, _LONG_AGO) >= step
            }
            self._written.update(due)
        return due

    def _drop_older_half(self) -> None:
        for number in sorted(self._last, key=lambda one: self._last[one])[: REMEMBERED // 2]:
            del self._last[number]
            self._written.pop(number, None)


ACTS = Acts()
"""Of this process."""
