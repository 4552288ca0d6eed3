"""The record of who did what. Rows are only ever added, and each is chained to the one before it (`accounts.chain`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.audit_carrying import owing as owing
from accounts.chain import PROBLEMS_SHOWN as PROBLEMS_SHOWN
from accounts.chain import Chain, Head, Journal, Link, mac_of, moment
from accounts.chain import kept_key as _kept_key  # noqa: F401 - tests begin anew with it
from accounts.knocking import Knocks
from accounts.models import AuditEvent, User
from accounts.origin import Request, client_address
from accounts.tables import Table

logger = logging.getLogger(__name__)

COLUMNS = (
    *("sequence", "at", "actor", "role", "organization", "action", "outcome", "origin"),
    *("patient_id", "study_instance_uid", "object_uid", "purpose", "detail"),
)
"""What the MAC covers, in this order, after the format's number and before the previous MAC."""
_WIDTHS = {
    field.name: field.max_length for field in AuditEvent._meta.concrete_fields if getattr(field, "max_length", None)
}
_ROWS = Table(AuditEvent)
_HEARD: ContextVar[list[str] | None] = ContextVar("events of the record", default=None)
KNOCKS = Knocks()
_journal = Journal()
CHAIN = Chain("audit", "event", "accounts_auditevent", 0x46415256_41554449, _journal)


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
    every database gives back exactly what was signed. Of a caller who is denied on and on, so many are written as
    `accounts.knocking` says, and how many were not.
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
    if (actions := _HEARD.get()) is not None:
        actions.append(event.action)
    if outcome == "denied":
        written, left_out = KNOCKS.count((event.actor or event.origin, event.action))
        if not written:
            return event
        event.detail |= {"not_written_before": left_out} if left_out else {}
    with transaction.atomic(savepoint=False):
        CHAIN.take_turn()
        last, event.previous_mac = CHAIN.newest()
        event.sequence, event.at = last + 1, timezone.now()
        event.mac = _mac(_key(), {name: getattr(event, name) for name in COLUMNS}, event.previous_mac)
        _ROWS.add(event)
        head = Head(event.sequence, event.mac)
        transaction.on_commit(lambda: _keep_head(head), robust=True)
    return event


@contextmanager
def heard() -> Iterator[list[str]]:
    """The actions of the events that are written meanwhile, in this task and the threads that it waits for."""
    actions: list[str] = []
    token = _HEARD.set(actions)
    try:
        yield actions
    finally:
        _HEARD.reset(token)


def verify_chain() -> list[str]:
    """Re-read every row and both head files; what is wrong, in words a person can act on (empty: all is sound)."""
    key, kept = _key(), CHAIN.remembered()
    rows = AuditEvent.objects.order_by("sequence").values(*COLUMNS, "previous_mac", "mac")
    links = (
        Link(row["sequence"], row["previous_mac"], row["mac"], _mac(key, row, row["previous_mac"]))
        for row in rows.iterator(chunk_size=1000)
    )
    return CHAIN.problems(links, kept)


def kept_heads() -> Iterator[Head]:
    """What the files beside the database remember."""
    return CHAIN.kept_heads()


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
    return mac_of(key, [moment(row["at"]) if name == "at" else row[name] for name in COLUMNS], previous)


def _key() -> bytes:
    return CHAIN.key()


def _keep_head(head: Head) -> None:
    CHAIN.keep_head(head)
