"""How a critical result begins: its row with its clock, the record, the news."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from accounts.origin import Request
from reporting.critical.categories import due
from reporting.models import CriticalResult, Report, ReportingSite
from reporting.workflow.noting import note
from viewer.archive import outbox

NEWS = "critical.changed"
AT_SIGNING = "minutes"
"""Category of what a reader signed knowing that nobody has been told: nobody said how soon, so it is the soonest."""


def begin(
    report: Report, user: User, finding: str, category: str, found_at: datetime, request: Request | None
) -> CriticalResult:
    """Within a transaction that has the report for itself."""
    site = ReportingSite.objects.filter(organization=report.organization_id).first()
    result = CriticalResult.objects.create(
        report=report,
        finding=finding,
        category=category,
        found_at=found_at,
        caller=user,
        due_at=due(found_at, category, site.escalation_minutes if site else None),
    )
    note("critical.record", report, user, request, result=result.pk, category=category)
    return result


def at_signing(report: Report, user: User, finding: str, found_at: datetime, request: Request | None) -> None:
    """A critical finding that is signed without a communication is one to be told. Nothing where one is recorded already."""
    if finding and not report.critical_results.exists():
        announce(report, begin(report, user, finding, AT_SIGNING, found_at, request))


def announce(report: Report, result: CriticalResult) -> None:
    """Tell every page that shows it. Within a transaction."""
    study = report.study.study_instance_uid
    news = {"report": report.pk, "result": result.pk, "study_instance_uid": study, "item": report.item_id}
    outbox.announce(NEWS, report.organization, news)
