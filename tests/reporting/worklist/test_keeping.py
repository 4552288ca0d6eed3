"""No rule of retention touches a study of which something is still to be read, signed, corrected, heard of or sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from reporting import hooks
from reporting.models import CriticalResult, Delivery, Destination, ReadingItem, Report, ReportVersion, TemplateVersion
from reporting.worklist import keeping
from viewer.archive import retention
from viewer.models import Study

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def report(alice: User, study: Study, item: ReadingItem, template: TemplateVersion) -> Report:
    """A signed report of an examination that was read."""
    ReadingItem.objects.update(status="final")
    made = Report.objects.create(
        organization=study.organization, study=study, item=item, template_version=template, author=alice, state="final"
    )
    version(made, "final")
    return made


def version(report: Report, kind: str) -> ReportVersion:
    number = report.versions.count() + 1
    return ReportVersion.objects.create(
        report=report,
        sequence=number,
        number=number,
        kind=kind,
        state="final",
        content={},
        template_version=report.template_version,
        author=report.author,
        at=NOW,
    )


def why(study: Study) -> set[str]:
    return {reason for _, reason in keeping.reasons([study.pk])}


def test_the_rules_ask_reporting(study: Study, item: ReadingItem) -> None:
    hooks.install()
    assert keeping.reasons in retention.KEEPERS
    assert why(study) == {"it is still to be read"}


def test_what_is_read_and_signed_is_not_kept(study: Study, report: Report) -> None:
    assert why(study) == set()
    assert list(keeping.reasons([study.pk + 1])) == []


@pytest.mark.parametrize("status", ["scheduled", "hold", "claimed", "put_aside", "preliminary", "pending_cosign"])
def test_an_item_that_is_not_read_to_its_end_keeps(study: Study, report: Report, status: str) -> None:
    ReadingItem.objects.update(status=status)
    assert why(study) == {"it is still to be read"}


@pytest.mark.parametrize("state", ["draft", "preliminary", "pending_cosign", "returned"])
def test_a_report_that_is_not_signed_keeps(study: Study, report: Report, state: str) -> None:
    Report.objects.update(state=state)
    assert why(study) == {"its report is not signed"}


@pytest.mark.parametrize(
    ("kinds", "kept"), [("correcting", True), ("correcting save", True), ("correcting abandon", False)]
)
def test_a_correction_that_is_begun_keeps_until_it_is_signed_or_given_up(
    study: Study, report: Report, kinds: str, kept: bool
) -> None:
    for kind in kinds.split():
        version(report, kind)
    assert why(study) == ({"its report is being corrected"} if kept else set())


def test_an_addendum_is_no_correction(study: Study, report: Report) -> None:
    version(report, "addendum")
    assert why(study) == set()


def _critical(report: Report) -> Any:
    due = {"found_at": NOW, "due_at": NOW}
    return CriticalResult.objects.create(report=report, finding="x", category="hours", caller=report.author, **due)


def _delivery(report: Report) -> Any:
    to = Destination.objects.create(organization=report.organization, name="PACS", kind="folder", address="/out")
    version = report.versions.get()
    return Delivery.objects.create(destination=to, report=report, report_version=version, next_try_at=NOW)


@pytest.mark.parametrize(
    ("open_one", "said", "over"),
    [
        (_critical, "a critical result is open", {"closed_at": NOW}),
        (_delivery, "its report is still being sent", {"state": "acknowledged"}),
    ],
)
def test_what_is_not_over_keeps(
    study: Study, report: Report, open_one: Callable[[Report], Any], said: str, over: dict[str, Any]
) -> None:
    row = open_one(report)
    assert why(study) == {said}
    type(row).objects.update(**over)
    assert why(study) == set()
