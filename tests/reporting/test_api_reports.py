"""The doors of reports: opened to those who write reports where the report belongs, and to nobody else."""

from __future__ import annotations

import copy
import json

import jsonschema
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.authentication import issue
from accounts.models import AuditEvent, Membership, Organization, Role, User
from reporting.models import ReadingItem, Report, ReportVersion
from tests.reporting.conftest import PASSWORD, person, signed_in
from tests.reporting.talking import SOUND, Json, act, done, opened, opening, saved, send, signed, signing
from tests.viewer.test_api_schema import _closed as closed
from tests.viewer.test_api_schema import schema as schema
from viewer.models import Grant, Study

READING = ("", "checks/", "versions/", "difference/")
ACTS: dict[str, Json] = {
    "lock/": {"action": "take", "reason": "x"},
    "sign/": {"meaning": "final", "password": PASSWORD},
    "cosign/": {"password": PASSWORD},
    "addendum/": {"text": "x", "password": PASSWORD},
    "return/": {"comment": "x"},
    "correct/": {"reason": "x", "reason_code": "error"},
    "cancel/": {"reason": "x"},
    "entered-in-error/": {"reason": "x", "password": PASSWORD},
}
WHOLE = {**SOUND, "clinical_information": "Fall, headache. Bleeding?"}
"""With what the order says."""
KEPT_BY_ADMINISTRATORS = ("cancel/", "entered-in-error/")


@pytest.fixture
def report(alice: User, item: ReadingItem) -> Json:
    client = signed_in(alice)
    return saved(client, opened(client, item.study))


def every_call(client: Client, number: int) -> dict[str, HttpResponse]:
    """Every door of one report by every method that it knows, and by some that it does not."""
    root = f"/api/reports/{number}/"
    told = {f"GET {door}": client.get(root + door) for door in READING}
    told["PUT"] = send(client, "put", root, {"based_on": 1, "content": SOUND})
    told |= {f"POST {door}": send(client, "post", root + door, body) for door, body in ACTS.items()}
    told |= {f"DELETE {door}": send(client, "delete", root + door) for door in ("correct/", "entered-in-error/", "")}
    told |= {f"{method} {door}": send(client, method, root + door) for method in ("get", "options") for door in ACTS}
    return told


@pytest.mark.parametrize("who", ["bob", "charlie", "tess", "boss", "nowhere", "gone"])
def test_whoever_does_not_write_reports_here_is_told_that_there_is_none(
    request: pytest.FixtureRequest, report: Json, who: str, site: Organization
) -> None:
    if who == "nowhere":
        user = User.objects.create_user("nowhere", password=PASSWORD)
    elif who == "gone":
        user = person("gone", site, Role.RADIOLOGIST)
        Membership.objects.filter(user=user).delete()
    else:
        user = request.getfixturevalue(who)
    before = (ReportVersion.objects.count(), Report.objects.values().get())
    client = signed_in(user)
    real, ghost = every_call(client, report["id"]), every_call(client, 10**6)
    may = {"DELETE entered-in-error/", *(f"POST {door}" for door in KEPT_BY_ADMINISTRATORS)}
    may |= {f"{method} {door}" for method in ("get", "options") for door in KEPT_BY_ADMINISTRATORS}
    for call, answer in real.items():
        if who == "boss" and call in may:
            continue
        assert answer.status_code == 404, call
        assert answer.content == ghost[call].content, call
    if who != "boss":
        assert (ReportVersion.objects.count(), Report.objects.values().get()) == before


@pytest.mark.parametrize("who", ["bob", "charlie", "tess", "boss"])
def test_nor_do_they_open_one(request: pytest.FixtureRequest, study: Study, who: str) -> None:
    client = signed_in(request.getfixturevalue(who))
    real, ghost = opening(client, study), send(client, "post", "/api/reports/", {"study": "1.2.3", "template": "x"})
    assert (real.status_code, real.content) == (404, ghost.content)
    listed = client.get("/api/reports/", {"study": study.study_instance_uid})
    assert listed.status_code == 404
    assert Report.objects.count() == 0


def test_nobody_is_asked_to_sign_in(report: Json, client: Client) -> None:
    assert all(answer.status_code == 401 for answer in every_call(client, report["id"]).values())
    assert opening(client, Study.objects.get()).status_code == 401


def test_a_referrer_to_whom_the_study_was_granted_still_writes_nothing(bob: User, report: Json, study: Study) -> None:
    Grant.objects.create(study=study, user=bob, reason="order")
    client = signed_in(bob)
    assert client.get(f"/api/studies/{study.study_instance_uid}/").status_code == 200
    assert all(answer.status_code == 404 for answer in every_call(client, report["id"]).values())
    assert opening(client, study).status_code == 404


def test_a_reader_elsewhere_who_is_a_technologist_here_writes_nothing_here(
    charlie: User, site: Organization, report: Json, study: Study
) -> None:
    """Whoever comes through the door by a role in one organization does not carry it into another."""
    Membership.objects.create(user=charlie, organization=site, role=Role.TECHNOLOGIST)
    client = signed_in(charlie)
    assert client.get(f"/api/studies/{study.study_instance_uid}/").status_code == 200
    assert all(answer.status_code == 404 for answer in every_call(client, report["id"]).values())
    assert opening(client, study).status_code == 404


def test_an_administrator_sees_nothing_of_what_a_report_says(boss: User, report: Json) -> None:
    client = signed_in(boss)
    for door in READING:
        assert client.get(f"/api/reports/{report['id']}/{door}").status_code == 404
    told = done(client, report, "cancel", reason="Not done.")
    answer = act(client, report, "cancel", reason="x")
    assert answer.status_code == 409
    assert SOUND["impression"] not in json.dumps(told)
    body = act(client, report, "entered-in-error", reason="x", password=PASSWORD).content.decode()
    assert SOUND["impression"] not in body
    assert SOUND["impression"] not in answer.content.decode()


def test_an_administrator_of_another_organization_keeps_nothing_here(report: Json) -> None:
    stranger = person("far boss", Organization.objects.create(name="far"), Role.ADMIN)
    client = signed_in(stranger)
    assert all(answer.status_code == 404 for answer in every_call(client, report["id"]).values())


def test_alice_and_rita_see_it_and_a_program_with_a_token_too(
    alice: User, rita: User, report: Json, client: Client
) -> None:
    for user in (alice, rita):
        told = signed_in(user).get(f"/api/reports/{report['id']}/").json()
        assert told["content"] == WHOLE
    answer = client.get(f"/api/reports/{report['id']}/", headers={"Authorization": f"Bearer {issue(alice)}"})
    assert answer.json()["content"] == WHOLE


def test_a_denial_is_written_down(charlie: User, report: Json) -> None:
    signed_in(charlie).get(f"/api/reports/{report['id']}/")
    event = AuditEvent.objects.filter(actor="charlie").latest("sequence")
    assert (event.action, event.outcome, event.object_uid) == ("report.view", "denied", f"report {report['id']}")


def test_the_same_study_in_two_organizations_is_named(alice: User, study: Study) -> None:
    far = Organization.objects.create(name="far")
    Membership.objects.create(user=alice, organization=far, role=Role.RADIOLOGIST)
    twin = copy.copy(study)
    twin.pk, twin.organization = None, far
    twin.save(force_insert=True)
    client = signed_in(alice)
    answer = opening(client, study)
    assert (answer.status_code, answer.json()["organizations"]) == (409, ["default", "far"])
    assert opened(client, study, organization="far")["organization"] == "far"
    assert client.get("/api/reports/", {"study": study.study_instance_uid}).status_code == 409


def test_the_reports_of_a_study_are_listed_newest_first(alice: User, study: Study) -> None:
    client = signed_in(alice)
    path = {"study": study.study_instance_uid}
    assert client.get("/api/reports/", path).json() == {"reports": []}
    first = signed(client, saved(client, opened(client, study)))
    second = opened(client, study, new=True)
    told = client.get("/api/reports/", path).json()["reports"]
    assert [(one["id"], one["state"]) for one in told] == [(second["id"], "draft"), (first["id"], "final")]
    assert client.get("/api/reports/").status_code == 400


def test_every_version_is_told_with_its_hash(alice: User, report: Json) -> None:
    client = signed_in(alice)
    report = signed(client, report)
    told = client.get(f"/api/reports/{report['id']}/versions/").json()["versions"]
    assert [one["version"] for one in told] == [1, 2, 3]
    assert [one["previous_hash"] for one in told[1:]] == [one["hash"] for one in told[:-1]]
    assert "content" not in told[0]
    whole = client.get(f"/api/reports/{report['id']}/versions/", {"whole": "1"}).json()["versions"]
    assert whole[2]["content"] == WHOLE
    assert whole[2]["context"]["template"]["identifier"] == "free-text"


def test_a_prior_report_of_the_patient_is_named(alice: User, study: Study) -> None:
    client = signed_in(alice)
    before = copy.copy(study)
    before.pk, before.study_instance_uid, before.date = None, "1.2.3.4", "20010101"
    before.save(force_insert=True)
    first = signed(client, saved(client, opened(client, before)))
    told = opened(client, study)["priors"]
    assert [(one["id"], one["study_date"], one["state"]) for one in told] == [(first["id"], "20010101", "final")]


# --- the schema


def held_to(schema: Json, path: str, method: str, answer: HttpResponse) -> None:
    """The answer is what the schema says, and no field of it goes unsaid."""
    said = schema["paths"][path][method]["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), closed(json.loads(json.dumps({**said, "components": schema["components"]}))))


def test_what_the_doors_answer_is_what_the_schema_says(
    alice: User, rita: User, dora_client: Client, item: ReadingItem, schema: Json
) -> None:
    at_rita, at_alice, root = signed_in(rita), signed_in(alice), "/api/reports/{report_id}/"
    answer = opening(at_rita, item.study, token="w")
    held_to(schema, "/api/reports/", "post", answer)
    report = answer.json()
    held_to(schema, "/api/reports/", "post", opening(at_alice, item.study))
    answer = send(at_rita, "put", f"/api/reports/{report['id']}/", {"based_on": 1, "content": SOUND, "token": "w"})
    held_to(schema, root, "put", answer)
    for body in ({"based_on": 1, "content": SOUND, "token": "w"}, {"based_on": 1, "content": {"x": 1}}, {"content": 5}):
        held_to(schema, root, "put", send(at_rita, "put", f"/api/reports/{report['id']}/", body))
    held_to(schema, root + "lock/", "post", act(at_rita, report, "lock", action="heartbeat", token="w"))
    held_to(schema, root + "lock/", "post", act(at_alice, report, "lock", action="heartbeat"))
    held_to(schema, root + "sign/", "post", signing(at_rita, report, "submit", token="w", password="no"))
    report = {**report, **signing(at_rita, report, "submit", token="w").json()}
    assert report["state"] == "pending_cosign"
    answer = act(at_alice, report, "return", comment="Say more.")
    held_to(schema, root + "return/", "post", answer)
    for door, path in (("", root), ("checks/", root + "checks/"), ("versions/", root + "versions/")):
        held_to(schema, path, "get", at_rita.get(f"/api/reports/{report['id']}/{door}"))
    held_to(schema, root + "versions/", "get", at_rita.get(f"/api/reports/{report['id']}/versions/?whole=1"))
    held_to(schema, root + "difference/", "get", at_rita.get(f"/api/reports/{report['id']}/difference/"))
    report = signed(at_alice, report, discrepancy="none")
    held_to(schema, root + "correct/", "post", act(at_alice, report, "correct", reason="x", reason_code="error"))
    held_to(schema, root, "get", at_alice.get(f"/api/reports/{report['id']}/"))
    held_to(schema, root + "sign/", "post", signing(at_alice, report))
    answer = act(dora_client, report, "entered-in-error", reason="x", password=PASSWORD)
    held_to(schema, root + "entered-in-error/", "post", answer)
    held_to(schema, root, "get", at_alice.get(f"/api/reports/{report['id']}/"))
    held_to(schema, "/api/reports/", "get", at_alice.get(f"/api/reports/?study={item.study.study_instance_uid}"))


@pytest.fixture
def dora_client(site: Organization) -> Client:
    return signed_in(person("dora", site, Role.RADIOLOGIST, "Dora Dorn"))


def test_a_report_in_free_text_is_called_after_what_was_examined(
    alice: User, site: Organization, item: ReadingItem
) -> None:
    client, study = signed_in(alice), item.study
    report = saved(client, opened(client, study))
    assert (report["title"], report["template"]["title"]) == ("CT head", "Free text")
    signed(client, report)
    page = client.get(f"/api/reports/{report['id']}/export/html").content.decode()
    assert '<h1 dir="auto">CT head</h1>' in page
    assert "Free text" not in page
    Report.objects.update(order=None)
    Study.objects.update(description="Head  routine")
    row = client.get("/api/reports/", {"study": study.study_instance_uid}).json()["reports"][0]
    assert row["title"] == "Head routine"
    Study.objects.update(description="")
    assert client.get(f"/api/reports/{report['id']}/").json()["title"] == "Free text"


def test_one_in_a_template_of_its_own_is_called_after_that(alice: User, item: ReadingItem) -> None:
    report = opened(signed_in(alice), item.study, template="farview-mr-brain")
    assert report["title"] == report["template"]["title"] == "MR brain"
