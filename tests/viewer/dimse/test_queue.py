"""Transfers: what a peer has said it holds is not sent again, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from accounts.models import AuditEvent, Organization, User
from tests.live import free_port
from tests.viewer.archive.objects import slices
from tests.viewer.dimse.receiver import Receiver
from viewer.archive import transfers
from viewer.archive.ingest import ingest
from viewer.archive.rows import Sender, patiently
from viewer.archive.sources import walk
from viewer.archive.storage import BlobStore
from viewer.dimse.queue import Queue
from viewer.models import DicomPeer, Instance, Outbox, Transfer

pytestmark = pytest.mark.django_db(transaction=True)
STUDY = "1.2.3"


@pytest.fixture
def study(hospital: Organization, store: BlobStore, tmp_path: Path) -> str:
    """Ten images in two series."""
    slices(tmp_path / "a", 6, series="1.2.3.4")
    slices(tmp_path / "b", 4, series="1.2.3.5", SeriesNumber=2)
    told = list(ingest(walk(tmp_path / "a"), Sender(hospital, "a test", "ingest")))
    told += ingest(walk(tmp_path / "b"), Sender(hospital, "a test", "ingest"))
    assert [one.outcome for one in told] == ["stored"] * 10
    return STUDY


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as found:
        yield found


def send(peer: DicomPeer, **more: object) -> Transfer:
    given = {"study_instance_uid": STUDY, **more}
    return patiently(lambda: transfers.ask(peer, transfers.SEND, **given))  # type: ignore[arg-type]


def settle() -> None:
    Queue(threading.Event()).settle()


def again() -> None:
    """The time for another try has come."""
    Transfer.objects.filter(state="failed").update(next_try_at=timezone.now())
    settle()


def test_a_study_is_sent_in_the_order_of_its_series_and_images(study: str, receiver: Receiver, hospital) -> None:
    transfer = send(receiver.row(hospital))
    settle()
    transfer.refresh_from_db()
    assert receiver.uids == [f"1.2.3.4.{n}" for n in range(1, 7)] + [f"1.2.3.5.{n}" for n in range(1, 5)]
    assert (transfer.state, transfer.done, transfer.total, transfer.failed) == ("done", 10, 10, 0)
    assert transfer.ended_at is not None
    assert transfer.claim == ""


def test_a_series_or_single_images_may_be_sent(study: str, receiver: Receiver, hospital) -> None:
    peer = receiver.row(hospital)
    send(peer, series_instance_uid="1.2.3.5")
    send(peer, sop_instance_uids=["1.2.3.4.2"])
    settle()
    assert receiver.uids == [f"1.2.3.5.{n}" for n in range(1, 5)] + ["1.2.3.4.2"]


def test_what_was_rejected_is_not_sent(study: str, receiver: Receiver, hospital) -> None:
    Instance.objects.filter(sop_instance_uid="1.2.3.4.1").update(rejection="113001")
    send(receiver.row(hospital))
    settle()
    assert "1.2.3.4.1" not in receiver.uids
    assert len(receiver.uids) == 9


def test_it_goes_on_where_it_stopped_and_nothing_is_sent_twice(study: str, hospital) -> None:
    stop = threading.Event()
    queue = Queue(stop)

    def answer(uid: str) -> int:
        if uid == "1.2.3.4.4":
            stop.set()
            next(iter(queue._busy.values())).stop.set()
        return 0

    with Receiver(answer=answer) as receiver:
        transfer = send(receiver.row(hospital))
        queue.settle()
        transfer.refresh_from_db()
        assert (transfer.state, transfer.done, transfer.tries) == ("queued", 4, 0)
        assert sorted(transfer.acknowledged) == receiver.uids == [f"1.2.3.4.{n}" for n in range(1, 5)]
        settle()
        assert len(receiver.uids) == len(set(receiver.uids)) == 10
    transfer.refresh_from_db()
    assert transfer.state == "done"


def test_what_a_process_that_died_had_claimed_is_taken_over(study: str, receiver: Receiver, hospital) -> None:
    transfer = send(receiver.row(hospital))
    dead = transfers.claim(transfer.peer_id, "a process that died")
    assert dead is not None
    dead.total, dead.done, dead.acknowledged = 10, 2, ["1.2.3.4.1", "1.2.3.4.2"]
    transfers.progress(dead, "a process that died")
    settle()
    assert receiver.uids == [], "it is still the other's"
    Transfer.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
    settle()
    assert receiver.uids == [f"1.2.3.4.{n}" for n in range(3, 7)] + [f"1.2.3.5.{n}" for n in range(1, 5)]
    with pytest.raises(transfers.Lost):
        transfers.progress(dead, "a process that died")


def test_a_peer_that_is_away_is_tried_again_and_at_last_given_up_with_words(study: str, hospital) -> None:
    port = free_port()
    peer = DicomPeer.objects.create(organization=hospital, ae_title="AWAY", host="127.0.0.1", port=port)
    transfer = send(peer)
    settle()
    transfer.refresh_from_db()
    words = f"AWAY at 127.0.0.1:{port} cannot be reached: connection refused"
    assert (transfer.state, transfer.tries, transfer.problem) == ("failed", 1, words)
    assert timezone.now() < transfer.next_try_at < timezone.now() + timedelta(seconds=10)
    Transfer.objects.update(tries=transfers.MOST_TRIES - 1)
    again()
    transfer.refresh_from_db()
    assert (transfer.state, transfer.problem) == ("given_up", f"{words} (tried {transfers.MOST_TRIES} times)")
    assert AuditEvent.objects.get(action="transfer.give_up").outcome == "failure"


def test_a_peer_that_is_back_gets_what_is_left(study: str, hospital) -> None:
    full = [True]
    with Receiver(answer=lambda uid: 0xA700 if full[0] and uid.startswith("1.2.3.5") else 0) as receiver:
        transfer = send(receiver.row(hospital))
        settle()
        transfer.refresh_from_db()
        assert (transfer.state, transfer.done, transfer.failed) == ("failed", 6, 4)
        assert transfer.problem == "4 of 10 objects did not arrive: the peer answered 0xA700 (out of resources) (4)"
        full[0] = False
        again()
        transfer.refresh_from_db()
        assert (transfer.state, transfer.done, transfer.failed, transfer.problem) == ("done", 10, 0, "")
        assert len(receiver.uids) == len(set(receiver.uids)) == 10


def test_what_a_peer_will_never_take_waits_for_a_person_at_once(study: str, hospital) -> None:
    with Receiver(classes=["1.2.840.10008.5.1.4.1.1.4"]) as receiver:
        transfer = send(receiver.row(hospital))
        settle()
    transfer.refresh_from_db()
    assert (transfer.state, transfer.tries) == ("given_up", 1)
    assert transfer.problem == "10 of 10 objects did not arrive: the peer does not take CT Image Storage (10)"


def test_a_transfer_that_is_cancelled_stops_between_two_objects(study: str, hospital, alice) -> None:
    user = User.objects.get(username="alice")
    queue = Queue(threading.Event())
    with Receiver(slow_s=0.05) as receiver:
        transfer = send(receiver.row(hospital))
        receiver._answer = lambda uid: cancelled() if uid == "1.2.3.4.3" else 0  # type: ignore[assignment]

        def cancelled() -> int:
            assert patiently(lambda: transfers.cancel(transfer, user))
            queue._renewed_at = 0.0
            queue._renew()
            return 0

        queue.settle()
        assert receiver.uids == [f"1.2.3.4.{n}" for n in range(1, 4)]
        transfer.refresh_from_db()
        assert (transfer.state, transfer.claim) == ("cancelled", "")
        receiver._answer = None
        assert patiently(lambda: transfers.retry(transfer, user))
        settle()
        assert len(receiver.uids) == len(set(receiver.uids)) == 10
    actions = AuditEvent.objects.filter(action__startswith="transfer.").order_by("sequence")
    assert list(actions.values_list("action", flat=True)) == [
        *("transfer.ask", "transfer.cancel", "transfer.retry", "transfer.done")
    ]


def test_one_transfer_of_a_peer_runs_at_a_time_and_several_peers_side_by_side(study: str, hospital) -> None:
    with Receiver("ONE", slow_s=0.02) as one, Receiver("TWO", slow_s=0.02) as two:
        rows = [receiver.row(hospital) for receiver in (one, two)]
        for row in rows:
            send(row, series_instance_uid="1.2.3.4")
            send(row, series_instance_uid="1.2.3.5")
        running = []
        both = threading.Event()

        def watched(uid: str) -> int:
            now = list(Transfer.objects.filter(state="running").values_list("peer", flat=True))
            running.append(now)
            if len(set(now)) == 2:
                both.set()
            return 0

        one._answer = watched
        settle()
        assert both.is_set()
        assert all(len(now) == len(set(now)) for now in running)
        assert len(one.uids) == len(two.uids) == 10


def test_what_is_asked_for_twice_is_sent_once_and_the_more_urgent_goes_first(study: str, receiver, hospital) -> None:
    peer = receiver.row(hospital)
    first = send(peer, series_instance_uid="1.2.3.4")
    assert send(peer, series_instance_uid="1.2.3.4").pk == first.pk
    send(peer, series_instance_uid="1.2.3.5", priority=1)
    settle()
    assert receiver.uids[0] == "1.2.3.5.1"
    assert len(receiver.uids) == 10


def test_the_news_of_a_transfer_are_numbers_and_states(study: str, receiver: Receiver, hospital) -> None:
    transfer = send(receiver.row(hospital))
    settle()
    news = list(Outbox.objects.filter(kind="transfer.changed").order_by("id").values_list("payload", flat=True))
    assert [one["state"] for one in (news[0], news[-1])] == ["queued", "done"]
    assert {"transfer", "kind", "state", "total", "done", "failed"} == set().union(*news)
    assert news[-1] == {
        **{"transfer": transfer.pk, "kind": "send", "state": "done", "total": 10, "done": 10, "failed": 0}
    }


def test_a_study_that_is_no_longer_here_is_said_to_be_so(receiver: Receiver, hospital) -> None:
    transfer = send(receiver.row(hospital))
    settle()
    transfer.refresh_from_db()
    assert transfer.state == "given_up"
    assert "no longer here" in transfer.problem


def test_nothing_is_sent_to_a_peer_that_is_switched_off(study: str, receiver: Receiver, hospital) -> None:
    transfer = send(receiver.row(hospital, active=False))
    settle()
    transfer.refresh_from_db()
    assert (transfer.state, receiver.uids) == ("queued", [])


def test_a_job_ends_when_the_process_does(study: str, hospital) -> None:
    stop = threading.Event()
    with Receiver(slow_s=0.05) as receiver:
        transfer = send(receiver.row(hospital))
        job = threading.Thread(target=Queue(stop).run)
        job.start()
        while not receiver.uids:
            stop.wait(0.01)
        stop.set()
        job.join(5)
        assert not job.is_alive()
        transfer.refresh_from_db()
        assert transfer.state == "queued"
        assert 0 < len(receiver.uids) < 10
        assert sorted(transfer.acknowledged) == sorted(receiver.uids)
