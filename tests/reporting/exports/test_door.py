"""`/api/reports/{id}/export/{kind}`: who gets a signed report, in which form, and that it is written down."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pydicom
import pytest
from django.test import Client

from accounts.models import AuditEvent, Role, User
from reporting.exports import EXPORTS, identifiers
from reporting.messages import er7
from reporting.models import CriticalResult, Report, ReportingSite
from tests.reporting.conftest import PASSWORD, person, signed_in
from tests.reporting.talking import done, opened, saved, signed
from viewer.models import Grant, KeyImage, Study

Json = dict[str, Any]
TEXT = {"findings": "Left temporal haematoma, 12 mm.", "impression": "Left temporal haematoma, 12 mm."}


@pytest.fixture
def at_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def final(at_alice: Client, study: Study) -> Json:
    return signed(at_alice, saved(at_alice, opened(at_alice, study), TEXT))


def exported(client: Client, report: Json, kind: str, **query: str) -> Any:
    return client.get(f"/api/reports/{report['id']}/export/{kind}", query)


@pytest.mark.parametrize("kind", EXPORTS)
def test_a_signed_report_leaves_in_every_form_as_a_file_that_no_page_can_use(
    at_alice: Client, final: Json, kind: str
) -> None:
    answer = exported(at_alice, final, kind)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == EXPORTS[kind].media_type
    extension = EXPORTS[kind].extension
    assert answer["Content-Disposition"] == (
        f'attachment; filename="report-{final["id"]}-version-{final["version"]}.{extension}"'
    )
    assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "no-store")
    assert "sandbox" in answer["Content-Security-Policy"]
    if kind in ("html", "fhir", "hl7"):
        assert b"Left temporal haematoma" in answer.content
    event = AuditEvent.objects.get(action="report.export")
    assert (event.actor, event.outcome, event.detail["kind"]) == ("alice", "success", kind)
    assert event.object_uid == str(Report.objects.get().uid)
    assert "haematoma" not in json.dumps(event.detail)


def test_nothing_of_a_report_leaves_before_it_is_signed(at_alice: Client, study: Study) -> None:
    draft = saved(at_alice, opened(at_alice, study), TEXT)
    for kind in EXPORTS:
        answer = exported(at_alice, draft, kind)
        assert answer.status_code == 404
        assert answer.json() == {"detail": "Nobody has signed this report yet.", "code": "no_such_form"}


def test_a_form_that_there_is_not_is_named_as_such(at_alice: Client, final: Json) -> None:
    answer = exported(at_alice, final, "docx")
    assert answer.status_code == 400
    assert "html" in answer.json()["detail"]


def test_what_was_saved_after_a_signature_stays_inside(at_alice: Client, study: Study) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study), TEXT), "preliminary")
    opened(at_alice, study)
    saved(at_alice, report, {**TEXT, "impression": "Something quite new."})
    page = exported(at_alice, report, "html").content.decode()
    assert "Left temporal haematoma" in page
    assert "Something quite new" not in page
    assert "Preliminary report" in page


# --- who


def test_others_are_told_that_there_is_no_such_report(
    final: Json, bob: User, charlie: User, boss: User, client: Client
) -> None:
    for person_ in (bob, charlie, boss):
        for kind in EXPORTS:
            answer = exported(signed_in(person_), final, kind)
            assert answer.status_code == 404, (person_, kind)
            assert "haematoma" not in answer.content.decode()
    assert exported(client, final, "html").status_code == 401
    denied = AuditEvent.objects.filter(action="report.view", outcome="denied")
    assert {event.actor for event in denied} >= {"bob", "charlie"}


def test_those_who_read_there_get_it(final: Json, rita: User, tess: User) -> None:
    for person_ in (rita, tess):
        assert exported(signed_in(person_), final, "html").status_code == 200


def test_a_referrer_gets_what_was_granted_once_it_is_final(at_alice: Client, study: Study, bob: User) -> None:
    report = signed(at_alice, saved(at_alice, opened(at_alice, study), TEXT), "preliminary")
    at_bob = signed_in(bob)
    Grant.objects.create(study=study, user=bob, reason="order")
    assert exported(at_bob, report, "pdf").status_code == 404
    ReportingSite.objects.create(organization=study.organization, show_preliminary=True)
    assert b"Preliminary report" in exported(at_bob, report, "html").content
    ReportingSite.objects.update(show_preliminary=False)
    opened(at_alice, study)
    signed(at_alice, report)
    assert exported(at_bob, report, "pdf").content[:5] == b"%PDF-"
    Grant.objects.update(until=datetime.now(UTC) - timedelta(minutes=1))
    assert exported(at_bob, report, "pdf").status_code == 404


# --- what


def test_rows_become_the_report_as_it_was_signed(at_alice: Client, final: Json, study: Study) -> None:
    message = er7.parse(exported(at_alice, final, "hl7").content.decode())
    assert message.first("OBR").text(25) == "F"
    assert message.first("PID").text(3) == study.patient.patient_id
    d = pydicom.dcmread(io.BytesIO(exported(at_alice, final, "sr").content))
    assert d.StudyInstanceUID == study.study_instance_uid
    assert (d.CompletionFlag, d.VerificationFlag) == ("COMPLETE", "VERIFIED")
    assert d.VerifyingObserverSequence[0].VerifyingObserverName == "Adler^Alice"
    at = Report.objects.get().versions.get(number=final["version"]).at
    told = datetime.strptime(d.VerifyingObserverSequence[0].VerificationDateTime, "%Y%m%d%H%M%S%z")
    assert told == at.replace(microsecond=0)
    instances = {
        one.ReferencedSOPInstanceUID
        for series in d.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    assert len(instances) == study.number_of_instances == 2
    assert d.SOPInstanceUID == identifiers.report_object(str(Report.objects.get().uid), final["version"])


def test_an_addendum_and_a_correction_follow_what_they_follow(at_alice: Client, study: Study, final: Json) -> None:
    added = done(at_alice, final, "addendum", text="Compared with 2023: new.", password=PASSWORD)
    page = exported(at_alice, added, "html").content.decode()
    assert page.index("12 mm") < page.index("Compared with 2023: new.")
    assert "Final report with an addendum" in page
    d = pydicom.dcmread(io.BytesIO(exported(at_alice, added, "sr").content))
    uid = str(Report.objects.get().uid)
    named = d.PredecessorDocumentsSequence[0].ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert [one.ReferencedSOPInstanceUID for one in named] == [identifiers.report_object(uid, final["version"])]
    begun = done(at_alice, added, "correct", reason="The size was wrong.", reason_code="error")
    text = dict.fromkeys(TEXT, "Left temporal haematoma, 14 mm.")
    corrected = signed(at_alice, saved(at_alice, {**added, **begun}, text))
    page = exported(at_alice, corrected, "html").content.decode()
    assert "Corrected report" in page
    assert "The size was wrong." in page
    assert "14 mm" in page
    assert "12 mm" not in page
    assert er7.parse(exported(at_alice, corrected, "hl7").content.decode()).first("OBR").text(25) == "C"


def test_one_entered_in_error_says_so_to_whoever_had_it(
    at_alice: Client, final: Json, study: Study, bob: User, boss: User
) -> None:
    Grant.objects.create(study=study, user=bob, reason="order")
    done(at_alice, final, "entered-in-error", reason="Another patient.", password=PASSWORD)
    withdrawn = done(signed_in(boss), final, "entered-in-error", reason="Another patient.", password=PASSWORD)
    page = exported(signed_in(bob), withdrawn, "html").content.decode()
    assert "Entered in error. Do not use this report." in page
    note = pydicom.dcmread(io.BytesIO(exported(at_alice, withdrawn, "sr").content))
    assert note.Modality == "KO"
    answer = exported(at_alice, withdrawn, "dicom-pdf")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_form")


def test_a_resident_stands_as_author_beside_the_attending(at_alice: Client, study: Study, rita: User) -> None:
    at_rita = signed_in(rita)
    pending = signed(at_rita, saved(at_rita, opened(at_rita, study), TEXT), "submit")
    opened(at_alice, study)
    final = signed(at_alice, pending, door="cosign")
    d = pydicom.dcmread(io.BytesIO(exported(at_alice, final, "sr").content))
    assert [one.PersonName for one in d.AuthorObserverSequence] == ["Rossi^Rita"]
    assert [one.VerifyingObserverName for one in d.VerifyingObserverSequence] == ["Adler^Alice"]
    page = exported(at_alice, final, "html").content.decode()
    assert "Rita Rossi, Resident (author)" in page
    assert "Alice Adler, Radiologist (co-signer)" in page


def test_what_an_attending_writes_to_a_resident_is_for_nobody_else(
    at_alice: Client, study: Study, rita: User, bob: User
) -> None:
    at_rita = signed_in(rita)
    pending = signed(at_rita, saved(at_rita, opened(at_rita, study), TEXT), "submit")
    opened(at_alice, study)
    body = json.dumps({"comment": "You missed the obvious."})
    answer = at_alice.post(f"/api/reports/{pending['id']}/return/", body, content_type="application/json")
    assert answer.status_code == 200, answer.content
    Grant.objects.create(study=study, user=bob, reason="order")
    ReportingSite.objects.create(organization=study.organization, show_preliminary=True)
    for kind in ("html", "hl7", "fhir"):
        given = exported(signed_in(bob), pending, kind)
        assert given.status_code == 200, given.content
        assert b"missed the obvious" not in given.content


def test_an_open_critical_result_stands_above_it_until_it_is_closed(at_alice: Client, final: Json, alice: User) -> None:
    now = datetime.now(UTC)
    report = Report.objects.get()
    CriticalResult.objects.create(
        report=report, finding="Acute haematoma", category="minutes", found_at=now, caller=alice, due_at=now
    )
    assert b"nobody has confirmed yet" in exported(at_alice, final, "html").content
    CriticalResult.objects.update(closed_at=now, read_back=True, acknowledged_at=now)
    assert b"nobody has confirmed yet" not in exported(at_alice, final, "html").content


def test_a_linked_picture_is_in_it_as_it_was_frozen(at_alice: Client, study: Study) -> None:
    series = study.series.get()
    answer = at_alice.post(
        f"/api/studies/{study.study_instance_uid}/key-images/",
        {"series": series.series_instance_uid, "view": {"size": [128, 128]}},
        content_type="application/json",
    )
    assert answer.status_code == 201, answer.content
    kept = KeyImage.objects.get()
    text = f"Left temporal haematoma, see [[key_image:{kept.uid}|image 1]]."
    report = saved(at_alice, opened(at_alice, study), {"findings": text, "impression": "Left temporal haematoma."})
    preview = at_alice.get(f"/api/reports/{report['id']}/preview/").json()["html"]
    assert "/frame?" in preview
    assert "see image 1. <a href" in preview
    final = signed(at_alice, report)
    page = exported(at_alice, final, "html", check="1").content.decode()
    assert "see image 1. <a href" in page
    assert "data:image/png;base64," in page
    assert f"SHA-256 {kept.sha256[:16]}" in page
    assert "would look different" not in page
    preview = at_alice.get(f"/api/reports/{report['id']}/preview/").json()["html"]
    assert f"/api/reports/{report['id']}/evidence/1/picture" in preview
    d = pydicom.dcmread(io.BytesIO(exported(at_alice, final, "sr").content))
    assert kept.sop_instance_uid in str(d)
    assert exported(at_alice, final, "pdf").content[:5] == b"%PDF-"


def test_a_template_with_numbers_choices_and_hidden_fields_reads_as_a_person_would(
    at_alice: Client, study: Study, template: Any
) -> None:
    report = opened(at_alice, study, template="test-head")
    text = {"findings": "Left temporal haematoma, 12 mm.", "size": 12, "impression": "Left temporal haematoma, 12 mm."}
    final = signed(at_alice, saved(at_alice, report, text))
    page = exported(at_alice, final, "html").content.decode()
    assert "<b>Size:</b> 12 mm" in page
    assert "CT head" in page


def test_the_preview_is_for_those_who_write(at_alice: Client, study: Study, bob: User, tess: User) -> None:
    draft = saved(at_alice, opened(at_alice, study), TEXT)
    told = at_alice.get(f"/api/reports/{draft['id']}/preview/").json()["html"]
    assert "Left temporal haematoma" in told
    assert "Draft" in told
    Grant.objects.create(study=study, user=bob, reason="order")
    for person_ in (bob, tess):
        assert signed_in(person_).get(f"/api/reports/{draft['id']}/preview/").status_code == 404


def test_a_radiologist_of_two_organizations_gets_the_reports_of_both(final: Json, charlie: User, study: Study) -> None:
    assert exported(signed_in(charlie), final, "html").status_code == 404
    both = person("erik", study.organization, Role.RADIOLOGIST)
    assert exported(signed_in(both), final, "html").status_code == 200
