"""Which reports a person may see at all; every door of reports asks here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q, QuerySet

from accounts.models import READING_ROLES, Role
from reporting.models import Report, ReportState
from viewer.models import Study

if TYPE_CHECKING:
    from accounts.models import User

DELIVERED = (ReportState.FINAL, ReportState.APPENDED, ReportState.CORRECTED, ReportState.ENTERED_IN_ERROR)
"""States in which a report's newest signed version is out of the house. One that was entered in error stays to be seen as such:
whoever acted on it must learn of it."""
EARLY = (ReportState.PRELIMINARY, ReportState.PENDING_COSIGN, ReportState.RETURNED)


def visible_reports(user: User) -> QuerySet[Report]:
    """Reports that `user` may see: all of organizations where they hold a reading role; as a referrer those of studies that
    were granted to them, once they are final (or preliminary where the organization says so). Nobody else sees any."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return Report.objects.none()
    reading = Q(organization__in=user.organizations_as(READING_ROLES))
    referring = user.organizations_as((Role.REFERRER,))
    if not referring.exists():
        return Report.objects.filter(reading)
    early = Q(organization__reporting_site__show_preliminary=True, state__in=EARLY)
    granted = Q(study__in=Study.objects.visible_to(user), organization__in=referring, signed_version__gt=0)
    return Report.objects.filter(reading | (granted & (Q(state__in=DELIVERED) | early)))


def may_write(user: User, report: Report) -> bool:
    """Whether `user` holds a role in the report's organization that writes reports."""
    return user.organizations_as((Role.RADIOLOGIST, Role.RESIDENT)).filter(pk=report.organization_id).exists()
