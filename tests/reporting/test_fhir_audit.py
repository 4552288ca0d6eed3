"""The record by FHIR: AuditEvent as an independent judge reads it, found by what it is searched by, for administrators."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts import audit
from accounts.authentication import issue
from accounts.models import AuditEvent, Organization, Role, User
from tests.reporting.conftest import person, signed_in
from tests.reporting.test_fhir_door import found, get
from viewer.models import Patient

BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."


@pytest.fixture
def chief(boss: User) -> Client:
    return signed_in(boss)


@pytest.fixture
def events(alice: User, boss: User) -> list[AuditEvent]:
    """One of each sort, in Alice's organization; one in another."""
    common = {"actor": alice, "organization": "default", "origin": "10.0.0.9"}
    of = {"patient_id": "P-1", "study_instance_uid": "1.2.3"}
    made = [
        audit.record("study.view", **common, **of, detail={"door": "page"}),
        audit.record("study.view", **common, **of, detail={"door": "fhir"}),
        audit.record("fhir.search", **common, patient_id="P-1", detail={"resource": "Patient", "asked": ["name"]}),
        audit.record("export.study", **common, **of, purpose="research"),
        audit.record("report.sign_final", **common, **of, object_uid="abc", detail={"door": "x", "empty": ""}),
        audit.record("study.view", **common, object_uid="9.9", outcome="denied"),
        audit.record("sign-in", actor=alice, origin="ward-7", outcome="failure", detail={"reason": "no match"}),
        audit.record("token.issue", actor="", origin="command issue_token", organization="default"),
    ]
    Organization.objects.get_or_create(name="elsewhere")
    audit.record("study.view", actor="stranger", organization="elsewhere", patient_id="P-9")
    return made


def test_every_sort_of_event_is_sound(chief, events):
    told = {one["id"]: one for one in found(chief, "AuditEvent?_count=100")}
    for event in events:
        one = told[str(event.sequence)]
        assert one == get(chief, f"AuditEvent/{event.sequence}")
        assert one["agent"][2]["name"] == (event.actor or "nobody")
        assert sum(agent["requestor"] for agent in one["agent"]) == 1
        assert [kind["code"] for kind in one["subtype"]][-1] == event.action
        for entity in one["entity"]:  # aue-1
            assert not ("name" in entity and "query" in entity)


def test_its_codes_are_those_of_dicom_and_of_fhir(chief, events):
    told = [get(chief, f"AuditEvent/{event.sequence}") for event in events]
    said = [(one["type"]["code"], one["action"], one["outcome"]) for one in told]
    assert said == [
        ("110103", "R", "0"),
        ("rest", "R", "0"),
        ("rest", "E", "0"),
        ("110106", "R", "0"),
        ("110110", "U", "0"),
        ("110103", "R", "8"),
        ("110114", "E", "4"),
        ("110113", "E", "0"),
    ]
    assert told[6]["subtype"][0]["code"] == "110122"
    assert told[6]["agent"][0]["network"] == {"address": "ward-7", "type": "1"}


def test_reading_by_fhir_is_told_after_the_profiles_of_ihe(chief, events):
    read, search = (get(chief, f"AuditEvent/{events[number].sequence}") for number in (1, 2))
    assert read["meta"]["profile"] == [BALP + "PatientRead"]
    assert search["meta"]["profile"] == [BALP + "PatientQuery"]
    for one, roles in ((read, ["110152", "110153"]), (search, ["110153", "110152"])):
        assert one["type"]["system"] == "http://terminology.hl7.org/CodeSystem/audit-event-type"
        assert [agent["type"]["coding"][0]["code"] for agent in one["agent"]] == [*roles, "IRCP"]
        patient = [entity for entity in one["entity"] if entity["role"]["code"] == "1"]
        assert [entity["what"]["identifier"]["value"] for entity in patient] == ["P-1"]
    assert read["subtype"][0]["code"] == "read"
    assert base64.b64decode(search["entity"][0]["query"]) == b"Patient?name"
    assert search["entity"][0]["role"]["code"] == "24"


def test_it_is_found_by_date_patient_agent_and_study(chief, events):
    home = Organization.objects.get(name="default")
    patient = Patient.objects.create(organization=home, patient_id="P-1", name="X")
    numbers = {str(event.sequence) for event in events}

    def ids(asked: str) -> set[str]:
        return {one["id"] for one in found(chief, f"AuditEvent?_count=200&{asked}")} & numbers

    of_patient = {str(event.sequence) for event in events if event.patient_id}
    assert ids(f"patient=Patient/{patient.pk}") == ids("patient.identifier=P-1") == of_patient
    assert ids("patient=Patient/987654") == set()
    assert ids("agent-name=alice") == numbers - {str(events[-1].sequence)}
    assert ids("agent.identifier=nobody-else") == set()
    assert ids("entity.identifier=urn:oid:1.2.3") == {str(events[number].sequence) for number in (0, 1, 3, 4)}
    assert ids("outcome=8") == {str(events[5].sequence)}
    assert ids("subtype=export.study") == {str(events[3].sequence)}
    today, tomorrow = timezone.now(), timezone.now() + timedelta(days=1)
    assert ids(f"date={today:%Y-%m-%d}") == ids(f"date=ge{today:%Y-%m-%d}&date=lt{tomorrow:%Y-%m-%d}") == numbers
    assert ids(f"date=lt{today:%Y-%m-%d}") == ids(f"date=gt{today:%Y-%m-%d}") == set()
    middle = events[3].at.isoformat().replace("+00:00", "Z")
    assert ids(f"date=ge{middle}") | ids(f"date=lt{middle}") == numbers


def test_it_comes_page_by_page(chief, events):
    seen: list[str] = []
    address = "AuditEvent?_count=3"
    while address:
        bundle = get(chief, address)
        seen += [entry["resource"]["id"] for entry in bundle["entry"]]
        links = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        address = links[0].partition("/fhir/")[2] if links and len(seen) < 9 else ""
    assert len(seen) == len(set(seen)) >= 8


def test_reading_the_record_is_recorded_too(chief, events):
    get(chief, "AuditEvent?patient.identifier=P-1")
    get(chief, f"AuditEvent/{events[0].sequence}")
    noted = AuditEvent.objects.filter(actor="boss", action__startswith="audit.").order_by("sequence")
    assert [(one.action, one.patient_id) for one in noted] == [("audit.search", "P-1"), ("audit.read", "P-1")]


def test_an_administrator_reads_only_of_their_organizations(chief, events):
    other = AuditEvent.objects.get(actor="stranger")
    assert chief.get(f"/fhir/AuditEvent/{other.sequence}").status_code == 404
    assert other.sequence not in {int(one["id"]) for one in found(chief, "AuditEvent?_count=200")}


@pytest.mark.parametrize("path", ["/fhir/AuditEvent", "/fhir/AuditEvent/1", "/fhir/AuditEvent?_summary=count"])
def test_nobody_else_reads_it(alice, bob, charlie, events, path):
    for user in (alice, bob, charlie):
        assert signed_in(user).get(path).status_code == 404
    assert Client().get(path).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "status"), [([], 200), (["audit:read"], 200), (["admin"], 200), (["fhir:read"], 404)]
)
def test_a_token_needs_the_scope_for_it(boss, events, scopes, status):
    headers = {"Authorization": f"Bearer {issue(boss, scopes=scopes)}"}
    assert Client().get("/fhir/AuditEvent", headers=headers).status_code == status


def test_a_person_who_left_reads_nothing(events):
    gone = person("gone", Organization.objects.get(name="default"), Role.ADMIN)
    client = signed_in(gone)
    assert client.get("/fhir/AuditEvent").status_code == 200
    gone.memberships.all().delete()
    assert client.get("/fhir/AuditEvent").status_code == 404
