"""Volumes kept, shared by all readers: bounded by bytes, least recently used first, one load at a time for each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from viewer.dicom.volumes import VolumePlan
from viewer.rendering.volume import Volume

from .cache import Cache
from .children import DecodeChildren
from .errors import TooLarge
from .filling import Filling, Progress
from .frames import Frames
from .workers import Priority, WorkerPool


@dataclass(slots=True)
class LoadCounts:
    """How loads ended so far."""

    done: int = 0
    failed: int = 0
    cancelled: int = 0
    seconds: float = 0.0
    """Of those that were done."""


class Volumes:
    """Lives on the event loop; `start` gives it the engine's threads."""

    def __init__(self, limit: int, frames: Frames) -> None:
        self.cache: Cache[str, Volume] = Cache(limit, lambda volume: volume.nbytes)
        self.loads = LoadCounts()
        self._frames = frames
        self._listeners: dict[str, list[Progress]] = {}
        self._room_made = asyncio.Event()
        self._under_way: set[Filling] = set()

    def start(self, readers: WorkerPool[None], children: DecodeChildren) -> None:
        self._readers, self._children = readers, children

    def stop(self) -> None:
        """Give up what is being loaded, and forget the rest."""
        for filling in tuple(self._under_way):
            filling.drop()
        self.cache.clear()

    def resident(self, plan: VolumePlan) -> bool:
        return plan.key in self.cache

    async def load(self, plan: VolumePlan, progress: Progress | None = None) -> Volume:
        """The volume; callers for the same one share its loading and are all told of its progress. When the last of them is
        cancelled, so is the load. Raises TooLarge, CannotDecode."""
        volume = self.cache.get(plan.key)
        if volume is not None:
            return volume
        if plan.nbytes > self.cache.limit // 2:
            raise TooLarge(
                f"As a volume this series takes {_megabytes(plan.nbytes)}, more than the {_megabytes(self.cache.limit // 2)} "
                "that this server has for one. It can be looked at image by image."
            )
        listeners = self._listeners.setdefault(plan.key, [])
        if progress is not None:
            listeners.append(progress)
        try:
            return await self.cache.load(plan.key, lambda _: self._start(plan), Priority.INTERACTIVE)
        finally:
            if progress is not None:
                listeners.remove(progress)
            if not listeners and self._listeners.get(plan.key) is listeners:
                del self._listeners[plan.key]

    def _start(self, plan: VolumePlan) -> Filling:
        def tell(done: int, total: int) -> None:
            for progress in tuple(self._listeners.get(plan.key, ())):
                progress(done, total)

        filling = Filling(plan, self._frames, self._readers, self._children, self._reserved(plan), tell)
        begun = asyncio.get_running_loop().time()
        self._under_way.add(filling)
        filling.future.add_done_callback(lambda future: self._count(future, begun))
        filling.future.add_done_callback(lambda _: self._under_way.discard(filling))
        return filling

    def _count(self, future: asyncio.Future[Volume], begun: float) -> None:
        if future.cancelled():
            self.loads.cancelled += 1
        elif future.exception() is not None:
            self.loads.failed += 1
        else:
            self.loads.done += 1
            self.loads.seconds += asyncio.get_running_loop().time() - begun

    @asynccontextmanager
    async def _reserved(self, plan: VolumePlan) -> AsyncIterator[None]:
        """Memory for a load: those under way share the limit, one that does not fit beside the others waits for them."""
        size = plan.nbytes + (0 if plan.layers is None else plan.frames_nbytes)
        while self.cache.reserved and self.cache.reserved + size > self.cache.limit:
            self._room_made.clear()
            await self._room_made.wait()
        self.cache.reserve(size)
        try:
            yield
        finally:
            self.cache.release(size)
            self._room_made.set()


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def added_up(progress: Progress | None, totals: Sequence[int]) -> list[Progress]:
    """For each of several loads what tells `progress` of all of them as if they were one."""
    done = [0] * len(totals)

    def part(number: int) -> Progress:
        def tell(frames: int, _: int) -> None:
            done[number] = frames
            if progress is not None:
                progress(sum(done), sum(totals))

        return tell

    return [part(number) for number in range(len(totals))]
