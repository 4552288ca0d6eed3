"""Who may call the DICOM node and for what: rows, told apart by AE title and address."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from pynetdicom.association import Association
from pynetdicom.presentation import build_role

from accounts.models import AuditEvent, Organization
from viewer.archive.storage import BlobStore
from viewer.dimse import admission
from viewer.dimse.listening import Node
from viewer.models import DicomPeer, Study

from . import nodes
from .alone import identifier
from .test_store import image

pytestmark = pytest.mark.django_db(transaction=True)

STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
STUDY_FIND, STUDY_MOVE, STUDY_GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))


@pytest.fixture
def node(store: BlobStore) -> Iterator[Node]:
    with nodes.listening() as made:
        yield made


def denials() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="dicom.associate", outcome="denied").order_by("sequence"))


def test_whoever_is_in_no_row_is_refused(node: Node, hospital: Organization) -> None:
    assert not nodes.echo(node, "ALICE")
    nodes.peer(hospital, "ALICE", "192.0.2.7")
    assert not nodes.echo(node, "ALICE"), "from another address"
    nodes.peer(hospital, "ALICE")
    assert nodes.echo(node, "ALICE")
    assert not nodes.echo(node, "BOB")


def test_whoever_calls_another_than_us_is_refused(node: Node, hospital: Organization) -> None:
    nodes.peer(hospital)
    assert not nodes.echo(node, called="ORTHANC")
    assert denials()[0].detail["reason"] == "not our AE title"


def test_a_row_that_is_switched_off_admits_nobody(node: Node, hospital: Organization) -> None:
    nodes.peer(hospital, active=False)
    assert not nodes.echo(node)


def test_what_a_peer_sends_belongs_to_its_organization(
    node: Node, hospital: Organization, elsewhere: Organization
) -> None:
    nodes.peer(hospital, "ALICE")
    nodes.peer(elsewhere, "CHARLIE")
    assert nodes.sent(node, image("1.2.3.4.1"), calling="ALICE") == [0]
    assert nodes.sent(node, image("1.2.3.4.1"), calling="CHARLIE") == [0]
    assert sorted(study.organization.name for study in Study.objects.all()) == ["elsewhere", "hospital"]


def test_a_refused_caller_is_in_the_record_once_a_minute(
    node: Node, hospital: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BOB", "BOB", "BOB", "EVE"):
        assert not nodes.echo(node, name)
    (event,) = denials()
    assert (event.actor, event.origin) == ("dicom:BOB", "127.0.0.1")
    assert event.detail == {"calling": "BOB", "called": "FARVIEW", "reason": "unknown caller", "count": 1}
    monkeypatch.setattr(admission, "DENIALS_EVERY_S", 0.0)
    assert not nodes.echo(node, "BOB")
    assert denials()[1].detail["count"] == 4


def test_a_flood_from_many_addresses_stays_within_bounds(db: None) -> None:
    refused = admission.Denials()
    for n in range(500):
        refused.note(admission.UNKNOWN_CALLER, f"EVE{n}", "FARVIEW", f"198.51.100.{n % 250}")
    assert len(denials()) == admission.MOST_DENIALS


def test_a_peer_that_called_is_marked_as_seen(node: Node, hospital: Organization) -> None:
    row = nodes.peer(hospital)
    assert nodes.echo(node)
    assert nodes.until(lambda: DicomPeer.objects.get(pk=row.pk).last_seen_at is not None)


# --- rights


def accepted(node: Node, *classes: str, roles: Any = ()) -> list[str]:
    contexts = [(uid, ExplicitVRLittleEndian) for uid in classes]
    with nodes.associated(node, contexts, roles=roles) as association:
        return [str(context.abstract_syntax) for context in association.accepted_contexts]


def test_a_service_without_the_right_to_it_gets_no_context(node: Node, hospital: Organization) -> None:
    row = nodes.peer(hospital, may_store=False, may_commit=False)
    verification = "1.2.840.10008.1.1"
    asked = (verification, CTImageStorage, STORAGE_COMMITMENT)
    assert accepted(node, *asked) == [verification]
    DicomPeer.objects.filter(pk=row.pk).update(may_store=True)
    assert accepted(node, *asked) == [verification, CTImageStorage]
    DicomPeer.objects.filter(pk=row.pk).update(may_commit=True)
    assert accepted(node, *asked) == list(asked)


def test_a_row_that_is_switched_off_ends_what_an_open_association_may(
    node: Node, hospital: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "RIGHTS_ARE_ASKED_EVERY_S", 0.0)
    nodes.peer(hospital)
    contexts = [(uid, ExplicitVRLittleEndian) for uid in (STUDY_FIND, STUDY_GET, STUDY_MOVE)]
    study = identifier("STUDY", StudyInstanceUID="1.2.3")

    def told(association: Association) -> list[int]:
        return [
            list(association.send_c_find(study, STUDY_FIND))[-1][0].Status,
            list(association.send_c_get(study, STUDY_GET))[-1][0].Status,
            list(association.send_c_move(study, "SCANNER", STUDY_MOVE))[-1][0].Status,
        ]

    with nodes.associated(node, contexts) as association:
        DicomPeer.objects.update(active=False)
        assert told(association) == [0x0124] * 3
        assert association.is_established
        DicomPeer.objects.update(active=True, port=104)
        assert told(association) == [0, 0, 0]
    denied = AuditEvent.objects.filter(outcome="denied", actor="dicom:SCANNER").values_list("action", flat=True)
    assert sorted(denied) == ["dicom.query", "dicom.retrieve", "dicom.retrieve"]


def test_who_only_retrieves_gets_contexts_to_be_sent_objects_in_and_no_others(
    node: Node, hospital: Organization
) -> None:
    nodes.peer(hospital, may_store=False)
    assert accepted(node, CTImageStorage) == []
    assert accepted(node, CTImageStorage, roles=[build_role(CTImageStorage, scp_role=True)]) == [CTImageStorage]
    with nodes.associated(
        node, [(CTImageStorage, ExplicitVRLittleEndian)], roles=[build_role(CTImageStorage, True, True)]
    ) as association:
        (context,) = association.accepted_contexts
        assert (context.as_scu, context.as_scp) == (False, True)


# --- hosts


@pytest.mark.parametrize(
    ("host", "address", "closeness"),
    [
        ("10.1.2.3", "10.1.2.3", 0),
        ("10.1.2.3", "::ffff:10.1.2.3", 0),
        ("10.1.2.3", "10.1.2.4", None),
        ("localhost", "127.0.0.1", 1),
        ("10.1.0.0/16", "10.1.200.9", 17),
        ("10.1.0.0/16", "10.2.0.1", None),
        ("2001:db8::/32", "2001:db8::7", 97),
        ("2001:db8::7", "2001:db8::7%eth0", 0),
        ("no such host.invalid", "10.1.2.3", None),
        ("", "10.1.2.3", None),
    ],
)
def test_a_host_is_an_address_a_name_or_a_network(host: str, address: str, closeness: int | None) -> None:
    caller = admission.plain_address(address)
    assert caller is not None
    assert admission._rank(host, caller) == closeness


def test_the_row_that_names_the_caller_most_closely_is_its_own(db: None) -> None:
    rows = [
        DicomPeer(pk=n, ae_title="CT", host=host)
        for n, host in enumerate(["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0"])
    ]
    for address, host in (("10.1.2.3", "10.1.2.3"), ("10.1.9.9", "10.1.0.0/16"), ("10.9.9.9", "10.0.0.0/8")):
        found = admission.best_match(rows, address)
        assert found is not None
        assert found.host == host
    assert admission.best_match(rows, "not an address") is None


# --- the command


def add_peer(*words: str) -> str:
    out = StringIO()
    call_command("add_peer", *words, stdout=out)
    return out.getvalue()


def rights(row: DicomPeer) -> set[str]:
    return {right for right in ("store", "query", "retrieve", "commit") if getattr(row, f"may_{right}")}


def test_a_peer_is_made_and_may_store(db: None) -> None:
    said = add_peer("CT1", "10.1.2.3")
    row = DicomPeer.objects.get()
    assert (row.ae_title, row.host, row.port, rights(row), row.organization.name) == (
        *("CT1", "10.1.2.3", None, {"store"}, "default"),
    )
    assert "CT1 (10.1.2.3): made, may store, of default" in said
    assert "It calls FARVIEW at port" in said
    assert AuditEvent.objects.get(action="peer.change").detail["ae_title"] == "CT1"


def test_naming_a_title_again_sets_it_anew(db: None) -> None:
    add_peer("CT1", "10.1.2.3")
    add_peer("CT1", "10.1.2.3", "--may", "store,query")
    add_peer("CT1", "ct1.example", "104", "--may", "retrieve,commit")
    row = DicomPeer.objects.get()
    assert (row.host, row.port, rights(row)) == ("ct1.example", 104, {"retrieve", "commit"})


def test_a_title_at_several_hosts_is_told_apart_by_the_host(db: None) -> None:
    add_peer("CT1", "10.1.2.3")
    row = DicomPeer.objects.get()
    nodes.peer(row.organization, "CT1", "10.1.2.4")
    add_peer("CT1", "10.1.2.4", "104")
    add_peer("CT1", "10.1.2.5")
    assert set(DicomPeer.objects.values_list("host", "port")) == {
        *(("10.1.2.3", None), ("10.1.2.4", 104), ("10.1.2.5", None)),
    }


def test_the_organization_is_made_when_new_and_nothing_may_be_all_right(db: None) -> None:
    add_peer("CT1", "10.0.0.0/24", "--organization", "north", "--may", "")
    row = DicomPeer.objects.get()
    assert (row.organization.name, rights(row)) == ("north", set())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("A TITLE THAT IS TOO LONG", "10.1.2.3"), "16 ASCII"),
        (("CT\\1", "10.1.2.3"), "backslash"),
        (("", "10.1.2.3"), "16 ASCII"),
        (("CT1", "10.1.2.3", "70000"), "1 to 65535"),
        (("CT1", "10.1.2.0/40"), "no network"),
        (("CT1", "10.1.2.0/24", "104"), "only calls"),
        (("CT1", "a host"), "a host is"),
        (("CT1", "10.1.2.3", "--may", "delete"), "there is no delete"),
    ],
)
def test_what_is_no_peer_is_said(words: tuple[str, ...], says: str, db: None) -> None:
    with pytest.raises(CommandError, match=says):
        add_peer(*words)
    assert not DicomPeer.objects.exists()
