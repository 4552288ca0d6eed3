"""Objects of half a megabyte coming in by C-STORE, beside Orthanc: DCMTK's storescu sends, by one and by four associations.

What counts is from the first connection to the last acknowledgement. Orthanc is measured with and without its own fsync of
files (SyncStorageArea); ours always has all of them, and the record.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.timing import note, table
from tests.live import LiveServer
from tests.peers.orthanc import PROGRAM, Orthanc
from tests.viewer.archive.objects import ct_slice, save

STORESCU = Path("/usr/bin/storescu")
OBJECTS = 240
"""In a turn, shared out among the associations."""
TURNS = 3
SIDE = 512
UID = "1.2.3.4.10000000"
SERIES = "1.2.3.4.50000000"
GOALS = {1: 120, 4: 180}
OURS = "Farview"

Port = int


def run() -> None:
    if not STORESCU.exists():
        note("storescu is not here (Debian: apt-get install dcmtk)")
        return
    with ExitStack() as held, tempfile.TemporaryDirectory(prefix="farview-ingest-") as folder:
        contenders = _contenders(held)
        files = _Files(Path(folder))
        for associations, goal in GOALS.items():
            taken: dict[str, list[float]] = {name: [] for name in contenders}
            for _ in range(TURNS):
                for name, port in contenders.items():
                    taken[name].append(OBJECTS / _seconds(files, port, associations))
            rates = {name: statistics.median(found) for name, found in taken.items()}
            rows = [
                (name, f"{rate:.0f}", "" if name == OURS else f"{rates[OURS] / rate:.2f}x", f"{min(taken[name]):.0f}")
                for name, rate in rates.items()
            ]
            title = f"C-STORE of {SIDE * SIDE * 2 // 1024} KiB objects, {associations} association(s), median of {TURNS} turns"
            table(title, ("", "objects/s", "Farview against it", "slowest turn"), rows)
            note(f"Goal: {goal}/s, and Orthanc's own rate")


def _contenders(held: ExitStack) -> dict[str, Port]:
    ours = held.enter_context(LiveServer(dicom=True, FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0"))
    ours.manage("add_peer", "STORESCU", "127.0.0.1")
    found = {OURS: int(ours.environment["FARVIEW_DICOM_PORT"])}
    if PROGRAM.exists():
        for name, synced in (("Orthanc, files synced", True), ("Orthanc, files not synced", False)):
            peer = held.enter_context(Orthanc(SyncStorageArea=synced, StorageCompression=False))
            found[name] = peer.dicom_port
    else:
        note("Orthanc is not here (Debian: apt-get install orthanc)")
    return found


class _Files:
    """Objects that nobody has seen before, as many as are asked for: copies of one with other UIDs of the same length."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = count(20_000_000)
        noise = np.random.default_rng(3).integers(-1000, 1000, (SIDE, SIDE), np.int16)
        image = ct_slice(UID, series=SERIES, Rows=SIDE, Columns=SIDE, PixelData=noise.tobytes())
        self._template = save(image, folder / "template.dcm").read_bytes()

    def series(self, images: int) -> Iterator[Path]:
        series = f"1.2.3.4.{next(self._numbers)}"
        for _ in range(images):
            path = self.folder / "turn" / f"{next(self._numbers)}.dcm"
            path.parent.mkdir(exist_ok=True)
            content = self._template.replace(SERIES.encode(), series.encode())
            path.write_bytes(content.replace(UID.encode(), f"1.2.3.4.{path.stem}".encode()))
            yield path

    def forget(self) -> None:
        shutil.rmtree(self.folder / "turn", ignore_errors=True)


def _seconds(files: _Files, port: Port, associations: int) -> float:
    """One turn; raises where an object was not acknowledged."""
    parts = [list(map(str, files.series(OBJECTS // associations))) for _ in range(associations)]
    begun = time.perf_counter()
    senders = [
        subprocess.Popen([str(STORESCU), "-xe", "-aec", "FARVIEW", "127.0.0.1", str(port), *part]) for part in parts
    ]
    statuses = [sender.wait() for sender in senders]
    spent = time.perf_counter() - begun
    files.forget()
    if any(statuses):
        raise RuntimeError("storescu was refused")
    return spent
