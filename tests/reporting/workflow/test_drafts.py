"""Opening a report and writing it: nothing is written over, and nothing is lost."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test import Client

from accounts.models import AuditEvent, Organization, User
from reporting.models import Order, ReadingItem, Report, ReportVersion, Template, TemplateVersion
from tests.reporting.conftest import signed_in, text_field
from tests.reporting.talking import SOUND, act, done, opened, opening, saved, saving, send, signed
from viewer.models import Outbox, Patient, Study

# --- opening


def test_a_study_has_one_open_report_however_often_it_is_opened(at_alice: Client, study: Study) -> None:
    first, again = opening(at_alice, study), opening(at_alice, study)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert Report.objects.count() == ReportVersion.objects.count() == 1


def test_a_finished_report_is_the_answer_and_a_further_one_is_asked_for_on_purpose(
    at_alice: Client, study: Study
) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    again = opening(at_alice, study)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, report["id"], "final")
    assert again.json()["lock"] == {"mine": False, "by": None, "until": None}
    another = opening(at_alice, study, new=True)
    assert another.status_code == 201
    assert another.json()["id"] != report["id"]
    assert opening(at_alice, study, new=True).json()["id"] == another.json()["id"]
    assert opening(at_alice, study).json()["id"] == another.json()["id"]


def test_after_a_cancelled_report_a_new_one_begins(at_alice: Client, at_boss: Client, study: Study) -> None:
    report = opened(at_alice, study)
    done(at_boss, report, "cancel", reason="Opened on the wrong study.")
    assert opening(at_alice, study).status_code == 201


def test_ten_who_open_at_once_make_one_report(transactional_db: None, alice: User, study: Study) -> None:
    Template.objects.filter(identifier="free-text").exists() or pytest.fail("free text is not seeded")
    told, gate = [], threading.Barrier(6)

    def at_once() -> None:
        try:
            client = signed_in(alice)
            gate.wait(20)
            told.append(opening(client, study, token=f"w{threading.get_ident()}"))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=at_once) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in told) == [201, 423, 423, 423, 423, 423]
    assert Report.objects.count() == 1


def test_the_template_asked_for_by_name_or_number_is_taken(
    at_alice: Client, study: Study, template: TemplateVersion
) -> None:
    report = opened(at_alice, study, template="test-head")
    assert report["template"]["identifier"] == "test-head"
    assert report["template"]["why"] == "You asked for it."
    assert [section["id"] for section in report["sections"]] == ["findings", "impression"]
    Report.objects.update(state="cancelled")
    assert opened(at_alice, study, template=template.template_id)["template"]["identifier"] == "test-head"
    for wrong in ("nowhere", 10**9, "", [], True, {"id": 1}, "a\0b", "x" * 201):
        Report.objects.update(state="cancelled")
        assert opening(at_alice, study, template=wrong).status_code == 400, wrong


def test_a_template_of_another_organization_does_not_exist_here(
    at_alice: Client, study: Study, template: TemplateVersion
) -> None:
    Template.objects.filter(pk=template.template_id).update(
        organization=Organization.objects.create(name="far"), identifier="theirs"
    )
    assert opening(at_alice, study, template="theirs").status_code == 400
    assert opening(at_alice, study, template=template.template_id).status_code == 400


def test_a_report_says_what_it_is_about(at_alice: Client, item: ReadingItem) -> None:
    study = item.study
    report = opened(at_alice, study)
    assert report["context"]["study"] == study.study_instance_uid
    assert report["context"]["patient_id"] == study.patient.patient_id
    assert report["context"]["procedure"] == "CT head"
    assert report["order"]["reason"] == "Fall, headache. Bleeding?"
    assert report["item"] == item.pk
    assert report["may"] == ["save", "sign_preliminary", "sign_final"]
    assert report["disagreements"] == []


@pytest.mark.parametrize("body", [{}, {"study": 5}, {"study": ""}, {"study": "1.2\0"}, {"study": "1" * 65}, [], "x"])
def test_what_is_no_opening_is_told(at_alice: Client, body: object) -> None:
    assert send(at_alice, "post", "/api/reports/", body).status_code == 400


def test_the_record_says_who_opened_wrote_and_looked(at_alice: Client, at_dora: Client, study: Study) -> None:
    report = opened(at_alice, study)
    report = saved(at_alice, report)
    saved(at_alice, report, {"impression": "More."})
    at_dora.get(f"/api/reports/{report['id']}/")
    at_dora.get(f"/api/reports/{report['id']}/")
    told = list(
        AuditEvent.objects.filter(action__startswith="report.").order_by("sequence").values_list("action", "actor")
    )
    assert told == [("report.open", "alice"), ("report.write", "alice"), ("report.view", "dora")]
    event = AuditEvent.objects.get(action="report.write")
    assert (event.object_uid, event.patient_id) == (report["uid"], study.patient.patient_id)


# --- saving


def test_every_save_is_a_version_and_one_that_changes_nothing_is_none(at_alice: Client, study: Study) -> None:
    report = opened(at_alice, study)
    report = saved(at_alice, report)
    assert (report["version"], report["saved"]) == (2, True)
    same = saved(at_alice, report)
    assert (same["version"], same["saved"]) == (2, False)
    report = saved(at_alice, same, {"impression": "No bleeding."})
    assert (report["version"], report["saved"]) == (3, True)
    held = list(ReportVersion.objects.order_by("number").values_list("number", "based_on", "kind"))
    assert held == [(1, 0, "save"), (2, 1, "save"), (3, 2, "save")]
    assert ReportVersion.objects.get(number=3).content == {**SOUND, "impression": "No bleeding."}
    assert Outbox.objects.filter(kind="report.changed").count() == 3


def test_a_version_cannot_be_changed_by_sql_either(at_alice: Client, study: Study) -> None:
    opened(at_alice, study)
    for statement in ("UPDATE reporting_reportversion SET content = '{}'", "DELETE FROM reporting_reportversion"):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_stale_save_is_refused_with_the_difference_of_three(at_alice: Client, study: Study) -> None:
    report = saved(at_alice, opened(at_alice, study), {"findings": "F", "impression": "I"})
    newer = saved(at_alice, report, {"findings": "F theirs"})
    answer = saving(at_alice, report, {"findings": "F mine", "impression": "I mine"})
    assert answer.status_code == 409
    told = answer.json()
    assert (told["code"], told["version"]) == ("stale", newer["version"])
    assert told["content"] == {"findings": "F theirs", "impression": "I"}
    assert told["difference"] == [
        {"field": "findings", "yours": "F mine", "theirs": "F theirs", "base": "F", "both": True},
        {"field": "impression", "yours": "I mine", "theirs": "I", "base": "I", "both": False},
    ]
    assert Report.objects.get().version == newer["version"]
    assert saving(at_alice, {**report, "version": 99}, {"findings": "x"}).status_code == 409


def test_a_save_after_a_signature_is_stale_however_little_it_says(at_alice: Client, study: Study) -> None:
    report = saved(at_alice, opened(at_alice, study))
    signed(at_alice, report, "preliminary")
    assert saving(at_alice, report, {"impression": "x"}).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"content": {"findings": "x"}},
        {"based_on": "1", "content": {}},
        {"based_on": True, "content": {}},
        {"based_on": -1, "content": {}},
        {"based_on": 1, "content": []},
        {"based_on": 1, "content": {"nowhere": "x"}},
        {"based_on": 1, "content": {"findings": "nul\0"}},
        {"based_on": 1, "content": {"findings": "\ud800"}},
        {"based_on": 1, "content": {"findings": 5}},
        {"based_on": 1, "content": {}, "fills": {"findings": "guessed"}},
        {"based_on": 1, "content": {}, "context": "none"},
        {"based_on": 1, "content": {}, "token": 5},
        {"based_on": 1, "content": {}, "template": "nowhere"},
    ],
)
def test_what_cannot_be_kept_is_refused_whole(at_alice: Client, study: Study, body: dict) -> None:
    report = opened(at_alice, study)
    answer = send(at_alice, "put", f"/api/reports/{report['id']}/", body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["detail"]
    assert Report.objects.get().version == 1


def test_how_fields_were_filled_is_kept_beside_them(at_alice: Client, study: Study) -> None:
    report = opened(at_alice, study)
    report = saved(at_alice, report, {"findings": "a", "impression": "b"}, fills={"findings": "dictated"})
    assert at_alice.get(f"/api/reports/{report['id']}/").json()["fills"] == {
        "findings": "dictated",
        "impression": "touched",
    }


def test_a_field_is_emptied_with_null_and_what_is_left_out_stays(at_alice: Client, study: Study) -> None:
    report = saved(at_alice, opened(at_alice, study))
    report = saved(at_alice, report, {"findings": None})
    assert at_alice.get(f"/api/reports/{report['id']}/").json()["content"] == {"impression": SOUND["impression"]}


# --- the same patient


def test_a_save_for_another_patient_order_or_study_is_refused(at_alice: Client, item: ReadingItem) -> None:
    report = opened(at_alice, item.study)
    ours = {name: report["context"][name] for name in ("study", "patient_id", "accession_number")}
    report = saved(at_alice, report, context=ours)
    for name in ours:
        answer = saving(at_alice, report, {"findings": "x"}, context={**ours, name: "other"})
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_patient")
        assert answer.json()["problems"][0]["rule"] == "wrong_patient"
    assert Report.objects.get().version == report["version"]


@pytest.mark.parametrize("what", ["patient", "accession", "study"])
def test_an_order_that_disagrees_with_the_images_stops_the_report(
    at_alice: Client, item: ReadingItem, what: str
) -> None:
    report = opened(at_alice, item.study)
    stranger = Patient.objects.create(organization=item.organization, patient_id="somebody else")
    changes = {
        "patient": {"patient": stranger},
        "accession": {"accession_number": "other"},
        "study": {"study_instance_uid": "1.2.3"},
    }
    Study.objects.update(accession_number="A-77")
    Order.objects.update(accession_number="A-77")
    Order.objects.update(**changes[what])
    assert at_alice.get(f"/api/reports/{report['id']}/").json()["disagreements"]
    answer = saving(at_alice, report, SOUND)
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_patient")
    told = at_alice.get(f"/api/reports/{report['id']}/checks/").json()["problems"]
    assert ("wrong_patient", "block") in {(one["rule"], one["level"]) for one in told}
    assert act(at_alice, report, "sign", meaning="final", password="x").status_code == 409


# --- another template


def with_template(identifier: str, *names: str) -> TemplateVersion:
    made = Template.objects.create(identifier=identifier, title=identifier)
    sections = [
        {"id": name, "title": name, "level": 1, "required": False, "code": None, "fields": [text_field(name)]}
        for name in names
    ]
    version = TemplateVersion.objects.create(
        template=made,
        number=1,
        title=identifier,
        html="",
        sha256="",
        schema={"title": identifier, "language": "en", "sections": sections},
        created_at="2024-01-01T00:00:00Z",
    )
    Template.objects.filter(pk=made.pk).update(active_version=version)
    return version


def test_in_another_template_what_fits_stays_and_what_does_not_is_listed(
    at_alice: Client, study: Study, template: TemplateVersion
) -> None:
    report = saved(at_alice, opened(at_alice, study, template="test-head"), {**SOUND, "size": 12})
    moved = saved(at_alice, report, {}, template="free-text")
    assert moved["template"]["identifier"] == "free-text"
    assert moved["content"] == SOUND
    assert moved["left_over"] == [{"field": "size", "label": "Size", "value": 12, "words": "Size: 12"}]
    assert at_alice.get(f"/api/reports/{report['id']}/").json()["left_over"] == moved["left_over"]


def test_what_was_left_over_comes_back_with_its_template(
    at_alice: Client, study: Study, template: TemplateVersion
) -> None:
    with_template("chest", "lungs", "impression")
    report = saved(at_alice, opened(at_alice, study, template="test-head"), {**SOUND, "size": 12})
    report = saved(at_alice, report, {}, template="chest")
    assert report["content"] == {"impression": SOUND["impression"]}
    assert {one["field"] for one in report["left_over"]} == {"findings", "size"}
    report = saved(at_alice, report, {"lungs": "Clear."})
    report = saved(at_alice, report, {}, template="free-text")
    assert report["content"] == {**SOUND}
    assert {one["field"] for one in report["left_over"]} == {"size", "lungs"}
    report = saved(at_alice, report, {"impression": "Newer."}, template="test-head")
    assert report["content"] == {"findings": SOUND["findings"], "size": 12, "impression": "Newer."}
    assert {one["field"] for one in report["left_over"]} == {"lungs"}


def test_a_stale_change_of_template_is_refused_like_any_other(
    at_alice: Client, study: Study, template: TemplateVersion
) -> None:
    report = opened(at_alice, study)
    saved(at_alice, report)
    assert saving(at_alice, report, {}, template="test-head").status_code == 409
    assert Report.objects.get().template_version.template.identifier == "free-text"
