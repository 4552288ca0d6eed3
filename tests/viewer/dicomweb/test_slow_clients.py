"""A very large object goes out to a client that hardly reads, or that goes away: the server neither holds it nor goes on.

A shortened form: 256 MiB here, 4 GiB by `make soak`.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import ImplicitVRLittleEndian

from tests.live import LiveServer
from tests.viewer.archive.objects import ct_slice

pytestmark = pytest.mark.soak

MIB = 1 << 20
SIZE = (4096 - 8 if os.environ.get("FARVIEW_SOAK") else 256) * MIB
FRAME = 512 * 512 * 2
GROWS_BY = 64 * MIB
ADDRESS = "/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.88"


@dataclass(frozen=True)
class Large:
    server: LiveServer
    token: str
    digest: str
    """Of the pixels."""

    def ask(self, address: str, accept: str = "*/*") -> socket.socket:
        asked = socket.create_connection((self.server.host, self.server.port), timeout=60)
        asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        lines = (f"GET {address} HTTP/1.1", f"Host: {self.server.host}", f"Authorization: Bearer {self.token}")
        asked.sendall("\r\n".join((*lines, f"Accept: {accept}", "Connection: close", "\r\n")).encode())
        return asked

    def files_held(self) -> list[str]:
        """Stored files that the server's process has mapped or open now."""
        assert self.server.process is not None
        process, blob = Path(f"/proc/{self.server.process.pid}"), str(self.server.data / "blob")
        mapped = [line for line in (process / "maps").read_text().splitlines() if f"{blob}/" in line]
        opened = []
        for entry in (process / "fd").iterdir():
            try:
                opened.append(os.readlink(entry))
            except OSError:
                continue
        return mapped + [name for name in opened if name.startswith(f"{blob}/")]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    """A server with one multi-frame object in Implicit VR, so that it is written again on its way out."""
    image = ct_slice("1.2.3.4.88")
    image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"
    image.Rows = image.Columns = 512
    image.NumberOfFrames = SIZE // FRAME
    del image.PixelData
    image.file_meta = pydicom.dataset.FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    path, digest = tmp_path_factory.mktemp("large") / "large.dcm", hashlib.sha256()
    pydicom.dcmwrite(path, image, enforce_file_format=True)
    with path.open("ab") as file:
        file.write(b"\xe0\x7f\x10\x00" + SIZE.to_bytes(4, "little"))
        for number in range(SIZE // MIB):
            piece = (number % 251).to_bytes(1, "little") * MIB
            digest.update(piece)
            file.write(piece)
    with LiveServer(FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0", FARVIEW_DICOM_PORT="0") as server:
        server.manage("ingest", path)
        path.unlink()
        yield Large(server, server.user("alice")[1], digest.hexdigest())


def test_memory_stays_flat_while_a_client_hardly_reads_and_all_arrives(large: Large) -> None:
    with large.ask(f"{ADDRESS}/frames/1") as small:
        while small.recv(MIB):
            pass
    before, most = large.server.memory(), 0
    with large.ask(ADDRESS, "application/dicom") as asked:
        held = bytearray()
        for _ in range(20):
            held += asked.recv(4096)
            time.sleep(0.1)
            most = max(most, large.server.memory())
        digest, seen = hashlib.sha256(), 0
        body = chunks(asked, held)
        head = bytearray()
        for piece in body:
            if seen == 0 and (at := head.find(b"\xe0\x7f\x10\x00OW")) < 0:
                head += piece
                if (at := head.find(b"\xe0\x7f\x10\x00OW")) < 0 or len(head) < at + 12:
                    continue
                piece = bytes(head[at + 12 :])
            digest.update(piece)
            seen += len(piece)
            if seen % (64 * MIB) < len(piece):
                most = max(most, large.server.memory())
    assert seen == SIZE
    assert digest.hexdigest() == large.digest
    assert most - before < GROWS_BY


def chunks(asked: socket.socket, start: bytearray) -> Iterator[bytes]:
    """The body of an answer in chunks (RFC 9112 7.1)."""
    held = start
    while b"\r\n\r\n" not in held:
        held += asked.recv(MIB)
    head, _, rest = bytes(held).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    assert b"chunked" in head.lower()
    held = bytearray(rest)
    while True:
        while b"\r\n" not in held:
            held += asked.recv(MIB)
        line, _, rest = bytes(held).partition(b"\r\n")
        held, size = bytearray(rest), int(line, 16)
        if not size:
            return
        while len(held) < size + 2:
            held += asked.recv(MIB)
        yield bytes(held[:size])
        del held[: size + 2]


def test_the_work_ends_when_the_client_goes_away(large: Large) -> None:
    asked = large.ask(ADDRESS)
    assert asked.recv(1 << 16).startswith(b"HTTP/1.1 200")
    assert large.files_held()
    asked.close()
    end = time.monotonic() + 10
    while large.files_held() and time.monotonic() < end:
        time.sleep(0.1)
    assert large.files_held() == []
    with large.ask(f"{ADDRESS}/frames/7") as again:
        assert again.recv(1 << 16).startswith(b"HTTP/1.1 200")


def test_a_head_alone_is_answered_without_the_object(large: Large) -> None:
    with socket.create_connection((large.server.host, large.server.port), timeout=60) as asked:
        lines = (f"HEAD {ADDRESS} HTTP/1.1", f"Host: {large.server.host}", f"Authorization: Bearer {large.token}")
        asked.sendall("\r\n".join((*lines, "Accept: application/dicom", "Connection: close", "\r\n")).encode())
        answer = b""
        while piece := asked.recv(MIB):
            answer += piece
            assert len(answer) < 64 * 1024
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"ETag: " in head
    assert body == b""
