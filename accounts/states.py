"""What a row said before a change and after it, as digests for the record: nothing of the row can be read from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import Field, Model

UNTOLD = frozenset({"last_login", "last_used_at", "last_seen_at", "updated_at", "epoch"})
"""Columns that change without anybody's act upon the row."""


def digest_of_row(row: Model, beside: Iterable[Model] = ()) -> str:
    """SHA-256 (hex) of the columns of `row`, and of those rows `beside` it that belong to it, in any order."""
    held = [_columns(row), *sorted(_columns(other) for other in beside)]
    return hashlib.sha256(json.dumps(held, ensure_ascii=True).encode()).hexdigest()


def told(before: str, after: str) -> dict[str, str]:
    """For the detail of an event: the digests of a row before and after an act; "": there was none, or is none."""
    states = {"before": before, "after": after}
    return {name: state for name, state in states.items() if state}


def _columns(row: Model) -> list[list[str]]:
    fields = (field for field in row._meta.concrete_fields if field.name not in UNTOLD)
    return [[field.attname, _text(row, field)] for field in fields]


def _text(row: Model, field: Field[Any, Any]) -> str:
    """A moment in UTC, as the database gives it back, in whichever zone a form was filled in."""
    value = field.value_from_object(row)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    return field.value_to_string(row)
