"""The clock of critical results: what nobody has read back in time is escalated, once. A task of the server."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from accounts import audit
from reporting.critical.categories import ESCALATED
from reporting.critical.opening import announce
from reporting.models import CriticalAttempt, CriticalResult
from reporting.workflow.acting import about
from reporting.workflow.finding import in_hand
from viewer.archive import rows
from viewer.serving.database import database
from viewer.tasks import repeatedly

PERIOD_SECONDS = 10.0
AT_ONCE = 100
CLOCK = "farview"
"""Who escalates."""


def overdue(now: datetime) -> list[int]:
    """Results that nobody has read back in time, the longest waiting first."""
    waiting = CriticalResult.objects.filter(closed_at=None, acknowledged_at=None, escalated_at=None, due_at__lte=now)
    return list(waiting.order_by("due_at").values_list("pk", flat=True)[:AT_ONCE])


def escalate_overdue(now: datetime | None = None) -> int:
    """Escalate each of them in a transaction of its own; how many."""
    at = now or timezone.now()
    return sum(rows.patiently(lambda pk=pk: _escalate(pk, at)) for pk in overdue(at))


def _escalate(result_id: int, now: datetime) -> bool:
    """False where it was read back or escalated meanwhile, by another process perhaps."""
    result = CriticalResult.objects.select_for_update(of=("self",)).select_related("report").get(pk=result_id)
    if result.closed_at or result.acknowledged_at or result.escalated_at or result.due_at > now:
        return False
    report = in_hand(result.report)
    result.escalated_at = now
    result.save(update_fields=["escalated_at"])
    CriticalAttempt.objects.create(
        result=result,
        at=now,
        caller_name=CLOCK,
        recipient=result.recipient,
        recipient_role=result.recipient_role,
        method="",
        outcome=ESCALATED,
        note="Nobody has read it back in time.",
    )
    audit.record("critical.escalate", actor=CLOCK, **about(report), detail={"result": result.pk})
    announce(report, result)
    return True


async def escalations() -> None:
    """The task."""
    await repeatedly(database(escalate_overdue), PERIOD_SECONDS, "critical results that nobody has read back")
