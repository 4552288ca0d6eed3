"""Where a person is signed in: one row for each session, seen and ended by that person and by who administers them.

The row's number names the session for as long as it lasts: sockets and the clock of idleness hold it by that. Its key, which
the cookie carries, is another one each time that its person is asked again who they are (ASVS 5.0, 7.2.4).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from datetime import timedelta
from importlib import import_module
from ipaddress import ip_address
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.acts import ACTS
from accounts.models import User
from accounts.origin import Request, client_address

logger = logging.getLogger(__name__)

NOWHERE = "::"
"""Of a session that no network brought."""

PROVIDER = "provider_session"
"""In a session that the provider of single sign-on began, and in its row: the provider's own name of its session, or ""."""
NUMBER = "session_number"
"""In a session: the number of its row."""
KEY_IS_DUE = "session_key_is_due"
"""Of a request: its answer leaves with a new key."""


def begin(request: HttpRequest, user: User) -> UserSession:
    """The row of the session of `request`, whose key is made now where it has none."""
    if not request.session.session_key:
        request.session.save()
    UserSession.objects.filter(created_at__lt=timezone.now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)).delete()
    told = {
        "user": user,
        "ip": _address(request),
        "user_agent": request.META.get("HTTP_USER_AGENT", "")[: UserSession._meta.get_field("user_agent").max_length],
        "last_seen_at": timezone.now(),
        "data": {PROVIDER: request.session[PROVIDER]} if PROVIDER in request.session else {},
    }
    known = UserSession.objects.filter(pk=request.session.get(NUMBER), user=user).update(
        session_key=request.session.session_key, **told
    )
    if known:
        row = UserSession.objects.get(pk=request.session[NUMBER])
    else:
        row, _ = UserSession.objects.update_or_create(session_key=request.session.session_key, defaults=told)
        request.session[NUMBER] = row.pk
    ACTS.adopt(row.pk, row.last_seen_at)
    return row


def number_of(session: SessionBase) -> int | None:
    """Of the row of this session; None: it has none. A session begun by an older version is known by its key."""
    number: int | None = session.get(NUMBER)
    if number is None and session.session_key:
        rows = UserSession.objects.filter(session_key=session.session_key)
        number = rows.values_list("pk", flat=True).first()
    return number


def stored(number: int) -> SessionBase | None:
    """The session of row `number` as it is kept by now, whatever its key was before; None: it has ended."""
    key = UserSession.objects.filter(pk=number).values_list("session_key", flat=True).first()
    return _store()(key) if key else None


def ask_for_new_key(request: Any) -> None:
    """Its person was asked again who they are: the answer to `request` brings their browser a new key, and the old one is
    nobody's. Later than now, so that the other questions of the same page meet the old key for a moment as short as can be.
    """
    request = getattr(request, "_request", request)  # the REST framework's wraps Django's
    if isinstance(request, HttpRequest) and getattr(request, "api_token", None) is None:
        setattr(request, KEY_IS_DUE, True)


def renew(request: HttpRequest) -> None:
    """A new key for the session of `request`, under the same row. Where that cannot be stored the key stays, and the log
    says so: what was done under it stands."""
    try:
        _renew(request)
    except OperationalError:
        logger.exception("a session keeps its key: the database is busy")


@transaction.atomic
def _renew(request: HttpRequest) -> None:
    old = request.session.session_key
    row = UserSession.objects.select_for_update().filter(session_key=old).first() if old else None
    if old is None or row is None:  # it has ended, or another request was quicker
        return
    held = dict(request.session.items()) if request.session.modified else _store()(old).load()
    fresh = _store()()
    fresh.update(held)
    fresh.create()
    UserSession.objects.filter(pk=row.pk).update(session_key=fresh.session_key)
    fresh.delete(old)
    request.session = fresh


def follow(request: HttpRequest) -> None:
    """Django gave the session of `request` a new key: its row is told."""
    UserSession.objects.filter(pk=request.session.get(NUMBER)).update(session_key=request.session.session_key)


def of(person: User) -> list[UserSession]:
    """The sessions of `person` that still hold, newest act first. Rows of others are swept."""
    rows = UserSession.objects.filter(user=person)
    rows.exclude(_kept()).delete()
    return list(rows.filter(_kept()).order_by("-last_seen_at", "-pk"))


def living(numbers: Iterable[int]) -> set[int]:
    """Those of `numbers` whose session is still kept and not past its hour."""
    asked = set(numbers)
    found = UserSession.objects.filter(_kept(), pk__in=asked)
    return set(found.values_list("pk", flat=True)) if asked else set()


def _kept() -> Exists:
    """Of rows: their session is there. In one question, for between two its key might change."""
    model = _store().get_model_class()
    kept = model._default_manager.filter(session_key=OuterRef("session_key"), expire_date__gt=timezone.now())
    return Exists(kept)


def end(row: UserSession, *, why: str, actor: User | str = "", request: Request | None = None) -> None:
    """End one session: the next request of its browser is nobody's, and its sockets close within seconds."""
    with transaction.atomic():
        _close(row.pk)
        person = row.user.get_username()
        audit.record(
            "session.end",
            actor=actor or row.user,
            request=request,
            origin="" if request else row.ip,
            detail={"person": person, "why": why},
        )


def end_others(person: User, kept: int | None, request: Request) -> int:
    """End every session of `person` but the one of row `kept`; how many."""
    rows = [row for row in of(person) if row.pk != kept]
    for row in rows:
        end(row, why="signed out from another session", actor=person, request=request)
    return len(rows)


def let_go(session: SessionBase) -> None:
    """The session ended in order: its row goes with it."""
    number = number_of(session)
    if number is not None:
        with transaction.atomic():
            _close(number)


def _close(number: int) -> None:
    """Row and session go, whichever key the session has by now."""
    for row in UserSession.objects.select_for_update().filter(pk=number):
        _store()().delete(row.session_key)
        row.delete()
    ACTS.forget(number)


def of_people(people: QuerySet[User]) -> QuerySet[UserSession]:
    return UserSession.objects.filter(user__in=people)


def described(user_agent: str) -> str:
    """ "Firefox, Windows": what a User-Agent means to a person; of a program its first word."""
    browser = next((name for name, pattern in BROWSERS if re.search(pattern, user_agent)), "")
    system = next((name for name, pattern in SYSTEMS if re.search(pattern, user_agent)), "")
    return ", ".join(filter(None, (browser, system))) or user_agent.split("/")[0].split(" ")[0][:40]


BROWSERS = (
    ("Edge", r"\bEdg(e|A|iOS)?/"),
    ("Opera", r"\bOPR/"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Firefox", r"\b(Firefox|FxiOS)/"),
    ("Chrome", r"\b(Headless)?(Chrome|CriOS|Chromium)/"),
    ("Safari", r"\bSafari/"),
)
"""The first that fits: each of them names those below it, too."""
SYSTEMS = (
    ("iPad", r"\biPad\b"),
    ("iPhone", r"\biPhone\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("Linux", r"\bLinux\b"),
)


def _store() -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore


def _address(request: HttpRequest) -> str:
    try:
        return str(ip_address(client_address(request)))
    except ValueError:
        return NOWHERE
