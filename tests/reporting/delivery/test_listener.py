"""The listener over real sockets: a sender of python-hl7, a stranger, floods, slow ones, and a server killed in between."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import hl7
import pytest
from hl7.client import MLLPClient

from reporting.delivery import listener
from reporting.delivery.listener import Listener
from reporting.models import HL7Peer, InboundMessage, Order
from tests.live import LiveServer, free_port
from tests.reporting.delivery.messages import adt, orm

HERE = "127.0.0.1"


@contextlib.asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    served = Listener(HERE, 0, tls)
    task = asyncio.ensure_future(served.run())
    while not served.port and not task.done():
        await asyncio.sleep(0.01)
    try:
        yield served.port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def talk(port: int, *pieces: bytes, pause: float = 0.0, answers: int = 1) -> bytes:
    """What comes back for some bytes, until as many blocks are here or the connection is closed."""
    reader, writer = await asyncio.open_connection(HERE, port)
    found = b""
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(20):
            while found.count(b"\x1c\r") < answers and (data := await reader.read(4096)):
                found += data
    writer.close()
    return found


def block(text: str) -> bytes:
    return b"\x0b" + text.encode() + b"\x1c\r"


def code_of(answer: bytes) -> str:
    return str(hl7.parse(answer.strip(b"\x0b\x1c\r").decode()).segment("MSA")[1])


@pytest.mark.django_db(transaction=True)
async def test_a_client_of_another_maker_sends_an_order_and_has_its_answer(peer: HL7Peer) -> None:
    async with listening() as port:

        def send() -> str:
            with MLLPClient(HERE, port) as client:
                first = client.send_message(orm("M-1"))
                second = client.send_message(adt("M-2"))
                return (first + second).decode()

        told = await asyncio.to_thread(send)
    assert "MSA|AA|M-1" in told
    assert "MSA|AA|M-2" in told
    assert await Order.objects.acount() == 1


@pytest.mark.django_db(transaction=True)
async def test_messages_that_come_together_or_in_pieces_are_answered_one_by_one_in_order(peer: HL7Peer) -> None:
    both = block(orm("M-1")) + block(orm("M-2", act="XO"))
    async with listening() as port:
        together = await talk(port, both, answers=2)
        pieces = await talk(port, *(both[start : start + 97] for start in range(0, len(both), 97)), answers=2)
    for told in (together, pieces):
        assert told.index(b"MSA|AA|M-1") < told.index(b"MSA|AA|M-2")
    assert await InboundMessage.objects.acount() == 2


@pytest.mark.django_db(transaction=True)
async def test_an_address_in_no_row_is_rejected_and_its_message_not_looked_at(site, caplog) -> None:
    async with listening() as port:
        told = await talk(port, block(orm()))
        await talk(port, block(orm()))
    assert code_of(told) == "AR"
    assert b"M-1" not in told
    assert not await InboundMessage.objects.aexists()
    assert caplog.text.count("no peer has that address") == 1  # a flood of strangers is no flood of the log


@pytest.mark.django_db(transaction=True)
async def test_what_is_no_block_is_rejected_and_the_connection_ends(peer: HL7Peer) -> None:
    async with listening() as port:
        assert code_of(await talk(port, b"GET / HTTP/1.1\r\n\r\n", answers=2)) == "AR"
        assert code_of(await talk(port, b"\x0b" + b"A" * (listener.MESSAGE_BYTES + 1), answers=2)) == "AR"
        assert code_of(await talk(port, block(orm()))) == "AA"


@pytest.mark.django_db(transaction=True)
async def test_one_address_has_so_many_connections_and_no_more(peer: HL7Peer, monkeypatch) -> None:
    monkeypatch.setattr(listener, "CONNECTIONS_OF_ONE", 3)
    async with listening() as port:
        held = [await asyncio.open_connection(HERE, port) for _ in range(3)]
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection(HERE, port)
        assert await reader.read(10) == b""
        writer.close()
        held.pop()[1].close()
        await asyncio.sleep(0.2)
        assert code_of(await talk(port, block(orm()))) == "AA"
        for _, open_one in held:
            open_one.close()


@pytest.mark.django_db(transaction=True)
async def test_who_says_nothing_or_dribbles_is_gone_in_time(peer: HL7Peer, monkeypatch) -> None:
    monkeypatch.setattr(listener, "IDLE_S", 0.6)
    monkeypatch.setattr(listener, "MESSAGE_S", 0.6)
    async with listening() as port:
        started = time.monotonic()
        assert await talk(port) == b""
        assert await talk(port, *[b"\x0bMSH", *[b"|"] * 40], pause=0.1) == b""
        assert time.monotonic() - started < 10
        assert code_of(await talk(port, block(orm()))) == "AA"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine, signed by itself."""
    pem, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(pem)),
        ],
        check=True,
        capture_output=True,
    )
    return pem, key


@pytest.mark.django_db(transaction=True)
async def test_with_a_certificate_it_speaks_tls_and_nothing_else(peer: HL7Peer, settings, tmp_path) -> None:
    pem, key = certificate(tmp_path)
    settings.FARVIEW_HL7_TLS, settings.FARVIEW_TLS_CERT, settings.FARVIEW_TLS_KEY = "on", str(pem), str(key)
    async with listening(listener._tls()) as port:

        def send() -> bytes:
            trusting = ssl.create_default_context(cafile=pem)
            with (
                socket.create_connection((HERE, port), 10) as plain,
                trusting.wrap_socket(plain, server_hostname=HERE) as wrapped,
            ):
                wrapped.sendall(block(orm()))
                return wrapped.recv(65536)

        assert code_of(await asyncio.to_thread(send)) == "AA"
        assert await talk(port, block(orm("M-2"))) == b""
    assert await InboundMessage.objects.acount() == 1


@pytest.mark.django_db(transaction=True)
async def test_what_was_kept_before_a_crash_is_done_when_the_listener_starts(peer: HL7Peer) -> None:
    await InboundMessage.objects.acreate(
        organization_id=peer.organization_id, peer=peer, control_id="M-1", kind="ORM^O01", body=orm(), sha256="0" * 64
    )
    async with listening():
        for _ in range(100):
            if await Order.objects.aexists():
                break
            await asyncio.sleep(0.05)
    assert (await InboundMessage.objects.aget()).state == "applied"


# --- a whole server


def add_peer(server: LiveServer) -> None:
    server.manage(
        "shell",
        "-c",
        "from reporting.models import HL7Peer; from accounts.models import Organization;"
        " HL7Peer.objects.get_or_create(organization=Organization.objects.get(name='default'), name='RIS',"
        " defaults={'address': '127.0.0.1'})",
    )


def orders_in(server: LiveServer) -> list[str]:
    told = server.manage(
        "shell",
        "-c",
        "from reporting.models import Order; print(*Order.objects.values_list('accession_number', flat=True))",
    )
    return [word for word in told.stdout.split() if word.startswith("ACC-")]


def test_a_server_killed_at_any_moment_has_lost_no_order_that_it_acknowledged(tmp_path: Path) -> None:
    """Messages one after the other, the whole group killed in between, some times over; then each is sent again."""
    port = free_port()
    server = LiveServer(tmp_path / "data", FARVIEW_HL7_PORT=str(port), FARVIEW_GPU="off")
    acknowledged: list[str] = []
    number = 0
    try:
        server.start()
        server.user("boss", "admin")
        add_peer(server)
        for life in range(3):
            if life:
                server.start()
            end = time.monotonic() + 1.0 + life * 0.7
            with contextlib.suppress(OSError), socket.create_connection((HERE, port), 10) as plain:
                plain.settimeout(20)
                while True:
                    number += 1
                    if time.monotonic() > end:
                        plain.sendall(block(sent(number)))
                        time.sleep(0.002 * life)
                        server.kill()
                    else:
                        plain.sendall(block(sent(number)))
                    if f"MSA|AA|M-{number}".encode() in plain.recv(65536):
                        acknowledged.append(f"ACC-{number}")
            server.kill()
        server.start()
        held = orders_in(server)
        assert len(acknowledged) > 10
        assert set(acknowledged) <= set(held)
        with socket.create_connection((HERE, port), 10) as plain:
            plain.settimeout(20)
            for again in range(1, number + 1):
                plain.sendall(block(sent(again)))
                assert f"MSA|AA|M-{again}".encode() in plain.recv(65536)
        assert sorted(orders_in(server)) == sorted(f"ACC-{again}" for again in range(1, number + 1))
    finally:
        server.stop()


def sent(number: int) -> str:
    return orm(f"M-{number}", placer=f"P-{number}", filler=f"F-{number}", accession=f"ACC-{number}")
