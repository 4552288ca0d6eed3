"""What a peer claims is held against limits before anything is reserved; who says nothing takes nobody's place."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from accounts.models import Organization
from viewer.archive import storage
from viewer.archive.storage import BlobStore
from viewer.dimse import upper_layer
from viewer.dimse.limits import Limits, Seats
from viewer.dimse.listening import Node
from viewer.dimse.timer import SteadyTimer

from . import nodes
from .test_store import image

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admitted(store: BlobStore, hospital: Organization) -> None:
    nodes.peer(hospital)


@pytest.fixture
def node(admitted: None) -> Iterator[Node]:
    with nodes.listening(idle_s=1.5, negotiation_s=1.0) as made:
        yield made


def association_by_hand(node: Node) -> socket.socket:
    connection = nodes.connected(node)
    connection.sendall(nodes.associate_request())
    assert nodes.answer_kind(connection) == nodes.ACCEPTED
    return connection


def resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_a_forged_length_before_any_admission_reserves_nothing(node: Node) -> None:
    before = resident()
    for length in (0xFFFFFFFF, 0x7FFFFFFF, (1 << 20) + 1):
        with nodes.connected(node) as connection:
            connection.sendall(nodes.pdu(1, b"\0" * 64, length))
            assert nodes.answer_kind(connection) in (nodes.ABORTED, None)
    assert resident() - before < 64 << 20
    assert nodes.echo(node)


def test_a_forged_length_within_an_association_ends_it(node: Node) -> None:
    before = resident()
    for kind in (4, 5):
        with association_by_hand(node) as connection:
            connection.sendall(nodes.pdu(kind, b"\0" * 64, 0xFFFFFFF0))
            assert nodes.answer_kind(connection) in (nodes.ABORTED, None)
    assert resident() - before < 64 << 20
    assert nodes.until(lambda: node.seats.taken == 0)


def test_a_piece_of_just_the_limit_is_taken_and_one_byte_more_is_not(store: BlobStore, hospital: Organization) -> None:
    nodes.peer(hospital)
    with nodes.listening(pdu_bytes=8192) as node:
        for surplus, expected in ((0, nodes.DATA), (1, nodes.ABORTED)):
            with association_by_hand(node) as connection:
                connection.sendall(nodes.data(nodes.store_command(), command=True))
                connection.sendall(nodes.data(bytes(8192 - 6 + surplus)))
                assert nodes.answer_kind(connection) == expected


def test_our_own_limit_is_what_senders_are_told(node: Node) -> None:
    with nodes.associated(node) as association:
        assert association.acceptor.maximum_length == 1 << 20


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(64),
        b"\x16\x03\x01\x02\x00\x01\x00",
        nodes.pdu(4, bytes(40)),
        nodes.pdu(1, bytes(40)),
        nodes.pdu(1, nodes.associate_request()[6:100]),
        nodes.associate_request()[:50],
    ],
)
def test_what_is_no_request_for_an_association_gets_none(node: Node, said: bytes) -> None:
    with nodes.connected(node) as connection:
        connection.sendall(said)
        assert nodes.answer_kind(connection) in (nodes.ABORTED, None)
    assert nodes.until(lambda: not node.associations())
    assert nodes.echo(node)


def test_idle_connections_cost_no_thread_and_take_no_place(admitted: None) -> None:
    with nodes.listening(associations=4) as node, contextlib.ExitStack() as held:
        threads = threading.active_count()
        idle = [held.enter_context(nodes.connected(node)) for _ in range(100)]
        assert nodes.echo(node)
        assert nodes.until(lambda: threading.active_count() <= threads)
        gone = [connection for connection in idle if _has_ended(connection)]
        assert len(gone) >= 100 - 64, "the oldest of one address give way"
        assert gone == idle[: len(gone)]


def _has_ended(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_who_says_nothing_is_sent_away_soon(node: Node) -> None:
    with nodes.connected(node) as connection:
        began = time.monotonic()
        assert nodes.answer_kind(connection) is None
        assert 0.5 < time.monotonic() - began < 6


def test_who_dribbles_a_request_is_sent_away_soon(node: Node) -> None:
    request = nodes.associate_request()
    with nodes.connected(node) as connection:
        began = time.monotonic()
        for byte in request:
            try:
                connection.sendall(bytes([byte]))
            except ConnectionError:
                break
            if time.monotonic() - began > 8:
                break
            time.sleep(0.1)
        assert time.monotonic() - began < 8
    assert nodes.until(lambda: not node.associations())


def test_an_association_in_which_nothing_moves_is_ended(node: Node) -> None:
    with association_by_hand(node) as connection:
        assert node.seats.taken == 1
        assert nodes.answer_kind(connection) in (nodes.ABORTED, None)
    assert nodes.until(lambda: node.seats.taken == 0)


def test_a_sender_that_stops_within_an_object_is_ended_and_leaves_nothing(node: Node) -> None:
    with association_by_hand(node) as connection:
        connection.sendall(nodes.data(nodes.store_command(), command=True))
        connection.sendall(nodes.data(bytes(5000), last=False))
        connection.sendall(nodes.data(bytes(5000))[:2000])  # and the rest never comes
        assert nodes.answer_kind(connection) in (nodes.ABORTED, None)
    assert nodes.until(lambda: not list(storage.blob_store().incoming.glob("*")))
    assert nodes.until(lambda: node.seats.taken == 0)


def test_a_peer_that_reads_no_answers_is_ended(node: Node) -> None:
    """Its receive buffer is full of answers that nobody takes; requests pile up within their limit."""
    echo = nodes.data(_echo_command(), command=True)
    with nodes.connected(node) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sendall(nodes.associate_request(sop_class="1.2.840.10008.1.1"))
        assert nodes.answer_kind(connection) == nodes.ACCEPTED
        with contextlib.suppress(OSError):
            connection.settimeout(5)
            for _ in range(20_000):
                connection.sendall(echo * 20)
        assert nodes.until(lambda: node.seats.taken == 0, 10)


def _echo_command() -> bytes:
    def element(number: int, value: bytes) -> bytes:
        return struct.pack("<HHI", 0, number, len(value)) + value

    body = (
        element(0x0002, b"1.2.840.10008.1.1\0")
        + element(0x0100, struct.pack("<H", 0x30))
        + element(0x0110, struct.pack("<H", 1))
        + element(0x0800, struct.pack("<H", 0x0101))
    )
    return element(0x0000, struct.pack("<I", len(body))) + body


@pytest.mark.parametrize("command", [True, False])
def test_an_endless_message_ends_the_association(admitted: None, command: bool) -> None:
    with nodes.listening(control_bytes=4096, identifier_bytes=8192) as node:
        with association_by_hand(node) as connection:
            piece = nodes.data(bytes(2048), command=command, last=False)
            if not command:  # a data set that is of no C-STORE
                connection.sendall(nodes.data(_find_command(), command=True))
            with contextlib.suppress(ConnectionError):
                for _ in range(100):
                    connection.sendall(piece)
            assert nodes.answer_kind(connection) in (nodes.ABORTED, None)
        assert nodes.until(lambda: node.seats.taken == 0)


def _find_command() -> bytes:
    return nodes.store_command().replace(
        struct.pack("<HHIH", 0, 0x0100, 2, 1), struct.pack("<HHIH", 0, 0x0100, 2, 0x20)
    )


def test_a_broken_command_ends_the_association_alone(node: Node) -> None:
    with association_by_hand(node) as connection:
        connection.sendall(nodes.data(b"\xff" * 100, command=True))
        assert nodes.answer_kind(connection) in (nodes.ABORTED, None)
    assert nodes.sent(node, image()) == [0]


def test_one_peer_holds_half_of_the_seats_and_leaves_the_others_theirs(
    store: BlobStore, hospital: Organization
) -> None:
    for name in ("SCANNER", "OTHER", "THIRD"):
        nodes.peer(hospital, name)
    with nodes.listening(associations=4) as node, contextlib.ExitStack() as held:

        def take(name: str) -> bool:
            return bool(held.enter_context(nodes.associated(node, calling=name)).is_established)

        assert [take("SCANNER") for _ in range(3)] == [True, True, False]
        assert [take("OTHER") for _ in range(2)] == [True, True]
        assert not take("THIRD"), "all are taken"
    assert node.seats.taken == 0


def test_seats_are_counted_for_each_and_for_all() -> None:
    seats = Seats(Limits(associations=4))
    assert [seats.take(1), seats.take(1), seats.take(1)] == [True, True, False]
    seats.give_back(1)
    assert [seats.take(1), seats.take(2), seats.take(2), seats.take(3)] == [True, True, True, False]


def test_a_flood_of_refused_callers_leaves_room_for_the_others(node: Node) -> None:
    def flood() -> None:
        for _ in range(40):
            with contextlib.suppress(OSError), nodes.connected(node) as connection:
                connection.sendall(nodes.associate_request("EVE"))
                connection.shutdown(socket.SHUT_WR)

    flooding = [threading.Thread(target=flood) for _ in range(3)]
    for thread in flooding:
        thread.start()
    assert nodes.sent(node, image()) == [0]
    for thread in flooding:
        thread.join()
    assert nodes.until(lambda: not node.associations(), 15)


def test_half_requests_of_one_address_leave_others_their_places(store: BlobStore, hospital: Organization) -> None:
    nodes.peer(hospital, host="127.0.0.2")
    with nodes.listening(negotiation_s=3.0, negotiating=8) as node, contextlib.ExitStack() as held:
        for _ in range(12):
            held.enter_context(nodes.connected(node)).sendall(nodes.associate_request("EVE")[:50])
        assert nodes.until(lambda: len(node.associations()) == 4), "half of the places"
        with socket.create_connection(("127.0.0.1", node.port), 10, source_address=("127.0.0.2", 0)) as connection:
            connection.sendall(nodes.associate_request())
            assert nodes.answer_kind(connection) == nodes.ACCEPTED


def test_who_gave_way_while_it_spoke_is_passed_over(node: Node) -> None:
    assert node._speaks(1_000_000)
    assert nodes.echo(node)


def test_the_time_of_day_ends_no_association(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    with nodes.connected(node) as connection:
        connection.sendall(nodes.associate_request(sop_class="1.2.840.10008.1.1"))
        assert nodes.answer_kind(connection) == nodes.ACCEPTED
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + 3600)
        time.sleep(0.7)  # the association looks around twice a second
        connection.sendall(nodes.data(_echo_command(), command=True))
        assert nodes.answer_kind(connection) == nodes.DATA


def test_a_timer_that_was_stopped_has_not_run_out() -> None:
    timer = SteadyTimer(0.01)
    timer.start()
    time.sleep(0.02)
    assert timer.expired
    timer.stop()
    assert not timer.expired
    assert timer.remaining == 0.01
    timer.timeout = None
    timer.start()
    assert not timer.expired


def test_an_association_that_has_ended_writes_into_no_file_of_another(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of its pipe may be a socket's by then, or an object's."""
    with association_by_hand(node):
        (accepted,) = node.associations()
    assert nodes.until(lambda: not node.associations())
    written: list[int] = []
    monkeypatch.setattr(upper_layer.os, "write", lambda handle, content: written.append(handle))
    accepted.cut()
    monkeypatch.undo()
    assert accepted._line._wake_write not in written


def test_a_stopping_node_lets_an_object_on_its_way_arrive(admitted: None) -> None:
    with nodes.listening() as node:
        connection = association_by_hand(node)
        idle = association_by_hand(node)
        connection.sendall(nodes.data(nodes.store_command(), command=True))
        connection.sendall(nodes.data(bytes(100), last=False))
        assert nodes.until(lambda: any(one.busy for one in node.associations()))
        stopping = threading.Thread(target=node.stop, args=(10,))
        stopping.start()
        assert nodes.answer_kind(idle) in (nodes.ABORTED, None), "who does nothing goes at once"
        connection.sendall(nodes.data(bytes(100)))
        assert nodes.answer_kind(connection) == nodes.DATA, "the answer to the object"
        stopping.join(10)
        assert not stopping.is_alive()
        connection.close()
        idle.close()


def test_nobody_polls(node: Node) -> None:
    """An association that waits uses next to no processor."""
    with nodes.associated(node, [(CTImageStorage, ExplicitVRLittleEndian)]):
        (accepted,) = node.associations()
        ids = [thread.native_id for thread in (accepted, accepted.dul)]

        def used() -> int:
            fields = [Path(f"/proc/self/task/{one}/stat").read_text().rpartition(")")[2].split() for one in ids]
            return sum(int(field[11]) + int(field[12]) for field in fields)

        before = used()
        time.sleep(1.0)
        assert used() - before <= 3, "hundredths of a second"
