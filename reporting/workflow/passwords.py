"""Whoever signs says their password each time, under the same limit of tries as at the sign-in page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.hashers import check_password

from accounts import lockout
from accounts.models import User
from accounts.origin import Request, client_address
from reporting.models import Report
from reporting.workflow.noting import note
from reporting.workflow.refusals import TooManyTries, WrongPassword
from viewer.archive import rows


def confirm(user: User, password: Any, report: Report, act: str, request: Request | None) -> None:
    """Raise WrongPassword or TooManyTries unless `password` is that of `user`. Not inside a transaction: a try counts,
    whatever becomes of the act."""
    if not isinstance(password, str) or not password:
        raise WrongPassword("Type your password to sign.")
    name, address = user.get_username(), client_address(request)
    verdict = rows.patiently(lambda: lockout.begin_try(name, address))
    if verdict is not lockout.Try.GO:
        if verdict is lockout.Try.LOCKED_NOW:
            _failed(report, act, user, request, "locked")
        raise TooManyTries("Too many tries. For safety you can sign here again in 15 minutes.")
    person = User.objects.filter(pk=user.pk, is_active=True).first()
    if person is not None and not person.has_usable_password():
        _failed(report, act, user, request, "no password")
        raise WrongPassword("You have no password yet: set one first, then sign.", code="no_password")
    if person is None or not check_password(password, person.password):
        _failed(report, act, user, request, "wrong password")
        raise WrongPassword("This is not your password. Nothing was signed.")
    rows.patiently(lambda: lockout.succeed(name, address))


def _failed(report: Report, act: str, user: User, request: Request | None, why: str) -> None:
    rows.patiently(lambda: note(f"report.{act}", report, user, request, outcome="failure", why=why))
