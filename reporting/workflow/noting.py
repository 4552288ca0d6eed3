"""Writing down who reads and who writes a report: every sitting once, not every key."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from accounts.origin import Request
from reporting.models import Report
from viewer.archive import rows

ONE_SITTING = timedelta(minutes=15)


def note_reading(report: Report, user: User, request: Request | None) -> None:
    """`user` looks at what the report says."""
    if not _noted_lately("report.view", report, user):
        rows.patiently(lambda: note("report.view", report, user, request))


def note_writing(report: Report, user: User, request: Request | None) -> None:
    """`user` writes it; the versions say what and when. Inside the transaction of the save."""
    if not _noted_lately("report.write", report, user):
        note("report.write", report, user, request)


def note_denial(user: User, report_id: int, request: Request) -> None:
    """`user` asked for a report that they may not see, or that is not there."""
    rows.patiently(
        lambda: audit.record(
            "report.view", actor=user, request=request, object_uid=f"report {report_id}", outcome="denied"
        )
    )


def note(
    action: str,
    report: Report,
    user: User,
    request: Request | None,
    outcome: str = "success",
    **detail: object,
) -> None:
    """One event about one report, within the caller's transaction when there is one."""
    audit.record(
        action,
        actor=user,
        request=request,
        outcome=outcome,
        organization=report.organization.name,
        patient_id=report.study.patient.patient_id,
        study_instance_uid=report.study.study_instance_uid,
        object_uid=str(report.uid),
        detail=detail,
    )


def _noted_lately(action: str, report: Report, user: User) -> bool:
    return AuditEvent.objects.filter(
        study_instance_uid=report.study.study_instance_uid,
        object_uid=str(report.uid),
        actor=user.get_username(),
        action=action,
        outcome="success",
        at__gt=timezone.now() - ONE_SITTING,
    ).exists()
