"""Finding events in the record: whose events somebody may read, and which came when, at a million rows as at ten."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.models import AuditEvent, Membership, Role, User

Accessions = Callable[[str], Iterable[str]]
ACCESSIONS: list[Accessions] = []
"""Who knows the Study Instance UIDs of an accession number: the app that keeps the studies says."""


def events_for(user: Any) -> QuerySet[AuditEvent]:
    """Those of organizations that `user` administers, and what their people did outside of any; all for the operator."""
    if not isinstance(user, User) or not user.is_active:
        return AuditEvent.objects.none()
    if user.is_superuser:
        return AuditEvent.objects.all()
    homes = user.organizations_as((Role.ADMIN,))
    names = list(homes.values_list("name", flat=True))
    if not names:
        return AuditEvent.objects.none()
    people = Membership.objects.filter(organization__in=homes).values("user__username")
    return AuditEvent.objects.alias(home=unlooked("organization")).filter(
        Q(home__in=names) | Q(home="", actor__in=people)
    )


def unlooked(column: str) -> Coalesce:
    """A text column for which no index is asked: a database that has to choose takes the order of the numbers then, or what is
    looked for, and never sorts all events of an organization."""
    return Coalesce(column, Value(""))


def first_since(moment: datetime) -> int:
    """The number of the first event at `moment` or later; one more than the newest where there is none.

    Events are written one after another, so their times go up with their numbers: twenty looks find one in a million, and no
    index has to be kept for it.
    """
    low, high = 1, _newest() + 1
    while low < high:
        middle = (low + high) // 2
        at = AuditEvent.objects.filter(sequence=middle).values_list("at", flat=True).first()
        if at is not None and at < moment:
            low = middle + 1
        else:
            high = middle
    return low


def _newest() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT MAX(sequence) FROM accounts_auditevent")
        (found,) = cursor.fetchone()
    return int(found or 0)
