"""What a reader measured outlives the server: killed at once after its answer, it still has it, and writes the report later."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

import pydicom
import requests

from tests.live import LiveServer
from tests.viewer.archive.objects import save
from tests.viewer.marks.drawing import DOOR, LINE, asked, image
from tests.viewer.objects.validator import DCIODVFY, errors_in

REST_SECONDS = 120


def test_a_measurement_outlives_a_killed_server_and_its_report_is_written_by_the_next_one(tmp_path: Path) -> None:
    save(image(), tmp_path / "in" / "1.dcm")
    server = LiveServer(tmp_path / "var", FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0")
    try:
        server.start()
        server.manage("ingest", tmp_path / "in")
        _, token = server.user("reader", "radiologist")
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"
        kept = session.post(f"{server.url}{DOOR}", json=asked("length", LINE, label="Nodule"), timeout=60)
        assert kept.status_code == 201, kept.text
        server.kill()
        rest(server)
        server.start()
        (there,) = session.get(f"{server.url}{DOOR}", timeout=60).json()["measurements"]
        assert {**there, "updated_at": ""} == {**kept.json(), "updated_at": ""}
        end = time.monotonic() + 60
        while not (state := told(session, server))["current"] and time.monotonic() < end:
            time.sleep(0.5)
        assert state["sop_instance_uid"], server.log()
        written = written_report(server, state["sop_instance_uid"])
        assert pydicom.dcmread(written).SeriesNumber == 9001
        assert DCIODVFY is None or errors_in(written) == []
        assert "as it was received" in server.manage("verify").stdout
    finally:
        server.stop()


def rest(server: LiveServer) -> None:
    """The last change was two minutes ago."""
    with contextlib.closing(sqlite3.connect(server.data / "farview.sqlite3")) as database, database:
        ago = f"-{REST_SECONDS} seconds"
        database.execute("UPDATE viewer_measurement SET updated_at = datetime(updated_at, ?)", [ago])


def told(session: requests.Session, server: LiveServer) -> dict[str, Any]:
    return dict(session.get(f"{server.url}{DOOR}object/", timeout=60).json())


def written_report(server: LiveServer, uid: str) -> Path:
    with contextlib.closing(sqlite3.connect(server.data / "farview.sqlite3")) as database:
        [(digest,)] = database.execute("SELECT blob_id FROM viewer_instance WHERE sop_instance_uid = ?", [uid])
    return server.data / "blob" / digest[:2] / digest
