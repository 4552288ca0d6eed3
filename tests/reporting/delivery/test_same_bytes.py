"""What a signed version says is the same bytes whenever it is made, also once its own objects lie beside the images."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pydicom
import pytest

from accounts.models import User
from reporting.delivery.sending import Sender
from reporting.exports import EXPORTS, sheet
from reporting.models import Report
from reporting.workflow.reading import signed_report
from tests.reporting.conftest import signed_in
from tests.reporting.delivery.conftest import FINDINGS
from tests.reporting.evidence.test_freezing import key_image as key_image
from viewer.models import Series, Study

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
