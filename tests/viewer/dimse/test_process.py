"""The DICOM node is a process of the server's tree: it comes with it, comes back when it falls, and goes with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from tests.live import ROOT, LiveServer

HOST = "127.0.0.2"
"""Where the node listens; the web server listens at 127.0.0.1."""


def nodes(live: LiveServer) -> list[int]:
    """Process ids of DICOM nodes in the server's group."""
    found = []
    for pid in live.group():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"dicom_node" in words:
            found.append(pid)
    return found


def echo(live: LiveServer, ae_title: str = "ECHO") -> bool:
    entity = AE(ae_title=ae_title)
    entity.acse_timeout = entity.dimse_timeout = entity.connection_timeout = 5
    entity.add_requested_context(Verification)
    association = entity.associate(HOST, int(live.environment["FARVIEW_DICOM_PORT"]), ae_title="FARVIEW")
    if not association.is_established:
        return False
    status = association.send_c_echo()
    association.release()
    return bool(status) and status.Status == 0


def until(seconds: float, what: object) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def live() -> Iterator[LiveServer]:
    with LiveServer(dicom=True, FARVIEW_DICOM_HOST=HOST) as server:
        server.manage("add_peer", "ECHO", "127.0.0.1", "--may", "")
        yield server


def test_a_server_that_says_it_is_ready_listens_for_associations(live: LiveServer) -> None:
    assert len(nodes(live)) == 1
    assert echo(live)


def test_the_network_of_scanners_may_be_another_than_that_of_readers(live: LiveServer) -> None:
    assert live.healthy()  # the web at 127.0.0.1
    for host, port in ((HOST, live.port), ("127.0.0.1", int(live.environment["FARVIEW_DICOM_PORT"]))):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((host, port), timeout=5)


def test_a_node_that_falls_is_missed_and_comes_back(live: LiveServer) -> None:
    (before,) = nodes(live)
    os.kill(before, signal.SIGKILL)
    assert until(5, lambda: not live.healthy())
    assert until(60, live.healthy)
    (after,) = nodes(live)
    assert after != before
    assert echo(live)
    assert "The DICOM node ended (-9); it begins anew in 1 s" in live.log()


def test_a_taken_dicom_port_is_said_before_anything_else(live: LiveServer, tmp_path: Path) -> None:
    taken = {name: live.environment[name] for name in ("FARVIEW_DICOM_HOST", "FARVIEW_DICOM_PORT")}
    other = LiveServer(tmp_path / "other", **taken)
    done = subprocess.run(
        other.command(), cwd=ROOT, env=other.environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1
    assert f"cannot listen on {HOST}:{live.environment['FARVIEW_DICOM_PORT']}" in done.stderr
    assert "FARVIEW_DICOM_PORT" in done.stderr
    assert not (tmp_path / "other" / "farview.sqlite3").exists()


def test_without_a_port_there_is_no_node(tmp_path: Path) -> None:
    environment = {**LiveServer(tmp_path / "none").environment, "FARVIEW_DICOM_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "manage.py", "dicom_node"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "no DICOM listener is wanted" in done.stderr


def test_the_node_goes_when_the_server_is_killed_alone_and_when_it_is_stopped(live: LiveServer) -> None:
    """Last in this file: it ends the server, and starts it again on the same folder."""
    assert live.process is not None
    live.process.kill()  # not its group
    live.process.wait(10)
    assert live.group_after(5) == []
    live.start()
    assert echo(live)
    with socket.create_connection((HOST, int(live.environment["FARVIEW_DICOM_PORT"]))):
        assert live.terminate() == 0
    assert live.group_after(5) == []
