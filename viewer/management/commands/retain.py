"""`manage.py retain`: what the rules of retention do today, now; or what they would do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from viewer.archive import retention, retention_run
from viewer.management.progress import Progress


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = "Do what the rules of retention that are on say, also while `serve` runs; or only say what that would be."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="a line for each study; nothing is changed")

    def handle(self, *, dry_run: bool, **_: Any) -> None:
        if dry_run:
            return self._say()
        try:
            with Progress(None, "studies", self.stderr._out) as progress:  # type: ignore[attr-defined]
                ran = retention_run.run(step=lambda _: progress.step())
        except retention_run.Busy as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(
            f"{ran.studies:,} studies, {ran.instances:,} objects, {ran.size:,} bytes; "
            f"{ran.freed:,} bytes freed, {ran.kept:,} studies kept back."
        )

    def _say(self) -> None:
        studies = instances = size = 0
        for found in retention.plan(list(retention.rules_in_force()), timezone.now()):
            words = f"kept: {'; '.join(found.kept)}" if found.kept else found.rule.get_action_display()
            self.stdout.write(
                f"{found.study_instance_uid}\t{found.instances:,} objects\t{found.size:,} bytes\t"
                f"rule {found.rule.pk}\t{words}"
            )
            if not found.kept:
                studies, instances, size = studies + 1, instances + found.instances, size + found.size
        self.stdout.write(f"{studies:,} studies, {instances:,} objects, {size:,} bytes; nothing was changed.")
