"""Every few seconds the database is asked whether everyone who is connected still may be.

News of a withdrawn right is the short cut; this is what holds when news is lost. One task a process, a few small queries
whatever the number of connections. Sessions in which nothing was done for too long end here, too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

from django.utils import timezone

from accounts import idle
from accounts.authentication import still_good
from accounts.models import ApiToken, Membership
from accounts.sessions import living
from viewer.models import Grant
from viewer.serving.database import database
from viewer.serving.entrance import Guest

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0

Withdraw = Callable[[], Awaitable[None]]


class Watch:
    """Who is connected, and how to end it."""

    def __init__(self) -> None:
        self._connected: dict[object, tuple[Guest, Withdraw]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def add(self, key: object, guest: Guest, withdraw: Withdraw) -> None:
        """`withdraw` is awaited once when `guest` loses any right that they came with."""
        self._connected[key] = (guest, withdraw)

    def remove(self, key: object) -> None:
        self._connected.pop(key, None)

    def count(self, guest: Guest) -> int:
        """How many connections the person behind `guest` has."""
        who = guest.principal.user.pk
        return sum(other.principal.user.pk == who for other, _ in self._connected.values())

    async def check(self) -> None:
        """Ask once, and end every connection that is no longer good."""
        asked = list(self._connected.items())
        if not asked:
            return
        good = await database(unchanged)([guest for _, (guest, _) in asked])
        for (key, (_, withdraw)), holds in zip(asked, good, strict=True):
            if not holds and self._connected.pop(key, None):
                # Not awaited here: one connection that is slow to end must not keep the others open.
                task = asyncio.ensure_future(withdraw())
                self._ending.add(task)
                task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            logger.error("a connection did not end in order", exc_info=problem)

    async def run(self) -> None:
        """Check for as long as the process serves."""
        while True:
            try:
                await self.check()
            except Exception:
                logger.exception("cannot ask who may stay connected")
            await asyncio.sleep(PERIOD_SECONDS)


def unchanged(guests: Iterable[Guest]) -> list[bool]:
    """For each guest, whether the database still says what it said when they came in."""
    asked = list(guests)
    people = {guest.principal.user.pk for guest in asked}
    rights: dict[int, set[tuple[int, str, str]]] = {}
    held = Membership.objects.filter(user__in=people)
    for user, pk, name, role in held.values_list("user_id", "organization_id", "organization__name", "role"):
        rights.setdefault(user, set()).add((pk, name, role))
    sessions = _live_sessions({g.principal.session for g in asked if g.principal.session})
    tokens = _live_tokens({g.principal.token_id for g in asked if g.principal.token_id})
    ran_out = _grants_run_out(asked)
    return [
        good
        and guest.rights == rights.get(guest.principal.user.pk, set())
        and (not guest.principal.session or guest.principal.session in sessions)
        and (not guest.principal.token_id or guest.principal.token_id in tokens)
        and ran_out.get(guest.principal.user.pk, guest.came) <= guest.came
        for guest, good in zip(asked, still_good(guest.principal for guest in asked), strict=True)
    ]


def _grants_run_out(asked: list[Guest]) -> dict[int, datetime]:
    """When the last grant of each person (by row id) ran out, where that was since the first of them came."""
    if not asked:
        return {}
    found = Grant.objects.filter(
        user__in={guest.principal.user.pk for guest in asked},
        until__gt=min(guest.came for guest in asked),
        until__lte=timezone.now(),
    )
    return dict(found.order_by("until").values_list("user_id", "until"))


def _live_sessions(numbers: set[int]) -> set[int]:
    """Those in which something was done lately; the others are ended. What was done is told to the rows."""
    idle.keep()
    return living(numbers) - idle.end_sessions_that_are_idle(numbers)


def _live_tokens(keys: set[int]) -> set[int]:
    found = ApiToken.objects.filter(pk__in=keys, revoked_at=None).exclude(expires_at__lte=timezone.now())
    return set(found.values_list("pk", flat=True)) if keys else set()
