"""A volume on its way: its frames read, restored or decoded into one array by all threads, then laid and bricked.

What needs no decoding comes first, in pieces of a few files for the read threads; what does goes to the decode children, frame
by frame, so that a reader's single picture is never behind more than one of them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource
from viewer.dicom.volumes import VolumePlan
from viewer.rendering.storing import store, store_raw
from viewer.rendering.volume import Cells, Frame, Volume

from .assembling import assemble
from .bands import Bands
from .children import DecodeChild, DecodeChildren
from .errors import CannotDecode
from .frames import Frames, is_compressed, read_frame, unreadable
from .series import key_of
from .workers import Job, Priority, WorkerPool

PIECE = 4 << 20
"""Bytes of the frames that one read job takes on: some milliseconds, after which whoever is more urgent gets the thread."""

Progress = Callable[[int, int], None]
"""(frames done, frames in all), on the event loop."""


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
        self._raw: list[Cells] | None = None
        """How each frame is converted in place, where all of them are read straight into the array."""
        self._decoded_before: list[Cells] | None = None
        """How the frames are that were decoded before and kept on disk."""
        self._values: NDArray[Any] = np.empty(0)
        self._task = asyncio.create_task(self._run(), name="a volume is loaded")

    def promote(self) -> None:
        """Volumes are only loaded for readers who wait."""

    def drop(self) -> bool:
        """Nobody waits any more: jobs not begun are not, those under way end at the next frame."""
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
        piece = max(1, PIECE // max(1, self.plan.frames_nbytes // count))
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
        if self._raw is None:
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
        self._raw = self.plan.raw()
        self._decoded_before = None if self._raw else self.plan.decoded()
        self._values = np.empty(self.plan.frames_shape, self.plan.storage.dtype)

    def _read(self, numbers: range, cached: dict[int, Frame]) -> list[int]:
        """Put what needs no decoding in its place; the numbers of the other frames."""
        missing = []
        for number in numbers:
            if self._dropped:
                break
            with self._naming(number):
                if not self._placed(number, cached):
                    missing.append(number)
        return missing

    def _placed(self, number: int, cached: dict[int, Frame]) -> bool:
        source, values = self.plan.frames[number], self._values
        if self._raw is not None:
            _read_raw(source, values[number])
            self._note(store_raw(values[number], self._raw[number]))
            return True
        frame = cached.get(number)
        if frame is None and not is_compressed(source):
            frame = read_frame(source)
        elif frame is None and self._decoded_before is not None:
            kept = self._frames.kept_into(source, values[number])
            if kept:
                self._note(store_raw(values[number], self._decoded_before[number]))
            return kept
        elif frame is None:
            frame = self._frames.kept(source)
        if frame is not None:
            self._put(number, frame)
        return frame is not None

    def _decode(self, number: int, child: DecodeChild) -> None:
        if not self._dropped:
            with self._naming(number):
                self._put(number, self._frames.decode(self.plan.frames[number], child))

    def _put(self, number: int, frame: Frame) -> None:
        values = self._values
        if not self._dropped:
            self._note(store(frame, self.plan.storage, values[..., number, :, :]))

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
        return assemble(self.plan, self._values, self._holes, Bands(self._readers, band=1).run)


def _read_raw(source: FrameSource, out: NDArray[np.int16]) -> None:
    """The bytes of one uncompressed frame from its file into its slice, with nothing in between."""
    try:
        ((offset, length),) = source.places
        target = out.reshape(-1).view(np.uint8).data
        if length != len(target):
            raise CannotDecode("This image cannot be read: it has another size than the others.")
        descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while target:
                count = os.preadv(descriptor, [target], offset)
                if not count:
                    raise CannotDecode("This image cannot be read: the stored file is shorter than its index says.")
                offset += count
                target = target[count:]
        finally:
            os.close(descriptor)
    except (DicomError, OSError) as error:
        raise unreadable(error) from error


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """What went wrong first; groups hold groups."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
