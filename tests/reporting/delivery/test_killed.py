"""A whole server, killed while it delivers: nothing is lost, nothing is sent under another number, and order is kept."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import hl7
import pytest

from tests.live import LiveServer
from tests.reporting.delivery.receivers import MllpReceiver

HEAD = "series/ct_head_gantry_tilt_ge_jpll"
LIVES = 3
PATIENCE_S = 90.0
READ = (
    "from reporting.models import Delivery; import json;"
    " print('ROWS', json.dumps([[d.destination.kind, d.report_version.number, d.state, d.control_id, d.problem]"
    " for d in Delivery.objects.select_related('destination', 'report_version').order_by('id')]))"
)


class Reader:
    """A program that writes and signs reports over REST."""

    def __init__(self, server: LiveServer) -> None:
        self.server = server
        self.password, self.token = server.user("alice")

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.server.url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"{}")

    def signed(self, study: str) -> int:
        """A final report of a study."""
        opened = self.ask("POST", "/api/reports/", {"study": study, "template": "free-text"})
        report = opened["id"]
        content = {"findings": "No bleeding.", "impression": "Normal head."}
        self.ask("PUT", f"/api/reports/{report}/", {"based_on": opened["version"], "content": content})
        rules = [one["rule"] for one in self.ask("GET", f"/api/reports/{report}/checks/")["problems"]]
        sign = {"password": self.password, "meaning": "final", "acknowledged": rules}
        self.ask("POST", f"/api/reports/{report}/sign/", sign)
        return int(report)

    def add(self, report: int, text: str) -> None:
        self.ask("POST", f"/api/reports/{report}/addendum/", {"text": text, "password": self.password})


def rows(server: LiveServer) -> list[list[Any]]:
    told = server.manage("shell", "-c", READ).stdout
    return list(json.loads(told[told.index("ROWS") + 5 :]))


def until_all_arrived(server: LiveServer) -> list[list[Any]]:
    end = time.monotonic() + PATIENCE_S
    while any(row[2] != "acknowledged" for row in rows(server)):
        assert time.monotonic() < end, (rows(server), server.log())
        time.sleep(1)
    return rows(server)


@pytest.fixture
def server(tmp_path: Path, shared_data: Path):
    server = LiveServer(tmp_path / "data", FARVIEW_GPU="off")
    files = sorted((shared_data / HEAD).glob("*.dcm"))[:2]
    try:
        server.start()
        server.manage("ingest", *files)
        yield server
    finally:
        server.stop()


def add_destination(server: LiveServer, address: str) -> None:
    server.manage(
        "shell",
        "-c",
        "from reporting.models import Destination; from accounts.models import Organization; Destination.objects.create("
        f"organization=Organization.objects.get(name='default'), name='RIS', kind='hl7', address='{address}')",
    )


def test_a_server_killed_while_it_sends_loses_nothing_and_sends_the_same_again(server: LiveServer) -> None:
    """The receiver takes the message and says nothing; the server dies waiting. Some times over, then the receiver answers."""
    reader = Reader(server)
    with MllpReceiver("silence") as receiver:
        add_destination(server, receiver.address)
        (study,) = reader.ask("GET", "/api/studies/")["studies"]
        report = reader.signed(study["study_instance_uid"])
        reader.add(report, "An old infarct.")
        for life in range(LIVES):
            wait_for(lambda seen=life: len(receiver.received) > seen, server)
            server.kill()
            if life == LIVES - 1:
                receiver.replies[:] = ["AA"]
            server.start()
        told = until_all_arrived(server)
    ids = receiver.control_ids()
    by_row = {row[3] for row in told if row[0] == "hl7"}
    assert len(by_row) == 2
    assert set(ids) == by_row  # never another number for the same version
    final, addendum = (row[3] for row in told if row[0] == "hl7")
    assert ids == [final] * ids.count(final) + [addendum] * ids.count(addendum)  # in order
    assert ids.count(final) >= LIVES
    of_final = {raw for raw, one in zip(receiver.raw, ids, strict=True) if one == final}
    assert len(of_final) == 1  # the very same bytes
    assert "old infarct" in str(hl7.parse(receiver.received[-1]))
    held = [row for row in told if row[0] == "archive"]
    assert [row[2] for row in held] == ["acknowledged", "acknowledged"]
    study_now = reader.ask("GET", f"/api/studies/{study['study_instance_uid']}/")
    kinds = sorted((one["modality"], one["number_of_instances"]) for one in study_now["series"])
    assert kinds == [("CT", 2), ("DOC", 2), ("SR", 2)]  # each document once
    assert study_now["kept_aside"] == []


def wait_for(question: Any, server: LiveServer) -> None:
    end = time.monotonic() + PATIENCE_S
    while not question():
        assert time.monotonic() < end, server.log()
        time.sleep(0.02)
