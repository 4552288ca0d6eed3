"""One writer at a time: the lock of a report, held by a heartbeat, free again when the browser dies."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts import audit
from accounts.models import User
from accounts.origin import Request
from reporting.models import Report
from reporting.workflow.naming import name_of
from reporting.workflow.refusals import Held, Unusable

EXPIRY = timedelta(seconds=90)
HEARTBEAT_S = 20
"""How often a page says that it is still there."""
TOKEN = 64


def token_of(given: Any) -> str:
    """The token of a window, as it says it; empty for a program without one. Raises Unusable."""
    if given is None:
        return ""
    if not isinstance(given, str) or len(given) > TOKEN or not given.isascii() or not given.isprintable():
        raise Unusable(f"token: at most {TOKEN} printable characters are expected")
    return given


def live(report: Report, now: datetime | None = None) -> bool:
    """Whether somebody holds it, and has been heard of lately."""
    seen = report.lock_seen_at
    return report.locked_by_id is not None and seen is not None and (now or timezone.now()) - seen < EXPIRY


def is_mine(report: Report, user: User, token: str) -> bool:
    return live(report) and report.locked_by_id == user.pk and report.lock_token == token


def require(report: Report, user: User, token: str) -> None:
    """Hold the lock from now on, or raise Held. Inside a transaction that has the row for itself."""
    if live(report) and not is_mine(report, user, token):
        raise held(report, user)
    _hold(report, user, token)


def take_at_opening(report: Report, user: User, token: str) -> bool:
    """Take it if it is free (or held by a program of the same person that shows no token); whether it is mine now."""
    own_program = report.locked_by_id == user.pk and not report.lock_token
    if live(report) and not is_mine(report, user, token) and not own_program:
        return False
    _hold(report, user, token)
    return True


def take_over(report: Report, user: User, token: str, reason: str, request: Request | None) -> None:
    """Take it from whoever holds it. Another person's lock takes a reason; either way it is written down."""
    if live(report) and not is_mine(report, user, token):
        if report.locked_by_id != user.pk and not reason:
            raise Unusable("reason: say why you take the report over from somebody who is writing it")
        audit.record(
            "report.take_over",
            actor=user,
            request=request,
            organization=report.organization.name,
            patient_id=report.study.patient.patient_id,
            study_instance_uid=report.study.study_instance_uid,
            object_uid=str(report.uid),
            detail={"from": report.locked_by.get_username() if report.locked_by else "", "reason": reason},
        )
    _hold(report, user, token)


def release(report: Report, user: User, token: str) -> None:
    """Let go of it, if it is held by this window."""
    if is_mine(report, user, token):
        let_go(report)


def let_go(report: Report) -> None:
    report.locked_by, report.lock_token, report.lock_seen_at = None, "", None
    report.save(update_fields=COLUMNS)


def _hold(report: Report, user: User, token: str) -> None:
    report.locked_by, report.lock_token, report.lock_seen_at = user, token, timezone.now()
    report.save(update_fields=COLUMNS)


COLUMNS = ("locked_by", "lock_token", "lock_seen_at")


def told(report: Report, user: User, token: str) -> dict[str, Any]:
    """The lock as the answers tell it; its token to its holder alone."""
    if not live(report):
        return {"mine": False, "by": None, "until": None}
    mine = is_mine(report, user, token)
    until = (report.lock_seen_at + EXPIRY).isoformat() if report.lock_seen_at else None
    found = {"mine": mine, "by": name_of(report.locked_by) if report.locked_by else None, "until": until}
    return {**found, "token": token} if mine else found


def held(report: Report, user: User) -> Held:
    if report.locked_by_id == user.pk:
        words = "You have this report open in another window."
    else:
        words = f"{name_of(report.locked_by) if report.locked_by else 'Somebody'} is writing this report."
    return Held(words, lock=told(report, user, "\0"))
