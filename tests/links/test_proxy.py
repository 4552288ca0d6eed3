"""The link that other tests measure over is as far and as thin as it says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from .proxy import Proxy


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that answers one byte to one byte, and a megabyte to `m`."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk(peer: socket.socket) -> None:
        with peer:
            while word := peer.recv(1):
                peer.sendall(bytes(1_000_000) if word == b"m" else word)

    def live() -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    threading.Thread(target=live, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def dialled(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


def received(peer: socket.socket, size: int) -> float:
    """Seconds until so many bytes have come."""
    begun = time.perf_counter()
    while size:
        size -= len(peer.recv(min(size, 65536)))
    return time.perf_counter() - begun


@pytest.mark.parametrize("round_trip", [0.040, 0.120])
def test_a_word_takes_the_round_trip(echo: int, round_trip: float) -> None:
    trips = []
    with Proxy(echo, megabits=30, round_trip=round_trip) as proxy, dialled(proxy) as peer:
        peer.sendall(b"x")
        received(peer, 1)  # the handshake is part of the first
        for _ in range(5):
            peer.sendall(b"x")
            trips.append(received(peer, 1))
    assert round_trip <= min(trips) <= round_trip + 0.015


@pytest.mark.parametrize("megabits", [10, 100])
def test_a_megabyte_takes_as_long_as_the_rate_says(echo: int, megabits: float) -> None:
    with Proxy(echo, megabits=megabits, round_trip=0.02) as proxy:
        with dialled(proxy) as peer:
            peer.sendall(b"m")
            taken = received(peer, 1_000_000)
        assert proxy.down.bytes == 1_000_000
    assert 8 / megabits <= taken <= 8 / megabits + 0.3


def test_connections_share_the_link(echo: int) -> None:
    with Proxy(echo, megabits=20, round_trip=0.02) as proxy:
        peers = [dialled(proxy) for _ in range(2)]
        begun = time.perf_counter()
        for peer in peers:
            peer.sendall(b"m")
        for peer in peers:
            received(peer, 1_000_000)
            peer.close()
    assert time.perf_counter() - begun >= 0.8


def test_an_end_on_one_side_is_an_end_on_the_other(echo: int) -> None:
    with Proxy(echo, megabits=20, round_trip=0.02) as proxy, dialled(proxy) as peer:
        peer.shutdown(socket.SHUT_WR)
        assert peer.recv(1) == b""
