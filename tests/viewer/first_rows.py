"""A database as the first versions of Farview left it, with rows in every table; run in a process of its own.

`fill`: make the tables of the first migrations and fill them. `tell`: what is in the tables now. Both print JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import uuid
from datetime import UTC, date, datetime
from typing import Any

import django

FIRST = (
    [("accounts", "0001_initial"), ("viewer", "0001_initial"), ("sessions", "0001_initial")],
    [("reporting", "0001_first")],
)
"""Step by step: reporting came when the others had their fourth migration."""
ROWS = 3
AT = datetime(2025, 3, 14, 15, 9, 26, tzinfo=UTC)
BY_THEMSELVES = {"accounts_auditevent"}
"""Rows that are chained are written by the chain."""
NONE = {"reporting_evidence"}
"""A frozen picture has to be one that its report's signature names."""
SAID: dict[str, dict[str, Any]] = {
    "reporting_macro": {"owner_id": None},
    "viewer_blob": {"size": 1},
    "reporting_report": {"version": 1, "signed_version": 0, "state": "draft"},
    "reporting_reportversion": {"number": 1, "state": "draft", "meaning": "", "evidence": []},
}


def stored(number: int) -> str:
    """SHA-256 of the stored object of a row: its number, as text."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def value(field: Any, number: int, made: dict[Any, list[Any]]) -> Any:
    """Something that is not the field's default, different from row to row where it has to be."""
    from django.db import models

    if field.is_relation:
        rows = made.get(field.related_model._meta.label, [])
        return rows[number % len(rows)].pk if rows else None
    if field.name == "sha256":
        return stored(number)
    if field.choices:
        return field.choices[number % len(field.choices)][0]
    text = f"{number} kept {field.name} é 影"
    by_kind: tuple[tuple[type, Any], ...] = (
        (models.JSONField, [text] if field.default is list else {"kept": text}),
        (models.DateTimeField, AT),
        (models.DateField, date(2025, 3, 14)),
        (models.TimeField, AT.time()),
        (models.UUIDField, uuid.UUID(int=number + 1)),
        (models.BooleanField, number == 0),
        (models.FloatField, number + 0.5),
        (models.IntegerField, number + 1),
        (models.BinaryField, text.encode()),
        (models.CharField, text[: field.max_length]),
        (models.TextField, text),
    )
    found = [given for kind, given in by_kind if isinstance(field, kind)]
    assert found, f"no value is known for {field!r}"
    return found[0]


def fill_tables(apps: Any, made: dict[Any, list[Any]]) -> None:
    """Rows in every table of ours that has none yet; those that others refer to first."""
    waiting = [m for m in apps.get_models() if m._meta.label not in made]
    while waiting:
        names = {m._meta.label for m in waiting}

        def needs(model: Any, names: set[str] = names) -> bool:
            fields = [f for f in model._meta.concrete_fields if f.is_relation and not f.null]
            return any(f.related_model._meta.label in names - {model._meta.label} for f in fields)

        ready = [m for m in waiting if not needs(m)]
        assert ready, names
        for model in ready:
            made[model._meta.label] = rows_of(model, made)
        waiting = [m for m in waiting if m not in ready]


def rows_of(model: Any, made: dict[Any, list[Any]]) -> list[Any]:
    table = model._meta.db_table
    if table in NONE | BY_THEMSELVES or not table.startswith(("accounts_", "viewer_", "reporting_", "django_session")):
        return []
    found = []
    for number in range(ROWS):
        fields = [
            f for f in model._meta.concrete_fields if not (f.primary_key and f.get_internal_type() == "BigAutoField")
        ]
        given = {field.attname: value(field, number, made) for field in fields} | SAID.get(table, {})
        row = model(**given)
        if table == "reporting_reportversion":
            chain(row, number + 1, found)
        row.save(force_insert=True)
        found.append(row)
    return found


def chain(row: Any, sequence: int, before: list[Any]) -> None:
    from accounts.chain import GENESIS, Head
    from reporting.workflow.versions import CHAIN, COLUMNS, mac

    row.sequence, row.previous_mac = sequence, before[-1].mac if before else GENESIS
    row.mac = mac(CHAIN.key(), {name: getattr(row, name) for name in COLUMNS}, row.previous_mac)
    CHAIN.keep_head(Head(sequence, row.mac))


def fill() -> dict[str, Any]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from accounts import audit

    made: dict[Any, list[Any]] = {}
    for targets in FIRST:
        executor = MigrationExecutor(connection)
        state = executor.migrate(targets)
        fill_tables(state.apps, made)
        audit.record("study.view", actor="alice", organization="default", patient_id="P1", detail={"kept": [1, 0.5]})
    return tell()


def tell() -> dict[str, Any]:
    """Table -> {"columns", "rows"} as the database has them."""
    from django.db import connection

    found = {}
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if not table.startswith(("accounts_", "viewer_", "reporting_", "django_session")):
                continue
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [one[0] for one in cursor.description]
            rows = [[_text(one) for one in row] for row in cursor.fetchall()]
            found[table] = {"columns": columns, "rows": sorted(rows)}
    return found


def _text(value: Any) -> str:
    return str(bytes(value)) if isinstance(value, memoryview | bytes) else str(value)


def judge() -> dict[str, Any]:
    """After the migration to today: chains, triggers, and whether every row can be read by today's models."""
    from django.apps import apps
    from django.db import DatabaseError, connection, transaction

    from accounts import audit
    from tests.emptying import INSERT_ONLY
    from viewer import verification

    problems = [*audit.verify_chain(), *(said for check in verification.CHECKS.values() for said in check())]
    read = {model._meta.db_table: len(list(model._default_manager.all())) for model in apps.get_models()}
    open_tables = []
    for table in INSERT_ONLY:
        if read[table] == 0:
            continue
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id"):
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(statement)
                open_tables.append(statement)
            except DatabaseError:
                pass
    return {"problems": problems, "open": open_tables, "read": read}


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    acts = {"fill": fill, "tell": tell, "judge": judge}
    print(json.dumps(acts[sys.argv[1]]()))
