"""Backups that the server makes by itself: when, how many, and that one that fails is said."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests

from tests.live import LiveServer
from viewer.archive.backup_schedule import is_due, name_of, outlived, wrong

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def tried(at: datetime) -> dict[str, object]:
    return {"at": at.isoformat(), "damaged": {}}


@pytest.mark.parametrize(
    ("made", "failed", "due"),
    [
        (None, None, True),
        (23, None, False),
        (24, None, True),
        (None, 0.5, False),  # it was tried half an hour ago
        (None, 1, True),
        (30, 0.5, False),
        (30, 2, True),
        (1, 2, False),  # it went well after it had failed
    ],
)
def test_a_backup_is_due_by_the_hours_and_one_that_failed_within_the_hour(
    made: float | None, failed: float | None, due: bool
) -> None:
    state = {
        "newest": tried(NOON - timedelta(hours=made)) if made else None,
        "problem": tried(NOON - timedelta(hours=failed)) if failed else None,
    }
    assert is_due(state, 24, NOON) is due


@pytest.mark.parametrize(
    ("sound", "failed", "hours", "said"),
    [
        (1, None, 24, ""),
        (48, None, 24, ""),
        (49, None, 24, "overdue"),
        (None, None, 24, "overdue"),
        (49, None, 0, ""),  # nobody wants the server to make any
        (1, 0.5, 24, "failed"),
    ],
)
def test_backups_that_fail_or_are_missing_are_told(
    sound: float | None, failed: float | None, hours: float, said: str
) -> None:
    state = {
        "sound": tried(NOON - timedelta(hours=sound)) if sound else None,
        "problem": tried(NOON - timedelta(hours=failed)) if failed else None,
    }
    assert wrong(state, hours, NOON) == said


def test_the_oldest_of_our_own_go_and_nobody_elses() -> None:
    ours = [name_of(NOON + timedelta(days=day)) for day in range(4)]
    assert outlived([*ours, "letters.txt", "farview-notes.txt"], 2) == ours[:2]
    assert outlived(ours, 0) == []
    assert outlived(ours, 9) == []


def wait_for(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def state_of(server: LiveServer) -> dict[str, dict[str, str]]:
    path = server.data / "backups.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def test_a_server_makes_one_when_it_starts_and_drops_the_oldest(tmp_path: Path) -> None:
    old = [tmp_path / name_of(NOON - timedelta(days=day)) for day in (9, 8)]
    for path in old:
        path.touch()
    with LiveServer(FARVIEW_BACKUP_DIR=str(tmp_path), FARVIEW_BACKUP_KEEP="2") as server:
        wait_for(lambda: not old[0].exists())
        assert old[1].exists()
        [made] = [path for path in tmp_path.glob("*.backup") if path != old[1]]
        assert state_of(server)["sound"]["file"] == str(made)
        assert "is whole" in server.manage("backup", "--check", made).stdout
        (server.data / "backup.asked").touch()  # as the administrator's page does
        wait_for(lambda: state_of(server)["sound"]["file"] != str(made))
        assert made.exists()
        wait_for(lambda: not old[1].exists())
        assert not (server.data / "backup.asked").exists()
        assert requests.get(f"{server.url}/healthz", timeout=20).text == "ok\n"


def test_a_folder_that_is_not_there_is_said_in_the_log_and_kept(tmp_path: Path) -> None:
    with LiveServer(FARVIEW_BACKUP_DIR=str(tmp_path / "unmounted")) as server:
        wait_for(lambda: bool(state_of(server).get("problem")))
        assert "is not there" in state_of(server)["problem"]["text"]
        assert "no backup was made" in server.log()
        answer = requests.get(f"{server.url}/healthz", timeout=20)
        assert (answer.status_code, answer.text) == (200, "ok\nbackup failed\n")
