"""A reader at home: the real server at the far end of a thin link.

The bounds are those that a server without pacing breaks, also on a machine that has other things to do; the benchmarks say
what is reached.
"""

from __future__ import annotations

import hashlib
import io
import json
import statistics
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.live import LiveServer

from .proxy import Proxy

CHEST = "series/ct_chest_lidc0314_jpegls"
SCREEN = 1 / 60
REST = 0.15


@dataclass(frozen=True)
class Home:
    """What a reader needs to look at the chest."""

    server: LiveServer
    series: str
    token: str


@pytest.fixture(scope="module")
def home(live_server_process: LiveServer, shared_data: Path) -> Home:
    server = live_server_process
    _, token = server.user("harriet")
    server.manage("ingest", shared_data / CHEST)
    file = next((shared_data / CHEST).glob("*.dcm"))
    return Home(server, str(pydicom.dcmread(file, stop_before_pixels=True).SeriesInstanceUID), token)


@dataclass
class Reader:
    """Opens the series, scrolls with every refresh of the screen, and acknowledges each picture when it is on it."""

    socket: ClientConnection
    series: str
    headers: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)
    asked: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        with suppress(ConnectionClosed):
            for message in self.socket:
                if isinstance(message, str):
                    self.texts.append(json.loads(message))
                else:
                    (length,) = struct.unpack(">I", message[:4])
                    header = json.loads(message[4 : 4 + length])
                    time.sleep(SCREEN / 2)
                    self.headers.append((time.perf_counter(), header))
                    self.payloads.append(message)
                    self._say("frame.shown", index=header["index"])

    def _say(self, kind: str, **members: Any) -> None:
        self.socket.send(json.dumps({"type": kind, "viewport": "a", **members}))

    def open(self, frame: int = 50) -> None:
        self.begun = time.perf_counter()
        self._say("series.open", series=self.series, view={"frame": frame, "size": [512, 512]})
        self.until(lambda header: header["exact"])

    def until(self, ready: Any, seconds: float = 15.0) -> tuple[float, dict[str, Any]]:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if self.headers and ready(self.headers[-1][1]):
                return self.headers[-1]
            time.sleep(0.001)
        raise AssertionError(f"no such frame within {seconds} s; but {self.headers[-1:]} and {self.texts}")

    def scroll(self, seconds: float) -> None:
        due = time.perf_counter()
        end = due + seconds
        while due < end:
            change = len(self.asked) + 1
            self.asked[change] = time.perf_counter()
            self._say("view.change", change=change, view={"frame": 50 + change % 100})
            due += SCREEN
            time.sleep(max(0.0, due - time.perf_counter()))

    def waits(self, first: int) -> list[float]:
        """Seconds from asking to seeing, of the moving pictures from change `first` on."""
        moving = [(at, header["change"]) for at, header in self.headers if not header["exact"]]
        return [at - self.asked[change] for at, change in moving if change >= first]


@pytest.fixture
def read(home: Home) -> Iterator[Callable[[float, float], Reader]]:
    """Makes readers at the end of a link of so many Mbit/s and seconds."""
    with ExitStack() as until_the_end:

        def make(megabits: float, round_trip: float) -> Reader:
            proxy = until_the_end.enter_context(Proxy(home.server.port, megabits, round_trip))
            address = f"ws://127.0.0.1:{proxy.port}/ws/viewer/"
            key = {"Authorization": f"Bearer {home.token}"}
            socket = connect(address, additional_headers=key, max_size=None, compression=None)
            return Reader(until_the_end.enter_context(socket), home.series)

        yield make


@pytest.mark.parametrize(
    ("megabits", "round_trip", "least", "longest"),
    [
        (30, 0.020, 15, 0.120),
        (30, 0.120, 12, 0.250),
        (10, 0.040, 12, 0.180),
        (2, 0.040, 8, 0.300),
        (2, 0.120, 8, 0.350),
    ],
)
def test_a_home_link_shows_what_moves_and_rests_on_the_exact_picture(
    read: Callable[[float, float], Reader], megabits: float, round_trip: float, least: float, longest: float
) -> None:
    reader = read(megabits, round_trip)
    reader.open()
    reader.scroll(1.5)
    seen, first = len(reader.headers), len(reader.asked)
    reader.scroll(2.0)
    pictures = (len(reader.headers) - seen) / 2.0
    stopped = time.perf_counter()
    at, header = reader.until(lambda header: header["exact"] and header["change"] == len(reader.asked))
    assert pictures >= least
    assert statistics.median(reader.waits(first)) <= longest
    assert at - stopped <= REST + round_trip + len(reader.payloads[-1]) * 8e-6 / megabits + 0.35
    assert len(reader.payloads[0]) <= 50_000
    message = reader.payloads[-1]
    pixels = np.asarray(Image.open(io.BytesIO(message[4 + int.from_bytes(message[:4], "big") :])))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == header["sha256"]
    assert pixels.shape == (512, 512)
