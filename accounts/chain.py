"""Rows chained by their MACs, and the heads that are kept beside the database so that no tail goes unmissed.

A chain is HMAC-SHA-256 with a key outside the database (`keys/<name>_key`), so a row cannot be changed, taken out or put in
by someone who holds the database alone. A tail that was cut off leaves a sound chain; therefore the newest MAC is also
kept in files beside the database: `<name>_head` after every commit, one line of `<name>_heads` every ten minutes, for backups.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

GENESIS = "0" * 64
"""`previous_mac` of the first row."""
FORMAT = 1
"""What a MAC covers begins with this number."""
JOURNAL_SECONDS = 600
PROBLEMS_SHOWN = 20


class Head(NamedTuple):
    """The newest row, as the files beside the database know it."""

    sequence: int
    mac: str


class Link(NamedTuple):
    """One row on the way along a chain. `expected`: what its MAC has to be after its own `previous_mac`."""

    sequence: int
    previous_mac: str
    mac: str
    expected: str
    words: str = ""
    """Which row it is, where its number alone says little to a person."""


class Journal:
    """When this process last wrote a line of the file of heads."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.written = float("-inf")

    def due(self) -> bool:
        with self.lock:
            now = time.monotonic()
            if now - self.written < JOURNAL_SECONDS:
                return False
            self.written = now
            return True


@dataclass(frozen=True)
class Chain:
    """One chain: `name` names its files, `row` a row of it in words."""

    name: str
    row: str
    table: str
    turn: int
    """Of the advisory lock on PostgreSQL: one writer of the chain at a time."""
    journal: Journal

    def key(self) -> bytes:
        return kept_key(Path(settings.FARVIEW_KEYS_DIR) / f"{self.name}_key")

    def take_turn(self) -> None:
        """One writer of the chain at a time. SQLite: BEGIN IMMEDIATE has seen to it already."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self.turn])

    def newest(self) -> Head:
        """The row to follow. Plain SQL: half of an event's time went into building queries."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT sequence, mac FROM {self.table} ORDER BY sequence DESC LIMIT 1")  # noqa: S608  # nosec B608  # a name of ours
            found = cursor.fetchone()
        return Head(*found) if found else Head(0, GENESIS)

    # --- the files beside the database

    @property
    def head_path(self) -> Path:
        return Path(settings.FARVIEW_DATA_DIR) / f"{self.name}_head"

    @property
    def journal_path(self) -> Path:
        return Path(settings.FARVIEW_DATA_DIR) / f"{self.name}_heads"

    def keep_head(self, head: Head) -> None:
        """After a commit: remember the newest row outside the database. Never goes back, whichever process is late."""
        line = f"{head.sequence:020d} {head.mac} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n".encode("ascii")
        handle = os.open(self.head_path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            held = os.pread(handle, 20, 0)
            if not held.isdigit() or int(held) < head.sequence:
                os.pwrite(handle, line, 0)
        finally:
            os.close(handle)
        if self.journal.due():
            handle = os.open(self.journal_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)

    def kept_heads(self) -> Iterator[Head]:
        """What the files beside the database remember; a line cut short by a power failure is passed over."""
        for path in (self.head_path, self.journal_path):
            with contextlib.suppress(FileNotFoundError):
                for line in path.read_text(encoding="ascii", errors="replace").splitlines():
                    parts = line.split()
                    if len(parts) == 3 and parts[0].isdigit() and len(parts[1]) == 64:
                        yield Head(int(parts[0]), parts[1])

    # --- walking it

    def remembered(self) -> dict[int, set[str]]:
        """MACs by sequence. Two for one sequence: the tail was cut off once and has grown again."""
        found: dict[int, set[str]] = {}
        for head in self.kept_heads():
            found.setdefault(head.sequence, set()).add(head.mac)
        return found

    def problems(self, links: Iterable[Link], kept: dict[int, set[str]]) -> list[str]:
        """What is wrong along `links`, in order of their sequence, in words a person can act on (empty: all is sound).

        `kept` are the heads that were remembered before the rows were read: rows that came since are no tail cut off.
        """
        found: list[str] = []
        expected, previous = 1, GENESIS
        for link in links:
            number = link.sequence
            named = f"{self.row} {number}{f' ({link.words})' if link.words else ''}"
            if number != expected:
                found.append(f"{self.name}: {self.row}s {expected} to {number - 1} are missing")
            if link.previous_mac != previous:
                found.append(f"{self.name}: {named} does not follow the {self.row} before it")
            if not hmac.compare_digest(link.mac, link.expected):
                found.append(f"{self.name}: {named} was changed, or signed with another key")
            if kept.pop(number, {link.mac}) != {link.mac}:
                found.append(f"{self.name}: {named} is not the one that the file of heads remembers")
            expected, previous = number + 1, link.mac
        if kept:
            found.append(f"{self.name}: {self.row}s {expected} to {max(kept)} are missing from the end")
        return self.shortened(found)

    def shortened(self, problems: list[str]) -> list[str]:
        rest = len(problems) - PROBLEMS_SHOWN
        if rest <= 0:
            return problems
        return [*problems[:PROBLEMS_SHOWN], f"{self.name}: and {rest} more of the same kind"]


def mac_of(key: bytes, columns: Sequence[Any], previous: str) -> str:
    """The MAC of a row: of the format's number, its columns in order and the MAC before it, as canonical JSON."""
    text = json.dumps(
        [FORMAT, *columns, previous], sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hmac.new(key, text.encode("ascii"), hashlib.sha256).hexdigest()


def moment(at: datetime) -> str:
    """A time as MACs cover it: alike from every database."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@lru_cache(maxsize=8)
def kept_key(path: Path) -> bytes:
    """The key of a chain, made once. It appears under its name whole or not at all, whoever else is making one."""
    with contextlib.suppress(FileNotFoundError):
        return bytes.fromhex(path.read_text(encoding="ascii"))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return bytes.fromhex(path.read_text(encoding="ascii"))
