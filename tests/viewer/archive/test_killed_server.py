"""A whole server killed at random while it receives uploads: what it had said "stored" to is there afterwards."""

from __future__ import annotations

import contextlib
import itertools
import random
import sqlite3
import threading
import time
from pathlib import Path

import requests

from tests.live import LiveServer
from tests.viewer.archive.objects import ct_slice, save

ROUNDS = 3
SENDERS = 3


def sending(server: LiveServer, token: str, template: bytes, numbers: itertools.count, told: set[str]) -> None:
    """Upload one object after the other until the server is gone; `told` gathers those that were acknowledged."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"
    with contextlib.suppress(requests.RequestException):
        while True:
            uid = f"1.2.3.4.{next(numbers):08d}"
            body = template.replace(b"1.2.3.4.10000000", uid.encode())
            answer = session.post(f"{server.url}/api/uploads/", data=body, timeout=20)
            if answer.status_code == 200 and answer.json()["outcomes"][0]["outcome"] == "stored":
                told.add(uid)


def test_no_acknowledged_upload_is_lost_when_the_server_is_killed(tmp_path: Path) -> None:
    template = save(ct_slice("1.2.3.4.10000000"), tmp_path / "a.dcm").read_bytes()
    chance, numbers, told = random.Random(11), itertools.count(20_000_000), set()
    server, token = LiveServer(tmp_path / "var", FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0"), ""
    try:
        for _ in range(ROUNDS):
            server.start()
            token = token or server.user("sender", "technologist")[1]
            before = len(told)
            senders = [
                threading.Thread(target=sending, args=(server, token, template, numbers, told)) for _ in range(SENDERS)
            ]
            for sender in senders:
                sender.start()
            end = time.monotonic() + 30
            while len(told) == before and time.monotonic() < end:
                time.sleep(0.01)
            time.sleep(chance.uniform(0.1, 0.8))
            server.kill()
            for sender in senders:
                sender.join(30)
            assert len(told) > before, server.log()
        assert "as it was received" in server.manage("verify").stdout
        with contextlib.closing(sqlite3.connect(server.data / "farview.sqlite3")) as database:
            held = {uid for (uid,) in database.execute("SELECT sop_instance_uid FROM viewer_instance")}
            [(said,)] = database.execute("SELECT number_of_instances FROM viewer_study")
        assert told - held == set()
        assert said == len(held)
    finally:
        server.stop()
