"""When somebody last proved who they are, and who must prove it again before they change something weighty."""

from __future__ import annotations

import time

from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from django.conf import settings
from django.http import HttpRequest

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
