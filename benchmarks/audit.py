"""What an event of the record costs on a long record (SQLite): `python -m benchmarks.audit [rows]`, in a folder of its own."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

EVENTS = 2000


def fill(count: int) -> None:
    """Rows as they come, without their chain: what is measured is the adding of the next."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)"
            " INSERT INTO accounts_auditevent (sequence, at, actor, role, organization, action, outcome, origin, patient_id,"
            " study_instance_uid, object_uid, purpose, detail, previous_mac, mac)"
            " SELECT i, datetime('2026-01-01', '+' || i || ' seconds'), 'reader-' || i %% 50, 'radiologist', 'default',"
            " 'study.view', 'success', '10.0.0.1', 'P-' || i %% 5000, '1.2.826.' || i %% 20000, '', '',"
            ' \'{"door": "page"}\', hex(randomblob(32)), hex(randomblob(32)) FROM n',
            [count],
        )


def measure(events: int = EVENTS) -> list[float]:
    """Seconds that an event adds to a transaction that writes anyway, sorted."""
    from django.db import transaction

    from accounts import audit

    found = []
    for number in range(events):
        with transaction.atomic():
            begun = time.perf_counter()
            audit.record(
                "study.view",
                actor="reader-1",
                organization="default",
                patient_id=f"P-{number}",
                study_instance_uid=f"1.2.826.{number}",
            )
            found.append(time.perf_counter() - begun)
    return sorted(found)


def main(asked: list[str]) -> int:
    rows = int(asked[0]) if asked else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(FARVIEW_DATA_DIR=str(Path(folder)), DATABASE_URL="", DJANGO_SETTINGS_MODULE="config.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        fill(rows)
        seconds = measure()
        median, high = (seconds[int(len(seconds) * part)] * 1000 for part in (0.5, 0.95))
        print(f"an event at {rows:,} rows: median {median:.2f} ms, p95 {high:.2f} ms (target: p95 2 ms)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
