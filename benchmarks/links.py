"""A reader at home: the real server at the far end of a link of our own that delays and rations every byte.

The reader scrolls with 60 changes a second, and a picture is on the glass half a picture of the screen after it came. What is
drawn at rest is decoded, and has to be the picture whose hash the server names, on every link.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.served import chest, clients, taken_in, together, uncompressed
from benchmarks.timing import note, percentile, table
from tests.links.proxy import Proxy
from tests.live import LiveServer

LINKS = [(30, 20), (30, 40), (10, 40), (2, 40), (30, 120), (10, 120), (2, 120)]
"""Mbit/s and ms of the round trip."""
OPENINGS = 3
STRETCHES = 4
SECONDS = 2.0
SCREEN = 1 / 120


def run() -> None:
    with tempfile.TemporaryDirectory() as scratch, LiveServer() as server, clients(1) as among:
        folder = chest()
        if folder is None:
            folder = Path(scratch) / "ct"
            uncompressed(folder)
        served = taken_in(server, folder)
        rows = []
        for megabits, milliseconds in LINKS:
            with Proxy(server.port, megabits, milliseconds / 1000) as proxy:
                job = {
                    "do": "home", **served.address(proxy.port), "openings": OPENINGS, "stretches": STRETCHES,
                    "seconds": SECONDS, "screen": SCREEN,
                }  # fmt: skip
                (found,) = together(among, [job])
            rows.append(_row(megabits, milliseconds, found))
    what = "a chest CT" if chest() else "the phantom"
    table(
        f"Home links, 512 x 512 pictures of {what}, a reader who scrolls with 60 changes a second",
        ("Mbit/s, round trip", "first ms", "kB until it", "first exact ms", "pictures/s", "change to picture p50 / p95 ms",
         "pixels", "kB/s", "rest to exact ms", "exact kB"),
        rows,
    )  # fmt: skip
    note(
        "First: from `series.open` on a line that stands, to the first picture on the glass. Rest to exact: from the last "
        "change; the server waits 150 ms of it. Every picture at rest was decoded and had the hash of the exact one."
    )


def _row(megabits: int, milliseconds: int, found: dict[str, Any]) -> tuple[object, ...]:
    waits = found["waits"]
    return (
        f"{megabits}, {milliseconds} ms",
        f"{statistics.median(found['first']):.0f}",
        f"{statistics.median(found['first_bytes']) / 1000:.0f}",
        f"{statistics.median(found['first_exact']):.0f}",
        f"{found['rate']:.0f}",
        f"{percentile(waits, 50):.0f} / {percentile(waits, 95):.0f}",
        f"{found['pixels'] / 1000:.0f} k",
        f"{found['bytes'] / 1000:.0f}",
        f"{statistics.median(found['rests']):.0f}",
        f"{found['exact_bytes'] / 1000:.0f}",
    )
