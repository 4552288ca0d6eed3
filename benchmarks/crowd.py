"""One reader's pictures while a crowd hangs about: idle connections, clients that never read, and what is malformed."""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from benchmarks.served import Served, clients, taken_in, together, uncompressed
from benchmarks.timing import ms, note, table
from tests.live import LiveServer

ROUNDS = 5
SECONDS = 3.0
IDLE = 1000
SLOW = 8
WRONG = ("{", "[]", '{"type":"view.change"}', '{"type":"series.open","series":[]}', '"' + "x" * 60_000 + '"')


def run() -> None:
    """p95 of a picture, socket to socket, alone and beside each crowd, turn about."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        uncompressed(folder / "ct")
        served = taken_in(stack.enter_context(LiveServer(dicom=True)), folder / "ct")
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in CROWDS}
        (client,) = stack.enter_context(clients(1))
        for round_ in range(ROUNDS + 1):
            for name, crowd in CROWDS.items():
                with crowd(served):
                    job = {"do": "ask", **served.address(), "seconds": SECONDS, "seed": round_ * 10_007}
                    (answer,) = together([client], [job])
                if round_:
                    times = sorted(answer["taken"])
                    found[name].append((statistics.median(times), times[int(len(times) * 0.95)]))
        _tell(found)


def _tell(found: dict[str, list[tuple[float, float]]]) -> None:
    alone = found["alone"]
    rows = [
        (
            name,
            ms(statistics.median(one[0] for one in rounds)),
            ms(statistics.median(one[1] for one in rounds)),
            f"{statistics.median(one[1] / other[1] for one, other in zip(rounds, alone, strict=True)):.2f}x",
        )
        for name, rounds in found.items()
    ]
    table(
        f"One reader beside a crowd, {ROUNDS} rounds in turns",
        ("beside", "median ms", "p95 ms", "p95 against alone"),
        rows,
    )
    note("The goal is 1.25x. What is malformed comes from one busy process of the same two cores, which is part of it.")


@contextlib.contextmanager
def nobody(served: Served) -> Iterator[None]:
    yield


def idle(count: int, port: Callable[[Served], int]) -> Callable[[Served], AbstractContextManager[None]]:
    """Connections that are opened, and nothing more."""

    @contextlib.contextmanager
    def crowd(served: Served) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for _ in range(count):
                opened = stack.enter_context(socket.socket())
                opened.settimeout(5)
                with contextlib.suppress(OSError):
                    opened.connect(("127.0.0.1", port(served)))
            yield

    return crowd


@contextlib.contextmanager
def slow(served: Served) -> Iterator[None]:
    """Viewers that ask for pictures and never read one."""
    with contextlib.ExitStack() as stack:
        for number in range(SLOW):
            opened = stack.enter_context(
                connect(
                    f"ws://127.0.0.1:{served.server.port}/ws/viewer/",
                    additional_headers={"Authorization": f"Bearer {served.token}"},
                    max_queue=1,
                    compression=None,
                    close_timeout=0.1,
                )
            )
            view = {"frame": number, "size": [512, 512]}
            opened.send(json.dumps({"type": "series.open", "viewport": "a", "series": served.series, "view": view}))
            for frame in range(100):
                change = {
                    "type": "view.change",
                    "viewport": "a",
                    "change": frame,
                    "view": {"frame": frame % served.frames},
                }
                opened.send(json.dumps(change))
        yield


@contextlib.contextmanager
def wrong(served: Served) -> Iterator[None]:
    """Sockets that say what nobody understands, fifty messages a second."""
    over = threading.Event()

    def talk() -> None:
        while not over.is_set():
            with (
                contextlib.suppress(WebSocketException, OSError),
                connect(
                    f"ws://127.0.0.1:{served.server.port}/ws/viewer/",
                    additional_headers={"Authorization": f"Bearer {served.token}"},
                    compression=None,
                    close_timeout=0.1,
                ) as opened,
            ):
                for number in range(200):
                    opened.send(WRONG[number % len(WRONG)])
                    if over.wait(0.02):
                        return

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(5)


CROWDS: dict[str, Callable[[Served], AbstractContextManager[None]]] = {
    "alone": nobody,
    f"{IDLE} idle HTTP connections": idle(IDLE, lambda served: served.server.port),
    f"{IDLE} idle DICOM connections": idle(IDLE, lambda served: int(served.server.environment["FARVIEW_DICOM_PORT"])),
    f"{SLOW} viewers that never read": slow,
    "malformed messages": wrong,
}
