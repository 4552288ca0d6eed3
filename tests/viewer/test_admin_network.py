"""Administrators add peers, test them, look after what is on its way and what was refused; of their own organization alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEvent, Organization, Role, User
from tests.viewer.archive.objects import ct_slice, save
from tests.viewer.conftest import person, signed_in
from tests.viewer.dimse.receiver import Receiver
from viewer.archive import quarantine
from viewer.archive.rows import Sender
from viewer.models import DicomPeer, Instance, Quarantined, Transfer

pytestmark = pytest.mark.usefixtures("store")
PEERS, TRANSFERS, QUARANTINE = (f"/admin/viewer/{name}/" for name in ("dicompeer", "transfer", "quarantined"))
PEER = {"ae_title": "CT1", "host": "10.1.2.3", "port": "104", "retrieve_by": "get", "active": "on"}


@pytest.fixture
def administrator(hospital: Organization) -> Client:
    user = person("admin", hospital, Role.ADMIN)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    return signed_in(user)


def add(client: Client, organization: Organization, **changed: Any) -> str:
    given = {**PEER, "organization": organization.pk, **changed}
    answer = client.post(f"{PEERS}add/", {name: value for name, value in given.items() if value is not None})
    return "" if answer.status_code == 302 else answer.content.decode()


def test_an_administrator_adds_a_peer_and_the_record_says_so(administrator: Client, hospital: Organization) -> None:
    assert add(administrator, hospital, may_store="on", description="CT in the basement") == ""
    peer = DicomPeer.objects.get()
    assert (peer.ae_title, peer.port, peer.may_store, peer.may_query) == ("CT1", 104, True, False)
    assert "CT in the basement" in administrator.get(PEERS).content.decode()
    assert AuditEvent.objects.filter(action="dicompeer.make").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ae_title": "A\\B"}, "An AE title is 1 to 16 ASCII characters"),
        ({"ae_title": "Größe"}, "An AE title is 1 to 16 ASCII characters"),
        ({"host": "10.1.0.0/99", "port": None}, "A host is a name, an address, or a network"),
        ({"host": "10.1.0.0/16"}, "A network only calls"),
        ({"port": "70000"}, "A port is 1 to 65535"),
        ({"port": None, "is_archive": "on"}, "An archive is asked, and has a port"),
        ({"is_archive": "on", "retrieve_by": "move"}, "has to be allowed to store here"),
    ],
)
def test_what_is_wrong_with_a_peer_is_said(
    administrator: Client, hospital: Organization, changed: dict[str, Any], said: str
) -> None:
    assert said in add(administrator, hospital, **changed)
    assert not DicomPeer.objects.exists()


def test_nobody_draws_the_images_of_another_organization_to_themselves(
    administrator: Client, hospital: Organization, elsewhere: Organization
) -> None:
    DicomPeer.objects.create(organization=elsewhere, ae_title="CT1", host="10.1.0.0/16")
    assert "a peer of another organization" in add(administrator, hospital)
    assert "a peer of another organization" in add(administrator, hospital, host="scanner.example")
    assert add(administrator, hospital, host="10.2.0.1") == ""


def test_peers_of_another_organization_are_neither_shown_nor_changed(
    administrator: Client, elsewhere: Organization
) -> None:
    theirs = DicomPeer.objects.create(organization=elsewhere, ae_title="SECRET", host="10.9.9.9")
    assert "SECRET" not in administrator.get(PEERS).content.decode()
    assert administrator.get(f"{PEERS}{theirs.pk}/change/").status_code in (302, 404)
    assert "Select a valid choice" in add(administrator, elsewhere)


@pytest.mark.parametrize("who", ["alice", "bob", "charlie"])
def test_whoever_administers_nothing_does_not_come_in(who: str, request: pytest.FixtureRequest) -> None:
    client: Client = request.getfixturevalue(who)
    for address in (PEERS, TRANSFERS, QUARANTINE, "/admin/viewer/commitment/", "/admin/viewer/performedstep/"):
        assert client.get(address).status_code == 404


def test_a_connection_is_tested_by_an_echo(administrator: Client, hospital: Organization) -> None:
    with Receiver() as receiver:
        peer = receiver.row(hospital)
        given = {**PEER, "ae_title": peer.ae_title, "host": peer.host, "port": peer.port, "_test": "1"}
        told = administrator.post(f"{PEERS}{peer.pk}/change/", given, follow=True).content.decode()
        assert "RECEIVER answers (C-ECHO" in told
    told = administrator.post(PEERS, {"action": "test_connection", "_selected_action": peer.pk}, follow=True)
    assert "cannot be reached: connection refused." in told.content.decode()
    outcomes = AuditEvent.objects.filter(action="peer.test").order_by("sequence").values_list("outcome", flat=True)
    assert list(outcomes) == ["success", "failure"]


@pytest.mark.parametrize("by", ["button", "list"])
def test_a_test_is_on_the_record_before_the_other_machine_is_asked(
    administrator: Client, hospital: Organization, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Also where this server ends before the answer comes, and no transaction waits for it."""
    peer = DicomPeer.objects.create(organization=hospital, ae_title="CT1", host="10.1.2.3", port=104)
    seen: list[object] = []

    def never_answers(peer: DicomPeer) -> str:
        events = AuditEvent.objects.filter(action="peer.test.begun", detail__peer="CT1")
        seen.append((events.count(), list(connection.savepoint_ids)))
        raise KeyboardInterrupt

    monkeypatch.setattr("viewer.dimse.calling.echo", never_answers)
    button = {**PEER, "ae_title": "CT1", "host": "10.1.2.3", "port": 104, "_test": "1"}
    chosen = {"action": "test_connection", "_selected_action": peer.pk}
    asked = {"button": (f"{PEERS}{peer.pk}/change/", button), "list": (PEERS, chosen)}[by]
    with pytest.raises(KeyboardInterrupt):
        administrator.post(*asked)
    assert seen == [(1, [])]
    assert AuditEvent.objects.filter(action="peer.test.begun").count() == 1


def test_transfers_are_cancelled_and_tried_again_and_say_nothing_of_patients(
    administrator: Client, hospital: Organization
) -> None:
    peer = DicomPeer.objects.create(organization=hospital, ae_title="CT1", host="10.1.2.3", port=104)
    shown = {"shown": {"patient_name": "Doe^Jane", "patient_id": "P1"}}
    row = Transfer.objects.create(
        organization=hospital,
        peer=peer,
        kind="retrieve",
        study_instance_uid="1.2.3",
        options=shown,
        next_try_at=timezone.now(),
    )
    page = administrator.get(TRANSFERS).content.decode()
    assert "1.2.3" in page
    assert "Doe" not in page
    for action, state in (("cancel", "cancelled"), ("cancel", "cancelled"), ("retry", "queued")):
        administrator.post(TRANSFERS, {"action": action, "_selected_action": row.pk})
        row.refresh_from_db()
        assert row.state == state
    assert AuditEvent.objects.filter(action="transfer.cancel").count() == 1


def test_what_was_refused_is_tried_again_or_done_with_for_a_reason(
    administrator: Client, hospital: Organization, tmp_path: Path
) -> None:
    sender = Sender(hospital, "dicom:CT1", "c-store")
    for number in (1, 2):
        path = save(ct_slice(f"1.2.3.4.{number}"), tmp_path / f"{number}.dcm")
        quarantine.keep_file(path, sender, "the data set is of another object", sop_instance_uid=f"1.2.3.4.{number}")
    first, second = Quarantined.objects.order_by("pk")
    administrator.post(QUARANTINE, {"action": "try_again", "_selected_action": first.pk})
    first.refresh_from_db()
    assert (first.resolution, first.resolved_at is not None) == ("taken in: stored", True)
    assert Instance.objects.filter(sop_instance_uid="1.2.3.4.1").exists()

    address = f"{QUARANTINE}{second.pk}/change/"
    assert "Say why." in administrator.post(address, {"resolution": "  "}).content.decode()
    administrator.post(address, {"resolution": "sent again by the scanner"})
    second.refresh_from_db()
    assert (second.resolution, second.resolved_at is not None) == ("sent again by the scanner", True)
    assert not Instance.objects.filter(sop_instance_uid="1.2.3.4.2").exists()


def test_what_is_refused_again_stays_in_the_quarantine(
    administrator: Client, hospital: Organization, tmp_path: Path
) -> None:
    path = save(ct_slice(), tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes()[:-10])
    quarantine.keep_file(path, Sender(hospital, "dicom:CT1", "c-store"), "cut short")
    told = administrator.post(
        QUARANTINE, {"action": "try_again", "_selected_action": Quarantined.objects.get().pk}, follow=True
    )
    assert "it is refused again" in told.content.decode()
    assert Quarantined.objects.get().resolved_at is None
