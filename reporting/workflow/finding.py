"""The report that somebody asks for, if they may write reports (or manage) where it belongs."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import REPORTING_ROLES, Organization, Role, User
from reporting.models import Report
from reporting.visibility import visible_reports
from viewer.archive import query
from viewer.archive.query import NotFound
from viewer.models import Study

WITH = (
    *("organization", "study__patient", "study__organization", "template_version__template", "author", "locked_by"),
    *("order__patient", "item__order__patient"),
)
"""What stands beside a report wherever it is shown or changed."""
WITHOUT = ("template_version__html", "template_version__source")
"""Long, and of no use here."""


def writing(user: User) -> QuerySet[Report]:
    """Reports of organizations in which `user` writes reports."""
    where = user.organizations_as(REPORTING_ROLES)
    return visible_reports(user).filter(organization__in=where).select_related(*WITH).defer(*WITHOUT)


def managing(user: User) -> QuerySet[Report]:
    """The same, and those of organizations that `user` administers: for acts that show nothing of what a report says."""
    if not user.is_active:
        return Report.objects.none()
    theirs = Q(organization__in=user.organizations_as((Role.ADMIN,)))
    return Report.objects.filter(theirs | Q(pk__in=writing(user).values("pk"))).select_related(*WITH).defer(*WITHOUT)


def report_of(user: User, report_id: int, *, manage: bool = False) -> Report:
    """Raises NotFound."""
    rows = managing(user) if manage else writing(user)
    found = rows.filter(pk=report_id).first()
    if found is None:
        raise NotFound("there is no such report")
    return found


def study_to_report(user: User, study_instance_uid: str, organization: str | None) -> Study:
    """The study, if `user` may write its report. Raises NotFound, Ambiguous."""
    study = query.find_study(user, study_instance_uid, organization)
    where: QuerySet[Organization] = user.organizations_as(REPORTING_ROLES)
    if not where.filter(pk=study.organization_id).exists():
        raise NotFound("there is no such object")
    return study


def in_hand(report: Report) -> Report:
    """The report's row as it is now, for this transaction alone."""
    return Report.objects.select_for_update(of=("self",)).select_related(*WITH).defer(*WITHOUT).get(pk=report.pk)


def again(report: Report) -> Report:
    """The report as it is after a change."""
    return Report.objects.select_related(*WITH).defer(*WITHOUT).get(pk=report.pk)
