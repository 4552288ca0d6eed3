"""What the record costs on a million rows (SQLite): adding an event, and finding by each thing that is looked for.

It runs in a process of its own, whose settings name a passing data folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.timing import note, table

ROWS = 1_000_000
EVENTS = 2000
SEARCHES: dict[str, dict[str, str]] = {
    "the newest": {},
    "a patient": {"patient_id": "P-77"},
    "a person": {"actor": "reader-7"},
    "a study": {"study_instance_uid": "1.2.826.77"},
    "denials": {"outcome": "denied"},
    "an act that is rare": {"action": "export.study"},
    "a person and an act": {"actor": "reader-7", "action": "study.view"},
    "a day": {"since": "2026-01-05", "until": "2026-01-05"},
    "an address": {"origin": "10.9.9.9"},
    "anywhere": {"q": "P-77"},
}


def run() -> None:
    """Ask a process of its own, and print what it found."""
    asked = [sys.executable, "-m", "benchmarks.audit", str(ROWS)]
    done = subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    found = json.loads(done.stdout)
    title = f"An event more in a record of {ROWS:,} rows, milliseconds"
    table(title, ("", "median", "p95"), [("an event", *(f"{found['event'][name]:.2f}" for name in ("median", "p95")))])
    note("Goal: p95 2 ms")
    rows = [(name, f"{spent:.0f}") for name, spent in found["searches"].items()]
    table(f"The first page of a search by an administrator, of {ROWS:,} rows", ("", "ms"), rows)


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


def adding(events: int = EVENTS) -> list[float]:
    """Milliseconds that an event adds to a transaction that writes anyway, sorted."""
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
            found.append((time.perf_counter() - begun) * 1000)
    return sorted(found)


def searching() -> dict[str, float]:
    """Milliseconds of the first page of each search, the second time it is asked for."""
    from accounts.admin_audit import PAGE, search
    from accounts.audit_reading import events_for
    from accounts.models import Membership, Organization, Role, User

    home, _ = Organization.objects.get_or_create(name="default")
    boss = User.objects.create_user("boss")
    Membership.objects.create(user=boss, organization=home, role=Role.ADMIN)
    found = {}
    for name, asked in SEARCHES.items():
        for _ in range(2):
            begun = time.perf_counter()
            list(search(events_for(boss), asked)[: PAGE + 1])
            found[name] = (time.perf_counter() - begun) * 1000
    return found


def main(asked: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="farview-audit-") as folder:
        os.environ.update(FARVIEW_DATA_DIR=folder, DATABASE_URL="", DJANGO_SETTINGS_MODULE="config.settings")
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        fill(int(asked[0]) if asked else ROWS)
        times = adding()
        event = {name: times[int(len(times) * part)] for name, part in (("median", 0.5), ("p95", 0.95))}
        told: dict[str, Any] = {"event": event, "searches": searching()}
        print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
