"""What a signature, a delivery and a read-back do to the item."""

from __future__ import annotations

import pytest

from accounts.models import User
from reporting.models import ReadingItem, Report, TemplateVersion
from reporting.worklist import claiming, clocks

pytestmark = pytest.mark.django_db


@pytest.fixture
def report(item: ReadingItem, alice: User, rita: User, template: TemplateVersion) -> Report:
    return Report.objects.create(
        organization=item.organization,
        study=item.study,
        item=item,
        order=item.order,
        template_version=template,
        author=rita,
    )


def after(report: Report, state: str) -> ReadingItem:
    report.state = state
    report.save()
    clocks.report_signed(report)
    return ReadingItem.objects.get(pk=report.item_id)


@pytest.mark.parametrize(
    ("state", "status", "clock"),
    [
        ("preliminary", "preliminary", "preliminary_at"),
        ("pending_cosign", "pending_cosign", "preliminary_at"),
        ("final", "final", "final_at"),
    ],
)
def test_a_signature_moves_the_item_and_frees_it(
    report: Report, alice: User, state: str, status: str, clock: str
) -> None:
    claiming.claim(report.item_id, alice)
    item = after(report, state)
    assert (item.status, item.claimed_by, item.claim_token) == (status, None, "")
    assert getattr(item, clock) is not None
    assert item.events.filter(kind=f"report_{state}", detail__report=report.pk).count() == 1


def test_clocks_keep_the_first_time(report: Report) -> None:
    first = after(report, "preliminary").preliminary_at
    assert after(report, "pending_cosign").preliminary_at == first
    final = after(report, "final").final_at
    assert after(report, "appended").final_at == final


def test_a_returned_report_is_its_authors_again(report: Report, rita: User) -> None:
    after(report, "pending_cosign")
    item = after(report, "returned")
    assert (item.status, item.assigned_to) == ("preliminary", rita)


def test_delivered_after_final_and_again_after_an_addendum(report: Report) -> None:
    clocks.delivered(report)
    assert ReadingItem.objects.get().status == "ready"
    after(report, "final")
    clocks.delivered(report)
    delivered = ReadingItem.objects.get()
    assert delivered.status == "delivered"
    assert after(report, "appended").status == "final"
    clocks.delivered(report)
    assert ReadingItem.objects.get().delivered_at == delivered.delivered_at


def test_a_cancelled_report_leaves_the_study_to_be_read_again(report: Report) -> None:
    after(report, "preliminary")
    item = after(report, "cancelled")
    assert (item.status, item.preliminary_at) == ("ready", None)


def test_after_one_entered_in_error_a_person_looks_first(report: Report) -> None:
    after(report, "final")
    item = after(report, "entered_in_error")
    assert (item.status, item.held_reason, item.final_at) == ("hold", "other", None)
    assert item.note


def test_the_first_read_back_stops_the_clock(report: Report) -> None:
    clocks.critical_acknowledged(report, "alice")
    first = ReadingItem.objects.get()
    assert first.critical_acknowledged_at is not None
    clocks.critical_acknowledged(report, "alice")
    assert ReadingItem.objects.get().critical_acknowledged_at == first.critical_acknowledged_at
    assert first.events.filter(kind="critical_acknowledged").count() == 1


def test_a_report_without_an_item_finds_that_of_its_study(report: Report) -> None:
    Report.objects.update(item=None)
    report = Report.objects.get()
    clocks.report_signed(report)
    report.state = "final"
    clocks.report_signed(report)
    assert ReadingItem.objects.get().status == "final"
