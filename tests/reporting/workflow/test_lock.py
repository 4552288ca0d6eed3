"""One writer at a time, and a lock that frees itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, User
from reporting.models import Report
from reporting.workflow.locking import EXPIRY
from tests.reporting.talking import SOUND, act, done, opened, opening, saved, saving, signed, signing
from viewer.models import Study


def age(seconds: float) -> None:
    """The last sign of life was so long ago."""
    Report.objects.update(lock_seen_at=timezone.now() - timedelta(seconds=seconds))


def test_opening_takes_the_lock_and_its_owner_is_seen(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = opened(at_alice, study, token="a" * 64)
    assert (report["lock"]["mine"], report["lock"]["by"], report["lock"]["token"]) == (True, "Alice Adler", "a" * 64)
    other = opening(at_dora, study)
    assert other.status_code == 423
    told = other.json()
    assert told["detail"] == "Alice Adler is writing this report."
    assert (told["lock"]["mine"], told["lock"]["by"], told["id"]) == (False, "Alice Adler", report["id"])
    assert "token" not in told["lock"]
    assert told["content"] == report["content"]


@pytest.mark.parametrize("what", ["save", "sign", "heartbeat"])
def test_who_does_not_hold_it_writes_nothing(at_alice: Client, at_dora: Client, study: Study, what: str) -> None:
    report = saved(at_alice, opened(at_alice, study))
    answer = {
        "save": lambda: saving(at_dora, report, {"findings": "x"}),
        "sign": lambda: signing(at_dora, report),
        "heartbeat": lambda: act(at_dora, report, "lock", action="heartbeat"),
    }[what]()
    assert answer.status_code == 423
    assert answer.json()["lock"]["by"] == "Alice Adler"
    assert Report.objects.get().version == report["version"]


def test_two_windows_of_one_reader_are_two_writers(at_alice: Client, study: Study) -> None:
    report = opened(at_alice, study, token="one")
    assert opening(at_alice, study, token="two").status_code == 423
    answer = saving(at_alice, report, SOUND, token="two")
    assert answer.status_code == 423
    assert answer.json()["detail"] == "You have this report open in another window."
    assert saving(at_alice, report, SOUND).status_code == 423
    assert saving(at_alice, report, SOUND, token="one").status_code == 200


def test_a_program_without_a_token_gives_way_to_the_page_of_the_same_person(at_alice: Client, study: Study) -> None:
    opened(at_alice, study)
    assert opening(at_alice, study, token="page").json()["lock"]["mine"]
    assert opening(at_alice, study).status_code == 423


def test_a_page_that_slept_while_a_program_of_its_reader_wrote_goes_on_and_overwrites_nothing(
    at_alice: Client, at_dora: Client, study: Study
) -> None:
    report = opened(at_alice, study, token="page")
    age(91)
    by_program = saved(at_alice, opened(at_alice, study), {"findings": "By the program."})
    assert saving(at_dora, by_program, SOUND, token="page").status_code == 423, "only of the same person"
    stale = saving(at_alice, report, {"findings": "By the page."}, token="page")
    assert (stale.status_code, stale.json()["content"]["findings"]) == (409, "By the program.")
    assert saving(at_alice, by_program, {"findings": "By the page."}, token="page").status_code == 200
    assert saving(at_alice, by_program, SOUND).status_code == 423
    assert act(at_alice, report, "lock", action="heartbeat", token="page").status_code == 200


def test_a_heartbeat_keeps_it_and_without_one_it_is_free_after_ninety_seconds(
    at_alice: Client, at_dora: Client, study: Study
) -> None:
    assert timedelta(seconds=90) == EXPIRY
    report = opened(at_alice, study, token="one")
    age(89)
    assert opening(at_dora, study).status_code == 423
    assert done(at_alice, report, "lock", action="heartbeat", token="one")["lock"]["mine"]
    age(60)
    assert opening(at_dora, study).status_code == 423
    age(91)
    assert opening(at_dora, study).json()["lock"] | {"until": ""} == {
        "mine": True,
        "by": "Dora Dorn",
        "until": "",
        "token": "",
    }
    assert act(at_alice, report, "lock", action="heartbeat", token="one").status_code == 423


def test_a_page_that_was_asleep_goes_on_when_nobody_else_came(at_alice: Client, study: Study) -> None:
    report = opened(at_alice, study, token="one")
    age(10_000)
    assert saving(at_alice, report, SOUND, token="one").status_code == 200
    assert Report.objects.get().lock_token == "one"


def test_letting_go_frees_it_at_once_and_only_its_holder_can(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = opened(at_alice, study, token="one")
    done(at_dora, report, "lock", action="release")
    done(at_alice, report, "lock", action="release", token="two")
    assert opening(at_dora, study).status_code == 423
    assert done(at_alice, report, "lock", action="release", token="one")["lock"] == {
        "mine": False,
        "by": None,
        "until": None,
    }
    assert opening(at_dora, study).status_code == 200


def test_taking_it_over_needs_a_reason_and_is_written_down(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = opened(at_alice, study, token="one")
    for reason in ({}, {"reason": ""}, {"reason": "  "}):
        assert act(at_dora, report, "lock", action="take", token="d", **reason).status_code == 400
    taken = done(at_dora, report, "lock", action="take", token="d", reason="Alice went home.")
    assert taken["lock"]["mine"]
    event = AuditEvent.objects.get(action="report.take_over")
    assert (event.actor, event.detail) == ("dora", {"from": "alice", "reason": "Alice went home."})
    late = saving(at_alice, report, SOUND, token="one")
    assert (late.status_code, late.json()["lock"]["by"]) == (423, "Dora Dorn")


def test_my_own_other_window_needs_no_reason(at_alice: Client, study: Study) -> None:
    report = opened(at_alice, study, token="one")
    assert done(at_alice, report, "lock", action="take", token="two")["lock"]["mine"]
    assert AuditEvent.objects.filter(action="report.take_over").count() == 1


def test_what_was_written_before_the_take_over_is_there_for_the_next(
    at_alice: Client, at_dora: Client, study: Study
) -> None:
    report = saved(at_alice, opened(at_alice, study))
    done(at_dora, report, "lock", action="take", reason="Handed over.")
    mine = opened(at_dora, study)
    assert (mine["content"], mine["version"]) == (SOUND, 2)
    assert saving(at_dora, mine, {"impression": "Mine."}).status_code == 200


def test_a_resident_cannot_take_what_waits_for_the_attending(
    at_rita: Client, at_alice: Client, rita: User, study: Study
) -> None:
    report = signed(at_rita, saved(at_rita, opened(at_rita, study)), "submit")
    assert opened(at_rita, study)["lock"]["mine"] is False
    assert act(at_rita, report, "lock", action="take", reason="I want it back.").status_code == 403
    assert opened(at_alice, study)["lock"]["mine"] is True


def test_signing_lets_go_and_an_addendum_never_holds(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study, token="one"), token="one"), token="one")
    assert Report.objects.get().locked_by is None
    done(at_alice, report, "correct", reason="Typing error.", reason_code="content", token="one")
    assert Report.objects.get().locked_by is not None
    added = act(at_dora, report, "addendum", text="Seen by the neurosurgeons.", password="a lantern over the harbour")
    assert added.status_code == 200, added.content
    assert Report.objects.get().lock_token == "one"


@pytest.mark.parametrize(
    "body", [{}, {"action": "steal"}, {"action": "take", "token": "x" * 65}, {"action": "heartbeat", "token": "ü"}, []]
)
def test_what_is_no_lock_is_told(at_alice: Client, study: Study, body: object) -> None:
    report = opened(at_alice, study)
    answer = at_alice.post(f"/api/reports/{report['id']}/lock/", body, content_type="application/json")
    assert answer.status_code == 400
