"""One picture area of one browser: a wish, a flag that says it is not drawn yet, and the loop that draws it.

A flag, not a queue: however many changes come while a picture is drawn, the next one answers the newest. While changes come
pictures are lossy, and as small as the link and the work of drawing them ask for; once nothing was wanted for a moment the
same View is sent again, whole and without loss.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypedDict

from viewer.engine.errors import Busy, CannotDraw
from viewer.rendering.measuring import CannotMeasure, Shown
from viewer.rendering.view import BadView, Fusion, View, needs_volume, objects_named, varied

from .credit import Credit
from .pacing import DRAWING as DRAWING
from .pacing import FIRST_PASSAGE, PASSAGE, UNMEASURED, Kind, Pace, Size
from .protocol import BadMessage, Measure, SeriesOpen, ViewChange, frame_message, text_message

if TYPE_CHECKING:
    from viewer.engine.engine import Drawn, Engine, InstanceFile, Objects, OpenSeries
    from viewer.engine.picture import Pixels
    from viewer.rendering.sheets import Stated
    from viewer.rendering.stamping import Stamp

logger = logging.getLogger(__name__)

REST = 0.15
"""Seconds with nothing wanted after which the picture is sent without loss."""
PATIENCE = 0.15
"""Seconds for which a frame is waited for although the reader wants another one by now. Within it pictures flow while the hand
moves; beyond it one slow or broken frame does not hold up the rest."""
LOOK_AGAIN = 0.05
BUSY = 0.25
"""Seconds before a wish is tried again that the engine was too busy for."""
PROGRESS = 0.2
"""Seconds between two words on how far loading is."""
MEASURABLE = 64
"""Frames of a viewport on which can still be measured: more than can be on their way."""
MEASURING = 8
"""Measurements of a viewport that are taken at once."""
MOVING = "image/jpeg"
MOVING_PIXELS = 2**20
"""Most pixels of a picture while the hand moves: a browser paints a larger one too slowly. The exact one has them all."""
USUAL_PIXELS = 2**18
STILL = "image/png"

Find = Callable[[str, str | None], Awaitable["OpenSeries"]]
"""(series, organization or None) to the open series, for those who may see it; else CannotDraw or BadView."""
FindObjects = Callable[[str, str, Collection[str] | None], Awaitable[list["InstanceFile"]]]
"""(series, organization, UIDs) to those objects of its study; without UIDs to its presentation states."""


FindStated = Callable[[str, str, str, int | None], Awaitable["Stated | None"]]
"""(series, organization, SOP Instance UID, frame number) to what readers state of the pixels of that frame."""


async def nobody_states(series: str, organization: str, image: str, frame_number: int | None) -> Stated | None:
    return None


async def nothing_beside(series: str, organization: str, wanted: Collection[str] | None) -> list[InstanceFile]:
    return []


class Beside(TypedDict, total=False):
    """What the engine draws a View with besides its series."""

    fused: OpenSeries | None
    objects: Objects


@dataclass(frozen=True, slots=True)
class Wires:
    """The ways out to the browser; each waits while the connection is full."""

    text: Callable[[str], Awaitable[None]]
    binary: Callable[[bytes], Awaitable[None]]


class Viewport:
    """Draws one viewport until it is closed or opened anew. Everything here runs on the event loop.

    `index` is the newest frame that was sent; `credit` outlives a viewport that is opened anew, or a silent client could ask
    for frames without end by opening again and again.
    """

    def __init__(
        self,
        name: str,
        engine: Engine,
        wires: Wires,
        *,
        index: int,
        credit: Credit,
        clock: Callable[[], float],
        find_stated: FindStated = nobody_states,
        stamp: Stamp | None = None,
    ) -> None:
        self.name = name
        self.index = index
        self.credit = credit
        self.series: OpenSeries | None = None
        self._find: Find
        self._over: tuple[tuple[str, str], OpenSeries] | None = None
        """What lies over the series (`View.fusion`), under its series and organization."""
        self._asked = ""
        """The series that is to be shown, also while it is being opened."""
        self._opened_version: str | None = None
        """What the client was told of it; None until then."""
        self._news: dict[str, Any] | None = None
        """Of the series, heard while it was being opened."""
        self._find_objects: FindObjects = nothing_beside
        self._find_stated = find_stated
        self._stamp = stamp
        self._beside: Objects = {}
        """What lies on the pictures: objects that the View names."""
        self._first_index = index + 1
        self._engine = engine
        self._wires = wires
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

        self._wish = View()
        self._drawable = View()
        """The newest wish that gave a picture: what a wish that cannot be drawn falls back to."""
        self._placed = (self._wish, self._wish)
        """A wish, and what it means in the series: looked up once for all who ask."""
        self._change = 0
        self._since = clock()
        """When the newest change came."""
        self._loaded = 0.0
        """Milliseconds that loading for the next frame has taken already."""
        self._load_left: asyncio.Future[None] | None = None
        """A load that was overtaken; it goes on until the next one has begun, which may want the same volume."""
        self._pace = Pace(MOVING_PIXELS)
        self._sent: dict[int, Shown] = {}
        """By index, oldest first: the last frames, for what is measured on them."""
        self._measuring: set[asyncio.Task[None]] = set()
        self._pixels = USUAL_PIXELS
        """Of the picture without loss, where the View does not say."""
        self._last: Pixels | None = None
        """Of the last lossy picture: if it has all its pixels, the one without loss only needs to be written."""
        self._frame: int | None = None
        self._wanted = False
        self._exact_due = False
        self._rest: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()

    def open(self, message: SeriesOpen, find: Find, find_objects: FindObjects = nothing_beside) -> None:
        """Start showing the series that `find` brings. Raises BadView for a View that no series could answer."""
        self._wish = self._drawable = View.from_json({**message.view, "series": message.series})
        self._since = self._clock()
        self._asked = message.series
        self._find, self._find_objects = find, find_objects
        self._task = asyncio.create_task(self._run(message.series), name=f"viewport {self.name}")

    def change(self, message: ViewChange) -> None:
        """The reader wants something else. Raises BadView, and then nothing has changed."""
        if message.index is not None and message.index > self.index:
            raise BadMessage(f"index: frame {message.index} was not sent to this viewport yet", self.name)
        stale = message.index is not None and message.index < self._first_index
        if not stale:  # one made on a picture of the series shown before means nothing here
            wish = self._wish.changed(message.view)
            if (wish.series, wish.organization) != (self._wish.series, self._wish.organization):
                raise BadView("series: another series is shown by opening it")
            if self.series is not None:
                self._placed = wish, self.series.place(wish)[0]
            self._wish = wish
        self._change = message.change
        self._since = self._clock()
        self._want()

    def shown(self, index: int) -> None:
        """The client has every frame up to `index`."""
        if self.credit.shown(min(index, self.index)):
            self._wake.set()

    @property
    def alive(self) -> bool:
        """False once opening has failed, or anything else ended it."""
        return self._task is not None and not self._task.done()

    def shows(self, series: str) -> bool:
        """Whether a series is shown here, or laid over what is shown."""
        return series == self._asked or (self._over is not None and self._over[0][0] == series)

    def measure(self, message: Measure) -> None:
        """Answer with what is measured on a frame that was sent; beside everything else."""
        shown = self._sent.get(message.index)
        if shown is None:
            raise BadMessage(
                f"index: frame {message.index} is not among the last {MEASURABLE} of this viewport", self.name
            )
        if len(self._measuring) >= MEASURING:
            raise BadMessage("measure: too many are being taken at once", self.name)
        task = asyncio.create_task(self._measure(message, shown), name=f"viewport {self.name} measures")
        self._measuring.add(task)
        task.add_done_callback(self._measuring.discard)

    async def _measure(self, message: Measure, shown: Shown) -> None:
        if self.series is None:
            return
        with suppress(ConnectionError):
            try:
                shown = await self._calibrated(self.series, message.kind, shown)
                found = await self._engine.measure(self.series, message.kind, message.points, shown)
            except (CannotMeasure, CannotDraw) as error:
                code = error.code if isinstance(error, CannotDraw) else "cannot_measure"
                await self._error(code, str(error), id=message.id)
            except Exception:
                logger.exception("a measurement failed")
                await self._error(
                    "cannot_measure", "The server failed to measure, and has written down why.", id=message.id
                )
            else:
                await self._wires.text(text_message("measure.result", viewport=self.name, id=message.id, **found))

    async def _calibrated(self, series: OpenSeries, kind: str, shown: Shown) -> Shown:
        """With the millimetres that a reader gave the pixels of an image without a place. What a calibration itself measures is
        what the file says."""
        image = shown.view.sop_instance_uid
        if shown.geometry is not None or not image or kind == "calibration":
            return shown
        stated = await self._find_stated(series.series, series.organization, image, shown.view.frame_number)
        return shown if stated is None else replace(shown, stated=stated)

    async def close(self) -> None:
        """Stop at once; nothing is sent after this."""
        self._engine.leave(self)
        for task in self._measuring:
            task.cancel()
        if self._rest is not None:
            self._rest.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._drop_load()
        self.series = self._over = self._last = None

    async def _run(self, series: str) -> None:
        with suppress(ConnectionError):
            try:
                await self._open(await self._find(series, self._wish.organization))
                while True:
                    await self._picture(exact=await self._next())
            except (BadView, CannotDraw) as error:
                await self._tell(error)
            except ConnectionError:
                raise
            except Exception:
                logger.exception("a viewport stopped")
                await self._error("cannot_decode", "The server failed to draw this picture, and has written down why.")

    async def _open(self, series: OpenSeries) -> None:
        """Say what was opened, and want its first picture."""
        try:
            view, _ = series.place(self._wish)
        except BadView as error:
            if self._wish == self._drawable:
                raise
            await self._tell(error)  # a change that came while the series was opened
            self._wish = self._drawable
            view, _ = series.place(self._wish)
        self.series = series
        if needs_volume(view):  # which takes its time: the reader is told meanwhile what was opened, and how far it is
            self._wanted = True
            await self._opened(series, view)
            return
        try:
            if await self._load(series, view, {}):
                view = await self._engine.resolve(series, view, **await self._objects(series, view))
                self._settle(view)
        except CannotDraw as error:
            await self._opened(series, view)
            await self._tell(error, change=self._change, **series.where(view))
        else:
            self._wanted = True
            await self._opened(series, view)

    async def _opened(self, series: OpenSeries, view: View) -> None:
        told = series.opened(view)
        states = await self._find_objects(series.series, series.organization, None)
        if states:
            told["presentation_states"] = await self._engine.presentation_states(series, states)
        await self._wires.text(text_message("series.opened", viewport=self.name, **told))
        self._opened_version = series.version
        if self._news is not None:
            await self.series_changed(series.series, self._news)

    async def series_changed(self, series: str, members: dict[str, Any]) -> None:
        """Images of a series came later. Late news of what is shown already is no news; news that overtakes the opening is
        told after it, or a picture without the newest images would stand there unmarked."""
        if series != self._asked:
            return
        if self._opened_version is None:
            self._news = members
        elif newer(members.get("series_version"), self._opened_version):
            await self._wires.text(text_message("series.changed", viewport=self.name, series=series, **members))

    async def _next(self) -> bool:
        """Wait until there is something to draw and credit for it. True when it is the picture without loss."""
        while True:
            self._wake.clear()
            if self.credit.open:
                if self._wanted:
                    self._wanted = self._exact_due = False
                    return False
                if self._exact_due:
                    self._exact_due = False
                    return True
            await self._wake.wait()

    async def _picture(self, exact: bool) -> None:
        """Draw the newest wish and send it."""
        series, wish, change, since = self.series, self._wish, self._change, self._since
        if series is None:
            return
        size = None if exact else self._size(wish)
        try:
            view = self._placed[1] if self._placed[0] is wish else series.place(wish)[0]
            fused = None if view.fusion is None else await self._laid_over(series, view.fusion)
            beside: Beside = {"fused": fused, **await self._objects(series, view)}
            if not self._engine.resident(series, view, **beside) and not await self._load(series, view, beside):
                return
            self._drop_load()
            drawn = await (self._moving(series, view, beside, size) if size else self._still(series, view, beside))
        except BadView as error:
            await self._tell(error)
            if wish != self._drawable:
                self._wish = self._drawable
                self._want()
        except Busy as error:
            await self._tell(error)
            await asyncio.sleep(BUSY)
            self._want()
        except CannotDraw as error:
            await self._tell(error, change=change, **series.where(wish))
            if needs_volume(wish) and not needs_volume(self._drawable):  # the reader is left with what there was
                self._wish = self._drawable
                self._want()
        else:
            self._drawable = wish
            if drawn is None or not await self._send(drawn, change, since, size):
                return
            if size is not None:
                self._settle(drawn.view)
                self._rest_from(since)
                self._look_ahead(series, drawn.view)

    def _size(self, wish: View) -> Size:
        """How good and how large the next picture may be while the hand moves."""
        link = self.credit.link
        if link.measured:
            first = self.index < self._first_index
            others = link.busy - (self.credit.bytes > 0)
            allowed = link.carries(FIRST_PASSAGE if first else PASSAGE) / (1 + others)
        else:
            allowed = UNMEASURED
        return self._pace.size(_kind(wish), self._wanted_pixels(wish), allowed)

    def _wanted_pixels(self, wish: View) -> int:
        return wish.size[0] * wish.size[1] if wish.size else self._pixels

    async def _moving(self, series: OpenSeries, view: View, beside: Beside, size: Size) -> Drawn:
        drawn = await self._engine.draw(series, view, MOVING, size.quality, most=size.most, stamp=self._stamp, **beside)
        rows, columns = drawn.header["rows"], drawn.header["columns"]
        self._pace.drew(_kind(view), rows * columns, drawn.header["timing_ms"]["render"] / 1000)
        self._last = drawn.picture
        return drawn

    async def _still(self, series: OpenSeries, view: View, beside: Beside) -> Drawn | None:
        """The picture without loss. None when something newer is wanted before it is done: the hand does not wait."""
        last, self._last = self._last, None
        draw = asyncio.ensure_future(self._engine.draw(series, view, STILL, reuse=last, stamp=self._stamp, **beside))
        draw.add_done_callback(lambda _: self._wake.set())
        try:
            while not draw.done():
                self._wake.clear()
                if self._wanted:
                    return None
                await self._wake.wait()
        finally:
            draw.cancel()
        drawn = await draw
        self._pixels = drawn.header["rows"] * drawn.header["columns"]
        if drawn.picture is not last:
            self._pace.drew(_kind(view), self._pixels, drawn.header["timing_ms"]["render"] / 1000)
        return drawn

    async def _laid_over(self, series: OpenSeries, fusion: Fusion) -> OpenSeries:
        """The series of `View.fusion`, opened for those who may see it. Raises BadView for the others."""
        asked = (fusion.series, fusion.organization or series.organization)
        if self._over is None or self._over[0] != asked:
            try:
                self._over = (asked, await self._find(*asked))
            except CannotDraw as error:
                raise BadView(f"fusion: {error}") from None
        return self._over[1]

    async def _objects(self, series: OpenSeries, view: View) -> Beside:
        """The objects that a View names, as the engine takes them."""
        wanted = objects_named(view)
        if not wanted:
            return {}
        if not wanted <= self._beside.keys():
            found = await self._find_objects(series.series, series.organization, wanted)
            self._beside = {str(file.index["sop"]): file for file in found}
        return {"objects": self._beside}

    async def _load(self, series: OpenSeries, view: View, beside: Beside) -> bool:
        """Wait for what `view` is drawn from. False when it takes long and something newer is wanted."""
        begun, wait = self._clock(), PATIENCE
        progress = Progress(self.name, series.series, self._clock)
        load = asyncio.ensure_future(self._engine.load(series, view, progress=progress.note, **beside))
        for _ in range(
            2
        ):  # then it has begun, and the volume that both want, if they do, has somebody who waits for it
            await asyncio.sleep(0)
        self._drop_load()
        self._load_left = load
        try:
            while not (await asyncio.wait({load}, timeout=wait))[0]:
                if self._wanted:
                    return False
                if word := progress.word():
                    await self._wires.text(word)
                wait = LOOK_AGAIN
        finally:
            self._loaded = (self._clock() - begun) * 1000
        self._load_left = None
        await load
        return True

    def _drop_load(self) -> None:
        if self._load_left is not None:
            self._load_left.cancel()
            self._load_left = None

    async def _send(self, drawn: Drawn, change: int, since: float, size: Size | None) -> bool:
        """Send one frame, unless a newer wish overtakes it first. A frame too large for the credit waits for it.

        A lossy frame that is ready to go goes even if a newer change came while it was drawn: else a hand that never
        rests would see nothing move.
        """
        droppable = size is None
        while not self.credit.fits(len(drawn.payload)):
            self._wake.clear()
            droppable = True
            if not self._wanted:
                await self._wake.wait()
            if self._wanted:
                return False
        if droppable and self._wanted:
            return False
        self.index += 1
        timing = drawn.header["timing_ms"]
        timing = {**timing, "load": round(timing["load"] + self._loaded, 3)}
        self._loaded = 0.0
        waited = (self._clock() - since) * 1000 - sum(timing.values())
        header = {
            "type": "frame",
            "viewport": self.name,
            "index": self.index,
            "change": change,
            **drawn.header,
            "timing_ms": {"wait": round(max(0.0, waited), 3), **timing},
        }
        message = frame_message(header, drawn.payload)
        if size is not None:
            drawn_pixels = header["rows"] * header["columns"]
            self._pace.sent(
                size.quality, self._wanted_pixels(drawn.view), drawn_pixels, len(drawn.payload), len(message)
            )
        self._remember(drawn)
        self.credit.sent(self.index, len(message))
        await self._wires.binary(message)
        return True

    def _remember(self, drawn: Drawn) -> None:
        header, picture = drawn.header, drawn.picture
        geometry = picture.picture.geometry if picture is not None else None
        laid_out = picture.picture.laid_out if picture is not None else None
        self._sent[self.index] = Shown(laid_out or drawn.view, header["rows"], header["columns"], geometry)
        if len(self._sent) > MEASURABLE:
            del self._sent[next(iter(self._sent))]

    def _want(self) -> None:
        if self.series is not None:
            self._wanted = True
        self._exact_due = False
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        self._wake.set()

    def _rest_from(self, since: float) -> None:
        """Without another change the picture without loss is due REST after the newest one."""
        if self._wanted:
            return
        if self._rest is not None:
            self._rest.cancel()
        delay = max(0.0, since + REST - self._clock())
        self._rest = asyncio.get_running_loop().call_later(delay, self._at_rest)

    def _at_rest(self) -> None:
        self._rest = None
        if not self._wanted:
            self._exact_due = True
            self._wake.set()

    def _settle(self, drawn: View) -> None:
        """Within a stack that was acquired in one go the window found for its first picture stays while scrolling, or
        every slice would have a brightness of its own; single images each keep theirs."""
        wish = self._wish
        chosen = wish.window_center is not None or wish.preset is not None
        if chosen or self.series is None or not self.series.shares_window(drawn.stack):
            return
        if wish.presentation_state is not None or (wish.mask is not None and drawn.mask is None):
            return  # this image's window is one of its own
        if drawn.preset is None and drawn.window_center is not None:
            self._wish = varied(
                wish,
                window_center=drawn.window_center,
                window_width=drawn.window_width,
                voi_lut_function=drawn.voi_lut_function,
            )

    def _look_ahead(self, series: OpenSeries, drawn: View) -> None:
        """Load the neighbours in the direction in which the reader scrolls."""
        frame = drawn.frame or 0
        if frame != self._frame:
            backwards = self._frame is not None and frame < self._frame
            self._engine.prefetch(series, drawn, -1 if backwards else 1, reader=self)
            self._frame = frame

    async def _tell(self, error: BadView | CannotDraw, **members: Any) -> None:
        code = error.code if isinstance(error, CannotDraw) else "bad_view"
        await self._error(code, str(error), **members)

    async def _error(self, code: str, message: str, **members: Any) -> None:
        await self._wires.text(text_message("error", code=code, message=message, viewport=self.name, **members))


class Progress:
    """How far a load is, said now and then."""

    def __init__(self, viewport: str, series: str, clock: Callable[[], float]) -> None:
        self._viewport, self._series, self._clock = viewport, series, clock
        self._done = self._total = 0
        self._said, self._said_at = -1, -PROGRESS

    def note(self, done: int, total: int) -> None:
        """`done` of `total` frames are there."""
        self._done, self._total = done, total

    def word(self) -> str | None:
        """The message for the client, when there is something new to say."""
        now = self._clock()
        if self._total < 2 or self._done == self._said or now - self._said_at < PROGRESS:
            return None
        self._said, self._said_at = self._done, now
        return text_message(
            "series.progress",
            viewport=self._viewport,
            series=self._series,
            stage="loading",
            done=self._done,
            total=self._total,
        )


def newer(told: str | None, shown: str) -> bool:
    """Is a series told of in a version that is not shown yet? Where versions do not count up, any other one is."""
    if told is None:
        return True
    if told.isdecimal() and shown.isdecimal():
        return int(told) > int(shown)
    return told != shown


def _kind(view: View) -> Kind:
    return Kind(view.projection, needs_volume(view), view.slab_thickness == "all")
