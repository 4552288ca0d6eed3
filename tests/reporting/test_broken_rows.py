"""Rows that a fault or a hand has broken: what can be told is told, what cannot is said to be left out, and nothing fails."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from reporting.models import Report, ReportVersion, Template, TemplateVersion
from reporting.mrrt_service import querying
from tests.reporting.conftest import signed_in
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
