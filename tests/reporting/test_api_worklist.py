"""The doors of orders and worklist, as a page or a program uses them; and who finds which of them shut."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from django.test import Client

from accounts import policy
from accounts.models import AuditEvent, Membership, Organization, User
from reporting.models import Order, ReadingItem, SavedFilter
from tests.reporting.conftest import signed_in
from tests.viewer.test_api_schema import _closed as closed
from tests.viewer.test_api_schema import schema as schema
from viewer.models import Study

pytestmark = pytest.mark.django_db

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
    "requested_at": "2026-03-01T08:00:00+01:00",
    "patient": {"patient_id": "PID-1", "name": "Muster^Erika", "birth_date": "19600101", "sex": "F"},
}


def post(client: Client, path: str, body: Any = None) -> Any:
    return client.post(path, body if body is not None else {}, content_type="application/json")


# --- orders


def test_a_technologist_enters_an_order_and_it_stands_in_the_worklist(tess: User) -> None:
    client = signed_in(tess)
    made = post(client, "/api/orders/", ORDER)
    assert made.status_code == 201, made.content
    assert made.json()["item"]["status"] == "scheduled"
    assert made.json()["source"] == "technologist"
    listed = client.get("/api/worklist/?tab=scheduled").json()
    assert [one["accession_number"] for one in listed["items"]] == ["A-100"]
    assert listed["counts"]["scheduled"] == 1
    assert listed["items"][0]["patient"] == {
        "name": "Muster^Erika",
        "id": "PID-1",
        "birth_date": "19600101",
        "sex": "F",
    }
    assert listed["items"][0]["clocks"]["ordered_at"] == "2026-03-01T07:00:00+00:00"


def test_an_order_is_read_and_changed_and_its_view_is_written_down(tess: User) -> None:
    client = signed_in(tess)
    order = post(client, "/api/orders/", ORDER).json()["id"]
    told = client.put(f"/api/orders/{order}/", {"laterality": "L", "reason": ""}, content_type="application/json")
    assert (told.status_code, told.json()["laterality"], told.json()["reason"]) == (200, "L", "")
    assert client.get(f"/api/orders/{order}/").json()["placer_order_number"] == "P-100"
    assert AuditEvent.objects.filter(action="order.view", actor="tess", patient_id="PID-1").count() == 1
    cancelled = post(client, f"/api/orders/{order}/cancel/", {"reason": "went home"})
    assert (cancelled.json()["status"], cancelled.json()["item"]["status"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize(
    "wrong",
    [
        {"patient": None},
        {"patient": {"patient_id": ""}},
        {"patient": {"patient_id": "P", "shoe_size": "42"}},
        {"laterality": "X"},
        {"laterality": 1},
        {"reading_class": "SOON"},
        {"requested_at": "yesterday"},
        {"requested_at": "2026-03-01T08:00:00"},
        {"requested_at": "2026-02-31T08:00:00Z"},
        {"colour": "red"},
        {"accession_number": "A" * 65},
    ],
)
def test_an_order_that_says_nonsense_is_refused_with_the_field(tess: User, wrong: dict) -> None:
    answer = post(signed_in(tess), "/api/orders/", {**ORDER, **wrong})
    assert answer.status_code == 400, answer.content
    assert answer.json()["detail"].split(":")[0] in {*wrong, "patient_id"}
    assert not Order.objects.exists()


def test_a_known_number_with_another_patient_is_a_conflict(tess: User) -> None:
    client = signed_in(tess)
    post(client, "/api/orders/", ORDER)
    other = post(client, "/api/orders/", {**ORDER, "patient": {"patient_id": "PID-2"}})
    assert (other.status_code, other.json()["code"]) == (409, "wrong_patient")


def test_whoever_enters_orders_for_two_organizations_names_one(tess: User, charlie: User) -> None:
    Membership.objects.create(user=tess, organization=Organization.objects.get(name="elsewhere"), role="technologist")
    client = signed_in(tess)
    assert post(client, "/api/orders/", ORDER).status_code == 409
    assert post(client, "/api/orders/", {**ORDER, "organization": "elsewhere"}).json()["organization"] == "elsewhere"


# --- reading


def test_a_reader_claims_what_is_ready_and_lets_go_of_it(alice: User, item: ReadingItem) -> None:
    client = signed_in(alice)
    claimed = post(client, f"/api/worklist/{item.pk}/claim/")
    assert claimed.status_code == 200, claimed.content
    assert claimed.json()["status"] == "claimed"
    assert claimed.json()["claimed_by"]["mine"] is True
    assert set(claimed.json()["may"]) >= {"release", "put-aside", "heartbeat", "hold"}
    token = claimed.json()["token"]
    assert post(client, f"/api/worklist/{item.pk}/heartbeat/", {"token": token}).status_code == 200
    released = post(client, f"/api/worklist/{item.pk}/release/", {"token": token})
    assert (released.json()["status"], released.json()["claimed_by"]) == ("ready", None)


def test_the_second_is_told_who_was_quicker(alice: User, rita: User, item: ReadingItem) -> None:
    post(signed_in(alice), f"/api/worklist/{item.pk}/claim/")
    refused = post(signed_in(rita), f"/api/worklist/{item.pk}/claim/")
    assert (refused.status_code, refused.json()["code"], refused.json()["by"]) == (409, "held", "Alice Adler")
    assert refused.json()["until"]
    (row,) = signed_in(rita).get("/api/worklist/").json()["items"]
    assert (row["claimed_by"]["name"], row["claimed_by"]["mine"]) == ("Alice Adler", False)
    assert "take" in row["may"]
    assert "claim" not in row["may"]
    taken = post(signed_in(rita), f"/api/worklist/{item.pk}/claim/", {"reason": "Alice is away"})
    assert taken.status_code == 200
    lost = post(signed_in(alice), f"/api/worklist/{item.pk}/heartbeat/")
    assert (lost.status_code, lost.json()["by"]) == (409, "Rita Rossi")


def test_the_next_item_opens_its_study_with_the_report_beside_it(alice: User, item: ReadingItem, study: Study) -> None:
    taken = post(signed_in(alice), "/api/worklist/next/", {"query": {"modality": "CT"}})
    assert taken.status_code == 200, taken.content
    assert taken.json()["id"] == item.pk
    assert taken.json()["address"] == f"/studies/{study.study_instance_uid}/?organization=default&report=1"
    assert post(signed_in(alice), "/api/worklist/next/").status_code == 404
    for wrong in ({"query": []}, {"query": {"class": "SOON"}}, {"skip": ["1"]}, {"skip": 1}, {"what": 1}):
        assert post(signed_in(alice), "/api/worklist/next/", wrong).status_code == 400


def test_put_aside_hold_and_ready_by_their_people(alice: User, tess: User, item: ReadingItem) -> None:
    reader, technologist = signed_in(alice), signed_in(tess)
    post(reader, f"/api/worklist/{item.pk}/claim/")
    aside = post(reader, f"/api/worklist/{item.pk}/put-aside/", {"note": "waits for the lab"})
    assert (aside.json()["status"], aside.json()["note"]) == ("put_aside", "waits for the lab")
    held = post(technologist, f"/api/worklist/{item.pk}/hold/", {"reason": "wrong_side", "note": "marker"})
    assert (held.json()["status"], held.json()["held_reason"]) == ("hold", "wrong_side")
    fixed = post(technologist, f"/api/worklist/{item.pk}/correct/", {"laterality": "L", "reading_class": "URGENT"})
    assert (fixed.json()["order"]["laterality"], fixed.json()["reading_class"]) == ("L", "URGENT")
    ready = post(technologist, f"/api/worklist/{item.pk}/ready/", {"note": "marker was wrong"})
    assert ready.json()["status"] == "ready"
    changed = post(reader, f"/api/worklist/{item.pk}/class/", {"reading_class": "STAT"})
    assert changed.json()["reading_class"] == "STAT"
    history = reader.get(f"/api/worklist/{item.pk}/").json()["events"]
    assert [event["kind"] for event in history] == [
        *("claimed", "put_aside", "held", "order_changed", "ready", "class_changed")
    ]
    assert history[2]["actor"] == "tess"


def test_a_change_on_an_old_look_is_told_the_new_version(alice: User, item: ReadingItem) -> None:
    client = signed_in(alice)
    first = client.get(f"/api/worklist/{item.pk}/").json()["version"]
    assert (
        post(client, f"/api/worklist/{item.pk}/class/", {"reading_class": "STAT", "version": first}).status_code == 200
    )
    late = post(client, f"/api/worklist/{item.pk}/class/", {"reading_class": "URGENT", "version": first})
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (409, "overtaken", first + 1)


def test_images_are_given_to_another_order_by_its_number(tess: User, item: ReadingItem) -> None:
    client = signed_in(tess)
    other = post(client, "/api/orders/", {**ORDER, "accession_number": "", "placer_order_number": "P-2"}).json()["id"]
    refused = post(client, f"/api/worklist/{item.pk}/link/", {"order": other})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_patient")
    moved = post(client, f"/api/worklist/{item.pk}/link/", {"order": other, "reason": "wrong entry taken"})
    assert (moved.json()["order"]["id"], moved.json()["status"]) == (other, "hold")
    for wrong in ({}, {"study": "1.2", "order": 1}):
        assert post(client, f"/api/worklist/{item.pk}/link/", wrong).status_code == 400
    assert post(client, f"/api/worklist/{item.pk}/link/", {"study": "1.2"}).status_code == 404
    assert post(client, f"/api/worklist/{item.pk}/link/", {"order": 999999}).status_code == 404


# --- administrators


def test_an_administrator_assigns_frees_and_cancels_without_seeing_the_patient(
    boss: User, alice: User, rita: User, item: ReadingItem
) -> None:
    client = signed_in(boss)
    people = client.get("/api/worklist/readers/").json()["readers"]
    assert [(one["name"], one["roles"]) for one in people] == [("alice", ["radiologist"]), ("rita", ["resident"])]
    assigned = post(client, f"/api/worklist/{item.pk}/assign/", {"to": "rita"})
    assert set(assigned.json()) == {"id", "status", "version"}
    assert assigned.json()["status"] == "assigned"
    assert client.get("/api/worklist/readers/").json()["readers"][1]["assigned"] == 1
    post(signed_in(rita), f"/api/worklist/{item.pk}/claim/")
    assert post(client, f"/api/worklist/{item.pk}/free/").status_code == 400
    assert post(client, f"/api/worklist/{item.pk}/free/", {"reason": "shift is over"}).json()["status"] == "assigned"
    assert post(client, f"/api/worklist/{item.pk}/assign/", {"to": None}).json()["status"] == "ready"
    assert post(client, f"/api/worklist/{item.pk}/assign/", {"to": "tess"}).status_code == 400
    assert post(client, f"/api/worklist/{item.pk}/cancel/", {"reason": "phantom"}).json()["status"] == "cancelled"


def test_one_who_administers_and_reads_gets_the_whole_row(boss: User, item: ReadingItem) -> None:
    Membership.objects.create(user=boss, organization=item.organization, role="radiologist")
    row = post(signed_in(boss), f"/api/worklist/{item.pk}/assign/", {"to": "boss"}).json()
    assert row["assigned_to"] == {"name": "Bo Boss", "mine": True}
    assert {"assign", "cancel", "claim"} <= set(row["may"])


# --- filters


def test_a_filter_is_kept_shared_replaced_and_forgotten(alice: User, rita: User) -> None:
    mine, hers = signed_in(alice), signed_in(rita)
    kept = {"name": "CT at night", "query": {"modality": "CT", "class": "STAT", "page": "3", "odd": "x"}}
    made = post(mine, "/api/worklist/filters/", kept)
    assert made.status_code == 201
    assert made.json()["query"] == {"modality": "CT", "class": "STAT"}
    assert hers.get("/api/worklist/filters/").json()["filters"] == []
    post(mine, "/api/worklist/filters/", {**kept, "shared_with": "default"})
    (seen,) = hers.get("/api/worklist/").json()["filters"]
    assert (seen["name"], seen["owner"], seen["shared_with"]) == (
        "CT at night",
        {"name": "Alice Adler", "mine": False},
        "default",
    )
    assert hers.delete(f"/api/worklist/filters/{seen['id']}/").status_code == 404
    assert mine.delete(f"/api/worklist/filters/{seen['id']}/").status_code == 204
    assert not SavedFilter.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "", "query": {}},
        {"name": "x" * 101, "query": {}},
        {"name": "x", "query": []},
        {"name": "x", "query": {"tab": 1}},
        {"name": "x", "query": {"tab": "nowhere"}},
    ],
)
def test_a_filter_that_could_not_be_asked_is_not_kept(alice: User, wrong: dict) -> None:
    assert post(signed_in(alice), "/api/worklist/filters/", wrong).status_code == 400


def test_a_filter_is_shared_only_where_its_owner_reads(alice: User, charlie: User) -> None:
    asked = {"name": "x", "query": {}, "shared_with": "elsewhere"}
    assert post(signed_in(alice), "/api/worklist/filters/", asked).status_code == 404


# --- every door and everybody


LOOK, READ, CHECK, ENTER, MANAGE = (
    {"alice", "rita", "tess"},
    {"alice", "rita"},
    {"alice", "tess"},
    {"tess"},
    {"boss"},
)
DOORS: dict[str, tuple[str, str, Any, set[str]]] = {
    "api-worklist-item": ("get", "/api/worklist/{item}/", None, LOOK),
    "api-worklist-claim": ("post", "/api/worklist/{item}/claim/", {}, READ),
    "api-worklist-heartbeat": ("post", "/api/worklist/{item}/heartbeat/", {}, READ),
    "api-worklist-release": ("post", "/api/worklist/{item}/release/", {}, READ),
    "api-worklist-put-aside": ("post", "/api/worklist/{item}/put-aside/", {"note": "x"}, READ),
    "api-worklist-hold": ("post", "/api/worklist/{item}/hold/", {"reason": "wrong_side"}, LOOK),
    "api-worklist-ready": ("post", "/api/worklist/{item}/ready/", {}, CHECK),
    "api-worklist-correct": ("post", "/api/worklist/{item}/correct/", {"laterality": "L"}, CHECK),
    "api-worklist-link": ("post", "/api/worklist/{item}/link/", {"study": "1.2"}, CHECK),
    "api-worklist-class": ("post", "/api/worklist/{item}/class/", {"reading_class": "STAT"}, LOOK),
    "api-worklist-assign": ("post", "/api/worklist/{item}/assign/", {"to": None}, MANAGE),
    "api-worklist-free": ("post", "/api/worklist/{item}/free/", {"reason": "x"}, MANAGE),
    "api-worklist-cancel": ("post", "/api/worklist/{item}/cancel/", {"reason": "x"}, MANAGE),
    "api-order": ("get", "/api/orders/{order}/", None, LOOK),
    "api-order-cancel": ("post", "/api/orders/{order}/cancel/", {"reason": "x"}, ENTER),
    "api-orders": ("post", "/api/orders/", ORDER, ENTER),
    "api-worklist": ("get", "/api/worklist/", None, LOOK),
    "api-worklist-next": ("post", "/api/worklist/next/", {}, READ),
    "api-worklist-readers": ("get", "/api/worklist/readers/", None, MANAGE),
    "api-worklist-filters": ("get", "/api/worklist/filters/", None, LOOK),
    "api-worklist-filter": ("delete", "/api/worklist/filters/{filter}/", None, {"alice"}),
}
"""Door -> how it is asked, and who of Harbour Hospital may. Charlie may nowhere: what is told them is not of here."""
OWN_ANSWER = {"api-orders", "api-worklist", "api-worklist-next", "api-worklist-readers", "api-worklist-filters"}


def test_no_door_is_forgotten() -> None:
    named = {name for _, name in policy.doors() if name.startswith(("api-worklist", "api-order"))}
    assert named == set(DOORS)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("who", ["alice", "bob", "charlie", "rita", "tess", "boss"])
def test_a_door_opens_to_those_who_may_and_does_not_exist_for_the_others(
    request: pytest.FixtureRequest, item: ReadingItem, alice: User, door: str, who: str
) -> None:
    method, path, body, may = DOORS[door]
    kept = SavedFilter.objects.create(owner=alice, name="mine", query={})
    user = request.getfixturevalue(who)
    address = path.format(item=item.pk, order=item.order_id, filter=kept.pk)
    before = ReadingItem.objects.get().version
    answer = getattr(signed_in(user), method)(address, body, content_type="application/json")
    if door == "api-worklist-link" and who in may:  # that study does not exist; for those who may not the item does not
        assert "study" in answer.json()["detail"]
    elif who in may:
        assert answer.status_code in {200, 201, 204, 409}, answer.content
    elif door in OWN_ANSWER and answer.status_code == 200:
        assert who == "charlie"
        told = answer.json()
        assert told.get("items", []) == told.get("filters", []) == told.get("readers", []) == []
    else:
        assert answer.status_code == 404, answer.content
        assert "item" not in answer.json()
        assert ReadingItem.objects.get().version == before


@pytest.mark.parametrize("door", DOORS)
def test_nobody_is_asked_to_sign_in(client: Client, item: ReadingItem, door: str) -> None:
    method, path, body, _ = DOORS[door]
    address = path.format(item=item.pk, order=item.order_id, filter=1)
    assert getattr(client, method)(address, body, content_type="application/json").status_code == 401


@pytest.mark.parametrize("door", [name for name, (_, path, _, _) in DOORS.items() if "{" in path])
def test_what_is_not_there_is_told_like_what_one_may_not_see(charlie: User, item: ReadingItem, door: str) -> None:
    method, path, body, _ = DOORS[door]
    client = signed_in(charlie)
    real, ghost, huge = (
        getattr(client, method)(path.format(item=key, order=key, filter=key), body, content_type="application/json")
        for key in (item.pk, 999999, 10**30)
    )
    assert real.status_code == ghost.status_code == huge.status_code == 404
    assert real.content == ghost.content == huge.content


def test_a_denial_is_written_down(charlie: User, item: ReadingItem) -> None:
    post(signed_in(charlie), f"/api/worklist/{item.pk}/claim/")
    denied = AuditEvent.objects.get(outcome="denied", actor="charlie")
    assert (denied.action, denied.object_uid) == ("worklist.claim", f"item {item.pk}")


def test_a_referrer_sees_no_worklist_and_a_strangers_order_is_for_their_own_house(bob: User, item: ReadingItem) -> None:
    assert signed_in(bob).get("/api/worklist/").status_code == 404
    assert signed_in(bob).get(f"/api/orders/{item.order_id}/").status_code == 404


@pytest.mark.parametrize(
    "body", ["[]", "1", "null", "{", '{"token": 1}', '{"version": "1"}', '{"version": -1}', '{"x": 1}']
)
def test_bodies_that_cannot_be_meant_are_refused(alice: User, item: ReadingItem, body: str) -> None:
    answer = signed_in(alice).post(f"/api/worklist/{item.pk}/claim/", body, content_type="application/json")
    assert answer.status_code == 400
    assert ReadingItem.objects.get().status == "ready"


# --- the schema


def test_answers_are_what_the_schema_says(schema: Any, alice: User, tess: User, boss: User, item: ReadingItem) -> None:
    reader, technologist = signed_in(alice), signed_in(tess)
    post(reader, "/api/worklist/filters/", {"name": "x", "query": {"tab": "mine"}, "shared_with": "default"})
    answers = {
        "OrderShape": post(technologist, "/api/orders/", ORDER),
        "Worklist": reader.get("/api/worklist/?tab=open"),
        "ItemWhole": reader.get(f"/api/worklist/{item.pk}/"),
        "ClaimedItem": post(reader, f"/api/worklist/{item.pk}/claim/"),
        "ClaimOfItem": post(reader, f"/api/worklist/{item.pk}/heartbeat/"),
        "WorklistRefusal": post(technologist, f"/api/worklist/{item.pk}/hold/", {"reason": "wrong_side"}),
        "WorklistItem": post(reader, f"/api/worklist/{item.pk}/release/"),
        "FilterList": reader.get("/api/worklist/filters/"),
        "AssignableReaders": signed_in(boss).get("/api/worklist/readers/"),
    }
    for name, answer in answers.items():
        shape = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        jsonschema.validate(answer.json(), closed(json.loads(json.dumps(shape))))
