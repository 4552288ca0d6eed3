"""The doors of orders and worklist, as a page or a program uses them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from reporting.models import ReadingItem
from tests.reporting.conftest import signed_in
from viewer.models import Study

ORDER = {
    "accession_number": "A-100",
    "placer_order_number": "P-100",
    "procedure_code": "CTHEAD",
    "procedure_text": "CT head",
    "modality": "CT",
    "body_part": "HEAD",
    "reading_class": "STAT",
    "reason": "Fall. Bleeding?",
    "referring_physician": "Brandt^Bob",
    "referring_identifier": "R-77",
    "patient": {"patient_id": "PID-1", "name": "Muster^Erika", "birth_date": "19600101", "sex": "F"},
}


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body or {}, content_type="application/json")


def test_a_technologist_enters_an_order_and_it_stands_in_the_worklist(tess: User) -> None:
    client = signed_in(tess)
    made = post(client, "/api/orders/", ORDER)
    assert made.status_code == 201, made.content
    assert made.json()["item"]["status"] == "scheduled"
    listed = client.get("/api/worklist/?tab=scheduled").json()
    assert [one["accession_number"] for one in listed["items"]] == ["A-100"]
    assert listed["counts"]["scheduled"] == 1
    assert listed["items"][0]["patient"] == {
        "name": "Muster^Erika",
        "id": "PID-1",
        "birth_date": "19600101",
        "sex": "F",
    }


def test_a_reader_claims_what_is_ready_and_lets_go_of_it(alice: User, item: ReadingItem) -> None:
    client = signed_in(alice)
    claimed = post(client, f"/api/worklist/{item.pk}/claim/")
    assert claimed.status_code == 200, claimed.content
    assert claimed.json()["status"] == "claimed"
    assert claimed.json()["claimed_by"]["mine"] is True
    token = claimed.json()["token"]
    assert post(client, f"/api/worklist/{item.pk}/heartbeat/", {"token": token}).status_code == 200
    released = post(client, f"/api/worklist/{item.pk}/release/", {"token": token})
    assert released.json()["status"] == "ready"
    assert released.json()["claimed_by"] is None


def test_the_next_item_opens_its_study_with_the_report_beside_it(alice: User, item: ReadingItem, study: Study) -> None:
    taken = post(signed_in(alice), "/api/worklist/next/")
    assert taken.status_code == 200, taken.content
    assert taken.json()["id"] == item.pk
    assert taken.json()["address"] == f"/studies/{study.study_instance_uid}/?organization=default&report=1"
    assert post(signed_in(alice), "/api/worklist/next/").status_code == 404


pytestmark = pytest.mark.django_db
