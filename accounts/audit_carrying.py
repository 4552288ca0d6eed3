"""Events of acts whose views say nothing of them: the first statement that writes carries the event, in its transaction.

So the event is there exactly when the act is, however the view writes: by a transaction of its own, again after another writer
was in the way, or by one statement alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from accounts.models import AuditEvent

WRITES = ("INSERT", "UPDATE", "DELETE")
NO_ACT = ('"django_session"', '"accounts_auditevent"')
"""Tables that say only that somebody is here, or was."""


class Owed:
    """The event of one request. `write` writes it, or says by None that there is none to be written."""

    def __init__(self, write: Callable[[], AuditEvent | None]) -> None:
        self._write = write
        self._written: AuditEvent | None = None
        self._over = self._writing = False

    def due(self) -> bool:
        """False once it stands in the database; a transaction that was taken back has taken it along."""
        if self._over or self._writing:
            return False
        event = self._written
        return event is None or not AuditEvent.objects.filter(sequence=event.sequence, mac=event.mac).exists()

    def pay(self) -> None:
        self._writing = True
        try:
            self._written = self._write()
            self._over = self._written is None
        finally:
            self._writing = False


_OWED: ContextVar[Owed | None] = ContextVar("event that is owed", default=None)


@contextmanager
def owing(write: Callable[[], AuditEvent | None]) -> Iterator[None]:
    """What is written meanwhile, in this task and the threads that it waits for, carries the event that `write` writes."""
    token = _OWED.set(Owed(write))
    try:
        yield
    finally:
        _OWED.reset(token)


def carry(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Around every statement of every connection (Django's `execute_wrapper`)."""
    owed = _OWED.get()
    if owed is None or not _is_act(sql) or not owed.due():
        return execute(sql, params, many, context)
    with transaction.atomic(using=context["connection"].alias, savepoint=False):
        owed.pay()
        return execute(sql, params, many, context)


def _is_act(sql: str) -> bool:
    return sql[:6].upper() in WRITES and not any(table in sql[:80] for table in NO_ACT)


def _wrap(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if carry not in connection.execute_wrappers:
        connection.execute_wrappers.append(carry)


connection_created.connect(_wrap)
