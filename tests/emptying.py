"""Between tests that commit, Django empties every table and lets the apps fill in what they come with: half a second of work
each time, for the same rows. Here the rows are kept from the first time and put back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush as flushing
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.operations import BaseDatabaseOperations

from accounts.insert_only import protect, release

INSERT_ONLY = (
    "accounts_auditevent",
    "reporting_criticalattempt",
    "reporting_evidence",
    "reporting_itemevent",
    "reporting_reportversion",
    "reporting_templateevent",
    "reporting_templateversion",
)


class Shipped:
    """The rows of a database in which nothing is but what the apps come with."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._put: list[tuple[str, list[tuple[Any, ...]]]] = []
        with connection.cursor() as cursor:
            for table in connection.introspection.django_table_names(only_existing=True, include_views=False):
                name = connection.ops.quote_name(table)
                cursor.execute(f"SELECT * FROM {name}")
                rows = cursor.fetchall()
                if rows:
                    columns = ", ".join(connection.ops.quote_name(column[0]) for column in cursor.description)
                    places = ", ".join(["%s"] * len(cursor.description))
                    self._put.append((f"INSERT INTO {name} ({columns}) VALUES ({places})", rows))

    def put_back(self, connection: BaseDatabaseWrapper) -> None:
        """References among them may be circular: they are looked at when the transaction ends."""
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for statement, rows in self._put:
                cursor.executemany(statement, rows)
        ContentType.objects.clear_cache()


@pytest.fixture(scope="session", autouse=True)
def emptying_the_test_database() -> Iterator[None]:
    """Insert-only tables would refuse to be emptied: they are released for as long as that takes."""
    kind = type(connections[DEFAULT_DB_ALIAS].ops)
    flush, fill = kind.execute_sql_flush, flushing.emit_post_migrate_signal
    shipped: dict[str, Shipped] = {}

    def execute_sql_flush(operations: BaseDatabaseOperations, sql_list: list[str]) -> None:
        protected = [table for table in INSERT_ONLY if any(table in sql for sql in sql_list)]
        for table in protected:
            release(operations.connection, table)
        flush(operations, sql_list)
        for table in protected:
            protect(operations.connection, table)

    def fill_again(verbosity: int, interactive: bool, alias: str, **more: Any) -> None:
        if alias in shipped:
            shipped[alias].put_back(connections[alias])
            return
        fill(verbosity, interactive, alias, **more)
        shipped[alias] = Shipped(connections[alias])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "execute_sql_flush", execute_sql_flush)
        patch.setattr(flushing, "emit_post_migrate_signal", fill_again)
        yield
