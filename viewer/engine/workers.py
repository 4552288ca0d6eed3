"""Threads that do the engine's work, what readers wait for before what is done ahead of them.

This is the only thread hop on the way of a picture. Work is handed in from the event loop and its result comes back there.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeVar

S = TypeVar("S")
T = TypeVar("T")
S_contra = TypeVar("S_contra", contravariant=True)


class Priority(IntEnum):
    """Who waits for a piece of work; the lower goes first."""

    INTERACTIVE = 0
    """A reader, for one picture."""
    SHARE = 1
    """Another worker of the same pool, for a part of what it does for a reader."""
    HEAVY = 2
    """A reader, for a picture that takes long: begun by one worker, helped by the others, one after another."""
    VOLUME = 3
    """A reader, for a volume of many frames."""
    PREFETCH = 4
    """Nobody yet."""


PATIENCE = 0.05
"""Seconds that heavy work waits behind lighter work, however much there is of it."""


class Entry(Protocol[S_contra]):
    """What stands in the queues of a pool."""

    def take(self) -> bool:
        """In the worker's thread: may it be run, by whoever asks first?"""

    def run(self, state: S_contra) -> None:
        """In the worker's thread; never raises."""


class Job(Generic[S, T]):
    """One piece of work: `future` belongs to the event loop that submitted it."""

    __slots__ = ("_lock", "_pool", "_taken", "_work", "future", "priority")

    def __init__(self, pool: WorkerPool[S], work: Callable[[S], T], priority: Priority) -> None:
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.priority = priority
        self._work = work
        self._pool = pool
        self._taken = False
        self._lock = pool._taking

    def promote(self) -> None:
        """A reader waits for it now: it goes to the end of the interactive queue."""
        if self.priority is not Priority.INTERACTIVE:
            self.priority = Priority.INTERACTIVE
            self._pool.enqueue(self, self.priority)

    def drop(self) -> bool:
        """Nobody waits for it any more. True if it had not started, and now never will."""
        if self.take():
            self.future.cancel()
            return True
        return False

    def take(self) -> bool:
        """Whoever gets True owns the job; a promoted job stands in two queues and is run from the first."""
        with self._lock:
            mine = not self._taken
            self._taken = True
            return mine

    def run(self, state: S) -> None:
        """In a worker's thread."""
        try:
            result = self._work(state)
        except BaseException as error:
            self._hand_over(self._fail, error)
        else:
            self._hand_over(self._finish, result)

    def _hand_over(self, finish: Callable[[Any], None], value: Any) -> None:
        with suppress(RuntimeError):  # the loop was closed while the work ran; nobody is left to tell
            self.future.get_loop().call_soon_threadsafe(finish, value)

    def _finish(self, result: T) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class WorkerPool(Generic[S]):
    """`workers` threads, each with a state of its own made by `enter` in that thread and given to `leave` at the end.

    A promise of order: within one priority first come, first served; nothing starts while work of a lower number waits,
    except that heavy work is never passed over for longer than PATIENCE.
    """

    def __init__(
        self, name: str, workers: int, enter: Callable[[], S], leave: Callable[[S], None] | None = None
    ) -> None:
        self._queues: tuple[deque[tuple[float, Entry[S]]], ...] = tuple(deque() for _ in Priority)
        """Each entry with the time at which it came."""
        self._tokens: SimpleQueue[bool] = SimpleQueue()
        """One for each entry of the queues; waiting on it is the cheapest way to sleep that Python has."""
        self._taking = threading.Lock()
        self._enter, self._leave = enter, leave
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{n}", daemon=True) for n in range(workers)]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[S], T], priority: Priority = Priority.INTERACTIVE) -> Job[S, T]:
        """Queue `work`; it is called with the state of the worker that takes it."""
        job = Job(self, work, priority)
        self.enqueue(job, priority)
        return job

    def enqueue(self, entry: Entry[S], priority: Priority) -> None:
        """Queue something that takes care of its own result; from any thread."""
        self._queues[priority].append((time.monotonic(), entry))
        self._tokens.put(True)

    @property
    def workers(self) -> int:
        return len(self._threads)

    @property
    def waiting(self) -> int:
        """Jobs for readers that no worker has taken yet (those dropped meanwhile are counted until they are met)."""
        return len(self._queues[Priority.INTERACTIVE]) + len(self._queues[Priority.HEAVY])

    @property
    def urgent(self) -> bool:
        """A reader waits for something quick."""
        return bool(self._queues[Priority.INTERACTIVE])

    def run_urgent(self, state: S) -> None:
        """In a worker, between two parts of long work: do one quick thing that a reader waits for, if there is one."""
        try:
            _, entry = self._queues[Priority.INTERACTIVE].popleft()
        except IndexError:
            return
        if entry.take():
            entry.run(state)

    def stop(self) -> None:
        """Drop what waits and send every worker home once it is done with what it has; on the event loop."""
        for queue in self._queues:
            while queue:
                _, entry = queue.popleft()
                if isinstance(entry, Job):
                    entry.drop()
        for _ in self._threads:
            self._tokens.put(False)

    def join(self) -> None:
        """Wait until every worker has gone; blocks, so not on the event loop."""
        for thread in self._threads:
            thread.join()

    def _next(self) -> Entry[S] | None:
        for queue in (self._overdue(), *self._queues):
            try:
                return queue.popleft()[1]
            except IndexError:
                continue
        return None

    def _overdue(self) -> deque[tuple[float, Entry[S]]]:
        """The heavy work, if it has waited long enough; else nothing."""
        heavy = self._queues[Priority.HEAVY]
        try:
            return heavy if time.monotonic() - heavy[0][0] > PATIENCE else deque()
        except IndexError:
            return heavy

    def _work(self) -> None:
        state = self._enter()
        try:
            while self._tokens.get():
                entry = self._next()
                if entry is not None and entry.take():
                    entry.run(state)
                del entry  # or its result lives until the next one comes
        finally:
            if self._leave is not None:
                self._leave(state)
