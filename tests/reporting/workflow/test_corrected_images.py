"""Images that are corrected after a report was written: the draft is stopped, what is signed is held and says so, and undoing
brings it back."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from accounts.models import Organization, User
from reporting.models import ItemEvent, ReadingItem, ReportVersion
from reporting.worklist import acts
from tests.reporting.conftest import PASSWORD, signed_in
from tests.reporting.talking import act, done, opened, rules, saved, saving, signed, signing
from viewer.archive.correcting import Who, study_to_patient, update_patient
from viewer.archive.correcting_series import split
from viewer.archive.correcting_undo import undo
from viewer.marks.rejecting import reject
from viewer.models import Grant, Instance, Patient, Study

pytestmark = pytest.mark.django_db(transaction=True)
Json = dict[str, Any]
BANNER = "The images of this report were corrected after it was signed."
WITHDRAWN = "An image of this picture was withdrawn after the report was signed."


@pytest.fixture
def karl(site: Organization) -> Patient:
    made: Patient = Patient.objects.create(
        organization=site, patient_id="PID-2", name="Klein^Karl", name_folded="klein karl", sex="M"
    )
    return made


@pytest.fixture
def who(tess: User) -> Who:
    return Who(tess, "The wrong line of the worklist was chosen.")


@pytest.fixture
def unordered(item: ReadingItem) -> ReadingItem:
    """Its order was made for the images."""
    item.order.source = "study"
    item.order.save()
    return item


def now(item: ReadingItem) -> tuple[str, str]:
    found = ReadingItem.objects.get(pk=item.pk)
    return found.status, found.held_reason


def told(client: Client, report: Json) -> Json:
    found: Json = client.get(f"/api/reports/{report['id']}/").json()
    return found


def fresh(study: Study) -> Study:
    return Study.objects.select_related("patient", "organization").get(pk=study.pk)


def test_a_draft_on_images_without_an_order_is_stopped_until_a_person_says_whose_it_is(
    at_alice: Client, study: Study, unordered: ReadingItem, karl: Patient, who: Who
) -> None:
    report = saved(at_alice, opened(at_alice, study))
    correction = study_to_patient(study, karl, who)
    now_told = told(at_alice, report)
    assert (now_told["reassigned"], now_told["context"]["patient_id"]) == (correction.pk, "PID-2")
    assert [one["kind"] for one in now_told["corrected_since"]] == ["study_of_another_patient"]
    context = {name: now_told["context"][name] for name in ("study", "patient_id", "accession_number")}
    for said in (context, None, {**context, "corrected": correction.pk - 1}):
        answer = saving(at_alice, report, {"impression": "More."}, context=said)
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong_patient")
    assert "wrong_patient" in rules(at_alice, report)
    assert signing(at_alice, report, context=context).status_code == 409
    more = saved(at_alice, report, {}, context={**context, "corrected": correction.pk})
    assert more["version"] > report["version"], "that somebody said so is a version of its own"
    assert ReportVersion.objects.get(number=more["version"]).context["patient_id"] == "PID-2"
    assert told(at_alice, report)["reassigned"] is None
    assert "wrong_patient" not in rules(at_alice, report)
    signed(at_alice, more, context=context)


def test_a_draft_goes_on_once_the_correction_is_undone(
    at_alice: Client, study: Study, unordered: ReadingItem, karl: Patient, who: Who
) -> None:
    report = saved(at_alice, opened(at_alice, study))
    undo(study_to_patient(study, karl, who), who)
    assert (told(at_alice, report)["reassigned"], told(at_alice, report)["corrected_since"]) == (None, [])
    signed(at_alice, report)


def test_a_new_name_of_the_same_patient_stops_nothing(
    at_alice: Client, study: Study, unordered: ReadingItem, who: Who
) -> None:
    report = saved(at_alice, opened(at_alice, study))
    update_patient(study.patient, {"PatientName": "Muster-Klein^Erika"}, who)
    assert told(at_alice, report)["reassigned"] is None
    signed(at_alice, report)


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize(("meaning", "status"), [("final", "final"), ("preliminary", "preliminary")])
def test_a_signed_report_whose_images_are_another_patients_is_held_until_that_is_undone(
    at_alice: Client, study: Study, item: ReadingItem, karl: Patient, who: Who, meaning: str, status: str, ordered: bool
) -> None:
    if not ordered:
        type(item.order).objects.update(source="study")
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)), meaning)
    before = [(one.number, one.mac) for one in ReportVersion.objects.order_by("number")]
    correction = study_to_patient(study, karl, who)
    assert now(item) == ("hold", "wrong_patient")
    assert "wrong line of the worklist" in ReadingItem.objects.get(pk=item.pk).note
    assert [one["kind"] for one in told(at_alice, report)["corrected_since"]] == ["study_of_another_patient"]
    shown = at_alice.get(f"/api/reports/{report['id']}/export/html").content.decode()
    assert BANNER in shown
    assert BANNER in at_alice.get(f"/api/reports/{report['id']}/preview/").json()["html"]
    assert "PID-2" not in shown, "the sheet still names the patient for whom it was signed, and no other"
    assert [(one.number, one.mac) for one in ReportVersion.objects.order_by("number")] == before
    undo(correction, who)
    assert now(item) == (status, "")
    assert BANNER not in at_alice.get(f"/api/reports/{report['id']}/export/html").content.decode()


def test_the_referrer_does_not_see_what_is_another_patients(
    at_alice: Client, bob: User, study: Study, item: ReadingItem, karl: Patient, who: Who
) -> None:
    item.order.referrer = bob
    item.order.save()
    Grant.objects.create(study=study, user=bob, reason="order")
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    address = f"/api/reports/{report['id']}/export/html"
    assert signed_in(bob).get(address).status_code == 200
    correction = study_to_patient(study, karl, who)
    assert signed_in(bob).get(address).status_code == 404
    undo(correction, who)
    assert signed_in(bob).get(address).status_code == 200


def test_rejected_images_of_a_signed_report_hold_it_and_mark_the_pictures(
    at_alice: Client, study: Study, item: ReadingItem, tess: User, who: Who
) -> None:
    image = Instance.objects.order_by("pk").first()
    assert image is not None
    body = {
        "series": image.series.series_instance_uid,
        "view": {"size": [64, 64], "sop_instance_uid": image.sop_instance_uid},
    }
    key = at_alice.post(f"/api/studies/{study.study_instance_uid}/key-images/", body, "application/json").json()["uid"]
    text = f"Nothing abnormal, see [[key_image:{key}|image]]."
    report = signed(at_alice, saved(at_alice, opened(at_alice, study), {"findings": text, "impression": "Normal."}))
    evidence = f"/api/reports/{report['id']}/evidence/"
    (held,) = at_alice.get(evidence).json()["evidence"]
    assert held["withdrawn"] is False
    pixels = hashlib.sha256(at_alice.get(held["picture"]).content).hexdigest()
    act_of = reject(fresh(study), [image.sop_instance_uid], "113037", "Another patient lay in the scanner.", tess)
    assert now(item) == ("hold", "other")
    (held,) = at_alice.get(evidence).json()["evidence"]
    assert held["withdrawn"] is True
    shown = at_alice.get(f"/api/reports/{report['id']}/export/html").content.decode()
    assert BANNER in shown
    assert WITHDRAWN in shown
    assert hashlib.sha256(at_alice.get(held["picture"]).content).hexdigest() == pixels, "what was signed stays"
    undo(act_of, who)
    assert now(item) == ("final", "")
    assert at_alice.get(evidence).json()["evidence"][0]["withdrawn"] is False


def test_the_objects_of_a_report_that_are_rejected_are_no_images_that_were_read(
    at_alice: Client, study: Study, item: ReadingItem, tess: User
) -> None:
    body = {"series": study.series.get().series_instance_uid, "view": {"size": [64, 64], "frame": 0}}
    at_alice.post(f"/api/studies/{study.study_instance_uid}/key-images/", body, "application/json")
    filed = at_alice.post(f"/api/studies/{study.study_instance_uid}/key-images/object/", {}, "application/json")
    assert filed.status_code == 200, filed.content
    signed(at_alice, saved(at_alice, opened(at_alice, study)))
    ours = list(Instance.objects.filter(number_of_frames=0).values_list("sop_instance_uid", flat=True))
    assert len(ours) == 2
    reject(fresh(study), ours, "113001", "Written by mistake.", tess)
    assert now(item) == ("final", "")


def test_images_that_are_moved_away_from_a_signed_report_hold_it(
    at_alice: Client, study: Study, item: ReadingItem, who: Who, site: Organization, tmp_path: Any
) -> None:
    from tests.viewer.archive.objects import ct_slice, save
    from viewer.archive.ingest import ingest_file

    stated = {"PatientID": study.patient.patient_id, "PatientName": "Doe^Jane", "SeriesNumber": 9}
    stated["AccessionNumber"] = item.order.accession_number
    uid = "1.2.9.9"
    for number in (1, 2):
        image = ct_slice(f"{uid}.{number}", study.study_instance_uid, uid, **stated)
        assert ingest_file(save(image, tmp_path / f"{number}.dcm"), site, "test", "").outcome == "stored"
    report = signed(at_alice, saved(at_alice, opened(at_alice, fresh(study))))
    correction = split(fresh(study), [uid], who)
    assert now(item) == ("hold", "other")
    assert [one["kind"] for one in told(at_alice, report)["corrected_since"]] == ["series_moved"]
    undo(correction, who)
    assert now(item) == ("final", "")


def test_a_person_who_looked_at_it_gives_a_held_report_back_as_signed(
    at_alice: Client, study: Study, item: ReadingItem, karl: Patient, tess: User, who: Who
) -> None:
    type(item.order).objects.update(source="study")
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    study_to_patient(study, karl, who)
    acts.ready(item.pk, tess, "Read for Karl, only the label was wrong.")
    assert now(item) == ("final", ""), "nobody reads it anew"
    assert told(at_alice, report)["corrected_since"], "whoever opens it is told all the same"
    assert ItemEvent.objects.filter(item=item, kind="ready").exists()


def test_a_held_report_is_corrected_or_withdrawn(
    at_alice: Client, at_dora: Client, study: Study, unordered: ReadingItem, karl: Patient, who: Who
) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study)))
    correction = study_to_patient(study, karl, who)
    asked = {"reason": "Another patient's.", "reason_code": "error", "token": "w"}
    refused = act(at_alice, report, "correct", **asked)
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_patient")
    context = {"patient_id": "PID-2", "corrected": correction.pk}
    begun = {**report, **done(at_alice, report, "correct", context=context, **asked)}
    more = saved(at_alice, begun, {"impression": "No haemorrhage, read for Karl Klein."}, context=context, token="w")
    signed(at_alice, more, context={"patient_id": "PID-2"}, token="w")
    assert now(unordered) == ("final", "")
    assert told(at_alice, report)["corrected_since"] == []
    for client in (at_alice, at_dora):
        done(client, report, "entered-in-error", reason="It was another patient.", password=PASSWORD)
    assert now(unordered)[0] == "hold"
