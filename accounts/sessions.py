"""Where a person is signed in: one row for each session, seen and ended by that person and by who administers them."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import import_module
from ipaddress import ip_address

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import audit
from accounts.acts import ACTS
from accounts.models import User
from accounts.origin import Request, client_address

NOWHERE = "::"
"""Of a session that no network brought."""

PROVIDER = "provider_session"
"""In a session that the provider of single sign-on began, and in its row: the provider's own name of its session, or ""."""


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
    row, _ = UserSession.objects.update_or_create(session_key=request.session.session_key, defaults=told)
    ACTS.adopt(row.session_key, row.last_seen_at)
    return row


def of(person: User) -> list[UserSession]:
    """The sessions of `person` that still hold, newest act first. Rows of others are swept."""
    rows = list(UserSession.objects.filter(user=person).order_by("-last_seen_at", "-pk"))
    live = living({row.session_key for row in rows})
    gone = [row.pk for row in rows if row.session_key not in live]
    if gone:
        UserSession.objects.filter(pk__in=gone).delete()
    return [row for row in rows if row.session_key in live]


def living(keys: set[str]) -> set[str]:
    """Those of `keys` whose session is still kept and not past its hour."""
    model = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()
    found = model._default_manager.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(found.values_list("session_key", flat=True)) if keys else set()


def end(row: UserSession, *, why: str, actor: User | str = "", request: Request | None = None) -> None:
    """End one session: the next request of its browser is nobody's, and its sockets close within seconds."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    with transaction.atomic():
        store().delete(row.session_key)
        ACTS.forget(row.session_key)
        row.delete()
        person = row.user.get_username()
        audit.record(
            "session.end",
            actor=actor or row.user,
            request=request,
            origin="" if request else row.ip,
            detail={"person": person, "why": why},
        )


def end_others(person: User, kept: str | None, request: Request) -> int:
    """End every session of `person` but the one whose key is `kept`; how many."""
    rows = [row for row in of(person) if row.session_key != kept]
    for row in rows:
        end(row, why="signed out from another session", actor=person, request=request)
    return len(rows)


def let_go(key: str | None) -> None:
    """The session ended in order: its row goes with it."""
    if key:
        UserSession.objects.filter(session_key=key).delete()
        ACTS.forget(key)


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


def _address(request: HttpRequest) -> str:
    try:
        return str(ip_address(client_address(request)))
    except ValueError:
        return NOWHERE
