"""The engine as a viewport sees it, slow on purpose, and a browser that remembers what it got."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from viewer.engine.engine import Drawn
from viewer.engine.errors import CannotDraw
from viewer.rendering.measuring import CannotMeasure, Shown
from viewer.rendering.view import BadView, View, needs_volume
from viewer.streaming.session import NotFound, Session

SERIES = "1.2.3"
OVERLAY = "1.2.4"
HUGE = "1.2.5"
"""Too large for a volume."""
FRAMES = 100
UNDECODABLE = 13


@dataclass
class FakeSeries:
    series: str = SERIES
    organization: str = "default"
    version: str = "v1"

    def place(self, view: View) -> tuple[View, None]:
        frame = view.frame or 0
        if frame >= FRAMES:
            raise BadView(f"frame: this stack has {FRAMES}, counted from 0")
        return replace(view, series=self.series, organization=self.organization, frame=frame), None

    def where(self, view: View) -> dict[str, Any]:
        return {"stack": view.stack, "frame": view.frame or 0}

    def shares_window(self, stack: int) -> bool:
        return True

    def opened(self, view: View) -> dict[str, Any]:
        return {"series": self.series, "series_version": self.version, "frames": FRAMES, "view": view.to_json()}


class FakePixels:
    """What a picture was encoded from."""

    class Picture:
        geometry = None
        laid_out = None

    picture = Picture()


class FakeEngine:
    """Draws when it is let: `gate` and `exact_gate` are closed for a slow one.

    `drawn` are the Views it was asked for, in order, and whether without loss.
    """

    def __init__(self, size: int = 1000) -> None:
        self.size = size
        self.gate = asyncio.Event()
        self.gate.set()
        self.exact_gate = asyncio.Event()
        self.exact_gate.set()
        self.drawn: list[tuple[View, bool]] = []
        self.most: list[int | None] = []
        self.cancelled = 0
        self.slow: set[int] = set()
        """Frames that take for ever to load."""
        self.steps: list[tuple[int | None, int]] = []
        """(frame, direction) of what was to be loaded ahead."""
        self.left = 0
        self.fused: list[str | None] = []
        """The series that lay over each picture."""
        self.reused: list[Any] = []
        self.render_seconds_per_pixel = 0.0
        self.volume = asyncio.Event()
        """Set once the volume of the series is loaded."""
        self.loads = 0
        """Loads of the volume that are waited for."""
        self.loads_begun = 0
        """How often loading the volume began from nothing."""
        self.tell: list[Callable[[int, int], None]] = []

    async def open(self, content: FakeSeries) -> FakeSeries:
        return content

    def resident(self, series: FakeSeries, view: View, fused: FakeSeries | None = None, objects: Any = None) -> bool:
        return self.volume.is_set() if needs_volume(view) else view.frame not in self.slow

    async def load(
        self,
        series: FakeSeries,
        view: View,
        progress: Callable[[int, int], None] | None = None,
        fused: FakeSeries | None = None,
        objects: Any = None,
    ) -> None:
        if needs_volume(view):
            if series.series == HUGE:
                raise CannotDraw("too_large", "This series is too large for a volume.")
            await self._load_volume(progress)
        elif view.frame in self.slow:
            await asyncio.Event().wait()

    async def _load_volume(self, progress: Callable[[int, int], None] | None) -> None:
        self.loads_begun += not self.loads
        self.loads += 1
        if progress:
            self.tell.append(progress)
        try:
            await self.volume.wait()
        finally:
            self.loads -= 1
            if progress:
                self.tell.remove(progress)

    async def resolve(self, series: FakeSeries, view: View) -> View:
        if view.frame == UNDECODABLE:
            raise CannotDraw("cannot_decode", "This image cannot be decoded: a marker is missing.")
        if view.window_center is None:
            return replace(view, window_center=40.0, window_width=400.0, voi_lut_function="LINEAR")
        return view

    async def draw(
        self,
        series: FakeSeries,
        view: View,
        media_type: str,
        quality: int = 90,
        most: int | None = None,
        fused: FakeSeries | None = None,
        reuse: Any = None,
        stamp: Any = None,
    ) -> Drawn:
        placed, _ = series.place(view)
        self.drawn.append((placed, media_type == "image/png"))
        self.most.append(most)
        self.fused.append(fused and fused.series)
        self.reused.append(reuse)
        try:
            await (self.exact_gate if media_type == "image/png" else self.gate).wait()
            resolved = await self.resolve(series, placed)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if view.preset == "none":
            raise BadView("preset: there is none of that name")
        rows, columns = view.size or (512, 512)
        shrunk = min(1.0, (most or rows * columns) / (rows * columns)) ** 0.5
        rows, columns = int(rows * shrunk), int(columns * shrunk)
        seconds = rows * columns * self.render_seconds_per_pixel
        header = {
            "media_type": media_type,
            "rows": rows,
            "columns": columns,
            "exact": media_type == "image/png",
            "view": resolved.to_json(),
            "timing_ms": {"load": 0.0, "render": seconds * 1000, "encode": 0.0},
        }
        return Drawn(header, bytes(self.size), resolved, FakePixels())  # type: ignore[arg-type]

    async def measure(self, series: FakeSeries, kind: str, points: Any, shown: Shown) -> dict[str, Any]:
        if kind == "taste":
            raise CannotMeasure("kind: length is needed")
        return {"kind": kind, "values": {"frame": shown.view.frame}, "points": list(points), "notes": []}

    def prefetch(self, series: FakeSeries, view: View, direction: int, *, reader: object) -> None:
        self.steps.append((view.frame, direction))

    def leave(self, reader: object) -> None:
        self.left += 1

    @property
    def frames(self) -> list[int | None]:
        return [view.frame for view, _ in self.drawn]


class Browser:
    """The other end of a session. `acknowledge` answers every frame at once."""

    def __init__(
        self,
        engine: Any,
        find: Callable[[str, str | None], Any] | None = None,
        *,
        acknowledge: bool = True,
        **options: Any,
    ) -> None:
        self.acknowledge = acknowledge
        self.frames: list[tuple[dict[str, Any], bytes]] = []
        self.texts: list[dict[str, Any]] = []
        self.closed: int | None = None
        self.reads = asyncio.Event()
        self.reads.set()
        self._news = asyncio.Event()
        self.session = Session(
            engine, find or _find, self._on_text, self._on_bytes, self._on_close, build="abc", **options
        )

    async def send(self, kind: str, /, **members: Any) -> None:
        await self.session.receive(json.dumps({"type": kind, **members}))

    async def open(self, viewport: str = "a", series: str = SERIES, **view: Any) -> None:
        await self.send("series.open", viewport=viewport, series=series, view=view)

    async def change(self, change: int, viewport: str = "a", **view: Any) -> None:
        await self.send("view.change", viewport=viewport, change=change, view=view)

    async def shown(self, index: int, viewport: str = "a") -> None:
        await self.send("frame.shown", viewport=viewport, index=index)

    async def until(self, ready: Callable[[Browser], bool]) -> None:
        """Wait until `ready(self)`; fails after five seconds."""
        async with asyncio.timeout(5):
            while not ready(self):
                self._news.clear()
                await self._news.wait()

    async def next_text(self, kind: str) -> dict[str, Any]:
        await self.until(lambda b: any(t["type"] == kind for t in b.texts))
        return next(t for t in self.texts if t["type"] == kind)

    async def next_frame(self) -> dict[str, Any]:
        """The header of the next frame to come."""
        count = len(self.frames)
        await self.until(lambda b: len(b.frames) > count)
        return self.frames[count][0]

    @property
    def headers(self) -> list[dict[str, Any]]:
        return [header for header, _ in self.frames]

    async def _on_text(self, text: str) -> None:
        await self.reads.wait()
        self.texts.append(json.loads(text))
        self._news.set()

    async def _on_bytes(self, message: bytes) -> None:
        await self.reads.wait()
        (length,) = struct.unpack(">I", message[:4])
        header = json.loads(message[4 : 4 + length])
        self.frames.append((header, message[4 + length :]))
        self._news.set()
        if self.acknowledge:
            asyncio.get_running_loop().call_soon(
                lambda: asyncio.ensure_future(self.shown(header["index"], header["viewport"]))
            )

    async def _on_close(self, code: int) -> None:
        self.closed = code
        self._news.set()


async def _find(series: str, organization: str | None) -> FakeSeries:
    if series not in (SERIES, OVERLAY, HUGE):
        raise NotFound
    return FakeSeries(series)


async def settle(seconds: float = 0.02) -> None:
    """Long enough for everything that needs no clock to happen."""
    await asyncio.sleep(seconds)
