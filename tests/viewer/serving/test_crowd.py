"""More than a thousand connections that do nothing keep nobody out, on HTTP and on DICOM."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
import requests

from tests.chromium import wait_until
from tests.live import LiveServer
from viewer.dimse.calling import NotReached, echo
from viewer.models import DicomPeer

IDLE = 1100
"""More than the 1,024 descriptors that select(2) knows."""


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with LiveServer(dicom=True) as live:
        live.manage("add_peer", "FARVIEW", "127.0.0.1")
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
    """A C-ECHO as our server calls others, here from a process that holds the other end of the crowd."""
    try:
        return "answers" in echo(DicomPeer(ae_title="FARVIEW", host="127.0.0.1", port=dicom_port(server)))
    except NotReached:
        return False


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
