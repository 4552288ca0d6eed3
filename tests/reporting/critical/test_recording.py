"""A critical result from the finding to its end: tries, read-back, closing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils.dateparse import parse_datetime

from accounts.models import AuditEvent, User
from reporting.api.critical_shapes import CriticalList
from reporting.checks import run
from reporting.critical.categories import MINUTES, minutes_of
from reporting.models import CriticalAttempt, CriticalResult, Report, ReportingSite
from reporting.workflow.facts import facts_of
from tests.reporting.critical.conftest import CALL, Caller
from viewer.models import Outbox


def news() -> list[dict[str, object]]:
    return [row.payload for row in Outbox.objects.filter(kind="critical.changed").order_by("id")]


def test_a_result_is_recorded_read_back_and_closed(call: Caller, report: Report) -> None:
    answer = call.record(finding=" Subdural haematoma, 9 mm shift ", category="minutes")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["finding"], told["caller"]) == ("Subdural haematoma, 9 mm shift", "Alice Adler")
    assert (told["may"], told["read_back"], told["attempts"]) == (["attempt"], False, [])
    assert call.close(told["id"]).json()["code"] == "not_read_back"
    silent = call.attempt(told["id"], outcome="no_answer", note="Rang twice").json()
    assert (silent["may"], silent["recipient"], silent["acknowledged_at"]) == (["attempt"], "Dr Brandt", None)
    heard = call.attempt(told["id"], read_back=True)
    assert heard.status_code == 201
    assert heard.json()["may"] == ["attempt", "close"]
    assert [one["outcome"] for one in heard.json()["attempts"]] == ["no_answer", "reached"]
    report.item.refresh_from_db()
    assert report.item.critical_acknowledged_at is not None
    closed = call.close(told["id"])
    assert closed.status_code == 200, closed.content
    assert (closed.json()["closed_by"], closed.json()["may"]) == ("Alice Adler", [])
    assert len(news()) == 4
    assert {(one["report"], one["result"]) for one in news()} == {(report.pk, told["id"])}


def test_a_first_call_is_recorded_with_the_finding(call: Caller) -> None:
    told = call.record(**CALL, read_back=True).json()
    assert (told["read_back"], told["method"], len(told["attempts"])) == (True, "phone", 1)


def test_what_follows_on_read_back_keeps_who_read_it_back(call: Caller) -> None:
    result = call.record(**CALL, read_back=True).json()["id"]
    later = call.attempt(result, recipient="Ward 4", method="pager", outcome="left_message").json()
    assert (later["recipient"], later["method"], later["read_back"]) == ("Dr Brandt", "phone", True)


def test_nothing_is_changed_after_the_end(call: Caller) -> None:
    result = call.record(**CALL, read_back=True).json()["id"]
    call.close(result)
    for answer in (call.attempt(result), call.close(result)):
        assert (answer.status_code, answer.json()["code"]) == (409, "closed")
    assert CriticalAttempt.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"finding": " "},
        {"finding": "x" * 1001},
        {"finding": 7},
        {"finding": "half \ud83d"},
        {"category": "weeks"},
        {"category": ["minutes"]},
        {"category": None},
        {"found_at": "yesterday"},
        {"found_at": "2024-01-31T14:05:00"},
        {"found_at": "2999-01-31T14:05:00Z"},
        {"found_at": "0001-01-01T00:00:00+14:00", "category": "none"},
        {"method": "phone"},
        {**CALL, "outcome": "escalated"},
        {**CALL, "outcome": "no_answer", "read_back": True},
        {**CALL, "read_back": "yes"},
        {**CALL, "method": "carrier pigeon"},
        {"read_back": True},
    ],
)
def test_what_cannot_be_meant_is_refused_and_leaves_nothing(call: Caller, wrong: dict[str, object]) -> None:
    answer = call.record(**wrong)
    assert answer.status_code == 400, answer.content
    assert answer.json()["detail"]
    assert not CriticalResult.objects.exists()


def test_a_body_that_is_no_object_is_refused(call: Caller) -> None:
    for body in ("[]", '"x"', "{", "[" * 5000):
        assert call.client.post(call.root, body, content_type="application/json").status_code == 400


def test_a_withdrawn_report_takes_no_new_result_but_may_be_told_about(call: Caller, report: Report) -> None:
    result = call.record().json()["id"]
    Report.objects.filter(pk=report.pk).update(state="entered_in_error")
    assert call.record().json()["code"] == "state"
    assert call.attempt(result, read_back=True).status_code == 201
    assert call.close(result).status_code == 200


def test_the_time_left_runs_from_the_finding_and_the_site_decides_it(call: Caller, report: Report) -> None:
    ReportingSite.objects.create(organization=report.organization, escalation_minutes={"minutes": 5, "hours": "soon"})
    found = datetime.now(UTC) - timedelta(minutes=3)
    told = call.record(found_at=found.isoformat()).json()
    assert parse_datetime(told["due_at"]) == found + timedelta(minutes=5)
    assert told["overdue"] is False
    listed = call.get().json()
    assert {one["value"]: one["minutes"] for one in listed["categories"]} == {**MINUTES, "minutes": 5}
    assert minutes_of("hours", {"hours": True}) == MINUTES["hours"]


def test_the_list_has_the_shape_that_the_schema_says(call: Caller) -> None:
    call.attempt(call.record().json()["id"], read_back=True)
    body = call.get().json()
    shape = CriticalList(data=body)
    assert shape.is_valid(), shape.errors
    fields = shape.fields["results"].child.fields
    assert set(body["results"][0]) == set(fields)
    assert set(body["results"][0]["attempts"][0]) == set(fields["attempts"].child.fields)


def test_another_result_of_another_report_is_not_there(call: Caller, report: Report, alice: User) -> None:
    other = Report.objects.create(
        organization=report.organization, study=report.study, template_version=report.template_version, author=alice
    )
    result = Caller(alice, other).record().json()["id"]
    for answer in (call.attempt(result), call.close(result), call.attempt(10**9)):
        assert answer.status_code == 404


def test_tries_cannot_be_rewritten(call: Caller) -> None:
    call.record(**CALL)
    row = CriticalAttempt.objects.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        CriticalAttempt.objects.filter(pk=row.pk).update(outcome="refused")
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


def test_every_act_is_in_the_record(call: Caller, report: Report) -> None:
    call.close(call.record(**CALL, read_back=True).json()["id"])
    rows = AuditEvent.objects.filter(action__startswith="critical.").order_by("sequence")
    assert [row.action for row in rows] == ["critical.record", "critical.attempt", "critical.close"]
    assert {(row.actor, row.object_uid, row.outcome) for row in rows} == {("alice", str(report.uid), "success")}


def test_a_recorded_result_answers_the_check(call: Caller, report: Report) -> None:
    content = {"findings": "Acute subdural haematoma on the left.", "impression": "Acute subdural haematoma."}

    def said() -> set[str]:
        return {problem.rule for problem in run(facts_of(report, content, {}))}

    assert "critical" in said()
    call.record()
    assert "critical" not in said()
