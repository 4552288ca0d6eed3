"""Signed versions on their way out: one row for each destination, written with the signature itself."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Organization
from reporting.delivery.kinds import KINDS
from reporting.models import Delivery, Destination, Report, ReportVersion

ARCHIVE_NAME = "archive"
"""Of the destination that every organization has by itself: this very archive."""
PRELIMINARY = ("preliminary", "pending_cosign")
"""States of a report that only destinations which ask for preliminaries get."""
INSIDE = ("draft", "returned")
"""States of which nobody outside hears."""
WITHDRAWN = ("cancelled", "entered_in_error")
"""States that are told only where the report had been sent."""


def queue(report: Report, report_version: ReportVersion) -> list[Delivery]:
    """Write down where this signed version has to go. Inside the transaction of the signature; does no input or output."""
    now = timezone.now()
    made = [
        Delivery.objects.get_or_create(
            destination=destination,
            report_version=report_version,
            defaults={"report": report, "next_try_at": now, "problem": _problem(destination)},
        )
        for destination in destinations_of(report, report_version)
    ]
    return [delivery for delivery, new in made if new]


def destinations_of(report: Report, report_version: ReportVersion) -> QuerySet[Destination]:
    """Active receivers of the report's organization that want a version in this state."""
    archive_of(report.organization)
    found = Destination.objects.filter(organization=report.organization, active=True).order_by("id")
    if report_version.state in INSIDE:
        return found.none()
    if report_version.state in WITHDRAWN:
        earlier = Delivery.objects.filter(report=report).exclude(report_version=report_version)
        return found.filter(pk__in=earlier.values("destination"))
    return found.filter(preliminary=True) if report_version.state in PRELIMINARY else found


def archive_of(organization: Organization) -> Destination:
    """The organization's own archive; made when it is asked for the first time."""
    found, _ = Destination.objects.get_or_create(
        organization=organization, name=ARCHIVE_NAME, defaults={"kind": "archive", "preliminary": True}
    )
    return found


def _problem(destination: Destination) -> str:
    return "" if destination.kind in KINDS else f"There is no kind {destination.kind!r}."
