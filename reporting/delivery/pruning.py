"""HL7 messages that were done long ago go, with the patients that they name. Nothing else does: one that was refused waits for
a person, and versions of reports are never deleted (their chain would break, and the database refuses it)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts import audit
from reporting.delivery.inbound import APPLIED
from reporting.delivery.kinds import ACTOR
from reporting.models import InboundMessage
from viewer.archive.rows import patiently
from viewer.serving.database import database
from viewer.tasks import repeatedly

PERIOD_SECONDS = 3600.0
AT_ONCE = 500


def prune(now: datetime | None = None) -> int:
    """Delete what was done more than FARVIEW_HL7_DAYS ago; how many messages that were."""
    days = settings.FARVIEW_HL7_DAYS
    if not days:
        return 0
    before = (now or timezone.now()) - timedelta(days=days)
    gone = 0
    while some := patiently(lambda: _some(before)):
        gone += some
    return gone


def _some(before: datetime) -> int:
    old = InboundMessage.objects.filter(state=APPLIED, received_at__lt=before).order_by("id")
    keys = list(old.values_list("pk", flat=True)[:AT_ONCE])
    if keys:
        InboundMessage.objects.filter(pk__in=keys).delete()
        audit.record("hl7.prune", actor=ACTOR, detail={"messages": len(keys), "before": before.isoformat()})
    return len(keys)


async def pruning() -> None:
    """The task."""
    await repeatedly(database(prune), PERIOD_SECONDS, "messages that were done long ago")
