"""The whole server on PostgreSQL: what SQLite's triggers and locks hold, PostgreSQL's hold as well."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from tests.live import LiveServer
from tests.peers.conftest import needed
from tests.peers.postgresql import PostgreSQL, programs
from tests.viewer.archive.objects import ct_slice, save, slices
from tests.viewer.dimse.nodes import until


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgreSQL]:
    needed(programs() / "initdb", "postgresql")
    with PostgreSQL() as running:
        yield running


class Site:
    """A server on the cluster, and Alice."""

    def __init__(self, server: LiveServer, cluster: PostgreSQL) -> None:
        self.server, self.url = server, cluster.url
        self.password, self.token = server.user("alice", "radiologist")
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def ask(self, method: str, address: str, body: Any = None, status: int = 200) -> Any:
        answer = self.session.request(method, f"{self.server.url}{address}", json=body, timeout=60)
        assert answer.status_code == status, f"{method} {address}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def rows(self, statement: str, *values: object) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement, values).fetchall()


@pytest.fixture(scope="module")
def site(cluster: PostgreSQL) -> Iterator[Site]:
    with LiveServer(
        DATABASE_URL=cluster.url,
        FARVIEW_MIN_FREE_BYTES="0",
        FARVIEW_MIN_FREE_FRACTION="0",
        FARVIEW_ARRIVAL_QUIET_SECONDS="0",
    ) as server:
        yield Site(server, cluster)


def test_no_file_of_sqlite_is_made(site: Site) -> None:
    assert not list(site.server.data.glob("*.sqlite3*"))


def test_images_come_in_are_found_and_are_drawn(site: Site, tmp_path: Path) -> None:
    slices(tmp_path, 12)
    site.server.manage("ingest", tmp_path)
    found = site.ask("GET", "/dicom-web/studies?PatientName=*")
    assert [one["0020000D"]["Value"] for one in found] == [["1.2.3"]]
    answer = site.session.get(f"{site.server.url}/api/series/1.2.3.4/frame?media_type=image/png", timeout=60)
    assert (answer.status_code, answer.content[:4]) == (200, b"\x89PNG")


def test_senders_side_by_side_lose_nothing_and_meet_no_lock(site: Site, tmp_path: Path) -> None:
    faults: list[str] = []
    shared = save(ct_slice("1.7.0"), tmp_path / "shared.dcm").read_bytes()

    def send(number: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.headers["Authorization"] = f"Bearer {site.token}"
            for place in range(8):
                uid = f"1.7.{number}.{place + 1}"
                own = save(ct_slice(uid), tmp_path / f"{uid}.dcm").read_bytes()
                for data in (own, shared):
                    answer = session.post(f"{site.server.url}/api/uploads/", data=data, timeout=60)
                    if answer.status_code != 200 or answer.json()["outcomes"][0]["outcome"] not in (
                        "stored",
                        "duplicate",
                    ):
                        faults.append(answer.text)

    senders = [threading.Thread(target=send, args=(number,)) for number in range(1, 5)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(120)
    assert faults == []
    [(count,)] = site.rows("SELECT count(*) FROM viewer_instance WHERE sop_instance_uid LIKE '1.7.%%'")
    assert count == 4 * 8 + 1
    [(said,)] = site.rows("SELECT number_of_instances FROM viewer_series WHERE series_instance_uid = '1.2.3.4'")
    [(held,)] = site.rows(
        "SELECT count(*) FROM viewer_instance i JOIN viewer_series s ON s.id = i.series_id"
        " WHERE s.series_instance_uid = '1.2.3.4'"
    )
    assert said == held


def signed_report(site: Site) -> int:
    draft = site.ask("POST", "/api/reports/", {"study": "1.2.3", "template": "free-text"}, 201)
    content = {"findings": "No focal lesion.", "impression": "Normal."}
    saved = site.ask("PUT", f"/api/reports/{draft['id']}/", {"based_on": draft["version"], "content": content})
    problems = site.ask("GET", f"/api/reports/{draft['id']}/checks/")["problems"]
    signature = {
        "password": site.password,
        "meaning": "final",
        "acknowledged": sorted({one["rule"] for one in problems if one["level"] == "acknowledge"}),
    }
    signed = site.ask("POST", f"/api/reports/{draft['id']}/sign/", signature)
    assert signed["state"] == "final", saved
    return int(draft["id"])


def test_a_report_is_signed_and_the_database_refuses_to_change_it(site: Site) -> None:
    report = signed_report(site)
    for statement in (
        "UPDATE reporting_reportversion SET content = '{}'",
        "DELETE FROM reporting_reportversion",
        "TRUNCATE reporting_reportversion CASCADE",
        "UPDATE accounts_auditevent SET actor = 'nobody'",
        "DELETE FROM accounts_auditevent",
        "TRUNCATE accounts_auditevent CASCADE",
    ):
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="insert-only"):
            site.rows(f"WITH done AS ({statement} RETURNING 1) SELECT 1" if "TRUNCATE" not in statement else statement)
    states = [one["state"] for one in site.ask("GET", f"/api/reports/{report}/versions/")["versions"]]
    assert states[-1] == "final"


RULES = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import Organization, User
from reporting.models import ReadingItem
from viewer.models import Hold, Instance, RetentionRule, Study
long_ago = timezone.now() - timedelta(days=90)
Study.objects.filter(study_instance_uid__startswith="1.8.").update(created_at=long_ago)
Instance.objects.filter(series__study__study_instance_uid__startswith="1.8.").update(stored_at=long_ago)
ReadingItem.objects.filter(study__study_instance_uid__startswith="1.8.").update(status="cancelled")
home = Organization.objects.get(name="default")
RetentionRule.objects.create(organization=home, description="old head", days=365, action="everything", active=True)
Hold.objects.create(organization=home, study=Study.objects.get(study_instance_uid="1.8.2"), reason="a court asks",
                    placed_by=User.objects.get(username="alice"))
"""


def test_a_rule_of_retention_deletes_what_it_said_it_would_and_nothing_that_is_held(site: Site, tmp_path: Path) -> None:
    for study in ("1.8.1", "1.8.2"):
        old = {"StudyInstanceUID": study, "StudyDate": "20200101", "StudyDescription": "Old head"}
        slices(tmp_path / study, 3, study, f"{study}.4", **old)
    site.server.manage("ingest", tmp_path)
    work = (
        "SELECT 1 FROM reporting_readingitem i JOIN viewer_study s ON s.id = i.study_id"
        " WHERE s.study_instance_uid LIKE '1.8.%%' AND i.status = 'ready'"
    )
    assert until(lambda: len(site.rows(work)) == 2, 60)
    site.server.manage("shell", "-c", RULES)
    said = site.server.manage("retain", "--dry-run").stdout
    assert "1.8.1\t3 objects" in said
    assert "1 studies, 3 objects" in said
    assert "1.8.2" in said
    assert "kept: " in said.partition("1.8.2")[2]
    held = (
        "SELECT series_instance_uid, count(i.id) FROM viewer_series s"
        " LEFT JOIN viewer_instance i ON s.id = i.series_id GROUP BY 1"
    )
    before = dict(site.rows(held))
    assert "1 studies, 3 objects" in site.server.manage("retain").stdout
    after = dict(site.rows(held))
    assert {uid: count for uid, count in before.items() if after.get(uid, 0) != count} == {"1.8.1.4": 3}
    assert after.get("1.8.1.4", 0) == 0
    assert "0 studies, 0 objects" in site.server.manage("retain").stdout


def test_the_chains_hold(site: Site) -> None:
    assert "as it was received" in site.server.manage("verify").stdout


def test_a_url_that_is_none_is_refused_in_words_without_the_password(site: Site) -> None:
    import subprocess
    import sys

    from tests.live import ROOT

    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**site.server.environment, "DATABASE_URL": "mysql://me:a-secret@host/name"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "postgresql://USER:PASSWORD@HOST:PORT/NAME is expected" in done.stderr
    assert "a-secret" not in done.stderr
