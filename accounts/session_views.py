"""The page of one's own sessions, and what a page asks about the session that it belongs to."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import idle, openid, reauthentication, sessions, single_sign_on
from accounts.content_security import allow_forms_to
from accounts.models import User

OTHERS = "others"


@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """Everyone's own, this one first."""
    rows, own = sessions.of(request.user), sessions.number_of(request.session)
    told = [
        {
            "pk": row.pk,
            "what": sessions.described(row.user_agent) or gettext("Unknown browser"),
            "address": "" if row.ip == sessions.NOWHERE else row.ip,
            "since": row.created_at,
            "seen": row.last_seen_at,
            "this": row.pk == own,
        }
        for row in rows
    ]
    told.sort(key=lambda one: not one["this"])
    hours = settings.SESSION_COOKIE_AGE // 3600
    return render(
        request, "accounts/sessions.html", {"sessions": told, "hours": hours, **_limits(), **_sign_on(request)}
    )


def _sign_on(request: HttpRequest) -> dict[str, bool]:
    """Whether this account is connected with the provider of single sign-on, where there is one."""
    if not openid.configured():
        return {}
    allow_forms_to(request, openid.origin())
    return {"connected": single_sign_on.is_connected(request.user)}


def _limits() -> dict[str, int]:
    longest = idle.limit()
    return {"minutes": round(longest.total_seconds() / 60)} if longest else {}


@require_POST
def session_end(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions (`session`: its number), or all the others ("others"). Whoever proved long ago who they
    are proves it before another session is ended (ASVS 5.0, 7.5.2)."""
    which, own = request.POST.get("session", ""), sessions.number_of(request.session)
    if which != str(own) and (asking := reauthentication.asked_first(request, reverse("sessions"))):
        return redirect(asking)
    if which == OTHERS:
        sessions.end_others(request.user, own, request)
        return redirect("sessions")
    row = next((one for one in sessions.of(request.user) if str(one.pk) == which), None)
    if row is None:
        raise Http404
    sessions.end(row, why="signed out from another session", actor=request.user, request=request)
    return redirect("sign-in" if row.pk == own else "sessions")


@never_cache
@require_http_methods(["GET", "POST"])
def session_state(request: HttpRequest) -> JsonResponse:
    """How long this session lasts. POST says that its person has just done something (`accounts.idle` notes it)."""
    if not request.user.is_authenticated or getattr(request, "api_token", None) is not None:
        return JsonResponse({"signed_in": False})
    told = {"signed_in": True, "name": request.user.get_username(), "form_token": get_token(request)}
    return JsonResponse({**told, **idle.remaining(request), "signs_by": _signs_by(request.user)})


def _signs_by(person: User) -> dict[str, Any]:
    """How this person confirms a signature: whether by a password, and at which page ("": none) without one."""
    return {"password": person.has_usable_password(), "page": reauthentication.asked_at(person)}
