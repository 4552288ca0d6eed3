"""Socket to socket: a real server, clients that change frame and window and wait for the picture; beside Orthanc, if there."""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import requests
from websockets.sync.client import ClientConnection, connect

from benchmarks.timing import ms, table, times
from tests.live import LiveServer, free_port
from viewer.phantom.studies import write_ct

SLICES = 60
PICTURES = 150
Ask = Callable[[int], int]
"""Ask for picture number n, wait for it; its bytes."""


def run() -> None:
    """One and four clients; every pair of frame and window is new; 512 x 512, lossy, JPEG of quality 90 at the peer."""
    with tempfile.TemporaryDirectory() as scratch, LiveServer() as server:
        folder = Path(scratch)
        files = write_ct(folder / "ct", shape=(SLICES, 512, 512))
        series, headers = _prepare(server, folder / "ct")
        with contextlib.ExitStack() as stack:
            contenders: dict[str, Callable[[], contextlib.AbstractContextManager[Ask]]] = {
                "Farview, WebSocket": lambda: _ours(server, series, headers)
            }
            orthanc = shutil.which("Orthanc") or shutil.which("/usr/sbin/Orthanc")
            if orthanc:
                port, instances = stack.enter_context(_orthanc(orthanc, folder, files))
                contenders["Orthanc /rendered"] = lambda: _theirs(port, instances)
            rows = []
            for clients in (1, 4):
                measured: dict[str, tuple[float, float, int]] = {}
                for round_ in range(2):  # turn about, so that the load of the machine meets both
                    for name, contender in contenders.items():
                        found = _race(contender, clients, round_)
                        measured[name] = max(measured.get(name, found), found, key=lambda one: one[1])
                ours = measured["Farview, WebSocket"]
                for name, (median, rate, size) in measured.items():
                    ratio = "" if name.startswith("Farview") else times(1 / ours[1], 1 / rate)
                    rows.append((name, clients, ms(median), f"{rate:.0f}", size // 1000, ratio))
    table(
        "Socket to socket, Python clients", ("", "clients", "median ms", "pictures/s", "kB", "Farview against it"), rows
    )


def _prepare(server: LiveServer, folder: Path) -> tuple[str, dict[str, str]]:
    server.manage("ingest", folder)
    _, token = server.user("bench")
    headers = {"Authorization": f"Bearer {token}"}
    study = requests.get(f"{server.url}/api/studies/", headers=headers, timeout=20).json()["studies"][0]
    whole = requests.get(f"{server.url}/api/studies/{study['study_instance_uid']}/", headers=headers, timeout=20).json()
    return whole["series"][0]["series_instance_uid"], headers


@contextlib.contextmanager
def _ours(server: LiveServer, series: str, headers: dict[str, str]) -> Iterator[Ask]:
    with connect(f"ws://127.0.0.1:{server.port}/ws/viewer/", additional_headers=headers, max_size=None) as socket:
        view = {"size": [512, 512], "window_center": 40.0, "window_width": 400.0}
        socket.send(json.dumps({"type": "series.open", "viewport": "a", "series": series, "view": view}))
        _picture(socket, -1)
        counter = 0

        def ask(number: int) -> int:
            nonlocal counter
            counter += 1
            changed = {"frame": number % SLICES, "window_center": 40.0 + number * 0.25}
            socket.send(json.dumps({"type": "view.change", "viewport": "a", "change": counter, "view": changed}))
            return _picture(socket, counter)

        yield ask


def _picture(socket: ClientConnection, change: int) -> int:
    """Wait for a frame that counts `change` in; acknowledge every frame on the way."""
    while True:
        message = socket.recv(timeout=30)
        if isinstance(message, str):
            if json.loads(message)["type"] == "error":
                raise RuntimeError(message)
            continue
        (length,) = struct.unpack_from(">I", message)
        header = json.loads(message[4 : 4 + length])
        socket.send(json.dumps({"type": "frame.shown", "viewport": "a", "index": header["index"]}))
        if (header.get("change") or 0) >= change:
            return len(message) - 4 - length


@contextlib.contextmanager
def _orthanc(program: str, folder: Path, files: list[Path]) -> Iterator[tuple[int, list[str]]]:
    port = free_port()
    settings = {
        "StorageDirectory": str(folder / "orthanc"), "IndexDirectory": str(folder / "orthanc"), "HttpPort": port,
        "DicomPort": free_port(), "AuthenticationEnabled": False, "RemoteAccessAllowed": False, "Plugins": [],
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("w") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        with requests.Session() as session:
            for _ in range(100):
                with contextlib.suppress(requests.ConnectionError):
                    session.get(f"http://127.0.0.1:{port}/system", timeout=5)
                    break
                time.sleep(0.1)
            found = [
                session.post(f"http://127.0.0.1:{port}/instances", data=path.read_bytes(), timeout=30).json()
                for path in files
            ]
        yield port, [one["ID"] for one in found]
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def _theirs(port: int, instances: list[str]) -> Iterator[Ask]:
    with requests.Session() as session:
        session.headers["Accept"] = "image/jpeg"

        def ask(number: int) -> int:
            window = {
                "window-center": 40 + number * 0.25,
                "window-width": 400,
                "width": 512,
                "height": 512,
                "quality": 90,
            }
            name = instances[number % len(instances)]
            answer = session.get(f"http://127.0.0.1:{port}/instances/{name}/rendered", params=window, timeout=30)
            answer.raise_for_status()
            return len(answer.content)

        yield ask


def _race(
    contender: Callable[[], contextlib.AbstractContextManager[Ask]], clients: int, round_: int
) -> tuple[float, float, int]:
    """(median ms of a picture, pictures a second of all clients, mean bytes)."""
    taken: list[float] = []
    sizes: list[int] = []
    begin = threading.Barrier(clients + 1)

    def client(place: int) -> None:
        with contender() as ask:
            first = (round_ * clients + place) * (PICTURES + 5) + 1
            for number in range(first, first + 5):
                ask(number)
            begin.wait()
            for number in range(first + 5, first + 5 + PICTURES):
                begun = time.perf_counter()
                sizes.append(ask(number))
                taken.append((time.perf_counter() - begun) * 1000)

    threads = [threading.Thread(target=client, args=(place,)) for place in range(clients)]
    for thread in threads:
        thread.start()
    begin.wait(60)
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begun
    return statistics.median(taken), len(taken) / seconds, int(statistics.mean(sizes))
