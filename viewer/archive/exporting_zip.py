"""A ZIP file as a stream: an entry is written while it is read, and what is written leaves in pieces of about 256 KiB."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

PIECE: Final = 1 << 18
LARGE: Final = 1 << 30
"""From this size on an entry is written in the ZIP64 form: what is written again may grow a little."""


class _Outlet(io.RawIOBase):
    """Where `zipfile` writes to; it cannot go back in it."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._held += view
        return view.nbytes

    def taken(self, at_least: int = 1) -> Iterator[bytes]:
        if len(self._held) >= at_least:
            piece, self._held = bytes(self._held), bytearray()
            yield piece


class ZipStream:
    """Not compressed: compressed images do not shrink, and others are wanted quickly."""

    def __init__(self) -> None:
        self._outlet = _Outlet()
        self._zip = zipfile.ZipFile(self._outlet, "w", zipfile.ZIP_STORED, allowZip64=True)
        self._at = datetime.now(UTC).timetuple()[:6]

    def entry(self, name: str, content: Iterable[bytes], size: int = 0) -> Iterator[bytes]:
        """One file; `size` is about how large it is."""
        described = zipfile.ZipInfo(name, self._at)
        described.external_attr = 0o100644 << 16
        with self._zip.open(described, "w", force_zip64=size >= LARGE) as file:
            for piece in content:
                file.write(piece)
                yield from self._outlet.taken(PIECE)
        yield from self._outlet.taken(PIECE)

    def end(self) -> Iterator[bytes]:
        """What has not left yet, and the list of all entries."""
        self._zip.close()
        yield from self._outlet.taken()
