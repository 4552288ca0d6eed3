"""`manage.py plan_retention RULE`: looks through an organization's studies and keeps what a rule would do today.

The page of the rule starts it where there is much to look through; nothing is changed.
"""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from viewer.archive import aside, retention_plan
from viewer.models import RetentionRule


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = "Make and keep the plan of one rule of retention, by its number."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rule", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        rule = RetentionRule.objects.filter(pk=options["rule"]).first()
        if rule is None:
            raise CommandError(f"There is no rule {options['rule']}.")
        for tries in (2, 1, 0):
            try:
                return retention_plan.make(rule)
            except aside.Busy as busy:  # a page that only looks whether one is at work holds the lock for a moment
                if not tries:
                    raise CommandError(str(busy)) from None
                time.sleep(0.2)
