"""Socket to socket: client processes that change frame and window and wait for the picture; beside Orthanc, if there."""

from __future__ import annotations

import contextlib
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import requests

from benchmarks.served import clients, taken_in, together, uncompressed
from benchmarks.timing import ms, note, table
from tests.live import LiveServer, free_port

ROUNDS = 7
SECONDS = 1.5
OURS, THEIRS = "Farview, WebSocket", "Orthanc /rendered"


def run() -> None:
    """One and four clients; every pair of frame and window is new; 512 x 512, lossy, JPEG of quality 90 at the peer."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = uncompressed(folder / "ct")
        served = taken_in(stack.enter_context(LiveServer()), folder / "ct")
        contenders: dict[str, dict[str, Any]] = {OURS: {"do": "ask", **served.address()}}
        orthanc = shutil.which("Orthanc") or shutil.which("/usr/sbin/Orthanc")
        if orthanc:
            port, instances = stack.enter_context(_orthanc(orthanc, folder, files))
            contenders[THEIRS] = {"do": "rendered", "port": port, "instances": instances}
        rows = []
        for count in (1, 4):
            found = _rounds(contenders, count)
            for name, rounds in found.items():
                ratios = [ours[0] / theirs[0] for ours, theirs in zip(found[OURS], rounds, strict=True)]
                rows.append(
                    (
                        name,
                        count,
                        ms(statistics.median(one[1] for one in rounds)),
                        f"{statistics.median(one[0] for one in rounds):.0f}",
                        f"{statistics.mean(one[2] for one in rounds) / 1000:.1f}",
                        "" if name == OURS else f"{statistics.median(ratios):.1f}x",
                    )
                )
    table(
        f"Socket to socket, client processes in Python, {ROUNDS} rounds in turns",
        ("", "clients", "median ms", "pictures/s", "kB", "Farview against it"),
        rows,
    )
    note("Every picture is another frame with another window, uncompressed 512 x 512 CT, and has all its pixels.")


def _rounds(contenders: dict[str, dict[str, Any]], count: int) -> dict[str, list[tuple[float, float, float]]]:
    """(pictures a second of all clients, median ms of a picture, mean bytes) of each round; the first is not counted."""
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in contenders}
    with clients(count) as among:
        for round_ in range(ROUNDS + 1):
            for name, job in contenders.items():
                seeds = [(round_ * count + place) * 10_007 for place in range(count)]
                answers = together(among, [{**job, "seconds": SECONDS, "seed": seed} for seed in seeds])
                if any(one["small"] for one in answers):
                    raise RuntimeError("pictures came with fewer pixels than were asked for")
                rate = sum(len(one["taken"]) / one["seconds"] for one in answers)
                median = statistics.median(taken for one in answers for taken in one["taken"])
                size = statistics.mean(one["bytes"] for one in answers)
                if round_:
                    found[name].append((rate, median, size))
    return found


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
