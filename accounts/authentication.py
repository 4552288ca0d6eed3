"""Who is asking: a person with a session cookie, or a program with `Authorization: Bearer TOKEN`.

A request that carries a bearer token is the token's alone: a cookie beside it counts for nothing, and so there is nothing
a forged page could ride on (no CSRF check).
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user
from django.db import OperationalError
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.origin import Request as Origin
from accounts.origin import header
from accounts.second_factor import must_set_up
from accounts.sessions import number_of

PREFIX = "farview_"
LAST_USE_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who holds a connection, and until when. `still_good` says whether they may keep it."""

    user: User
    epoch: int
    token_id: int | None = None
    session: int | None = None
    """The number of the session's row, which stays when the session's key changes."""
    ends_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    """Of the token; none: all that its person may."""


def digest_of(raw: str) -> str:
    """How a secret is kept: SHA-256, in hexadecimal. 256 random bits need no slow hash."""
    return hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()


def issue(user: User, name: str = "", expires: datetime | None = None, scopes: Iterable[str] = ()) -> str:
    """A new API token for `user`, of these `accounts.scopes` alone (none: all that its person may); the one moment at which
    it can be read."""
    raw = PREFIX + secrets.token_urlsafe(32)
    kept = {"digest": digest_of(raw), "name": name[:100], "expires_at": expires, "scopes": sorted(set(scopes))}
    ApiToken.objects.create(user=user, **kept)
    return raw


def live_token(raw: str) -> ApiToken | None:
    """The token row behind `raw`, with its user: neither revoked nor expired, its person not disabled."""
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(_not_expired(now), digest=digest_of(raw), revoked_at=None, user__is_active=True)
        .first()
    )
    if token and (token.last_used_at is None or now - token.last_used_at >= LAST_USE_STEP):
        with contextlib.suppress(OperationalError):  # a busy database: the note can wait, the caller need not
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def user_for_token(raw: str) -> User | None:
    """The person for whom a program shows `raw`, or None."""
    token = live_token(raw)
    return token.user if token else None


def bearer_of(request: Origin) -> str | None:
    """The raw bearer token of a request or of a WebSocket's scope; None when none is shown."""
    scheme, _, raw = header(request, "authorization").partition(" ")
    return raw.strip() if scheme.lower() == "bearer" else None


def principal_of_scope(scope: Mapping[str, Any]) -> Principal | None:
    """Who opens a WebSocket: by bearer token, else by `scope["session"]`, a session store; None: nobody.

    Asks the database: call it in a thread.
    """
    raw = bearer_of(scope)
    if raw is not None:
        token = live_token(raw)
        return principal_of_token(token) if token else None
    session = scope.get("session")
    if session is None:
        return None
    request = HttpRequest()
    request.session = session
    user = get_user(request)
    if not isinstance(user, User) or not user.is_active or must_set_up(user, session):
        return None
    number = number_of(session)
    if number is None:  # it has no row by which it could be ended
        return None
    return Principal(user, user.epoch, session=number, ends_at=session.get_expiry_date())


def principal_of_token(token: ApiToken) -> Principal:
    scopes = tuple(token.scopes)
    return Principal(token.user, token.user.epoch, token_id=token.pk, ends_at=token.expires_at, scopes=scopes)


def still_good(principals: Iterable[Principal]) -> list[bool]:
    """For each principal, whether nothing was withdrawn since it connected. One query for all of them."""
    asked = list(principals)
    people = User.objects.filter(pk__in={one.user.pk for one in asked}, is_active=True)
    epochs = dict(people.values_list("pk", "epoch"))
    now = timezone.now()
    return [epochs.get(one.user.pk) == one.epoch and (one.ends_at is None or one.ends_at > now) for one in asked]


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer TOKEN` for the REST framework. `BearerMiddleware` has looked it up already."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        if bearer_of(request) is None:
            return None
        token = getattr(request._request, "api_token", None) or live_token(bearer_of(request) or "")
        if token is None:
            raise exceptions.AuthenticationFailed("This token is unknown, expired or revoked.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="farview"'


def _not_expired(now: datetime) -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=now)
