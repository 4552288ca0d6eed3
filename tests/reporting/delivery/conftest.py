"""A hospital's systems as peers, and a signed report to send."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Organization, User
from reporting.models import Delivery, Destination, HL7Peer, Report
from tests.reporting.conftest import PASSWORD, signed_in
from viewer.models import Study

FINDINGS = "No bleeding. The ventricles are of normal width."
IMPRESSION = "Normal head."


@pytest.fixture
def peer(site: Organization) -> HL7Peer:
    return HL7Peer.objects.create(
        organization=site, name="RIS", address="127.0.0.1", sending_application="RIS", sending_facility="WARD"
    )


@pytest.fixture
def to(site: Organization) -> Callable[..., Destination]:
    """`to("hl7", "127.0.0.1:1234", tls=True)`: a destination."""

    def make(kind: str, address: str = "", *, preliminary: bool = False, name: str = "", **options: Any) -> Destination:
        return Destination.objects.create(
            organization=site,
            name=name or f"{kind} {address}",
            kind=kind,
            address=address,
            options=options,
            preliminary=preliminary,
        )

    return make


Sign = Callable[..., Report]


@pytest.fixture
def sign(alice: User, study: Study, item: Any) -> Sign:
    """`sign()`: the study's report, signed through the door that readers use; `meaning` and texts may be given."""

    def make(meaning: str = "final", findings: str = FINDINGS, impression: str = IMPRESSION) -> Report:
        client = signed_in(alice)
        uid = study.study_instance_uid
        opened = client.post("/api/reports/", {"study": uid, "template": "free-text"}, "application/json").json()
        content = {"findings": findings, "impression": impression}
        saved = client.put(
            f"/api/reports/{opened['id']}/", {"based_on": opened["version"], "content": content}, "application/json"
        )
        assert saved.status_code == 200, saved.content
        accept(client, opened["id"], meaning)
        return Report.objects.get(pk=opened["id"])

    return make


def accept(client: Any, report: int, meaning: str) -> None:
    """Sign, whatever the checks want acknowledged."""
    problems = client.get(f"/api/reports/{report}/checks/").json()["problems"]
    rules = sorted({one["rule"] for one in problems})
    body = {"password": PASSWORD, "meaning": meaning, "acknowledged": rules}
    answer = client.post(f"/api/reports/{report}/sign/", body, "application/json")
    assert answer.status_code == 200, answer.content


@pytest.fixture
def add(alice: User) -> Callable[[Report, str], None]:
    def make(report: Report, text: str) -> None:
        body = {"password": PASSWORD, "text": text}
        answer = signed_in(alice).post(f"/api/reports/{report.pk}/addendum/", body, "application/json")
        assert answer.status_code == 200, answer.content

    return make


def states(destination: Destination) -> list[str]:
    return list(Delivery.objects.filter(destination=destination).order_by("id").values_list("state", flat=True))
