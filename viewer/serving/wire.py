"""The short way of a WebSocket's messages: from the socket's bytes to the session and back without a task switch.

The ASGI way of one message is a queue, a wake-up of the consumer's task, a dictionary each way and another turn of the loop
before the kernel is given the bytes. For a picture it costs as much as drawing it. So a whole plain text message is cut out
of the bytes here and handed on at once, and what is sent is given to the kernel at once. Everything else (handshake, fragments,
pings, closing, the application's beginning and end) goes its ordinary way.
"""

from __future__ import annotations

import asyncio
import logging
import struct
import sys
import types
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol

logger = logging.getLogger(__name__)

EXTENSION = "farview.wire"
"""Under this name an ASGI scope's `extensions` hold the `Wire` of its connection."""
TEXT, BINARY = 0x81, 0x82
"""First byte of a whole message (RFC 6455, 5.2)."""
WAITING = 512
"""Messages that wait for one that takes its time, before the socket is not read further."""
FAILED = 1011


class Socket(Protocol):
    """What a wire needs of the connection."""

    def write_message(self, kind: int, content: bytes) -> None: ...
    async def room(self) -> bool: ...
    def hang_up(self) -> None: ...
    def say_goodbye(self, code: int, reason: str = "") -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...


class Wire:
    """One connection's messages, in order. The application takes them by `hear`, and sends by `text` and `binary`."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._hearer: Callable[[str], Coroutine[Any, Any, None]] | None = None
        self._waiting: deque[str] = deque()
        self._busy: asyncio.Future[None] | None = None
        self._paused = False

    @property
    def heard(self) -> bool:
        """Messages may come this way."""
        return self._hearer is not None

    def hear(self, hearer: Callable[[str], Coroutine[Any, Any, None]] | None) -> None:
        """From now on each text is handed to `hearer`; the next one when it is done with the one before. None: to nobody."""
        self._hearer = hearer

    def take(self, text: str) -> None:
        """One message came."""
        if self._busy is None and not self._waiting:
            self._begin(text)
            return
        self._waiting.append(text)
        if not self._paused and len(self._waiting) > WAITING:
            self._paused = True
            self._socket.pause()

    async def text(self, text: str) -> None:
        """Send a text; returns once the connection has room for more."""
        await self._send(TEXT, text.encode())

    async def binary(self, content: bytes) -> None:
        """Send bytes; returns once the connection has room for more."""
        await self._send(BINARY, content)

    async def _send(self, kind: int, content: bytes) -> None:
        self._socket.write_message(kind, content)
        if not await self._socket.room():
            self._socket.hang_up()

    def _begin(self, text: str) -> None:
        if self._hearer is None:
            return
        try:
            self._busy = at_once(self._hearer(text))
        except Exception:
            self._failed()
        else:
            if self._busy is not None:
                self._busy.add_done_callback(self._go_on)

    def _go_on(self, done: asyncio.Future[None]) -> None:
        self._busy = None
        if not done.cancelled() and done.exception() is not None:
            self._failed(done.exception())
        while self._waiting and self._busy is None:
            self._begin(self._waiting.popleft())
        if self._paused and len(self._waiting) <= WAITING // 2:
            self._paused = False
            self._socket.resume()

    def _failed(self, problem: BaseException | None = None) -> None:
        logger.error("a socket's message could not be handled", exc_info=problem or True)
        self._hearer = None
        self._waiting.clear()
        self._socket.say_goodbye(FAILED)


def at_once(work: Coroutine[Any, Any, None]) -> asyncio.Future[None] | None:
    """Run `work` up to where it first has to wait. None when it needed not; else what stands for the rest of it."""
    if sys.version_info >= (3, 12):
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
        if not task.done():
            return task
        task.result()
        return None
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return asyncio.ensure_future(_rest(work, waits_for))


@types.coroutine
def _rest(work: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """Go on with a coroutine that waits for what it yielded last."""
    while True:
        try:
            got = yield waits_for
        except BaseException as error:
            step: Callable[[], Any] = lambda error=error: work.throw(error)  # noqa: E731
        else:
            step = lambda got=got: work.send(got)  # noqa: E731
        try:
            waits_for = step()
        except StopIteration:
            return


def whole_text(data: bytes) -> tuple[str, int] | None:
    """(the text, how many bytes it took) of a plain text message that stands whole at the beginning of `data`: masked, not
    fragmented, shorter than 64 KiB, UTF-8. None for anything else."""
    if len(data) < 6 or data[0] != TEXT or data[1] < 0x80:
        return None
    length, start = data[1] & 0x7F, 6
    if length == 127:
        return None
    if length == 126:
        length, start = int.from_bytes(data[2:4], "big"), 8
        if length < 126:
            return None
    end = start + length
    if len(data) < end:
        return None
    mask = (data[start - 4 : start] * (length // 4 + 1))[:length]
    # Whole numbers of any length are the fastest exclusive or that Python has.
    plain = int.from_bytes(data[start:end], "little") ^ int.from_bytes(mask, "little")
    try:
        return plain.to_bytes(length, "little").decode(), end
    except UnicodeDecodeError:
        return None


def head_of(kind: int, length: int) -> bytes:
    """The frame header of a whole message that is not masked."""
    if length < 126:
        return struct.pack(">BB", kind, length)
    if length < 65536:
        return struct.pack(">BBH", kind, 126, length)
    return struct.pack(">BBQ", kind, 127, length)
