"""The whole server: an order is entered, its study arrives, the item rises, two readers want it, and one browser dies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.sync.client import ClientConnection, connect

from tests.live import LiveServer
from tests.viewer.archive.objects import slices

SOON = 60.0


class Person:
    def __init__(self, server: LiveServer, name: str, role: str) -> None:
        self.server = server
        self.headers = {"Authorization": f"Bearer {server.user(name, role)[1]}"}

    def get(self, path: str) -> Any:
        answer = requests.get(self.server.url + path, headers=self.headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> requests.Response:
        return requests.post(self.server.url + path, json=body or {}, headers=self.headers, timeout=60)

    def news(self) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.server.port}/ws/news/", additional_headers=self.headers)


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with LiveServer(FARVIEW_ARRIVAL_QUIET_SECONDS="2") as running:
        yield running


def heard(socket: ClientConnection, status: str) -> dict[str, Any]:
    """The next news of the worklist that tells of `status`."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        told: dict[str, Any] = json.loads(socket.recv(timeout=SOON))
        if told["type"] == "worklist.changed" and told["status"] == status:
            return told
    raise AssertionError(f"nobody said that anything is {status}")


def test_from_order_to_claim(server: LiveServer, tmp_path: Path) -> None:
    alice, rita, tess = (
        Person(server, name, role)
        for name, role in (("alice", "radiologist"), ("rita", "resident"), ("tess", "technologist"))
    )
    files = slices(tmp_path / "scan", 3, AccessionNumber="A-500")
    patient = {"patient_id": "P1", "name": "Doe^Jane", "birth_date": "19700101"}
    asked = {"accession_number": "A-500", "reading_class": "STAT", "patient": patient}
    with alice.news() as news:
        order = tess.post("/api/orders/", asked).json()
        assert heard(news, "scheduled")["item"] == order["item"]["id"]

        server.manage("ingest", files[0].parent)
        assert heard(news, "arriving")["study_instance_uid"] == "1.2.3"
        told = heard(news, "ready")
        assert told["item"] == order["item"]["id"]

    (row,) = alice.get("/api/worklist/")["items"]
    assert (row["id"], row["reading_class"], row["study"]["number_of_instances"]) == (told["item"], "STAT", 3)
    assert row["why"][0] == {"words": "Class STAT", "points": 1000}

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda who: who.post(f"/api/worklist/{row['id']}/claim/"), (alice, rita)))
    assert sorted(answer.status_code for answer in both) == [200, 409]
    lost = next(answer.json() for answer in both if answer.status_code == 409)
    assert lost["by"] in ("alice", "rita")
    assert lost["code"] == "held"


def test_what_is_stored_while_the_server_is_down_is_there_when_it_is_back(server: LiveServer, tmp_path: Path) -> None:
    rolf = Person(server, "rolf", "radiologist")
    server.terminate()
    files = slices(tmp_path / "late", 2, "1.7", "1.7.1", AccessionNumber="A-501")
    server.manage("ingest", files[0].parent)
    server.start()
    end = time.monotonic() + SOON
    found: list[Any] = []
    while not found and time.monotonic() < end:
        time.sleep(0.5)
        found = rolf.get("/api/worklist/?q=A-501&status=ready")["items"]
    assert [one["study"]["study_instance_uid"] for one in found] == ["1.7"]
