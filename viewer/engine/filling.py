"""A volume on its way: its frames read, restored or decoded into one array by all threads, then laid and bricked.

What needs no decoding comes first, in pieces of a few files for the read threads; what does goes to the decode children, frame
by frame, so that a reader's single picture is never behind more than one of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.dicom.volumes import VolumePlan
from viewer.rendering.bricks import GrowingBricks
from viewer.rendering.storing import store
from viewer.rendering.volume import Cells, Frame, Volume

from .assembling import assemble
from .bands import Bands
from .children import DecodeChild, DecodeChildren
from .errors import CannotDecode
from .frames import Frames, is_compressed, read_frame
from .raw import NotRead, read_run, take_run
from .series import key_of
from .workers import Job, Priority, WorkerPool

PIECE = 4 << 20
"""Bytes of the frames that one read job takes on: some milliseconds, after which whoever is more urgent gets the thread."""
MOST_FILES = 64
"""Frames of one read job, each perhaps a file that is open."""

Progress = Callable[[int, int], None]
"""(frames done, frames in all), on the event loop."""


@dataclass(frozen=True, slots=True)
class _Words:
    """Frames that are words of 16 bits, for a volume of such."""

    cells: list[Cells]
    """How each of them is converted where it lies."""
    bare: bool
    """They lie in their files as they are, and are read from there straight into the array."""
    bricks: GrowingBricks


class Filling:
    """One volume being loaded; `future` brings it. For `Cache`: it can be dropped at any time."""

    def __init__(
        self,
        plan: VolumePlan,
        frames: Frames,
        readers: WorkerPool[None],
        children: DecodeChildren,
        reserved: AbstractAsyncContextManager[None],
        progress: Progress,
    ) -> None:
        self.plan = plan
        self.future: asyncio.Future[Volume] = asyncio.get_running_loop().create_future()
        self._frames = frames
        self._readers, self._children = readers, children
        self._reserved = reserved
        self._progress = progress
        self._done = 0
        self._holes = False
        self._dropped = False
        self._words: _Words | None = None
        self._values: NDArray[Any] = np.empty(0)
        self._task = asyncio.create_task(self._run(), name="a volume is loaded")

    def promote(self) -> None:
        """Volumes are only loaded for readers who wait."""

    def drop(self) -> bool:
        """Nobody waits any more: jobs not begun are not, those under way end soon."""
        self._dropped = True
        self._task.cancel()
        self.future.cancel()
        return True

    # --- on the event loop

    async def _run(self) -> None:
        try:
            async with self._reserved:
                volume = await self._fill()
        except asyncio.CancelledError:
            self.future.cancel()
            raise
        except Exception as error:
            self._dropped = True
            if not self.future.done():
                self.future.set_exception(error)
        else:
            if not self.future.done():
                self.future.set_result(volume)
        finally:
            self._values = np.empty(0)

    async def _fill(self) -> Volume:
        await self._job(self._readers.submit(lambda _: self._prepare(), Priority.VOLUME))
        count = len(self.plan.frames)
        piece = min(max(1, PIECE // max(1, self.plan.frames_nbytes // count)), MOST_FILES)
        try:
            async with asyncio.TaskGroup() as group:
                for first in range(0, count, piece):
                    group.create_task(self._piece(range(first, min(first + piece, count))))
        except BaseExceptionGroup as errors:
            raise _first(errors) from None
        volume: Volume = await self._job(self._readers.submit(lambda _: self._finish(), Priority.VOLUME))
        return volume

    async def _piece(self, numbers: range) -> None:
        """Some neighbouring frames: first what only has to be read, then what has to be decoded."""
        cached = {}
        if self._words is None or not self._words.bare:
            cached = {n: frame for n in numbers if (frame := self._frames.cache.get(key_of(self.plan.frames[n])))}
        missing = await self._job(self._readers.submit(lambda _: self._read(numbers, cached), Priority.VOLUME))
        self._advance(len(numbers) - len(missing))
        if missing:
            async with asyncio.TaskGroup() as group:
                for number in missing:
                    group.create_task(self._decoded(number))

    async def _decoded(self, number: int) -> None:
        await self._job(self._children.submit(partial(self._decode, number), Priority.VOLUME))
        self._advance(1)

    def _advance(self, frames: int) -> None:
        self._done += frames
        if frames:
            self._progress(self._done, len(self.plan.frames))

    async def _job(self, job: Job[Any, Any]) -> Any:
        try:
            return await job.future
        except asyncio.CancelledError:
            job.drop()
            raise

    # --- in threads

    def _prepare(self) -> None:
        self._values = np.empty(self.plan.frames_shape, self.plan.storage.dtype)
        raw = self.plan.raw()
        cells = raw or self.plan.decoded()
        if cells is not None:
            self._words = _Words(cells, raw is not None, GrowingBricks(self._values.shape))

    def _read(self, numbers: range, cached: dict[int, Frame]) -> list[int]:
        """Put what needs no decoding in its place; the numbers of the other frames."""
        words = self._words
        if words is not None and words.bare:
            self._take(words, numbers)
            return []
        found: list[int] = []
        missing: list[int] = []
        for number in numbers:
            if self._dropped:
                break
            with self._naming(number):
                (found if self._placed(number, cached.get(number)) else missing).append(number)
        if words is not None:
            self._take(words, found)
        return missing

    def _placed(self, number: int, frame: Frame | None) -> bool:
        """Whether a frame could be put in its place without decoding it."""
        source = self.plan.frames[number]
        if frame is None and not is_compressed(source):
            frame = read_frame(source)
        elif frame is None and self._words is not None:
            return self._frames.kept_into(source, self._values[number])
        elif frame is None:
            frame = self._frames.kept(source)
        if frame is not None:
            self._put(number, frame)
        return frame is not None

    def _decode(self, number: int, child: DecodeChild) -> None:
        if not self._dropped:
            with self._naming(number):
                self._put(number, self._frames.decode(self.plan.frames[number], child))
            if self._words is not None:
                self._take(self._words, [number])

    def _put(self, number: int, frame: Frame) -> None:
        """Words of 16 bits as they are, to be taken then."""
        values = self._values
        if self._dropped:
            return
        if self._words is not None:
            np.copyto(values[number], frame.values, casting="unsafe")
        else:
            self._note(store(frame, self.plan.storage, values[..., number, :, :]))

    def _take(self, words: _Words, numbers: Sequence[int]) -> None:
        """Convert and brick frames, those that are bare words once they are read."""
        for run in _runs(numbers, words.cells):
            if self._dropped:
                return
            slices, how = self._values[run.start : run.stop], words.cells[run.start]
            part = words.bricks.part(run.start, len(run))
            try:
                if words.bare:
                    self._note(read_run(self.plan.frames[run.start : run.stop], slices, how, part))
                else:
                    self._note(take_run(slices, how, part))
            except NotRead as error:
                with self._naming(run.start + error.number):
                    raise error.why from error
            words.bricks.add(part)

    def _note(self, holes: bool) -> None:
        if holes:  # several threads say so, none takes it back
            self._holes = True

    @contextmanager
    def _naming(self, number: int) -> Iterator[None]:
        """Say of what goes wrong which frame it was."""
        try:
            yield
        except (CannotDecode, ValueError) as error:
            raise CannotDecode(
                f"No volume: image {number + 1} of {len(self.plan.frames)} is missing. {error}"
            ) from error

    def _finish(self) -> Volume:
        bricks = None if self._words is None else self._words.bricks.finished()
        return assemble(self.plan, self._values, self._holes, Bands(self._readers, band=1).run, bricks)


def _runs(numbers: Sequence[int], cells: Sequence[Cells]) -> Iterator[range]:
    """Neighbours that are converted alike, of numbers in rising order."""
    begin = 0
    for place, number in enumerate(numbers):
        following = numbers[place + 1] if place + 1 < len(numbers) else None
        if following != number + 1 or cells[following] != cells[number]:
            yield range(numbers[begin], number + 1)
            begin = place + 1


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first; groups hold groups."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
