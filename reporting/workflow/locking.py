"""One writer at a time: the lock of a report, held by a heartbeat, free again when the browser dies.

Who writes a report has claimed its examination in the worklist, and whoever has claimed that is the one who may write.
"""

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
from reporting.worklist import claiming
from reporting.worklist.events import locked
from reporting.worklist.states import may_follow

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


def _is_taken(report: Report, user: User, token: str) -> bool:
    """Whether another, or another window, holds it. A program of the same person that shows no token gives way at any time."""
    gives_way = report.locked_by_id == user.pk and not report.lock_token
    return live(report) and not is_mine(report, user, token) and not gives_way


def reader(report: Report, user: User) -> User | None:
    """Another person who reads the examination now, by the worklist."""
    item = report.item
    other = claiming.holder(item) if item is not None and may_follow("claim", item.status) else None
    return other if other is not None and other.pk != user.pk else None


def must_be_free(report: Report, user: User, token: str) -> None:
    """Raise Held where another, or another window, writes it or reads the examination."""
    if _is_taken(report, user, token) or reader(report, user) is not None:
        raise held(report, user)


def require(report: Report, user: User, token: str, request: Request | None = None) -> None:
    """Hold the lock from now on, or raise Held. Inside a transaction that has the row for itself."""
    must_be_free(report, user, token)
    _hold(report, user, token, request)


def take_at_opening(report: Report, user: User, token: str, request: Request | None = None) -> bool:
    """Take it if it is free; whether it is mine now."""
    if _is_taken(report, user, token) or reader(report, user) is not None:
        return False
    _hold(report, user, token, request)
    return True


def take_over(report: Report, user: User, token: str, reason: str, request: Request | None) -> None:
    """Take it from whoever holds it. Another person's lock takes a reason; either way it is written down."""
    other = reader(report, user)
    if other is not None or (live(report) and not is_mine(report, user, token)):
        holder = other if other is not None else report.locked_by
        if not reason and (other is not None or report.locked_by_id != user.pk):
            raise Unusable("reason: say why you take the report over from somebody who is writing it")
        audit.record(
            "report.take_over",
            actor=user,
            request=request,
            organization=report.organization.name,
            patient_id=report.study.patient.patient_id,
            study_instance_uid=report.study.study_instance_uid,
            object_uid=str(report.uid),
            detail={"from": holder.get_username() if holder else "", "reason": reason},
        )
    _hold(report, user, token, request, reason)


def release(report: Report, user: User, token: str, request: Request | None = None) -> None:
    """Let go of it and of the examination, if it is held by this window."""
    if not is_mine(report, user, token):
        return
    let_go(report)
    item = locked(report.item_id) if report.item_id is not None else None
    if item is not None and item.claimed_by_id == user.pk:
        claiming.released(item, user, request)
        report.item = item


def let_go(report: Report) -> None:
    report.locked_by, report.lock_token, report.lock_seen_at = None, "", None
    report.save(update_fields=COLUMNS)


def _hold(report: Report, user: User, token: str, request: Request | None, reason: str = "") -> None:
    report.locked_by, report.lock_token, report.lock_seen_at = user, token, timezone.now()
    report.save(update_fields=COLUMNS)
    if report.item is not None and not claiming.seen(report.item, user):
        _claim(report, report.item.pk, user, request, reason)


def _claim(report: Report, item_id: int, user: User, request: Request | None, reason: str) -> None:
    """Claim the examination as well, where it can be read at all."""
    item = locked(item_id)
    report.item = item
    if item.study_id is None or not may_follow("claim", item.status):
        return
    if reader(report, user) is not None and not reason:
        raise held(report, user)
    claiming.claimed(item, user, reason=reason or BEGAN, request=request)


BEGAN = "Writes its report."
"""Why somebody reads what was assigned to another, where they say nothing else."""
COLUMNS = ("locked_by", "lock_token", "lock_seen_at")


def told(report: Report, user: User, token: str) -> dict[str, Any]:
    """The lock as the answers tell it; its token to its holder alone."""
    other = reader(report, user)
    if other is not None:
        return {"mine": False, "by": name_of(other), "until": _until(report.item.claim_seen_at)}
    if not live(report):
        return {"mine": False, "by": None, "until": None}
    mine = is_mine(report, user, token)
    by = name_of(report.locked_by) if report.locked_by else None
    found = {"mine": mine, "by": by, "until": _until(report.lock_seen_at)}
    return {**found, "token": token} if mine else found


def _until(seen: datetime | None) -> str | None:
    return (seen + EXPIRY).isoformat() if seen else None


def held(report: Report, user: User) -> Held:
    other = reader(report, user)
    if other is not None and report.locked_by_id != other.pk:
        words = f"{name_of(other)} is reading this examination."
    elif report.locked_by_id == user.pk:
        words = "You have this report open in another window."
    else:
        words = f"{name_of(report.locked_by) if report.locked_by else 'Somebody'} is writing this report."
    return Held(words, lock=told(report, user, "\0"))
