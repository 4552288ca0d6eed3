"""A whole server killed at random while objects come in by each of its doors: what was acknowledged is there afterwards.

Three kills a door; `make soak` makes it sixty. C-STORE: tests/viewer/dimse.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.live import ROOT, LiveServer
from tests.viewer.archive.objects import ct_slice, save

pytestmark = pytest.mark.soak

ROUNDS = 60 if os.environ.get("FARVIEW_SOAK") else 3
SENDERS = 3
TEMPLATE_UID = "1.2.3.4.10000000"
PART = (
    b"--kill\r\nContent-Type: application/dicom\r\n\r\n",
    b"\r\n--kill--\r\n",
    'multipart/related; type="application/dicom"; boundary=kill',
)


class Server(LiveServer):
    """A server, and the commands that run beside it."""

    def __init__(self, data: Path) -> None:
        super().__init__(data, FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0")
        self.beside: list[subprocess.Popen[str]] = []


Told = set[str]
Send = Callable[[Server, str, Callable[[], tuple[str, bytes]], Told, Path], None]


def by_http(
    address: str, packed: Callable[[bytes], tuple[bytes, str]], acknowledges: Callable[[requests.Response], bool]
) -> Send:
    """Send one object after the other until the server is gone."""

    def send(server: Server, token: str, made: Callable[[], tuple[str, bytes]], told: Told, folder: Path) -> None:
        with requests.Session() as session, contextlib.suppress(requests.RequestException):
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {token}"
            while True:
                uid, data = made()
                body, kind = packed(data)
                headers = {"Content-Type": kind}
                if acknowledges(session.post(f"{server.url}{address}", data=body, headers=headers, timeout=20)):
                    told.add(uid)

    return send


def by_command(server: Server, token: str, made: Callable[[], tuple[str, bytes]], told: Told, folder: Path) -> None:
    """`manage.py ingest` of a folder beside the server; it is killed with it, and every line it wrote counts."""
    mine = folder / f"{threading.get_ident()}-{time.monotonic_ns()}"
    mine.mkdir()
    for _ in range(400):
        uid, data = made()
        (mine / f"{uid}.dcm").write_bytes(data)
    command = [sys.executable, "-u", "manage.py", "ingest", str(mine), "--verbosity", "2"]
    with subprocess.Popen(
        command, cwd=ROOT, env=server.environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as running:
        assert running.stderr is not None
        server.beside.append(running)
        for line in running.stderr:
            if line.startswith("stored: "):
                told.add(Path(line.removeprefix("stored: ").strip()).name.removesuffix(".dcm"))


DOORS: dict[str, Send] = {
    "upload": by_http(
        "/api/uploads/",
        lambda data: (data, "application/dicom"),
        lambda answer: answer.status_code == 200 and answer.json()["outcomes"][0]["outcome"] == "stored",
    ),
    "stow": by_http(
        "/dicom-web/studies",
        lambda data: (PART[0] + data + PART[1], PART[2]),
        lambda answer: answer.status_code == 200 and "00081199" in answer.json(),
    ),
    "ingest": by_command,
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    live = Server(tmp_path / "var")
    yield live
    live.stop()


@pytest.mark.parametrize("door", DOORS)
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(door: str, server: Server, tmp_path: Path) -> None:
    template = save(ct_slice(TEMPLATE_UID), tmp_path / "a.dcm").read_bytes()
    chance, numbers, told, token = random.Random(11), itertools.count(20_000_000), Told(), ""

    def made() -> tuple[str, bytes]:
        uid = f"1.2.3.4.{next(numbers):08d}"
        return uid, template.replace(TEMPLATE_UID.encode(), uid.encode())

    for _ in range(ROUNDS):
        server.start()
        token = token or server.user("sender", "technologist")[1]
        killed_in_the_act(server, [DOORS[door]] * SENDERS, token, made, told, tmp_path, chance)
    assert "as it was received" in server.manage("verify").stdout
    with contextlib.closing(sqlite3.connect(server.data / "farview.sqlite3")) as database:
        held = {uid for (uid,) in database.execute("SELECT sop_instance_uid FROM viewer_instance")}
        [(said,)] = database.execute("SELECT number_of_instances FROM viewer_study")
    assert told - held == set()
    assert said == len(held)


def killed_in_the_act(
    server: Server,
    sends: list[Send],
    token: str,
    made: Callable[[], tuple[str, bytes]],
    told: Told,
    folder: Path,
    chance: random.Random,
) -> None:
    before = len(told)
    senders = [threading.Thread(target=send, args=(server, token, made, told, folder)) for send in sends]
    for sender in senders:
        sender.start()
    end = time.monotonic() + 180  # commands that begin on a busy machine take their time
    while len(told) == before and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(chance.uniform(0.05, 0.8))
    server.kill()
    for running in server.beside:
        running.send_signal(signal.SIGKILL)
    for sender in senders:
        sender.join(30)
    assert len(told) > before, server.log()
