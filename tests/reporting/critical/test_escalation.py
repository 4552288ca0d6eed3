"""What nobody reads back in time is escalated: once, by whichever process is first."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEvent
from reporting.critical import escalation
from reporting.critical.categories import MINUTES
from reporting.critical.escalation import escalate_overdue
from reporting.models import CriticalAttempt, CriticalResult
from tests.reporting.critical.conftest import CALL, Caller
from viewer.models import Outbox


def after(minutes: float) -> object:
    return timezone.now() + timedelta(minutes=minutes)


def test_a_result_is_escalated_when_its_time_is_up_and_not_before(call: Caller) -> None:
    result = call.record(**CALL, outcome="no_answer").json()["id"]
    assert escalate_overdue(after(MINUTES["minutes"] - 1)) == 0
    before = Outbox.objects.filter(kind="critical.changed").count()
    late = after(MINUTES["minutes"] + 1)
    assert escalate_overdue(late) == 1
    row = CriticalResult.objects.get(pk=result)
    assert row.escalated_at == late
    last = CriticalAttempt.objects.order_by("-pk").first()
    assert (last.outcome, last.caller_name, last.recipient) == ("escalated", "farview", "Dr Brandt")
    assert Outbox.objects.filter(kind="critical.changed").count() == before + 1
    event = AuditEvent.objects.get(action="critical.escalate")
    assert (event.actor, event.detail["result"]) == ("farview", result)
    assert escalate_overdue(after(10**5)) == 0, "once"


def test_categories_have_their_own_time(call: Caller) -> None:
    for category in ("days", "hours", "minutes"):
        call.record(category=category)
    for category in ("minutes", "hours", "days"):
        assert escalate_overdue(after(MINUTES[category] + 1)) == 1
        assert CriticalResult.objects.exclude(escalated_at=None).order_by("-escalated_at")[0].category == category


def test_what_was_read_back_is_not_escalated(call: Caller) -> None:
    call.attempt(call.record().json()["id"], read_back=True)
    closed = call.record(**CALL, read_back=True).json()["id"]
    call.close(closed)
    assert escalate_overdue(after(10**6)) == 0


def test_an_escalated_result_can_still_be_read_back_and_closed(call: Caller) -> None:
    result = call.record().json()["id"]
    escalate_overdue(after(MINUTES["minutes"] + 1))
    assert call.attempt(result, read_back=True).json()["escalated_at"] is not None
    assert call.close(result).status_code == 200


def test_a_result_read_back_between_the_look_and_the_act_is_left_alone(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = call.record().json()["id"]
    late = after(MINUTES["minutes"] + 1)
    seen = escalation.overdue(late)
    assert seen == [result]
    call.attempt(result, read_back=True)
    monkeypatch.setattr(escalation, "overdue", lambda now: seen)
    assert escalate_overdue(late) == 0


def test_the_server_runs_the_clock() -> None:
    from reporting.hooks import TASKS

    assert escalation.escalations in TASKS
