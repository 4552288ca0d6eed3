"""`/fhir/`: what is told is FHIR R4 by an independent judge, is found by what it is searched by, and is told to nobody else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import AuditEvent, Organization, Role, User
from reporting.models import Order, Report, ReportVersion
from tests.reporting.conftest import PASSWORD, person, signed_in
from tests.reporting.delivery.conftest import IMPRESSION
from tests.reporting.delivery.conftest import sign as sign
from viewer.models import Grant, Patient, Study


def judged(told: dict[str, Any]) -> dict[str, Any]:
    """The resource, once fhir.resources has read all of it."""
    get_fhir_model_class(told["resourceType"]).model_validate(told)
    assert no_empty(told)
    return told


def no_empty(value: Any) -> bool:
    """FHIR knows no empty strings, lists or objects."""
    if isinstance(value, dict):
        return bool(value) and all(map(no_empty, value.values()))
    if isinstance(value, list):
        return bool(value) and all(map(no_empty, value))
    return value not in ("", None)


def get(client: Client, address: str, status: int = 200, **headers: str) -> dict[str, Any]:
    response = client.get(f"/fhir/{address}", headers=headers)
    assert response.status_code == status, response.content
    assert response["Content-Type"].startswith("application/fhir+json")
    return judged(json.loads(response.content))


def found(client: Client, address: str) -> list[dict[str, Any]]:
    bundle = get(client, address)
    assert bundle["type"] == "searchset"
    return [entry["resource"] for entry in bundle.get("entry", [])]


@pytest.fixture
def at(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def report(sign) -> Report:
    return sign()


def test_the_capability_statement_says_what_can_be_asked_for_and_needs_no_sign_in(db) -> None:
    told = get(Client(), "metadata")
    assert (told["fhirVersion"], told["kind"]) == ("4.0.1", "instance")
    kinds = {one["type"] for one in told["rest"][0]["resource"]}
    assert kinds == {"Patient", "ImagingStudy", "ServiceRequest", "DiagnosticReport", "AuditEvent"}


def test_a_report_is_read_with_what_it_is_about(at: Client, report: Report, study: Study) -> None:
    told = get(at, f"DiagnosticReport/{report.uid}")
    assert (told["id"], told["status"]) == (str(report.uid), "final")
    assert told["conclusion"] == IMPRESSION
    assert told["resultsInterpreter"] == [{"display": "Alice Adler"}]
    assert told["code"]["coding"] == [
        {"system": "http://loinc.org", "code": "25045-6", "display": "CT Report"},
        {"system": "http://loinc.org", "code": "18748-4", "display": "Diagnostic imaging study"},
    ]
    for name in ("subject", "imagingStudy", "basedOn"):
        one = told[name][0] if isinstance(told[name], list) else told[name]
        assert judged(json.loads(at.get(f"/fhir/{one['reference']}").content))["id"] == one["reference"].split("/")[1]
    document = at.get(told["presentedForm"][0]["url"])
    assert document.status_code == 200
    assert b"".join(document).startswith(b"%PDF-") if document.streaming else document.content.startswith(b"%PDF-")


def test_a_patient_is_told_as_the_row_says_with_every_script_of_the_name(at: Client, study: Study) -> None:
    Patient.objects.filter(pk=study.patient_id).update(
        name="Yamada^Tarou^M^Dr.=山田^太郎=やまだ^たろう", birth_date="19570312", sex="O", issuer_of_patient_id="1.2.3"
    )
    told = get(at, f"Patient/{study.patient_id}")
    assert told["birthDate"] == "1957-03-12"
    assert told["gender"] == "other"
    assert told["identifier"][0]["system"] == "urn:oid:1.2.3"
    assert [name["text"] for name in told["name"]] == ["Dr. Tarou M Yamada", "太郎 山田", "たろう やまだ"]
    assert told["name"][1]["extension"][0]["valueCode"] == "IDE"


def test_a_study_is_told_with_its_series_and_read_with_its_instances(at: Client, study: Study) -> None:
    told = get(at, f"ImagingStudy/{study.pk}")
    assert told["identifier"][0] == {"system": "urn:dicom:uid", "value": f"urn:oid:{study.study_instance_uid}"}
    assert (told["numberOfSeries"], told["numberOfInstances"]) == (1, 2)
    assert len(told["series"][0]["instance"]) == 2
    (listed,) = found(at, "ImagingStudy")
    assert "instance" not in listed["series"][0]


def test_an_order_is_a_service_request_and_what_stands_in_for_one_is_none(at: Client, item) -> None:
    Order.objects.filter(pk=item.order_id).update(reading_class="STROKE", requested_at=datetime(2026, 5, 4, tzinfo=UTC))
    Order.objects.create(organization=item.organization, patient=item.order.patient, source="study")
    (told,) = found(at, "ServiceRequest")
    assert (told["status"], told["intent"], told["priority"]) == ("active", "order", "stat")
    assert told["requester"] == {"identifier": {"value": "R-77"}, "display": "Bob Brandt"}
    Order.objects.filter(pk=item.order_id).update(status="cancelled")
    assert get(at, f"ServiceRequest/{item.order_id}")["status"] == "revoked"


# --- searching


def test_reports_are_found_by_patient_identifier_status_and_time(
    at: Client, report: Report, study: Study, item
) -> None:
    patient, uid = study.patient, str(report.uid)
    order = item.order_id
    signed = ReportVersion.objects.get(report=report, number=report.signed_version).at
    day = f"{signed:%Y-%m-%d}"
    tomorrow = f"{signed + timedelta(days=1):%Y-%m-%d}"
    instant = signed.strftime("%Y-%m-%dT%H:%M:%SZ")
    by = (
        *(f"patient=Patient/{patient.pk}", f"patient={patient.pk}", f"subject=http://x/fhir/Patient/{patient.pk}"),
        *(f"patient.identifier={patient.patient_id}", f"_id={uid}", f"identifier=urn:uuid:{uid}", f"identifier={uid}"),
        *(f"identifier=urn:ietf:rfc:3986|urn:uuid:{uid}", "status=final", "status=preliminary,final"),
        *(f"_lastUpdated={day}", f"_lastUpdated=ge{day}", f"_lastUpdated=lt{tomorrow}", f"_lastUpdated={signed:%Y-%m}"),
        *(f"_lastUpdated=ge{instant}", f"issued={signed:%Y}", f"based-on=ServiceRequest/{order}", "_sort=-date"),
        f"status=final&patient={patient.pk}&_lastUpdated=ge{day}&_lastUpdated=lt{tomorrow}",
    )
    for question in by:
        assert [one["id"] for one in found(at, f"DiagnosticReport?{question}")] == [uid], question
    for question in (
        *("patient=Patient/999999", "patient=Device/1", "_id=nothing", "status=preliminary", "identifier=x"),
        *(f"_lastUpdated=gt{day}", f"_lastUpdated=lt{day}", f"_lastUpdated=ge{tomorrow}", "patient=abc"),
        f"status=final&patient={patient.pk + 1}",
    ):
        assert found(at, f"DiagnosticReport?{question}") == [], question


def test_a_report_that_nobody_signed_is_not_there(at: Client, study: Study, template) -> None:
    opened = at.post("/api/reports/", {"study": study.study_instance_uid}, "application/json").json()
    draft = Report.objects.get(pk=opened["id"])
    assert found(at, "DiagnosticReport") == []
    get(at, f"DiagnosticReport/{draft.uid}", 404)


def test_studies_and_patients_are_found_by_what_they_are_known_by(at: Client, study: Study) -> None:
    patient = study.patient
    Study.objects.update(date="20200102")
    year = "2020"
    for question in (
        *(f"ImagingStudy?identifier=urn:dicom:uid|urn:oid:{study.study_instance_uid}", f"ImagingStudy?started={year}"),
        *(f"ImagingStudy?patient={patient.pk}", "ImagingStudy?modality=CT", "ImagingStudy?status=available"),
        *(f"Patient?identifier={patient.patient_id}", f"Patient?_id={patient.pk}"),
    ):
        assert len(found(at, question)) == 1, question
    for question in (
        "ImagingStudy?modality=MR",
        "ImagingStudy?started=lt1900",
        "Patient?identifier=x",
        "Patient?name=xyzzy",
    ):
        assert found(at, question) == [], question


def test_pages_follow_each_other_and_every_row_is_told_once(at: Client, site: Organization) -> None:
    rows = [Patient.objects.create(organization=site, patient_id=f"P{number}") for number in range(7)]
    address, seen, pages = "Patient?_count=3", [], 0
    while address:
        bundle = get(at, address)
        assert bundle["total"] == 7
        seen += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        pages += 1
        following = [link["url"] for link in bundle["link"] if link["relation"] == "next"]
        address = following[0].partition("/fhir/")[2] if following else ""
        assert not following or urlsplit(following[0]).netloc == "testserver"
    assert pages == 3
    assert sorted(seen) == sorted(str(row.pk) for row in rows)
    assert len(found(at, "Patient?_count=0")) == 0


@pytest.mark.parametrize(
    "question",
    [
        *("_count=x", "_count=-1", "_cursor=%00", "_cursor=x", "_lastUpdated=yesterday", "_lastUpdated=ge2026-13"),
        *("_lastUpdated=2026-02-30", "_lastUpdated=9999", "status:not=final", "patient=%00", "_lastUpdated=2026T10:00"),
    ],
)
def test_what_cannot_be_understood_is_said_in_an_operation_outcome(at: Client, question: str) -> None:
    told = get(at, f"DiagnosticReport?{question}", 400)
    assert told["resourceType"] == "OperationOutcome"
    assert told["issue"][0]["diagnostics"].startswith(question.partition("=")[0])


def test_an_unknown_parameter_is_left_out_of_the_self_link_or_refused_where_strictness_is_asked_for(at: Client) -> None:
    bundle = get(at, "Patient?colour=red&identifier=x")
    assert "colour" not in bundle["link"][0]["url"]
    told = get(at, "Patient?colour=red", 400, Prefer="handling=strict")
    assert told["issue"][0]["code"] == "invalid"


def test_nothing_is_written_and_nothing_but_json_is_spoken(at: Client) -> None:
    response = at.post("/fhir/Patient", {}, "application/json")
    assert response.status_code == 405
    assert judged(response.json())["resourceType"] == "OperationOutcome"
    get(at, "Patient?_format=application/fhir%2Bxml", 406)
    assert get(at, "Patient?_format=json")["type"] == "searchset"


@pytest.mark.parametrize(
    "address", ["Practitioner", "Practitioner/1", "Patient/0", "Patient/x", "ImagingStudy/99999999999999999999"]
)
def test_what_is_not_there_is_not_found(at: Client, address: str) -> None:
    assert get(at, address, 404)["issue"][0]["code"] == "not-found"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["Patient", "ImagingStudy", "ServiceRequest", "DiagnosticReport"]),
    st.sampled_from(
        ["_id", "identifier", "patient", "_lastUpdated", "status", "started", "birthdate", "_count", "_cursor"]
    ),
    st.text(max_size=30) | st.from_regex(r"(ge|lt|eb)?[0-9]{4}(-[0-9]{2}){0,2}(T[0-9:.Z+-]{0,12})?", fullmatch=True),
)
def test_whatever_is_asked_is_answered_or_refused(at: Client, kind: str, name: str, value: str) -> None:
    response = at.get(f"/fhir/{kind}", {name: value})
    assert response.status_code in (200, 400), response.content
    judged(json.loads(response.content))


# --- the life of a report


def test_the_status_follows_the_life_of_the_report(at: Client, sign, boss: User) -> None:
    report = sign("preliminary")
    address = f"DiagnosticReport/{report.uid}"
    assert get(at, address)["status"] == "preliminary"
    sign("final")
    assert get(at, address)["status"] == "final"
    at.post(
        f"/api/reports/{report.pk}/addendum/", {"password": PASSWORD, "text": "An old infarct."}, "application/json"
    )
    told = get(at, address)
    assert told["status"] == "appended"
    assert told["conclusion"] == f"{IMPRESSION}\n\nAddendum: An old infarct."
    reason = {"password": PASSWORD, "reason": "Another patient's images."}
    for client in (at, signed_in(boss)):
        client.post(f"/api/reports/{report.pk}/entered-in-error/", reason, "application/json")
    told = get(at, address)
    assert told["status"] == "entered-in-error"
    assert not {"conclusion", "presentedForm"} & set(told)


# --- who may


def everything(report: Report, study: Study, item) -> dict[str, str]:
    return {
        "DiagnosticReport": str(report.uid),
        "ImagingStudy": str(study.pk),
        "Patient": str(study.patient_id),
        "ServiceRequest": str(item.order_id),
    }


def test_nobody_is_asked_to_sign_in(report: Report, study: Study, item) -> None:
    for kind, key in everything(report, study, item).items():
        for address in (f"/fhir/{kind}", f"/fhir/{kind}/{key}"):
            response = Client().get(address)
            assert response.status_code == 401, address
            assert response["WWW-Authenticate"].startswith("Bearer")
            assert str(study.patient.patient_id) not in response.content.decode()


def test_whoever_may_not_is_told_what_is_told_where_nothing_is(
    report: Report, study: Study, item, bob, charlie, boss
) -> None:
    other = person("other", Organization.objects.create(name="third"), Role.REFERRER)
    for user in (bob, charlie, other):
        client = signed_in(user)
        for kind, key in everything(report, study, item).items():
            missing = "00000000-0000-0000-0000-000000000000" if kind == "DiagnosticReport" else "999999"
            real, ghost = client.get(f"/fhir/{kind}/{key}"), client.get(f"/fhir/{kind}/{missing}")
            assert (real.status_code, real.content) == (404, ghost.content), (user, kind)
            assert get(client, kind)["total"] == 0, (user, kind)
            assert get(client, f"{kind}?_id={key}")["total"] == 0
    assert (
        get(signed_in(boss), "Patient")["total"] == 0
    )  # administrators read nowhere unless something is granted to them
    denied = AuditEvent.objects.filter(outcome="denied")
    assert denied.filter(actor="charlie").exists()


def test_a_referrer_sees_what_they_asked_for_once_it_is_final(sign, study: Study, item, bob: User) -> None:
    report = sign("preliminary")
    client = signed_in(bob)
    assert get(client, "DiagnosticReport")["total"] == 0
    Grant.objects.create(study=study, user=bob, reason="order")
    Order.objects.filter(pk=item.order_id).update(referrer=bob)
    assert get(client, "DiagnosticReport")["total"] == 0
    get(client, f"DiagnosticReport/{report.uid}", 404)
    sign("final")
    assert [one["id"] for one in found(client, "DiagnosticReport")] == [str(report.uid)]
    for kind in ("Patient", "ImagingStudy", "ServiceRequest"):
        assert get(client, kind)["total"] == 1, kind


def test_looking_is_written_down(at: Client, report: Report, study: Study) -> None:
    get(at, f"DiagnosticReport/{report.uid}")
    get(at, f"ImagingStudy/{study.pk}")
    get(at, f"Patient?identifier={study.patient.patient_id}")
    actions = set(AuditEvent.objects.filter(actor="alice").values_list("action", flat=True))
    assert {"report.view", "study.view", "fhir.search"} <= actions
    assert AuditEvent.objects.get(action="fhir.search").patient_id == study.patient.patient_id
