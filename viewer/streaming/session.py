"""One browser connection: its viewports, and what each message does to them.

The consumer authenticates, asks who may see what, and moves text and bytes; this knows neither users nor rows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from viewer.engine.errors import CannotDraw
from viewer.rendering.view import BadView

from .credit import Credit
from .pacing import Link
from .protocol import (
    MAX_MESSAGE,
    POLICY_VIOLATION,
    PROTOCOL,
    TOO_BIG,
    BadMessage,
    FrameShown,
    Hello,
    Measure,
    Message,
    SeriesOpen,
    ViewChange,
    ViewportClose,
    parse,
    text_message,
)
from .rate import RateMeter
from .viewport import FindObjects, FindStated, Viewport, Wires, nobody_states, nothing_beside

if TYPE_CHECKING:
    from viewer.engine.engine import Engine, OpenSeries, SeriesContent
    from viewer.rendering.stamping import Stamp

logger = logging.getLogger(__name__)

WITHDRAWN = "Images of this series were withdrawn. Open it again."
MAX_VIEWPORTS = 32


class NotFound(Exception):
    """There is no such series for this reader; whether it exists elsewhere is not said."""


class Ambiguous(Exception):
    """The series is in several organizations that this reader serves; `organizations` are their names."""

    def __init__(self, organizations: list[str]) -> None:
        super().__init__(f"this series is in several organizations: {', '.join(organizations)}; name one")
        self.organizations = organizations


class Session:
    """Feed it text with `receive`; it answers through `send_text` and `send_bytes`, which may wait for the connection.

    `open_series_for(series UID, organization or None)` gives the files of a series that the reader may see, or raises
    NotFound or Ambiguous. `find_objects(series UID, organization, UIDs or None)` gives objects of the same study that the
    reader may see: those of these UIDs, or all presentation states. `find_stated(series UID, organization, SOP Instance UID,
    frame number)` gives what readers state of the pixels of a frame. `stamp` goes over every picture. `close_connection(code)`
    ends the WebSocket; `close` must be awaited when the connection is gone.
    """

    def __init__(
        self,
        engine: Engine,
        open_series_for: Callable[[str, str | None], Awaitable[SeriesContent]],
        send_text: Callable[[str], Awaitable[None]],
        send_bytes: Callable[[bytes], Awaitable[None]],
        close_connection: Callable[[int], Awaitable[None]],
        *,
        build: str = "",
        clock: Callable[[], float] = time.monotonic,
        meter: RateMeter | None = None,
        find_objects: FindObjects = nothing_beside,
        find_stated: FindStated = nobody_states,
        stamp: Stamp | None = None,
    ) -> None:
        self._engine = engine
        self._open_series_for = open_series_for
        self._find_objects = find_objects
        self._find_stated = find_stated
        self._stamp = stamp
        self._wires = Wires(send_text, send_bytes)
        self._close_connection = close_connection
        self._build = build
        self._clock = clock
        self._meter = meter or RateMeter(clock=clock)
        self._viewports: dict[str, Viewport] = {}
        self._link = Link()
        self._left: dict[str, Credit] = {}
        """Credit of closed viewports, for the next one of that name."""
        self._newest_index = 0
        self._closed = False

    async def receive(self, text: str) -> None:
        """One text message from the client. What is wrong with it is answered, never raised."""
        if self._closed:
            return
        if len(text) > MAX_MESSAGE or (not text.isascii() and len(text.encode("utf-8", "replace")) > MAX_MESSAGE):
            await self._end(TOO_BIG)
            return
        try:
            message = parse(text)
        except BadMessage as error:
            if await self._counted("other"):
                await self._error("bad_message", str(error), error.viewport)
            return
        if not await self._counted(message.rate):
            return
        try:
            await HANDLERS[type(message)](self, message)
        except BadMessage as error:
            await self._error("bad_message", str(error), error.viewport)
        except BadView as error:
            await self._error("bad_view", str(error), getattr(message, "viewport", None))

    async def series_changed(self, series: str, **members: Any) -> None:
        """Images of this series came later: tell the viewports that show it; they open it again when they like. Where some were
        `withdrawn` no further picture of it leaves until they do."""
        withdrawn = members.pop("withdrawn", False)
        for name, viewport in list(self._viewports.items()):
            await viewport.series_changed(series, members)
            if withdrawn and viewport.shows(series):
                await self._viewport_close(ViewportClose(name))
                await self._error("not_found", WITHDRAWN, name)

    async def close(self) -> None:
        """Let everything go; nothing is sent after this."""
        self._closed = True
        viewports, self._viewports = list(self._viewports.values()), {}
        for viewport in viewports:
            await viewport.close()

    async def _hello(self, message: Hello) -> None:
        await self._wires.text(text_message("hello", protocol=PROTOCOL, build=self._build))

    async def _series_open(self, message: SeriesOpen) -> None:
        if message.viewport not in self._viewports and len(self._viewports) >= MAX_VIEWPORTS:
            raise BadMessage(f"a connection has at most {MAX_VIEWPORTS} viewports", message.viewport)
        viewport = Viewport(
            message.viewport,
            self._engine,
            self._wires,
            index=self._count_up(),
            credit=self._credit_for(message.viewport),
            clock=self._clock,
            find_stated=self._find_stated,
            stamp=self._stamp,
        )
        viewport.open(message, self._find, self._find_objects)
        former = self._viewports.pop(message.viewport, None)
        self._viewports[message.viewport] = viewport
        self._left.pop(message.viewport, None)
        if former is not None:
            await former.close()

    async def _view_change(self, message: ViewChange) -> None:
        self._open_viewport(message.viewport).change(message)

    async def _frame_shown(self, message: FrameShown) -> None:
        viewport = self._viewports.get(message.viewport)
        if viewport is not None:
            viewport.shown(message.index)
        elif message.viewport in self._left:
            self._left[message.viewport].shown(message.index)

    async def _measure(self, message: Measure) -> None:
        self._open_viewport(message.viewport).measure(message)

    async def _viewport_close(self, message: ViewportClose) -> None:
        viewport = self._viewports.pop(message.viewport, None)
        if viewport is None:
            return
        self._newest_index = max(self._newest_index, viewport.index)
        viewport.credit.leave()
        self._left[message.viewport] = viewport.credit
        if len(self._left) > MAX_VIEWPORTS:
            self._left.pop(next(iter(self._left)))
        await viewport.close()

    def _open_viewport(self, name: str) -> Viewport:
        viewport = self._viewports.get(name)
        if viewport is None or not viewport.alive:
            raise BadMessage("viewport: no series was opened in it", name)
        return viewport

    async def _find(self, series: str, organization: str | None) -> OpenSeries:
        try:
            return await self._engine.open(await self._open_series_for(series, organization))
        except NotFound:
            raise CannotDraw("not_found", "There is no such series.") from None
        except Ambiguous as error:
            raise BadView(f"organization: {error}") from None

    def _count_up(self) -> int:
        """Frames count up per viewport, also across viewports of the same name that were closed in between: a late
        acknowledgement never means another frame. One counter for the connection is the simplest that does this."""
        self._newest_index = max([self._newest_index, *(v.index for v in self._viewports.values())])
        return self._newest_index

    def _credit_for(self, name: str) -> Credit:
        former = self._viewports.get(name)
        if former is not None:
            return former.credit
        credit = self._left.get(name)
        if credit is None:
            return Credit(self._link, clock=self._clock)
        credit.come_back()
        return credit

    async def _counted(self, rate: str) -> bool:
        if self._meter.allows(rate):
            return True
        await self._end(POLICY_VIOLATION)
        return False

    async def _end(self, code: int) -> None:
        await self.close()
        await self._close_connection(code)

    async def _error(self, code: str, message: str, viewport: str | None) -> None:
        await self._wires.text(text_message("error", code=code, message=message, viewport=viewport))


HANDLERS: dict[type[Message], Callable[[Session, Any], Awaitable[None]]] = {
    Hello: Session._hello,
    SeriesOpen: Session._series_open,
    ViewChange: Session._view_change,
    FrameShown: Session._frame_shown,
    Measure: Session._measure,
    ViewportClose: Session._viewport_close,
}
