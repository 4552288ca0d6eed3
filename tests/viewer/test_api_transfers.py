"""Readers send studies to peers of their organization, and fetch from them; nobody else, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import AuditEvent, Membership, Organization, Role, User
from tests.live import free_port
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from viewer.archive.ingest import ingest_file
from viewer.models import DicomPeer, Transfer

pytestmark = pytest.mark.usefixtures("store")
JSON = "application/json"


@pytest.fixture
def chest(hospital: Organization, tmp_path: Path) -> str:
    ingest_file(save(ct_slice(), tmp_path / "a.dcm"), hospital, "ingest", "")
    return "1.2.3"


@pytest.fixture
def pacs(hospital: Organization) -> DicomPeer:
    given = {"ae_title": "PACS", "host": "127.0.0.1", "port": free_port(), "description": "The other archive"}
    return DicomPeer.objects.create(organization=hospital, **given)


@pytest.fixture
def theirs(elsewhere: Organization) -> DicomPeer:
    return DicomPeer.objects.create(organization=elsewhere, ae_title="THEIRS", host="127.0.0.1", port=104)


def ask(client: Client, peer: DicomPeer, kind: str = "send", **more: Any) -> Any:
    return client.post("/api/transfers/", {"kind": kind, "peer": peer.pk, "study": "1.2.3", **more}, JSON)


def test_a_reader_sees_the_peers_of_their_organization_that_can_be_called(
    alice: Client, pacs: DicomPeer, theirs: DicomPeer, hospital: Organization
) -> None:
    DicomPeer.objects.create(organization=hospital, ae_title="CALLER", host="10.0.0.0/8")
    DicomPeer.objects.create(organization=hospital, ae_title="OFF", host="10.0.0.1", port=104, active=False)
    assert alice.get("/api/peers/").json()["peers"] == [
        {
            **{"id": pacs.pk, "organization": "hospital", "ae_title": "PACS", "description": "The other archive"},
            "archive": False,
        }
    ]


def test_a_study_is_sent_by_whoever_reads_it_and_the_record_says_so(alice: Client, chest: str, pacs: DicomPeer) -> None:
    answer = ask(alice, pacs)
    assert answer.status_code == 201
    told = answer.json()
    assert (told["state"], told["kind"], told["asked_by"], told["reason"]) == ("queued", "send", "alice", "person")
    assert told["study"] == {
        **{"patient_name": "Doe^Jane", "patient_id": "P1", "date": "20240131", "description": "Chest"},
        **{"modalities": ["CT"], "here": True},
    }
    event = AuditEvent.objects.get(action="transfer.ask")
    assert (event.actor, event.patient_id, event.study_instance_uid) == ("alice", "P1", "1.2.3")
    assert ask(alice, pacs).json()["id"] == told["id"]
    assert Transfer.objects.count() == 1


def test_a_study_that_is_not_here_is_fetched_and_shown_by_what_the_search_said(alice: Client, pacs: DicomPeer) -> None:
    shown = {"patient_name": "Roe^Mary", "patient_id": "P9", "date": "20200101", "modalities": ["MR"]}
    told = ask(alice, pacs, "retrieve", study="9.9.9", shown=shown).json()
    assert told["study"] == {**shown, "description": "", "here": False}
    assert [one["id"] for one in alice.get("/api/transfers/").json()["transfers"]] == [told["id"]]
    assert alice.get("/api/transfers/?study=1.1").json()["transfers"] == []


@pytest.mark.parametrize("who", ["bob", "charlie"])
def test_nobody_else_sends_fetches_looks_or_acts(who: str, chest: str, pacs: DicomPeer, alice, request) -> None:
    known = ask(alice, pacs).json()["id"]
    other: Client = request.getfixturevalue(who)
    assert ask(other, pacs).status_code == 404
    assert ask(other, pacs, "retrieve").status_code == 404
    assert other.post(f"/api/peers/{pacs.pk}/search/", {"patient_id": "P1"}, JSON).status_code == 404
    for act in ("cancel", "retry"):
        assert other.post(f"/api/transfers/{known}/{act}/").status_code == 404
    listed = other.get("/api/transfers/")
    assert listed.status_code == 404 or listed.json()["transfers"] == []
    assert Transfer.objects.get().state == "queued"


def test_nobody_signed_in_is_asked_to(client: Client, pacs: DicomPeer) -> None:
    for address in ("/api/peers/", "/api/transfers/"):
        assert client.get(address).status_code == 401


def test_a_study_of_one_organization_does_not_go_to_a_peer_of_another(
    chest: str, hospital: Organization, elsewhere: Organization, theirs: DicomPeer
) -> None:
    user = person("both", hospital, Role.RADIOLOGIST)
    Membership.objects.create(user=user, organization=elsewhere, role=Role.RADIOLOGIST)
    assert ask(signed_in(user), theirs).status_code == 404
    assert not Transfer.objects.exists()


def test_a_referrer_of_the_peers_organization_sends_nothing_that_they_read_elsewhere(
    chest: str, hospital: Organization, elsewhere: Organization, theirs: DicomPeer
) -> None:
    user = person("mixed", hospital, Role.RADIOLOGIST)
    Membership.objects.create(user=user, organization=elsewhere, role=Role.REFERRER)
    client = signed_in(user)
    assert ask(client, theirs, "retrieve").status_code == 404
    assert client.get("/api/peers/").json()["peers"] == []


def test_a_series_that_is_not_of_the_study_is_refused(alice: Client, chest: str, pacs: DicomPeer) -> None:
    assert ask(alice, pacs, series="1.2.3.4").status_code == 201
    assert ask(alice, pacs, series="1.2.9.9").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "steal"},
        {"study": "../../etc/passwd"},
        {"study": ""},
        {"peer": "all"},
        {"instances": ["x"]},
        {"instances": "1.2.3"},
        {"shown": {"modalities": "CT"}},
    ],
)
def test_what_cannot_be_understood_is_refused_in_words(
    alice: Client, chest: str, pacs: DicomPeer, body: dict[str, Any]
) -> None:
    given = {"kind": "send", "peer": pacs.pk, "study": "1.2.3", **body}
    answer = alice.post("/api/transfers/", given, JSON)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_a_transfer_is_cancelled_and_tried_again(alice: Client, chest: str, pacs: DicomPeer) -> None:
    known = ask(alice, pacs).json()["id"]
    assert alice.post(f"/api/transfers/{known}/cancel/").json()["state"] == "cancelled"
    again = alice.post(f"/api/transfers/{known}/cancel/")
    assert (again.status_code, again.json()["detail"]) == (409, "It has ended already.")
    assert alice.post(f"/api/transfers/{known}/retry/").json()["state"] == "queued"
    assert alice.post(f"/api/transfers/{known}/retry/").status_code == 409
    assert alice.post("/api/transfers/999999/retry/").status_code == 404


def test_a_long_list_comes_in_pages(alice: Client, pacs: DicomPeer, hospital: Organization) -> None:
    for number in range(130):
        ask(alice, pacs, "retrieve", study=f"9.{number}")
    first = alice.get("/api/transfers/").json()
    second = alice.get(f"/api/transfers/?before={first['next']}").json()
    uids = [one["study_instance_uid"] for one in (*first["transfers"], *second["transfers"])]
    assert uids == [f"9.{number}" for number in reversed(range(130))]
    assert (first["waiting"], second["next"]) == (130, None)
    assert alice.get("/api/transfers/?before=x").status_code == 400


def test_a_search_at_a_peer_that_is_away_says_so_and_is_in_the_record(alice: Client, pacs: DicomPeer) -> None:
    answer = alice.post(f"/api/peers/{pacs.pk}/search/", {"patient_id": "P1"}, JSON)
    assert answer.status_code == 502
    assert "connection refused" in answer.json()["detail"]
    event = AuditEvent.objects.get(action="dicom.query")
    assert (event.actor, event.patient_id, event.detail["keys"]) == ("alice", "P1", ["PatientID"])


@pytest.mark.parametrize("body", [{}, {"modality": "CT"}, {"patient_id": "A\\B"}, {"date_from": "tomorrow"}])
def test_a_search_for_everything_is_refused(alice: Client, pacs: DicomPeer, body: dict[str, str]) -> None:
    assert alice.post(f"/api/peers/{pacs.pk}/search/", body, JSON).status_code == 400


def test_the_page_is_for_readers(alice: Client, bob: Client, pacs: DicomPeer) -> None:
    page = alice.get("/transfers/")
    assert page.status_code == 200
    assert "Fetch from an archive" in page.content.decode()
    assert bob.get("/transfers/").status_code == 404
    assert User.objects.count() == 2


def test_the_page_says_where_the_dicom_network_is_switched_off(
    alice: Client, pacs: DicomPeer, settings: LazySettings
) -> None:
    assert "switched off" not in alice.get("/transfers/").content.decode()
    settings.FARVIEW_DICOM_PORT = 0
    assert "The DICOM network of this server is switched off" in alice.get("/transfers/").content.decode()
