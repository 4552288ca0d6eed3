"""Where django-allauth asks us: what signing in consists of, who may be asked again, how its secrets are kept."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import lockout, reauthentication
from accounts.chain import kept_key
from accounts.models import User
from accounts.origin import client_address

LOCKED = _("Too many tries. For safety this is locked for up to 15 minutes.")
LOOPBACK = ("127.0.0.1", "::1")


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up, nothing is said in passing messages, and after name and password comes the second factor alone."""

    error_messages: Mapping[str, Any] = {
        **DefaultAccountAdapter.error_messages,
        "incorrect_password": _("This is not your password."),
        "locked": LOCKED,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our pages say what happened where it happened."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Mail is ours alone (`accounts.recovery`)."""

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return redirect("sign-in")

    def login(self, request: HttpRequest, user: User) -> None:
        """Who was disabled between the password and the code stays outside."""
        if not User.objects.filter(pk=user.pk, is_active=True).exists():
            clear_login(request)
            raise ImmediateHttpResponse(redirect("sign-in"))
        super().login(request, user)

    def reauthenticate(self, user: User, password: str) -> bool:
        """Counts into the lock-out of the sign-in page."""
        name, address = user.get_username(), client_address(context.request)
        if lockout.begin_try(name, address) is not lockout.Try.GO:
            raise self.validation_error("locked")
        right = user.check_password(password)
        if right:
            lockout.succeed(name, address)
        return right

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Signing in counts as having been asked."""
        return reauthentication.stale(context.request, settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets are encrypted with a key outside the database; passkeys belong to the public address."""

    error_messages: Mapping[str, Any] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This did not match. Codes are good for half a minute and work once."),
        "locked": LOCKED,
    }

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def _get_user_identifier(self, user: User) -> str:
        return user.get_username()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": relying_party(), "name": "Farview"}

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey {number}").format(number=number + 1)


def relying_party() -> str:
    """The host that passkeys are made for (WebAuthn: RP ID); an address of numbers cannot be one, localhost can."""
    host = urlsplit(settings.FARVIEW_PUBLIC_URL).hostname or "localhost"
    return "localhost" if host in LOOPBACK else host


def _cipher() -> Fernet:
    """The key lies beside the database, so that the database alone gives nobody's second factor away."""
    return Fernet(urlsafe_b64encode(kept_key(Path(settings.FARVIEW_KEYS_DIR) / "second_factor_key")))
