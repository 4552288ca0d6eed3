"""Decoded frames and volumes kept, and pictures drawn from them. Below this line nothing knows users or rows.

`draw` is the way of every picture, whichever door asks for it: its frame or volume from the cache or loaded, then one hop
to a render thread that draws and encodes it. Everything here is called on the event loop on which `start` was awaited.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from typing import Any

from viewer.dicom.frames import FrameSource
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.dicom.suv import with_suv
from viewer.dicom.volumes import VolumePlan
from viewer.rendering.device import Device
from viewer.rendering.dressing import dressed
from viewer.rendering.encode import ENCODERS
from viewer.rendering.measuring import Points, Shown, measure
from viewer.rendering.render import resolve
from viewer.rendering.render import warm as warm_rendering
from viewer.rendering.stamping import Stamp
from viewer.rendering.storing import Run
from viewer.rendering.view import BadView, View, needs_volume
from viewer.rendering.volume import Frame, Volume

from .bands import Bands, Unwanted
from .budget import Budget
from .cache import Cache
from .children import DECODER, DecodeChildren
from .cores import one_each
from .errors import Busy
from .extras import ExtrasLoader, Objects, by_uid
from .filling import Progress
from .frames import Frames
from .metrics import Counters
from .picture import Drawn, Order, Pixels, carry_out
from .prefetch import Prefetcher
from .raw import warm as warm_raw
from .segments import Segmentations
from .series import OpenSeries, key_of, open_series
from .store import DecodedStore
from .volumes import Volumes, added_up
from .workers import Priority, WorkerPool

__all__ = [
    "Drawn",
    "Engine",
    "InstanceFile",
    "Objects",
    "OpenSeries",
    "Pixels",
    "Priority",
    "Progress",
    "SeriesContent",
    "by_uid",
]

logger = logging.getLogger(__name__)

MAX_OPEN_FRAMES = 200_000
"""Frames of the series whose stacks are kept."""
MAX_WAITING = 256
"""Pictures that wait for a render thread before a further one is answered `busy`."""
THUMBNAIL_QUALITY = 80
NO_OBJECTS: Objects = {}


def warm() -> None:
    """Compile every kernel, or load it from the cache."""
    warm_rendering()
    warm_raw()


def _nothing() -> None:
    return None


class Engine:
    """One per process. The defaults of threads and children are one a core.

    `store` keeps decoded frames on disk. `find_device` gives what draws volumes faster than the processor does, or None.
    """

    def __init__(
        self,
        budget: Budget,
        *,
        render_threads: int | None = None,
        decode_children: int | None = None,
        decode_seconds: float | None = None,
        decoder: str = DECODER,
        store: DecodedStore | None = None,
        find_device: Callable[[], Device | None] = _nothing,
    ) -> None:
        self.budget = budget
        self.counters = Counters()
        self.store = store
        self.device: Device | None = None
        self._find_device = find_device
        self._render_threads = render_threads or budget.cores
        self._child_count = decode_children or budget.cores
        self._decode_seconds = decode_seconds or budget.decode_seconds
        self._decoder = decoder
        self.frames = Frames(budget.frames, store)
        self.volumes = Volumes(budget.volumes, self.frames)
        self.extras = ExtrasLoader(self.frames)
        self.segmentations = Segmentations(budget.volumes // 8, self.frames)
        self._open: Cache[tuple[str, str, str], OpenSeries] = Cache(
            MAX_OPEN_FRAMES, lambda opened: len(opened.places) + 1
        )
        self._slot_count = max(1, self._child_count - 1)
        self._slots = asyncio.Semaphore(self._slot_count)
        """For what is loaded ahead: one decode child stays free, so that a reader who jumps never waits behind it."""
        self._ahead: dict[Hashable, Prefetcher] = {}

    async def start(self) -> None:
        """Start threads and decode children and compile the kernels; the first picture waits for none of them then."""
        self.renderers: WorkerPool[None] = WorkerPool("render", self._render_threads, one_each())
        self.readers: WorkerPool[None] = WorkerPool("read", max(2, self._render_threads), _nothing)
        self.children = DecodeChildren(self._child_count, self.budget.decode_child, self._decode_seconds, self._decoder)
        self._bands = Bands(self.renderers)
        self.frames.start(self.readers, self.children)
        self.volumes.start(self.readers, self.children)
        self.extras.start(self.readers, self.children)
        self.segmentations.start(self.readers, self.children)
        if self.store is not None:
            self.store.start()
        ready = self.children.submit(lambda child: None, Priority.INTERACTIVE)
        await asyncio.gather(asyncio.to_thread(self._warm), ready.future)

    async def stop(self) -> None:
        """Drop what waits, end threads and children, and forget frames and volumes."""
        for reader in list(self._ahead):
            self.leave(reader)
        self.volumes.stop()
        pools = (self.renderers, self.readers, self.children)
        for pool in pools:
            pool.stop()
        await asyncio.gather(*(asyncio.to_thread(pool.join) for pool in pools))
        if self.store is not None:
            await asyncio.to_thread(self.store.close)
        if self.device is not None:
            await asyncio.to_thread(self.device.close)
        self.frames.cache.clear()
        self.segmentations.cache.clear()
        self._open.clear()

    def _warm(self) -> None:
        """Kernels for the processor, then for the device."""
        warm()
        device = self._find_device()
        if device is not None and not device.lost:
            logger.info("Volumes are drawn by %s; preparing it takes some seconds.", device.name)
            device.warm()
        self.device = device

    async def open(self, content: SeriesContent) -> OpenSeries:
        """The stacks of a series; built once for each version of it."""
        key = (content.organization, content.series, content.version)
        return await self._open.load(
            key, lambda priority: self.readers.submit(lambda _: open_series(content), priority), Priority.INTERACTIVE
        )

    async def opened(self, organization: str, series: str, version: str) -> OpenSeries | None:
        """A series that is open already in this version: its content need not be fetched again."""
        return self._open.get((organization, series, version))

    async def presentation_states(self, series: OpenSeries, files: Iterable[InstanceFile]) -> list[dict[str, Any]]:
        """Those among `files` that are about images of the series, as `series.opened` lists them."""
        return await self.extras.listed(series, files)

    async def resolve(
        self, series: OpenSeries, view: View, fused: OpenSeries | None = None, objects: Objects = NO_OBJECTS
    ) -> View:
        """The View with nothing left to choose. Loads what it is drawn from: a window may have to be found in the pixels."""
        placed, frame = series.place(view)
        source, overlay = await self._loaded(series, placed, frame, fused, Priority.INTERACTIVE)
        extras = await self.extras.load(series, placed, frame, objects, Priority.INTERACTIVE)
        if extras is not None and isinstance(source, Frame):
            bare, laid_on = source, extras
            return await self.renderers.submit(lambda _: resolve(placed, dressed(bare, laid_on))).future
        return await self.renderers.submit(lambda _: resolve(placed, source, overlay)).future

    def resident(
        self, series: OpenSeries, view: View, fused: OpenSeries | None = None, objects: Objects = NO_OBJECTS
    ) -> bool:
        """True when what `view` is drawn from needs no loading."""
        placed, source = series.place(view)
        if (placed.fusion is not None and fused is None) or not self.segmentations.resident(placed, objects):
            return False
        if needs_volume(placed):
            return all(map(self.volumes.resident, _plans(series, placed, fused)))
        return key_of(source) in self.frames.cache

    async def load(
        self,
        series: OpenSeries,
        view: View,
        priority: Priority = Priority.INTERACTIVE,
        progress: Progress | None = None,
        fused: OpenSeries | None = None,
        objects: Objects = NO_OBJECTS,
    ) -> None:
        """Have what `view` is drawn from resident. Of a volume, `progress` is told how many frames of how many are in.

        A caller that is cancelled leaves no load behind that was not begun, and no load of a volume at all.
        """
        placed, frame = series.place(view)
        await self._loaded(series, placed, frame, fused, priority, progress)
        if objects:
            await self.segmentations.of_view(placed, series, objects)

    async def source(self, series: OpenSeries, view: View) -> Frame | Volume:
        """What `view` is drawn from, whatever is laid over it."""
        placed = series.place(replace(view, fusion=None))
        return (await self._loaded(series, *placed, None, Priority.INTERACTIVE))[0]

    async def draw(
        self,
        series: OpenSeries,
        view: View,
        media_type: str = "image/jpeg",
        quality: int = 90,
        priority: Priority = Priority.INTERACTIVE,
        most: int | None = None,
        fused: OpenSeries | None = None,
        reuse: Pixels | None = None,
        objects: Objects = NO_OBJECTS,
        stamp: Stamp | None = None,
    ) -> Drawn:
        """One picture, of `most` pixels at most. Raises BadView, or CannotDraw when there are no pixels or too much is asked
        at once.

        `fused` is the open series of `view.fusion`, `objects` hold those that the View names otherwise. `reuse` is what an
        earlier picture was made of: where it is the one that is asked for, it is not drawn again. `stamp` goes over the picture
        last. A caller that is cancelled leaves nothing behind: what was not begun for it alone never is, and a heavy picture
        stops after the band at hand.
        """
        if media_type not in ENCODERS:
            raise BadView(f"media_type: one of {', '.join(ENCODERS)} is needed")
        placed, frame = series.place(view)
        started = time.perf_counter()
        source, overlay = await self._loaded(series, placed, frame, fused, priority)
        extras = await self.extras.load(series, placed, frame, objects, priority)
        segmented = await self.segmentations.of_view(placed, series, objects)
        if self.renderers.waiting >= MAX_WAITING:
            self.counters.busy += 1
            raise Busy()
        order = Order(
            source=source,
            view=placed,
            media_type=media_type,
            quality=quality,
            most=most,
            content=(*_versions(series, fused), *(segmentation.key for segmentation in segmented)),
            frames=len(series.stacks[placed.stack].frames),
            loaded=time.perf_counter() - started,
            fused=overlay,
            reuse=reuse,
            extras=extras,
            segmented=segmented,
            stamp=stamp,
        )
        unwanted = Unwanted()
        run: Run = self._bands.run
        if priority is Priority.INTERACTIVE and placed.projection != "slice":
            priority, run = Priority.HEAVY, unwanted.stops(self._bands.run_heavy)
        job = self.renderers.submit(lambda _: carry_out(order, run, self.device), priority)
        try:
            drawn = await job.future
        except asyncio.CancelledError:
            unwanted.now = True
            job.drop()
            raise
        what = "volume" if isinstance(source, Volume) else "frame"
        self.counters.count(drawn, what, reused=reuse is not None and drawn.picture is reuse)
        return drawn

    async def measure(self, series: OpenSeries, kind: str, points: Points, shown: Shown) -> dict[str, Any]:
        """What `rendering.measuring.measure` finds on a picture of the series that was shown, of a PET with the values in SUV.
        Raises CannotMeasure."""
        source = await self.source(series, shown.view)
        job = self.renderers.submit(lambda _: measure(kind, points, source, shown))
        try:
            return with_suv(await job.future, series.suv)
        except asyncio.CancelledError:
            job.drop()
            raise

    def prefetch(self, series: OpenSeries, view: View, direction: int, *, reader: Hashable) -> None:
        """Load the neighbours of a resolved View in one direction (1 or -1), behind everything that anybody waits for.

        `reader` has one place at a time: what was asked for ahead of the former one and is not begun is dropped. A
        volume has no neighbours.
        """
        if needs_volume(view):
            return
        ahead = self._ahead.get(reader)
        if ahead is None:
            ahead = self._ahead[reader] = Prefetcher(
                load=lambda source: self.frames.load(source, Priority.PREFETCH),
                resident=self.frames.cache.__contains__,
                room=self.frames.room,
                slots=self._slots,
                width=self._slot_count,
            )
        ahead.steer(series, view.stack, view.frame or 0, direction)

    def leave(self, reader: Hashable) -> None:
        """`reader` is gone: load nothing more ahead of it."""
        ahead = self._ahead.pop(reader, None)
        if ahead is not None:
            ahead.stop()

    async def thumbnail(self, series: OpenSeries, stack: int = 0, size: int = 160, stamp: Stamp | None = None) -> bytes:
        """The middle frame of a stack in a square of `size` pixels, as JPEG."""
        if not 0 <= stack < len(series.stacks):
            raise BadView(f"stack: this series has {len(series.stacks)}, counted from 0")
        view = View(stack=stack, frame=len(series.stacks[stack].frames) // 2, size=(size, size))
        drawn = await self.draw(series, view, "image/jpeg", THUMBNAIL_QUALITY, Priority.PREFETCH, stamp=stamp)
        return drawn.payload

    async def _loaded(
        self,
        series: OpenSeries,
        placed: View,
        frame: FrameSource,
        fused: OpenSeries | None,
        priority: Priority,
        progress: Progress | None = None,
    ) -> tuple[Frame | Volume, Volume | None]:
        """The frame or volume of a View with its place, and the volume that is laid over it."""
        if not needs_volume(placed):
            return self.frames.cache.get(key_of(frame)) or await self.frames.load(frame, priority), None
        plans = _plans(series, placed, fused)
        if len(plans) == 1:
            return await self.volumes.load(plans[0], progress), None
        one, other = added_up(progress, [len(plan.frames) for plan in plans])
        below, above = await asyncio.gather(self.volumes.load(plans[0], one), self.volumes.load(plans[1], other))
        return below, above


def _versions(series: OpenSeries, fused: OpenSeries | None) -> tuple[str, ...]:
    return (series.version,) if fused is None else (series.version, fused.series, fused.version)


def _plans(series: OpenSeries, placed: View, fused: OpenSeries | None) -> list[VolumePlan]:
    """The volumes that a View is drawn from. Raises BadView where one cannot be had."""
    plans = [series.volume_plan(placed.stack, _field(placed))]
    if placed.fusion is not None:
        if fused is None:
            raise BadView("fusion: its series is not open")
        plans.append(fused.volume_plan(placed.fusion.stack, "fusion"))
    return plans


def _field(view: View) -> str:
    """Which field of a View asks for a volume."""
    return "plane" if view.plane != "acquired" else "projection" if view.projection != "slice" else "fusion"
