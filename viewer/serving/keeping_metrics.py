"""Numbers of backups and of the rules of retention for `/metrics`, as the newest of each left them in the data folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from viewer.archive import backup, backup_schedule, retention_run
from viewer.engine.metrics import Metric, Sample


def keeping() -> Iterator[Metric]:
    """A number is left out as long as there is nothing that it could be of."""
    sound, wrong = backup.state()["sound"], backup_schedule.standing()
    found = [
        (
            "backup_last_success_timestamp_seconds",
            "When the last sound backup was made.",
            sound and _seconds(sound["at"]),
        ),
        ("backup_last_size_bytes", "Its size.", sound and sound["bytes"]),
        ("backup_failed", "1 when the newest try to make a backup did not go well.", int(wrong == "failed")),
        ("backup_overdue", "1 when backups by the server do not happen.", int(wrong == "overdue")),
    ]
    if ran := retention_run.state():
        found += [
            (
                "retention_last_run_timestamp_seconds",
                "When the rules of retention were run last.",
                _seconds(ran["ended"]),
            ),
            ("retention_last_run_failed", "1 when that run did not come to its end.", int(bool(ran["problem"]))),
            ("retention_last_run_studies", "Studies of which that run removed something.", ran["studies"]),
            ("retention_last_run_freed_bytes", "Bytes that it removed.", ran["freed"]),
        ]
    for name, help_text, value in found:
        if value is not None:
            yield Metric(name, "gauge", help_text, [Sample(value)])


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
