"""The body of a request: where it lies while it arrives, and how the application takes it."""

from __future__ import annotations

import asyncio
import tempfile
from typing import IO, Any, cast

from django.conf import settings

CHUNK = 256 * 1024
IN_MEMORY = 64 * 1024
"""Bodies up to this size stay in memory, and nobody is asked about them before the application is."""


def spool() -> IO[bytes]:
    """An unnamed file under the data folder, in memory as long as it is small."""
    return cast(
        "IO[bytes]", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+b", dir=str(settings.FARVIEW_TMP_DIR))
    )


class Body:
    """ASGI's `receive` for one HTTP request: the body piece by piece as asked for, then the end of the connection.

    An application that knows this class takes the whole file instead (`take`), so that nothing is copied.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file: IO[bytes] | None = file
        self._disconnected = asyncio.Event()

    def disconnect(self) -> None:
        """The client went away, or has its answer."""
        self._disconnected.set()

    def put_nowait(self, message: dict[str, Any]) -> None:
        """The queue's face that the protocol knows; the one message it puts here is the end of the connection."""
        if message["type"] == "http.disconnect":
            self.disconnect()

    def take(self) -> IO[bytes] | None:
        """The whole body as a file at its beginning, now the caller's to close; None when it was taken before."""
        file, self._file = self._file, None
        if file is not None:
            file.seek(0)
        return file

    async def __call__(self) -> dict[str, Any]:
        if self._file is None:
            await self._disconnected.wait()
            return {"type": "http.disconnect"}
        piece = self._file.read(CHUNK)
        more = len(piece) == CHUNK
        if not more:
            self.close()
        return {"type": "http.request", "body": piece, "more_body": more}

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
