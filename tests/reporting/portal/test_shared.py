"""A report that was shared by a link: it alone, as it is signed, with stamped pictures and nothing else of the images."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import AuditEvent, User
from reporting.evidence import blobs
from reporting.models import Evidence, Report
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


def test_a_picture_of_the_evidence_is_the_frozen_one_under_the_mark_of_the_link(report: Report, alice: User) -> None:  # noqa: F811
    frozen = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    kept = io.BytesIO()
    PIL.Image.fromarray(frozen).save(kept, "PNG")
    Evidence.objects.create(
        report_version=report.versions.get(),
        position=1,
        kind="key_image",
        uid="2.25.1",
        caption="",
        series_instance_uid=report.study.series.get().series_instance_uid,
        view={},
        renderer="1",
        series_version="1",
        rows=256,
        columns=256,
        sha256=hashlib.sha256(frozen.tobytes()).hexdigest(),
        picture=blobs.keep(kept.getvalue()).row(),
    )
    own = signed_in(alice).get(f"/api/reports/{report.pk}/evidence/1/picture")
    assert hashlib.sha256(pixels_of(own).tobytes()).hexdigest() == Evidence.objects.get().sha256
    served = []
    for client in (visitor(alice, report), visitor(alice, report)):
        assert b"/shared/report/pictures/1/" in client.get("/shared/report/").content
        answer = client.get("/shared/report/pictures/1/")
        assert answer["Cache-Control"] == "private, no-cache"
        assert client.get("/shared/report/pictures/1/", headers={"If-None-Match": answer["ETag"]}).status_code == 304
        served.append((answer["ETag"], pixels_of(answer).astype(int)))
    for _, pixels in served:
        changed = pixels != frozen
        assert pixels.shape == frozen.shape
        assert 0.01 < changed.mean() < 0.4, "what lies between the letters is the frozen picture, to the value"
        # docs/sharing.md: 22 % of the way to white and to black, with soft edges below that
        most_light = frozen + np.ceil(0.22 * (255 - frozen.astype(int))) + 1
        most_dark = frozen - np.ceil(0.22 * frozen.astype(int)) - 1
        assert (pixels <= most_light).all()
        assert (pixels >= most_dark).all()
    assert served[0][0] != served[1][0], "each link has a mark of its own"
    assert not np.array_equal(served[0][1], served[1][1])


def pixels_of(answer: HttpResponse) -> np.ndarray:
    assert answer.status_code == 200
    return np.asarray(PIL.Image.open(io.BytesIO(b"".join(answer) if answer.streaming else answer.content)))
