"""What a signed version says is the same bytes whenever it is made, also once its own objects lie beside the images."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pydicom
import pytest

from accounts.models import Organization, User
from reporting.delivery.sending import Sender
from reporting.exports import EXPORTS, sheet
from reporting.models import Delivery, Order, Report, ReportingSite
from reporting.workflow import acting
from reporting.workflow.reading import signed_report
from reporting.workflow.verifying import problems
from tests.reporting.conftest import PASSWORD, signed_in
from tests.reporting.delivery.conftest import FINDINGS
from tests.reporting.evidence.test_freezing import key_image as key_image
from viewer.archive.storage import blob_store
from viewer.models import Instance, Series, Study

pytestmark = pytest.mark.django_db(transaction=True)


def settle() -> None:
    asyncio.run(Sender().settle())


def forms(report: Report, version: int | None = None) -> dict[str, bytes]:
    said = signed_report(Report.objects.get(pk=report.pk), version)
    return {kind: export.make(said) for kind, export in EXPORTS.items()}


@pytest.fixture
def coloured(study: Study, alice: User) -> str:
    """A key image that no presentation state can say: it is delivered as a captured picture, with a frame of its own."""
    series = study.series.get().series_instance_uid
    body = {"series": series, "view": {"frame": 0, "color_map": "hot_iron", "size": [60, 50]}}
    made = signed_in(alice).post(f"/api/studies/{study.study_instance_uid}/key-images/", body, "application/json")
    assert made.status_code == 201, made.content
    return str(made.json()["uid"])


def test_every_form_of_a_version_is_the_same_before_and_after_its_objects_are_filed(
    sign, add, study: Study, key_image: dict[str, Any], coloured: str
) -> None:
    links = f"[[key_image:{key_image['uid']}|image 1]] [[key_image:{coloured}|in colours]]"
    report = sign(findings=f"{FINDINGS} {links}")
    before, signed = forms(report), report.signed_version
    settle()
    beside = set(Series.objects.filter(study=study).values_list("modality", flat=True))
    assert beside == {"CT", "SR", "DOC", "PR", "OT", "KO"}
    after = forms(report)
    assert [kind for kind in EXPORTS if before[kind] != after[kind]] == []
    add(report, "An old infarct.")
    appended = forms(report)
    settle()
    assert [kind for kind, made in forms(report).items() if made != appended[kind]] == []
    assert [kind for kind, made in forms(report, signed).items() if made != before[kind]] == []


def test_a_report_is_of_the_images_that_were_read_and_not_of_what_was_made_of_them(
    sign, study: Study, coloured: str
) -> None:
    sign(findings=f"{FINDINGS} [[key_image:{coloured}|in colours]]")
    settle()
    study.refresh_from_db()
    assert study.modalities == "CT\\DOC\\KO\\OT\\SR"
    said = signed_report(Report.objects.get())
    assert said.study.modalities == ("CT",)
    assert any(line.text.endswith(" · CT") for line in sheet.sheet_of(said).facts)
    assert list(said.study_series) == [Series.objects.get(study=study, modality="CT").series_instance_uid]
    document = pydicom.dcmread(io.BytesIO(EXPORTS["sr"].make(said)))
    assert document.ConceptNameCodeSequence[0].CodeMeaning == "CT Report"
    bundle = json.loads(EXPORTS["fhir"].make(said))
    (imaging,) = [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == "ImagingStudy"]
    assert [one["code"] for one in imaging["modality"]] == ["CT"]


def test_images_of_another_kind_that_come_after_the_signature_do_not_change_it(sign, study: Study) -> None:
    report = sign()
    before = forms(report)
    Series.objects.filter(study=study).update(modality="MR")
    Study.objects.filter(pk=study.pk).update(modalities="CT\\MR")
    assert signed_report(Report.objects.get()).study.modalities == ("CT",)
    assert forms(report)["sr"] == before["sr"]


def test_images_that_come_or_go_after_the_signature_change_neither_its_forms_nor_its_hash(
    sign, study: Study, key_image: dict[str, Any]
) -> None:
    report = sign(findings=f"{FINDINGS} [[key_image:{key_image['uid']}|image 1]]")
    before = forms(report)
    images = list(Instance.objects.order_by("pk"))
    assert [len(held) for held in signed_report(report).study_series.values()] == [2]
    Instance.objects.filter(pk=images[0].pk).update(sop_instance_uid="1.2.3.4.5")  # one gone, one come with an old date
    Instance.objects.filter(pk=images[1].pk).update(rejection="113001")
    assert [kind for kind, made in forms(report).items() if made != before[kind]] == []
    assert list(problems()) == []


def renamed(study: Study) -> None:
    """The organization, the examination and its order are called something else by now."""
    site = study.organization
    head = {"letterhead": "New head", "address": "New street 1", "footer": "New foot", "language": "de"}
    ReportingSite.objects.update_or_create(organization=site, defaults=head)
    Organization.objects.filter(pk=site.pk).update(title="New owners", time_zone="Asia/Tokyo")
    said = {"description": "New words", "date": "19990101", "time": "010203", "institution": "Elsewhere"}
    Study.objects.filter(pk=study.pk).update(**said, referring_physician="New^Doctor", study_id="77")
    Order.objects.filter(item__study=study).update(
        procedure_text="New words", reason="New reason", referring_physician="New^Doctor"
    )


def test_what_stands_over_and_under_a_signed_text_stays_as_it_was_signed(sign, add, study: Study) -> None:
    Order.objects.filter(item__study=study).update(source="hl7", procedure_text="CT of the head", reason="Fall")
    report = sign()
    before = forms(report)
    assert b"CT of the head" in before["html"]
    renamed(study)
    assert [kind for kind, made in forms(report).items() if made != before[kind]] == []
    assert list(problems()) == []
    add(report, "An old infarct.")
    assert b"New" not in forms(report)["html"]


def test_the_numbers_by_which_programs_find_an_order_are_those_of_today(sign, study: Study) -> None:
    Order.objects.filter(item__study=study).update(source="study")
    report = sign()
    assert signed_report(report).order is None
    said = {"placer_order_number": "P7", "procedure_text": "New words", "reason": "New reason"}
    Order.objects.filter(item__study=study).update(source="hl7", **said)
    order = signed_report(Report.objects.get()).order
    assert order is not None
    assert (order.placer_order_number, order.procedure_text, order.reason, order.requested_at) == ("P7", "", "", None)


def test_a_signature_that_states_neither_images_nor_heading_yet_still_holds(
    sign, study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reporting.workflow.signing.stated_at_signing", acting.stated)
    report = sign()
    assert not {"images", "heading"} & report.versions.get(number=report.signed_version).context.keys()
    renamed(study)
    assert signed_report(Report.objects.get()).site.title == "New owners"
    assert [len(held) for held in signed_report(report).study_series.values()] == [2]
    assert list(problems()) == []


def filed(*modalities: str) -> dict[str, bytes]:
    """SOP Instance UID -> the file in the archive."""
    rows = Instance.objects.filter(series__modality__in=modalities)
    return {row.sop_instance_uid: blob_store().path(row.blob_id).read_bytes() for row in rows}


def through_the_door(user: User, report: Report, kind: str) -> bytes:
    answer = signed_in(user).get(f"/api/reports/{report.pk}/export/{kind}")
    assert answer.status_code == 200, answer.content
    return bytes(answer.content)


def uid_in(data: bytes) -> str:
    return str(pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).SOPInstanceUID)


def test_a_document_from_the_door_is_byte_for_byte_the_one_in_the_archive(sign, alice: User, study: Study) -> None:
    report = sign()
    settle()
    ReportingSite.objects.update_or_create(organization=study.organization, defaults={"letterhead": "A new letterhead"})
    for kind, modality in {"sr": "SR", "dicom-pdf": "DOC"}.items():
        ((uid, held),) = filed(modality).items()
        given = through_the_door(alice, report, kind)
        assert (uid_in(given), given == held) == (uid, True), kind


def test_what_is_told_of_a_critical_result_after_the_signature_is_another_object(sign, alice: User) -> None:
    report = sign()
    settle()
    (held,) = filed("SR")
    body = {"finding": "Bleeding", "category": "minutes", "recipient": "Dr. Brandt", "method": "phone"}
    critical = f"/api/reports/{report.pk}/critical/"
    result = signed_in(alice).post(critical, {**body, "read_back": False}, "application/json").json()
    unheard = through_the_door(alice, report, "sr")
    tried = {"recipient": "Dr. Brandt", "method": "phone", "outcome": "reached", "read_back": True}
    assert signed_in(alice).post(f"{critical}{result['id']}/attempts/", tried, "application/json").status_code == 201
    heard = through_the_door(alice, report, "sr")
    assert len({held, uid_in(unheard), uid_in(heard)}) == 3
    assert (b"not read back" in unheard, b"not read back" in heard) == (True, False)


def test_the_note_that_takes_a_report_back_is_one_note_whoever_asks_for_it(
    sign, study: Study, key_image: dict[str, Any], coloured: str, alice: User, boss: User
) -> None:
    report = sign(findings=f"{FINDINGS} [[key_image:{key_image['uid']}|1]] [[key_image:{coloured}|in colours]]")
    settle()
    for user in (alice, boss):
        body = {"password": PASSWORD, "reason": "Another patient's images."}
        answer = signed_in(user).post(f"/api/reports/{report.pk}/entered-in-error/", body, "application/json")
        assert answer.status_code == 200, answer.content
    selection = set(filed("KO"))
    before = through_the_door(alice, report, "sr")
    settle()
    notes = {uid: data for uid, data in filed("KO").items() if uid not in selection}
    assert notes == {uid_in(before): before}
    assert through_the_door(alice, report, "sr") == before
    named = pydicom.dcmread(io.BytesIO(before)).ContentSequence
    kinds = {
        one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID: one.ValueType
        for one in named
        if "ReferencedSOPSequence" in one
    }
    captured = set(filed("OT"))
    assert set(kinds) == captured | set(filed("SR", "DOC", "PR"))
    assert {uid for uid, kind in kinds.items() if kind == "IMAGE"} == captured


def test_an_object_is_about_the_patient_whom_the_study_states_and_not_about_the_oldest_file(
    sign, study: Study, key_image: dict[str, Any]
) -> None:
    report = sign(findings=f"{FINDINGS} [[key_image:{key_image['uid']}|1]]")
    Study.objects.filter(pk=study.pk).update(patient_name="Rossi^Anna")
    settle()
    (state,) = filed("PR").values()
    assert pydicom.dcmread(io.BytesIO(state)).PatientName == "Rossi^Anna"
    assert Delivery.objects.get(report=report).state == "acknowledged"


def test_nothing_is_filed_of_pictures_that_show_another_patient_than_the_study(
    sign, study: Study, key_image: dict[str, Any]
) -> None:
    report = sign(findings=f"{FINDINGS} [[key_image:{key_image['uid']}|1]]")
    Study.objects.filter(pk=study.pk).update(patient_name="Rossi^Anna", warnings=["An image gives another name."])
    settle()
    delivery = Delivery.objects.get(report=report)
    assert (delivery.state, "names another patient" in delivery.problem) == ("failed", True)
    assert "Rossi" not in delivery.problem
    assert filed("SR", "DOC", "PR") == {}
