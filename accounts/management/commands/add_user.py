"""Make a person, or give one more roles, another password."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.models import GIVEN_ROLES, Organization, User
from accounts.people import DEFAULT_ORGANIZATION, give_roles, new_person, organization_named, role_named

ORIGIN = "command add_user"


class Command(BaseCommand):
    help = "Make a person, or give an existing one more roles or a new password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what they type at the sign-in page")
        parser.add_argument(
            "--role", action="append", required=True, help=f"one of {', '.join(GIVEN_ROLES)}; repeatable"
        )
        parser.add_argument(
            "--organization", action="append", help="where; repeatable; made when new (default: default)"
        )
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(
        self, *, name: str, role: list[str], organization: list[str] | None, password_stdin: bool, **_: Any
    ) -> None:
        password = self._password() if password_stdin else None
        try:
            with transaction.atomic():
                self._apply(name, [role_named(one) for one in role], organization or [DEFAULT_ORGANIZATION], password)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error

    def _apply(self, name: str, roles: list[str], names: list[str], password: str | None) -> None:
        organizations = [organization_named(one) for one in names]
        person = User.objects.filter(username=name).first()
        made = person is None
        if person is None:
            person = new_person(name, password, ORIGIN)
        elif password is not None and not person.check_password(password):
            person.set_password(password)
            person.save()
            audit.record("password.change", actor="", origin=ORIGIN, detail={"person": name})
        if password is not None:
            self._warn_of_weakness(password, person)
        give_roles(person, roles, organizations, ORIGIN)
        self._report(person, made, organizations)

    def _report(self, person: User, made: bool, organizations: list[Organization]) -> None:
        held = person.roles()
        where = "; ".join(f"{', '.join(sorted(held[one.pk]))} in {one.name}" for one in organizations)
        self.stdout.write(f"{person.get_username()}: {'made' if made else 'updated'}, {where}")
        if not person.has_usable_password():
            self.stdout.write(f"no password yet: `manage.py sign_in_link {person.get_username()}` makes a link")

    def _password(self) -> str:
        password = sys.stdin.readline().rstrip("\r\n")
        if not password:
            raise CommandError("no password on standard input")
        return password

    def _warn_of_weakness(self, password: str, person: User) -> None:
        try:
            validate_password(password, person)
        except ValidationError as error:
            self.stderr.write(self.style.WARNING("weak password: " + " ".join(error.messages)))
