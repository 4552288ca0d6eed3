"""The listener: connections wait here, at no cost, until they say something; then each becomes an association."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from typing import Any

from pydicom.uid import UID
from pynetdicom import _config
from pynetdicom.ae import ApplicationEntity

from viewer.dicom.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from viewer.dimse.admission import Denials
from viewer.dimse.association import Accepted
from viewer.dimse.handlers import HANDLERS
from viewer.dimse.limits import Limits, Seats

logger = logging.getLogger(__name__)

BACKLOG = 128
LOOK_S = 0.5
TURN_S = 0.01
"""Who has spoken and finds no place to negotiate is looked at again after this."""
HEAD = 6
ABORT = bytes((7, 0, 0, 0, 0, 4, 0, 0, 2, 1))
"""A-ABORT from the service provider, unrecognized PDU (PS3.8 9.3.8)."""

_config.LOG_HANDLER_LEVEL = "none"
_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False


@dataclass(slots=True)
class _Waiting:
    connection: socket.socket
    address: tuple[Any, ...]
    until: float


class Node:
    """Listens on one address. `start`, and `stop` with some patience for what is under way."""

    def __init__(self, ae_title: str, host: str, port: int, bounds: Limits, tls: ssl.SSLContext | None = None) -> None:
        self.bounds, self.tls = bounds, tls
        self.seats, self.denials = Seats(bounds), Denials()
        self.handlers = list(HANDLERS)
        self._entity = ApplicationEntity(ae_title)
        self._entity.require_called_aet = False  # asked for by us, with an address to it
        self._entity.maximum_associations = 1_000_000  # counted by us
        self._entity.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        self._entity.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        self._lock = threading.Lock()
        self._associations: set[Accepted] = set()
        self._waiting: dict[int, _Waiting] = {}
        self._stopping = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._listening = _bound(host, port)
        self._thread = threading.Thread(target=self._run, name="dicom listener", daemon=True)

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def start(self) -> None:
        self._listening.listen(BACKLOG)
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._thread.start()

    def stop(self, patience_s: float) -> None:
        """Take nobody in any more; let objects that are on their way be stored and answered; then end every association."""
        self._stopping.set()
        self._thread.join(2 * LOOK_S)
        until = time.monotonic() + patience_s
        left = self.associations()
        while left and time.monotonic() < until:
            for association in left:
                if not association.busy:
                    association.cut()
            time.sleep(0.02)
            left = self.associations()
        for association in left:
            association.cut()

    def associations(self) -> list[Accepted]:
        with self._lock:
            return list(self._associations)

    # --- asked by associations

    def left(self, association: Accepted) -> None:
        with self._lock:
            self._associations.discard(association)

    def shutdown_request(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        connection.close()

    # --- the thread

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                crowded = False
                for key, _ in self._selector.select(LOOK_S):
                    if key.fileobj is self._listening:
                        self._accept()
                    else:
                        crowded |= not self._speaks(key.fd)
                self._send_late_ones_away()
                if crowded:
                    time.sleep(TURN_S)
            except Exception:
                logger.exception("The DICOM listener stumbled")
                time.sleep(LOOK_S)
        self._listening.close()
        for fd in list(self._waiting):
            self._forget(fd).close()

    def _accept(self) -> None:
        try:
            connection, address = self._listening.accept()
        except OSError as problem:  # no handles left, or gone again
            logger.warning("A DICOM connection could not be taken: %s", problem.strerror)
            time.sleep(0.05)
            return
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setblocking(False)
        self._make_room(str(address[0]))
        self._waiting[connection.fileno()] = _Waiting(connection, address, time.monotonic() + self.bounds.negotiation_s)
        self._selector.register(connection, selectors.EVENT_READ)

    def _make_room(self, address: str) -> None:
        """Where too many say nothing, the oldest goes: who means it speaks at once."""
        of_one = [fd for fd, waiting in self._waiting.items() if str(waiting.address[0]) == address]
        if len(of_one) >= self.bounds.waiting_of_one:
            self._forget(of_one[0]).close()
        elif len(self._waiting) >= self.bounds.waiting:
            self._forget(next(iter(self._waiting))).close()

    def _speaks(self, fd: int) -> bool:
        """Whether it needs no second look: False where there is no place for it at this moment."""
        waiting = self._waiting.get(fd)
        if waiting is None:  # it gave way to another one a moment ago
            return True
        try:
            head = waiting.connection.recv(HEAD, socket.MSG_PEEK)
        except OSError:
            head = b""
        if not head:
            self._forget(fd).close()
        elif self.tls is None and self._is_no_request(head):
            connection = self._forget(fd)
            with contextlib.suppress(OSError):
                connection.send(ABORT)
            connection.close()
        elif self._has_place(str(waiting.address[0])):
            self._begin(self._forget(fd), waiting.address)
        else:
            return False
        return True

    def _has_place(self, address: str) -> bool:
        """Whether one more of this address may negotiate; whoever asks at length takes only so many places from the others."""
        asking = [one.address for one in self.associations() if not one.admitted]
        return len(asking) < self.bounds.negotiating and asking.count(address) < self.bounds.negotiating_of_one

    def _is_no_request(self, head: bytes) -> bool:
        """The first PDU asks for an association (PS3.8 9.2), and is no longer than one may be."""
        if head[0] != 1:
            return True
        return len(head) == HEAD and int.from_bytes(head[2:6], "big") > self.bounds.pdu_bytes

    def _begin(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        connection.setblocking(True)
        connection.settimeout(self.bounds.negotiation_s)
        association = Accepted(self._entity, self, connection, address)
        with self._lock:
            self._associations.add(association)
        association.start()

    def _forget(self, fd: int) -> socket.socket:
        connection = self._waiting.pop(fd).connection
        self._selector.unregister(connection)
        return connection

    def _send_late_ones_away(self) -> None:
        now = time.monotonic()
        for fd in [fd for fd, waiting in self._waiting.items() if waiting.until < now]:
            self._forget(fd).close()


def _bound(host: str, port: int) -> socket.socket:
    """A socket on an address. Raises OSError."""
    family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, number)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    bound.setblocking(False)
    return bound
