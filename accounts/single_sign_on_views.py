"""The doors of single sign-on: to the provider and back, connecting an account with it, and being asked again by it."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.account.signals import user_logged_in
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from django.conf import settings
from django.dispatch import receiver
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from requests import RequestException

from accounts import audit, openid, reauthentication, sessions, single_sign_on
from accounts.models import User
from accounts.second_factor import BY_PROVIDER
from accounts.single_sign_on import NotLetIn

logger = logging.getLogger(__name__)

CONFIRM = "confirm"
"""Of a person who is signed in: the provider asks again who they are."""


class Adapter(DefaultSocialAccountAdapter):
    """Where allauth asks us what becomes of an answer of the provider."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        """The one of the settings, never one from the database."""
        return [openid.app()] if openid.configured() else []

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """The answer holds. What it was asked for is in its state; everything but signing in ends here."""
        process = sociallogin.state.get("process")
        try:
            if process in WAYS:
                raise ImmediateHttpResponse(WAYS[process](request, sociallogin))
            person = single_sign_on.let_in(
                sociallogin.user if sociallogin.is_existing else None, sociallogin.claims, request
            )
        except NotLetIn as refused:
            _record_failure(request, refused.reason, refused.person)
            raise ImmediateHttpResponse(_told(request, refused.words, HTTPStatus.FORBIDDEN)) from None
        sociallogin.user = person
        sociallogin.second_factor = single_sign_on.second_factor_in(sociallogin.claims, settings.FARVIEW_OIDC_MFA)

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> None:
        raise ImmediateHttpResponse(_failed(request, error, exception))


@receiver(user_logged_in)
def keep_the_providers_word(
    sender: type[User], request: HttpRequest, user: User, sociallogin: Any = None, **_: Any
) -> None:
    """A session that the provider began with a second factor is asked for no other, and ends with the provider's own."""
    if sociallogin is None:
        return
    request.session[sessions.PROVIDER] = str(sociallogin.claims.get("sid", ""))
    sessions.begin(request, user)
    if getattr(sociallogin, "second_factor", False):
        request.session[BY_PROVIDER] = True


def _connected(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    if not isinstance(request.user, User) or login.state.get("person") != request.user.pk:
        raise NotLetIn(ANOTHER, "another session")
    single_sign_on.connect(request.user, login.account.uid, request)
    return redirect("sessions")


def _confirmed(request: HttpRequest, login: SocialLogin) -> HttpResponse:
    """The provider has asked again: it must have been a moment ago, and the same person."""
    if not isinstance(request.user, User) or not login.is_existing or login.user.pk != request.user.pk:
        raise NotLetIn(ANOTHER, "another person confirmed")
    if not openid.asked_just_now(login.claims):
        raise NotLetIn(gettext("The provider did not ask you again. Nothing is confirmed."), "not asked again")
    record_authentication(
        request, request.user, "socialaccount", reauthenticated=True, provider=openid.PROVIDER, uid=login.account.uid
    )
    reauthentication.keep_proof(request, reauthentication.BY_PROVIDER)
    return redirect(login.state.get("next") or "confirmed")


WAYS = {AuthProcess.CONNECT: _connected, CONFIRM: _confirmed}
ANOTHER = "The provider knows you as somebody else than this window does. Nothing was changed."


@never_cache
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """Off to the provider, to sign in."""
    return _off(request, AuthProcess.LOGIN, _onward(request, "/"))


@never_cache
@require_safe
def confirm(request: HttpRequest) -> HttpResponse:
    """Off to the provider, which is to ask again (Core 3.1.2.1: prompt, max_age)."""
    onward = _onward(request, reverse("confirmed"))
    return _off(request, CONFIRM, onward, person=request.user.pk, prompt="login", max_age="0")


@require_POST
def connect(request: HttpRequest) -> HttpResponse:
    """Connect one's account with the provider, or part them. Who proved long ago who they are proves it first."""
    if reauthentication.stale(request, settings.ACCOUNT_REAUTHENTICATION_TIMEOUT):
        return redirect(f"{reverse('account_reauthenticate')}?next={reverse('sessions')}")
    if request.POST.get("part"):
        if request.user.has_usable_password():
            single_sign_on.disconnect(request.user, request)
        return redirect("sessions")
    return _off(request, AuthProcess.CONNECT, reverse("sessions"), person=request.user.pk)


@require_safe
def confirmed(request: HttpRequest) -> HttpResponse:
    """Who they are is proved; the window that asked goes on by itself."""
    return render(request, "accounts/confirmed.html")


@method_decorator(never_cache, name="dispatch")
class BackView(View):
    """The provider's answer."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not openid.configured():
            raise Http404
        try:
            return openid.Back.adapter_view(openid.OpenId(request))(request)
        except (OAuth2Error, RequestException, KeyError, TypeError, ValueError) as problem:
            return _failed(request, AuthError.UNKNOWN, problem)


def _off(request: HttpRequest, process: str, onward: str, person: int | None = None, **parameters: str) -> HttpResponse:
    if not openid.configured():
        raise Http404
    try:
        return openid.begin(request, process, onward, person, **parameters)
    except (OAuth2Error, RequestException, KeyError, TypeError, ValueError) as problem:
        return _failed(request, AuthError.UNKNOWN, problem)


def _onward(request: HttpRequest, otherwise: str) -> str:
    """Where to go afterwards: a page of this server, never another's."""
    asked = request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if ours else otherwise


def _failed(request: HttpRequest, error: Any, problem: Exception | None) -> HttpResponse:
    """In words for a person; what it was is for the log, which holds no token."""
    name = settings.FARVIEW_OIDC_NAME
    if error == AuthError.CANCELLED:
        return _told(request, gettext("You did not sign in with {name}.").format(name=name), HTTPStatus.OK)
    if isinstance(problem, RequestException):
        logger.warning("the OpenID provider cannot be asked: %s", type(problem).__name__)
        words = gettext("{name} cannot be reached. Sign in with name and password, or try again later.")
        return _told(request, words.format(name=name), HTTPStatus.BAD_GATEWAY)
    if problem is None:
        _record_failure(request, "no such question")
        words = gettext("This answer belongs to no question of this window, or came too late. Begin again.")
        return _told(request, words, HTTPStatus.BAD_REQUEST)
    told = str(problem) if isinstance(problem, OAuth2Error) and "retrieving" not in str(problem) else ""
    logger.warning("an answer of the OpenID provider was refused: %s", told or type(problem).__name__)
    _record_failure(request, "answer refused")
    words = gettext("The answer of {name} is not to be trusted, so nobody was signed in. Tell your administrator.")
    return _told(request, words.format(name=name), HTTPStatus.BAD_REQUEST)


def _told(request: HttpRequest, words: str, status: int) -> HttpResponse:
    return render(request, "accounts/single_sign_on.html", {"words": words}, status=status)


def _record_failure(request: HttpRequest, reason: str, person: User | None = None) -> None:
    who = person or (request.user if isinstance(request.user, User) else "")
    detail = {"by": single_sign_on.BY, "reason": reason}
    audit.record("sign-in", actor=who, request=request, outcome="failure", detail=detail)
