"""A thousand connections that do nothing keep nobody out, on HTTP and on DICOM."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
import requests
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from tests.chromium import wait_until
from tests.live import LiveServer

IDLE = 1000


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with LiveServer(dicom=True) as live:
        live.manage("add_peer", "SCANNER", "127.0.0.1")
        yield live


def dicom_port(server: LiveServer) -> int:
    return int(server.environment["FARVIEW_DICOM_PORT"])


@contextlib.contextmanager
def idle(port: int) -> Iterator[list[socket.socket]]:
    """So many connections as the server's machine takes; it may close any of them."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(IDLE):
            opened = stack.enter_context(socket.socket())
            opened.settimeout(5)
            with contextlib.suppress(OSError):
                opened.connect(("127.0.0.1", port))
                made.append(opened)
        yield made


def echoed(server: LiveServer) -> bool:
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(Verification)
    entity.connection_timeout = entity.acse_timeout = entity.dimse_timeout = 20
    association = entity.associate("127.0.0.1", dicom_port(server), ae_title="FARVIEW")
    try:
        return bool(association.is_established and association.send_c_echo().get("Status") == 0)
    finally:
        if association.is_established:
            association.release()


def test_idle_web_connections_keep_no_reader_out(server: LiveServer) -> None:
    _, token = server.user("crowded")
    before = server.memory()
    with idle(server.port) as crowd:
        assert len(crowd) == IDLE
        for path in ("/healthz", "/api/studies/", "/"):
            answer = requests.get(server.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=20)
            assert answer.status_code == 200, path
        assert echoed(server)
        assert server.memory() - before < 100 * 2**20
    assert "Too many open files" not in server.log()


def test_idle_dicom_connections_keep_no_scanner_out(server: LiveServer) -> None:
    with idle(dicom_port(server)):
        assert wait_until(lambda: echoed(server), "a scanner among idle connections", 60)
        assert requests.get(server.url + "/healthz", timeout=20).status_code == 200
    assert echoed(server)
    assert "Too many open files" not in server.log()
