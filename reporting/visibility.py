"""Which reports a person may see at all; every door of reports asks here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import READING_ROLES, Role, ShareLink
from reporting.models import Report, ReportState
from reporting.workflow.states import APART
from viewer.models import Grant

if TYPE_CHECKING:
    from accounts.models import User

DELIVERED = (ReportState.FINAL, ReportState.APPENDED, ReportState.CORRECTED, ReportState.ENTERED_IN_ERROR)
"""States in which a report's newest signed version is out of the house. One that was entered in error stays to be seen as such:
whoever acted on it must learn of it."""
BOTH = 2
"""Until so many reads apart are complete each is seen by its reader alone."""
EARLY = (ReportState.PRELIMINARY, ReportState.PENDING_COSIGN, ReportState.RETURNED)


def visible_reports(user: User) -> QuerySet[Report]:
    """Reports that `user` may see: all of organizations where they hold a reading role; elsewhere those of studies that were
    granted to them, once they are final (to referrers as preliminary too, where the organization says so). One of two reads
    apart is its reader's alone until both are complete. Who came by a share link sees the one report that it names, and none
    by the images it opens."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return Report.objects.none()
    reading = Q(organization__in=user.organizations_as(READING_ROLES))
    granted = Grant.objects.held_by(user).exclude(reason=Grant.Reason.SHARE)
    seen = Q(state__in=DELIVERED)
    if user.organizations_as((Role.REFERRER,)).exists():
        early = Q(organization__reporting_site__show_preliminary=True, state__in=EARLY)
        seen |= early & Q(organization__in=user.organizations_as((Role.REFERRER,)))
    opened = Q(study__in=granted.values("study")) | Q(pk__in=_shared(user))
    rows = Report.objects.exclude(Q(state__in=APART, item__blind_reads__lt=BOTH) & ~Q(author=user))
    return rows.filter(reading | (opened & seen & Q(signed_version__gt=0)))


def _shared(user: User) -> QuerySet[Any]:
    """Numbers of the reports that a share link shows to its guest."""
    links = ShareLink.objects.filter(guest=user, scope=ShareLink.Scope.REPORT, revoked_at=None)
    links = links.filter(expires_at__gt=timezone.now(), organization__in=user.organizations_as((Role.GUEST,)))
    return links.values("report")


def may_write(user: User, report: Report) -> bool:
    """Whether `user` holds a role in the report's organization that writes reports."""
    return user.organizations_as((Role.RADIOLOGIST, Role.RESIDENT)).filter(pk=report.organization_id).exists()
