"""Eight readers at once scroll and window for two minutes; FARVIEW_SOAK_SECONDS makes it another time.

Each changes its View 60 times a second and takes every picture; half of them in each of two client processes, on the same
cores as the server.
"""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from benchmarks.served import begin, clients, taken_in, uncompressed
from benchmarks.timing import note, percentile, table
from tests.live import LiveServer

READERS = 8
PROCESSES = 2
SECONDS = 120.0
SAMPLE = 5.0


def run() -> None:
    seconds = float(os.environ.get("FARVIEW_SOAK_SECONDS", SECONDS))
    with tempfile.TemporaryDirectory() as scratch, LiveServer() as server:
        uncompressed(Path(scratch) / "ct")
        served = taken_in(server, Path(scratch) / "ct")
        job = {"do": "soak", **served.address(), "viewers": READERS // PROCESSES, "seconds": seconds}
        memory: list[int] = []
        done = threading.Event()

        def watch() -> None:
            while not done.is_set():
                memory.append(server.memory())
                done.wait(SAMPLE)

        with clients(PROCESSES) as among:
            begin(among, [job] * PROCESSES)
            watching = threading.Thread(target=watch)
            watching.start()
            try:
                found = [client.answer() for client in among]
            finally:
                done.set()
                watching.join()
        ended = server.memory()
    pictures = sum(one["pictures"] / one["seconds"] for one in found)
    waits = [wait for one in found for wait in one["waits"]]
    answers = [wait for one in found for wait in one["answers"]]
    megabytes = sum(one["bytes"] for one in found) / 1e6
    table(
        f"Soak: {READERS} readers at 60 changes a second each, {seconds:.0f} s, 512 x 512",
        ("", "p50", "p95", "p99"),
        [
            ("newest change to its picture, ms", *(f"{percentile(waits, one):.0f}" for one in (50, 95, 99))),
            ("any change to a picture with it, ms", *(f"{percentile(answers, one):.0f}" for one in (50, 95, 99))),
        ],
    )
    note(f"{pictures:.0f} pictures/s together, {megabytes:.1f} MB/s, {len(waits)} pictures in all.")
    note(
        f"Memory of the web process that is its own: {memory[0] / 1e6:.0f} MB at the begin, {max(memory) / 1e6:.0f} at most, "
        f"{ended / 1e6:.0f} at the end."
    )
