"""What one connection may hold in memory: sends wait for the transport, and a sender who floods is not read further."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

STALL_SECONDS = 60.0
"""A reader who takes nothing for this long is gone."""
INBOX_MESSAGES = 512
INBOX_BYTES = 512 * 1024


@implementer(IPushProducer)
class Flow:
    """Tells senders when the transport's buffer has room. Registered as the transport's producer."""

    def __init__(self) -> None:
        self._room = asyncio.Event()
        self._room.set()

    def pauseProducing(self) -> None:
        self._room.clear()

    def resumeProducing(self) -> None:
        self._room.set()

    def stopProducing(self) -> None:
        self._room.set()

    async def room(self) -> bool:
        """Wait until there is room; False when there was none for `STALL_SECONDS`."""
        if self._room.is_set():
            return True
        try:
            await asyncio.wait_for(self._room.wait(), STALL_SECONDS)
        except TimeoutError:
            return False
        return True


class Inbox:
    """Messages on their way to the application. Past a bound the transport is not read until the half is taken."""

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._messages: deque[tuple[dict[str, Any], int]] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self._pause, self._resume, self._paused = pause, resume, False

    def put_nowait(self, message: dict[str, Any]) -> None:
        size = len(message.get("bytes") or message.get("text") or b"")
        self._messages.append((message, size))
        self._bytes += size
        self._some.set()
        if not self._paused and (len(self._messages) > INBOX_MESSAGES or self._bytes > INBOX_BYTES):
            self._paused = True
            self._pause()

    async def get(self) -> dict[str, Any]:
        while not self._messages:
            self._some.clear()
            await self._some.wait()
        message, size = self._messages.popleft()
        self._bytes -= size
        if self._paused and len(self._messages) <= INBOX_MESSAGES // 2 and self._bytes <= INBOX_BYTES // 2:
            self._paused = False
            self._resume()
        return message
