"""The web server alone, in a process of its own, against clients that misbehave."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from websockets.exceptions import ConnectionClosedOK
from websockets.sync.client import connect as websocket

from tests.live import LiveServer
from tests.viewer.serving import raw

MIB = 2**20
LET_IN = {"X-Let-In": "1"}  # what the toy's own admission asks for; who is who is tested with the whole server


class Toy(LiveServer):
    def command(self) -> list[str]:
        return [sys.executable, "-m", "tests.viewer.serving.toy", str(self.port)]

    def counts(self) -> dict[str, int]:
        return requests.get(f"{self.url}/counts", timeout=10).json()

    def settled(self, name: str) -> int:
        """The count `name` once it has stopped growing."""
        before, now = -1, self.counts()[name]
        while now != before:
            time.sleep(0.4)
            before, now = now, self.counts()[name]
        return now


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toy]:
    with Toy(tmp_path_factory.mktemp("toy") / "data") as server:
        yield server


def test_a_socket_that_never_reads_holds_no_memory(toy: Toy) -> None:
    toy.counts()
    before, sent_before = toy.memory(), toy.counts()["sent"]
    with raw.connect(toy.port, receive_buffer=4096) as client:
        assert "101" in raw.upgrade(client, toy.port, "/")
        client.sendall(raw.text_frame("flood"))
        sent = toy.settled("sent") - sent_before
        grown = toy.memory() - before
    assert 0 < sent < 16 * MIB  # what fits into the kernel's buffers, of the 100 MiB it wants to send
    assert grown < 8 * MIB


def test_a_response_that_nobody_reads_holds_no_memory(toy: Toy) -> None:
    toy.counts()
    before, sent_before = toy.memory(), toy.counts()["sent"]
    with raw.connect(toy.port, receive_buffer=4096) as client:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        sent = toy.settled("sent") - sent_before
        grown = toy.memory() - before
    assert 0 < sent < 16 * MIB
    assert grown < 8 * MIB


def test_a_reader_gets_all_of_it(toy: Toy) -> None:
    assert len(requests.get(f"{toy.url}/stream", timeout=60).content) == 100 * MIB
    with websocket(f"ws://127.0.0.1:{toy.port}/", max_size=None) as client:
        client.send("flood")
        assert sum(len(client.recv()) for _ in range(400)) == 100 * MIB


def test_an_answer_to_head_has_no_body_also_when_it_comes_in_pieces(toy: Toy) -> None:
    with raw.connect(toy.port) as client:
        client.sendall(f"HEAD /stream HTTP/1.1\r\nHost: 127.0.0.1:{toy.port}\r\nConnection: close\r\n\r\n".encode())
        heard = b""
        while piece := client.recv(65536):
            heard += piece
    assert heard.startswith(b"HTTP/1.1 200")
    assert heard.endswith(b"\r\n\r\n")
    assert heard.count(b"\r\n\r\n") == 1


def test_a_socket_that_floods_is_not_read_further(toy: Toy) -> None:
    before = toy.memory()
    with raw.connect(toy.port) as client:
        raw.upgrade(client, toy.port, "/")
        client.sendall(raw.text_frame("think"))
        client.settimeout(2)
        with pytest.raises(TimeoutError):
            client.sendall(raw.text_frame("x" * 60_000) * 1000)
        assert toy.memory() - before < 8 * MIB


def test_sockets_are_neither_compressed_nor_long_winded(toy: Toy) -> None:
    with raw.connect(toy.port) as client:
        head = raw.upgrade(client, toy.port, "/", Sec_WebSocket_Extensions="permessage-deflate")
        assert "101" in head
        assert "extensions" not in head
        assert "server:" not in head
        client.sendall(raw.text_frame("y" * 65_536))
        assert b"65536" in client.recv(100)
        client.sendall(raw.text_frame("y" * 65_537))
        assert b"\x03\xf1" in raw.read_until_closed(client, 5)  # 1009, too big


@pytest.mark.parametrize(("code", "status"), [(4401, 401), (4403, 403), (4404, 404), (4429, 429), (1000, 403)])
def test_a_socket_is_refused_with_a_status(toy: Toy, code: int, status: int) -> None:
    with raw.connect(toy.port) as client:
        assert raw.upgrade(client, toy.port, f"/deny/{code}").startswith(f"http/1.1 {status} ")


def test_responses_do_not_say_what_served_them(toy: Toy) -> None:
    assert "server" not in requests.get(f"{toy.url}/counts", timeout=10).headers


@pytest.mark.parametrize("path", ["/pieces", "/whole"])
@pytest.mark.parametrize("size", [0, 5, 65_536])
def test_a_small_body_reaches_the_application_whole(toy: Toy, path: str, size: int) -> None:
    assert requests.post(toy.url + path, data=bytes(size), timeout=10).json()["length"] == size


def test_a_small_body_in_chunks_is_counted(toy: Toy) -> None:
    answer = requests.post(f"{toy.url}/pieces", data=iter([b"abc", b"defg"]), timeout=10)
    assert answer.json()["length"] == 7


def test_a_large_body_arrives_whole_and_not_in_memory(toy: Toy) -> None:
    before = toy.memory()
    answer = requests.post(f"{toy.url}/api/uploads/", data=iter([bytes(MIB)] * 64), headers=LET_IN, timeout=60)
    assert answer.json()["length"] == 64 * MIB
    answer = requests.post(f"{toy.url}/whole", data=bytes(7 * MIB + 1), headers=LET_IN, timeout=60)
    assert answer.json()["length"] == 7 * MIB + 1
    assert toy.memory() - before < 16 * MIB
    assert spooled(toy) == 0


def spooled(toy: Toy) -> int:
    """Bytes in files of the server that have no name any more, and in the folder for temporary files."""
    total = sum(path.stat().st_size for path in (toy.data / "tmp").rglob("*") if path.is_file())
    for entry in Path(f"/proc/{toy.process.pid}/fd").iterdir():
        try:
            if "(deleted)" in str(entry.readlink()):
                total += entry.stat().st_size
        except OSError:
            continue
    return total


def test_a_stranger_is_refused_before_anything_is_kept(toy: Toy) -> None:
    asked = toy.counts()["asked"]
    with raw.connect(toy.port) as client:
        client.sendall(b"POST /api/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 50000000\r\n\r\n")
        assert raw.head_of(client).startswith("http/1.1 401 ")  # although no byte of the body was sent
    assert spooled(toy) == 0
    assert toy.counts()["asked"] == asked + 1  # the application was never asked, but for the counts


def test_a_stranger_in_a_hurry_is_refused_too(toy: Toy) -> None:
    answer = requests.post(f"{toy.url}/api/uploads/", data=bytes(3_000_000), timeout=20)
    assert answer.status_code == 401
    assert answer.json()["detail"]
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_client_that_waits_for_permission_gets_none(toy: Toy) -> None:
    with raw.connect(toy.port) as client:
        client.sendall(
            b"POST /api/uploads/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 500000\r\n\r\n"
        )
        assert raw.head_of(client).startswith("http/1.1 401 ")


def test_a_body_over_the_limit_is_refused_at_its_headers(toy: Toy) -> None:
    with raw.connect(toy.port) as client:
        client.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (9 * MIB))
        assert raw.head_of(client).startswith("http/1.1 413 ")


def test_a_body_of_unknown_length_from_a_stranger_ends_early(toy: Toy) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield bytes(MIB)

    started = toy.memory()
    try:
        status = requests.post(f"{toy.url}/x", data=endless(), timeout=20).status_code
    except requests.ConnectionError:  # it was hung up on in the middle, before it looked for an answer
        status = 401
    assert status in {401, 413}
    assert spooled(toy) == 0
    assert toy.memory() - started < 8 * MIB


def test_it_stops_when_told_to_even_with_people_connected(tmp_path: Path) -> None:
    with Toy(tmp_path / "data") as toy, raw.connect(toy.port, receive_buffer=4096) as silent:
        raw.upgrade(silent, toy.port, "/")
        silent.sendall(raw.text_frame("flood"))
        with websocket(f"ws://127.0.0.1:{toy.port}/") as client:
            client.send("hello")
            assert client.recv() == "5"
            began = time.monotonic()
            assert toy.terminate() == 0
            assert time.monotonic() - began < 10
            with pytest.raises(ConnectionClosedOK) as goodbye:
                client.recv()
            assert goodbye.value.rcvd.code == 1001
        assert toy.group() == []


def test_an_interrupt_stops_it_as_well(tmp_path: Path) -> None:
    with Toy(tmp_path / "data") as toy:
        toy.process.send_signal(signal.SIGINT)
        assert toy.process.wait(60) == 0


def test_broken_requests_do_no_harm(toy: Toy) -> None:
    for nonsense in (b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
        with raw.connect(toy.port) as client:
            client.sendall(nonsense + b"\r\n\r\n")
            assert b" 200 " not in raw.read_until_closed(client, 3)[:20]
    with raw.connect(toy.port) as client:
        client.sendall(b"GET /counts HTTP/1.1\r\nHost: x\r\nBad Name: 1\r\n\r\n")
        assert raw.head_of(client).startswith("http/1.1 400 ")
    assert json.dumps(toy.counts())
