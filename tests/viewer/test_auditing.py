"""Every door and every message leaves in the record what its row names: looks, changes, refusals."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts import audit, policy
from accounts.audited import ACTS, LIVE_MESSAGES, MESSAGES, act_of
from accounts.authentication import issue
from accounts.knocking import KNOCKS, WHILE_S, Knocks, Lately
from accounts.models import AuditEvent, Membership, Organization, Role, User
from accounts.rates import PACES, Pace
from tests.accounts.test_every_door import REAL, address
from tests.accounts.test_every_door import a_study as a_study
from viewer.api import auditing
from viewer.archive.patience import DatabaseBusy
from viewer.live import messages as live
from viewer.models import Study
from viewer.streaming import protocol

DOORS = [(route, name) for route, name in policy.doors() if "(?P" not in route]
GUARDED = [(route, name) for route, name in DOORS if not policy.rule_named(name).public]
CHANGES = ("post", "put", "patch", "delete")


@pytest.fixture
def everybody(a_study: Study) -> dict[str, str]:
    """Headers of somebody with every role there is, but for a guest's."""
    user = User.objects.create_user("everybody")
    for role in Role.values:
        if role != Role.GUEST:
            Membership.objects.create(user=user, organization=a_study.organization, role=role)
    return {"Authorization": f"Bearer {issue(user)}"}


@pytest.fixture
def stranger(a_study: Study) -> dict[str, str]:
    user = User.objects.create_user("stranger")
    away = Organization.objects.create(name="elsewhere")
    Membership.objects.create(user=user, organization=away, role=Role.RADIOLOGIST)
    return {"Authorization": f"Bearer {issue(user)}"}


def test_every_door_with_a_rule_has_a_row_and_no_row_is_left_over():
    names = {name for _, name in DOORS}
    assert [name for name in names if act_of(name) is None] == []
    assert [name for name in ACTS if name not in names and not name.endswith(":*")] == []
    assert [name for name in policy.RULES if act_of(name) is None and not name.endswith(":*")] == []


def test_every_message_has_a_row():
    assert set(MESSAGES) == set(protocol.MESSAGES)
    assert set(LIVE_MESSAGES) == set(live.MESSAGES)


def test_a_row_names_an_action_or_says_why_not():
    for name, act in {**ACTS, **MESSAGES, **LIVE_MESSAGES}.items():
        assert act.looks or act.changes or act.why, name
        assert act.looks or act.why or act.changes, name


ASKED = {"fhir-search": "/fhir/Patient", "dicomweb-studies": "/dicom-web/studies?limit=5"}
"""Addresses that cannot be guessed from the route."""


def test_whoever_sees_something_leaves_an_event(everybody):
    """One walk through every door: each is a look of its own, for nothing of it was seen lately."""
    client, seen = Client(raise_request_exception=False), set()
    for route, name in GUARDED:
        act, before = act_of(name), AuditEvent.objects.count()
        auditing.LATELY.forget()
        answer = client.get(ASKED.get(name) or address(route, REAL), headers=everybody)
        if answer.status_code not in (200, 206) or not act.looks:
            continue
        seen.add(name)
        assert AuditEvent.objects.count() > before, name
        event = AuditEvent.objects.latest("sequence")
        assert (event.actor, event.outcome) == ("everybody", "success"), name
        if "<str:study_instance_uid>" in route:
            told = (event.organization, event.patient_id, event.study_instance_uid)
            assert told == ("default", "PID-77", REAL["study"]), name
    assert {"study", "api-study", "api-studies", "api-worklist", "fhir-search", "api-hanging", "admin:index"} <= seen
    assert {
        "api-objects",
        "api-key-images",
        "api-measurements",
        "api-transfers",
        "results",
        "fhir-audit-search",
    } <= seen
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"study.view", "study.search", "worklist.list", "fhir.search", "audit.search", "admin.view"} <= actions
    assert audit.verify_chain() == []


def test_whoever_changes_something_leaves_an_event(everybody):
    client, done = Client(raise_request_exception=False), set()
    for route, name in GUARDED:
        if name.startswith("admin:"):
            continue
        act = act_of(name)
        for method in CHANGES:
            before = AuditEvent.objects.count()
            answer = getattr(client, method)(address(route, REAL), "{}", "application/json", headers=everybody)
            if answer.status_code < 400 and act.changes:
                done.add(name)
                assert AuditEvent.objects.count() > before, (method, name)
    assert done


def test_whoever_is_refused_leaves_a_denial(stranger):
    client, refused = Client(raise_request_exception=False), set()
    for route, name in GUARDED:
        act, before = act_of(name), AuditEvent.objects.filter(outcome="denied").count()
        audit.KNOCKS.forget()
        answer = client.get(address(route, REAL), headers=stranger)
        if answer.status_code == 404 and (act.looks or act.changes):
            refused.add(name)
            assert AuditEvent.objects.filter(outcome="denied").count() > before, name
    assert {"study", "api-study", "api-frame", "dicomweb-study", "fhir-read", "report", "admin:index"} <= refused


def test_an_unknown_token_at_a_door_is_written_down_and_nobody_at_all_is_not(a_study):
    Client().get("/api/studies/", headers={"Authorization": "Bearer wrong"})
    event = AuditEvent.objects.get(outcome="denied")
    assert (event.action, event.actor, event.origin) == ("door.refuse", "", "127.0.0.1")
    Client().get("/api/studies/")
    Client().get("/")
    assert AuditEvent.objects.filter(outcome="denied").count() == 1


def test_a_list_is_written_down_with_a_digest_of_what_was_asked_never_the_words(everybody):
    get = lambda asked: Client().get(f"/api/studies/?{asked}", headers=everybody)  # noqa: E731
    for asked in ("patient_name=Geheim", "patient_name=Geheim", "patient_name=Anders", "patient_id=PID-77"):
        assert get(asked).status_code == 200
    events = AuditEvent.objects.filter(action="study.search").order_by("sequence")
    assert [event.detail["asked"] for event in events] == [["patient_name"], ["patient_name"], ["patient_id"]]
    assert len({event.detail["query"] for event in events}) == 3
    assert "Geheim" not in str(list(events.values()))


def test_looking_again_within_a_while_is_the_same_look(everybody):
    for _ in range(5):
        Client().get("/api/worklist/", headers=everybody)
    assert AuditEvent.objects.filter(action="worklist.list").count() == 1


def test_knocking_all_day_fills_no_record(stranger):
    for _ in range(KNOCKS + 40):
        assert Client().get("/api/studies/1.2.826.1/", headers=stranger).status_code == 404
    assert AuditEvent.objects.filter(outcome="denied").count() == KNOCKS
    assert audit.verify_chain() == []


def test_a_storm_of_requests_is_one_event_at_each_door(everybody, stranger, monkeypatch):
    for door in ("api-studies", "api-worklist"):
        monkeypatch.setitem(PACES, door, Pace(f"two at {door}", 2, 1))
    for headers in (everybody, stranger):
        answers = [Client().get("/api/studies/", headers=headers).status_code for _ in range(40)]
        assert answers == [200, 200, *[429] * 38]
    assert [Client().get("/api/worklist/", headers=everybody).status_code for _ in range(4)][2:] == [429, 429]
    storms = AuditEvent.objects.filter(action="door.refuse").order_by("sequence")
    assert [(one.actor, one.outcome, one.detail["door"], one.detail["reason"]) for one in storms] == [
        (name, "denied", door, "too many requests")
        for name, door in (("everybody", "api-studies"), ("stranger", "api-studies"), ("everybody", "api-worklist"))
    ]


def test_what_cannot_be_written_down_is_not_shown(everybody, monkeypatch):
    def busy(work: object) -> None:
        raise DatabaseBusy("busy")

    monkeypatch.setattr(auditing.rows, "patiently", busy)
    answer = Client(raise_request_exception=False).get("/api/studies/", headers=everybody)
    assert answer.status_code >= 500
    assert b"PID-77" not in answer.content


# --- how often


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_was_noted_is_noted_for_a_while():
    clock = Clock()
    lately = Lately(clock)
    assert not lately.noted("a")
    lately.note("a")
    assert lately.noted("a")
    assert not lately.noted("b")
    clock.now += WHILE_S + 1
    assert not lately.noted("a")


def test_denials_are_counted_and_the_rest_is_told_later():
    clock = Clock()
    knocks = Knocks(clock)
    assert [knocks.count("a")[0] for _ in range(KNOCKS + 5)] == [True] * KNOCKS + [False] * 5
    assert knocks.count("b") == (True, 0)
    clock.now += WHILE_S + 1
    assert knocks.count("a") == (True, 5)
    assert knocks.count("a") == (True, 0)
