"""Rows that a fault or a hand has broken: what can be told is told, what cannot is said to be left out, and nothing fails."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from reporting.models import Report, ReportState, ReportVersion, Template, TemplateVersion
from reporting.mrrt_service import querying
from reporting.workflow.states import APART, CLOSED, ENDED
from reporting.workflow.verifying import problems
from tests.reporting.conftest import signed_in
from tests.reporting.talking import act, opened, saved, signed, signing
from viewer.models import Study


@pytest.fixture
def unsigned(alice: User, study: Study) -> Report:
    """It says that its first version is signed, and there is no name under it."""
    shared = {"template_version": TemplateVersion.objects.order_by("pk")[0], "author": alice}
    report = Report.objects.create(
        organization=study.organization, study=study, state="final", version=1, signed_version=1, **shared
    )
    ReportVersion.objects.create(
        **shared, report=report, number=1, kind="save", state="final", at=timezone.now(), sequence=1, content={}
    )
    return report


def test_a_report_without_its_signature_is_said_to_be_incomplete(
    alice: User, unsigned: Report, charlie: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = signed_in(alice)
    answer = client.get(f"/fhir/DiagnosticReport/{unsigned.uid}")
    assert answer.status_code == 404
    assert answer.json()["issue"][0]["code"] == "incomplete"
    bundle = client.get("/fhir/DiagnosticReport").json()
    (entry,) = bundle["entry"]
    assert (entry["search"]["mode"], entry["resource"]["resourceType"]) == ("outcome", "OperationOutcome")
    assert entry["resource"]["issue"][0]["severity"] == "warning"
    assert str(unsigned.pk) in caplog.text
    refused = signed_in(charlie).get(f"/fhir/DiagnosticReport/{unsigned.uid}")
    assert refused.status_code == 404
    assert refused.json()["issue"][0]["code"] == "not-found", "whoever may not is told of nothing"


READ = ("", "checks/", "versions/", "difference/", "preview/", "evidence/", "critical/", "export/html")
WRITTEN = ("sign/", "cosign/", "addendum/", "return/", "correct/", "cancel/", "entered-in-error/", "lock/")


def begun(study: Study, alice: User, **standing: Any) -> Report:
    """A report's row of which no version was ever written, or all were lost."""
    template = TemplateVersion.objects.get(template__identifier="free-text")
    made: Report = Report.objects.create(
        organization=study.organization, study=study, template_version=template, author=alice, **standing
    )
    return made


def test_a_report_that_nobody_has_written_yet_is_empty_at_every_door_and_can_be_written(
    alice: User, study: Study
) -> None:
    client, report = signed_in(alice), begun(study, alice)
    said = {name: client.get(f"/api/reports/{report.pk}/{name}").status_code for name in READ}
    assert said == {**dict.fromkeys(READ, 200), "difference/": 404, "export/html": 404}
    told = client.get(f"/api/reports/{report.pk}/").json()
    assert (told["version"], told["content"], told["state"]) == (0, {}, "draft")
    assert client.get(f"/reports/{report.pk}/").status_code == 200
    for door in WRITTEN:
        assert 400 <= act(client, told, door.strip("/")).status_code < 500, door
    again = opened(client, study)
    assert again["id"] == report.pk, "the study is not shut by it"
    assert signing(client, again).status_code == 422, "nothing is signed that says nothing"
    signed(client, saved(client, again))
    assert list(problems()) == []


@pytest.mark.parametrize("state", [one.value for one in ReportState])
def test_a_report_whose_versions_were_lost_says_so_at_every_door(alice: User, study: Study, state: str) -> None:
    client = signed_in(alice)
    report = begun(study, alice, state=state, version=3, signed_version=3 if state in CLOSED else 0)
    doors = [(client.get, name) for name in READ] + [(client.post, name) for name in WRITTEN]
    answers = {name: ask(f"/api/reports/{report.pk}/{name}") for ask, name in doors}
    assert {name: one.status_code for name, one in answers.items() if one.status_code >= 500} == {}
    whole = client.get(f"/api/reports/{report.pk}/")
    assert (whole.status_code, whole.json()["code"]) == (409, "lost")
    assert "manage.py verify" in whole.json()["detail"]
    assert client.get(f"/reports/{report.pk}/").status_code == 200
    opening = client.post("/api/reports/", {"study": study.study_instance_uid}, "application/json")
    assert opening.status_code == (201 if state in (*ENDED, *APART) else 409), "what is no report of the study is none"
    assert client.get("/api/worklist/").status_code == 200
    assert client.get("/fhir/DiagnosticReport").status_code == 200


def test_the_list_of_templates_goes_on_without_one_that_cannot_be_read(
    alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Template.objects.create(identifier="broken", title="Broken", organization=None)
    version = TemplateVersion.objects.create(
        template=broken,
        number=1,
        title="Broken",
        html="<p>Geheimer Befund",
        schema={"title": "Broken", "sections": []},
        sha256="0" * 64,
        created_at=timezone.now(),
    )
    Template.objects.filter(pk=broken.pk).update(active_version=version)
    client: Client = signed_in(alice)
    told = client.get("/IHETemplateService/", {"format": "json"}).json()
    names = {one["identifier"] for one in told["templates"]}
    assert "broken" not in names
    assert "free-text" in names
    assert told["total"] == len(told["templates"])
    assert "Geheim" not in caplog.text
    assert f"template {broken.pk}" in caplog.text
    with patch.object(querying, "told", side_effect=querying.Unusable(["nothing of it"])):
        assert client.get("/IHETemplateService/", {"format": "json"}).json()["total"] == 0
