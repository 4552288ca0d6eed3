"""Tables that are only ever added to: triggers refuse UPDATE and DELETE, on SQLite and on PostgreSQL alike.

Whoever owns the database file can drop a trigger; that a row was changed then shows in the chain of its MACs. The triggers
stop mistakes, faults in the program, and SQL that came in by a side door.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

_SQLITE = (
    "CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is insert-only'); END",
    "CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
    "BEGIN SELECT RAISE(ABORT, '{table} is insert-only'); END",
)
_SQLITE_DROP = ("DROP TRIGGER IF EXISTS {table}_no_update", "DROP TRIGGER IF EXISTS {table}_no_delete")
_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION {table}_insert_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
    "BEGIN RAISE EXCEPTION '{table} is insert-only' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
    "FOR EACH ROW EXECUTE FUNCTION {table}_insert_only()",
    "CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
    "FOR EACH STATEMENT EXECUTE FUNCTION {table}_insert_only()",
)
_POSTGRESQL_DROP = (
    "DROP TRIGGER IF EXISTS {table}_no_change ON {table}",
    "DROP TRIGGER IF EXISTS {table}_no_truncate ON {table}",
    "DROP FUNCTION IF EXISTS {table}_insert_only()",
)


def protect(connection: BaseDatabaseWrapper, table: str) -> None:
    """From now on rows of `table` (a name of ours, never a user's text) can be added and read, nothing else."""
    _run(connection, table, PROTECT[connection.vendor])


def release(connection: BaseDatabaseWrapper, table: str) -> None:
    """Undo `protect`: for migrating backwards and for emptying a test database."""
    _run(connection, table, RELEASE[connection.vendor])


def _run(connection: BaseDatabaseWrapper, table: str, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(table=table))


PROTECT = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}
RELEASE = {"sqlite": _SQLITE_DROP, "postgresql": _POSTGRESQL_DROP}
