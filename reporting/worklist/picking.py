"""What to read next."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.utils import timezone

from accounts.models import REPORTING_ROLES, User
from accounts.origin import Request
from reporting.models import ReadingItem
from reporting.worklist import double_reading
from reporting.worklist.claiming import claimed, holder, writing
from reporting.worklist.events import locked, whole
from reporting.worklist.listing import Question, matching, ranked

SKIPPED = 200
LOOKED_AT = 50
"""Items whose rows are read to find one that is still free."""
WAITING = ("ready", "assigned")


def take_next(
    user: User, asked: Question | None = None, skip: Collection[int] = (), request: Request | None = None
) -> ReadingItem | None:
    """Claim the first item of the worklist that nobody reads: of those assigned to `user`, else of those assigned to nobody,
    within `asked`. None: nothing waits."""
    question = replace(asked or Question(), tab="", status=WAITING, sort="score")

    def write() -> ReadingItem | None:
        now = timezone.now()
        found = matching(user, question, now).exclude(pk__in=list(skip))
        found = found.filter(organization__in=user.organizations_as(REPORTING_ROLES), study__isnull=False)
        found = found.exclude(pk__in=double_reading.not_for(user).values("pk"))
        for rows in (found.filter(assigned_to=user), found.filter(assigned_to=None)):
            for place in ranked(rows, "score", now)[:LOOKED_AT]:
                item = locked(place.pk)
                if holder(item) is not None or item.status not in (*WAITING, "claimed"):
                    continue
                writer = writing(item)
                if writer is None or writer[0].pk == user.pk:
                    return claimed(item, user, request=request)
        return None

    return whole(write)
