"""Writing down who looked at what, or was refused: every opening once, not every picture."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, User
from accounts.origin import Request
from viewer.archive import emergency, rows
from viewer.models import Study

ONE_OPENING = timedelta(minutes=15)
"""What one person asks about one study within this time belongs to one opening."""


def note_viewing(user: User, study: Study, request: Request, *, door: str, anew: bool = False) -> None:
    """Record that `user` looks at `study`, unless that was recorded lately (`anew`: in any case)."""
    if not anew and _noted_lately(user, study):
        return
    rows.patiently(
        lambda: audit.record(
            "study.view",
            actor=user,
            request=request,
            organization=study.organization.name,
            patient_id=study.patient.patient_id,
            study_instance_uid=study.study_instance_uid,
            purpose=emergency.purpose_of(user, study),
            detail={"door": door},
        )
    )


def note_denial(user: User, uid: str, request: Request, *, door: str) -> None:
    """Record that `user` asked for an object that they may not see, or that is not there."""
    rows.patiently(
        lambda: audit.record(
            "study.view", actor=user, request=request, object_uid=uid, outcome="denied", detail={"door": door}
        )
    )


def _noted_lately(user: User, study: Study) -> bool:
    return AuditEvent.objects.filter(
        study_instance_uid=study.study_instance_uid,
        organization=study.organization.name,
        actor=user.get_username(),
        action="study.view",
        outcome="success",
        at__gt=timezone.now() - ONE_OPENING,
    ).exists()
