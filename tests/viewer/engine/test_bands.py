"""A picture in bands: every row once, whoever draws it, and nobody waits behind help."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from viewer.engine.bands import BAND, Abandoned, Bands, Unwanted
from viewer.engine.workers import Priority, WorkerPool


@pytest.fixture
def pool() -> Iterator[WorkerPool[None]]:
    pool: WorkerPool[None] = WorkerPool("test", 3, lambda: None)
    yield pool
    pool.stop()
    pool.join()


@pytest.mark.parametrize("rows", [0, 1, 16, 17, 500])
async def test_every_row_is_drawn_once(pool: WorkerPool[None], rows: int) -> None:
    drawn = np.zeros(rows, int)

    def draw(first: int, end: int) -> None:
        drawn[first:end] += 1

    await pool.submit(lambda _: Bands(pool).run(draw, rows)).future
    assert (drawn == 1).all()


async def test_idle_threads_help_at_once(pool: WorkerPool[None]) -> None:
    together = threading.Barrier(3, timeout=10)
    await pool.submit(lambda _: Bands(pool, band=1).run(lambda first, end: together.wait() and None, 3)).future


async def test_where_bands_begin_does_not_depend_on_the_threads() -> None:
    seen: list[set[tuple[int, int]]] = []
    for workers in (1, 3):
        pool: WorkerPool[None] = WorkerPool("test", workers, lambda: None)
        bands: set[tuple[int, int]] = set()
        await pool.submit(
            lambda _, pool=pool, bands=bands: Bands(pool).run(lambda first, end: bands.add((first, end)), 100)
        ).future
        seen.append(bands)
        pool.stop()
        pool.join()
    assert seen[0] == seen[1]


async def test_the_work_is_done_even_if_no_thread_comes_to_help(pool: WorkerPool[None]) -> None:
    held = threading.Event()
    others = [pool.submit(lambda _: held.wait()) for _ in range(2)]
    rows: list[int] = []
    await pool.submit(lambda _: Bands(pool, band=1).run(lambda first, end: rows.append(first), 10)).future
    assert rows == list(range(10))
    held.set()
    for job in others:
        await job.future


async def test_a_picture_that_somebody_waits_for_goes_before_helping(pool: WorkerPool[None]) -> None:
    """Two helpers are in their first band when a reader's picture comes: one leaves for it before the bands are done."""
    picture_drawn, all_in = threading.Event(), threading.Barrier(4, timeout=10)
    seen: list[bool] = []

    def draw(first: int, end: int) -> None:
        if first < 3:
            all_in.wait()
            queued.wait(10)
        elif threading.current_thread() is caller[0]:
            picture_drawn.wait(10)
        seen.append(picture_drawn.is_set())

    caller: list[threading.Thread] = []
    queued = threading.Event()

    def whole(_: None) -> None:
        caller.append(threading.current_thread())
        Bands(pool, band=1).run(draw, 40)

    heavy = pool.submit(whole)
    await asyncio.to_thread(all_in.wait)
    picture = pool.submit(lambda _: picture_drawn.set())
    queued.set()
    await asyncio.wait_for(asyncio.gather(heavy.future, picture.future), 20)
    assert len(seen) == 40


async def test_quick_pictures_are_drawn_between_the_bands_of_a_heavy_one() -> None:
    pool: WorkerPool[None] = WorkerPool("test", 1, lambda: None)
    order: list[str] = []
    begun, queued = threading.Event(), threading.Event()

    def draw(first: int, end: int) -> None:
        order.append(f"band {first}")
        begun.set()
        queued.wait(10)

    heavy = pool.submit(lambda _: Bands(pool, band=1).run_heavy(draw, 5), Priority.HEAVY)
    await asyncio.to_thread(begun.wait)
    quick = [pool.submit(lambda _, n=n: order.append(f"quick {n}")) for n in range(2)]
    queued.set()
    await asyncio.gather(heavy.future, *(job.future for job in quick))
    assert order == ["band 0", "quick 0", "band 1", "quick 1", "band 2", "band 3", "band 4"]
    pool.stop()
    pool.join()


async def test_what_goes_wrong_in_a_band_reaches_the_caller(pool: WorkerPool[None]) -> None:
    def draw(first: int, end: int) -> None:
        if first == 32:
            raise ValueError("a band")

    with pytest.raises(ValueError, match="a band"):
        await pool.submit(lambda _: Bands(pool).run(draw, 160)).future
    assert await pool.submit(lambda _: "alive", Priority.PREFETCH).future == "alive"


def test_work_that_nobody_wants_any_more_ends_between_two_bands(pool: WorkerPool[None]) -> None:
    drawn: list[int] = []
    unwanted = Unwanted()

    def draw_rows(first: int, end: int) -> None:
        drawn.append(first)
        if first >= 3 * BAND:
            unwanted.now = True

    with pytest.raises(Abandoned):
        unwanted.stops(Bands(pool).run)(draw_rows, 1000 * BAND)
    assert len(drawn) < 10
