"""Signed out at the provider is signed out here: OpenID Connect Back-Channel Logout 1.0."""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from requests import RequestException

from accounts import audit, openid, rates, sessions
from accounts.models import AuditEvent
from accounts.origin import client_address

logger = logging.getLogger(__name__)

EVENT = "http://schemas.openid.net/event/backchannel-logout"
NEEDED = ("iss", "aud", "iat", "exp", "jti", "events")
TYPES = (None, "JWT", "logout+jwt")
OLDEST_SECONDS = 600
"""How long ago a logout token may have been made; so long its `jti` is remembered (2.6)."""
PACE = rates.Pace("signed out at the provider", 120, 120)
"""Each token makes us ask the provider for its keys."""
ACTION = "sign_on.logout"


@csrf_exempt
@never_cache
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """The provider says by a signed token whose session ended there (2.5 to 2.8)."""
    if not openid.configured():
        raise Http404
    wait = rates.buckets().take(PACE, client_address(request))
    if wait:
        return rates.too_many(request, wait)
    try:
        said = told_by(request.POST.get("logout_token", ""), openid.OpenId(request).openid_config)
        end_sessions(said, request)
    except (OAuth2Error, RequestException, KeyError, TypeError, ValueError) as problem:
        logger.warning("a logout of the OpenID provider was refused: %s", _words(problem))
        audit.record(ACTION, actor="", request=request, outcome="denied", detail={"reason": "not to be trusted"})
        return JsonResponse({"error": "invalid_request"}, status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(status=HTTPStatus.OK)


def told_by(raw: str, config: dict[str, Any]) -> dict[str, Any]:
    """The claims of a logout token. Raises OAuth2Error for what 2.6 does not let pass."""
    if not raw:
        raise OAuth2Error("there is no logout token")
    said = openid.signed_by_provider(raw, config, NEEDED)
    events = said["events"]
    faults = {
        "the token is of another kind": openid.type_of(raw) not in TYPES,
        "the token tells of no logout": not isinstance(events, dict) or not isinstance(events.get(EVENT), dict),
        "an ID token is no logout token": "nonce" in said,
        "the token names nobody": not any(isinstance(said.get(name), str) and said[name] for name in ("sub", "sid")),
        "the token is too old": time.time() - said["iat"] > OLDEST_SECONDS,
        "the token has no name of its own": not isinstance(said["jti"], str) or not said["jti"],
    }
    for fault, there in faults.items():
        if there:
            raise OAuth2Error(fault)
    return said


def end_sessions(said: dict[str, Any], request: HttpRequest) -> None:
    """End the sessions that the provider began and that the token names; their sockets close within seconds.
    Raises OAuth2Error for a token that was here before."""
    name = hashlib.sha256(said["jti"].encode()).hexdigest()
    with transaction.atomic():
        before = AuditEvent.objects.filter(
            action=ACTION, at__gt=timezone.now() - timedelta(seconds=2 * OLDEST_SECONDS), detail__token=name
        )
        if before.exists():
            raise OAuth2Error("the token was here before")
        rows = list(named_by(said).select_related("user"))
        for row in rows:
            sessions.end(row, why="signed out at the provider", request=request)
        audit.record(ACTION, actor="", request=request, detail={"token": name, "sessions": len(rows)})


def named_by(said: dict[str, Any]) -> QuerySet[UserSession]:
    """By `sub` all that the provider began for that person; by `sid` too, that one, and those of which it told no name."""
    subject, session = said.get("sub"), said.get("sid")
    rows = UserSession.objects.filter(**{f"data__{sessions.PROVIDER}__isnull": False})
    if subject:
        rows = rows.filter(user__socialaccount__provider=openid.PROVIDER, user__socialaccount__uid=subject)
    if session:
        key = f"data__{sessions.PROVIDER}"
        rows = rows.filter(Q(**{key: session}) | Q(**{key: ""}) if subject else Q(**{key: session}))
    return rows


def _words(problem: Exception) -> str:
    told = isinstance(problem, OAuth2Error) and "retrieving" not in str(problem)
    return str(problem) if told else type(problem).__name__
