"""Objects of several associations become durable together: while one batch is written, the next one gathers.

One thread writes, since the database has one writer anyway; who waits here has received and checked an object, and goes on
when it would survive a loss of power.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Future
from functools import lru_cache

from django.db import close_old_connections

from viewer.archive.ingest import Admitted, Outcome, acknowledge
from viewer.archive.rows import Sender
from viewer.archive.storage import blob_store

MOST = 48
Waiting = tuple[Admitted, Sender, "Future[Outcome]"]


class Batches:
    """A queue and the thread that empties it."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="dicom rows", daemon=True)
        self._thread.start()

    def acknowledged(self, one: Admitted, sender: Sender) -> Outcome:
        """Wait until this object is durable and recorded. Raises StorageFull and rows.DatabaseBusy."""
        future: Future[Outcome] = Future()
        self._queue.put((one, sender, future))
        return future.result()

    def _run(self) -> None:
        while True:
            for sender, batch in self._gathered().items():
                self._write(sender, batch)

    def _gathered(self) -> dict[Sender, list[Waiting]]:
        """All that waits, by sender; at least one."""
        found: dict[Sender, list[Waiting]] = {}
        waiting = [self._queue.get()]
        while len(waiting) < MOST:
            try:
                waiting.append(self._queue.get_nowait())
            except queue.Empty:
                break
        for one in waiting:
            found.setdefault(one[1], []).append(one)
        return found

    def _write(self, sender: Sender, batch: list[Waiting]) -> None:
        close_old_connections()
        try:
            outcomes = acknowledge([one for one, _, _ in batch], sender, blob_store())
        except BaseException as problem:  # every one of them hears of it, whatever it is
            for _, _, future in batch:
                future.set_exception(problem)
            return
        for (_, _, future), outcome in zip(batch, outcomes, strict=True):
            future.set_result(outcome)


@lru_cache(maxsize=1)
def batches() -> Batches:
    """Those of this process."""
    return Batches()
