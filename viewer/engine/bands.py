"""One picture on several threads: its rows are parted in bands, which whoever has time draws.

The thread that was given the picture draws bands itself and never waits for help; threads of the same pool with nothing
better to do join it at once. A quick picture that another reader waits for goes before helping, and between two bands
of a heavy one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count
from typing import Any

from viewer.rendering.storing import Run

from .workers import Priority, WorkerPool

BAND = 8
"""Rows. Where bands begin depends on nothing else, so the same bytes come out on any number of threads."""


class Bands:
    """Parts work over the workers of one pool. `run` is what `render` is given."""

    def __init__(self, pool: WorkerPool[Any], band: int = BAND) -> None:
        self._pool = pool
        self._band = band

    def run(self, draw_rows: Callable[[int, int], None], rows: int) -> None:
        """Call `draw_rows(first, end)` for all rows from 0 to `rows`, in any order and in several threads at once; from a
        thread of the pool. Raises what `draw_rows` raised first."""
        self._run(draw_rows, rows, lambda: False)

    def run_heavy(self, draw_rows: Callable[[int, int], None], rows: int) -> None:
        """The same for work that takes long: quick pictures that readers wait for are drawn in between."""
        self._run(draw_rows, rows, self._between)

    def _between(self) -> bool:
        self._pool.run_urgent(None)
        return False

    def _run(self, draw_rows: Callable[[int, int], None], rows: int, between: Callable[[], bool]) -> None:
        work = _Parted(draw_rows, rows, self._band)
        for _ in range(min(self._pool.workers, work.bands) - 1):
            self._pool.enqueue(_Help(work, self._pool), Priority.SHARE)
        work.draw(between)
        work.finish()


class Unwanted:
    """Ends work that nobody waits for any more between two of its bands, so that what is wanted instead need not wait."""

    def __init__(self) -> None:
        self.now = False

    def stops(self, run: Run) -> Run:
        """`run`, for work that ends with `Abandoned` once `now` is set."""

        def run_while_wanted(draw_rows: Callable[[int, int], None], rows: int) -> None:
            def draw_if_wanted(first: int, end: int) -> None:
                if self.now:
                    raise Abandoned
                draw_rows(first, end)

            run(draw_if_wanted, rows)

        return run_while_wanted


class Abandoned(Exception):
    """Nobody waits for this picture any more."""


class _Parted:
    """Work in bands, and who has done how much of it."""

    def __init__(self, draw_rows: Callable[[int, int], None], rows: int, band: int) -> None:
        self.bands = max(1, -(-rows // band))
        self._draw_rows: Callable[[int, int], None] | None = draw_rows
        self._rows, self._band = rows, band
        self._numbers = count()
        self._left = self.bands
        self._counting = threading.Lock()
        self._done = threading.Event()
        self._error: BaseException | None = None

    def draw(self, called_away: Callable[[], bool]) -> bool:
        """Draw bands until none is left; False when `called_away` between two of them."""
        while not called_away():
            number = next(self._numbers)
            if number >= self.bands:
                return True
            self._draw_band(number)
        return False

    def finish(self) -> None:
        """Wait for the bands that others draw. What still stands in a queue holds on to nothing after this."""
        self._done.wait()
        self._draw_rows = None
        if self._error is not None:
            raise self._error

    @property
    def finished(self) -> bool:
        return self._done.is_set()

    def _draw_band(self, number: int) -> None:
        first = number * self._band
        try:
            if self._error is None and self._draw_rows is not None:
                self._draw_rows(first, min(first + self._band, self._rows))
        except BaseException as error:
            self._error = self._error or error
        with self._counting:
            self._left -= 1
            if not self._left:
                self._done.set()


class _Help:
    """A worker's share in the work of another one."""

    def __init__(self, work: _Parted, pool: WorkerPool[Any]) -> None:
        self._work, self._pool = work, pool

    def take(self) -> bool:
        return not self._work.finished

    def run(self, state: object) -> None:
        if not self._work.draw(called_away=lambda: self._pool.urgent):
            self._pool.enqueue(self, Priority.SHARE)
