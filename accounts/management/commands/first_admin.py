"""The first person of a new archive, and the link by which they come in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from accounts import audit
from accounts.links import make_link
from accounts.models import Role, User
from accounts.people import DEFAULT_ORGANIZATION, give_roles, new_person, organization_named

NAME = "admin"
ORIGIN = "command first_admin"


class Command(BaseCommand):
    help = "Make the first administrator where there is nobody yet; print the address to open, on the last line."

    def handle(self, **_: Any) -> None:
        with transaction.atomic():
            person = User.objects.filter(username=NAME, is_active=True).first()
            if not User.objects.exists():
                person = new_person(NAME, None, ORIGIN)
                person.is_superuser = True
                person.save()
                give_roles(person, [Role.ADMIN, Role.RADIOLOGIST], [organization_named(DEFAULT_ORGANIZATION)], ORIGIN)
            if person is None:
                self.stdout.write("Sign in with your name and password:")
                self.stdout.write(settings.FARVIEW_PUBLIC_URL + "/")
                return
            link = make_link(person)
            audit.record("link.make", actor="", origin=ORIGIN, detail={"person": person.get_username()})
        self.stdout.write(f"Open this address to come in as {person.get_username()}. It works once, for 24 hours:")
        self.stdout.write(link)
