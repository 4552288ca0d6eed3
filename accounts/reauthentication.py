"""When somebody last proved who they are, and who must prove it again before they change something weighty."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest
from django.urls import reverse

from accounts import openid, single_sign_on
from accounts.models import User

SIGNED_IN_AT = "signed_in_at"
SECRET_WORD = "password"  # noqa: S105 - part of the names of form fields
BEGINNINGS = {"mfa": "passkey", "socialaccount": "single sign-on"}
"""How an act of allauth is called in the record, where its own word says less."""


def proved_at(request: HttpRequest) -> float:
    """When this session last saw a password, a code or a passkey (seconds since 1970); signing in counts."""
    records = get_authentication_records(request, request.user)
    return max([request.session.get(SIGNED_IN_AT, 0.0), *(record["at"] for record in records)])


def stale(request: HttpRequest, seconds: float) -> bool:
    """True when that is longer ago than `seconds`."""
    return time.time() - proved_at(request) >= seconds


def needed_for_administration(request: HttpRequest) -> bool:
    """True when a change in the administration has to wait until its person was asked again.

    Programs with a token are not asked, nor is anybody who has nothing to be asked for.
    """
    minutes = settings.FARVIEW_ADMIN_REAUTH_MINUTES
    if not minutes or getattr(request, "api_token", None) is not None or not stale(request, minutes * 60):
        return False
    return bool(get_reauthentication_flows(request.user))


def asked_first(request: HttpRequest, onward: str) -> str:
    """The page that asks again who this is and then leads to `onward`; "" where that was proved lately, or cannot be asked."""
    if not stale(request, settings.ACCOUNT_REAUTHENTICATION_TIMEOUT):
        return ""
    if get_reauthentication_flows(request.user):
        return f"{reverse('account_reauthenticate')}?{urlencode({'next': onward})}"
    if openid.configured() and single_sign_on.is_connected(request.user):
        return f"{reverse('single-sign-on-confirm')}?{urlencode({'next': onward})}"
    return ""


PROOF = "proof"
"""In a session: that its person was just asked who they are, for the signature that comes next."""
PROOF_SECONDS = 300
BY_PASSKEY, BY_PROVIDER = "passkey", single_sign_on.BY


def keep_proof(request: HttpRequest, by: str) -> None:
    """A passkey that checked its person, or the provider of single sign-on, was just asked; good for one signature."""
    request.session[PROOF] = {"by": by, "at": time.time()}


def take_proof(request: Any, person: User) -> str:
    """How this session's person proved within five minutes who they are, beside a password; "": they did not. It is used up.

    A program with a token has nobody who could be asked. A password of one's own is not gone round by the provider.
    """
    session = getattr(request, "session", None)
    if session is None or getattr(request, "api_token", None) is not None:
        return ""
    proof = session.get(PROOF)
    if proof is None:
        return ""
    del session[PROOF]
    try:
        session.save()
    except OperationalError:  # tried again: the proof still stands
        session[PROOF] = proof
        raise
    session.modified = False  # what this request does next may take long: it writes no older session over a newer one
    fresh = 0 <= time.time() - proof["at"] < PROOF_SECONDS
    return proof["by"] if fresh and (proof["by"] == BY_PASSKEY or not person.has_usable_password()) else ""


def asked_at(person: User) -> str:
    """The page at which `person` proves who they are without a password, and which then tells the page that sent them."""
    if not person.has_usable_password() and openid.configured() and single_sign_on.is_connected(person):
        return reverse("single-sign-on-confirm")
    if Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN).exists():
        return f"{reverse('mfa_reauthenticate_webauthn')}?next={reverse('confirmed')}"
    return ""


def carries_secret(request: HttpRequest) -> bool:
    """True for a form with a password in it, which is not kept while its sender is asked again."""
    return any(SECRET_WORD in name for name in request.POST)


def way_in(request: HttpRequest, user: object) -> dict[str, str]:
    """How somebody came in, for the record: {"by": "password"} and {"second": "totp"} where one was asked for."""
    first = getattr(request, "sign_in_by", "password")
    found = {"by": first}
    for record in get_authentication_records(request, user):
        method = str(record.get("method", ""))
        if method == "mfa" and not record.get("passwordless"):
            found["second"] = str(record.get("type", ""))
        else:
            found = {"by": BEGINNINGS.get(method, method)}
    return found
