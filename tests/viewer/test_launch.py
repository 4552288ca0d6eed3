"""Another program opens a study: for whoever is signed in, for the right patient, and for nobody who may not see it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from accounts.authentication import issue
from accounts.models import AuditEvent, Membership, Organization, Role, User
from reporting.models import Report, ReportVersion, TemplateVersion
from tests.viewer.conftest import person, signed_in
from viewer import launch
from viewer.models import Grant, Launch, Patient, Study

WRONG = "belongs to another patient"


def a_study(home: Organization, uid: str, accession: str, patient_id: str = "P1", **more: str) -> Study:
    patient, _ = Patient.objects.get_or_create(organization=home, patient_id=patient_id, name="Geheim^Anna")
    return Study.objects.create(
        organization=home, patient=patient, study_instance_uid=uid, accession_number=accession, **more
    )


@pytest.fixture
def study(hospital: Organization) -> Study:
    return a_study(hospital, "1.2.3", "A-1")


@pytest.fixture
def ehr(hospital: Organization) -> str:
    """A program's token."""
    return issue(person("ehr", hospital, Role.ADMIN), scopes=["launch"])


def ask(raw: str, **body: object) -> HttpResponse:
    headers = {"Authorization": f"Bearer {raw}"}
    return Client().post("/api/launches/", body, content_type="application/json", headers=headers)


def told(answer: HttpResponse) -> str:
    return re.sub(r'value="\w+"', "", answer.content.decode())


def last() -> AuditEvent:
    return AuditEvent.objects.latest("sequence")


@pytest.mark.parametrize("more", ["", "&patient_id=P1", "&organization=hospital", "&patient_id=P1&report=1"])
def test_a_reader_lands_at_the_study(alice, study, more):
    answer = alice.get(f"/launch?accession=A-1{more}")
    assert answer.status_code == 302
    assert answer["Location"] == "/studies/1.2.3/?organization=hospital"
    assert (last().action, last().outcome, last().study_instance_uid) == ("launch", "success", "1.2.3")


def test_nobody_signs_in_first_and_goes_on_from_there(study):
    answer = Client().get("/launch?accession=A-1&patient_id=P1")
    assert answer["Location"] == "/accounts/sign-in/?next=/launch%3Faccession%3DA-1%26patient_id%3DP1"


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_whoever_may_not_see_it_gets_what_nobody_finds(request, who, study):
    client = request.getfixturevalue(who)
    there, nowhere = client.get("/launch?accession=A-1"), client.get("/launch?accession=A-2")
    assert there.status_code == nowhere.status_code == 404
    assert told(there) == told(nowhere)
    assert client.get("/launch?accession=A-1&patient_id=P2").status_code == 404
    assert AuditEvent.objects.filter(action="launch", outcome="denied").count() == 3


def test_the_wrong_patient_is_refused_loudly(alice, study):
    answer = alice.get("/launch?accession=A-1&patient_id=P2")
    assert answer.status_code == 409
    assert WRONG in answer.content.decode()
    assert "Geheim" not in answer.content.decode()
    assert (last().outcome, last().patient_id, last().detail["reason"]) == ("denied", "P2", "wrong patient")


def test_of_several_studies_one_is_chosen(alice, study, hospital):
    a_study(hospital, "1.2.4", "A-1", description="<b>Chest</b>", date="20240131")
    a_study(hospital, "1.2.5", "A-1", patient_id="P9")
    page = alice.get("/launch?accession=A-1&patient_id=P1").content.decode()
    assert 'href="/studies/1.2.3/?organization=hospital"' in page
    assert 'href="/studies/1.2.4/?organization=hospital"' in page
    assert "&lt;b&gt;Chest&lt;/b&gt;</bdi> · 2024-01-31" in page
    assert "1.2.5" not in page


def test_of_two_organizations_the_named_one(alice, study, elsewhere):
    a_study(elsewhere, "1.2.9", "A-1")
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RADIOLOGIST)
    assert alice.get("/launch?accession=A-1").status_code == 200
    answer = alice.get("/launch?accession=A-1&organization=elsewhere")
    assert answer["Location"] == "/studies/1.2.9/?organization=elsewhere"


@pytest.mark.parametrize("asked", ["", "accession=", "accession=%00", "accession=" + "9" * 5000])
def test_without_a_number_nothing_is_found(alice, study, asked):
    assert alice.get(f"/launch?{asked}").status_code == 404


def test_the_report_is_opened_where_it_is_asked_for_and_there_is_one(alice, study, monkeypatch):
    monkeypatch.setattr(launch, "REPORT", [lambda user, one: f"/reports/{one.study_instance_uid}/"])
    assert alice.get("/launch?accession=A-1&report=1")["Location"] == "/reports/1.2.3/"
    assert alice.get("/launch?accession=A-1")["Location"].startswith("/studies/")


@pytest.mark.parametrize(("role", "place"), [(Role.RADIOLOGIST, "/reports/"), (Role.REFERRER, "/results/")])
def test_the_real_report_opens_for_who_writes_and_for_who_reads(hospital, study, role, place):
    author = person("author", hospital, Role.RADIOLOGIST)
    shared = {"template_version": TemplateVersion.objects.order_by("pk")[0], "author": author}
    report = Report.objects.create(
        organization=hospital, study=study, state="final", version=1, signed_version=1, **shared
    )
    ReportVersion.objects.create(
        **shared,
        report=report,
        number=1,
        sequence=1,
        kind="final",
        meaning="author",
        state="final",
        at=timezone.now(),
        content={"impression": "Nothing acute."},
        author_username="author",
    )
    user = person("reader", hospital, role)
    Grant.objects.create(study=study, user=user, reason="order")
    answer = signed_in(user).get("/launch?accession=A-1&report=1")
    assert answer["Location"] == f"{place}{report.pk}/"
    assert signed_in(user).get(answer["Location"]).status_code == 200


def test_a_program_makes_a_link_that_opens_once_for_its_person(alice, study, ehr):
    made = ask(ehr, accession="A-1", user="alice", patient_id="P1")
    assert made.status_code == 201
    assert made.json()["seconds"] == 60
    path = "/launch/" + made.json()["url"].partition("/launch/")[2]
    assert "A-1" not in path
    assert Launch.objects.get().digest not in path
    assert alice.get(path)["Location"] == "/studies/1.2.3/?organization=hospital"
    assert alice.get(path).status_code == 404
    assert (last().action, last().outcome) == ("launch", "denied")


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_the_link_opens_for_nobody_else_and_signs_nobody_in(request, alice, who, study, ehr):
    path = "/launch/" + ask(ehr, accession="A-1", user="alice").json()["url"].partition("/launch/")[2]
    assert Client().get(path)["Location"].startswith("/accounts/sign-in/?next=/launch/")
    assert request.getfixturevalue(who).get(path).status_code == 404
    assert alice.get(path).status_code == 302


def test_the_link_holds_for_a_minute(alice, study, ehr):
    path = "/launch/" + ask(ehr, accession="A-1", user="alice").json()["url"].partition("/launch/")[2]
    assert Launch.objects.get().expires_at - timezone.now() <= timedelta(seconds=60)
    Launch.objects.update(expires_at=timezone.now())
    assert alice.get(path).status_code == 404


def test_the_link_opens_nothing_that_was_taken_away_meanwhile(alice, study, ehr):
    path = "/launch/" + ask(ehr, accession="A-1", user="alice").json()["url"].partition("/launch/")[2]
    Membership.objects.filter(user__username="alice").update(role=Role.REFERRER)
    assert alice.get(path).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"accession": "A-2", "user": "alice"},
        {"accession": "A-1", "user": "nobody"},
        {"accession": "A-1", "user": "bob"},
        {"accession": "A-1", "user": "charlie"},
    ],
)
def test_a_program_is_not_told_who_may_see_what(alice, bob, charlie, study, ehr, body):
    answer = ask(ehr, **body)
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is no such study for this person."})
    assert not Launch.objects.exists()
    assert AuditEvent.objects.filter(action="launch.make", outcome="denied", actor="ehr").count() == 1


def test_a_program_of_another_organization_makes_no_link(alice, study, elsewhere):
    raw = issue(person("other", elsewhere, Role.ADMIN), scopes=["launch"])
    assert ask(raw, accession="A-1", user="alice").status_code == 404


def test_a_program_that_names_another_patient_is_refused(alice, study, ehr):
    answer = ask(ehr, accession="A-1", user="alice", patient_id="P2")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_patient")
    assert not Launch.objects.exists()


@pytest.mark.parametrize("scopes", [[], ["api:read"], ["api:write"]])
def test_only_a_token_of_that_scope_makes_links(alice, study, scopes, hospital):
    raw = issue(person("ehr", hospital, Role.ADMIN), scopes=scopes)
    assert ask(raw, accession="A-1", user="alice").status_code == 404
    body = {"accession": "A-1", "user": "alice"}
    assert alice.post("/api/launches/", body, content_type="application/json").status_code == 404


@pytest.mark.parametrize("body", ["[]", "{}", '{"accession": 5}', '{"accession": "A-1", "user": ["alice"]}', "{"])
def test_nonsense_is_refused(study, ehr, body):
    headers = {"Authorization": f"Bearer {ehr}"}
    answer = Client().post("/api/launches/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
