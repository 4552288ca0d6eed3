"""The pages of the record: found exactly, page by page, within one's own organizations; who looked; text in spreadsheets."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.admin_audit import PAGE, guarded
from accounts.models import AuditEvent
from viewer.models import Patient, Study

SEARCH = "/admin/accounts/auditevent/"
WHO = f"{SEARCH}who-looked/"
CSV = f"{SEARCH}export.csv"


@pytest.fixture
def at(boss) -> Client:
    client = Client()
    client.force_login(boss)
    return client


@pytest.fixture
def events(alice, charlie) -> None:
    of = {"organization": "default", "patient_id": "PID-1", "study_instance_uid": "1.2.3"}
    audit.record("study.view", actor=alice, **of)
    audit.record("study.view", actor="dora", **of)
    audit.record("export.study", actor="dora", **of)
    audit.record("study.view", actor="eve", outcome="denied", **of)
    audit.record("study.view", actor="frank", organization="default", patient_id="PID-2", study_instance_uid="1.2.4")
    audit.record("study.view", actor=charlie, organization="elsewhere", patient_id="PID-1", study_instance_uid="1.2.3")


def actors(at: Client, asked: str) -> set[str]:
    text = at.get(f"{SEARCH}?{asked}").content.decode()
    return {name for name in ("alice", "dora", "eve", "frank", "charlie") if f"<td>{name}</td>" in text}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {"alice", "dora", "eve", "frank"}),
        ("patient_id=PID-1", {"alice", "dora", "eve"}),
        ("patient_id=PID", set()),
        ("actor=dora", {"dora"}),
        ("study_instance_uid=1.2.4", {"frank"}),
        ("action=export.study", {"dora"}),
        ("outcome=denied", {"eve"}),
        ("patient_id=PID-1&action=study.view&outcome=success", {"alice", "dora"}),
        ("organization=elsewhere", set()),
        ("q=PID-2", {"frank"}),
        ("accession=ACC-7", {"frank"}),
        ("accession=ACC-8", set()),
        ("since=2001-01-01&until=2001-12-31", set()),
        ("since=2001-01-01", {"alice", "dora", "eve", "frank"}),
        (f"since={timezone.now():%Y-%m-%d}&until=2999-01-01", {"alice", "dora", "eve", "frank"}),
        ("actor=%00", {"alice", "dora", "eve", "frank"}),
        ("before=1", set()),
    ],
)
def test_events_are_found_by_what_is_typed(at, events, boss, asked, found):
    home = boss.memberships.get().organization
    patient = Patient.objects.create(organization=home, patient_id="PID-2", name="X")
    Study.objects.create(organization=home, patient=patient, study_instance_uid="1.2.4", accession_number="ACC-7")
    assert actors(at, asked) == found


@pytest.mark.parametrize("asked", ["since=yesterday", "until=2026-02-30"])
def test_what_is_no_day_is_said_to_be_none(at, events, asked):
    answer = at.get(f"{SEARCH}?{asked}")
    assert answer.status_code == 200
    assert "A day like 2026-05-04 is expected" in answer.content.decode()
    assert at.get(f"{CSV}?{asked}").status_code == 404


def test_older_events_come_page_by_page_and_none_twice(at, db):
    for number in range(PAGE + 7):
        audit.record("x", actor=f"person-{number:03}", organization="default")
    first = at.get(SEARCH).content.decode()
    assert f"person-{PAGE + 6:03}" in first
    assert "person-006" not in first
    oldest = AuditEvent.objects.get(actor="person-007").sequence
    assert f"before={oldest}" in first
    second = at.get(f"{SEARCH}?before={oldest}").content.decode()
    assert "person-006" in second
    assert "person-007" not in second
    assert "Older" not in second


def test_who_looked_at_a_study_is_told_person_by_person(at, events):
    text = at.get(f"{WHO}?study_instance_uid=1.2.3").content.decode()
    assert "export.study, study.view" in text
    assert "study.view (denied)" in text
    assert "charlie" not in text
    assert "frank" not in text
    assert AuditEvent.objects.filter(action="audit.view", actor="boss", study_instance_uid="1.2.3").count() == 1
    assert "frank" in at.get(f"{WHO}?patient_id=PID-2").content.decode()
    assert at.get(WHO).status_code == 404


@pytest.mark.parametrize("page", [SEARCH, f"{WHO}?patient_id=PID-1", CSV])
def test_nobody_but_administrators_comes_to_these_pages(events, alice, bob, charlie, page):
    for user in (alice, bob, charlie):
        client = Client()
        client.force_login(user)
        assert client.get(page).status_code == 404
    assert Client().get(page).status_code == 302


def test_a_spreadsheet_gets_text_and_no_formulas(at, db):
    hostile = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=cmd|" /C calc"!A0', "plain"]
    for text in hostile:
        audit.record("x", actor=text, organization="default", detail={"note": text})
    rows = list(csv.DictReader(io.StringIO(at.get(CSV).content.decode())))
    said = {row["actor"] for row in rows}
    assert {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "plain"} <= said
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for row in rows for cell in row.values())
    assert AuditEvent.objects.get(action="audit.export").detail["found"] == len(rows)
    assert guarded("a=1") == "a=1"


def test_hostile_names_are_text_on_the_page(at, db):
    audit.record("x", actor="<img src=x onerror=alert(1)>", organization="default", patient_id='"><script>alert(2)')
    text = at.get(SEARCH).content.decode()
    assert "<img src=x" not in text
    assert "<script>alert(2)" not in text
