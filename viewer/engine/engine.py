"""Decoded frames kept, and pictures drawn from them. Below this line nothing knows users or rows.

`draw` is the way of every picture, whichever door asks for it: the frame from the cache or loaded, then one hop to a
render thread that draws and encodes it. Everything here is called on the event loop on which `start` was awaited.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

from viewer.dicom.decode import decode, is_native
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource
from viewer.dicom.pixels import read_encoded
from viewer.dicom.series import SeriesContent
from viewer.rendering.encode import ENCODERS, encode
from viewer.rendering.render import RENDERER, render, resolve, warm
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Frame

from .budget import Budget
from .cache import Cache
from .children import DECODER, DecodeChild, DecodeChildren
from .errors import Busy, CannotDecode
from .prefetch import Prefetcher
from .series import FrameKey, OpenSeries, key_of, open_series
from .workers import Job, Priority, WorkerPool

__all__ = ["Drawn", "Engine", "OpenSeries", "Priority", "SeriesContent"]

MAX_OPEN_FRAMES = 200_000
"""Frames of the series whose stacks are kept."""
MAX_WAITING = 256
"""Pictures that wait for a render thread before a further one is answered `busy`."""
FRAME_OVERHEAD = 4096
"""Bytes a cached frame takes beside its values."""
THUMBNAIL_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture as bytes, with what the header of the protocol says about it."""

    header: dict[str, Any]
    payload: bytes
    view: View
    """Resolved: the same picture can be had again by it."""


class Engine:
    """One per process. The defaults of threads and children are one a core."""

    def __init__(
        self,
        budget: Budget,
        *,
        render_threads: int | None = None,
        decode_children: int | None = None,
        decode_seconds: float | None = None,
        decoder: str = DECODER,
    ) -> None:
        self.budget = budget
        self._render_threads = render_threads or budget.cores
        self._child_count = decode_children or budget.cores
        self._decode_seconds = decode_seconds or budget.decode_seconds
        self._decoder = decoder
        self._frames: Cache[FrameKey, Frame] = Cache(budget.frames, _frame_size)
        self._open: Cache[tuple[str, str, str], OpenSeries] = Cache(
            MAX_OPEN_FRAMES, lambda opened: len(opened.places) + 1
        )
        self._slot_count = max(1, self._child_count - 1)
        self._slots = asyncio.Semaphore(self._slot_count)
        """For what is loaded ahead: one decode child stays free, so that a reader who jumps never waits behind it."""
        self._ahead: dict[Hashable, Prefetcher] = {}

    async def start(self) -> None:
        """Start threads and decode children and compile the kernels; the first picture waits for none of them then."""
        self._renderers: WorkerPool[None] = WorkerPool("render", self._render_threads, _nothing)
        self._readers: WorkerPool[None] = WorkerPool("read", max(2, self._render_threads), _nothing)
        self._children = DecodeChildren(
            self._child_count, self.budget.decode_child, self._decode_seconds, self._decoder
        )
        ready = self._children.submit(lambda child: None, Priority.INTERACTIVE)
        await asyncio.gather(asyncio.to_thread(warm), ready.future)

    async def stop(self) -> None:
        """Drop what waits, end threads and children, and forget the frames."""
        for reader in list(self._ahead):
            self.leave(reader)
        pools = (self._renderers, self._readers, self._children)
        for pool in pools:
            pool.stop()
        await asyncio.gather(*(asyncio.to_thread(pool.join) for pool in pools))
        self._frames.clear()
        self._open.clear()

    async def open(self, content: SeriesContent) -> OpenSeries:
        """The stacks of a series; built once for each version of it."""
        key = (content.organization, content.series, content.version)
        return await self._open.load(
            key, lambda priority: self._readers.submit(lambda _: open_series(content), priority), Priority.INTERACTIVE
        )

    async def opened(self, organization: str, series: str, version: str) -> OpenSeries | None:
        """A series that is open already in this version: its content need not be fetched again."""
        return self._open.get((organization, series, version))

    async def resolve(self, series: OpenSeries, view: View) -> View:
        """The View with nothing left to choose. Loads its frame: a window may have to be found in the pixels."""
        placed, source = series.place(view)
        frame = await self._frame(source, Priority.INTERACTIVE)
        return await self._renderers.submit(lambda _: resolve(placed, frame)).future

    def resident(self, series: OpenSeries, view: View) -> bool:
        """True when the frame of `view` needs no loading."""
        return key_of(series.place(view)[1]) in self._frames

    async def load(self, series: OpenSeries, view: View, priority: Priority = Priority.INTERACTIVE) -> None:
        """Have the frame of `view` resident. A caller that is cancelled leaves no load behind that was not begun."""
        await self._frame(series.place(view)[1], priority)

    async def draw(
        self,
        series: OpenSeries,
        view: View,
        media_type: str = "image/jpeg",
        quality: int = 90,
        priority: Priority = Priority.INTERACTIVE,
        most: int | None = None,
    ) -> Drawn:
        """One picture, of `most` pixels at most. Raises BadView, or CannotDraw when the frame gives no pixels or too much is
        asked at once.

        A caller that is cancelled leaves nothing behind: what was not begun for it alone never is.
        """
        if media_type not in ENCODERS:
            raise BadView(f"media_type: one of {', '.join(ENCODERS)} is needed")
        placed, source = series.place(view)
        started = time.perf_counter()
        frame = self._frames.get(key_of(source))
        if frame is None:
            frame = await self._frame(source, priority)
        if self._renderers.waiting >= MAX_WAITING:
            raise Busy()
        load, frames = time.perf_counter() - started, len(series.stacks[placed.stack].frames)
        job = self._renderers.submit(
            lambda _: _picture(frame, placed, media_type, quality, most, load, frames, series.version),
            priority,
        )
        try:
            return await job.future
        except asyncio.CancelledError:
            job.drop()
            raise

    def prefetch(self, series: OpenSeries, view: View, direction: int, *, reader: Hashable) -> None:
        """Load the neighbours of a resolved View in one direction (1 or -1), behind everything that anybody waits for.

        `reader` has one place at a time: what was asked for ahead of the former one and is not begun is dropped.
        """
        ahead = self._ahead.get(reader)
        if ahead is None:
            ahead = self._ahead[reader] = Prefetcher(
                load=partial(self._frame, priority=Priority.PREFETCH),
                resident=self._frames.__contains__,
                room=self._room,
                slots=self._slots,
                width=self._slot_count,
            )
        ahead.steer(series, view.stack, view.frame or 0, direction)

    def leave(self, reader: Hashable) -> None:
        """`reader` is gone: load nothing more ahead of it."""
        ahead = self._ahead.pop(reader, None)
        if ahead is not None:
            ahead.stop()

    async def thumbnail(self, series: OpenSeries, stack: int = 0, size: int = 160) -> bytes:
        """The middle frame of a stack in a square of `size` pixels, as JPEG."""
        if not 0 <= stack < len(series.stacks):
            raise BadView(f"stack: this series has {len(series.stacks)}, counted from 0")
        view = View(stack=stack, frame=len(series.stacks[stack].frames) // 2, size=(size, size))
        return (await self.draw(series, view, "image/jpeg", THUMBNAIL_QUALITY, Priority.PREFETCH)).payload

    async def _frame(self, source: FrameSource, priority: Priority) -> Frame:
        return await self._frames.load(key_of(source), partial(self._load, source), priority)

    def _load(self, source: FrameSource, priority: Priority) -> Job[Any, Frame]:
        if is_native(source.layout.transfer_syntax_uid):
            return self._readers.submit(lambda _: _read(source), priority)
        return self._children.submit(partial(_decode, source), priority)

    def _room(self, source: FrameSource) -> int:
        """How many frames like this one a single reader may have loaded ahead: a quarter of the cache."""
        layout = source.layout
        size = layout.rows * layout.columns * layout.samples_per_pixel * layout.dtype.itemsize
        return self._frames.limit // 4 // (size + FRAME_OVERHEAD)


def _picture(
    frame: Frame,
    view: View,
    media_type: str,
    quality: int,
    most: int | None,
    load: float,
    frames: int,
    series_version: str,
) -> Drawn:
    """Draw and encode; in a render thread. `load` is seconds."""
    begun = time.perf_counter()
    picture = render(frame, view, most)
    rendered = time.perf_counter()
    payload = encode(picture.pixels, media_type, quality)
    exact = ENCODERS[media_type].lossless and most is None
    sha256 = hashlib.sha256(picture.pixels.data).hexdigest() if exact else None
    encoded = time.perf_counter()
    description = frame.description
    lossy = description.source_lossy
    header = {
        "media_type": media_type,
        "rows": picture.pixels.shape[0],
        "columns": picture.pixels.shape[1],
        "exact": exact,
        "sampling": picture.sampling,
        "source_lossy": None if lossy is None else {"ratio": lossy.ratio, "method": lossy.method},
        "stamped": False,
        "renderer": RENDERER,
        "series_version": series_version,
        "view": picture.view.to_json(),
        "geometry": None if picture.geometry is None else picture.geometry.to_json(),
        "pixel_spacing": picture.millimetres,
        "pixel_spacing_source": picture.millimetres_source,
        "stack": view.stack,
        "frames": frames,
        "labels": dict(description.labels),
        "warnings": list(description.warnings),
        "timing_ms": {
            "load": round(load * 1000, 3),
            "render": round((rendered - begun) * 1000, 3),
            "encode": round((encoded - rendered) * 1000, 3),
        },
    }
    if exact:
        header["sha256"] = sha256
    return Drawn(header, payload, picture.view)


def _read(source: FrameSource) -> Frame:
    """A frame that is not compressed; in a read thread."""
    try:
        description = source.description()
        decoded = decode(read_encoded(source), source.layout)
    except (DicomError, OSError) as error:
        raise _unreadable(error) from error
    return Frame(decoded.values, decoded.photometric_interpretation, description)


def _unreadable(error: DicomError | OSError) -> CannotDecode:
    """In words for the reader: what is wrong with the file, not where the server keeps it."""
    reason = (error.strerror or "its file cannot be used").lower() if isinstance(error, OSError) else str(error)
    return CannotDecode(f"This image cannot be read: {reason}.")


def _decode(source: FrameSource, child: DecodeChild) -> Frame:
    """A compressed frame; in the thread of a decode child."""
    try:
        encoded, description = read_encoded(source), source.description()
    except (DicomError, OSError) as error:
        raise _unreadable(error) from error
    layout = source.layout
    decoded = child.decode(encoded, layout)
    if decoded.values.shape != layout.shape:  # kernels trust it
        raise CannotDecode("This image cannot be decoded: the decoder answered with another shape.")
    return Frame(decoded.values, decoded.photometric_interpretation, description)


def _frame_size(frame: Frame) -> int:
    return frame.values.nbytes + FRAME_OVERHEAD


def _nothing() -> None:
    return None
