"""A whole server killed at random while people write and sign: what was acknowledged is there, and nothing is half done."""

from __future__ import annotations

import contextlib
import json
import random
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

import requests

from tests.live import LiveServer
from tests.reporting.conftest import HEAD

ROUNDS = 2
"""Killed once while people sign, once while they add."""
WRITERS = 2


class Told:
    """What the server has said "done" to."""

    def __init__(self) -> None:
        self.saved: dict[tuple[int, int], dict[str, Any]] = {}
        self.signed: dict[tuple[int, int], str] = {}
        self.added: dict[tuple[int, int], str] = {}


def working(server: LiveServer, token: str, password: str, study: str, told: Told) -> None:
    """Write, sign and add to one report after the other until the server is gone."""
    session = requests.Session()
    session.trust_env = False
    session.headers["Authorization"] = f"Bearer {token}"

    def call(method: str, path: str, **body: Any) -> dict[str, Any]:
        answer = session.request(method, f"{server.url}/api/reports/{path}", json=body, timeout=60)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    with contextlib.suppress(requests.RequestException):
        while True:
            report = call("POST", "", study=study, template="free-text", new=True)
            me, version = f"{report['id']}/", report["version"]
            for number in range(4):
                content = {"findings": f"Nothing {number} of note.", "impression": f"Normal {report['id']}.{number}."}
                version = call("PUT", me, based_on=version, content=content)["version"]
                told.saved[report["id"], version] = content
            seen = [one["rule"] for one in call("GET", f"{me}checks/")["problems"]]
            done = call("POST", f"{me}sign/", password=password, meaning="final", acknowledged=seen, version=version)
            told.signed[report["id"], done["version"]] = done["hash"]
            text = f"Added to {report['id']}."
            done = call("POST", f"{me}addendum/", password=password, text=text)
            told.added[report["id"], done["version"]] = text


def test_what_was_saved_signed_and_added_survives_and_nothing_is_half_done(tmp_path: Path, shared_data: Path) -> None:
    chance, told, people = random.Random(7), Told(), []
    server = LiveServer(tmp_path / "var", FARVIEW_MIN_FREE_BYTES="0", FARVIEW_MIN_FREE_FRACTION="0")
    try:
        for number in range(ROUNDS):
            server.start()
            if not people:
                people = [server.user(f"reader{one}") for one in range(WRITERS)]
                studies = studies_of(server, shared_data)
            awaited = told.signed if number % 2 else told.added
            before = len(awaited)
            workers = [
                threading.Thread(target=working, args=(server, token, password, study, told))
                for (password, token), study in zip(people, studies, strict=True)
            ]
            for worker in workers:
                worker.start()
            end = time.monotonic() + 120
            while len(awaited) == before and time.monotonic() < end:
                time.sleep(0.02)
            time.sleep(chance.uniform(0.2, 2.5))
            server.kill()
            for worker in workers:
                worker.join(60)
            assert len(awaited) > before, server.log()
            server.manage("verify")
        with contextlib.closing(sqlite3.connect(server.data / "farview.sqlite3")) as database:
            everything_is_there(database, told)
            nothing_is_half_done(database)
    finally:
        server.stop()


def studies_of(server: LiveServer, shared_data: Path) -> list[str]:
    """Two small studies, one for each writer."""
    folders = [shared_data / HEAD, shared_data / "series/mr_head_sag_HFDR"]
    server.manage("ingest", *(min(path for path in folder.iterdir() if path.is_file()) for folder in folders))
    with contextlib.closing(sqlite3.connect(server.data / "farview.sqlite3")) as database:
        uids = [uid for (uid,) in database.execute("SELECT study_instance_uid FROM viewer_study")]
    return uids


def everything_is_there(database: sqlite3.Connection, told: Told) -> None:
    rows = database.execute("SELECT report_id, number, kind, content, mac FROM reporting_reportversion")
    held = {(report, number): (kind, json.loads(content), mac) for report, number, kind, content, mac in rows}
    assert {key: held[key][1] for key in told.saved} == told.saved
    assert {key: held[key][2] for key in told.signed} == told.signed
    assert {key: held[key][1]["addendum"] for key in told.added} == told.added
    assert all(held[key][0] == "final" for key in told.signed)


def nothing_is_half_done(database: sqlite3.Connection) -> None:
    """A signature, the report's state, what leaves by it, the record and the news: all five or none."""
    signed = set(database.execute("SELECT report_id, number FROM reporting_reportversion WHERE kind = 'final'"))
    states = dict(database.execute("SELECT id, state FROM reporting_report"))
    assert {report for report, state in states.items() if state in ("final", "appended")} == {one for one, _ in signed}
    queued = set(
        database.execute(
            "SELECT v.report_id, v.number FROM reporting_delivery d"
            " JOIN reporting_reportversion v ON v.id = d.report_version_id WHERE v.kind = 'final'"
        )
    )
    assert queued == signed
    uids = dict(database.execute("SELECT uid, id FROM reporting_report"))
    recorded = {
        (uids[uid.replace("-", "")], json.loads(detail)["version"])
        for uid, detail in database.execute(
            "SELECT object_uid, detail FROM accounts_auditevent WHERE action = 'report.sign_final' AND outcome = 'success'"
        )
    }
    assert recorded == signed
    news = {
        (payload["report"], payload["version"])
        for payload in (
            json.loads(text)
            for (text,) in database.execute("SELECT payload FROM viewer_outbox WHERE kind = 'report.changed'")
        )
        if payload["state"] == "final"
    }
    assert news == signed
