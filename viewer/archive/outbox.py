"""News: a row written in the transaction that made it true, tailed by id by whoever has sockets to tell."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from accounts.models import Organization
from accounts.tables import Table
from viewer.models import Outbox

KEPT = timedelta(days=2)
ROWS = Table(Outbox)


def announce(kind: str, organization: Organization, payload: dict[str, Any]) -> None:
    """Write one piece of news inside the caller's transaction. `payload` holds UIDs and counts, never a name."""
    ROWS.insert([Outbox(kind=kind, organization=organization, payload=payload)])


def newest() -> int:
    """The id of the newest row (0 without any): where a tail begins."""
    return Outbox.objects.aggregate(newest=Max("id"))["newest"] or 0


def since(seen: int, limit: int = 500) -> list[Outbox]:
    """Rows after the id `seen`, oldest first, `limit` at most, each with its organization."""
    return list(Outbox.objects.filter(id__gt=seen).select_related("organization").order_by("id")[:limit])


def prune() -> int:
    """Remove news that everyone has heard long ago; returns how many rows. The newest row stays, so that ids go on."""
    return Outbox.objects.filter(created_at__lt=timezone.now() - KEPT, id__lt=newest()).delete()[0]
