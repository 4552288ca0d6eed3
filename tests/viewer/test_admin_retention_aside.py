"""A plan of a rule of retention over many studies is made by a process of its own, while its page tells how far it is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import requests
from django.conf import LazySettings
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Organization, Role, User
from tests.browser.reporting.people import people
from tests.live import LiveServer
from tests.viewer.archive.objects import slices
from tests.viewer.conftest import person, signed_in
from viewer.archive import aside, retention, retention_plan
from viewer.archive.ingest import ingest_file
from viewer.models import Hold, Instance, RetentionRule, Study

STUDIES = retention_plan.AT_ONCE + 200
MANY = f"""
from datetime import timedelta
from django.utils import timezone
from accounts.models import Organization
from viewer.models import Patient, RetentionRule, Study
home = Organization.objects.get(name="default")
patient = Patient.objects.create(organization=home, patient_id="P")
Study.objects.bulk_create(
    Study(organization=home, patient=patient, study_instance_uid=f"1.2.{{n}}") for n in range({STUDIES})
)
Study.objects.update(created_at=timezone.now() - timedelta(days=1000))
print(RetentionRule.objects.create(organization=home, days=30, action="everything").pk)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    with LiveServer() as server:
        yield server


def test_the_page_waits_beside_a_process_and_then_tells(server: LiveServer) -> None:
    token = people(server, {"boss": ["admin"]})["boss"].token
    rule = server.manage("shell", "-v", "0", "-c", MANY).stdout.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    address = f"{server.url}/admin/viewer/retentionrule/{rule}/plan/"
    first = requests.get(address, headers=headers, timeout=60)
    assert first.headers["Refresh"] == "3"
    assert re.search(rf"\d+ of {STUDIES} studies", first.text)
    assert 'name="on"' not in first.text, "nothing is turned on unseen"
    end = time.monotonic() + 120
    while 'name="on"' not in (last := requests.get(address, headers=headers, timeout=60)).text:
        assert time.monotonic() < end, last.text
        time.sleep(0.5)
    assert "Refresh" not in last.headers


# --- what is kept, and for how long


@pytest.fixture
def rule(hospital: Organization, store: object, tmp_path: Path, settings: LazySettings) -> RetentionRule:
    """Of an organization with one study that it is about."""
    settings.FARVIEW_CACHE_DIR, settings.FARVIEW_DATA_DIR = tmp_path / "cache", tmp_path
    for path in slices(tmp_path / "cd", 3):
        ingest_file(path, hospital, "ingest", "")
    before = timezone.now() - timedelta(days=100)
    Instance.objects.update(stored_at=before)
    Study.objects.update(created_at=before)
    return RetentionRule.objects.create(organization=hospital, days=30, action="everything")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """Everything is much; that a process would be started is only counted."""
    monkeypatch.setattr(retention_plan, "AT_ONCE", 0)
    counted = Mock()
    monkeypatch.setattr(retention_plan, "_begin", counted)
    return counted


def test_the_kept_answer_is_that_of_looking_at_once(rule: RetentionRule, begun: Mock) -> None:
    assert retention_plan.told_or_underway(rule) == retention_plan.Underway(0, 1)
    assert begun.call_count == 1
    call_command("plan_retention", str(rule.pk))
    found = retention_plan.told_or_underway(rule)
    assert found == retention_plan.told(rule)
    assert isinstance(found, retention_plan.Told)
    assert (found.studies, found.instances, found.rows[0][0]) == (1, 3, "1.2.3")
    boss = signed_in(person("boss", rule.organization, Role.ADMIN))
    address = f"/admin/viewer/retentionrule/{rule.pk}/plan/"
    assert boss.post(address, {"on": "1", "seen": found.mark}).status_code == 302
    assert "On since" in boss.get(address).content.decode()
    assert begun.call_count == 1


def test_a_rule_that_is_deleted_takes_its_kept_answer_along(
    rule: RetentionRule, begun: Mock, tmp_path: Path, django_capture_on_commit_callbacks: Any
) -> None:
    retention_plan.told_or_underway(rule)
    call_command("plan_retention", str(rule.pk))
    assert list(tmp_path.glob("retention_plan_*.json"))
    with django_capture_on_commit_callbacks(execute=True):
        rule.delete()
    assert not list(tmp_path.glob("retention_plan_*.json"))


def test_a_rule_or_a_hold_that_changes_makes_it_begin_anew(rule: RetentionRule, begun: Mock, alice: object) -> None:
    reader = User.objects.get(username="alice")
    for change in (
        lambda: RetentionRule.objects.filter(pk=rule.pk).update(days=31),
        lambda: Hold.objects.create(
            organization=rule.organization, study=Study.objects.get(), reason="x", placed_by=reader
        ),
    ):
        retention_plan.make(rule)
        assert isinstance(retention_plan.told_or_underway(rule), retention_plan.Told)
        change()
        rule.refresh_from_db()
        for _ in range(2):  # whoever asks again while it comes up begins no other
            assert isinstance(retention_plan.told_or_underway(rule), retention_plan.Underway)
    assert begun.call_count == 2


def test_one_plan_of_a_rule_is_made_at_a_time_and_how_far_it_is_is_told(
    rule: RetentionRule, begun: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    whole = retention.planned

    def meanwhile(*given: object) -> object:
        seen.append(retention_plan.told_or_underway(rule))
        with pytest.raises(aside.Busy):
            retention_plan.make(rule)
        return whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(retention, "planned", meanwhile)
    retention_plan.make(rule)
    assert seen == [retention_plan.Underway(0, 1)]
    assert begun.call_count == 0


def test_what_went_wrong_is_said_once_and_begun_anew(
    rule: RetentionRule, begun: Mock, monkeypatch: pytest.MonkeyPatch, hospital: Organization
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(retention, "planned", Mock(side_effect=OSError("the disk is gone")))
        with pytest.raises(OSError, match="gone"):
            retention_plan.make(rule)
    boss = signed_in(person("boss", hospital, Role.ADMIN))
    page = boss.get(f"/admin/viewer/retentionrule/{rule.pk}/plan/")
    assert "the disk is gone" in page.content.decode()
    assert "Refresh" not in page
    assert begun.call_count == 0
    assert boss.get(f"/admin/viewer/retentionrule/{rule.pk}/plan/")["Refresh"] == "3"
    assert begun.call_count == 1
