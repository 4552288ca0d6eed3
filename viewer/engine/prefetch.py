"""Frames loaded before they are asked for: the neighbours in the direction in which the reader scrolls."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from .errors import CannotDraw
from .series import FrameKey, OpenSeries

if TYPE_CHECKING:
    from viewer.dicom.frames import FrameSource

AHEAD = 32
BEHIND = 8
STRIDE = 8
"""Frames after which a reader who goes on in one direction gets a new plan."""


class Prefetcher:
    """One reader's place in one stack. A new direction drops what the old one had asked for and not yet begun.

    `slots` is shared by all prefetchers of the engine; this one uses at most `width` of them.
    """

    def __init__(
        self,
        load: Callable[[FrameSource], Awaitable[object]],
        resident: Callable[[FrameKey], bool],
        room: Callable[[FrameSource], int],
        slots: asyncio.Semaphore,
        width: int,
    ) -> None:
        self._load, self._resident, self._room = load, resident, room
        self._slots = slots
        self._width = width
        self._planned: tuple[OpenSeries, int, int] | None = None
        """(series, stack, direction) of the plan, which was made at `_planned_at`."""
        self._planned_at = 0
        self._plan: deque[tuple[FrameKey, FrameSource]] = deque()
        self._running: dict[FrameKey, asyncio.Task[None]] = {}

    def steer(self, series: OpenSeries, stack: int, frame: int, direction: int) -> None:
        """The reader is at `frame` and goes up (1) or down (-1)."""
        planned = (series, stack, direction)
        if planned == self._planned and 0 <= (frame - self._planned_at) * direction < STRIDE:
            return
        self._planned, self._planned_at = planned, frame
        frames, keys = series.stacks[stack].frames, series.keys[stack]
        most = self._room(frames[frame])
        ahead, behind = min(AHEAD, most), min(BEHIND, max(0, most - AHEAD))
        steps = (*range(1, ahead + 1), *range(-1, -behind - 1, -1))
        places = [place for step in steps if 0 <= (place := frame + step * direction) < len(frames)]
        self._plan = deque((keys[place], frames[place]) for place in places if not self._resident(keys[place]))
        if self._running:
            keep = {key for key, _ in self._plan}
            for key, task in list(self._running.items()):
                if key not in keep:
                    task.cancel()
        self._fill()

    def stop(self) -> None:
        """Ask for nothing more."""
        self._plan.clear()
        for task in list(self._running.values()):
            task.cancel()

    def _fill(self) -> None:
        while self._plan and len(self._running) < self._width:
            key, source = self._plan.popleft()
            if key not in self._running and not self._resident(key):
                task = self._running[key] = asyncio.create_task(self._fetch(source))
                task.add_done_callback(partial(self._ended, key))

    def _ended(self, key: FrameKey, task: asyncio.Task[None]) -> None:
        self._running.pop(key, None)
        self._fill()

    async def _fetch(self, source: FrameSource) -> None:
        with suppress(CannotDraw):  # the reader is told when they come to it
            async with self._slots:
                await self._load(source)
