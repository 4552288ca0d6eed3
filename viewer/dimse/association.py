"""One accepted association: pynetdicom's, with what it does not do itself.

What is changed, by subclasses and for associations of our listener alone: a PDU is held against the limit before anything
is reserved for it; reading, writing and waiting have an end; nobody polls; an object goes to a file of the store as it
comes; who may not call is refused before the contexts are looked at. Decision 0032.
"""

from __future__ import annotations

import contextlib
import logging
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
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.service_class import StorageServiceClass
from pynetdicom.transport import AddressInformation

from viewer.dimse import admission
from viewer.dimse.admission import Denials, Refusal
from viewer.dimse.checkpoint import Checkpoint
from viewer.dimse.limits import Limits, Seats
from viewer.dimse.messages import Messages
from viewer.dimse.negotiation import supported
from viewer.dimse.upper_layer import WAKE_S, Line, Wire
from viewer.models import DicomPeer

logger = logging.getLogger(__name__)


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
        self._reactor_checkpoint = Checkpoint(self)
        bounds: Limits = node.bounds
        self.news = threading.Event()
        self.peer: DicomPeer | None = None
        self.peer_asked_at, self.withdrawn = 0.0, False
        self.serving = False
        self.address = str(address[0])
        self._seats: Seats = node.seats
        self._denials: Denials = node.denials
        self._tls: ssl.SSLContext | None = node.tls
        self._connection = connection
        self._server = self._node = node
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
            self.set_socket(Wire(self, client_socket=connection))
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
        return self._messages.waiting or not self.dul.to_user_queue.empty() or not self.dul.is_alive()

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
            else:
                self._serve_request(message, context_id)
        finally:
            self.dul._idle_timer.restart()  # however long the answer took
            self.serving = False

    @property
    def admitted(self) -> bool:
        """Whether it has a seat. Who is refused never has one."""
        return self._seated is not None

    @property
    def busy(self) -> bool:
        """In the middle of an object or an answer."""
        return self.serving or self._messages.busy

    def kill(self) -> None:
        """As ever, with an end: a line that does not come to rest is cut, at once where nobody has asked for anything."""
        self._reactor_checkpoint.set()
        self._kill, self.is_established, self._is_paused = True, False, True
        patience_s = self._node.bounds.negotiation_s if self.requestor.primitive is not None else 0.0
        until = time.monotonic() + patience_s + 2 * WAKE_S
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
        self._node.left(self)
