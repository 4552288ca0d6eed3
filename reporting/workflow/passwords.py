"""Whoever signs proves each time who they are: by their password, under the same limit of tries as at the sign-in page; without
one of their own, or with a passkey, by being asked elsewhere a moment before (`accounts.reauthentication`).
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import check_password

from accounts import lockout, reauthentication, sessions
from accounts.models import User
from accounts.origin import Request, client_address
from reporting.models import Report
from reporting.workflow.noting import note
from reporting.workflow.refusals import Reauthenticate, TooManyTries, WrongPassword
from viewer.archive import rows

PASSWORD = "password"  # noqa: S105 - how somebody proved who they are, for the record
NONE_YET = "You have no password yet: set one first, then sign."
ELSEWHERE = "Confirm who you are first. Nothing was signed."


def confirm(user: User, password: Any, report: Report, act: str, request: Request | None) -> str:
    """How `user` proved who they are: "password", "passkey" or "single sign-on". Raises WrongPassword, Reauthenticate or
    TooManyTries. Not inside a transaction: a try counts, whatever becomes of the act."""
    if not isinstance(password, str) or not password:
        return _proved_elsewhere(user, request)
    name, address = user.get_username(), client_address(request)
    verdict = rows.patiently(lambda: lockout.begin_try(name, address))
    if verdict is not lockout.Try.GO:
        if verdict is lockout.Try.LOCKED_NOW:
            _failed(report, act, user, request, "locked")
        raise TooManyTries("Too many tries. For safety you can sign here again in 15 minutes.")
    person = User.objects.filter(pk=user.pk, is_active=True).first()
    if person is not None and not person.has_usable_password():
        _failed(report, act, user, request, "no password")
        raise WrongPassword(NONE_YET, code="no_password")
    if person is None or not check_password(password, person.password):
        _failed(report, act, user, request, "wrong password")
        raise WrongPassword("This is not your password. Nothing was signed.")
    rows.patiently(lambda: lockout.succeed(name, address))
    sessions.ask_for_new_key(request)
    return PASSWORD


def _proved_elsewhere(user: User, request: Request | None) -> str:
    """The proof that this session holds, used up by this signature. Without one: where to get it."""
    by = rows.patiently(lambda: reauthentication.take_proof(request, user))
    if by:
        return by
    page = "" if getattr(request, "api_token", None) is not None else reauthentication.asked_at(user)
    if page:
        raise Reauthenticate(ELSEWHERE, reauthenticate=page)
    if not user.has_usable_password():
        raise WrongPassword(NONE_YET, code="no_password")
    raise WrongPassword("Type your password to sign.")


def _failed(report: Report, act: str, user: User, request: Request | None, why: str) -> None:
    rows.patiently(lambda: note(f"report.{act}", report, user, request, outcome="failure", why=why))
