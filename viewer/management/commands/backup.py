"""`manage.py backup FILE`: rows, stored objects, keys and heads of the chains in one file, while the server serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from viewer.archive import backup
from viewer.archive.backup_database import Unusable
from viewer.management.passphrase import add_argument, passphrase_of
from viewer.management.progress import Progress


class Command(BaseCommand):
    requires_system_checks = ()  # they load every page; nothing here depends on them
    help = "Back up everything into one file while the server serves; or check a file that is there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        add_argument(parser)
        parser.add_argument(
            "--keys-in-clear",
            action="store_true",
            help="the keys may stand in the file readable; it is kept safe itself",
        )
        parser.add_argument("--check", action="store_true", help="read the file from end to end; nothing is written")

    def handle(self, *, file: Path, passphrase_file: Path | None, keys_in_clear: bool, check: bool, **_: Any) -> None:
        passphrase = None if keys_in_clear else passphrase_of(passphrase_file)
        if check:
            return self._check(file, passphrase)
        if passphrase is None and not keys_in_clear:
            self.stderr.write(
                "Without a passphrase the keys stand readable in the file: keep it where nobody else gets at it. "
                "--passphrase-file hides them; --keys-in-clear says that this is meant."
            )
        try:
            with Progress(None, "stored objects", self.stderr._out) as progress:  # type: ignore[attr-defined]
                made = backup.make(file, passphrase, stepping(progress))
        except (backup.Busy, backup.NotOurs) as problem:
            raise CommandError(str(problem)) from problem
        except (OSError, Unusable) as problem:
            text = f"no backup was made: {getattr(problem, 'strerror', None) or problem}"
            backup.remember_problem(text)
            raise CommandError(text) from problem
        hidden = "hidden by the passphrase" if made.encrypted else "readable"
        self.stdout.write(
            f"{made.file}: {made.objects:,} stored objects, {made.bytes:,} bytes, keys {hidden}, manifest {made.manifest}"
        )
        if made.damaged:
            for sha256, words in made.damaged.items():
                self.stderr.write(f"blob {sha256} {words}")
            raise CommandError(
                f"{len(made.damaged)} stored objects are damaged and not in the backup; all else is. "
                "`manage.py verify` names them; an older backup may hold them."
            )

    def _check(self, file: Path, passphrase: bytes | None) -> None:
        found = looked(file, passphrase, self.stderr._out)  # type: ignore[attr-defined]
        held = found.header
        self.stdout.write(
            f"{file} is whole: made at {held['made_at']}, {held['objects']:,} stored objects, {held['bytes']:,} bytes."
        )
        if held["encrypted"] and not found.authentic:
            self.stdout.write("Without its passphrase it is not known whether the keys can be opened.")
        if found.damaged:
            self.stdout.write(f"{len(found.damaged)} objects were damaged already when it was made.")


def stepping(progress: Progress) -> backup.Step:
    def step(done: int, total: int) -> None:
        progress.total = total
        progress.step()

    return step


def looked(file: Path, passphrase: bytes | None, out: Any) -> backup.Looked:
    """`backup.look` with a bar; CommandError in a sentence."""
    try:
        with Progress(None, "stored objects", out) as progress:
            found = backup.look(file, passphrase, step=stepping(progress))
        backup.check_version(found.header)
    except (backup.Broken, Unusable) as problem:
        raise CommandError(f"{file} cannot be used: {problem}") from problem
    except OSError as problem:
        raise CommandError(f"{file}: {problem.strerror or problem}") from problem
    return found
