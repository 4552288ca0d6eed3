"""Coming in and going out."""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.internal.flows.login import perform_login, perform_password_login, record_authentication
from allauth.account.models import Login
from django.contrib.auth import logout, update_session_auth_hash, views
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods
from django.views.generic import FormView

from accounts import audit, sessions
from accounts.adapter import relying_party
from accounts.forms import SignInForm
from accounts.links import person_of_link, use_link

logger = logging.getLogger(__name__)


class SignIn(views.LoginView):
    """One name, one password; then the second factor of whoever has one. Whoever is signed in already is sent on."""

    form_class = SignInForm
    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "relying_party": relying_party()}

    def form_valid(self, form: SignInForm) -> HttpResponse:
        person = form.get_user()
        return perform_password_login(self.request, {}, Login(user=person, redirect_url=self.get_success_url()))

    def form_invalid(self, form: SignInForm) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 429 if form.has_error("__all__", "locked") else 200
        return response


class SignOut(views.LogoutView):
    """POST only: a picture on somebody's page signs nobody out."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows one button and uses nothing up, so that programs which look at links in mail burn none. POST signs in."""
    person = use_link(token) if request.method == "POST" else person_of_link(token)
    if person is None:
        response = render(request, "accounts/sign_in_link.html", status=404)
    elif request.method == "POST":
        if request.user.is_authenticated:
            logout(request)
        record_authentication(request, person, "link")
        onward = "/" if person.has_usable_password() else reverse("password")
        return perform_login(request, Login(user=person, redirect_url=onward))
    else:
        response = render(request, "accounts/sign_in_link.html", {"person": person})
    # The address is a secret and leaves for no other server. ("no-referrer" would make the browser send Origin: null with
    # the form, which no CSRF check accepts.)
    response["Referrer-Policy"] = "same-origin"
    return response


@method_decorator([sensitive_post_parameters(), never_cache], name="dispatch")
class Password(FormView):
    """Change the password; whoever came by a link and has none yet sets one. Ends the other sessions of this person."""

    template_name = "accounts/password.html"
    success_url = "/"

    def get_form_class(self) -> type[SetPasswordForm]:
        return PasswordChangeForm if self.request.user.has_usable_password() else SetPasswordForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "user": self.request.user}

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        with transaction.atomic():
            user = form.save()
            audit.record("password.change", actor=user, request=self.request)
        update_session_auth_hash(self.request, user)
        sessions.follow(self.request)
        return super().form_valid(form)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from a page that stood open too long, or from somebody else's page."""
    logger.warning("a form was refused: %s", reason)  # without its address, which may be that of a sign-in link
    return render(request, "accounts/form_expired.html", {"page": request.path}, status=403)
