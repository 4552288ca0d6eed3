"""Writing down who reads and who writes a report: every sitting once, not every key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from accounts.origin import Request
from reporting.models import Report
from viewer.archive import rows

ONE_SITTING = timedelta(minutes=15)
VIEWED = "report.view"


def note_reading(report: Report, user: User, request: Request | None, door: str = "report") -> None:
    """`user` looks at what the report says; a version that was signed meanwhile is looked at anew."""
    signed = report.signed_version
    if not _noted_lately(VIEWED, report, user, detail__signed_version=signed):
        rows.patiently(lambda: note(VIEWED, report, user, request, door=door, signed_version=signed))


def read_by(user: User, reports: Iterable[Report]) -> set[tuple[str, int]]:
    """(uid, signed version) of those that `user` has looked at before."""
    seen = AuditEvent.objects.filter(actor=user.get_username(), action=VIEWED, outcome="success")
    found = seen.filter(object_uid__in=[str(one.uid) for one in reports])
    return {(uid, detail.get("signed_version", 0)) for uid, detail in found.values_list("object_uid", "detail")}


def note_writing(report: Report, user: User, request: Request | None) -> None:
    """`user` writes it; the versions say what and when. Inside the transaction of the save."""
    if not _noted_lately("report.write", report, user):
        note("report.write", report, user, request)


def note_denial(user: User, report_id: int, request: Request) -> None:
    """`user` asked for a report that they may not see, or that is not there."""
    rows.patiently(
        lambda: audit.record(VIEWED, actor=user, request=request, object_uid=f"report {report_id}", outcome="denied")
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


def _noted_lately(action: str, report: Report, user: User, **more: object) -> bool:
    return AuditEvent.objects.filter(
        study_instance_uid=report.study.study_instance_uid,
        object_uid=str(report.uid),
        actor=user.get_username(),
        action=action,
        outcome="success",
        at__gt=timezone.now() - ONE_SITTING,
        **more,
    ).exists()
