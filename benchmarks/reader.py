"""Clients in a process of their own: `python -m benchmarks.reader` reads jobs, one a line, and answers each with a line.

A job connects and warms up, answers `ready`, waits for a line, works, and answers what it found. Imports little, so that a
process is small and soon there.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.sync.client import connect as connect_here

SIZE = [512, 512]
WIDTH = 400.0
WARM = 5
EVENTS = 60.0
"""Changes a second while a hand moves: one for each picture of the screen."""
LONGEST = 30.0

Answer = dict[str, Any]


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        answer = JOBS[job.pop("do")](**job)
        print(json.dumps(answer), flush=True)


def ready() -> None:
    """Says that all is prepared, and waits until all others are."""
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()


def window(number: int) -> float:
    """A window centre that no other picture had."""
    return 40.0 + (number * 7919 % 1_000_003) / 5000


# --- ask, wait, ask again


def asking(port: int, token: str, series: str, frames: int, seconds: float, seed: int) -> Answer:
    """Frame and window change together, as soon as the picture before is there."""
    headers = {"Authorization": f"Bearer {token}"}
    address = f"ws://127.0.0.1:{port}/ws/viewer/"
    with connect_here(address, additional_headers=headers, max_size=None, compression=None) as socket:
        view = {"frame": 0, "size": SIZE, "window_width": WIDTH, "window_center": window(seed)}
        socket.send(json.dumps({"type": "series.open", "viewport": "a", "series": series, "view": view}))
        small = 0

        def picture(change: int) -> int:
            nonlocal small
            while True:
                message = socket.recv(timeout=LONGEST)
                if isinstance(message, str):
                    _no_error(message)
                    continue
                header, payload = unpacked(message)
                socket.send(json.dumps({"type": "frame.shown", "viewport": "a", "index": header["index"]}))
                if (header.get("change") or 0) >= change:
                    small += [header["rows"], header["columns"]] != SIZE
                    return len(payload)

        picture(0)
        small = 0

        def ask(number: int) -> int:
            changed = {"frame": number % frames, "window_center": window(seed + number), "window_width": WIDTH}
            change = {"type": "view.change", "viewport": "a", "change": number, "view": changed}
            socket.send(json.dumps(change))
            return picture(number)

        return {**_for(seconds, ask), "small": small}


def rendered(port: int, instances: list[str], seconds: float, seed: int) -> Answer:
    """The same of Orthanc's `/rendered`, over one connection that is kept."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)

    def ask(number: int) -> int:
        name = instances[number % len(instances)]
        wanted = f"window-center={window(seed + number)}&window-width={WIDTH}&quality=90"
        line.request("GET", f"/instances/{name}/rendered?{wanted}", headers={"Accept": "image/jpeg"})
        answer = line.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"Orthanc answers {answer.status}")
        return len(body)

    try:
        return {**_for(seconds, ask), "small": 0}
    finally:
        line.close()


def _for(seconds: float, ask: Callable[[int], int]) -> Answer:
    """Milliseconds of each picture in `seconds`, after a few that are not counted."""
    for number in range(1, WARM + 1):
        ask(number)
    ready()
    taken, sizes, number = [], [], WARM
    begun = time.perf_counter()
    while (before := time.perf_counter()) - begun < seconds:
        number += 1
        sizes.append(ask(number))
        taken.append((time.perf_counter() - before) * 1000)
    return {"taken": taken, "seconds": time.perf_counter() - begun, "bytes": sum(sizes) / len(sizes)}


def unpacked(message: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and image file of a binary message."""
    begin = 4 + int.from_bytes(message[:4], "big")
    return json.loads(message[4:begin]), message[begin:]


def _no_error(message: str) -> None:
    said = json.loads(message)
    if said["type"] == "error" and said["code"] != "busy":
        raise RuntimeError(message)


# --- a hand that moves


@dataclass(frozen=True)
class Seen:
    """A picture that came."""

    at: float
    change: int
    exact: bool
    bytes: int
    received: int
    """Bytes of this connection up to and with it."""
    shape: tuple[int, int]
    sha256: str | None
    payload: bytes


@dataclass
class Viewer:
    """One connection with one viewport. A picture is on the glass `screen` seconds after it came, and acknowledged then."""

    socket: ClientConnection
    series: str
    frames: int
    screen: float = 0.0
    start: int = 0
    seen: list[Seen] = field(default_factory=list)
    asked: dict[int, float] = field(default_factory=dict)
    received: int = 0

    def __post_init__(self) -> None:
        self._news = asyncio.Event()
        self.listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self.socket:
            self.received += len(message)
            received = self.received
            if isinstance(message, str):
                _no_error(message)
                continue
            header, payload = unpacked(message)
            if self.screen:
                await asyncio.sleep(self.screen)
            await self._say("frame.shown", index=header["index"])
            exact = bool(header["exact"])
            shape = (header["rows"], header["columns"])
            kept = payload if exact else b""
            at = time.perf_counter()
            self.seen.append(
                Seen(at, header["change"] or 0, exact, len(message), received, shape, header.get("sha256"), kept)
            )
            self._news.set()

    async def _say(self, kind: str, **members: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, "viewport": "a", **members}))

    async def open(self) -> float:
        """When it was asked for."""
        begun = time.perf_counter()
        await self._say("series.open", series=self.series, view={"frame": self.start, "size": SIZE})
        return begun

    async def until(self, wanted: Callable[[Seen], bool]) -> Seen:
        """The first picture from now on, or the newest, that is what is wanted."""
        while not (self.seen and wanted(self.seen[-1])):
            self._news.clear()
            news = asyncio.create_task(self._news.wait())
            done, _ = await asyncio.wait({news, self.listening}, timeout=LONGEST, return_when=asyncio.FIRST_COMPLETED)
            news.cancel()
            if self.listening in done:
                self.listening.result()
                raise RuntimeError("the server hung up")
            if not done:
                raise RuntimeError(f"nothing came for {LONGEST:.0f} s")
        return self.seen[-1]

    async def move(self, seconds: float, part: Callable[[int], dict[str, Any]]) -> None:
        """`part(number of the change)` with every picture of the screen."""
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            change = len(self.asked) + 1
            self.asked[change] = time.perf_counter()
            await self._say("view.change", change=change, view=part(change))
            due += 1 / EVENTS
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    def scrolled(self, change: int) -> dict[str, Any]:
        """On through the stack and back."""
        at = (self.start + change) % (2 * self.frames - 2)
        return {"frame": min(at, 2 * self.frames - 2 - at)}

    def scrolled_or_windowed(self, change: int) -> dict[str, Any]:
        """A second of scrolling, a second of windowing."""
        if change // int(EVENTS) % 2 == 0:
            return self.scrolled(change)
        return {"window_center": window(change), "window_width": WIDTH}

    def waits(self, first: int) -> list[float]:
        """Milliseconds of moving pictures, from the newest change that each counts in, of those from change `first` on."""
        return [
            (one.at - self.asked[one.change]) * 1000
            for one in self.seen
            if not one.exact and one.change >= max(first, 1)
        ]

    def answers(self, first: int) -> list[float]:
        """Milliseconds from each change, also those that were overtaken, to the first picture that counts it in."""
        found: list[float] = []
        change = first
        for one in self.seen:
            while change <= one.change:
                found.append((one.at - self.asked[change]) * 1000)
                change += 1
        return found


async def _viewer(port: int, token: str, series: str, frames: int, screen: float = 0.0) -> Viewer:
    headers = {"Authorization": f"Bearer {token}"}
    address = f"ws://127.0.0.1:{port}/ws/viewer/"
    socket = await connect(address, additional_headers=headers, max_size=None, compression=None)
    return Viewer(socket, series, frames, screen)


async def _close(viewer: Viewer) -> None:
    viewer.listening.cancel()
    await viewer.socket.close()


def soaking(port: int, token: str, series: str, frames: int, viewers: int, seconds: float) -> Answer:
    """So many connections that scroll and window all the time."""

    async def main() -> Answer:
        desk = [await _viewer(port, token, series, frames) for _ in range(viewers)]
        for place, viewer in enumerate(desk):
            viewer.start = place * frames // viewers
            await viewer.open()
            await viewer.until(lambda one: one.exact)
        await asyncio.gather(*(viewer.move(2.0, viewer.scrolled_or_windowed) for viewer in desk))
        await asyncio.to_thread(ready)
        first = [len(viewer.asked) + 1 for viewer in desk]
        begun = time.perf_counter()
        await asyncio.gather(*(viewer.move(seconds, viewer.scrolled_or_windowed) for viewer in desk))
        taken = time.perf_counter() - begun
        for viewer in desk:
            last = len(viewer.asked)
            await viewer.until(lambda one, last=last: one.exact and one.change >= last)
        found = {
            "pictures": sum(begun <= one.at <= begun + taken for viewer in desk for one in viewer.seen),
            "seconds": taken,
            "waits": [wait for viewer, one in zip(desk, first, strict=True) for wait in viewer.waits(one)],
            "answers": [wait for viewer, one in zip(desk, first, strict=True) for wait in viewer.answers(one)],
            "bytes": sum(one.bytes for viewer in desk for one in viewer.seen if one.at >= begun) / taken,
        }
        await asyncio.gather(*map(_close, desk))
        return found

    return asyncio.run(main())


def at_home(
    port: int, token: str, series: str, frames: int, openings: int, stretches: int, seconds: float, screen: float
) -> Answer:
    """Opens anew some times; then scrolls and rests some times. The first stretch, which finds out the link, is not counted."""

    async def opening() -> tuple[Viewer, float, int, float]:
        viewer = await _viewer(port, token, series, frames, screen)
        viewer.start = frames // 2
        begun = await viewer.open()
        await viewer.until(lambda one: True)
        first = viewer.seen[0]
        size = first.received
        exact = await viewer.until(lambda one: one.exact)
        _hold_exact(exact)
        return viewer, (first.at - begun) * 1000, size, (exact.at - begun) * 1000

    async def main() -> Answer:
        ready()
        opened = []
        for _ in range(openings):
            viewer, *found = await opening()
            opened.append(found)
            if len(opened) < openings:
                await _close(viewer)
        rests, exact_bytes, pictures, moved, moving_seconds, first, shapes = [], [], 0, 0, 0.0, 1, []
        for stretch in range(stretches):
            before, bytes_before = len(viewer.seen), viewer.received
            begun = time.perf_counter()
            await viewer.move(seconds, viewer.scrolled)
            if stretch == 0:
                first = len(viewer.asked) + 1
            else:
                moving_seconds += time.perf_counter() - begun
                pictures += len(viewer.seen) - before
                moved += viewer.received - bytes_before
                shapes += [one.shape[0] * one.shape[1] for one in viewer.seen[before:]]
            last = len(viewer.asked)
            exact = await viewer.until(lambda one, last=last: one.exact and one.change >= last)
            _hold_exact(exact)
            if stretch:
                rests.append((exact.at - viewer.asked[last]) * 1000)
                exact_bytes.append(exact.bytes)
        await _close(viewer)
        return {
            "first": [one[0] for one in opened],
            "first_bytes": [one[1] for one in opened],
            "first_exact": [one[2] for one in opened],
            "rate": pictures / moving_seconds,
            "bytes": moved / moving_seconds,
            "pixels": sorted(shapes)[len(shapes) // 2] if shapes else 0,
            "waits": viewer.waits(first),
            "rests": rests,
            "exact_bytes": sum(exact_bytes) / len(exact_bytes),
        }

    return asyncio.run(main())


def _hold_exact(one: Seen) -> None:
    """The picture at rest has every pixel, and they are those that were drawn."""
    import numpy as np
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(one.payload)))
    if list(pixels.shape[:2]) != SIZE or hashlib.sha256(pixels.tobytes()).hexdigest() != one.sha256:
        raise RuntimeError("the picture at rest is not the exact one")


JOBS: dict[str, Callable[..., Answer]] = {
    "ask": asking, "rendered": rendered, "soak": soaking, "home": at_home
}  # fmt: skip

if __name__ == "__main__":
    main()
