"""Tables read and written by statements that are put together once.

Where rows come a hundred times a second, putting a query together takes most of the time, and running it little. Values pass
the fields and the database as they do in the ORM; signals are not sent, and related rows are not followed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import AutoField, DateField, Field, Model

Row = TypeVar("Row", bound=Model)
Converter = Callable[[Any, Any, Any], Any]


class Table(Generic[Row]):
    """One model's table; columns named in `without` are deferred in what is read."""

    def __init__(self, model: type[Row], *, without: Collection[str] = ()) -> None:
        self._model = model
        fields: list[Field[Any, Any]] = list(model._meta.concrete_fields)
        self._read = [field for field in fields if field.name not in without]
        self._names = [field.attname for field in self._read]
        self._written = [field for field in fields if not isinstance(field, AutoField)]
        self.columns = lru_cache(self._columns)
        self._updating = lru_cache(self._update)

    @cached_property
    def name(self) -> str:
        return connection.ops.quote_name(self._model._meta.db_table)

    @cached_property
    def _key(self) -> str:
        return connection.ops.quote_name(self._model._meta.pk.column)

    # --- reading

    @property
    def width(self) -> int:
        """How many values of a line are this table's."""
        return len(self._read)

    def _columns(self, alias: str) -> str:
        """For a SELECT, of the table called `alias` there."""
        return ", ".join(f"{alias}.{connection.ops.quote_name(field.column)}" for field in self._read)

    def row(self, values: Sequence[Any]) -> Row:
        """Of the values of `columns`."""
        made = list(values)
        for place, expression, converters in self._converters:
            for convert in converters:
                made[place] = convert(made[place], expression, connection)
        return self._model.from_db(DEFAULT_DB_ALIAS, self._names, made)

    @cached_property
    def _converters(self) -> list[tuple[int, Any, list[Converter]]]:
        found = []
        for place, field in enumerate(self._read):
            expression = field.get_col(self._model._meta.db_table)
            converters = [*connection.ops.get_db_converters(expression), *expression.get_db_converters(connection)]
            if converters:
                found.append((place, expression, converters))
        return found

    # --- writing

    def insert(self, rows: Sequence[Row], *, unless_held: bool = False) -> None:
        """New rows; their keys are not asked for. `unless_held`: those that a constraint forbids are passed over."""
        if rows:
            with connection.cursor() as cursor:
                values = [_values(self._written, row, add=True) for row in rows]
                cursor.executemany(self._insert + (" ON CONFLICT DO NOTHING" if unless_held else ""), values)

    def add(self, row: Row) -> None:
        """One new row, which gets its key."""
        with connection.cursor() as cursor:
            cursor.execute(f"{self._insert} RETURNING {self._key}", _values(self._written, row, add=True))
            (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS

    @cached_property
    def _insert(self) -> str:
        columns = ", ".join(connection.ops.quote_name(field.column) for field in self._written)
        places = ", ".join("%s" for _ in self._written)
        return f"INSERT INTO {self.name} ({columns}) VALUES ({places})"  # noqa: S608  # nosec B608  # names of ours

    def update(self, row: Row, *names: str) -> None:
        """Write these columns of a row that is there, all without names, and what is set at every saving."""
        fields, statement = self._updating(names)
        with connection.cursor() as cursor:
            cursor.execute(statement, [*_values(fields, row, add=False), row.pk])

    def _update(self, names: tuple[str, ...]) -> tuple[list[Field[Any, Any]], str]:
        fields = [field for field in self._written if not names or field.name in names or _is_dated(field)]
        columns = ", ".join(f"{connection.ops.quote_name(field.column)} = %s" for field in fields)
        return fields, f"UPDATE {self.name} SET {columns} WHERE {self._key} = %s"  # noqa: S608  # nosec B608  # names of ours


def _is_dated(field: Field[Any, Any]) -> bool:
    return isinstance(field, DateField) and field.auto_now


def _values(fields: Sequence[Field[Any, Any]], row: Model, *, add: bool) -> list[Any]:
    asked = connections[DEFAULT_DB_ALIAS]  # `connection` would look for it for every value
    return [field.get_db_prep_save(field.pre_save(row, add), asked) for field in fields]
