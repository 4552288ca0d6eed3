"""A running server tells its record to a collector: by datagrams, by TCP, and by TLS after an outage."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import requests

from tests.accounts.test_audit_export import Listener, sequences
from tests.accounts.test_audit_export import certificate as certificate
from tests.live import LiveServer, free_port

PATIENCE_S = 90.0


def knock(server: LiveServer, times: int) -> None:
    """Denials, each an event."""
    for _ in range(times):
        asked = requests.get(f"{server.url}/api/studies/", headers={"Authorization": "Bearer wrong"}, timeout=60)
        assert asked.status_code == 401


def wait_for(found: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < end
        time.sleep(0.1)


def complete(lines: list[bytes], events: int) -> bool:
    """So many denials came, and nothing before them is missing."""
    numbers = sorted(set(sequences(lines)))
    return sum(b"door.refuse" in line for line in lines) >= events and numbers == list(range(1, len(numbers) + 1))


def test_by_datagrams(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(PATIENCE_S)
        with LiveServer(FARVIEW_AUDIT_SYSLOG=f"udp://127.0.0.1:{line.getsockname()[1]}") as server:
            knock(server, 3)
            taken: list[bytes] = []
            while not complete(taken, 3):
                taken.append(line.recv(65536))


def test_by_tcp_and_by_tls_after_an_outage_without_a_gap(tmp_path: Path, certificate: Path) -> None:
    """One folder, two collectors: the second is told what the first was not, though it comes late."""
    first = Listener()
    with LiveServer(tmp_path / "data", FARVIEW_AUDIT_SYSLOG=f"tcp://127.0.0.1:{first.port}") as server:
        knock(server, 3)
        wait_for(lambda: complete(first.taken, 3))
    first.close()
    told = max(sequences(first.taken))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    port = free_port()
    address = {"FARVIEW_AUDIT_SYSLOG": f"tls://127.0.0.1:{port}", "FARVIEW_AUDIT_CA_FILE": str(certificate)}
    with LiveServer(tmp_path / "data", **address) as server:
        knock(server, 3)
        wait_for(lambda: "takes none now" in server.log())
        second = Listener(context, port)
        wait_for(lambda: sum(b"door.refuse" in line for line in second.taken) >= 3)
        wait_for(lambda: "takes them again" in server.log())
    second.close()
    numbers = sorted(set(sequences(second.taken)))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[0] <= told + 1
