"""A backup of rows that PostgreSQL keeps, restored into another database of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.live import ROOT
from tests.peers.conftest import needed
from tests.peers.postgresql import PostgreSQL, programs
from tests.viewer.archive.objects import slices

COUNTED = ("viewer_instance", "viewer_blob", "accounts_user", "accounts_auditevent", "reporting_template")


def manage(data: Path, url: str, *arguments: object, told: str = "") -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=ROOT,
        env={**kept, "FARVIEW_DATA_DIR": str(data), "FARVIEW_DICOM_PORT": "0", "DATABASE_URL": url},
        input=told,
        capture_output=True,
        text=True,
        check=False,
    )


def counts(url: str) -> dict[str, int]:
    with psycopg.connect(url) as rows:
        return {
            table: rows.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # type: ignore[index]
            for table in COUNTED
        }


def test_rows_objects_and_keys_come_back_in_an_empty_database_and_go_on_from_there(tmp_path: Path) -> None:
    needed(programs() / "initdb", "postgresql")
    with PostgreSQL() as cluster:
        other = cluster.url.removesuffix("/farview") + "/restored"
        with psycopg.connect(cluster.url, autocommit=True) as rows:
            rows.execute("CREATE DATABASE restored")
        first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "all.backup"
        slices(tmp_path / "cd", 4)
        for arguments in (("migrate", "-v", "0"), ("ingest", tmp_path / "cd")):
            done = manage(first, cluster.url, *arguments)
            assert done.returncode == 0, done.stderr
        person = ("--role", "radiologist", "--password-stdin")
        assert manage(first, cluster.url, "add_user", "alice", *person, told="a long password").returncode == 0
        before = counts(cluster.url)
        done = manage(first, cluster.url, "backup", file)
        assert done.returncode == 0, done.stderr

        on_sqlite = manage(tmp_path / "third", "", "restore", file)
        assert on_sqlite.returncode != 0
        assert "set DATABASE_URL" in on_sqlite.stderr
        taken = manage(tmp_path / "fourth", cluster.url, "restore", file)
        assert taken.returncode != 0
        assert "there is a database already" in taken.stderr

        done = manage(second, other, "restore", file)
        assert done.returncode == 0, done.stderr
        assert "Everything stored is as it was received" in done.stdout
        after = counts(other)
        assert after.pop("accounts_auditevent") == before.pop("accounts_auditevent") + 1  # that it was restored
        assert after == before
        added = manage(second, other, "add_user", "berta", *person, told="another password")
        assert added.returncode == 0, added.stderr
        with psycopg.connect(other) as rows:
            try:
                rows.execute("DELETE FROM accounts_auditevent")
            except psycopg.errors.IntegrityConstraintViolation:
                return
        raise AssertionError("the restored record can be emptied")
