"""Make an API token."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts import audit
from accounts.authentication import issue
from accounts.models import User
from accounts.scopes import SCOPES


class Command(BaseCommand):
    help = "Print a new API token of a person. It is shown once; only its digest is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="whose rights the token carries")
        parser.add_argument("--label", default="", help="what it is for, to know it again in the list")
        parser.add_argument("--days", type=int, help="how long it is good (default: until it is revoked)")
        named = "; ".join(f"{name}: {scope.words}" for name, scope in SCOPES.items())
        told = f"narrows it to this, may be repeated (default: all that the person may). {named}"
        parser.add_argument("--scope", action="append", choices=sorted(SCOPES), default=[], help=told)

    def handle(self, *, name: str, label: str, days: int | None, scope: list[str], **_: Any) -> None:
        person = User.objects.filter(username=name).first()
        if person is None:
            raise CommandError(f"there is nobody named {name!r}; `manage.py add_user` makes people")
        if not person.is_active:
            raise CommandError(f"{name!r} is disabled")
        if days is not None and days < 1:
            raise CommandError("--days: at least 1")
        with transaction.atomic():
            raw = issue(person, label, timezone.now() + timedelta(days=days) if days else None, scope)
            detail = {"person": name, "label": label, "scopes": sorted(set(scope))}
            audit.record("token.issue", actor="", origin="command issue_token", detail=detail)
        self.stdout.write(raw)
