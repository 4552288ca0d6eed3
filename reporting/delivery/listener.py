"""The listener for HL7 messages (MLLP): a task of the server, bounded in connections, bytes and time."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import Counter

from django.conf import settings

from reporting.delivery import inbound, peers
from reporting.messages.mllp import BadFraming, Blocks, framed
from viewer.archive.rows import DatabaseBusy
from viewer.archive.storage import StorageFull
from viewer.serving.database import database

logger = logging.getLogger(__name__)

CONNECTIONS = 64
CONNECTIONS_OF_ONE = 8
"""Of one address."""
MESSAGE_BYTES = 1 << 20
IDLE_S = 600.0
"""A sender who keeps a connection open says nothing for this long, and is gone."""
MESSAGE_S = 30.0
"""A message that was begun is here within this."""
PIECE = 64 * 1024


class Listener:
    """Listens for as long as the process serves."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._open: Counter[str] = Counter()
        self._warned: dict[str, float] = {}
        self.port = port

    async def run(self) -> None:
        await self._catch_up()
        server = await asyncio.start_server(self._talk, self._host, self._port, ssl=self._tls, limit=PIECE)
        self.port = server.sockets[0].getsockname()[1]
        try:
            async with server:
                await server.serve_forever()
        finally:
            server.close()

    async def _catch_up(self) -> None:
        """Do what was kept and not done when the server ended."""
        for row in await database(inbound.pending)():
            try:
                await database(inbound.apply)(row)
            except (DatabaseBusy, StorageFull):
                logger.warning("A message that was kept waits to be done")

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = str((writer.get_extra_info("peername") or ("",))[0])
        if self._open.total() >= CONNECTIONS or self._open[address] >= CONNECTIONS_OF_ONE:
            writer.close()
            return
        self._open[address] += 1
        try:
            await self._converse(reader, writer, address)
        except (OSError, TimeoutError, ssl.SSLError):
            pass
        except Exception:
            logger.exception("A connection for HL7 messages ended unforeseen")
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        if not await database(peers.knows)(address):
            await self._refuse(reader, writer, address)
            return
        blocks, now = Blocks(MESSAGE_BYTES), asyncio.get_running_loop().time
        until = now() + IDLE_S
        while True:
            async with asyncio.timeout_at(until):
                data = await reader.read(PIECE)
            if not data:
                return
            begun = blocks.begun
            try:
                messages = blocks.feed(data)
            except BadFraming as problem:
                await self._say(writer, inbound.refusal(f"{problem}; the connection is closed"))
                return
            if messages or not begun:
                until = now() + (MESSAGE_S if blocks.begun else IDLE_S)
            for message in messages:
                answered = await database(inbound.receive)(message, address)
                await self._say(writer, answered.data)
                if not answered.known:
                    return

    async def _refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        """Nobody from here is listened to: what they send is answered once, and not looked at."""
        async with asyncio.timeout(MESSAGE_S):
            await reader.read(PIECE)
        self._warn(address)
        await self._say(writer, inbound.refusal("this address is not known here"))

    def _warn(self, address: str) -> None:
        """Once a minute."""
        now = asyncio.get_running_loop().time()
        if now - self._warned.get(address, float("-inf")) > 60.0:
            if len(self._warned) >= 1000:
                self._warned.clear()
            self._warned[address] = now
            logger.warning("HL7 messages from %s are refused: no peer has that address", address)

    async def _say(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        async with asyncio.timeout(MESSAGE_S):
            writer.write(framed(data))
            await writer.drain()


async def listen() -> None:
    """The task; does nothing where no port is named."""
    if not settings.FARVIEW_HL7_PORT:
        return
    try:
        await Listener(settings.FARVIEW_HOST, settings.FARVIEW_HL7_PORT, _tls()).run()
    except OSError as problem:
        logger.critical("HL7 messages cannot be listened for (FARVIEW_HL7_PORT): %s", problem)


def _tls() -> ssl.SSLContext | None:
    """With the server's own certificate, where FARVIEW_HL7_TLS asks for it."""
    if settings.FARVIEW_HL7_TLS != "on":
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(settings.FARVIEW_TLS_CERT, settings.FARVIEW_TLS_KEY or None)
    return context
