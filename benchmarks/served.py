"""A real server with a scan in it, and processes that are its clients."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pydicom
import requests

from tests.live import ROOT, LiveServer
from viewer.phantom.studies import write_ct

CHEST = Path("series/ct_chest_lidc0314_jpegls")
SLICES = 100
ANSWER_SECONDS = 600.0


def chest() -> Path | None:
    """The folder of a real chest CT of 217 JPEG-LS slices, below FARVIEW_TEST_DATA; None where it is not there."""
    named = os.environ.get("FARVIEW_TEST_DATA")
    folder = (Path(named) if named else ROOT.parent / "shared" / "data") / CHEST
    return folder if folder.is_dir() else None


def uncompressed(folder: Path, slices: int = SLICES) -> list[Path]:
    """Slices of the real chest, head to feet, as uncompressed files in `folder`; of the phantom's where it is not there."""
    real = chest()
    if real is None:
        return write_ct(folder, shape=(slices, 512, 512))
    folder.mkdir(parents=True, exist_ok=True)
    headers = [(pydicom.dcmread(path, stop_before_pixels=True), path) for path in real.glob("*.dcm")]
    headers.sort(key=lambda one: -float(one[0].ImagePositionPatient[2]))
    written = []
    for place, (_, path) in enumerate(headers[:slices]):
        d = pydicom.dcmread(path)
        d.decompress()
        written.append(folder / f"{place:04d}.dcm")
        d.save_as(written[-1])
    return written


@dataclass(frozen=True)
class Served:
    """A series on a server, and who may look at it."""

    server: LiveServer
    study: str
    series: str
    frames: int
    name: str
    password: str
    token: str

    def address(self, port: int | None = None) -> dict[str, Any]:
        """What a client process needs to know; by way of another port, if that is the near end of a link."""
        return {
            "port": port or self.server.port, "token": self.token, "series": self.series, "frames": self.frames
        }  # fmt: skip


def taken_in(server: LiveServer, folder: Path) -> Served:
    """Ingests the one study in `folder` for a new reader."""
    server.manage("ingest", folder)
    name = "bench"
    password, token = server.user(name)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        study = session.get(f"{server.url}/api/studies/", timeout=20).json()["studies"][0]["study_instance_uid"]
        (series,) = session.get(f"{server.url}/api/studies/{study}/", timeout=20).json()["series"]
    return Served(server, study, series["series_instance_uid"], len(list(folder.rglob("*.dcm"))), name, password, token)


class Client:
    """A process of `benchmarks.reader`: one interpreter of its own, that does one job after the other."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.reader"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tell(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a client process ended; what it said is above")
        return cast(dict[str, Any], json.loads(line))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)


@contextlib.contextmanager
def clients(count: int) -> Iterator[list[Client]]:
    """So many client processes."""
    made: list[Client] = []
    try:
        for _ in range(count):
            made.append(Client())
        yield made
    finally:
        for one in made:
            one.close()


def begin(among: list[Client], jobs: list[dict[str, Any]]) -> None:
    """Hand each its job, wait until all are connected and warm, then let them go at once."""
    for client, job in zip(among, jobs, strict=True):
        client.tell(job)
    for client in among:
        client.answer()
    for client in among:
        client.tell({"go": True})


def together(among: list[Client], jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each found, all having begun at once."""
    begin(among, jobs)
    return [client.answer() for client in among]
