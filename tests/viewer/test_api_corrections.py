"""Corrections over HTTP: each act and its undoing, by whom, and what two who act at once are told."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pydicom
import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import slices
from tests.viewer.conftest import person, signed_in
from viewer.archive.ingest import ingest_file
from viewer.models import Correction, Instance, Patient, Series, Study

pytestmark = pytest.mark.usefixtures("store")

DOOR = "/api/studies/1.2.3/corrections/"


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> Study:
    for path in (*slices(tmp_path / "a", 2), *slices(tmp_path / "b", 1, series="1.2.3.5")):
        ingest_file(path, hospital, "ingest", "")
    return Study.objects.get()


@pytest.fixture
def karl(hospital: Organization) -> Patient:
    patient: Patient = Patient.objects.create(
        organization=hospital, patient_id="P2", name="Klein^Karl", name_folded="klein karl", birth_date="19400404"
    )
    return patient


@pytest.fixture
def tess(hospital: Organization) -> Client:
    return signed_in(person("tess", hospital, Role.TECHNOLOGIST))


@pytest.fixture
def boss(hospital: Organization) -> Client:
    """An administrator who also reads."""
    user = person("boss", hospital, Role.ADMIN)
    Membership.objects.create(user=user, organization=hospital, role=Role.RADIOLOGIST)
    return signed_in(user)


def corrected(client: Client, act: str, **said: Any) -> HttpResponse:
    body = {"act": act, "reason": "The wrong line.", **said}
    return client.post(DOOR, json.dumps(body), content_type="application/json")


def undone(client: Client, correction: int, door: str = DOOR) -> HttpResponse:
    return client.post(f"{door}{correction}/undo/", '{"reason": "It was right."}', content_type="application/json")


def state() -> list[Any]:
    """All that an act may change, to see that its undoing brings it back."""
    studies = Study.objects.exclude(emptied=True).order_by("id")
    return [
        *studies.values_list(
            "study_instance_uid", "patient", "patient_name", "accession_number", "number_of_instances"
        ),
        *Series.objects.exclude(modality="KO")
        .order_by("id")
        .values_list("series_instance_uid", "study", "number_of_instances"),
        *Patient.objects.order_by("id").values_list("patient_id", "name"),
        *Instance.objects.exclude(series__modality="KO").order_by("id").values_list("sop_instance_uid", "rejection"),
    ]


ACTS: list[dict[str, Any]] = [
    {"act": "person", "name": "Doe-Smith^Jane"},
    {"act": "patient", "patient_id": "P2"},
    {"act": "merge_patient", "patient_id": "P2"},
    {"act": "order", "accession_number": "A7", "description": "CT Abdomen"},
    {"act": "split", "series": ["1.2.3.5"]},
    {"act": "move", "series": ["1.2.3.5"], "target": "1.2.4"},
    {"act": "merge", "target": "1.2.4"},
    {"act": "reject", "series": ["1.2.3.5"], "code": "113001"},
    {"act": "reject", "instances": ["1.2.3.4.1"], "code": "113037"},
]


@pytest.mark.parametrize("said", ACTS, ids=lambda said: said["act"])
def test_every_act_is_done_told_and_undone(
    chest: Study, karl: Patient, tess: Client, hospital: Organization, tmp_path: Path, said: dict[str, Any]
) -> None:
    ingest_file(slices(tmp_path / "c", 1, "1.2.4", "1.2.4.1")[0], hospital, "ingest", "")
    before = state()
    answer = corrected(tess, **said)
    assert answer.status_code == 201, answer.content
    assert state() != before
    (told,) = tess.get(DOOR).json()["corrections"]
    assert told == answer.json()["correction"]
    assert (told["actor"], told["reason"], told["source"]) == ("tess", "The wrong line.", "person")
    answer = undone(tess, told["id"])
    assert answer.status_code == 201, answer.content
    assert state() == before
    newest, oldest = tess.get(DOOR).json()["corrections"]
    assert (newest["undoes"], oldest["undone_by"]) == (told["id"], newest["id"])


def test_what_leaves_by_dicomweb_says_what_was_corrected_and_what_was_before(
    chest: Study, karl: Patient, tess: Client, alice: Client
) -> None:
    assert corrected(tess, "order", accession_number="A7").status_code == 201
    new = corrected(tess, "split", series=["1.2.3.5"]).json()["study_instance_uid"]
    assert corrected(tess, "patient", patient_id="P2").status_code == 201
    moved = received(alice, f"/dicom-web/studies/{new}/series/1.2.3.5/instances/1.2.3.5.1")
    assert (moved.StudyInstanceUID, moved.AccessionNumber, moved.PatientID) == (new, "A7", "P1")
    first, second = moved.OriginalAttributesSequence
    assert first.ModifiedAttributesSequence[0].AccessionNumber == "A1"
    assert second.ModifiedAttributesSequence[0].StudyInstanceUID == "1.2.3"
    assert (second.ModifyingSystem, second.ReasonForTheAttributeModification) == ("FARVIEW", "CORRECT")
    stayed = received(alice, "/dicom-web/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.1")
    assert (stayed.PatientID, str(stayed.PatientName), stayed.PatientBirthDate) == ("P2", "Klein^Karl", "19400404")
    before = stayed.OriginalAttributesSequence[-1].ModifiedAttributesSequence[0]
    assert (before.PatientID, str(before.PatientName)) == ("P1", "Doe^Jane")
    assert stayed.PixelData == bytes(32)


def received(client: Client, address: str) -> pydicom.Dataset:
    """The one object of a multipart answer, as pydicom reads it."""
    answer = client.get(address, headers={"Accept": 'multipart/related; type="application/dicom"'})
    assert answer.status_code == 200, answer
    whole = body_of(answer)
    return pydicom.dcmread(io.BytesIO(whole[whole.index(b"DICM") - 128 :]))


def body_of(answer: HttpResponse) -> bytes:
    if not answer.streaming:
        return bytes(answer.content)

    async def gathered() -> bytes:
        return b"".join([piece async for piece in answer])

    return asyncio.run(gathered()) if answer.is_async else b"".join(answer.streaming_content)


def test_patients_are_linked_without_anything_else_changing(chest: Study, karl: Patient, tess: Client) -> None:
    before = state()
    assert corrected(tess, "link_patient", patient_id="P2").status_code == 201
    assert state() == before
    assert corrected(tess, "link_patient", patient_id="P2").status_code == 400


def test_patients_of_two_organizations_are_linked_by_who_may_correct_in_both(
    chest: Study, tess: Client, elsewhere: Organization
) -> None:
    Patient.objects.create(organization=elsewhere, patient_id="P1")
    said = {"patient_id": "P1", "organization": "elsewhere"}
    assert corrected(tess, "link_patient", **said).status_code == 400
    Membership.objects.create(user=User.objects.get(username="tess"), organization=elsewhere, role=Role.ADMIN)
    assert corrected(tess, "link_patient", **said).status_code == 201


def test_technologists_and_administrators_correct_and_nobody_else(
    chest: Study, karl: Patient, alice: Client, bob: Client, charlie: Client, boss: Client, tess: Client, client: Client
) -> None:
    theirs = person("theirs", Organization.objects.create(name="third"), Role.TECHNOLOGIST)
    manager = signed_in(person("manager", chest.organization, Role.ADMIN))
    for stranger in (alice, bob, charlie, manager, signed_in(theirs)):
        for answer in (
            stranger.get(DOOR),
            stranger.get(f"{DOOR}choices/"),
            corrected(stranger, "patient", patient_id="P2"),
            undone(stranger, 1),
        ):
            assert answer.status_code == 404, answer.content
    assert corrected(client, "patient", patient_id="P2").status_code == 401
    assert not Correction.objects.exists()
    assert AuditEvent.objects.filter(actor="theirs", outcome="denied").exists()
    for member in (tess, boss):
        assert member.get(DOOR).status_code == 200


def test_the_same_study_elsewhere_is_asked_which_and_stays_as_it_is(
    chest: Study, tess: Client, elsewhere: Organization, tmp_path: Path
) -> None:
    ingest_file(slices(tmp_path / "x", 1)[0], elsewhere, "ingest", "")
    Membership.objects.create(user=User.objects.get(username="tess"), organization=elsewhere, role=Role.TECHNOLOGIST)
    assert corrected(tess, "order", accession_number="A7").status_code == 409
    body = json.dumps({"act": "order", "accession_number": "A7", "reason": "x"})
    answer = tess.post(f"{DOOR}?organization=elsewhere", body, content_type="application/json")
    assert answer.status_code == 201
    assert set(Study.objects.values_list("organization__name", "accession_number")) == {
        ("hospital", "A1"),
        ("elsewhere", "A7"),
    }


def test_an_act_of_another_study_is_not_undone_here(
    chest: Study, tess: Client, hospital: Organization, tmp_path: Path
) -> None:
    said = {"PatientID": "P9", "PatientName": "Roe^Rae"}
    ingest_file(slices(tmp_path / "c", 1, "1.2.4", "1.2.4.1", **said)[0], hospital, "ingest", "")
    made = corrected(tess, "order", accession_number="A7").json()["correction"]["id"]
    assert undone(tess, made, "/api/studies/1.2.4/corrections/").status_code == 404
    assert undone(tess, 999).status_code == 404


def test_of_two_who_act_at_once_the_second_looks_again(chest: Study, karl: Patient, tess: Client, boss: Client) -> None:
    seen = tess.get(DOOR).json()["seen"]
    assert corrected(tess, "patient", patient_id="P2", seen=seen).status_code == 201
    answer = corrected(boss, "order", accession_number="A7", seen=seen)
    assert (answer.status_code, "meanwhile" in answer.json()["detail"]) == (409, True)
    assert corrected(boss, "reject", series=["1.2.3.5"], code="113001", seen=seen).status_code == 409
    assert Study.objects.get().accession_number == "A1"
    assert corrected(boss, "order", accession_number="A7", seen=tess.get(DOOR).json()["seen"]).status_code == 201


@pytest.mark.parametrize(
    "said",
    [
        {"act": "tidy"},
        {"act": "person"},
        {"act": "person", "name": "A^B", "reason": "  "},
        {"act": "person", "birth_date": "soon"},
        {"act": "patient", "patient_id": "nobody"},
        {"act": "patient", "patient_id": ""},
        {"act": "patient", "patient_id": ["P2"]},
        {"act": "order"},
        {"act": "order", "order": "7"},
        {"act": "split", "series": []},
        {"act": "split", "series": ["9.9"]},
        {"act": "split", "series": "1.2.3.4"},
        {"act": "move", "series": ["1.2.3.4"], "target": "9.9"},
        {"act": "merge", "target": "1.2.3"},
        {"act": "reject", "series": ["9.9"], "code": "113001"},
        {"act": "reject", "series": ["1.2.3.4"], "code": "113000"},
        {"act": "reject", "code": "113001"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused_in_words(
    chest: Study, karl: Patient, tess: Client, said: dict[str, Any]
) -> None:
    answer = corrected(tess, **said)
    assert answer.status_code == 400, answer.content
    assert answer.json()["detail"]
    assert not Correction.objects.exists()


def test_choices_are_patients_by_name_and_studies_of_the_same_one(
    chest: Study, karl: Patient, tess: Client, hospital: Organization, elsewhere: Organization, tmp_path: Path
) -> None:
    ingest_file(slices(tmp_path / "c", 1, "1.2.4", "1.2.4.1")[0], hospital, "ingest", "")
    Patient.objects.create(organization=elsewhere, patient_id="P5", name="Klein^Else", name_folded="klein else")
    told = tess.get(f"{DOOR}choices/", {"q": "KLEIN"}).json()
    assert [one["patient_id"] for one in told["patients"]] == ["P2"]
    assert [one["study_instance_uid"] for one in told["studies"]] == ["1.2.4"]
    assert tess.get(f"{DOOR}choices/").json()["patients"] == []
