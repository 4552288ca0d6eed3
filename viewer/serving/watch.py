"""Every few seconds the database is asked whether everyone who is connected still may be.

News of a withdrawn right is the short cut; this is what holds when news is lost. One task a process, three small queries
whatever the number of connections.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

from accounts.authentication import still_good
from accounts.models import ApiToken, Membership
from viewer.serving.database import database
from viewer.serving.entrance import Guest

if TYPE_CHECKING:
    from django.contrib.sessions.base_session import AbstractBaseSession

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
    sessions = _live_sessions({g.principal.session_key for g in asked if g.principal.session_key})
    tokens = _live_tokens({g.principal.token_id for g in asked if g.principal.token_id})
    return [
        good
        and guest.rights == rights.get(guest.principal.user.pk, set())
        and (not guest.principal.session_key or guest.principal.session_key in sessions)
        and (not guest.principal.token_id or guest.principal.token_id in tokens)
        for guest, good in zip(asked, still_good(guest.principal for guest in asked), strict=True)
    ]


def _live_sessions(keys: set[str]) -> set[str]:
    model: type[AbstractBaseSession] = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    found = model._default_manager.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(found.values_list("session_key", flat=True)) if keys else set()


def _live_tokens(keys: set[int]) -> set[int]:
    found = ApiToken.objects.filter(pk__in=keys, revoked_at=None).exclude(expires_at__lte=timezone.now())
    return set(found.values_list("pk", flat=True)) if keys else set()
