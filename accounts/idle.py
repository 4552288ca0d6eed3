"""A session in which nothing was done for a while ends, also for the sockets that it opened.

An act is a person's own: a page is opened, something is changed, a view is moved. Heartbeats, news and pictures that load
are none. Acts are kept in memory, and at most once a minute (`STEP`) in the session's row, where other processes read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user, logout
from django.db import OperationalError
from django.http import HttpRequest
from django.utils import timezone

from accounts import sessions
from accounts.acts import ACTS
from accounts.authentication import bearer_of
from accounts.models import User
from accounts.policy import SAFE_METHODS

STEP = timedelta(minutes=1)
SILENT_DOORS = frozenset({"api-worklist-heartbeat", "api-report-lock", "api-viewed", "csp-report", "sign-out"})
"""Doors that pages knock at by themselves."""
MOVING = ('"view.change"', '"measure"')
"""Words of the socket's messages that a person causes."""


def limit() -> timedelta | None:
    """How long nothing may be done; None: as long as one likes."""
    minutes = float(settings.FARVIEW_IDLE_MINUTES)
    return timedelta(minutes=minutes) if minutes else None


def step() -> timedelta:
    """How often a row is told at most."""
    longest = limit()
    return min(STEP, longest / 4) if longest else STEP


def keep(numbers: Iterable[int] | None = None) -> None:
    """Tell the rows what was done. A busy database: the next time."""
    for number, at in ACTS.take_unwritten(timezone.now(), step(), numbers).items():
        try:
            UserSession.objects.filter(pk=number, last_seen_at__lt=at).update(last_seen_at=at)
        except OperationalError:
            return


def last_acts(numbers: Iterable[int]) -> dict[int, datetime]:
    """The last act of each session that is known, by its row's number; rows are asked only where memory says it is long ago."""
    asked, longest, now = set(numbers), limit() or STEP, timezone.now()
    fresh = {number: at for number in asked if (at := ACTS.last(number)) and now - at < longest}
    rest = asked - fresh.keys()
    if rest:
        rows = UserSession.objects.filter(pk__in=rest)
        for number, at in rows.values_list("pk", "last_seen_at"):
            ACTS.adopt(number, at)
            fresh[number] = max(at, ACTS.last(number) or at)
    return fresh


def idle_among(numbers: Iterable[int]) -> set[int]:
    """Sessions in which nothing was done for too long. One that no row knows is not among them."""
    longest, now = limit(), timezone.now()
    if longest is None:
        return set()
    return {number for number, at in last_acts(numbers).items() if now - at >= longest}


def is_act(request: HttpRequest, door: str) -> bool:
    """Whether a person caused this request: what a page fetches by itself counts for nothing."""
    if door in SILENT_DOORS:
        return False
    if request.method not in SAFE_METHODS:
        return True
    wanted = request.headers.get("Sec-Fetch-Dest") or ("document" if _wants_page(request) else "")
    return wanted == "document" or not request.headers.get("User-Agent", "").startswith("Mozilla/")


def _wants_page(request: HttpRequest) -> bool:
    """Browsers name the destination only over TLS and on this machine itself."""
    return "text/html" in request.headers.get("Accept", "")


def look(request: HttpRequest, door: str) -> None:
    """End the session of `request` where nothing was done for too long; else note whether this is an act."""
    session = getattr(request, "session", None)
    if session is None or bearer_of(request) is not None or not session.session_key or SESSION_KEY not in session:
        return
    number = session.get(sessions.NUMBER)
    if number is not None and idle_among((number,)):
        end(request)
        return
    if number is None or ACTS.last(number) is None:  # no row, or an older version's
        number = _begin_anew(request)
    if number is not None and is_act(request, door):
        ACTS.note(number, timezone.now())
        keep((number,))


def end(request: HttpRequest) -> None:
    """Sign out for want of acts. The record says so."""
    request.sign_out_by = "idle"  # type: ignore[attr-defined]
    logout(request)
    request.signed_out_idle = True  # type: ignore[attr-defined]


def _begin_anew(request: HttpRequest) -> int | None:
    user: Any = get_user(request)
    return sessions.begin(request, user).pk if isinstance(user, User) else None


def end_sessions_that_are_idle(numbers: Iterable[int]) -> set[int]:
    """End those of `numbers` in which nothing was done for too long, and write it down; which they were."""
    found = idle_among(numbers)
    for row in UserSession.objects.filter(pk__in=found).select_related("user"):
        sessions.end(row, why="idle")
    return found


def told_by_socket(number: int | None, text: str) -> None:
    """A message came by a socket of session `number`: memory alone is told, the watch tells the row."""
    if number is not None and any(word in text[:200] for word in MOVING):
        ACTS.note(number, timezone.now())


def remaining(request: HttpRequest) -> dict[str, float | None]:
    """Seconds until the session ends by itself: for want of acts, and at its fixed hour."""
    now, longest, number = timezone.now(), limit(), sessions.number_of(request.session) or 0
    at = last_acts((number,)).get(number, now)
    return {
        "idle_seconds": longest.total_seconds() if longest else None,
        "idle_ends_in": max(0.0, (at + longest - now).total_seconds()) if longest else None,
        "ends_in": max(0.0, (request.session.get_expiry_date() - now).total_seconds()),
    }
