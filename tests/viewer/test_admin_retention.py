"""Rules of retention and holds in the administration: looked at before they are turned on, by whom it concerns."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.models import AuditEvent, Organization, Role, User
from accounts.reauthentication import SIGNED_IN_AT
from accounts.states import digest_of_row
from tests.viewer.archive.objects import slices
from tests.viewer.conftest import person, signed_in
from viewer.archive import retention_run
from viewer.archive.ingest import ingest_file
from viewer.models import Deletion, Hold, Instance, RetentionRule, Study

pytestmark = pytest.mark.usefixtures("store")

RULES, HOLDS, DELETIONS = "/admin/viewer/retentionrule/", "/admin/viewer/hold/", "/admin/viewer/deletion/"


@pytest.fixture(autouse=True)
def folders(settings: LazySettings, tmp_path: Path) -> None:
    settings.FARVIEW_CACHE_DIR, settings.FARVIEW_DATA_DIR = tmp_path / "cache", tmp_path


def administrator_of(organization: Organization, name: str) -> Client:
    user = person(name, organization, Role.ADMIN)
    user.set_password("a lantern over the harbour")
    user.is_staff = True
    user.save()
    return signed_in(user)


@pytest.fixture
def boss(hospital: Organization) -> Client:
    return administrator_of(hospital, "boss")


@pytest.fixture
def stranger(elsewhere: Organization) -> Client:
    return administrator_of(elsewhere, "stranger")


@pytest.fixture
def old(hospital: Organization, tmp_path: Path) -> Study:
    for path in slices(tmp_path / "cd", 3):
        ingest_file(path, hospital, "ingest", "")
    before = timezone.now() - timedelta(days=100)
    Instance.objects.update(stored_at=before)
    Study.objects.update(created_at=before)
    return Study.objects.get()


def make(client: Client, organization: Organization, **said: object) -> RetentionRule:
    form = {"organization": organization.pk, "days": 365, "counted_from": "study", "action": "everything"}
    answer = client.post(f"{RULES}add/", form | {"modality": "", "description": "", "patients": ""} | said)
    assert answer.status_code == 302, answer.content.decode()
    return RetentionRule.objects.latest("id")


def plan(client: Client, rule: RetentionRule) -> str:
    answer = client.get(f"{RULES}{rule.pk}/plan/")
    assert answer.status_code == 200
    return answer.content.decode()


def turn(client: Client, rule: RetentionRule, seen: str | None = None) -> object:
    found = seen or re.search(r'name="seen" value="([\d.]+)"', plan(client, rule))[1]  # type: ignore[index]
    return client.post(f"{RULES}{rule.pk}/plan/", {"on": "1", "seen": found})


def test_a_rule_is_made_off_shows_what_it_would_do_and_is_turned_on_by_who_has_seen_that(
    boss: Client, hospital: Organization, old: Study
) -> None:
    rule = make(boss, hospital, modality=" ct ")
    assert (rule.active, rule.modality) == (False, "CT")
    found = plan(boss, rule)
    assert "1.2.3" in found
    assert "Doe" not in found
    assert "Nothing has been changed" in found
    turn(boss, rule, seen="9.9.9")
    rule.refresh_from_db()
    assert not rule.active
    turn(boss, rule)
    rule.refresh_from_db()
    assert (rule.active, rule.turned_on_by.username) == (True, "boss")
    event = AuditEvent.objects.get(action="retentionrule.on")
    assert (event.actor, event.organization, event.detail["studies"]) == ("boss", "hospital", 1)
    boss.post(f"{RULES}{rule.pk}/plan/", {"off": "1"})
    rule.refresh_from_db()
    assert not rule.active
    ended = AuditEvent.objects.get(action="retentionrule.off")
    assert (ended.detail["before"], ended.detail["after"]) == (event.detail["after"], event.detail["before"])


def test_whoever_proved_long_ago_who_they_are_is_asked_again(boss: Client, hospital: Organization, old: Study) -> None:
    rule = make(boss, hospital)
    session = boss.session
    session[SIGNED_IN_AT] = time.time() - 301
    session["account_authentication_methods"] = []
    session.save()
    answer = turn(boss, rule)
    assert answer["Location"].startswith("/accounts/confirm/")  # type: ignore[index]
    rule.refresh_from_db()
    assert not rule.active


def test_a_rule_that_is_changed_is_off_again(boss: Client, hospital: Organization) -> None:
    rule = make(boss, hospital)
    turn(boss, rule)
    form = {"organization": hospital.pk, "days": 9, "counted_from": "study", "action": "everything", "patients": ""}
    assert boss.post(f"{RULES}{rule.pk}/change/", form).status_code == 302
    rule.refresh_from_db()
    assert (rule.active, rule.days, rule.turned_on_by) == (False, 9, None)


def test_nobody_else_finds_or_makes_rules_and_holds(
    boss: Client,
    stranger: Client,
    alice: Client,
    bob: Client,
    charlie: Client,
    hospital: Organization,
    elsewhere: Organization,
    old: Study,
) -> None:
    rule = make(boss, hospital)
    hold = {"organization": hospital.pk, "study_instance_uid": "1.2.3", "reason": "A lawsuit"}
    for client in (alice, bob, charlie):
        for address in (RULES, HOLDS, DELETIONS, f"{RULES}{rule.pk}/plan/"):
            assert client.get(address).status_code == 404, address
        assert client.post(f"{RULES}{rule.pk}/plan/", {"on": "1", "seen": "1.3.0"}).status_code == 404
        assert client.post(f"{HOLDS}add/", hold).status_code == 404
    for method in (stranger.get, stranger.post):
        assert method(f"{RULES}{rule.pk}/plan/", {"on": "1"}).status_code == 404
    assert "all studies" not in stranger.get(RULES).content.decode()
    stranger.post(f"{HOLDS}add/", hold)
    stranger.post(f"{HOLDS}add/", hold | {"organization": elsewhere.pk})
    stranger.post(f"{RULES}add/", {"organization": hospital.pk, "days": 1, "action": "everything"})
    assert not Hold.objects.exists()
    assert RetentionRule.objects.get() == rule


@pytest.mark.parametrize("whole", [False, True])
def test_a_hold_keeps_a_study_from_rules_until_it_is_lifted(
    boss: Client, hospital: Organization, old: Study, whole: bool
) -> None:
    rule = make(boss, hospital)
    form = {"organization": hospital.pk, "study_instance_uid": "1.2.3", "reason": "A lawsuit"}
    assert boss.post(f"{HOLDS}add/", form | ({"whole_patient": "on"} if whole else {})).status_code == 302
    hold = Hold.objects.get()
    assert (hold.patient is not None, hold.study is not None) == (whole, not whole)
    placed = AuditEvent.objects.get(action="hold.place")
    assert (placed.patient_id, placed.purpose) == ("P1", "A lawsuit")
    assert (placed.detail.get("before"), placed.detail["after"]) == (None, digest_of_row(hold))
    found = plan(boss, rule)
    assert "A lawsuit" in found
    assert ">0</dd>" in found
    listed = boss.get(HOLDS).content.decode()
    assert "1.2.3" in listed
    assert not re.search(r"\bP1\b|Doe", re.sub(r'value="\w+"', "", listed))
    boss.post(HOLDS, {"action": "lift", "_selected_action": [hold.pk]})
    lifted = AuditEvent.objects.get(action="hold.lift")
    assert (lifted.actor, lifted.detail["before"]) == ("boss", placed.detail["after"])
    assert lifted.detail["after"] == digest_of_row(Hold.objects.get()) != lifted.detail["before"]
    assert "A lawsuit" not in plan(boss, rule)
    assert boss.get(f"{HOLDS}{hold.pk}/change/").status_code == 200
    assert boss.post(f"{HOLDS}{hold.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_what_was_deleted_no_door_gives_out_and_the_administration_tells_of_it(
    boss: Client, alice: Client, hospital: Organization, old: Study
) -> None:
    study, series = "/dicom-web/studies/1.2.3", "/dicom-web/studies/1.2.3/series/1.2.3.4"
    doors = (study, f"{study}/metadata", series, f"{series}/instances/1.2.3.4.1", "/api/series/1.2.3.4/frame")
    listed = "/dicom-web/studies?StudyInstanceUID=1.2.3"
    assert [alice.get(door).status_code for door in doors[:4]] == [200] * 4
    assert alice.get(listed).status_code == 200
    turn(boss, make(boss, hospital))
    retention_run.run()
    assert [alice.get(door).status_code for door in doors] == [404] * 5
    assert alice.get(listed).status_code == 204
    deletion = Deletion.objects.get()
    assert "1.2.3" in boss.get(DELETIONS).content.decode()
    assert audit.verify_chain() == []
    User.objects.filter(username="boss").update(is_superuser=True)
    disk = boss.get("/admin/system/disk/").content.decode()
    assert "Deleted by rules in the last 30 days" in disk
    assert "1 on; last run" in disk
    assert deletion.freed > 0
