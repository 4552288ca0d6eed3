"""Named questions to the worklist: a reader's own, and those that were shared with everybody who reads at a site."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import READING_ROLES, Organization, User
from reporting.models import SavedFilter
from reporting.worklist.events import whole
from reporting.worklist.listing import PARAMETERS, question
from reporting.worklist.refusals import BadOrder, Refused
from viewer.archive.query import NotFound

MOST = 50
"""Filters of one person."""
NOT_KEPT = ("page",)


def of_user(user: User) -> QuerySet[SavedFilter]:
    """Their own, and those shared to organizations where they read."""
    shared = Q(organization__in=user.organizations_as(READING_ROLES))
    found = SavedFilter.objects.filter(Q(owner=user) | shared).select_related("owner", "organization")
    return found.order_by("position", "name", "id")


def save(user: User, name: str, query: Any, organization: Organization | None, position: int = 0) -> SavedFilter:
    """Keep a question under a name; under a name that one has already it is the new question. Raises BadOrder, BadQuery."""
    name = name.strip()
    if not name or len(name) > 100:
        raise BadOrder("name", "a name of 1 to 100 characters is expected")
    if not isinstance(query, dict) or not all(isinstance(value, str) for value in query.values()):
        raise BadOrder("query", "an object of texts is expected, as the worklist's own address has them")
    kept = {key: value for key, value in query.items() if key in PARAMETERS and key not in NOT_KEPT and value}
    question(kept)

    def write() -> SavedFilter:
        if SavedFilter.objects.filter(owner=user).exclude(name=name).count() >= MOST:
            raise Refused(f"You have {MOST} filters, and no more can be kept.")
        values = {"query": kept, "organization": organization, "position": position}
        found, _ = SavedFilter.objects.update_or_create(owner=user, name=name, defaults=values)
        return found

    return whole(write)


def drop(user: User, key: int) -> None:
    """Forget one's own. Raises NotFound."""
    if not whole(lambda: SavedFilter.objects.filter(owner=user, pk=key).delete()[0]):
        raise NotFound("there is no such filter of yours")
