"""The upper layer (PS3.8) of an accepted association: pynetdicom's, with limits, with an end to all waiting, and awake only
when there is something to do."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import select
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from pynetdicom.dul import DULServiceProvider
from pynetdicom.fsm import InvalidEventError
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AssociationSocket

from viewer.dimse.limits import Limits
from viewer.dimse.timer import SteadyTimer

if TYPE_CHECKING:
    from viewer.dimse.association import Accepted

logger = logging.getLogger(__name__)

WAKE_S = 0.5
"""Who waits looks around this often even when nobody wakes them."""
ASSOCIATE_REQUEST, DATA, ABORT = 1, 4, 7
"""Types of PDU (PS3.8 9.3.1): the first, the one that carries messages, the last."""
LONG_PDUS = {ASSOCIATE_REQUEST, DATA}
READ_AT_ONCE = 1 << 18
SHORTEST_PDV = 2
"""Context and message control header (PS3.8 E.2)."""
DATA_TRANSFER = "Sta6"
"""Of the state machine (PS3.8 9.2.1)."""
CLOSED, INVALID, LATE = "Evt17", "Evt19", "Evt18"
"""Events of the state machine (PS3.8 table 9-10)."""


class Wire(AssociationSocket):
    """pynetdicom looks with select(2), which knows no descriptor from 1024 on: a server with
    a thousand connections has those."""

    @property
    def ready(self) -> bool:
        if self.socket is None or not self._is_connected:
            return False
        poll = select.poll()
        try:
            poll.register(self.socket, select.POLLIN)
            waiting = bool(poll.poll(0))
        except (OSError, ValueError):
            self.event_queue.put(CLOSED)
            return False
        return waiting or (isinstance(self.socket, ssl.SSLSocket) and self.socket.pending() > 0)


class Line(DULServiceProvider):
    """Reads and writes for one association, in a thread of its own."""

    def __init__(self, assoc: Accepted, bounds: Limits) -> None:
        super().__init__(assoc)
        self.daemon = True
        self._bounds = bounds
        self._idle_timer, self.artim_timer = SteadyTimer(bounds.idle_s), SteadyTimer(bounds.negotiation_s)
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._ends, self._open = threading.Lock(), True

    # --- what comes

    def _read_pdu_data(self) -> None:
        head = body = None
        try:
            head = self._exactly(6, self._bounds.idle_s)
            if head is None:
                self.event_queue.put(CLOSED)
                return
            kind, length = head[0], int.from_bytes(head[2:6], "big")
            if not ASSOCIATE_REQUEST <= kind <= ABORT or length > self._longest(kind):
                logger.warning("A DICOM peer sent what is no PDU, or one of %d bytes", length)
                self.event_queue.put(INVALID)
                return
            body = self._exactly(length, self._bounds.idle_s)
        except (OSError, ValueError):
            pass
        if head is None or body is None:
            self._hang_up()
            return
        if kind == DATA and self.state_machine.current_state == DATA_TRANSFER and self.event_queue.empty():
            self._take(memoryview(body))
            return
        try:
            pdu, event = self._decode_pdu(head + body)
            pdu.to_primitive()  # which looks at the values, before the state machine relies on them
        except Exception:
            logger.warning("A DICOM peer sent a PDU that cannot be read")
            self.event_queue.put(INVALID)
            return
        self._recv_pdu.put(pdu)
        self.event_queue.put(event)

    def _take(self, body: memoryview) -> None:
        """A P-DATA-TF PDU (PS3.8 9.3.5), straight to the messages: what action DT-2 does, without a copy of it, and nobody is
        woken before a message is whole."""
        found = P_DATA()
        while body:
            length = int.from_bytes(body[:4], "big")
            if not SHORTEST_PDV <= length <= len(body) - 4:
                logger.warning("A DICOM peer sent a PDU that cannot be read")
                self.event_queue.put(INVALID)
                return
            found.presentation_data_value_list.append((body[4], cast(bytes, body[5 : 4 + length])))
            body = body[4 + length :]
        try:
            self.assoc.dimse.receive_primitive(found)
        except OSError:  # of the disk
            raise
        except Exception as problem:
            logger.warning("A DICOM peer sent a message that cannot be read (%s)", type(problem).__name__)
            self.event_queue.put(INVALID)
            return
        if not self.assoc.dimse.msg_queue.empty():
            self._tell()

    def _longest(self, kind: int) -> int:
        return self._bounds.pdu_bytes if kind in LONG_PDUS else self._bounds.control_bytes

    def _exactly(self, length: int, seconds: float) -> bytearray | None:
        """So many bytes, within so many seconds; None where the connection ends before. Memory grows with what has come."""
        connection = cast(AssociationSocket, self.socket).socket
        if connection is None:
            return None
        until, found = time.monotonic() + seconds, bytearray()
        while len(found) < length:
            left = until - time.monotonic()
            if left <= 0:
                logger.info("A DICOM peer sends too slowly")
                return None
            connection.settimeout(min(left, seconds))
            piece = connection.recv(min(length - len(found), READ_AT_ONCE))
            if not piece:
                return None
            found += piece
        connection.settimeout(seconds)
        return found

    def _hang_up(self) -> None:
        self.event_queue.put(CLOSED)
        with contextlib.suppress(OSError):
            cast(AssociationSocket, self.socket)._shutdown_socket()

    # --- the loop

    def run_reactor(self) -> None:
        """As the one it stands for, but it sleeps until the peer, or somebody here, has something for it."""
        self._idle_timer.start()
        self.assoc._dul_ready.set()
        try:
            while not self._kill_thread:
                if self.artim_timer.expired:
                    self.event_queue.put(LATE)
                if not self._process_recv_primitive() and self._is_transport_event():
                    self._idle_timer.restart()
                try:
                    event = self.event_queue.get(block=False)
                except queue.Empty:
                    self._wait()
                    continue
                self.state_machine.do_action(event)
                self._tell()
        except Exception as problem:
            if isinstance(problem, InvalidEventError):  # an answer of ours that crossed the end of the association
                logger.warning("A DICOM association ended out of order")
            else:
                logger.exception("A DICOM association ended unforeseen")
            self.assoc.is_aborted, self.assoc.is_established = True, False
            self.assoc._kill = self._kill_thread = True
            self._hang_up()
        finally:
            self._tell()

    def _tell(self) -> None:
        cast("Accepted", self.assoc).news.set()

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        connection = self.socket.socket if self.socket is not None else None
        if connection is not None and connection.fileno() >= 0:
            if isinstance(connection, ssl.SSLSocket) and connection.pending():
                return
            poll.register(connection.fileno(), select.POLLIN)
        for handle, _ in poll.poll(WAKE_S * 1000):
            if handle == self._wake_read:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)

    def wake(self) -> None:
        """Also when it has ended: the number of what was closed may be another file's by then."""
        with self._ends, contextlib.suppress(OSError):
            if self._open:
                os.write(self._wake_write, b"w")

    def send_pdu(self, primitive: Any) -> None:
        super().send_pdu(primitive)
        self.wake()

    def kill_dul(self) -> None:
        super().kill_dul()
        self.wake()

    def stop_dul(self) -> bool:
        if self.state_machine.current_state != "Sta1":
            return False
        self._kill_thread = True
        self.wake()
        if threading.current_thread() is not self:
            self.join(10 * WAKE_S)
        return True

    def close(self) -> None:
        """When its thread has ended."""
        with self._ends:
            if self._open:
                self._open = False
                os.close(self._wake_read)
                os.close(self._wake_write)
