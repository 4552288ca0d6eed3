"""`/api/studies/` and `/api/studies/{uid}/`: what they answer, to whom, and what is written down."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from django.test import Client

from accounts.authentication import issue
from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save, slices
from viewer.archive.ingest import ingest, ingest_file
from viewer.archive.rows import Sender
from viewer.archive.sources import walk

pytestmark = pytest.mark.usefixtures("store")

STUDY = "/api/studies/1.2.3/"


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> str:
    """A study of five slices; its address."""
    slices(tmp_path / "in", 5)
    list(ingest(walk(tmp_path / "in"), Sender(hospital, "a test", "ingest")))
    return STUDY


def test_a_list_tells_what_a_reader_chooses_by(chest: str, alice: Client) -> None:
    answer = alice.get("/api/studies/").json()
    [study] = answer["studies"]
    assert (answer["total"], answer["next"]) == (1, None)
    assert study["patient"] == {"name": "Doe^Jane", "patient_id": "P1", "birth_date": "19700101", "sex": "F"}
    assert {name: study[name] for name in ("study_instance_uid", "organization", "date", "modalities", "warnings")} == {
        "study_instance_uid": "1.2.3",
        "organization": "hospital",
        "date": "20240131",
        "modalities": ["CT"],
        "warnings": [],
    }
    assert (study["number_of_series"], study["number_of_instances"], study["conflicts"]) == (1, 5, 0)
    assert study["thumbnail"].startswith("/api/series/1.2.3.4/thumbnail?")


def test_pages_follow_their_cursors(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    for number in range(1, 6):
        image = ct_slice(f"1.{number}.1.1", f"1.{number}", f"1.{number}.1", StudyDate=f"2024010{number}")
        ingest_file(save(image, tmp_path / str(number)), hospital, "ingest", "")
    seen, address = [], "/api/studies/?limit=2"
    while address:
        answer = alice.get(address).json()
        seen += [study["date"] for study in answer["studies"]]
        address = answer["next"] and f"/api/studies/?limit=2&cursor={answer['next']}"
    assert seen == ["20240105", "20240104", "20240103", "20240102", "20240101"]


@pytest.mark.parametrize("asked", ["limit=many", "date_from=soon", "sort=secret", "cursor=%00"])
def test_a_search_that_cannot_be_answered_is_400_and_names_the_parameter(alice: Client, asked: str) -> None:
    answer = alice.get(f"/api/studies/?{asked}")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(asked.split("=")[0])


def test_a_study_tells_what_the_viewer_opens_with(chest: str, alice: Client) -> None:
    study = alice.get(chest).json()
    [series] = study["series"]
    [stack] = series["stacks"]
    assert (series["modality"], series["number"], series["number_of_instances"], series["not_drawn"]) == (
        "CT",
        1,
        5,
        None,
    )
    assert (stack["stack"], stack["kind"], stack["frames"], stack["rows"], stack["columns"]) == (
        0,
        "spatial",
        5,
        4,
        4,
    )
    assert stack["thumbnail"].startswith("/api/series/1.2.3.4/thumbnail?stack=0&organization=hospital")
    assert study["priors"] == study["kept_aside"] == []


def test_what_is_not_drawn_is_listed_with_the_reason(shared_data: Path, hospital: Organization, alice: Client) -> None:
    told = ingest_file(shared_data / "derived" / "sr_basic_text.dcm", hospital, "ingest", "")
    [series] = alice.get(f"/api/studies/{told.study_instance_uid}/").json()["series"]
    assert series["stacks"] == []
    assert "structured report" in series["not_drawn"]


def test_a_clip_tells_its_timing(shared_data: Path, hospital: Organization, alice: Client) -> None:
    told = ingest_file(shared_data / "cine" / "XA_rubo_96f_jpeg.dcm", hospital, "ingest", "")
    [series] = alice.get(f"/api/studies/{told.study_instance_uid}/").json()["series"]
    [stack] = series["stacks"]
    assert (stack["kind"], stack["frames"], stack["frame_times_ms"]) == ("cine", 96, {"frame_time_ms": 33.0})


def test_conflicts_are_shown(chest: str, hospital: Organization, alice: Client, tmp_path: Path) -> None:
    ingest_file(save(ct_slice(PixelData=b"\1" * 32), tmp_path / "b.dcm"), hospital, "ingest", "")
    study = alice.get(chest).json()
    assert study["conflicts"] == 1
    assert study["kept_aside"][0]["sop_instance_uid"] == "1.2.3.4.1"
    assert alice.get("/api/studies/").json()["studies"][0]["conflicts"] == 1


def test_priors_are_found_by_the_system(chest: str, hospital: Organization, alice: Client, tmp_path: Path) -> None:
    image = ct_slice("1.8.1.1", "1.8", "1.8.1", StudyDate="20200101", StudyDescription="Before")
    ingest_file(save(image, tmp_path / "prior.dcm"), hospital, "ingest", "")
    study = alice.get(chest).json()
    assert study["priors"] == [
        {
            "study_instance_uid": "1.8",
            "organization": "hospital",
            "date": "20200101",
            "time": "101500",
            "description": "Before",
            "accession_number": "A1",
            "modalities": ["CT"],
            "number_of_series": 1,
            "earlier": True,
            "relevance": 2,
            "reason": "same modality: CT; the part of the body is not said",
        }
    ]
    assert study["not_priors"] == []


# --- who may


@pytest.mark.parametrize("address", [STUDY, "/api/studies/1.2.3/?organization=hospital", "/api/studies/9.9.9/"])
def test_a_study_of_others_is_as_if_it_did_not_exist(
    chest: str, bob: Client, charlie: Client, client: Client, address: str
) -> None:
    for person in (bob, charlie):
        answer = person.get(address)
        assert answer.status_code == 404
        assert "1.2.3" not in answer.content.decode()
    assert client.get(address).status_code == 401


def test_lists_hold_only_what_one_may_see(chest: str, alice: Client, bob: Client, charlie: Client) -> None:
    assert [len(person.get("/api/studies/").json()["studies"]) for person in (alice, bob, charlie)] == [1, 0, 0]


def test_a_program_asks_with_a_token(chest: str, hospital: Organization, client: Client) -> None:
    user = User.objects.create_user(username="program")
    Membership.objects.create(user=user, organization=hospital, role=Role.RADIOLOGIST)
    assert client.get(chest, headers={"Authorization": f"Bearer {issue(user)}"}).status_code == 200
    assert client.get(chest, headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_same_study_in_two_organizations_asks_which(
    chest: str, elsewhere: Organization, alice: Client, tmp_path: Path
) -> None:
    ingest_file(save(ct_slice(), tmp_path / "copy.dcm"), elsewhere, "ingest", "")
    assert alice.get(chest).status_code == 200, "what she may not see does not stand in her way"
    Membership.objects.create(user=User.objects.get(username="alice"), organization=elsewhere, role=Role.RESIDENT)
    answer = alice.get(chest)
    assert (answer.status_code, answer.json()["organizations"]) == (409, ["elsewhere", "hospital"])
    for organization, count in (("hospital", 5), ("elsewhere", 1)):
        assert alice.get(f"{chest}?organization={organization}").json()["number_of_instances"] == count


def test_opening_a_study_is_written_down_once(chest: str, alice: Client) -> None:
    for _ in range(3):
        alice.get(chest)
    event = AuditEvent.objects.get(action="study.view")
    assert (event.actor, event.organization, event.patient_id, event.study_instance_uid, event.origin) == (
        "alice",
        "hospital",
        "P1",
        "1.2.3",
        "127.0.0.1",
    )


def test_asking_for_what_one_may_not_see_is_written_down(chest: str, charlie: Client) -> None:
    charlie.get(chest)
    charlie.get("/api/series/1.2.3.4/frame")
    charlie.get("/studies/1.2.3/")
    events = AuditEvent.objects.filter(action="study.view", outcome="denied").order_by("sequence")
    assert [(event.actor, event.object_uid, event.detail["door"]) for event in events] == [
        ("charlie", "1.2.3", "api"),
        ("charlie", "1.2.3.4", "api"),
        ("charlie", "1.2.3", "page"),
    ]


def test_me_tells_roles_and_where_one_may_upload(alice: Client, bob: Client, client: Client) -> None:
    told = alice.get("/api/me/").json()
    assert len(base64.b64decode(told.pop("journal_key"))) == 32
    assert told == {
        "name": "alice",
        "full_name": "",
        "organizations": [{"name": "hospital", "title": "hospital", "roles": ["radiologist"], "may_upload": True}],
    }
    assert bob.get("/api/me/").json()["organizations"][0]["may_upload"] is False
    assert client.get("/api/me/").status_code == 401


def test_what_seals_a_browsers_journal_is_ones_own_at_every_sign_in_and_no_programs(
    alice: Client, bob: Client, client: Client
) -> None:
    keys = [one.get("/api/me/").json()["journal_key"] for one in (alice, alice, bob)]
    assert keys[0] == keys[1] != keys[2]
    token = issue(User.objects.get(username="alice"))
    told = client.get("/api/me/", headers={"Authorization": f"Bearer {token}"}).json()
    assert (told["name"], told["journal_key"]) == ("alice", "")


def test_a_study_bears_the_name_that_its_own_images_say(hospital: Organization, alice: Client, tmp_path: Path) -> None:
    """Also where another person's study came first under the same Patient ID: the disagreement is said on the later one."""
    first = ct_slice("1.1.1.1", "1.1", "1.1.1", PatientID="P9", PatientName="Wrong^Will", PatientSex="M")
    later = ct_slice("1.2.1.1", "1.2", "1.2.1", PatientID="P9", PatientName="Right^Rita", PatientSex="F")
    for number, image in enumerate((first, later)):
        ingest_file(save(image, tmp_path / str(number)), hospital, "ingest", "")
    answers = [alice.get(f"/api/studies/{uid}/").json() for uid in ("1.1", "1.2")]
    assert [answer["patient"]["name"] for answer in answers] == ["Wrong^Will", "Right^Rita"]
    assert [answer["patient"]["sex"] for answer in answers] == ["M", "F"]
    assert [any("another patient's name" in warning for warning in answer["warnings"]) for answer in answers] == [
        False,
        True,
    ]
