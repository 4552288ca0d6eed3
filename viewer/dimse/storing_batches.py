"""Objects of several associations become durable together: while one batch is written, the next one gathers.

One thread writes, since the database has one writer anyway; who waits here has received and checked an object, and goes on
when it would survive a loss of power.
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from functools import lru_cache

from django.db import connections

from viewer.archive.ingest import Admitted, Outcome, acknowledge
from viewer.archive.rows import Sender
from viewer.archive.storage import blob_store

MOST = 48
GATHERS_S = 0.02
"""Objects that are about to come are waited for so long: rows for four cost little more than rows for one."""
ABOUT_TO_COME_S = 0.1
"""An object whose beginning is older than this comes slowly, and is not waited for."""
IDLE_S = 60.0
"""The connection to the database is kept between batches (to open one costs more than a batch) and closed after this long."""
Waiting = tuple[Admitted, Sender, "Future[Outcome]"]


class Batches:
    """A queue and the thread that empties it."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._coming: dict[object, float] = {}
        self._thread = threading.Thread(target=self._run, name="dicom rows", daemon=True)
        self._thread.start()

    def comes(self, what: object) -> None:
        """The first bytes of an object are here."""
        with self._lock:
            self._coming[what] = time.monotonic()

    def came(self, what: object) -> None:
        """It is here, or will not be. Harmless when said again."""
        with self._lock:
            self._coming.pop(what, None)

    def acknowledged(self, one: Admitted, sender: Sender, what: object = None) -> Outcome:
        """Wait until this object is durable and recorded. Raises StorageFull and rows.DatabaseBusy."""
        future: Future[Outcome] = Future()
        self._queue.put((one, sender, future))
        self.came(what)
        return future.result()

    def _run(self) -> None:
        while True:
            for sender, batch in self._gathered().items():
                self._write(sender, batch)

    def _gathered(self) -> dict[Sender, list[Waiting]]:
        """All that waits, by sender; at least one."""
        waiting, found = [self._first()], dict[Sender, list[Waiting]]()
        until = time.monotonic() + GATHERS_S
        while len(waiting) < MOST:
            try:
                left = until - time.monotonic()
                more_comes = left > 0 and self._about_to_come()
                waiting.append(
                    self._queue.get(timeout=min(left, GATHERS_S / 10)) if more_comes else self._queue.get_nowait()
                )
            except queue.Empty:
                if not more_comes:
                    break
        for one in waiting:
            found.setdefault(one[1], []).append(one)
        return found

    def _first(self) -> Waiting:
        try:
            return self._queue.get(timeout=IDLE_S)
        except queue.Empty:
            connections.close_all()
            return self._queue.get()

    def _about_to_come(self) -> bool:
        now = time.monotonic()
        with self._lock:
            return any(now - began < ABOUT_TO_COME_S for began in self._coming.values())

    def _write(self, sender: Sender, batch: list[Waiting]) -> None:
        try:
            outcomes = acknowledge([one for one, _, _ in batch], sender, blob_store())
        except BaseException as problem:  # every one of them hears of it, whatever it is
            connections.close_all()
            for _, _, future in batch:
                future.set_exception(problem)
            return
        for (_, _, future), outcome in zip(batch, outcomes, strict=True):
            future.set_result(outcome)


@lru_cache(maxsize=1)
def batches() -> Batches:
    """Those of this process."""
    return Batches()
