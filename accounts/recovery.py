"""A forgotten password: a link by mail that is good once and for an hour, where the server can send mail.

Whatever name is typed, the answer is the same and comes at once: the mail leaves in a thread of its own.
"""

from __future__ import annotations

import logging
from threading import Thread
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from accounts import audit, lockout
from accounts.models import User
from accounts.origin import client_address

logger = logging.getLogger(__name__)

FORGOTTEN = """Somebody, probably you, asked for a new password for {name} at {server}.

Set it here within an hour:
{link}

If it was not you, do nothing: your password stays as it is.
"""
FACTORS_GONE = """An administrator removed the second factors of {name} at {server} and signed you out everywhere.

Sign in and set up a new one: {link}
If you did not ask for it, tell your administrator at once.
"""


def mail_possible() -> bool:
    return bool(settings.EMAIL_HOST)


class Forgotten(forms.Form):
    name = forms.CharField(max_length=254)


class PasswordForgotten(FormView):
    """Asks for the name; the answer tells nothing about whose it is."""

    form_class = Forgotten
    template_name = "accounts/forgotten.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail_possible": mail_possible()}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().post(request, *args, **kwargs) if mail_possible() else self.get(request, *args, **kwargs)

    def form_valid(self, form: Forgotten) -> HttpResponse:
        name, address = form.cleaned_data["name"].strip(), client_address(self.request)
        verdict = lockout.begin_try(f"forgotten {name}", address)
        if verdict is lockout.Try.GO:
            person = person_named(name)
            audit.record("password.forgotten", actor=person or "", request=self.request)
            if person is not None:
                tell(person, "A new password", FORGOTTEN, reset_link(person))
        return render(self.request, self.template_name, {"asked": True, "mail_possible": True})


@method_decorator(never_cache, name="dispatch")
class PasswordReset(PasswordResetConfirmView):
    """Sets the new password. The link's secret moves into the session at once, so that the address shows none."""

    template_name = "accounts/reset.html"
    form_class = SetPasswordForm
    success_url = reverse_lazy("sign-in")
    reset_url_token = "new"  # noqa: S105 - what stands in the address instead of the secret

    def form_valid(self, form: SetPasswordForm) -> HttpResponse:
        with transaction.atomic():
            response = super().form_valid(form)
            audit.record("password.reset", actor=self.user, request=self.request)
        return response

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        return super().render_to_response(context, status=200 if self.validlink else 404, **options)


def person_named(name: str) -> User | None:
    """Who signs in by this name or has this address alone, comes in by a password and can be written to."""
    found = list(User.objects.filter(Q(username=name) | Q(email__iexact=name), is_active=True)[:2])
    exact = [one for one in found if one.username == name] or (found if len(found) == 1 else [])
    return next((one for one in exact if one.email and one.has_usable_password()), None)


def reset_link(person: User) -> str:
    """The address of the page that sets a new password; worth nothing after that, after a sign-in, and after an hour."""
    secret = default_token_generator.make_token(person)
    known = urlsafe_base64_encode(force_bytes(person.pk))
    return settings.FARVIEW_PUBLIC_URL + reverse("password-reset", args=[known, secret])


def tell(person: User, subject: str, words: str, link: str) -> None:
    """Write to somebody about their own account, if the server can; nobody waits for it."""
    if not mail_possible() or not person.email:
        return
    text = words.format(name=person.get_username(), server=settings.FARVIEW_PUBLIC_URL, link=link)
    Thread(target=_send, args=(EmailMessage(f"Farview: {subject}", text, to=[person.email]),), daemon=True).start()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    # smtplib's own are OSErrors, too; an address with line ends is a ValueError
    except (OSError, ValueError) as problem:
        logger.warning("a mail about an account could not be sent: %s", type(problem).__name__)
