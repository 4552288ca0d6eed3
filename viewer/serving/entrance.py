"""Who opens a connection, and whether their browser was sent by one of our own pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.authentication import Principal, bearer_of, principal_of_scope
from accounts.origin import header
from accounts.sessions import stored

Rights = frozenset[tuple[int, str, str]]
"""(organization id, organization name, role) of everything a person may do."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A person who was let in, and the rights they held at that moment."""

    principal: Principal
    rights: Rights
    came: datetime = field(default_factory=timezone.now)

    def organizations_as(self, roles: tuple[str, ...]) -> dict[int, str]:
        """Names by id of the organizations where this person holds one of `roles`."""
        return {pk: name for pk, name, role in self.rights if role in roles}


def guest_of(scope: Mapping[str, Any]) -> Guest | None:
    """Whoever the headers of a request or a socket sign in: a bearer token, else the session's cookie. None: nobody.

    Asks the database: call it in a thread.
    """
    if bearer_of(scope) is None and (key := session_key(scope)):
        store = import_module(settings.SESSION_ENGINE).SessionStore
        scope = {**scope, "session": store(key)}
    return _guest(principal_of_scope(scope))


def _guest(principal: Principal | None) -> Guest | None:
    if principal is None:
        return None
    held = principal.user.memberships.values_list("organization_id", "organization__name", "role")
    return Guest(principal, frozenset(held))


def guest_again(guest: Guest, scope: Mapping[str, Any]) -> Guest | None:
    """Whoever `guest` is by now: by their session, also under a key that their socket did not come with. None: nobody."""
    if guest.principal.session is None:
        return guest_of(scope)
    return _guest(principal_of_scope({**scope, "session": stored(guest.principal.session)}))


def session_key(scope: Mapping[str, Any]) -> str:
    """The session's key from the Cookie header; empty when there is none."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header(scope, "cookie"))
    except CookieError:
        return ""
    found = jar.get(settings.SESSION_COOKIE_NAME)
    return found.value if found else ""


def from_our_pages(scope: Mapping[str, Any]) -> bool:
    """True for a socket by token, or by a cookie whose page has exactly one of our addresses.

    A browser sends its cookies wherever a foreign page points a WebSocket; only the Origin tells who asks.
    """
    return bearer_of(scope) is not None or header(scope, "origin") in settings.FARVIEW_ORIGINS
