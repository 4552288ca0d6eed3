"""A critical finding that is signed though nobody was told begins a clock; what was read back is not said to be unheard."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from reporting.critical.categories import MINUTES
from reporting.critical.escalation import escalate_overdue
from reporting.models import CriticalResult, ReportVersion
from tests.reporting.conftest import PASSWORD, signed_in
from tests.reporting.critical.conftest import CALL, FOUND
from tests.reporting.talking import SOUND, act, done, opened, saved, signed, signing
from viewer.models import Outbox, Study

CRITICAL = {"findings": "Tension pneumothorax on the left.", "impression": "Tension pneumothorax on the left."}


@pytest.fixture
def at(alice: User) -> Client:
    return signed_in(alice)


def news() -> int:
    return Outbox.objects.filter(kind="critical.changed").count()


def test_what_was_acknowledged_at_signing_is_a_result_that_is_told_in_time(at: Client, study: Study) -> None:
    report = saved(at, opened(at, study), CRITICAL)
    assert signing(at, report, acknowledged=[]).status_code == 422
    assert not CriticalResult.objects.exists(), "what is not signed begins nothing"
    signed(at, report)
    result = CriticalResult.objects.get()
    assert result.finding == "pneumothorax"
    assert (result.category, result.closed_at, result.caller.username) == ("minutes", None, "alice")
    assert (result.due_at - result.found_at).total_seconds() == MINUTES["minutes"] * 60
    assert news() == 1
    assert AuditEvent.objects.get(action="critical.record").detail["result"] == result.pk
    stated = ReportVersion.objects.get(kind="final").context["criticals"]
    assert [one["finding"] for one in stated] == [result.finding]
    assert escalate_overdue(timezone.now() + timedelta(minutes=MINUTES["minutes"] + 1)) == 1


def test_a_recorded_result_is_not_recorded_twice(at: Client, study: Study) -> None:
    report = saved(at, opened(at, study), CRITICAL)
    assert act(at, report, "critical", **FOUND).status_code == 201
    signed(at, report)
    assert CriticalResult.objects.count() == 1


def test_the_final_after_the_preliminary_begins_no_second_one(at: Client, study: Study) -> None:
    report = signed(at, saved(at, opened(at, study), CRITICAL), "preliminary")
    signed(at, saved(at, opened(at, study), {**CRITICAL, "impression": "Tension pneumothorax, left."}))
    assert CriticalResult.objects.get().report_id == report["id"]


def test_a_sound_report_begins_none(at: Client, study: Study) -> None:
    signed(at, saved(at, opened(at, study), SOUND))
    signed(at, saved(at, opened(at, study, new=True), {**SOUND, "impression": "No tension pneumothorax."}))
    assert not CriticalResult.objects.exists()


def test_a_critical_addendum_begins_one(at: Client, study: Study) -> None:
    report = signed(at, saved(at, opened(at, study), SOUND))
    done(at, report, "addendum", text="On second look there is a tension pneumothorax.", password=PASSWORD)
    assert CriticalResult.objects.get().finding == "pneumothorax"


def test_the_report_does_not_say_unheard_of_what_was_read_back(at: Client, study: Study) -> None:
    report = signed(at, saved(at, opened(at, study), CRITICAL))
    at_door = f"/api/reports/{report['id']}"

    def said() -> str:
        return at.get(f"{at_door}/export/html").content.decode()

    assert "nobody has confirmed yet" in said()
    critical = f"{at_door}/critical/{CriticalResult.objects.get().pk}/"
    heard = at.post(f"{critical}attempts/", {**CALL, "read_back": True}, "application/json")
    assert heard.status_code == 201, heard.content
    assert "nobody has confirmed yet" not in said()
    assert "it was heard and read back, and is not closed yet" in said()
    assert at.post(f"{critical}close/", {}, "application/json").status_code == 200
    assert "not closed yet" not in said()
