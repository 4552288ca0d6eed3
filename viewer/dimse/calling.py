"""Calling other application entities: associations that are asked for here, and why one did not come about, in words."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from pydicom.uid import UID
from pynetdicom import AE, _config
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.presentation import PresentationContext, build_context
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import AddressInformation, AssociationSocket

from viewer.dicom.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from viewer.dimse.checkpoint import Checkpoint
from viewer.dimse.upper_layer import Wire
from viewer.models import DicomPeer

CONNECT_S = 10.0
ACSE_S = 30.0
ANSWER_S = 60.0
"""For one answer, and for one piece that the peer does not read."""
MOST_CONTEXTS = 120
"""An association has room for 128 (PS3.8 9.3.2.2)."""
PIECES_AHEAD = 64
"""P-DATA that wait for the network; a file is read no faster than it leaves."""
LONGEST_PDU = 1 << 17

_config.LOG_REQUEST_IDENTIFIERS = _config.LOG_RESPONSE_IDENTIFIERS = False
_config.LOG_HANDLER_LEVEL = "none"
_config.STORE_SEND_CHUNKED_DATASET = True
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # what it says may hold values of data sets


class NotReached(Exception):
    """No association came about, so that nothing was sent or asked. The message is for people; nothing of a patient."""


class NothingTaken(NotReached):
    """The peer is there, and takes nothing of what was offered."""


class Broken(Exception):
    """The association ended before its work was done."""


@contextlib.contextmanager
def association(
    peer: DicomPeer, contexts: Sequence[PresentationContext], *, answer_s: float = ANSWER_S, **options: Any
) -> Iterator[Association]:
    """An association with `peer`, released at the end, aborted where the work in it fails. Raises NotReached."""
    entity = _Caller(ae_title=settings.FARVIEW_DICOM_AE_TITLE)
    entity.connection_timeout, entity.acse_timeout = CONNECT_S, ACSE_S
    entity.dimse_timeout, entity.network_timeout = answer_s, None
    opened = _opened(entity, peer, list(contexts), options)
    try:
        yield opened
    except BaseException:
        opened.abort()
        _close(opened)
        raise
    if opened.is_established:
        opened.release()
    if not opened.is_released:
        opened.abort()
    _close(opened)


def echo(peer: DicomPeer) -> str:
    """C-ECHO (PS3.4 A); how it went, in words. Raises NotReached."""
    began = time.monotonic()
    with association(peer, [build_context(Verification)]) as opened:
        if not opened.accepted_contexts:
            return f"{peer.ae_title} is there and accepts the association, but no verification (C-ECHO)."
        status = opened.send_c_echo().get("Status")
    if status != 0:
        return f"{peer.ae_title} is there, but its C-ECHO answered " + (
            "nothing." if status is None else f"0x{status:04X}."
        )
    return f"{peer.ae_title} answers (C-ECHO, {1000 * (time.monotonic() - began):.0f} ms)."


class _Caller(AE):
    """pynetdicom forgets to close a socket that could not be connected, and may lose an answer."""

    wire: socket.socket | None = None

    def __init__(self, ae_title: str) -> None:
        super().__init__(ae_title=ae_title)
        self.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        self.implementation_version_name = IMPLEMENTATION_VERSION_NAME

    def _create_socket(
        self, assoc: Association, address: AddressInformation, tls_args: tuple[ssl.SSLContext, str] | None
    ) -> AssociationSocket:
        assoc._reactor_checkpoint = Checkpoint(assoc)
        made = Wire(assoc, address=address)
        made.tls_args = tls_args
        self.wire = made.socket
        return made


def _opened(
    entity: _Caller, peer: DicomPeer, contexts: list[PresentationContext], options: dict[str, Any]
) -> Association:
    if not peer.port or "/" in peer.host:
        raise NotReached(f"{peer.ae_title} only calls: its row has no port to be called at")
    tls = (tls_context(), peer.host) if peer.tls else None
    where = f"{peer.ae_title} at {peer.host}:{peer.port}"
    try:
        made = entity.associate(
            peer.host,
            peer.port,
            contexts,
            ae_title=peer.ae_title,
            max_pdu=LONGEST_PDU,
            tls_args=tls,
            **options,
        )
    except socket.gaierror:
        raise NotReached(f"the name {peer.host} is not known") from None
    except (OSError, ValueError) as problem:
        raise NotReached(f"{where} cannot be called: {problem}") from None
    if made.is_established:
        held_back(made)
        return made
    _close(made)
    if entity.wire is not None:
        entity.wire.close()
    if made.rejected_contexts:
        raise NothingTaken(f"{where} takes nothing of what is offered to it")
    if made.is_rejected:
        raise NotReached(f"{where} refuses the association: {_refusal(made)}")
    raise NotReached(f"{where} cannot be reached: {_why(peer)}")


def _close(made: Association) -> None:
    """pynetdicom leaves some to the garbage collector."""
    wire = made.dul.socket.socket if made.dul.socket is not None else None
    if wire is not None:
        wire.close()


def _refusal(made: Association) -> str:
    """PS3.8 9.3.4, as the peer gave it."""
    said = made.acceptor.primitive
    reason = str(getattr(said, "reason_str", "") or "no reason given")
    return _PLAIN.get(reason, reason[:1].lower() + reason[1:])


_PLAIN = {
    "Calling AE title not recognised": f"it does not know our AE title {settings.FARVIEW_DICOM_AE_TITLE}",
    "Called AE title not recognised": "it does not go by this AE title",
}


def _why(peer: DicomPeer) -> str:
    """pynetdicom does not tell; a second look does."""
    try:
        with socket.create_connection((peer.host, peer.port or 0), timeout=CONNECT_S) as plain:
            if not peer.tls:
                return "it takes the connection and ends it without an answer (another protocol, or TLS)"
            with tls_context().wrap_socket(plain, server_hostname=peer.host):
                return "it takes the connection and ends it without an answer"
    except TimeoutError:
        return f"no answer within {CONNECT_S:.0f} s"
    except ssl.SSLError as problem:
        return f"TLS failed ({problem.reason or problem})"
    except OSError as problem:
        return os.strerror(problem.errno).lower() if problem.errno and problem.errno > 0 else str(problem)


def tls_context() -> ssl.SSLContext:
    """TLS 1.2 and later (PS3.15 B.12): the peer's certificate is checked against the system's authorities and those of
    FARVIEW_DICOM_CA_FILE; ours is shown where we have one. Raises NotReached."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if settings.FARVIEW_DICOM_CA_FILE:
            context.load_verify_locations(settings.FARVIEW_DICOM_CA_FILE)
        if settings.FARVIEW_TLS_CERT:
            context.load_cert_chain(settings.FARVIEW_TLS_CERT, settings.FARVIEW_TLS_KEY or None)
    except (OSError, ssl.SSLError) as problem:
        raise NotReached(f"our own certificates cannot be used: {problem.strerror or problem}") from None
    return context


class _HeldBack(queue.Queue[Any]):
    """What waits to be sent. pynetdicom would put a whole file here, and wait for its answer while most of it has not left."""

    def __init__(self, opened: Association) -> None:
        super().__init__()
        self._opened = opened

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        while isinstance(item, P_DATA) and self.qsize() >= PIECES_AHEAD:
            time.sleep(0.001)
            dul = self._opened.dul
            if not dul.is_alive() or dul.state_machine.current_state != "Sta6":
                raise Broken("the peer ended the association")
        super().put(item, block, timeout)


def held_back(made: Association) -> None:
    """From here on what is to be sent waits until the network has taken what was before it."""
    made.dul.to_provider_queue = _HeldBack(made)
    wire = made.dul.socket.socket if made.dul.socket is not None else None
    if wire is not None:
        wire.settimeout(ANSWER_S)
