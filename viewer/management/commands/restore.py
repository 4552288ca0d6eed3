"""`manage.py restore FILE`: a backup into an empty data folder, brought up to this version and verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import audit
from viewer.archive import restoring
from viewer.archive.backup import Broken
from viewer.archive.backup_database import Unusable, set_counters
from viewer.archive.rows import patiently
from viewer.management.commands.backup import stepping
from viewer.management.commands.serve import one_server_per_data_folder
from viewer.management.passphrase import add_argument, passphrase_of
from viewer.management.progress import Progress


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = "Restore a backup into an empty data folder (FARVIEW_DATA_DIR), migrate it, and verify every byte of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        add_argument(parser)

    def handle(self, *, file: Path, passphrase_file: Path | None, **_: Any) -> None:
        passphrase = passphrase_of(passphrase_file)
        with one_server_per_data_folder():
            try:
                with Progress(None, "stored objects", self.stderr._out) as progress:  # type: ignore[attr-defined]
                    found = restoring.restore(file, passphrase, stepping(progress))
            except restoring.NotEmpty as problem:
                raise CommandError(str(problem)) from problem
            except (Broken, Unusable) as problem:
                raise CommandError(f"{file} cannot be restored, and nothing was: {problem}") from problem
            except OSError as problem:
                raise CommandError(f"{file} cannot be restored: {problem.strerror or problem}") from problem
            self.stdout.write(f"{found.header['objects']:,} stored objects of {found.header['made_at']} are back.")
            call_command("migrate", interactive=False, verbosity=0)
            set_counters()
            for sha256, words in found.damaged.items():
                self.stderr.write(f"blob {sha256} was not in the backup: it {words} when that was made")
            detail = {"made_at": found.header["made_at"], "objects": found.header["objects"]}
            patiently(lambda: audit.record("backup.restore", actor="server", detail=detail))
            call_command("verify", stdout=self.stdout, stderr=self.stderr)
