"""Signing: who one is, what was looked at, what the checks say; and all of it or nothing."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from accounts.authentication import issue
from accounts.lockout import TRIES_PER_NAME
from accounts.models import AuditEvent, FailedSignIn, User
from reporting.checks import RULES_VERSION
from reporting.models import Delivery, Evidence, Report, ReportVersion
from reporting.workflow import signing as acts
from reporting.workflow.verifying import problems
from tests.reporting.conftest import PASSWORD, signed_in
from tests.reporting.talking import SOUND, act, done, opened, rules, saved, saving, send, signed, signing
from viewer.models import Outbox, Series, Study

Json = dict[str, Any]


@pytest.fixture
def report(at_alice: Client, study: Study) -> Json:
    return saved(at_alice, opened(at_alice, study))


# --- who one is


@pytest.mark.parametrize("password", ["wrong", "", None, 5, ["a"], PASSWORD.upper(), PASSWORD + " "])
def test_a_wrong_password_signs_nothing_and_is_written_down(at_alice: Client, report: Json, password: object) -> None:
    answer = signing(at_alice, report, password=password)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_password")
    assert Report.objects.get().state == "draft"
    event = AuditEvent.objects.filter(action="report.sign_final").first()
    if isinstance(password, str) and password:
        assert (event.outcome, event.actor, event.detail) == ("failure", "alice", {"why": "wrong password"})
        assert FailedSignIn.objects.count() == 1


def test_a_password_cannot_be_guessed_here_nor_the_lock_at_the_sign_in_be_gone_round(
    at_alice: Client, report: Json, client: Client
) -> None:
    for number in range(TRIES_PER_NAME):
        assert signing(at_alice, report, password=f"guess {number}").status_code == 403
    locked = signing(at_alice, report, password=PASSWORD)
    assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
    assert client.post("/accounts/sign-in/", {"username": "alice", "password": PASSWORD}).status_code == 429
    assert Report.objects.get().state == "draft"
    FailedSignIn.objects.all().delete()
    signed(at_alice, report)


def test_the_right_password_takes_the_tries_back(at_alice: Client, report: Json) -> None:
    for number in range(TRIES_PER_NAME - 1):
        signing(at_alice, report, password=f"guess {number}")
    signed(at_alice, report)
    assert FailedSignIn.objects.count() == 0


def test_every_signature_asks_again(at_alice: Client, report: Json) -> None:
    report = signed(at_alice, report, "preliminary")
    assert signing(at_alice, report, password=None).status_code == 403
    report = signed(at_alice, report)
    assert act(at_alice, report, "addendum", text="More.").status_code == 403
    assert act(at_alice, report, "entered-in-error", reason="x").status_code == 403


def test_a_person_without_a_password_is_told_to_set_one(at_alice: Client, alice: User, report: Json) -> None:
    alice.set_unusable_password()
    User.objects.filter(pk=alice.pk).update(password=alice.password)
    client = signed_in(User.objects.get(pk=alice.pk))
    answer = signing(client, report)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_password")


def test_no_password_is_ever_logged_or_recorded(
    at_alice: Client, report: Json, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    signing(at_alice, report, password="a secret that nobody reads")
    signed(at_alice, report)
    said = caplog.text + "".join(str(event.detail) for event in AuditEvent.objects.all())
    assert "a secret that nobody reads" not in said
    assert PASSWORD not in said


# --- what was looked at


def test_a_signature_stands_under_the_version_that_was_seen(at_alice: Client, report: Json) -> None:
    newer = saved(at_alice, report, {"impression": "Newer."})
    answer = signing(at_alice, report, version=report["version"])
    assert (answer.status_code, answer.json()["code"], answer.json()["version"]) == (409, "stale", newer["version"])
    assert signing(at_alice, report, version="2").status_code == 400
    done_with = signed(at_alice, newer, version=newer["version"])
    row = ReportVersion.objects.get(number=done_with["version"])
    before = ReportVersion.objects.get(number=newer["version"])
    assert (row.based_on, row.content, row.previous_mac) == (before.number, before.content, before.mac)
    assert done_with["hash"] == row.mac


def test_a_signature_for_another_patient_is_refused_before_anything_else(at_alice: Client, report: Json) -> None:
    answer = signing(at_alice, report, context={"study": "1.2.3"}, password="wrong")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_patient")
    assert FailedSignIn.objects.count() == 0
    report = signed(at_alice, report)
    answer = act(at_alice, report, "addendum", text="x", password=PASSWORD, context={"patient_id": "other"})
    assert (answer.status_code, answer.json()["problems"][0]["rule"]) == (409, "wrong_patient")


def test_a_signature_prints_name_role_meaning_and_time(at_alice: Client, report: Json) -> None:
    report = signed(at_alice, report)
    printed = report["signature"]
    assert (printed["name"], printed["role"], printed["meaning"]) == ("Alice Adler", "radiologist", "verified")
    assert printed["at"].endswith("+00:00")
    [row] = [
        one for one in at_alice.get(f"/api/reports/{report['id']}/versions/").json()["versions"] if one["signature"]
    ]
    assert (row["signature"], row["hash"]) == (printed, report["hash"])


# --- what the checks say


def test_what_blocks_stops_and_no_acknowledgement_helps(at_alice: Client, report: Json) -> None:
    report = saved(at_alice, report, {"impression": "Haemorrhage of [ ] mm."})
    answer = signing(at_alice, report)
    assert answer.status_code == 422
    assert {one["level"] for one in answer.json()["problems"]} >= {"block"}
    assert Report.objects.get().state == "draft"


def test_an_empty_report_is_not_signed(at_alice: Client, study: Study) -> None:
    answer = signing(at_alice, opened(at_alice, study))
    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_what_is_odd_passes_once_it_is_acknowledged_and_both_are_kept(
    at_alice: Client, study: Study, report: Json
) -> None:
    Series.objects.update(laterality="L")
    report = saved(
        at_alice, report, {"findings": "Right temporal haematoma.", "impression": "Right temporal haematoma."}
    )
    told = rules(at_alice, report)
    assert told
    refused = signing(at_alice, report, acknowledged=[])
    assert refused.status_code == 422
    assert {one["level"] for one in refused.json()["problems"]} == {"acknowledge"}
    for wrong in ("all", [1], {"a": 1}):
        assert signing(at_alice, report, acknowledged=wrong).status_code == 400
    report = signed(at_alice, report, acknowledged=[*told, "something else"])
    kept = ReportVersion.objects.get(number=report["version"]).checks
    assert kept["rules"] == RULES_VERSION
    assert kept["acknowledged"] == sorted(set(told))
    assert {one["rule"] for one in kept["problems"]} == set(told)


def test_an_examination_put_on_hold_is_not_signed_without_a_look(at_alice: Client, item: Any) -> None:
    report = saved(at_alice, opened(at_alice, item.study))
    type(item).objects.update(status="hold", held_reason="wrong_side")
    answer = signing(at_alice, report, acknowledged=[])
    assert "wrong side" in " ".join(one["message"] for one in answer.json()["problems"])
    signed(at_alice, report)


@pytest.mark.parametrize("meaning", [None, "author", 5, ["final"], {}])
def test_a_meaning_is_one_of_three(at_alice: Client, report: Json, meaning: object) -> None:
    answer = send(at_alice, "post", f"/api/reports/{report['id']}/sign/", {"meaning": meaning, "password": PASSWORD})
    assert answer.status_code == 400


# --- pictures


def key_image(client: Client, study: Study) -> Json:
    series = Series.objects.get(study=study)
    body = {"series": series.series_instance_uid, "view": {"plane": "acquired", "frame": 0, "size": [64, 64]}}
    answer = send(client, "post", f"/api/studies/{study.study_instance_uid}/key-images/", body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_linked_pictures_are_frozen_with_the_signature(
    transactional_db: None, at_alice: Client, study: Study, report: Json
) -> None:
    marked = key_image(at_alice, study)
    report = saved(at_alice, report, {"findings": f"No haemorrhage, [[key_image:{marked['uid']}|image 1]]."})
    report = signed(at_alice, report)
    kept = Evidence.objects.get()
    assert (kept.report_version.number, kept.sha256) == (report["version"], marked["sha256"])
    [said] = ReportVersion.objects.get(number=report["version"]).evidence
    assert (said["sha256"], said["picture"], said["uid"]) == (marked["sha256"], kept.picture_id, marked["uid"])
    assert list(problems()) == []


def test_a_link_that_leads_nowhere_stops_the_signature(at_alice: Client, report: Json) -> None:
    report = saved(at_alice, report, {"findings": "No haemorrhage, [[key_image:2.25.77|image 9]]."})
    answer = signing(at_alice, report)
    assert answer.status_code == 422
    assert any("image 9" in one["message"] for one in answer.json()["problems"])
    assert Report.objects.get().state == "draft"


# --- all of it or nothing


class Struck(Exception):
    pass


def test_a_failure_at_any_step_leaves_nothing_half_done(
    transactional_db: None, at_alice: Client, report: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counts() -> tuple[object, ...]:
        told = (ReportVersion, Evidence, Delivery, AuditEvent, Outbox)
        return (*(kind.objects.count() for kind in told), *Report.objects.values_list("state", "version"))

    def strike(*_: object, **__: object) -> None:
        raise Struck

    seen, before = rules(at_alice, report), counts()
    for where in ("append", "freezing.keep", "clocks.report_signed", "queue", "note", "locking.let_go"):
        owner, _, name = where.rpartition(".")
        with monkeypatch.context() as patch:
            patch.setattr(getattr(acts, owner) if owner else acts, name, strike)
            with pytest.raises(Struck):
                signing(at_alice, report, acknowledged=seen)
        assert counts() == before, where
    signed(at_alice, report)
    assert list(problems()) == []


def at_once(*works: Any) -> list[Any]:
    """Each in a thread of its own, begun together; their answers in order."""
    gate, found = threading.Barrier(len(works)), {}

    def run(place: int, work: Any) -> None:
        try:
            gate.wait(30)
            found[place] = work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return [found[place] for place in range(len(works))]


def test_of_two_who_co_sign_at_once_one_wins_and_the_other_is_told(
    transactional_db: None, rita: User, alice: User, dora: User, study: Study
) -> None:
    at_rita = signed_in(rita)
    report = signed(at_rita, saved(at_rita, opened(at_rita, study)), "submit")
    seen = rules(at_rita, report)
    clients = [signed_in(alice), signed_in(dora)]
    answers = at_once(
        *(lambda client=client: signing(client, report, door="cosign", acknowledged=seen) for client in clients)
    )
    assert sorted(answer.status_code for answer in answers) in ([200, 409], [200, 423])
    [loser] = [answer for answer in answers if answer.status_code != 200]
    assert loser.json()["detail"]
    assert ReportVersion.objects.filter(kind="cosign").count() == 1
    assert AuditEvent.objects.filter(action="report.cosign", outcome="success").count() == 1
    assert list(problems()) == []


def test_of_a_save_and_a_signature_at_once_the_signature_never_stands_under_unseen_words(
    transactional_db: None, alice: User, study: Study
) -> None:
    client, other = signed_in(alice), signed_in(alice)
    report = saved(client, opened(client, study))
    seen = rules(client, report)
    save, sign = at_once(
        lambda: saving(other, report, {"impression": "Written meanwhile."}),
        lambda: signing(client, report, acknowledged=seen, version=report["version"]),
    )
    final = ReportVersion.objects.filter(kind="final").first()
    if sign.status_code == 200:
        assert final.content == SOUND
        assert save.status_code == 409
    else:
        assert (sign.status_code, save.status_code, final) == (409, 200, None)


def test_many_who_sign_many_reports_leave_one_sound_chain(transactional_db: None, alice: User, study: Study) -> None:
    reports, client = [], signed_in(alice)
    for _ in range(4):
        report = saved(client, opened(client, study, new=True))
        reports.append(report)
        Report.objects.filter(pk=report["id"]).update(state="final")
    Report.objects.update(state="draft")
    seen = rules(client, reports[0])
    answers = at_once(
        *(lambda one=one: signing(signed_in(alice), one, acknowledged=seen, version=2) for one in reports)
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [line for line in problems() if "version" in line] == []
    assert ReportVersion.objects.filter(kind="final").count() == 4


def test_a_signed_report_says_what_was_done_with_it(at_alice: Client, report: Json) -> None:
    report = signed(at_alice, report)
    assert report["may"] == ["addendum", "correct", "entered_in_error"]
    assert done(at_alice, report, "correct", reason="x", reason_code="content")["may"][0] == "save"


def test_a_program_meets_every_refusal_on_its_way_to_a_signature(alice: User, client: Client, study: Study) -> None:
    """As a stranger's program goes about it: no token of a window, no context, one list of acknowledged rules."""
    headers = {"Authorization": f"Bearer {issue(alice)}"}
    findings = "Left temporal haematoma, 12 mm."

    def call(method: str, path: str, **body: Any) -> Any:
        return send(client, method, f"/api/reports/{path}", body, headers=headers)

    report = call("post", "", study=study.study_instance_uid, template="free-text").json()
    me, numbers = f"{report['id']}/", [report["version"]]

    def write(impression: str) -> None:
        content = {"findings": findings, "impression": impression}
        answer = call("put", me, based_on=numbers[-1], content=content)
        assert answer.status_code == 200, answer.content
        numbers.append(answer.json()["version"])

    def finish(password: str, acknowledged: list[str]) -> Any:
        return call("post", f"{me}sign/", password=password, meaning="final", acknowledged=acknowledged)

    def told() -> list[str]:
        answer = client.get(f"/api/reports/{me}checks/", headers=headers)
        return [one["rule"] for one in answer.json()["problems"]]

    write(findings)
    seen = told()
    for wrong in ("Left temporal haematoma [ ].", "Right temporal haematoma."):
        write(wrong)
        refused = finish(PASSWORD, seen)
        assert (refused.status_code, bool(refused.json()["problems"])) == (422, True), wrong
    assert call("put", me, based_on=numbers[0], content={"findings": "x"}).status_code == 409
    write(findings)
    assert finish("no" + PASSWORD, seen).status_code == 403
    assert finish(PASSWORD, told()).status_code == 200
    late = call("put", me, based_on=numbers[-1], content={"findings": "changed"})
    assert (late.status_code, late.json()["code"]) == (409, "state")
