"""A transaction of one's own that waits for its turn: the database takes one writer at a time."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import IntegrityError, OperationalError, transaction

from viewer.archive.storage import StorageFull

PATIENCE_S = 120.0
"""How long a busy database is waited for, beyond its own time-out."""
COLLISIONS = 5

Answer = TypeVar("Answer")


class DatabaseBusy(Exception):
    """Nobody let go of the database for minutes; nothing of the objects was recorded."""


def patiently(work: Callable[[], Answer]) -> Answer:
    """Run `work` in a transaction of its own, again when another writer was in the way."""
    deadline, collisions = time.monotonic() + PATIENCE_S, 0
    while True:
        try:
            with transaction.atomic(durable=True):
                return work()
        except OperationalError as problem:
            if any(words in str(problem).lower() for words in FULL):
                raise StorageFull("the disk of the database is full") from problem
            if not is_locked(problem):
                raise
            if time.monotonic() > deadline:
                raise DatabaseBusy("the database is busy; try again later") from problem
            time.sleep(random.uniform(0.02, 0.2))  # noqa: S311 - spreads writers, no secret
        except IntegrityError:  # another process made the same row between our look and our write
            collisions += 1
            if collisions >= COLLISIONS:
                raise


def is_locked(problem: OperationalError) -> bool:
    """Is this another writer's doing, so that waiting helps?"""
    text = str(problem).lower()
    return any(words in text for words in LOCKED)


FULL = ("disk is full", "no space left on device")
LOCKED = ("locked", "busy", "deadlock", "could not serialize", "lock timeout")
"""As SQLite and PostgreSQL say it."""
