"""What an administrator's monitoring sees of backups and of the rules of retention."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from accounts.models import Organization, Role
from tests.viewer.conftest import person, signed_in


@pytest.mark.django_db
def test_backups_and_runs_of_the_rules_are_told(hospital: Organization, settings: LazySettings, tmp_path: Path) -> None:
    settings.FARVIEW_DATA_DIR, settings.FARVIEW_BACKUP_DIR, settings.FARVIEW_BACKUP_HOURS = tmp_path, str(tmp_path), 24
    admin = signed_in(person("dora", hospital, Role.ADMIN))

    def told() -> dict[str, float]:
        lines = admin.get("/metrics").content.decode().splitlines()
        rows = (line.rpartition(" ") for line in lines if line[0] != "#")
        return {name.removeprefix("farview_"): float(number) for name, _, number in rows}

    assert told()["backup_failed"] == 0
    assert "backup_last_success_timestamp_seconds" not in told()
    at = (datetime.now(UTC) - timedelta(hours=50)).isoformat()
    sound = {"at": at, "bytes": 2048, "file": "x", "keys": [], "encrypted": True, "damaged": {}}
    (tmp_path / "backups.json").write_text(json.dumps({"newest": sound, "sound": sound, "problem": None}))
    ran = {"ended": at, "problem": "", "studies": 3, "freed": 99}
    (tmp_path / "retention.json").write_text(json.dumps(ran))
    found = told()
    assert (found["backup_overdue"], found["backup_failed"], found["backup_last_size_bytes"]) == (1, 0, 2048)
    assert found["backup_last_success_timestamp_seconds"] == pytest.approx(
        datetime.fromisoformat(at).timestamp(), abs=1
    )
    assert (found["retention_last_run_studies"], found["retention_last_run_freed_bytes"]) == (3, 99)
