"""A backup becomes an archive again, in an empty data folder: first everything is read and checked beside its place, then
put there at once. A file that is refused leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from viewer.archive.backup import Broken, Looked, Step, check_version, look
from viewer.archive.backup_database import Unusable, is_empty, put
from viewer.archive.backup_file import DATABASE

STAGE = ".restoring"
PLACING = "placing"
"""In the stage while things are put in place: what lies in their places is of a restore that was cut short."""


class NotEmpty(Exception):
    """There is something in the data folder that a restore would bury."""


def refuse_what_is_there() -> None:
    """Raises NotEmpty. A fresh folder holds empty folders and the secret key that every command makes; heads of chains may
    lie there, and are asked after what was lost."""
    data = Path(settings.FARVIEW_DATA_DIR)
    if (data / STAGE / PLACING).exists() and is_empty():
        for name in ("blob", "keys"):
            shutil.rmtree(data / name, ignore_errors=True)
    if not is_empty():
        raise NotEmpty(f"there is a database already: restore into an empty data folder, not into {data}")
    held = next((path for path in Path(settings.FARVIEW_BLOB_DIR).glob("[0-9a-f][0-9a-f]/*") if path.is_file()), None)
    if held is not None:
        raise NotEmpty(f"there are stored objects in {data / 'blob'}: restore into an empty data folder")
    keys = Path(settings.FARVIEW_KEYS_DIR)
    others = sorted(path.name for path in keys.glob("[!.]*") if path.name != "secret_key")
    if others:
        raise NotEmpty(f"there are keys of another archive in {keys} ({', '.join(others)})")


def restore(source: Path, passphrase: bytes | None, step: Step = lambda done, total: None) -> Looked:
    """Raises NotEmpty, Broken and Unusable, with nothing left behind. Migrations and `set_counters` are the caller's."""
    refuse_what_is_there()
    data = Path(settings.FARVIEW_DATA_DIR)
    stage = data / STAGE
    shutil.rmtree(stage, ignore_errors=True)
    for folder in (stage, stage / "blob", stage / "heads", stage / "database", stage / "keys"):
        folder.mkdir(mode=0o700)
    try:
        with _Staged(stage) as staged:
            found = look(source, passphrase, staged.keep, step)
        _refuse(found)
        migrations = check_version(found.header)
        _tidy(stage, found)
        os.sync()
        (stage / PLACING).touch()
        _place(stage, data)
        put(stage, migrations)
    except BaseException:
        if not (stage / PLACING).exists():
            shutil.rmtree(stage, ignore_errors=True)
        raise
    shutil.rmtree(stage, ignore_errors=True)
    return found


def _refuse(found: Looked) -> None:
    from django.db import connection

    made_on = found.header["database"]
    if made_on != connection.vendor:
        raise Unusable(f"its rows are of {made_on} and this server's database is {connection.vendor}: set DATABASE_URL")
    if found.header["encrypted"] and not found.authentic:
        raise Broken("its keys are hidden by a passphrase: name the file that holds it with --passphrase-file")


class _Staged:
    """Where parts go while they are read."""

    def __init__(self, stage: Path) -> None:
        self._stage = stage
        self._file: BinaryIO | None = None

    def __enter__(self) -> _Staged:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._file is not None:
            self._file.close()

    def keep(self, name: str) -> Callable[[bytes], object]:
        """`name` is one of backup_file.NAMES: it stays below the stage."""
        self.__exit__()
        path = self._stage / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        mode = 0o440 if name.startswith("blob/") else 0o600
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")
        return self._file.write


def _tidy(stage: Path, found: Looked) -> None:
    for sha256 in found.damaged:  # what was damaged when it was backed up is missing rather than wrong
        with contextlib.suppress(FileNotFoundError):
            (stage / "blob" / sha256[:2] / sha256).unlink()
    for name, text in found.keys.items():
        with open(os.open(stage / "keys" / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)


def _place(stage: Path, data: Path) -> None:
    """All but the database, which comes last: with it the folder is an archive."""
    for name in ("blob", "keys"):
        shutil.rmtree(data / name)
        os.rename(stage / name, data / name)
    for path, lines in _heads(stage, data):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(lines)
    os.sync()


def _heads(stage: Path, data: Path) -> Iterator[tuple[Path, str]]:
    """Heads that lay in the folder are later than the backup's: kept in the journal, they tell what is not in it."""
    names = {path.name.removesuffix("s") for folder in (stage / "heads", data) for path in folder.glob("*_head*")}
    for name in sorted(one for one in names if one.endswith("_head")):
        ours = {path: _read(data / path) for path in (name, f"{name}s")}
        yield data / f"{name}s", _read(stage / "heads" / f"{name}s") + ours[f"{name}s"] + ours[name]
        yield data / name, _read(stage / "heads" / name)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return ""


__all__ = ["DATABASE", "NotEmpty", "refuse_what_is_there", "restore"]
