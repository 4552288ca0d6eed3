"""An archive of the first versions is brought to today's with all that was in it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emptying import INSERT_ONLY
from tests.live import ROOT
from tests.peers.conftest import needed
from tests.peers.postgresql import PostgreSQL, programs
from tests.viewer.first_rows import ROWS, stored

Tables = dict[str, dict[str, Any]]


def run(data: Path, url: str, *command: str) -> str:
    kept = {key: text for key, text in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**kept, "FARVIEW_DATA_DIR": str(data), "FARVIEW_DICOM_PORT": "0", "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def backed_up(data: Path) -> Path:
    """A backup of the first versions' rows by the code of today, with the bytes that they name."""
    for number in range(ROWS):
        place = data / "blob" / stored(number)[:2] / stored(number)
        place.parent.mkdir(exist_ok=True)
        place.write_text(str(number))
    run(data, "", "manage.py", "backup", str(data / "first.backup"))
    return data / "first.backup"


class Upgraded:
    """What was in the tables before, and what is in them after `manage.py migrate`."""

    def __init__(self, data: Path, url: str) -> None:
        self.before: Tables = json.loads(run(data, url, "-m", "tests.viewer.first_rows", "fill"))
        if not url:
            self.backup = backed_up(data)
        run(data, url, "manage.py", "migrate", "--no-input", "-v", "0")
        self.after: Tables = json.loads(run(data, url, "-m", "tests.viewer.first_rows", "tell"))
        self.judged: dict[str, Any] = json.loads(run(data, url, "-m", "tests.viewer.first_rows", "judge"))
        run(data, url, "manage.py", "makemigrations", "--check", "--dry-run")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    data = tmp_path_factory.mktemp("first")
    if request.param == "sqlite":
        yield Upgraded(data, "")
        return
    needed(programs() / "initdb", "postgresql")
    with PostgreSQL() as cluster:
        yield Upgraded(data, cluster.url)


def test_the_first_versions_had_rows_in_every_table_of_ours(upgraded: Upgraded) -> None:
    empty = sorted(table for table, held in upgraded.before.items() if not held["rows"])
    assert [table for table in empty if not table.endswith(("_groups", "_user_permissions"))] == ["reporting_evidence"]
    assert len(upgraded.before) > 40


def test_every_row_keeps_every_value(upgraded: Upgraded) -> None:
    for table, old in upgraded.before.items():
        new = upgraded.after[table]
        assert set(old["columns"]) <= set(new["columns"]), table
        places = [new["columns"].index(name) for name in old["columns"]]
        kept = [[row[place] for place in places] for row in new["rows"]]
        assert [row for row in old["rows"] if row not in kept] == [], table


def test_the_chains_of_the_record_and_of_the_reports_hold(upgraded: Upgraded) -> None:
    assert len(upgraded.after["accounts_auditevent"]["rows"]) >= 2
    assert len(upgraded.after["reporting_reportversion"]["rows"]) == 3
    assert upgraded.judged["problems"] == []


def test_insert_only_tables_refuse_changes_afterwards(upgraded: Upgraded) -> None:
    assert upgraded.judged["open"] == []
    assert sum(upgraded.judged["read"][table] > 0 for table in INSERT_ONLY) >= len(INSERT_ONLY) - 1


def test_todays_models_read_every_row(upgraded: Upgraded) -> None:
    for table, old in upgraded.before.items():
        if table in upgraded.judged["read"]:
            assert upgraded.judged["read"][table] >= len(old["rows"]), table


@pytest.mark.parametrize("upgraded", ["sqlite"], indirect=True)
def test_a_backup_of_the_first_versions_is_restored_migrated_and_verified(upgraded: Upgraded, tmp_path: Path) -> None:
    """PostgreSQL: tests/peers/test_postgresql_backup.py."""
    said = run(tmp_path / "restored", "", "manage.py", "restore", str(upgraded.backup))
    assert "Everything stored is as it was received" in said
    after = json.loads(run(tmp_path / "restored", "", "-m", "tests.viewer.first_rows", "tell"))
    for table, old in upgraded.before.items():
        assert len(after[table]["rows"]) >= len(old["rows"]), table
    assert after["viewer_measurement"]["rows"] == upgraded.after["viewer_measurement"]["rows"]
