"""A ZIP that is written while it is sent: whole at the end, and never much of it in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from viewer.archive.exporting_zip import LARGE, ZipStream

MEGABYTE = 1 << 20


def test_a_long_entry_leaves_while_it_is_made() -> None:
    made = 0

    def content() -> Iterator[bytes]:
        nonlocal made
        for number in range(64):
            made += MEGABYTE // 4
            yield bytes([number]) * (MEGABYTE // 4)

    archive, gone = ZipStream(), bytearray()
    for piece in archive.entry("A", content(), 64 * MEGABYTE):
        gone += piece
        assert made - len(gone) < MEGABYTE
    gone += b"".join(archive.end())
    with zipfile.ZipFile(io.BytesIO(gone)) as read:
        assert read.testzip() is None
        assert read.getinfo("A").file_size == made


def test_entries_that_may_pass_4_gib_are_in_the_form_for_it() -> None:
    archive = ZipStream()
    body = (
        b"".join(archive.entry("BIG", [b"x"], LARGE)) + b"".join(archive.entry("EMPTY", [])) + b"".join(archive.end())
    )
    assert body[4:6] == b"\x2d\x00"  # version 4.5: ZIP64
    with zipfile.ZipFile(io.BytesIO(body)) as read:
        assert read.read("BIG") == b"x"
        assert read.read("EMPTY") == b""
