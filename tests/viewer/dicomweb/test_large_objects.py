"""A very large object comes in by STOW-RS: the server's memory does not follow its size.

A shortened form: 384 MiB here, 4 GiB by `make soak`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
import requests

from tests.live import LiveServer
from tests.viewer.archive.objects import ct_slice, save

pytestmark = pytest.mark.soak

MIB = 1 << 20
SIZE = (4096 - 8 if os.environ.get("FARVIEW_SOAK") else 384) * MIB
FRAME = 512 * 512 * 2
GROWS_BY = 200 * MIB


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with LiveServer(FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0") as live:
        yield live


@pytest.fixture
def head(tmp_path: Path) -> bytes:
    """A multi-frame object up to its first pixel."""
    image = ct_slice("1.2.3.4.77")
    image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"  # multi-frame grayscale word secondary capture
    image.Rows = image.Columns = 512
    image.NumberOfFrames = SIZE // FRAME
    del image.PixelData
    return save(image, tmp_path / "head.dcm").read_bytes() + b"\xe0\x7f\x10\x00OW\0\0" + SIZE.to_bytes(4, "little")


def body(head: bytes) -> Iterator[bytes]:
    yield b"--large\r\nContent-Type: application/dicom\r\n\r\n" + head
    for number in range(SIZE // MIB):
        yield (number % 251).to_bytes(1, "little") * MIB
    yield b"\r\n--large--\r\n"


class Highest(threading.Thread):
    """The most memory that the server's own process held while this ran."""

    def __init__(self, server: LiveServer) -> None:
        super().__init__(daemon=True)
        self.server, self.most, self.over = server, 0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.05):
            self.most = max(self.most, self.server.memory())


def test_the_servers_memory_does_not_follow_the_size_of_an_object(server: LiveServer, head: bytes) -> None:
    token = server.user("tess", "technologist")[1]
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    session.get(f"{server.url}/api/studies/", timeout=60)
    before = server.memory()
    watching = Highest(server)
    watching.start()
    answer = session.post(
        f"{server.url}/dicom-web/studies",
        data=body(head),
        headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=large'},
        timeout=1800,
    )
    watching.over.set()
    watching.join()
    assert answer.status_code == 200, answer.text
    assert watching.most - before < GROWS_BY
    stored = next(path for path in (server.data / "blob").glob("??/*") if path.stat().st_size > SIZE)
    assert stored.stat().st_size == len(head) + SIZE
    assert pydicom.dcmread(stored, stop_before_pixels=True).NumberOfFrames == SIZE // FRAME
