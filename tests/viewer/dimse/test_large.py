"""A large multi-frame object comes in without the node growing by it.

300 MB, as much as shows that nothing of it is kept in memory; `make soak` sends 4 GB. Sending them is what takes the time.
"""

from __future__ import annotations

import io
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.filebase import DicomFileLike
from pydicom.uid import CTImageStorage

from tests.live import LiveServer
from tests.viewer.archive.objects import ct_slice

from . import nodes
from .test_process import nodes as node_processes

pytestmark = pytest.mark.soak

FRAME = 1024 * 1024 * 2
FRAMES = 2000 if os.environ.get("FARVIEW_SOAK") else 150
PIECE = 128 * 1024
MOST = 200 << 20


def header() -> bytes:
    """A data set in explicit VR little endian up to the values of its pixels."""
    image = ct_slice(Rows=1024, Columns=1024, NumberOfFrames=FRAMES)
    del image.PixelData
    buffer = io.BytesIO()
    file = DicomFileLike(buffer)
    file.is_little_endian, file.is_implicit_VR = True, False
    pydicom.filewriter.write_dataset(file, image)
    return buffer.getvalue() + struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, FRAME * FRAMES)


def pieces() -> Iterator[bytes]:
    yield header()
    nothing = bytes(PIECE)
    for _ in range(FRAME * FRAMES // PIECE - 1):
        yield nothing


def peak(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_large_object_does_not_grow_the_node() -> None:
    with LiveServer(dicom=True, FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0") as live:
        live.manage("add_peer", "SCANNER", "127.0.0.1")
        (node,) = node_processes(live)
        address = ("127.0.0.1", int(live.environment["FARVIEW_DICOM_PORT"]))
        with socket.create_connection(address, timeout=300) as connection:
            connection.sendall(nodes.associate_request())
            assert nodes.answer_kind(connection) == nodes.ACCEPTED
            before = peak(node)
            connection.sendall(nodes.data(nodes.store_command("1.2.3.4.1", CTImageStorage), command=True))
            for piece in pieces():
                connection.sendall(nodes.data(piece, last=False))
            connection.sendall(nodes.data(bytes(PIECE)))
            assert nodes.answer_kind(connection) == nodes.DATA
        assert peak(node) - before < MOST
        (blob,) = [path for path in (live.data / "blob").glob("??/*") if path.stat().st_size > FRAME * FRAMES]
        assert pydicom.dcmread(blob, stop_before_pixels=True).NumberOfFrames == FRAMES
        assert "as it was received" in live.manage("verify").stdout
