"""What readers wait for goes first, and what nobody waits for is not done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from viewer.engine.workers import Priority, WorkerPool


@pytest.fixture
def gate() -> threading.Event:
    return threading.Event()


@pytest.fixture
def pool(gate: threading.Event) -> Iterator[WorkerPool[None]]:
    """One worker, so that the order shows."""
    pool: WorkerPool[None] = WorkerPool("test", 1, lambda: None)
    yield pool
    gate.set()
    pool.stop()
    pool.join()


async def test_interactive_work_overtakes_prefetch(pool: WorkerPool[None], gate: threading.Event) -> None:
    done: list[str] = []
    pool.submit(lambda _: gate.wait())
    jobs = [
        pool.submit(lambda _: done.append("ahead 1"), Priority.PREFETCH),
        pool.submit(lambda _: done.append("ahead 2"), Priority.PREFETCH),
        pool.submit(lambda _: done.append("reader"), Priority.INTERACTIVE),
    ]
    gate.set()
    await asyncio.gather(*(job.future for job in jobs))
    assert done == ["reader", "ahead 1", "ahead 2"]


async def test_promoted_work_runs_once_and_before_other_prefetch(pool: WorkerPool[None], gate: threading.Event) -> None:
    done: list[str] = []
    pool.submit(lambda _: gate.wait())
    first = pool.submit(lambda _: done.append("first"), Priority.PREFETCH)
    second = pool.submit(lambda _: done.append("second"), Priority.PREFETCH)
    second.promote()
    gate.set()
    await asyncio.gather(first.future, second.future)
    await pool.submit(lambda _: None, Priority.PREFETCH).future
    assert done == ["second", "first"]


async def test_dropped_work_is_never_begun(pool: WorkerPool[None], gate: threading.Event) -> None:
    done: list[str] = []
    pool.submit(lambda _: gate.wait())
    job = pool.submit(lambda _: done.append("dropped"))
    assert job.drop()
    assert not job.drop()
    gate.set()
    await pool.submit(lambda _: None).future
    assert done == []
    assert job.future.cancelled()


async def test_work_under_way_cannot_be_dropped(pool: WorkerPool[None], gate: threading.Event) -> None:
    begun = threading.Event()
    job = pool.submit(lambda _: (begun.set(), gate.wait(), "kept")[2])
    await asyncio.to_thread(begun.wait)
    assert not job.drop()
    gate.set()
    assert await job.future == "kept"


async def test_an_error_comes_to_the_one_who_waits(pool: WorkerPool[None]) -> None:
    def fail(_: None) -> None:
        raise LookupError("no such thing")

    with pytest.raises(LookupError, match="no such thing"):
        await pool.submit(fail).future
    assert await pool.submit(lambda _: "the worker lives").future == "the worker lives"


async def test_each_worker_enters_and_leaves_with_its_own_state() -> None:
    entered: list[threading.Thread] = []
    left: list[threading.Thread] = []

    def enter() -> threading.Thread:
        entered.append(threading.current_thread())
        return threading.current_thread()

    pool = WorkerPool("test", 3, enter, left.append)
    assert await pool.submit(lambda state: state is threading.current_thread()).future
    pool.stop()
    await asyncio.to_thread(pool.join)
    assert sorted(map(id, entered)) == sorted(map(id, left))


@pytest.mark.parametrize(("patience", "first"), [(1000.0, "quick"), (-1.0, "heavy")])
async def test_heavy_work_lets_quick_work_go_first_but_not_for_ever(
    pool: WorkerPool[None], gate: threading.Event, monkeypatch: pytest.MonkeyPatch, patience: float, first: str
) -> None:
    monkeypatch.setattr("viewer.engine.workers.PATIENCE", patience)
    done: list[str] = []
    pool.submit(lambda _: gate.wait())
    names = ["heavy", "quick", "heavy", "quick"]
    jobs = [
        pool.submit(lambda _, name=name: done.append(name), Priority.HEAVY if name == "heavy" else Priority.INTERACTIVE)
        for name in names
    ]
    gate.set()
    await asyncio.gather(*(job.future for job in jobs))
    assert done == sorted(names, reverse=first == "quick")
