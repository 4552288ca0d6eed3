"""Storage commitment: the answer comes after the bytes were read again, to whoever asked, sooner or later."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE, evt

from accounts.models import AuditEvent, Organization
from tests.live import free_port
from viewer.archive.storage import BlobStore, blob_store
from viewer.dimse import commitment
from viewer.dimse.listening import Node
from viewer.models import Commitment, DicomPeer, Instance

from . import nodes
from .test_store import image

pytestmark = pytest.mark.django_db(transaction=True)

PUSH_MODEL, WELL_KNOWN = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"
CONTEXTS = [(PUSH_MODEL, ExplicitVRLittleEndian), (CTImageStorage, ExplicitVRLittleEndian)]
Report = tuple[int, Dataset]


@pytest.fixture
def asker(hospital: Organization) -> DicomPeer:
    return nodes.peer(hospital)


@pytest.fixture
def node(store: BlobStore, asker: DicomPeer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A node that answers, too."""
    monkeypatch.setattr(commitment, "GRACE_S", 0.1)
    stop = threading.Event()
    answering = threading.Thread(target=commitment.answer_all, args=(stop,))
    with nodes.listening() as made:
        answering.start()
        try:
            yield made
        finally:
            stop.set()
            commitment.desk().asked.set()
            answering.join()


class Reports(list[Report]):
    """What a peer was told; a handler of N-EVENT-REPORT."""

    status = 0x0000

    def __call__(self, event: Any) -> tuple[int, Dataset | None]:
        self.append((event.event_type, event.event_information))
        return self.status, None

    @property
    def handlers(self) -> list[Any]:
        return [(evt.EVT_N_EVENT_REPORT, self)]


def question(*references: tuple[str, str], transaction: str = "1.2.3.9") -> Dataset:
    asked = Dataset()
    asked.TransactionUID = transaction
    asked.ReferencedSOPSequence = []
    for sop_class, uid in references:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, uid
        asked.ReferencedSOPSequence.append(item)
    return asked


def ask(association: Any, asked: Dataset | None, action: int = 1, instance: str = WELL_KNOWN) -> int:
    return int(association.send_n_action(asked, action, PUSH_MODEL, instance)[0].Status)


def failures(report: Dataset) -> dict[str, int]:
    return {item.ReferencedSOPInstanceUID: item.FailureReason for item in report.get("FailedSOPSequence", [])}


def committed(report: Dataset) -> list[str]:
    return [item.ReferencedSOPInstanceUID for item in report.get("ReferencedSOPSequence", [])]


def test_what_is_held_is_committed_to_in_the_association_of_the_question(node: Node) -> None:
    reports = Reports()
    with nodes.associated(node, CONTEXTS, handlers=reports.handlers) as association:
        assert [association.send_c_store(image(uid)).Status for uid in ("1.2.3.4.1", "1.2.3.4.2")] == [0, 0]
        assert ask(association, question((CTImageStorage, "1.2.3.4.1"), (CTImageStorage, "1.2.3.4.2"))) == 0
        assert nodes.until(lambda: reports)
        assert association.send_c_store(image("1.2.3.4.3")).Status == 0, "the association goes on"
    ((kind, report),) = reports
    assert (kind, report.TransactionUID) == (1, "1.2.3.9")
    assert committed(report) == ["1.2.3.4.1", "1.2.3.4.2"]
    assert "FailedSOPSequence" not in report
    assert nodes.until(lambda: Commitment.objects.get().state == "answered")
    assert [event.detail for event in AuditEvent.objects.filter(action="dicom.commit").order_by("sequence")] == [
        {"asked": 2},
        {"committed": 2, "failed": 0, "problem": ""},
    ]


def test_what_is_missing_another_class_or_damaged_is_not_committed_to(node: Node) -> None:
    reports = Reports()
    with nodes.associated(node, CONTEXTS, handlers=reports.handlers) as association:
        for uid in ("1.2.3.4.1", "1.2.3.4.2", "1.2.3.4.3"):
            assert association.send_c_store(image(uid)).Status == 0
        path = blob_store().path(Instance.objects.get(sop_instance_uid="1.2.3.4.3").blob_id)
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:-1] + b"\x55")
        references = [(CTImageStorage, f"1.2.3.4.{n}") for n in (1, 3, 4)]
        assert ask(association, question(*references, (MRImageStorage, "1.2.3.4.2"))) == 0
        assert nodes.until(lambda: reports)
    ((kind, report),) = reports
    assert kind == 2
    assert committed(report) == ["1.2.3.4.1"]
    assert failures(report) == {"1.2.3.4.3": 0x0110, "1.2.3.4.4": 0x0112, "1.2.3.4.2": 0x0119}


def test_an_object_of_another_organization_is_not_there(node: Node, elsewhere: Organization) -> None:
    nodes.peer(elsewhere, "CHARLIE")
    assert nodes.sent(node, image("1.2.3.4.1")) == [0]
    reports = Reports()
    with nodes.associated(node, CONTEXTS, calling="CHARLIE", handlers=reports.handlers) as association:
        assert ask(association, question((CTImageStorage, "1.2.3.4.1"))) == 0
        assert nodes.until(lambda: reports)
    assert failures(reports[0][1]) == {"1.2.3.4.1": 0x0112}


def test_who_has_left_is_called_at_its_port(node: Node, asker: DicomPeer) -> None:
    reports, port = Reports(), free_port()
    DicomPeer.objects.filter(pk=asker.pk).update(port=port)
    listening = AE(ae_title="SCANNER")
    listening.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
    server = listening.start_server(("127.0.0.1", port), block=False, evt_handlers=reports.handlers)
    assert server is not None
    try:
        with nodes.associated(node, CONTEXTS) as association:
            assert association.send_c_store(image()).Status == 0
            assert ask(association, question((CTImageStorage, "1.2.3.4.1"))) == 0
        assert nodes.until(lambda: reports, 10)
    finally:
        server.shutdown()
    assert committed(reports[0][1]) == ["1.2.3.4.1"]
    assert nodes.until(lambda: Commitment.objects.get().state == "answered")


def row_of(asker: DicomPeer, **fields: Any) -> Commitment:
    return Commitment.objects.create(
        organization=asker.organization,
        peer=asker,
        transaction_uid="1.2.3.9",
        references=[[CTImageStorage, "1.2.3.4.1"]],
        next_try_at=timezone.now() - timedelta(seconds=1),
        **fields,
    )


def test_who_cannot_be_reached_is_tried_again_later_and_given_up_at_last(store: BlobStore, asker: DicomPeer) -> None:
    row_of(asker)
    (row,) = commitment.due()
    commitment.answer(row)
    row = Commitment.objects.get()
    assert (row.state, row.tries) == ("failed", 1)
    assert "only calls" in row.problem
    assert row.failures == [[CTImageStorage, "1.2.3.4.1", 0x0112]]
    assert commitment.due() == []
    Commitment.objects.update(tries=commitment.MOST_TRIES - 1, next_try_at=timezone.now())
    commitment.answer(commitment.due()[0])
    assert Commitment.objects.get().state == "given_up"
    assert AuditEvent.objects.get(action="dicom.commit").outcome == "failure"


def test_a_question_outlives_a_restart(store: BlobStore, asker: DicomPeer) -> None:
    """A row without any association in this process is answered all the same."""
    reports, port = Reports(), free_port()
    DicomPeer.objects.update(port=port)
    row_of(asker)
    listening = AE(ae_title="SCANNER")
    listening.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
    server = listening.start_server(("127.0.0.1", port), block=False, evt_handlers=reports.handlers)
    assert server is not None
    try:
        commitment.answer(commitment.due()[0])
    finally:
        server.shutdown()
    assert failures(reports[0][1]) == {"1.2.3.4.1": 0x0112}
    assert Commitment.objects.get().state == "answered"


def test_a_report_that_the_peer_refuses_is_sent_again(store: BlobStore, asker: DicomPeer) -> None:
    reports, port = Reports(), free_port()
    reports.status = 0x0110
    DicomPeer.objects.update(port=port)
    row_of(asker)
    listening = AE(ae_title="SCANNER")
    listening.add_supported_context(PUSH_MODEL, scu_role=False, scp_role=True)
    server = listening.start_server(("127.0.0.1", port), block=False, evt_handlers=reports.handlers)
    assert server is not None
    try:
        commitment.answer(commitment.due()[0])
        assert Commitment.objects.get().problem == "the report was answered by 0x0110"
        reports.status = 0
        Commitment.objects.update(next_try_at=timezone.now())
        commitment.answer(commitment.due()[0])
    finally:
        server.shutdown()
    assert len(reports) == 2
    assert Commitment.objects.get().state == "answered"


def test_asking_again_under_the_same_transaction_is_answered_again(node: Node) -> None:
    reports = Reports()
    with nodes.associated(node, CONTEXTS, handlers=reports.handlers) as association:
        assert ask(association, question((CTImageStorage, "1.2.3.4.1"))) == 0
        assert nodes.until(lambda: len(reports) == 1)
        assert association.send_c_store(image()).Status == 0
        assert ask(association, question((CTImageStorage, "1.2.3.4.1"))) == 0
        assert nodes.until(lambda: len(reports) == 2)
    assert [committed(report) for _, report in reports] == [[], ["1.2.3.4.1"]]
    assert Commitment.objects.count() == 1


def _transaction_alone() -> Dataset:
    asked = question()
    del asked.ReferencedSOPSequence
    return asked


@pytest.mark.parametrize(
    ("asked", "action", "instance", "status"),
    [
        (question((CTImageStorage, "1.2.3")), 2, WELL_KNOWN, 0x0123),
        (question((CTImageStorage, "1.2.3")), 1, "1.2.3.4", 0x0112),
        (question(), 1, WELL_KNOWN, 0x0120),
        (_transaction_alone(), 1, WELL_KNOWN, 0x0120),
        (question((CTImageStorage, "1.2.3"), transaction=""), 1, WELL_KNOWN, 0x0115),
    ],
)
def test_a_question_that_is_none_is_not_kept(
    node: Node, asked: Dataset, action: int, instance: str, status: int
) -> None:
    with nodes.associated(node, CONTEXTS) as association:
        assert ask(association, asked, action, instance) == status
    assert not Commitment.objects.exists()


def test_a_right_that_is_withdrawn_ends_asking(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("viewer.dimse.admission.RIGHTS_ARE_ASKED_EVERY_S", 0.0)
    with nodes.associated(node, CONTEXTS) as association:
        DicomPeer.objects.update(may_commit=False)
        assert ask(association, question((CTImageStorage, "1.2.3.4.1"))) == 0x0124
    assert not Commitment.objects.exists()
