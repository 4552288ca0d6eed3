"""All rows as they were at one moment, in files; and those files as a database again. By the kind of database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from viewer.archive.backup_file import DATABASE

BATCH = 10_000
BLOBS = "SELECT sha256, size FROM viewer_blob ORDER BY sha256"
APPLIED = "SELECT app, name FROM django_migrations ORDER BY id"
OWN_TABLE = "django_migrations"


class Unusable(Exception):
    """These rows cannot become a database here; says why."""


@dataclass(slots=True)
class Snapshot:
    """Rows of one moment. `parts`: name in the backup and file, in the order in which they are written."""

    vendor: str
    migrations: list[tuple[str, str]]
    blobs: Path
    """Lines "sha256 size" of every stored object that a row names."""
    count: int = 0
    size: int = 0
    parts: list[tuple[str, Path]] = field(default_factory=list)

    def stored(self) -> Iterator[tuple[str, int]]:
        with open(self.blobs, encoding="ascii") as lines:
            for line in lines:
                sha256, size = line.split()
                yield sha256, int(size)

    def note(self, rows: Iterator[tuple[str, int]]) -> None:
        with open(self.blobs, "w", encoding="ascii") as file:
            for sha256, size in rows:
                file.write(f"{sha256} {size}\n")
                self.count, self.size = self.count + 1, self.size + size


def take(folder: Path) -> Snapshot:
    """Write the rows of this moment into `folder`. Nobody who reads or writes waits for it."""
    return TAKE[connection.vendor](folder)


def _take_sqlite(folder: Path) -> Snapshot:
    """VACUUM INTO reads in one transaction, so what is committed meanwhile is left out, whole."""
    copy = folder / DATABASE
    address = f"{Path(connection.settings_dict['NAME']).absolute().as_uri()}?mode=rw"  # never makes one
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=60)) as source:
            source.execute("VACUUM INTO ?", [str(copy)])
    except sqlite3.OperationalError as problem:
        raise Unusable(f"the database cannot be copied ({problem})") from problem
    with closing(sqlite3.connect(copy)) as rows:
        found = Snapshot("sqlite", rows.execute(APPLIED).fetchall(), folder / "blobs", parts=[(DATABASE, copy)])
        found.note(rows.execute(BLOBS))
    return found


def _take_postgresql(folder: Path) -> Snapshot:
    """COPY of every table in one REPEATABLE READ transaction; needs no program of PostgreSQL's on this machine."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute(APPLIED)
        found = Snapshot("postgresql", cursor.fetchall(), folder / "blobs")
        for table in sorted(connection.introspection.table_names(cursor)):
            if table == OWN_TABLE:
                continue
            columns = [one.name for one in connection.introspection.get_table_description(cursor, table)]
            target = folder / f"{table}.rows"
            with open(target, "wb") as file:
                file.write((",".join(columns) + "\n").encode("ascii"))
                with cursor.copy(f"COPY {_named(table)} ({_listed(columns)}) TO STDOUT") as copy:
                    for data in copy:
                        file.write(data)
            found.parts.append((f"database/{table}", target))
        with connection.chunked_cursor() as stored:
            stored.execute(BLOBS)
            found.note(iter(row for rows in iter(lambda: stored.fetchmany(BATCH), []) for row in rows))
    return found


def refuse_newer(migrations: list[tuple[str, str]]) -> None:
    """Rows of a later version of Farview: this one does not know their tables."""
    known = MigrationExecutor(None).loader.disk_migrations
    strange = [f"{app} {name}" for app, name in migrations if app in OURS and (app, name) not in known]
    if strange:
        raise Unusable(f"it was made by a newer version of Farview ({strange[0]} is not known here)")


def is_empty() -> bool:
    """True when there are no rows that a restored database would take the place of."""
    if connection.vendor == "sqlite":
        return not Path(connection.settings_dict["NAME"]).exists()
    return not connection.introspection.table_names()


def put(folder: Path, migrations: list[tuple[str, str]]) -> None:
    """Make what `take` left in `folder` the database, in the state of those migrations."""
    PUT[connection.vendor](folder, migrations)


def _put_sqlite(folder: Path, _: list[tuple[str, str]]) -> None:
    connection.close()
    os.replace(folder / DATABASE, connection.settings_dict["NAME"])


def _put_postgresql(folder: Path, migrations: list[tuple[str, str]]) -> None:
    """Tables as the backup's own version made them, then all rows in one transaction: keys are checked when it ends."""
    executor = MigrationExecutor(connection)
    executor.migrate([one for one in migrations if one in executor.loader.graph.nodes])
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        for path in sorted((folder / "database").iterdir()):
            cursor.execute(f"DELETE FROM {_named(path.name)}")  # noqa: S608  # nosec B608  # a name of ours
            with open(path, "rb") as file:
                columns = file.readline().decode("ascii").strip().split(",")
                with cursor.copy(f"COPY {_named(path.name)} ({_listed(columns)}) FROM STDIN") as copy:
                    while data := file.read(1 << 20):
                        copy.write(data)


def set_counters() -> None:
    """After the last migration: numbers of new rows go on where the restored ones end."""
    statements = connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True))
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _named(name: str) -> str:
    return str(connection.ops.quote_name(name))


def _listed(columns: list[str]) -> str:
    return ", ".join(map(_named, columns))


OURS = ("accounts", "viewer", "reporting")
TAKE: dict[str, Callable[[Path], Snapshot]] = {"sqlite": _take_sqlite, "postgresql": _take_postgresql}
PUT: dict[str, Callable[[Path, list[tuple[str, str]]], None]] = {
    "sqlite": _put_sqlite,
    "postgresql": _put_postgresql,
}
