"""The life of a report from one state to the next, by everybody who takes part in it."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from reporting.models import Delivery, ReadingItem, Report, ReportVersion
from reporting.workflow.versions import addenda_of, signed_text_of
from tests.reporting.conftest import PASSWORD
from tests.reporting.talking import SOUND, act, done, opened, opening, rules, saved, saving, signed, signing
from viewer.models import Outbox, Study

OTHER = {"impression": "Subdural haematoma."}


def version(number: int) -> ReportVersion:
    return ReportVersion.objects.get(number=number)


def test_a_resident_writes_an_attending_co_signs(at_rita: Client, at_alice: Client, item: ReadingItem) -> None:
    report = signed(at_rita, saved(at_rita, opened(at_rita, item.study)), "submit")
    assert (report["state"], report["signature"]["meaning"]) == ("pending_cosign", "author")
    item.refresh_from_db()
    assert item.status == "pending_cosign"
    report = signed(at_alice, report, door="cosign")
    assert (report["state"], report["signature"]["meaning"]) == ("final", "co-signer")
    assert report["signature"]["role"] == "radiologist"
    item.refresh_from_db()
    assert item.status == "final"
    assert item.final_at is not None
    shown = at_alice.get(f"/api/reports/{report['id']}/").json()
    assert [(one["name"], one["meaning"]) for one in shown["signatures"]] == [
        ("Rita Rossi", "author"),
        ("Alice Adler", "co-signer"),
    ]


def test_a_resident_can_never_make_a_final(at_rita: Client, at_alice: Client, study: Study) -> None:
    report = saved(at_rita, opened(at_rita, study))
    refused = signing(at_rita, report, "final")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_yours")
    report = signed(at_rita, report, "submit")
    for door in ("cosign", "return", "addendum", "correct"):
        body = {"password": PASSWORD, "comment": "x", "text": "x", "reason": "x", "reason_code": "error"}
        assert act(at_rita, report, door, **body).status_code in (403, 409), door
    report = signed(at_alice, report, door="cosign")
    for door in ("addendum", "correct", "entered-in-error"):
        body = {"password": PASSWORD, "text": "x", "reason": "x", "reason_code": "error"}
        assert act(at_rita, report, door, **body).status_code == 403, door
    assert Report.objects.get().state == "final"


def test_the_attending_returns_it_with_a_comment_and_it_comes_again(
    at_rita: Client, at_alice: Client, item: ReadingItem
) -> None:
    report = signed(at_rita, saved(at_rita, opened(at_rita, item.study)), "submit")
    assert act(at_alice, report, "return", comment=" ").status_code == 400
    report = done(at_alice, report, "return", comment="Say which side.")
    assert report["state"] == "returned"
    mine = opened(at_rita, item.study)
    assert (mine["returned"]["reason"], mine["returned"]["by"]) == ("Say which side.", "Alice Adler")
    assert mine["lock"]["mine"]
    report = signed(at_rita, saved(at_rita, mine, OTHER), "submit")
    assert report["state"] == "pending_cosign"
    assert signed(at_alice, report, door="cosign")["state"] == "final"


def test_a_preliminary_is_signed_written_on_and_made_final_by_its_author(at_alice: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)), "preliminary")
    assert report["state"] == "preliminary"
    report = saved(at_alice, report, OTHER)
    held = Report.objects.get()
    assert (held.signed_version, held.version) == (3, 4)
    assert signed_text_of(held).content == SOUND
    report = signed(at_alice, report)
    assert (report["state"], report["signed_version"]) == ("final", 5)
    assert Report.objects.get().discrepancy == ""


@pytest.mark.parametrize("door", ["cosign", "sign"])
def test_a_final_that_departs_from_anothers_preliminary_is_graded(
    at_rita: Client, at_alice: Client, study: Study, door: str
) -> None:
    first = "submit" if door == "cosign" else "preliminary"
    report = signed(at_rita, saved(at_rita, opened(at_rita, study)), first)
    same = at_alice.get(f"/api/reports/{report['id']}/checks/").json()
    assert same["discrepancy"] is False
    report = saved(at_alice, report, OTHER)
    assert at_alice.get(f"/api/reports/{report['id']}/checks/").json()["discrepancy"] is True
    told = at_alice.get(f"/api/reports/{report['id']}/difference/").json()
    assert (told["author"], told["changes"][0]["field"]) == ("Rita Rossi", "impression")
    assert "".join(text for kind, text in told["changes"][0]["parts"] if kind != "gone") == "Subdural haematoma."
    refused = signing(at_alice, report, door=door)
    assert (refused.status_code, refused.json()["problems"][0]["rule"]) == (422, "discrepancy")
    assert signing(at_alice, report, door=door, discrepancy="huge").status_code == 400
    report = signed(at_alice, report, door=door, discrepancy="minor", discrepancy_note="Missed at night.")
    held = Report.objects.get()
    assert (held.discrepancy, held.discrepancy_note) == ("minor", "Missed at night.")
    assert version(report["version"]).checks["discrepancy"] == {"grade": "minor", "note": "Missed at night."}


def test_a_major_difference_asks_whether_somebody_was_told(at_rita: Client, at_alice: Client, study: Study) -> None:
    report = signed(at_rita, saved(at_rita, opened(at_rita, study)), "submit")
    report = saved(at_alice, report, OTHER)
    refused = signing(at_alice, report, door="cosign", discrepancy="major")
    assert (refused.status_code, refused.json()["problems"][0]["rule"]) == (422, "discrepancy_record")
    seen = [*rules(at_alice, report), "discrepancy_record"]
    report = signed(at_alice, report, door="cosign", discrepancy="major", acknowledged=seen)
    assert "discrepancy_record" in version(report["version"]).checks["acknowledged"]


def test_an_unchanged_co_signature_is_graded_none_by_itself(at_rita: Client, at_alice: Client, study: Study) -> None:
    report = signed(at_rita, saved(at_rita, opened(at_rita, study)), "submit")
    signed(at_alice, report, door="cosign")
    assert Report.objects.get().discrepancy == "none"


def test_an_addendum_leaves_the_text_as_it_was_to_the_byte(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    before = ReportVersion.objects.filter(number=3).values().get()
    report = done(at_dora, report, "addendum", text="The neurosurgeons were told.", password=PASSWORD)
    assert (report["state"], report["signature"]["meaning"], report["signature"]["name"]) == (
        "appended",
        "addendum",
        "Dora Dorn",
    )
    report = done(at_alice, report, "addendum", text="A control is planned.", password=PASSWORD)
    assert ReportVersion.objects.filter(number=3).values().get() == before
    held = Report.objects.get()
    assert [one.content for one in addenda_of(held)] == [
        {"addendum": "The neurosurgeons were told."},
        {"addendum": "A control is planned."},
    ]
    assert signed_text_of(held).number == 3
    assert held.signed_version == held.version == 5


@pytest.mark.parametrize("text", [None, "", "  ", 5, "nul\0", "x" * 40_000, "See [ ]."])
def test_what_is_no_addendum_is_refused(at_alice: Client, study: Study, text: object) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    answer = act(at_alice, report, "addendum", text=text, password=PASSWORD)
    assert answer.status_code in (400, 422)
    assert Report.objects.get().state == "final"


def test_the_same_addendum_sent_twice_is_added_once_when_it_names_the_version(at_alice: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    body = {"text": "Told.", "password": PASSWORD, "version": report["version"]}
    assert act(at_alice, report, "addendum", **body).status_code == 200
    assert act(at_alice, report, "addendum", **body).status_code == 409
    assert len(addenda_of(Report.objects.get())) == 1


def test_readers_get_the_signed_text_until_its_correction_is_signed(at_alice: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    for body in ({}, {"reason": "x"}, {"reason_code": "error"}, {"reason": "x", "reason_code": "other"}):
        assert act(at_alice, report, "correct", **body).status_code == 400
    report = done(at_alice, report, "correct", reason="Wrong side.", reason_code="error")
    assert (report["state"], report["signed_version"], report["version"]) == ("final", 3, 4)
    assert "save" in report["may"]
    report = saved(at_alice, report, OTHER)
    held = Report.objects.get()
    assert (held.state, held.signed_version, signed_text_of(held).content) == ("final", 3, SOUND)
    shown = at_alice.get(f"/api/reports/{report['id']}/").json()
    assert (shown["correction"]["reason"], shown["correction"]["reason_code"]) == ("Wrong side.", "error")
    report = signed(at_alice, report)
    assert (report["state"], report["signature"]["meaning"]) == ("corrected", "correction")
    row = version(report["version"])
    assert (row.kind, row.reason, row.reason_code) == ("correct", "Wrong side.", "error")
    assert signed_text_of(Report.objects.get()).content == {**SOUND, **OTHER}
    assert at_alice.get(f"/api/reports/{report['id']}/").json()["correction"] is None
    again = done(at_alice, report, "correct", reason="Spelling.", reason_code="content")
    assert again["version"] == report["version"] + 1


def test_a_correction_that_changes_nothing_is_not_signed_but_given_up(at_alice: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    report = done(at_alice, report, "correct", reason="I thought so.", reason_code="content")
    refused = signing(at_alice, report)
    assert (refused.status_code, refused.json()["problems"][0]["rule"]) == (422, "unchanged")
    report = saved(at_alice, report, OTHER)
    report = done(at_alice, report, "correct", "delete")
    assert (report["state"], report["signed_version"]) == ("final", 3)
    shown = at_alice.get(f"/api/reports/{report['id']}/").json()
    assert (shown["content"], shown["correction"]) == (SOUND, None)
    assert saving(at_alice, report, OTHER).status_code == 409


def test_an_addendum_does_not_wait_for_a_correction(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    report = done(at_alice, report, "correct", reason="Wrong side.", reason_code="error")
    assert done(at_dora, report, "addendum", text="Told.", password=PASSWORD)["state"] == "appended"
    report = saved(at_alice, report, OTHER)
    report = signed(at_alice, report)
    assert report["state"] == "corrected"
    assert len(addenda_of(Report.objects.get())) == 1


def test_an_administrator_cancels_before_final_with_a_reason(
    at_alice: Client, at_boss: Client, item: ReadingItem
) -> None:
    report = saved(at_alice, opened(at_alice, item.study))
    assert act(at_boss, report, "cancel").status_code == 400
    assert act(at_alice, report, "cancel", reason="x").status_code == 403
    told = act(at_boss, report, "cancel", reason="Examination not done.").json()
    assert (told["state"], told["signature"]["meaning"]) == ("cancelled", "cancelled")
    assert not {"content", "context", "patient"} & set(told)
    item.refresh_from_db()
    assert item.status == "ready"
    assert saving(at_alice, report, OTHER).status_code == 409
    final = signed(at_alice, saved(at_alice, opened(at_alice, item.study)))
    assert act(at_boss, final, "cancel", reason="x").status_code == 409


def test_two_people_mark_a_report_as_entered_in_error(
    at_alice: Client, at_dora: Client, at_boss: Client, item: ReadingItem
) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, item.study)))
    report = done(at_alice, report, "entered-in-error", reason="Wrong patient.", password=PASSWORD)
    assert (report["state"], report["signed_version"]) == ("final", 3)
    alone = act(at_alice, report, "entered-in-error", reason="Again.", password=PASSWORD)
    assert (alone.status_code, alone.json()["code"]) == (403, "second_person")
    shown = at_dora.get(f"/api/reports/{report['id']}/").json()
    assert (shown["error_request"]["by"], shown["error_request"]["reason"]) == ("Alice Adler", "Wrong patient.")
    assert "entered_in_error" in shown["may"]
    assert "entered_in_error" not in at_alice.get(f"/api/reports/{report['id']}/").json()["may"]
    assert act(at_boss, report, "entered-in-error", password="wrong").status_code == 403
    told = act(at_boss, report, "entered-in-error", password=PASSWORD).json()
    assert (told["state"], told["signed_version"]) == ("entered_in_error", told["version"])
    row = version(told["version"])
    assert (row.kind, row.reason, row.author_username) == ("error", "Wrong patient.", "boss")
    item.refresh_from_db()
    assert item.status == "hold"
    assert opening(at_alice, item.study).status_code == 201


def test_whoever_asked_takes_it_back(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    assert act(at_alice, report, "entered-in-error", "delete").status_code == 409
    report = done(at_alice, report, "entered-in-error", reason="Wrong patient?", password=PASSWORD)
    assert act(at_dora, report, "entered-in-error", "delete").status_code == 403
    report = done(at_alice, report, "entered-in-error", "delete")
    assert at_dora.get(f"/api/reports/{report['id']}/").json()["error_request"] is None
    done(at_dora, report, "entered-in-error", reason="It was.", password=PASSWORD)


def test_every_step_is_in_the_record_and_in_the_news(at_rita: Client, at_alice: Client, study: Study) -> None:
    report = signed(at_rita, saved(at_rita, opened(at_rita, study)), "submit")
    report = done(at_alice, report, "return", comment="Say which side.")
    report = signed(at_rita, saved(at_rita, opened(at_rita, study), OTHER), "submit")
    report = signed(at_alice, report, door="cosign", discrepancy="none")
    done(at_alice, report, "addendum", text="Told.", password=PASSWORD)
    acts = AuditEvent.objects.filter(action__startswith="report.", outcome="success").order_by("sequence")
    assert [one.action for one in acts if one.action not in ("report.view", "report.write")] == [
        *("report.open", "report.submit", "report.return", "report.submit", "report.cosign", "report.addendum")
    ]
    cosigned = acts.get(action="report.cosign")
    assert cosigned.detail["mac"] == version(cosigned.detail["version"]).mac
    assert cosigned.detail["mac_before"] == version(cosigned.detail["version"] - 1).mac, "what was there before the act"
    news = [one.payload["state"] for one in Outbox.objects.filter(kind="report.changed").order_by("pk")]
    assert news[-1] == "appended"
    assert set(Outbox.objects.filter(kind="report.changed").last().payload) == {
        *("report", "study_instance_uid", "state", "version")
    }


def test_what_readers_get_is_queued_to_leave_and_nothing_else(at_rita: Client, at_alice: Client, study: Study) -> None:
    report = signed(at_rita, saved(at_rita, opened(at_rita, study)), "submit")
    report = done(at_alice, report, "return", comment="Say which side.")
    report = signed(at_rita, saved(at_rita, opened(at_rita, study), OTHER), "submit")
    report = signed(at_alice, report, door="cosign", discrepancy="none")
    report = done(at_alice, report, "correct", reason="Wrong side.", reason_code="error")
    report = signed(at_alice, saved(at_alice, report, {"impression": "Left."}))
    done(at_alice, report, "addendum", text="Told.", password=PASSWORD)
    sent = Delivery.objects.order_by("pk").values_list("report_version__kind", flat=True)
    assert list(sent) == ["submit", "submit", "cosign", "correct", "addendum"]


def test_a_report_that_is_signed_is_changed_by_nobody(at_alice: Client, rita: User, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    for meaning in ("preliminary", "final", "submit"):
        assert signing(at_alice, report, meaning).status_code == 409
    assert saving(at_alice, report, OTHER).status_code == 409
    for door in ("cosign", "return", "lock"):
        body = {"password": PASSWORD, "comment": "x", "action": "take", "reason": "x"}
        assert act(at_alice, report, door, **body).status_code == 409, door
    assert Report.objects.get().version == report["version"]
