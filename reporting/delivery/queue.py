"""Signed versions on their way out: one row for each destination, written with the signature itself."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from reporting.models import Delivery, Destination, Report, ReportVersion

ARCHIVE_NAME = "archive"
"""Of the destination that every organization has by itself: this very archive."""
PRELIMINARY = ("preliminary", "pending_cosign", "returned")
"""States of a report that only destinations which ask for preliminaries get."""


def queue(report: Report, report_version: ReportVersion) -> list[Delivery]:
    """Write down where this signed version has to go. Inside the transaction of the signature; does no input or output."""
    now = timezone.now()
    made = [
        Delivery.objects.get_or_create(
            destination=destination,
            report_version=report_version,
            defaults={"report": report, "next_try_at": now},
        )
        for destination in destinations_of(report, report_version)
    ]
    return [delivery for delivery, new in made if new]


def destinations_of(report: Report, report_version: ReportVersion) -> QuerySet[Destination]:
    """Active receivers of the report's organization that want a version in this state."""
    archive_of(report)
    found = Destination.objects.filter(organization=report.organization, active=True).order_by("id")
    return found.filter(preliminary=True) if report_version.state in PRELIMINARY else found


def archive_of(report: Report) -> Destination:
    """The organization's own archive; made when it is asked for the first time."""
    found, _ = Destination.objects.get_or_create(
        organization=report.organization, name=ARCHIVE_NAME, defaults={"kind": "archive", "preliminary": True}
    )
    return found
