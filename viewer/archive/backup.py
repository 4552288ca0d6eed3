"""One file that holds everything: rows of one moment, the bytes they name, the keys, the heads of the chains.

Made while the server serves: rows are read in one transaction, and stored bytes never change. The file appears under its name
only when all of it is on disk; whatever ends the making leaves the name as it was.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts import audit
from viewer.archive.aside import Busy, alone, keep_state
from viewer.archive.backup_database import Snapshot, refuse_newer, take
from viewer.archive.backup_file import DATABASE, FORMAT, HEADER, KEYS, Broken, Reader, Secret, Writer, canonical
from viewer.archive.rows import patiently
from viewer.archive.storage import BlobStore, blob_store

LOCK = ("backup.lock", "another backup of this archive is being made")
STATE = "backups.json"
"""In the data folder: how the newest backup went, and the newest that went well."""
DAMAGE_SHOWN = 20
TELL_SECONDS = 1.0

Step = Callable[[int, int], None]
"""Called for every stored object: how many are done, and of how many."""


class NotOurs(Exception):
    """The file that is there is no backup, and is left alone."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup, as it is said and kept."""

    file: str
    at: str
    bytes: int
    objects: int
    encrypted: bool
    manifest: str
    keys: list[str]
    damaged: dict[str, str]
    """SHA-256 of stored objects that were not sound, and what is wrong with them."""


def make(target: Path, passphrase: bytes | None = None, step: Step = lambda done, total: None) -> Made:
    """Write a backup to `target`, in place of an older one there. Raises Busy, NotOurs, and OSError where there is no room."""
    target = target.absolute()
    _refuse_what_is_not_ours(target)
    step = _telling(step)
    with alone(*LOCK), blob_store().unchanged(), _working() as folder, _draft(target) as draft:
        heads = _heads()  # before the rows: what a head remembers must be among them
        made = _write(draft, target, passphrase, heads, take(folder), str(folder), step)
        os.fsync(draft.fileno())
        os.replace(draft.name, target)
        _settle(target.parent)
    _remember(made)
    return made


def _write(
    draft: Any, target: Path, passphrase: bytes | None, heads: dict[str, bytes], rows: Snapshot, spool: str, step: Step
) -> Made:
    at = datetime.now(UTC)
    salt = secrets.token_hex(16)
    secret = Secret.of(passphrase, salt.encode()) if passphrase is not None else None
    header = canonical(
        {
            "format": FORMAT,
            "made_at": at.isoformat(timespec="seconds"),
            "database": rows.vendor,
            "migrations": rows.migrations,
            "objects": rows.count,
            "bytes": rows.size,
            "encrypted": secret is not None,
            "salt": salt,
        }
    )
    keys = {path.name: path.read_text() for path in sorted(Path(settings.FARVIEW_KEYS_DIR).iterdir()) if _is_key(path)}
    words = canonical(keys)
    with tempfile.TemporaryFile(dir=spool) as lines:
        writer = Writer(draft, secret, lines)
        writer.words(HEADER, header)
        writer.words(KEYS, secret.hide(words, header) if secret else words)
        for name, data in heads.items():
            writer.words(f"heads/{name}", data)
        for name, path in rows.parts:
            with open(path, "rb") as file:
                writer.stream(name, file, path.stat().st_size)
            path.unlink()
        damaged = _objects(writer, rows, blob_store(), step)
        manifest = writer.finish(damaged)
    draft.flush()
    return Made(
        *(str(target), at.isoformat(timespec="seconds"), draft.tell(), rows.count, secret is not None, manifest),
        *(sorted(keys), damaged),
    )


def _objects(writer: Writer, rows: Snapshot, store: BlobStore, step: Step) -> dict[str, str]:
    """Every stored object that a row names. One that is damaged keeps no other away; it is named."""
    damaged: dict[str, str] = {}
    for done, (sha256, size) in enumerate(rows.stored(), start=1):
        try:
            with open(store.path(sha256), "rb") as file:
                if os.fstat(file.fileno()).st_size != size:
                    damaged[sha256] = "has another size than when it came"
                elif writer.stream(f"blob/{sha256[:2]}/{sha256}", file, size) != sha256:
                    damaged[sha256] = "its bytes have changed, or cannot be read"
        except FileNotFoundError:
            damaged[sha256] = "is missing"
        except PermissionError:
            damaged[sha256] = "may not be read"
        step(done, rows.count)
    return damaged


# --- looking at one


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file turned out to be, once all of it was read."""

    header: dict[str, Any]
    keys: dict[str, str]
    damaged: dict[str, str]
    authentic: bool


Keep = Callable[[str], Callable[[bytes], object]]
"""Name of a part -> where its bytes go."""


def look(
    source: Path, passphrase: bytes | None, keep: Keep | None = None, step: Step = lambda done, total: None
) -> Looked:
    """Read a backup from end to end, and give its parts to `keep`. Raises Broken where it is not whole, unaltered and known."""
    with open(source, "rb", buffering=1 << 20) as file:
        reader = Reader(file, passphrase)
        keys: dict[str, str] = {}
        wrong: set[str] = set()
        objects = 0
        for part in reader.parts():
            if part.name == KEYS:
                keys = reader.keys(part)
                if any("/" in name or name.startswith(".") for name in keys):
                    raise Broken("its keys have names that no key has")
                continue
            name = part.name
            sha256 = part.pour(keep(name) if keep else lambda _: None)
            if name.startswith("blob/"):
                objects += 1
                step(objects, int(reader.header["objects"]))
                if not name.endswith(sha256):
                    wrong.add(name.rpartition("/")[2])
        if not wrong <= reader.damaged.keys():
            raise Broken(f"the stored object {min(wrong - reader.damaged.keys())} was altered")
        if objects + len(reader.damaged.keys() - wrong) != reader.header["objects"]:
            raise Broken("it does not hold as many stored objects as it should")
    return Looked(reader.header, keys, reader.damaged, reader.authentic)


def header_of(source: Path) -> dict[str, Any]:
    """What a backup says of itself, not yet checked any further. Raises Broken."""
    with open(source, "rb") as file:
        reader = Reader(file, None)
        for _ in reader.parts():
            break
    return reader.header


def check_version(header: dict[str, Any]) -> list[tuple[str, str]]:
    """The migrations of its rows. Raises backup_database.Unusable where they are newer than this version."""
    applied = [(str(app), str(name)) for app, name in header["migrations"]]
    refuse_newer(applied)
    return applied


# --- what is known of the one that is being made, and of earlier ones


def running() -> tuple[int, int] | None:
    """How many stored objects are in the backup that is being made, and of how many; None: none is being made."""
    try:
        with alone(*LOCK):
            return None
    except Busy:
        pass
    try:
        done, total = json.loads(_progress().read_text())
    except (OSError, ValueError):
        return 0, 0
    return int(done), int(total)


def _telling(step: Step) -> Step:
    """`step`, and now and then a line in a file for whoever looks from another process."""
    said = 0.0
    _progress().unlink(missing_ok=True)

    def both(done: int, total: int) -> None:
        nonlocal said
        step(done, total)
        if time.monotonic() - said >= TELL_SECONDS:
            said = time.monotonic()
            _progress().write_text(json.dumps([done, total]))

    return both


def _progress() -> Path:
    return Path(settings.FARVIEW_TMP_DIR) / "backup_progress.json"


def state() -> dict[str, Any]:
    """{"newest": ..., "sound": ..., "problem": {"at", "text"} or None}; newest and sound are of `Made`'s fields, or None."""
    found: dict[str, Any] = {"newest": None, "sound": None, "problem": None}
    with contextlib.suppress(OSError, ValueError):
        found |= json.loads((Path(settings.FARVIEW_DATA_DIR) / STATE).read_text())
    return found


def remember_problem(text: str) -> None:
    """A backup could not be made: said on the administrator's pages until one goes well."""
    keep_state(
        STATE, state() | {"problem": {"at": datetime.now(UTC).isoformat(timespec="seconds"), "text": text[:1000]}}
    )


def _remember(made: Made) -> None:
    said = asdict(made) | {"damaged": dict(list(made.damaged.items())[:DAMAGE_SHOWN])}
    problem = None
    if made.damaged:
        text = f"{len(made.damaged)} stored objects are damaged; run manage.py verify"
        problem = {"at": made.at, "text": text}
    keep_state(STATE, {"newest": said, "sound": state()["sound"] if made.damaged else said, "problem": problem})
    detail = {"objects": made.objects, "bytes": made.bytes, "manifest": made.manifest, "encrypted": made.encrypted}
    detail["damaged"] = len(made.damaged)
    outcome = "failure" if made.damaged else "success"
    patiently(lambda: audit.record("backup.make", actor="server", outcome=outcome, detail=detail))


# --- files


def _heads() -> dict[str, bytes]:
    found = Path(settings.FARVIEW_DATA_DIR).glob("*_head*")
    return {path.name: path.read_bytes() for path in sorted(found) if path.name.endswith(("_head", "_heads"))}


def _is_key(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


@contextlib.contextmanager
def _working() -> Iterator[Path]:
    """A folder for the rows on their way; what backups that were killed left there goes first."""
    home = Path(settings.FARVIEW_TMP_DIR)
    for left in home.glob("backup-*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="backup-", dir=home) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _draft(target: Path) -> Iterator[Any]:
    """A file beside `target`. It goes when the making fails, or else when the next one begins."""
    for left in target.parent.glob(f".{target.name}.*.partial"):
        left.unlink(missing_ok=True)
    path = target.with_name(f".{target.name}.{secrets.token_hex(8)}.partial")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(handle, "wb", buffering=1 << 20) as file:
            yield _Named(file, path)
    finally:
        path.unlink(missing_ok=True)


class _Named:
    """A file that was opened by its number, with its name."""

    def __init__(self, file: Any, path: Path) -> None:
        self.name = str(path)
        self.write, self.flush, self.tell, self.fileno = file.write, file.flush, file.tell, file.fileno


def _settle(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_what_is_not_ours(target: Path) -> None:
    """An older backup of that name, or an empty file, gives way; anything else that is there stays."""
    if target.is_dir() or (target.exists() and not target.is_file()):
        raise NotOurs(f"{target} is no file")
    if target.exists() and target.stat().st_size:
        try:
            header_of(target)
        except Broken:
            raise NotOurs(f"{target} is there already, and is no backup of Farview: it is left as it is") from None


__all__ = [
    "DATABASE",
    "Broken",
    "Busy",
    "Looked",
    "Made",
    "NotOurs",
    "check_version",
    "header_of",
    "look",
    "make",
    "state",
]
