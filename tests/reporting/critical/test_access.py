"""Who may come to the doors of critical results; whoever may not is told that there is nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from reporting.models import CriticalResult, Report
from tests.reporting.critical.conftest import CALL, Caller
from viewer.models import Grant


@pytest.fixture
def result(call: Caller) -> int:
    return call.record().json()["id"]


def answers(who: Caller, result: int) -> list[int]:
    told = (who.get(), who.record(), who.attempt(result, read_back=True), who.close(result))
    return [answer.status_code for answer in told]


@pytest.mark.parametrize("name", ["bob", "charlie", "tess", "boss"])
def test_those_who_write_no_reports_here_find_nothing(
    request: pytest.FixtureRequest, name: str, report: Report, result: int
) -> None:
    who = Caller(request.getfixturevalue(name), report)
    assert answers(who, result) == [404] * 4
    row = CriticalResult.objects.get()
    assert (row.read_back, row.closed_at) == (False, None)


def test_what_a_stranger_is_told_is_what_is_told_of_nothing(charlie: User, report: Report, result: int) -> None:
    who = Caller(charlie, report)
    nothing = Client()
    nothing.force_login(charlie)
    ghost = nothing.get("/api/reports/999999/critical/")
    assert who.get().json() == ghost.json()
    assert AuditEvent.objects.filter(actor="charlie", outcome="denied").count() == 2


def test_a_referrer_whose_patient_it_is_may_not_either(bob: User, report: Report, result: int) -> None:
    Grant.objects.create(user=bob, study=report.study)
    assert answers(Caller(bob, report), result) == [404] * 4


def test_a_resident_may_record_try_and_close(rita: User, report: Report, result: int) -> None:
    assert answers(Caller(rita, report), result) == [200, 201, 201, 200]


def test_nobody_is_asked_to_sign_in(report: Report, result: int) -> None:
    client = Client()
    for path in ("", f"{result}/attempts/", f"{result}/close/"):
        answer = client.post(f"/api/reports/{report.pk}/critical/{path}", CALL, content_type="application/json")
        assert answer.status_code == 401


def test_the_doors_of_tries_take_nothing_but_posts(call: Caller, result: int) -> None:
    for path in (f"{result}/attempts/", f"{result}/close/"):
        assert call.client.get(call.root + path).status_code == 405
        assert call.client.delete(call.root + path).status_code == 405
