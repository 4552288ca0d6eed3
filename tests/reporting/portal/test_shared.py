"""A report that was shared by a link: it alone, as it is signed, with stamped pictures and nothing else of the images."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from reporting.models import Report
from tests.reporting.conftest import signed_in
from tests.reporting.portal.test_results import report  # noqa: F401
from viewer.models import Grant


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def share(user: User, held: Report, **wish: Any) -> Any:
    door = f"/api/studies/{held.study.study_instance_uid}/share-links/"
    body = {"scope": "report", "report": held.pk, "recipient": "Dr. Outside", **wish}
    return signed_in(user).post(door, body, "application/json")


def visitor(user: User, held: Report) -> Client:
    address = share(user, held).json()["address"]
    client = Client()
    answer = client.post("/share/" + address.partition("/share/")[2])
    assert (answer.status_code, answer["Location"]) == (302, "/shared/report/")
    return client


def test_the_report_reads_and_nothing_else_opens(report: Report, alice: User) -> None:  # noqa: F811
    client = visitor(alice, report)
    page = client.get("/shared/report/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "Left &lt;b&gt;temporal&lt;/b&gt; haematoma." in text
    assert "Dr. Outside" in text
    uid = report.study.study_instance_uid
    for door in (
        *(
            f"/studies/{uid}/",
            f"/api/studies/{uid}/",
            f"/results/{report.pk}/",
            f"/api/reports/{report.pk}/",
            "/results/",
        ),
        *(f"/api/reports/{report.pk}/evidence/", f"/api/reports/{report.pk}/export/pdf", f"/reports/{report.pk}/", "/"),
        "/shared/report/pictures/1/",
    ):
        assert client.get(door).status_code == 404, door
    assert not Grant.objects.filter(user__share_link__isnull=False).exists()
    event = AuditEvent.objects.get(action="report.view")
    assert (event.role, event.detail["door"]) == ("guest", "share")


@pytest.mark.parametrize("state", ["draft", "preliminary", "pending_cosign", "returned", "cancelled"])
def test_what_is_not_final_is_not_shared_nor_shown(report: Report, alice: User, state: str) -> None:  # noqa: F811
    client = visitor(alice, report)
    Report.objects.filter(pk=report.pk).update(state=state)
    assert share(alice, report).status_code == 404
    assert client.get("/shared/report/").status_code == 404


def test_who_may_not_share_a_report(report: Report, alice: User, bob: User) -> None:  # noqa: F811
    assert share(bob, report).status_code == 404, "a referrer reads it and does not pass it on"
    assert share(alice, report, report=report.pk + 1).status_code == 404
    assert share(alice, report, report=None).status_code == 400


def test_a_link_for_images_opens_no_report(report: Report, alice: User) -> None:  # noqa: F811
    door = f"/api/studies/{report.study.study_instance_uid}/share-links/"
    made = signed_in(alice).post(door, {"recipient": "x"}, "application/json").json()
    client = Client()
    client.post("/share/" + made["address"].partition("/share/")[2])
    assert client.get("/shared/report/").status_code == 404
