"""The body of a request: where it lies while it arrives, and how the application takes it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from typing import IO, Any, cast

from django.conf import settings

CHUNK = 256 * 1024
WRITTEN_AT_ONCE = 1024 * 1024
IN_MEMORY = 64 * 1024
"""Bodies up to this size stay in memory, and nobody is asked about them before the application is."""


def spool() -> IO[bytes]:
    """An unnamed file under the data folder, in memory as long as it is small."""
    settings.FARVIEW_TMP_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)  # somebody may have tidied it away
    return cast(
        "IO[bytes]", tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, mode="w+b", dir=str(settings.FARVIEW_TMP_DIR))
    )


class Intake:
    """A body on its way into its file. The sender waits while a thread writes, and the other connections do not."""

    def __init__(
        self, pause: Callable[[], None], resume: Callable[[], None], failed: Callable[[OSError], None]
    ) -> None:
        self.file = spool()
        self.received = 0
        self._pause, self._resume, self._failed = pause, resume, failed
        self._holds = 0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._writing: asyncio.Task[None] | None = None

    def hold(self) -> None:
        """Read no further from the sender until as many calls of `release`."""
        self._holds += 1
        if self._holds == 1:
            self._pause()

    def release(self, *_: object) -> None:
        self._holds -= 1
        if self._holds == 0:
            self._resume()

    def take(self, data: bytes) -> None:
        """Keep one more piece."""
        self.received += len(data)
        if self.received <= IN_MEMORY:
            self.file.write(data)
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= WRITTEN_AT_ONCE and self._writing is None:
            self.hold()
            self._writing = asyncio.ensure_future(self._write())
            self._writing.add_done_callback(self.release)

    @property
    def settled(self) -> bool:
        """True when everything that came is in the file."""
        return self._writing is None and not self._pending

    async def settle(self) -> None:
        """Wait until everything that came is in the file."""
        if self._writing is not None:
            await self._writing
        await self._write()

    async def _write(self) -> None:
        try:
            while self._pending:
                pieces, self._pending, self._pending_bytes = self._pending, [], 0
                await asyncio.to_thread(self.file.writelines, pieces)
        except OSError as problem:
            self._failed(problem)
        except ValueError:
            pass  # the file was closed meanwhile: nobody wants it any more
        finally:
            self._writing = None

    def close(self) -> None:
        self._pending = []
        self.file.close()


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
