"""A way in for somebody who has no password yet or lost it."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import audit
from accounts.links import make_link
from accounts.models import User


class Command(BaseCommand):
    help = "Print a link that signs a person in, once, within 24 hours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *, name: str, **_: Any) -> None:
        person = User.objects.filter(username=name, is_active=True).first()
        if person is None:
            raise CommandError(f"there is nobody named {name!r}, or they are disabled")
        with transaction.atomic():
            link = make_link(person)
            audit.record("link.make", actor="", origin="command sign_in_link", detail={"person": name})
        self.stdout.write(link)
