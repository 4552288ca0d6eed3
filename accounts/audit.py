"""The record of who did what. Rows are only ever added, and each is chained to the one before it.

The chain is HMAC-SHA256 with a key outside the database (`keys/audit_key`), so a row cannot be changed, taken out or put in
by someone who holds the database alone. A tail that was cut off leaves a sound chain; therefore the newest MAC is also
kept in files beside the database: `audit_head` after every commit, one line of `audit_heads` every ten minutes, for backups.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEvent, User
from accounts.origin import Request, client_address

logger = logging.getLogger(__name__)

GENESIS = "0" * 64
"""`previous_mac` of the first row."""
COLUMNS = (
    *("sequence", "at", "actor", "role", "organization", "action", "outcome", "origin"),
    *("patient_id", "study_instance_uid", "object_uid", "purpose", "detail"),
)
"""What the MAC covers, in this order, after the format's number and before the previous MAC."""
JOURNAL_SECONDS = 600
PROBLEMS_SHOWN = 20
_LOCK_OF_CHAIN = 0x46415256_41554449  # PostgreSQL: one writer of the chain at a time
_WIDTHS = {
    field.name: field.max_length for field in AuditEvent._meta.concrete_fields if getattr(field, "max_length", None)
}


class Head(NamedTuple):
    """The newest row, as the files beside the database know it."""

    sequence: int
    mac: str


def record(
    action: str,
    *,
    actor: User | str | None,
    request: Request | None = None,
    organization: str = "",
    patient_id: str = "",
    study_instance_uid: str = "",
    object_uid: str = "",
    outcome: str = "success",
    purpose: str = "",
    origin: str = "",
    detail: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Write one event, inside the caller's transaction when there is one: it is true exactly when the act is.

    `action` is a name like "study.view"; `outcome` "success", "denied" or "failure"; `organization` its name. `origin`
    is taken from `request` when not given. `detail` is JSON without names of patients; floats are kept as text, so that
    every database gives back exactly what was signed.
    """
    person = actor if isinstance(actor, User) else None
    given = {
        "actor": person.get_username() if person else str(actor or ""),
        "role": _roles_of(person, organization),
        "organization": organization,
        "action": action,
        "outcome": outcome,
        "origin": origin or client_address(request),
        "patient_id": patient_id,
        "study_instance_uid": study_instance_uid,
        "object_uid": object_uid,
        "purpose": purpose,
    }
    event = AuditEvent(**{name: _clean(value)[: _WIDTHS[name]] for name, value in given.items()})
    event.detail = _plain(detail or {})
    with transaction.atomic(savepoint=False):
        _take_turn()
        last, event.previous_mac = _newest()
        event.sequence, event.at = last + 1, timezone.now()
        event.mac = _mac(_key(), {name: getattr(event, name) for name in COLUMNS}, event.previous_mac)
        event.save(force_insert=True)
        head = Head(event.sequence, event.mac)
        transaction.on_commit(lambda: _keep_head(head), robust=True)
    return event


def verify_chain() -> list[str]:
    """Re-read every row and both head files; what is wrong, in words a person can act on (empty: all is sound)."""
    problems: list[str] = []
    key, kept = _key(), _remembered()
    expected, previous = 1, GENESIS
    rows = AuditEvent.objects.order_by("sequence").values(*COLUMNS, "previous_mac", "mac")
    for row in rows.iterator(chunk_size=1000):
        number = row["sequence"]
        if number != expected:
            problems.append(f"audit: events {expected} to {number - 1} are missing")
        if row["previous_mac"] != previous:
            problems.append(f"audit: event {number} does not follow the event before it")
        if not hmac.compare_digest(row["mac"], _mac(key, row, row["previous_mac"])):
            problems.append(f"audit: event {number} was changed, or signed with another key")
        if kept.pop(number, {row["mac"]}) != {row["mac"]}:
            problems.append(f"audit: event {number} is not the one that the file of heads remembers")
        expected, previous = number + 1, row["mac"]
    if kept:
        problems.append(f"audit: events {expected} to {max(kept)} are missing from the end")
    return _shortened(problems)


def _remembered() -> dict[int, set[str]]:
    """MACs by sequence. Two for one sequence: the tail was cut off once and has grown again."""
    found: dict[int, set[str]] = {}
    for head in kept_heads():
        found.setdefault(head.sequence, set()).add(head.mac)
    return found


def kept_heads() -> Iterator[Head]:
    """What the files beside the database remember; a line cut short by a power failure is passed over."""
    for path in (_head_path(), _journal_path()):
        with contextlib.suppress(FileNotFoundError):
            for line in path.read_text(encoding="ascii", errors="replace").splitlines():
                parts = line.split()
                if len(parts) == 3 and parts[0].isdigit() and len(parts[1]) == 64:
                    yield Head(int(parts[0]), parts[1])


def _shortened(problems: list[str]) -> list[str]:
    rest = len(problems) - PROBLEMS_SHOWN
    return problems if rest <= 0 else [*problems[:PROBLEMS_SHOWN], f"audit: and {rest} more of the same kind"]


def _take_turn() -> None:
    """One writer of the chain at a time. SQLite: BEGIN IMMEDIATE has seen to it already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_OF_CHAIN])


def _newest() -> tuple[int, str]:
    """(sequence, mac) of the row to follow. Plain SQL, as below: half of an event's time went into building queries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sequence, mac FROM accounts_auditevent ORDER BY sequence DESC LIMIT 1")
        return cursor.fetchone() or (0, GENESIS)


def _roles_of(person: User | None, organization: str) -> str:
    if person is None or person.pk is None:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT held.role FROM accounts_membership held"
            " JOIN accounts_organization home ON home.id = held.organization_id"
            " WHERE held.user_id = %s AND (%s = '' OR home.name = %s)",
            [person.pk, organization, organization],
        )
        return ",".join(sorted(role for (role,) in cursor.fetchall()))


def _clean(text: str) -> str:
    """Text that every database takes: no NUL, no half of a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_clean(str(name)): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, bool | int):
        return value
    return _clean(repr(value) if isinstance(value, float) else str(value))


def _mac(key: bytes, row: Mapping[str, Any], previous: str) -> str:
    content = [1, *(row[name] for name in COLUMNS), previous]
    content[COLUMNS.index("at") + 1] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hmac.new(key, text.encode("ascii"), hashlib.sha256).hexdigest()


def _key() -> bytes:
    return _kept_key(Path(settings.FARVIEW_KEYS_DIR) / "audit_key")


@lru_cache(maxsize=4)
def _kept_key(path: Path) -> bytes:
    """The key of the chain, made once. It appears under its name whole or not at all, whoever else is making one."""
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


def _head_path() -> Path:
    return Path(settings.FARVIEW_DATA_DIR) / "audit_head"


def _journal_path() -> Path:
    return Path(settings.FARVIEW_DATA_DIR) / "audit_heads"


class _Journal:
    """When this process last wrote a line of `audit_heads`."""

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


_journal = _Journal()


def _keep_head(head: Head) -> None:
    """After a commit: remember the newest row outside the database. Never goes back, whichever process is late."""
    line = f"{head.sequence:020d} {head.mac} {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}\n".encode("ascii")
    handle = os.open(_head_path(), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        held = os.pread(handle, 20, 0)
        if not held.isdigit() or int(held) < head.sequence:
            os.pwrite(handle, line, 0)
    finally:
        os.close(handle)
    if _journal.due():
        handle = os.open(_journal_path(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
            os.fsync(handle)
        finally:
            os.close(handle)
