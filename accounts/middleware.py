"""What every request meets before and after the policy: its bearer token, and that no cache keeps what is guarded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.cache import patch_vary_headers

from accounts import idle
from accounts.authentication import bearer_of, live_token
from accounts.either import Either
from accounts.policy import METHODS, not_found, refusal, rule_named
from accounts.sessions import KEY_IS_DUE, renew


class SessionMiddleware(sessions.SessionMiddleware):
    """As Django's, but a key that is due anew is changed as the answer leaves, and no answer takes away a cookie that this
    request did not end: a question that was on its way when the key changed would sign its browser out."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if getattr(request, KEY_IS_DUE, False) and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            renew(request)
        answer: HttpResponseBase = super().process_response(request, response)
        if not request.session.modified:
            answer.cookies.pop(settings.SESSION_COOKIE_NAME, None)
        return answer


class BearerMiddleware(Either):
    """`Authorization: Bearer TOKEN` decides who asks, at every door; a cookie beside it counts for nothing.

    Sets `request.user` and `request.api_token` (None: no such token). No cookie counts, so no CSRF check is made.
    """

    def __call__(self, request: HttpRequest) -> Any:
        raw = bearer_of(request)
        if self.waits:
            return self._later(request, raw)
        if raw is not None:
            self._decide(request, raw)
        return self.get_response(request)

    async def _later(self, request: HttpRequest, raw: str | None) -> HttpResponseBase:
        if raw is not None:
            await sync_to_async(self._decide)(request, raw)
        return await self.get_response(request)

    def _decide(self, request: HttpRequest, raw: str) -> None:
        token = live_token(raw)
        user = token.user if token else AnonymousUser()

        async def auser() -> Any:
            return user

        request.api_token, request.user, request.auser = token, user, auser  # type: ignore[attr-defined]
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]


class PolicyMiddleware(Either):
    """Asks the table before any view runs; a request refused here has cost no view, no form and no CSRF check.

    What is behind a rule is kept by no browser and no proxy, unless the view says otherwise.
    """

    def __call__(self, request: HttpRequest) -> Any:
        return self._later(request) if self.waits else self._guarded(request, self.get_response(request))

    async def _later(self, request: HttpRequest) -> HttpResponseBase:
        return self._guarded(request, await self.get_response(request))

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """By now the user of session or token is known, and which door this is."""
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        if request.resolver_match:
            idle.look(request, request.resolver_match.view_name)
        return refusal(request, request.resolver_match) if request.resolver_match else not_found(request)

    def _guarded(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        rule = rule_named(request.resolver_match.view_name) if request.resolver_match else None
        if rule is None or not rule.public:
            response.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ["Cookie", "Authorization"])
        return response
