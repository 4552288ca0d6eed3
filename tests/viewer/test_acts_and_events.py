"""Where an act cannot be written down it does not happen: changing doors, asked while the record takes nothing.

Each is asked twice from the same beginning: while all is well it changes rows and leaves an event; while the record fails no
row of any table is another than before.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts import audit, policy
from accounts.audited import act_of
from accounts.models import AuditEvent, User
from reporting.models import Report
from tests.accounts.matrix.world import OWNER, World, build, in_a_folder_of_its_own, one_connection
from tests.viewer.acting import ELSEWHERE, PASSWORD, TABLE, How
from viewer.api import auditing
from viewer.models import DicomPeer
from viewer.serving.runtime import runtime

RECORD = "accounts_auditevent"
UNCOUNTED = {RECORD, "django_session", "sqlite_sequence", "accounts_failedsignin", "usersessions_usersession"}
"""The record itself; that somebody is here; tries at a password, which have to be counted though nothing comes of them."""


# --- the world


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: Any, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("acts")
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        in_a_folder_of_its_own(patch, folder)
        one_connection(patch)
        audit._kept_key.cache_clear()
        with taken_back():
            world = build(shared_data)
            for name in (OWNER, "resident", "admin"):
                world.users[name].set_password(PASSWORD)
                world.users[name].save()
            DicomPeer.objects.update(port=104, may_store=True)
            Report.objects.filter(state="draft").delete()  # a row that no page has made
            yield world
        audit._kept_key.cache_clear()
    runtime().stop_private()


@contextmanager
def taken_back() -> Iterator[None]:
    """Whatever is committed meanwhile never was. No transaction is around it: doors begin and end their own, as they do."""
    assert connection.vendor == "sqlite"
    connection.ensure_connection()
    with sqlite3.connect(":memory:") as kept:
        connection.connection.backup(kept)
        try:
            yield
        finally:
            kept.backup(connection.connection)


@pytest.fixture
def asked(world: World, caplog: pytest.LogCaptureFixture, django_db_blocker: Any) -> Iterator[World]:
    caplog.set_level("CRITICAL")
    with django_db_blocker.unblock():
        yield world


def client_of(world: World, name: str) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(pk=world.users[name].pk))
    return client


def filled(value: Any, names: dict[str, Any]) -> Any:
    """The body with the world's names in place of their words in braces; numbers stay numbers."""
    if isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    if isinstance(value, str) and value.startswith("{") and value.endswith("}"):
        found = names[value[1:-1]]
        return int(found) if isinstance(found, str) and value[1:-1] in ("peer", "order_id", "template") else found
    return value


def address_of(door: str, names: dict[str, Any]) -> str:
    from tests.accounts.matrix.doors import Door

    route = next(route for route, name in policy.doors() if name == door and "(?P" not in route)
    return Door(door, route).address({name: str(value) for name, value in names.items()})


def rows_of_all(uncounted: Set[str] = frozenset(UNCOUNTED)) -> dict[str, list[Any]]:
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor)) - uncounted
        found = {}
        for table in sorted(tables):
            cursor.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in cursor.description]
            kept = [place for place, name in enumerate(columns) if name not in ("last_used_at", "last_login")]
            found[table] = [tuple(row[place] for place in kept) for row in cursor.fetchall()]
    return found


class Shut:
    """In the place of the record's table."""

    def add(self, event: AuditEvent) -> None:
        raise RuntimeError("the record takes nothing")


def acted(world: World, how: How, patch: pytest.MonkeyPatch, *, shut: bool) -> tuple[int, list[str], str]:
    """Status, tables whose rows are others than before, and what came back."""

    def send(method: str, path: str, body: Any = None, by: str = OWNER) -> Any:
        client = client_of(world, by)
        said = json.dumps(filled(body or {}, world.real))
        return client.get(path) if method == "get" else getattr(client, method)(path, said, "application/json")

    auditing.LATELY.forget()
    with taken_back():
        names = {**world.real, **(how.before(world, send) if how.before else {})}
        path, body, client = address_of(how.door, names), filled(how.body, names), client_of(world, how.by)
        before, events = rows_of_all(), AuditEvent.objects.count()
        auditing.LATELY.forget()
        with pytest.MonkeyPatch.context() as patched:
            if shut:
                patched.setattr(audit, "_ROWS", Shut())
            path += f"?{how.query}" if how.query else ""
            if how.form:
                answer = client.post(path, body)
            else:
                answer = getattr(client, how.method)(path, json.dumps(body), "application/json")
        after = rows_of_all()
        changed = [table for table, rows in after.items() if rows != before[table]]
        if AuditEvent.objects.count() > events:
            changed.append(RECORD)
        return answer.status_code, changed, answer.content.decode(errors="replace")[:600]


def test_a_record_that_is_shut_takes_nothing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the others rely on. It asks for `db`, so that the tests' database is made; they use it without a transaction."""
    monkeypatch.setattr(audit, "_ROWS", Shut())
    with pytest.raises(RuntimeError, match="takes nothing"):
        audit.record("study.view", actor="alice")


def test_every_changing_door_is_asked_or_says_why_not() -> None:
    from tests.accounts.matrix.doors import Door

    acting = {
        name
        for route, name in policy.doors()
        if "(?P" not in route and not name.startswith("admin:") and act_of(name).changes
        if set(Door(name, route).methods()) - {"get"}
    }
    assert acting - {how.door for how in TABLE} - ELSEWHERE.keys() == set()


@pytest.mark.parametrize("how", TABLE, ids=str)
def test_an_act_that_cannot_be_written_down_does_not_happen(
    asked: World, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, changed, said = acted(asked, how, monkeypatch, shut=False)
    assert status < 400, (status, said)
    assert RECORD in changed
    assert len(changed) > 1, "the door was to act, so that something could be seen to be left undone"
    status, changed, said = acted(asked, how, monkeypatch, shut=True)
    assert status >= 500, (status, said)
    assert changed == []
