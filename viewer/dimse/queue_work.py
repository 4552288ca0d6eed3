"""One try of one transfer, as whoever does it sees it."""

from __future__ import annotations

import threading
import time

from viewer.archive import transfers
from viewer.models import Transfer

KEPT_EVERY_S = 1.0
KEPT_EVERY = 50


class TryAgain(Exception):
    """Not done, and may be another time. The message is for people; nothing of a patient."""


class InVain(Exception):
    """Not done, and trying again by itself would not help."""


class Stopped(Exception):
    """The process ends, or the transfer was cancelled."""


class Work:
    """A transfer, and how far it has come. `stop` is set by whoever wants it to end."""

    def __init__(self, transfer: Transfer, token: str, stop: threading.Event) -> None:
        self.transfer, self.stop = transfer, stop
        self.remark = ""
        """What a person should know of a transfer that is done."""
        self._token = token
        self._known = set(transfer.acknowledged)
        self._kept_at = time.monotonic()
        self._unkept = 0

    def begin(self, total: int, done: int) -> None:
        self.transfer.total, self.transfer.done, self.transfer.failed = total, done, 0
        self.keep()

    def has(self, uid: str) -> bool:
        """Whether the receiver has acknowledged this object."""
        return uid in self._known

    def one_more(self, uid: str) -> None:
        """The receiver has acknowledged this object, too."""
        if uid not in self._known:
            self._known.add(uid)
            self.transfer.acknowledged = [*self.transfer.acknowledged, uid]
            self.transfer.done += 1
            self._moved()

    def come_to(self, done: int) -> None:
        """So many are done, whichever they are."""
        if done > self.transfer.done:
            self.transfer.done = min(done, self.transfer.total or done)
            self._moved()

    def one_failed(self) -> None:
        self.transfer.failed += 1
        self._moved()

    def keep(self) -> None:
        """Write it down. Raises Lost."""
        transfers.progress(self.transfer, self._token)
        self._kept_at, self._unkept = time.monotonic(), 0

    def check(self) -> None:
        """Raises Stopped where somebody wants it to end, after writing down how far it has come."""
        if self.stop.is_set():
            self.keep()
            raise Stopped

    def _moved(self) -> None:
        self._unkept += 1
        if self._unkept >= KEPT_EVERY or time.monotonic() - self._kept_at >= KEPT_EVERY_S:
            self.keep()
