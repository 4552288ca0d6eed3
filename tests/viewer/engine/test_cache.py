"""Frames stay while there is room, and are loaded once however many ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from viewer.engine.cache import REMEMBER_FAILURE, Cache
from viewer.engine.errors import CannotDecode
from viewer.engine.workers import Job, Priority, WorkerPool


class Source:
    """Stands where a decoder stands: loads are finished by hand."""

    def __init__(self) -> None:
        self.started: list[tuple[str, Priority]] = []
        self.jobs: list[Job] = []
        self.pool: WorkerPool[None] = WorkerPool("test", 0, lambda: None)

    def load(self, key: str) -> Callable[[Priority], Job]:
        def start(priority: Priority) -> Job:
            self.started.append((key, priority))
            self.jobs.append(self.pool.submit(lambda _: None, priority))
            return self.jobs[-1]

        return start


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def cache() -> Cache[str, bytes]:
    return Cache(10, len)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def kept(cache: Cache[str, bytes], source: Source, key: str, value: bytes) -> None:
    task = asyncio.create_task(cache.load(key, source.load(key), Priority.INTERACTIVE))
    await settle()
    source.jobs[-1].future.set_result(value)
    assert await task == value
    await settle()


async def test_a_value_is_loaded_once(cache: Cache[str, bytes], source: Source) -> None:
    await kept(cache, source, "a", b"four")
    assert await cache.load("a", source.load("a"), Priority.INTERACTIVE) == b"four"
    assert len(source.started) == 1
    assert cache.used == 4


async def test_the_least_recently_used_goes_first(cache: Cache[str, bytes], source: Source) -> None:
    await kept(cache, source, "a", b"four")
    await kept(cache, source, "b", b"four")
    assert cache.get("a") == b"four"
    await kept(cache, source, "c", b"four")
    assert ("a" in cache, "b" in cache, "c" in cache) == (True, False, True)
    assert cache.used == 8


async def test_a_value_larger_than_the_cache_is_kept_alone(cache: Cache[str, bytes], source: Source) -> None:
    await kept(cache, source, "a", b"four")
    await kept(cache, source, "huge", b"eleven chars")
    assert ("a" in cache, "huge" in cache) == (False, True)
    await kept(cache, source, "b", b"four")
    assert ("huge" in cache, "b" in cache, cache.used) == (False, True, 4)


async def test_all_who_ask_share_one_load(cache: Cache[str, bytes], source: Source) -> None:
    tasks = [asyncio.create_task(cache.load("a", source.load("a"), Priority.INTERACTIVE)) for _ in range(3)]
    await settle()
    source.jobs[0].future.set_result(b"x")
    assert await asyncio.gather(*tasks) == [b"x", b"x", b"x"]
    assert len(source.started) == 1


async def test_a_reader_who_joins_a_prefetch_promotes_it(cache: Cache[str, bytes], source: Source) -> None:
    tasks = [asyncio.create_task(cache.load("a", source.load("a"), Priority.PREFETCH))]
    await settle()
    tasks.append(asyncio.create_task(cache.load("a", source.load("a"), Priority.INTERACTIVE)))
    await settle()
    assert source.jobs[0].priority is Priority.INTERACTIVE
    source.jobs[0].future.set_result(b"x")
    await asyncio.gather(*tasks)


async def test_a_load_that_nobody_waits_for_is_not_begun(cache: Cache[str, bytes], source: Source) -> None:
    tasks = [asyncio.create_task(cache.load("a", source.load("a"), Priority.INTERACTIVE)) for _ in range(2)]
    await settle()
    tasks[0].cancel()
    await settle()
    assert not source.jobs[0].future.cancelled()
    tasks[1].cancel()
    await settle()
    assert source.jobs[0].future.cancelled()
    await kept(cache, source, "a", b"x")
    assert len(source.started) == 2


async def test_a_load_under_way_is_kept_though_nobody_waits(cache: Cache[str, bytes], source: Source) -> None:
    task = asyncio.create_task(cache.load("a", source.load("a"), Priority.INTERACTIVE))
    await settle()
    source.jobs[0].take()  # as a worker does
    task.cancel()
    await settle()
    source.jobs[0].future.set_result(b"x")
    await settle()
    assert cache.get("a") == b"x"


async def test_a_failure_is_remembered_for_a_moment_only(source: Source) -> None:
    now = [0.0]
    cache: Cache[str, bytes] = Cache(10, len, clock=lambda: now[0])
    task = asyncio.create_task(cache.load("a", source.load("a"), Priority.INTERACTIVE))
    await settle()
    source.jobs[0].future.set_exception(CannotDecode("broken"))
    with pytest.raises(CannotDecode):
        await task
    with pytest.raises(CannotDecode, match="broken"):
        await cache.load("a", source.load("a"), Priority.INTERACTIVE)
    assert len(source.started) == 1
    now[0] = REMEMBER_FAILURE
    await kept(cache, source, "a", b"mended")
    assert len(source.started) == 2


async def test_a_failure_that_is_not_the_keys_own_is_tried_again(cache: Cache[str, bytes], source: Source) -> None:
    task = asyncio.create_task(cache.load("a", source.load("a"), Priority.INTERACTIVE))
    await settle()
    source.jobs[0].future.set_exception(LookupError("a bug"))
    with pytest.raises(LookupError):
        await task
    await kept(cache, source, "a", b"x")
    assert len(source.started) == 2
