"""The passphrase of a backup: from a file, never from the command line, where everybody on the machine could read it."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

SHORTEST = 12


def add_argument(parser: CommandParser) -> None:
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        help="a file whose first line hides and seals the keys (otherwise FARVIEW_BACKUP_PASSPHRASE_FILE)",
    )


def passphrase_of(named: Path | None) -> bytes | None:
    """None where no file is named. CommandError where it cannot be read or is too short to hide anything."""
    path = named or (Path(settings.FARVIEW_BACKUP_PASSPHRASE_FILE) if settings.FARVIEW_BACKUP_PASSPHRASE_FILE else None)
    if path is None:
        return None
    try:
        lines = path.read_bytes().splitlines()
    except OSError as problem:
        raise CommandError(f"{path}: the passphrase cannot be read ({problem.strerror})") from problem
    found = lines[0].strip() if lines else b""
    if len(found) < SHORTEST:
        raise CommandError(f"{path}: a passphrase of at least {SHORTEST} characters is expected in the first line")
    return found
