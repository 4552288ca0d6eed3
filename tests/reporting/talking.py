"""Talking to the doors of reports as a program does."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.test import Client

from tests.reporting.conftest import PASSWORD
from viewer.models import Study

SOUND = {"findings": "No haemorrhage. The ventricles are of normal width.", "impression": "No haemorrhage."}
Json = dict[str, Any]


def send(client: Client, method: str, path: str, body: Any = None, **more: Any) -> HttpResponse:
    return getattr(client, method)(path, {} if body is None else body, content_type="application/json", **more)


def opening(client: Client, study: Study, **more: Any) -> HttpResponse:
    return send(client, "post", "/api/reports/", {"study": study.study_instance_uid, "template": "free-text", **more})


def opened(client: Client, study: Study, **more: Any) -> Json:
    answer = opening(client, study, **more)
    assert answer.status_code in (200, 201), answer.content
    return answer.json()


def saving(client: Client, report: Json, content: Json, **more: Any) -> HttpResponse:
    body = {"based_on": report["version"], "content": content, **more}
    return send(client, "put", f"/api/reports/{report['id']}/", body)


def saved(client: Client, report: Json, content: Json | None = None, **more: Any) -> Json:
    answer = saving(client, report, SOUND if content is None else content, **more)
    assert answer.status_code == 200, answer.content
    return {**report, **answer.json()}


def rules(client: Client, report: Json) -> list[str]:
    return [one["rule"] for one in client.get(f"/api/reports/{report['id']}/checks/").json()["problems"]]


def act(client: Client, report: Json, door: str, method: str = "post", **body: Any) -> HttpResponse:
    return send(client, method, f"/api/reports/{report['id']}/{door}/", body)


def signing(client: Client, report: Json, meaning: str = "final", door: str = "sign", **more: Any) -> HttpResponse:
    body = {"password": PASSWORD, "acknowledged": rules(client, report), **more}
    return act(client, report, door, **(body if door != "sign" else {"meaning": meaning, **body}))


def signed(client: Client, report: Json, meaning: str = "final", door: str = "sign", **more: Any) -> Json:
    answer = signing(client, report, meaning, door, **more)
    assert answer.status_code == 200, answer.content
    return {**report, **answer.json()}


def done(client: Client, report: Json, door: str, method: str = "post", **body: Any) -> Json:
    answer = act(client, report, door, method, **body)
    assert answer.status_code == 200, answer.content
    return {**report, **answer.json()}
