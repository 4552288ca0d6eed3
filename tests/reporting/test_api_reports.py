"""The doors of reports, asked by those who may and by those who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from reporting.models import ReadingItem, Report
from tests.reporting.conftest import PASSWORD, signed_in
from viewer.models import Study

FINDINGS = "No haemorrhage. Grey and white matter are told apart."
SOUND = {"findings": FINDINGS, "impression": "No haemorrhage."}


def send(client: Client, method: str, path: str, body: dict[str, Any] | None = None) -> HttpResponse:
    return getattr(client, method)(path, body or {}, content_type="application/json")


def opened(client: Client, study: Study, **more: Any) -> dict[str, Any]:
    answer = send(client, "post", "/api/reports/", {"study": study.study_instance_uid, "template": "free-text", **more})
    assert answer.status_code in (200, 201), answer.content
    return answer.json()


def saved(client: Client, report: dict[str, Any], content: dict[str, Any], **more: Any) -> dict[str, Any]:
    body = {"based_on": report["version"], "content": content, **more}
    answer = send(client, "put", f"/api/reports/{report['id']}/", body)
    assert answer.status_code == 200, answer.content
    return {**report, **answer.json()}


def rules(client: Client, report: dict[str, Any]) -> list[str]:
    return [one["rule"] for one in client.get(f"/api/reports/{report['id']}/checks/").json()["problems"]]


def sign(client: Client, report: dict[str, Any], meaning: str = "final", **more: Any) -> HttpResponse:
    body = {"password": PASSWORD, "meaning": meaning, "acknowledged": rules(client, report), **more}
    return send(client, "post", f"/api/reports/{report['id']}/sign/", body)


def test_a_report_is_opened_written_and_signed(alice: User, study: Study) -> None:
    client = signed_in(alice)
    report = opened(client, study)
    assert (report["state"], report["version"], report["lock"]["mine"]) == ("draft", 1, True)
    report = saved(client, report, SOUND)
    assert report["version"] == 2
    answer = sign(client, report)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["state"], told["version"], told["signed_version"]) == ("final", 3, 3)
    assert told["signature"]["name"] == "Alice Adler"
