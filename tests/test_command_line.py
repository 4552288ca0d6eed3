"""The command line as a person meets it when something is not as it should be: one line that says what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def manage(*words: str, data: Path, **settings: str) -> tuple[int, str]:
    """Exit status, and everything that was said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FARVIEW_")}
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env={**kept, "FARVIEW_DATA_DIR": str(data), **settings},
        input=b"a long password",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode()


@pytest.mark.parametrize(
    "words", [("verify",), ("ingest", "."), ("add_user", "ann", "--role", "admin", "--password-stdin")]
)
def test_a_database_that_was_not_made_is_said_in_one_line_with_the_remedy(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    status, said = manage(*words, data=tmp_path)
    assert status == 1
    assert said.strip().splitlines() == [said.strip()], "one line"
    assert "manage.py migrate" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FARVIEW_PORT", "eighty"),
        ("FARVIEW_PORT", "-1"),
        ("FARVIEW_MAX_PIXELS", "1e6"),
        ("FARVIEW_DECODE_SECONDS", "nan"),
    ],
)
def test_a_setting_that_is_no_number_is_named(name: str, value: str, tmp_path: Path) -> None:
    status, said = manage("verify", data=tmp_path, **{name: value})
    assert status == 1
    assert said.startswith(f"Settings: {name}: ")
    assert repr(value) in said
    assert "Traceback" not in said


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    status, said = manage("verify", data=tmp_path / "file" / "data")
    assert status == 1
    assert said.startswith("Settings: FARVIEW_DATA_DIR: ")
    assert "Traceback" not in said


def test_whoever_wants_the_traceback_gets_it(tmp_path: Path) -> None:
    assert "Traceback" in manage("verify", "--traceback", data=tmp_path)[1]


def test_a_server_that_may_not_write_says_where(tmp_path: Path) -> None:
    (tmp_path / "serve.lock").mkdir()
    status, said = manage("serve", data=tmp_path)
    assert status == 1
    assert str(tmp_path) in said
    assert "writable" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("name", "value"), [("FARVIEW_BLOB_URL", "s3://key:geheim@bucket"), ("REDIS_URL", "redis://:geheim@host")]
)
def test_a_setting_that_cannot_be_heeded_is_refused_and_its_secret_not_said(
    name: str, value: str, tmp_path: Path
) -> None:
    status, said = manage("verify", data=tmp_path, **{name: value})
    assert status == 1
    assert f"{name} is set, and cannot be heeded" in said
    assert "geheim" not in said
