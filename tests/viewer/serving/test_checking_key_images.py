"""Checking key images takes time; who goes away ends it."""

from __future__ import annotations

import contextlib
import json
import re
import time
from pathlib import Path

import pydicom
import requests

from tests.live import LiveServer
from viewer.api.key_images import CHECKED_AT_ONCE
from viewer.phantom import studies


def drawn(server: LiveServer, admin: requests.Session) -> int:
    """Pictures that the server has drawn so far."""
    lines = admin.get(f"{server.url}/metrics", timeout=20).text.splitlines()
    counts = [line.split()[-1] for line in lines if re.match(r"farview_pictures_total\{", line)]
    return sum(int(float(count)) for count in counts)


def test_who_goes_away_while_key_images_are_checked_ends_it(live_server_process: LiveServer, tmp_path: Path) -> None:
    server = live_server_process
    files = studies.write_ct(tmp_path / "ct", shape=(96, 128, 128))
    study = pydicom.dcmread(files[0], stop_before_pixels=True)
    server.manage("ingest", tmp_path / "ct")
    alice, admin = requests.Session(), requests.Session()
    for session, name, role in ((alice, "checker", "radiologist"), (admin, "counter", "admin")):
        session.headers["Authorization"] = f"Bearer {server.user(name, role)[1]}"
    door = f"{server.url}/api/studies/{study.StudyInstanceUID}/key-images/"
    view = {"plane": "coronal", "projection": "volume"}
    for number in range(CHECKED_AT_ONCE):
        asked = {"series": study.SeriesInstanceUID, "view": {**view, "size": [1400, 1400 + number]}}
        assert alice.post(door, json.dumps(asked), timeout=120).status_code == 201
    before = drawn(server, admin)
    with contextlib.suppress(requests.Timeout):
        alice.get(door, params={"check": "1"}, timeout=(20, 0.5))
        raise AssertionError("it was done before anybody could go away")
    time.sleep(0.5)
    left, last = drawn(server, admin), -1
    while last != left:  # what had begun is drawn to its end
        last = left
        time.sleep(1.5)
        left = drawn(server, admin)
    assert left - before < CHECKED_AT_ONCE / 2
