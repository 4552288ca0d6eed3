"""Second factors: who has one, who must have one, and trying one, which counts into the lock-out.

The rows and the ceremonies are django-allauth's (`allauth.mfa`); what is asked, counted and written down is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.core import context
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal.auth import parse_authentication_response
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.db.models.signals import post_delete, post_save, pre_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse

from accounts import audit, lockout, recovery_codes, sessions
from accounts.models import Membership, Organization, Role, User
from accounts.recovery import FACTORS_GONE, tell

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What counts as one. Recovery codes stand in for a lost one and are none by themselves."""
SETUP_DOORS = frozenset(
    {
        *("account", "password", "mfa_index", "mfa_list_webauthn"),
        *("mfa_activate_totp", "mfa_add_webauthn"),
        *("mfa_view_recovery_codes", "mfa_generate_recovery_codes"),
        *("account_reauthenticate", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"),
    }
)
"""Where somebody may go who must set up a second factor first."""
MALFORMED = (TypeError, ValueError, KeyError, AttributeError, IndexError)
"""What a made-up answer of an authenticator ends in while it is taken apart."""


def has_second_factor(person: User) -> bool:
    return Authenticator.objects.filter(user=person, type__in=FACTORS).exists()


BY_PROVIDER = "second_factor_by_provider"
"""In a session: the provider of single sign-on said that it asked for a second factor."""


def must_set_up(person: User, session: Any = None) -> bool:
    """True when an organization of theirs demands a second factor and they have none, nor was `session` begun with one
    that their provider asked for."""
    if session is not None and session.get(BY_PROVIDER):
        return False
    demanded = Membership.objects.filter(user=person, organization__mfa_required=True).exclude(role=Role.GUEST)
    return demanded.exists() and not has_second_factor(person)


def remove_factors(person: User) -> bool:
    """Take all of them away, recovery codes too, and sign the person out everywhere; False when there were none."""
    with transaction.atomic():
        removed, _rows = Authenticator.objects.filter(user=person).delete()
        if removed:
            person.end_sessions()
    if removed:
        tell(person, "Your second factors were removed", FACTORS_GONE, settings.FARVIEW_PUBLIC_URL + reverse("account"))
    return bool(removed)


# --- trying one


@contextmanager
def counted(person: User) -> Iterator[None]:
    """A try at a second factor. Counts for the person, wherever it comes from: whoever tries has the password already."""
    name, address = "second factor", f"person {person.pk}"
    verdict = lockout.begin_try(name, address)
    if verdict is not lockout.Try.GO:
        if verdict is lockout.Try.LOCKED_NOW:
            _record_failure(person, "second factor locked")
        raise get_adapter().validation_error("locked")
    try:
        yield
    except ValidationError:
        _record_failure(person, "second factor does not match")
        raise
    lockout.succeed(name, address)


def use_code(person: User, code: str) -> Authenticator | None:
    """The authenticator app or the list of recovery codes to which `code` belongs; it is used up."""
    with transaction.atomic():
        app = Authenticator.objects.select_for_update().filter(user=person, type=Authenticator.Type.TOTP).first()
        if app is not None and _use_totp(app, code):
            return app
    return recovery_codes.use(person, code)


def _use_totp(one: Authenticator, code: str) -> bool:
    """RFC 6238 section 5.2: a code is good once, and so is none before it."""
    secret, last = decrypt(one.data["secret"]), one.data.get("last_counter", -1)
    for counter in yield_hotp_counters_from_time():
        value = format_hotp_value(hotp_value(secret, counter))
        if counter > last and compare_user_code(actual=code, expected=value):
            one.data["last_counter"] = counter
            one.save(update_fields=["data"])
            return True
    return False


class _CodeForm(forms.Form):
    user: User

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        with counted(self.user):
            found = use_code(self.user, code)
            if found is None:
                raise get_adapter().validation_error("incorrect_code")
        found.user = self.user
        self.authenticator = found
        return code


class SignInCode(_CodeForm, AuthenticateForm):
    """The code after the password."""


class AgainCode(_CodeForm, ReauthenticateForm):
    """The code of somebody who is signed in and is asked again."""


class _PasskeyForm(AuthenticateWebAuthnForm):
    def clean_credential(self) -> Authenticator:
        if self.user is None:
            return self._taken_apart()
        with counted(self.user):
            return self._taken_apart()

    def _taken_apart(self) -> Authenticator:
        try:
            return super().clean_credential()
        except MALFORMED as problem:
            raise get_adapter().validation_error("incorrect_code") from problem


class SignInPasskey(_PasskeyForm):
    """The passkey after the password."""


class AgainPasskey(_PasskeyForm, ReauthenticateWebAuthnForm):
    """The passkey of somebody who is signed in and is asked again."""

    checked = False
    """The device says that it checked who its person is (WebAuthn level 3, 6.1: the flag UV)."""

    def clean_credential(self) -> Authenticator:
        answer = self.cleaned_data["credential"]
        found = super().clean_credential()
        self.checked = parse_authentication_response(answer).response.authenticator_data.is_user_verified()
        return found


class PasskeyAlone(_PasskeyForm, LoginWebAuthnForm):
    """A passkey instead of name and password."""

    def clean_credential(self) -> Authenticator:
        found = super().clean_credential()
        if not found.user.is_active:
            raise get_adapter().validation_error("incorrect_code")
        return found


class NewPasskey(AddWebAuthnForm):
    name = forms.CharField(max_length=60, required=False)

    def clean(self) -> dict[str, Any]:
        try:
            return super().clean()
        except MALFORMED as problem:
            raise get_adapter().validation_error("incorrect_code") from problem


class PasskeyName(EditWebAuthnForm):
    name = forms.CharField(max_length=60)


class NewApp(ActivateTOTPForm):
    """The first code of an authenticator app shows that it was set up."""


# --- what is written down


@receiver(post_save, sender=Authenticator)
def record_added(sender: type[Authenticator], instance: Authenticator, created: bool, raw: bool, **_: Any) -> None:
    if created and not raw:
        _record_change("second_factor.add", instance)


@receiver(post_delete, sender=Authenticator)
def record_removed(sender: type[Authenticator], instance: Authenticator, **_: Any) -> None:
    _record_change("second_factor.remove", instance)


@receiver(authentication_step_completed)
def record_asked_again(sender: type[User], request: HttpRequest, user: User, method: str, **more: Any) -> None:
    if more.get("reauthenticated"):
        sessions.ask_for_new_key(request)
        audit.record("reauthenticate", actor=user, request=request, detail={"by": more.get("type") or method})


@receiver(pre_save, sender=Organization)
def notice_demanded(sender: type[Organization], instance: Organization, raw: bool, **_: Any) -> None:
    """An organization that demands a second factor from now on has all its people's connections asked again."""
    before = None if raw else Organization.objects.filter(pk=instance.pk).first()
    if before and instance.mfa_required and not before.mfa_required:
        people = Membership.objects.filter(organization=instance).values("user")
        User.objects.filter(pk__in=people).update(epoch=F("epoch") + 1)


def _record_failure(person: User, reason: str) -> None:
    audit.record("sign-in", actor=person, request=context.request, outcome="failure", detail={"reason": reason})


def _record_change(action: str, one: Authenticator) -> None:
    request = context.request
    actor = request.user if request is not None and request.user.is_authenticated else ""
    detail = {"person": one.user.get_username(), "type": str(one.type)}
    audit.record(action, actor=actor, request=request, detail=detail)
