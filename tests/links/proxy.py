"""A thin, far link between a client and a server on this machine: every byte that passes is delayed and rationed.

`with Proxy(server_port, megabits=10, round_trip=0.040) as proxy:` then connect to `proxy.port`. Or by hand:
`python -m tests.links.proxy SERVER_PORT MEGABITS ROUND_TRIP_MS [LISTEN_PORT]`. It is a model, not a network: each direction
is one queue that all connections share, no packet is lost, TCP does not start slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from types import TracebackType

PIECE = 8 * 1024
"""Bytes that are passed on at a time; at 2 Mbit/s that is 33 ms, so small writes wait little behind large ones."""
HELD = 64 * 1024
"""Bytes of one connection and direction on their way, beyond which the sender has to wait: as a window of TCP does."""


class Direction:
    """One way of the link: pieces leave one after the other at the rate of the link, and arrive half a round trip later."""

    def __init__(self, bytes_per_second: float, delay: float) -> None:
        self._rate, self._delay = bytes_per_second, delay
        self._free_at = 0.0
        self.bytes = 0

    def arrival(self, size: int) -> float:
        """When `size` bytes that are handed in now will have arrived, on the clock of the loop."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + size / self._rate
        self.bytes += size
        return self._free_at + self._delay


class Proxy:
    """Listens on `port` and passes everything on to `server_port`, in a thread of its own; a context manager."""

    def __init__(self, server_port: int, megabits: float, round_trip: float, port: int = 0) -> None:
        self.port = port
        self._server_port = server_port
        self._round_trip = round_trip
        rate = megabits * 1e6 / 8
        self.up, self.down = Direction(rate, round_trip / 2), Direction(rate, round_trip / 2)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._live, name="link", daemon=True)
        self._ready = threading.Event()
        self._held = max(HELD, int(rate * (round_trip + 0.05)))

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)

    def _live(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the end of the link is no failure
            await asyncio.sleep(self._round_trip)  # the handshake of TCP
            await self._join(client, to_client)

    async def _join(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        near = socket.socket()
        near.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, HELD
        )  # or the kernel would hold what is not on its way yet
        near.setblocking(False)
        try:
            await self._loop.sock_connect(near, ("127.0.0.1", self._server_port))
            server, to_server = await asyncio.open_connection(sock=near)
        except OSError:
            near.close()
            to_client.close()
            return
        try:
            await asyncio.gather(
                self._pass(client, to_server, self.up), self._pass(server, to_client, self.down), return_exceptions=True
            )
        finally:
            to_client.close()
            to_server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction) -> None:
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(max(2, self._held // PIECE))
        delivering = asyncio.create_task(_deliver(pieces, writer))
        try:
            with contextlib.suppress(OSError):
                while not delivering.done() and (piece := await reader.read(PIECE)):
                    await pieces.put((way.arrival(len(piece)), piece))
            await pieces.put((way.arrival(0), b""))
            await delivering
        finally:
            delivering.cancel()


async def _deliver(pieces: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
    """Hand on each piece when it is due; an empty one ends it."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not piece:
                writer.write_eof()
                return
            writer.write(piece)
            await writer.drain()


def main(server_port: str, megabits: str, round_trip_ms: str, port: str = "0") -> None:
    with Proxy(int(server_port), float(megabits), float(round_trip_ms) / 1000, int(port)) as proxy:
        print(f"127.0.0.1:{proxy.port}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
