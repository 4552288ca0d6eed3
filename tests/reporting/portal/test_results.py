"""A referring physician sees the results of their own patients, and nothing of anybody else's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from accounts.models import AuditEvent, User
from reporting.models import CriticalResult, Order, ReadingItem, Report, ReportingSite, ReportVersion, TemplateVersion
from tests.reporting.conftest import signed_in
from viewer.models import Grant, Study


@pytest.fixture
def report(item: ReadingItem, template: TemplateVersion, alice: User, bob: User) -> Report:
    """Signed; Bob asked for the examination."""
    Order.objects.filter(pk=item.order_id).update(referrer=bob)
    Grant.objects.create(study=item.study, user=bob, reason="order")
    held = Report.objects.create(
        organization=item.organization,
        study=item.study,
        item=item,
        order=item.order,
        template_version=template,
        author=alice,
    )
    ReportVersion.objects.create(
        sequence=1,
        report=held,
        number=1,
        kind="final",
        state="final",
        meaning="verified",
        content={"findings": "Left <b>temporal</b> haematoma.", "impression": "Haematoma."},
        template_version=template,
        author=alice,
        author_username="alice",
        author_name="Alice Adler",
        author_role="radiologist",
        at=datetime.now(UTC),
        previous_mac="0" * 64,
        mac="1" * 64,
    )
    Report.objects.filter(pk=held.pk).update(state="final", version=1, signed_version=1)
    held.refresh_from_db()
    return held


def listed(user: User, **asked: str) -> str:
    answer = signed_in(user).get("/results/", asked)
    assert answer.status_code == 200
    return str(answer.content, "utf-8")


def test_the_report_stands_in_the_list_and_reads(report: Report, bob: User) -> None:
    address = f"/results/{report.pk}/"
    assert address in listed(bob)
    assert ">new<" in listed(bob)
    page = signed_in(bob).get(address)
    text = str(page.content, "utf-8")
    assert "Left &lt;b&gt;temporal&lt;/b&gt; haematoma." in text
    assert "Alice Adler" in text
    assert f"/studies/{report.study.study_instance_uid}/" in text
    assert ">new<" not in listed(bob), "it was looked at"
    event = AuditEvent.objects.get(action="report.view")
    assert (event.actor, event.outcome) == ("bob", "success")
    assert (event.object_uid, event.detail["door"], event.detail["signed_version"]) == (str(report.uid), "page", 1)


def test_a_newer_signature_makes_it_new_again(report: Report, bob: User) -> None:
    signed_in(bob).get(f"/results/{report.pk}/")
    Report.objects.filter(pk=report.pk).update(state="appended", signed_version=2)
    assert ">new<" in listed(bob)
    assert "Final, with addendum" in listed(bob)


def test_a_sitting_is_noted_once_and_a_newer_version_anew(report: Report, bob: User) -> None:
    for _ in range(3):
        assert signed_in(bob).get(f"/results/{report.pk}/").status_code == 200
    Report.objects.filter(pk=report.pk).update(state="appended", signed_version=2)
    signed_in(bob).get(f"/results/{report.pk}/")
    assert ">new<" not in listed(bob)
    noted = AuditEvent.objects.filter(action="report.view", actor="bob").order_by("id")
    assert [one.detail["signed_version"] for one in noted] == [1, 2]


@pytest.mark.parametrize("state", ["draft", "preliminary", "pending_cosign", "returned", "cancelled"])
def test_what_is_not_out_is_not_there(report: Report, bob: User, state: str) -> None:
    Report.objects.filter(pk=report.pk).update(state=state)
    assert signed_in(bob).get(f"/results/{report.pk}/").status_code == 404
    page = listed(bob)
    assert f"/results/{report.pk}/" not in page
    assert "Being read" in page, "but the examination is awaited"


def test_a_preliminary_report_is_shown_where_the_site_says_so(report: Report, bob: User) -> None:
    Report.objects.filter(pk=report.pk).update(state="preliminary")
    ReportingSite.objects.create(organization=report.organization, show_preliminary=True)
    assert "Preliminary" in listed(bob)
    assert signed_in(bob).get(f"/results/{report.pk}/").status_code == 200


def test_who_comes_in(
    report: Report, alice: User, bob: User, charlie: User, rita: User, tess: User, boss: User, study: Study
) -> None:
    address = f"/results/{report.pk}/"
    for user, status in ((alice, 200), (rita, 200), (tess, 200), (bob, 200), (charlie, 404), (boss, 404)):
        assert signed_in(user).get(address).status_code == status, user.username
    for user in (alice, rita, tess, charlie, boss):
        assert signed_in(user).get("/results/").status_code == 404, user.username
    assert Client().get(address).status_code == Client().get("/results/").status_code == 302
    Grant.objects.all().delete()
    assert signed_in(bob).get(address).status_code == 404, "the referrer of another patient"
    denied = AuditEvent.objects.filter(action="report.view", outcome="denied", actor="bob")
    assert denied.get().object_uid == f"report {report.pk}"


def test_search_finds_by_every_word(report: Report, bob: User) -> None:
    study = report.study
    assert f"/results/{report.pk}/" in listed(bob, q=study.patient.patient_id)
    assert "Nothing matches" in listed(bob, q=f"{study.patient.patient_id} nosuchword")
    assert "Nothing matches" in listed(bob, q="\0'\"<script>%")


def test_an_open_critical_result_is_said(report: Report, bob: User, alice: User) -> None:
    now = datetime.now(UTC)
    result = CriticalResult.objects.create(
        report=report, finding="Haematoma", category="minutes", found_at=now, caller=alice, due_at=now
    )
    assert "critical" in listed(bob)
    CriticalResult.objects.filter(pk=result.pk).update(closed_at=now)
    assert "critical" not in listed(bob)


def test_nothing_yet(bob: User) -> None:
    assert "No results yet" in listed(bob)
