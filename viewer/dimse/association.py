"""One accepted association: pynetdicom's, with what it does not do itself.

What is changed, by subclasses and for associations of our listener alone: a PDU is held against the limit before anything
is reserved for it; reading, writing and waiting have an end; nobody polls; an object goes to a file of the store as it
comes; who may not call is refused before the contexts are looked at. Decision 0029.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import select
import ssl
import threading
import time
from typing import Any, cast

from django.db import connections
from pynetdicom import evt
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.acse import ACSE
from pynetdicom.ae import ApplicationEntity
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.transport import AddressInformation, AssociationSocket

from viewer.dimse import admission
from viewer.dimse.admission import Denials, Refusal
from viewer.dimse.limits import Limits, Seats
from viewer.dimse.negotiation import supported
from viewer.dimse.storing_file import ArrivingFile
from viewer.models import DicomPeer

logger = logging.getLogger(__name__)

WAKE_S = 0.5
"""Who waits looks around this often even when nobody wakes them."""
ASSOCIATE_REQUEST, ASSOCIATE_ACCEPT, ASSOCIATE_REJECT, DATA, RELEASE_REQUEST, RELEASE_REPLY, ABORT = range(1, 8)
"""Types of PDU (PS3.8 9.3.1)."""
LONG_PDUS = {ASSOCIATE_REQUEST, DATA}
READ_AT_ONCE = 1 << 18
CLOSED, INVALID = "Evt17", "Evt19"
"""Events of the state machine (PS3.8 table 9-10)."""


class Line(DULServiceProvider):
    """The upper layer (PS3.8), with limits and without polling."""

    def __init__(self, assoc: Accepted, bounds: Limits) -> None:
        super().__init__(assoc)
        self.daemon = True
        self._bounds = bounds
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    # --- what comes

    def _read_pdu_data(self) -> None:
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
            body = None
        if body is None:
            self._hang_up()
            return
        try:
            pdu, event = self._decode_pdu(head + body)
        except Exception:
            logger.warning("A DICOM peer sent a PDU that cannot be read")
            self.event_queue.put(INVALID)
            return
        self._recv_pdu.put(pdu)
        self.event_queue.put(event)

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
                    self.event_queue.put("Evt18")
                if not self._process_recv_primitive() and self._is_transport_event():
                    self._idle_timer.restart()
                try:
                    event = self.event_queue.get(block=False)
                except queue.Empty:
                    self._wait()
                    continue
                self.state_machine.do_action(event)
                self._tell()
        except Exception:
            logger.exception("A DICOM association ended unforeseen")
            self.assoc.is_aborted, self.assoc.is_established = True, False
            self.assoc._kill = self._kill_thread = True
            self._hang_up()
        finally:
            self._tell()

    def _tell(self) -> None:
        cast(Accepted, self.assoc).news.set()

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
        with contextlib.suppress(OSError):
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
        """When nobody uses it any more."""
        for handle in (self._wake_read, self._wake_write):
            os.close(handle)


class Messages(DIMSEServiceProvider):
    """Messages (PS3.7), where the data set of an object to store goes straight to a file of the store."""

    def __init__(self, assoc: Accepted, bounds: Limits) -> None:
        super().__init__(assoc)
        self._bounds = bounds
        self._arriving: ArrivingFile | None = None

    def receive_primitive(self, primitive: Any) -> None:
        super().receive_primitive(primitive)
        message = self.message
        if message is None:
            self._arriving = None  # whole, and in the hands of whoever serves it
            if self.msg_queue.qsize() > self._bounds.requests_ahead:
                self._refuse_more("sends more requests than it may")
        elif isinstance(message, C_STORE_RQ) and message._data_set_file is None:
            self._begin_file(message)
        elif message.encoded_command_set.tell() > self._bounds.control_bytes:
            self._refuse_more("sends an endless command")
        elif message.data_set is not None and message.data_set.tell() > self._bounds.identifier_bytes:
            self._refuse_more("sends an endless query")

    def _begin_file(self, message: C_STORE_RQ) -> None:
        context = self.assoc._accepted_cx.get(cast(int, message.context_id))
        if context is None:
            self._refuse_more("sends an object in no context")
            return
        command = message.command_set
        self._arriving = ArrivingFile(
            sop_class_uid=str(command.get("AffectedSOPClassUID") or ""),
            sop_instance_uid=str(command.get("AffectedSOPInstanceUID") or ""),
            transfer_syntax_uid=str(context.transfer_syntax[0]),
            limit=self._bounds.object_bytes,
        )
        begun = message.data_set.getvalue() if message.data_set is not None else b""
        if begun:  # the command and the first of the data came in one PDU
            self._arriving.write(begun)
            message.data_set.seek(0)  # type: ignore[union-attr]
            message.data_set.truncate()  # type: ignore[union-attr]
        message._data_set_file = self._arriving  # type: ignore[assignment]

    def _refuse_more(self, what: str) -> None:
        logger.warning("A DICOM peer %s", what)
        self.dul.event_queue.put(INVALID)

    @property
    def busy(self) -> bool:
        """A message is half here, or waits for its turn."""
        return self.message is not None or not self.msg_queue.empty()

    def forget(self) -> None:
        """The association has ended: what was not served will not be."""
        if self._arriving is not None:
            self._arriving.close()
        while not self.msg_queue.empty():
            _, request = self.msg_queue.get(block=False)
            file = getattr(request, "_dataset_file", None)
            if file is not None:
                file.close()


class Entrance(ACSE):
    """Association control: the peer is admitted before anything is negotiated."""

    def _negotiate_as_acceptor(self) -> None:
        accepted = cast(Accepted, self.assoc)
        refusal = accepted.admit(cast(A_ASSOCIATE, self.requestor.primitive))
        if refusal is not None:
            self.send_reject(*refusal.code)
            evt.trigger(self.assoc, evt.EVT_REJECTED, {})
            self.assoc.kill()
            return
        super()._negotiate_as_acceptor()


class Accepted(Association):
    """An association that somebody asked us for. Its thread serves; its line has another."""

    def __init__(self, entity: ApplicationEntity, node: Any, connection: Any, address: tuple[Any, ...]) -> None:
        super().__init__(entity, MODE_ACCEPTOR)
        bounds: Limits = node.bounds
        self.news = threading.Event()
        self.peer: DicomPeer | None = None
        self.peer_asked_at = 0.0
        self.serving = False
        self.address = str(address[0])
        self._seats: Seats = node.seats
        self._denials: Denials = node.denials
        self._tls: ssl.SSLContext | None = node.tls
        self._connection = connection
        self._server = node
        self._seated: int | None = None
        self.acse = Entrance(self)
        self.dul = self._line = Line(self, bounds)
        self.dimse = self._messages = Messages(self, bounds)
        self.acse_timeout, self.network_timeout = bounds.negotiation_s, bounds.idle_s
        self.connection_timeout, self.dimse_timeout = bounds.negotiation_s, bounds.idle_s
        self.name = f"dicom {self.address}"
        self.daemon = True
        self.acceptor.maximum_length = bounds.pdu_bytes
        self.acceptor.ae_title = entity.ae_title
        self.acceptor.address_info = AddressInformation.from_tuple(connection.getsockname())
        self.acceptor.implementation_class_uid = entity.implementation_class_uid
        self.acceptor.implementation_version_name = entity.implementation_version_name
        self.requestor.address_info = AddressInformation.from_tuple(address)
        for event, handler in node.handlers:
            self.bind(event, handler)

    def run_reactor(self) -> None:
        try:
            connection = self._connection
            if self._tls is not None:
                connection.settimeout(self.acse_timeout)
                connection = self._tls.wrap_socket(connection, server_side=True)
            connection.settimeout(self.network_timeout)
            self.set_socket(AssociationSocket(self, client_socket=connection))
            super().run_reactor()
        except (OSError, ssl.SSLError):
            logger.info("A DICOM connection ended before an association began")
        finally:
            self._leave()

    def admit(self, request: A_ASSOCIATE) -> Refusal | None:
        """Find the peer, give it a seat and what it has a right to; or say why not."""
        calling, called = str(request.calling_ae_title).strip(), str(request.called_ae_title).strip()
        found = admission.admitted(calling, called, self.address)
        if isinstance(found, DicomPeer) and not self._seats.take(found.pk):
            found = admission.NO_SEAT
        if isinstance(found, Refusal):
            self._denials.note(found, calling, called, self.address)
            return found
        self.peer, self.peer_asked_at, self._seated = found, time.monotonic(), found.pk
        roles = {uid: (item.scu_role, item.scp_role) for uid, item in self.requestor.role_selection.items()}
        contexts = supported(request.presentation_context_definition_list, roles, found)  # type: ignore[arg-type]
        self.acceptor.supported_contexts = contexts
        return None

    def _run_reactor(self) -> None:
        """As the one it stands for, but it sleeps until there is news."""
        self._is_paused = False
        while not self._kill:
            self._is_paused = True
            if not self._has_news():
                self.news.wait(WAKE_S)
            self.news.clear()
            self._reactor_checkpoint.wait()
            self._is_paused = False
            context_id, message = self.dimse.get_msg(block=False)
            if message:
                self._serve(message, cast(int, context_id))
            if self._ended():
                return

    def _has_news(self) -> bool:
        return not self.dimse.msg_queue.empty() or not self.dul.to_user_queue.empty() or not self.dul.is_alive()

    def _ended(self) -> bool:
        """Released, aborted, broken off or idle for too long; then it is brought to its end."""
        if self.is_established and self.acse.is_release_requested():
            self.acse.send_release(is_response=True)
            self.is_released, self.is_established = True, False
            evt.trigger(self, evt.EVT_RELEASED, {})
        elif self.acse.is_aborted():
            self.dul.receive_pdu(wait=False)
            self.is_aborted, self.is_established = True, False
            evt.trigger(self, evt.EVT_ABORTED, {})
        elif self.dul.idle_timer_expired():
            logger.info("A DICOM association was idle for too long")
            self.abort()
        elif self.dul.is_alive():
            return False
        self.kill()
        return True

    def _serve(self, message: Any, context_id: int) -> None:
        self.serving = True
        try:
            context = self._accepted_cx.get(context_id)
            if isinstance(message, C_STORE) and message.is_valid_request and context is not None:
                StorageServiceClass(self).SCP(message, context)  # whatever the SOP class: private and future ones too
                self.dul._idle_timer.restart()
            else:
                self._serve_request(message, context_id)
        finally:
            self.serving = False

    @property
    def busy(self) -> bool:
        """In the middle of an object or an answer."""
        return self.serving or self._messages.busy

    def kill(self) -> None:
        """As ever, with an end: a line that does not come to rest is cut."""
        self._reactor_checkpoint.set()
        self._kill, self.is_established, self._is_paused = True, False, True
        until = time.monotonic() + self._server.bounds.negotiation_s + 2 * WAKE_S
        while self.dul.is_alive() and not self.dul.stop_dul():
            if time.monotonic() > until:
                self.dul._kill_thread = True
                self._line._hang_up()
                self._line.wake()
                self.dul.join(2 * WAKE_S)
                return
            time.sleep(0.005)

    def cut(self) -> None:
        """End it now, whatever it does; for a node that stops."""
        with contextlib.suppress(Exception):
            self.abort(block=False)
        self._line.wake()

    def _leave(self) -> None:
        with contextlib.suppress(Exception):
            self._messages.forget()
        if self._seated is not None:
            self._seats.give_back(self._seated)
        if self.peer is not None:
            admission.seen(self.peer)
        connections.close_all()
        with contextlib.suppress(OSError):
            self._connection.close()
        if self.dul.is_alive():
            self.dul._kill_thread = True
            self._line.wake()
            self.dul.join(2 * WAKE_S)
        if not self.dul.is_alive():
            self._line.close()
        self._server.left(self)
