"""C-GET and C-MOVE as a provider (PS3.4 C.4.2, C.4.3): stored objects leave as they are stored.

pynetdicom's own would decode every object and encode it again, so the two services are served here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO

from django.db import connections
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import association, sop_class
from pynetdicom.dimse_primitives import C_GET, C_MOVE
from pynetdicom.dsutils import encode
from pynetdicom.presentation import PresentationContext
from pynetdicom.service_class import QueryRetrieveServiceClass, ServiceClass
from pynetdicom.status import code_to_category

from viewer.dicom.errors import DicomError
from viewer.dimse import leaving
from viewer.dimse.admission import caller, may
from viewer.dimse.calling import NotReached, held_back
from viewer.dimse.extended import options
from viewer.dimse.identifiers import CANNOT_PROCESS, MODELS, NOT_AUTHORISED, Refused, decoded, to_retrieve
from viewer.dimse.leaving import UNKNOWN_DESTINATION, Part
from viewer.dimse.sending import UNREADABLE, Outgoing, send_one, store
from viewer.models import DicomPeer

logger = logging.getLogger(__name__)

SUCCESS, PENDING, CANCELLED = 0x0000, 0xFF00, 0xFE00
ALL_FAILED, SOME_FAILED = 0xA702, 0xB000
"""Statuses of PS3.4 C.4.2.1.5 and C.4.3.1.4."""
FAILED_LISTED = 1000
"""As many UIDs as an element of Explicit VR surely holds."""


@dataclass(slots=True)
class Tally:
    """Sub-operations of one request so far."""

    remaining: int
    completed: int = 0
    warnings: int = 0
    failed: list[str] = field(default_factory=list)
    """SOP Instance UIDs."""

    def count(self, sop_instance_uid: str, status: int) -> None:
        self.remaining -= 1
        kind = code_to_category(status)
        if kind == "Success":
            self.completed += 1
        elif kind == "Warning":
            self.warnings += 1
        else:
            self.failed.append(sop_instance_uid)

    def status(self) -> int:
        """Of the last response."""
        if not self.failed and not self.warnings:
            return SUCCESS
        return SOME_FAILED if self.completed or self.warnings else ALL_FAILED


class Retrieval:
    """One request under way, and its responses."""

    def __init__(self, service: Retrieving, request: C_GET | C_MOVE, context: PresentationContext) -> None:
        self.service, self.request, self.context = service, request, context
        self.association = service.assoc
        self.peer: DicomPeer = caller(service.assoc)
        self.address = str(service.assoc.requestor.address or "")
        self.message_id = int(request.MessageID or 0)
        self.tally = Tally(0)

    @property
    def name(self) -> str:
        return "C-GET" if isinstance(self.request, C_GET) else "C-MOVE"

    def cancelled(self) -> bool:
        return self.service.is_cancelled(self.message_id)

    def wanted(self) -> list[Part]:
        """Raises Refused."""
        if not may(self.association, "retrieve"):
            raise Refused(NOT_AUTHORISED, "not any more")
        levels = MODELS[str(self.context.abstract_syntax)]
        identifier = decoded(self.request.Identifier, str(self.context.transfer_syntax[0]))
        relational = options(self.association, str(self.context.abstract_syntax)).relational
        found = leaving.parts(self.peer, to_retrieve(identifier, levels, relational))
        self.tally.remaining = sum(len(part.instances) for part in found)
        return found

    def noted(self, found: list[Part], destination: str, failed: int | None = None) -> None:
        leaving.noted(self.peer, found, self.name, destination, self.address, failed)

    def progress(self) -> None:
        self.respond(PENDING)

    def finish(self) -> None:
        self.respond(self.tally.status())

    def respond(self, status: int, comment: Dataset | None = None) -> None:
        """With the counts that the status goes with (PS3.4 C.4.2.1.6 to C.4.2.1.9), and what failed with the last response."""
        answer = type(self.request)()
        answer.MessageID = answer.MessageIDBeingRespondedTo = self.message_id
        answer.AffectedSOPClassUID = self.request.AffectedSOPClassUID
        answer.Status = status
        for element in comment or ():
            if hasattr(answer, element.keyword):
                setattr(answer, element.keyword, element.value)
        if comment is None:
            self._count(answer, status)
        self.service.dimse.send_msg(answer, self.context.context_id or 0)

    def _count(self, answer: C_GET | C_MOVE, status: int) -> None:
        if status in (PENDING, CANCELLED):
            answer.NumberOfRemainingSuboperations = self.tally.remaining
        answer.NumberOfCompletedSuboperations = self.tally.completed
        answer.NumberOfFailedSuboperations = len(self.tally.failed)
        answer.NumberOfWarningSuboperations = self.tally.warnings
        if status not in (PENDING, SUCCESS):
            listed = Dataset()
            listed.FailedSOPInstanceUIDList = self.tally.failed[:FAILED_LISTED]
            syntax = UID(self.context.transfer_syntax[0])
            answer.Identifier = BytesIO(encode(listed, syntax.is_implicit_VR, syntax.is_little_endian) or b"")


def get(retrieval: Retrieval) -> None:
    """C-GET: over the association that asked."""
    found = retrieval.wanted()
    if found:
        retrieval.noted(found, retrieval.peer.ae_title)
    accepted = {
        (str(context.abstract_syntax), str(context.transfer_syntax[0]))
        for context in retrieval.association.accepted_contexts
        if context.as_scu
    }
    for number, one in enumerate(leaving.files(found), retrieval.message_id + 1):
        if retrieval.cancelled():
            retrieval.respond(CANCELLED)
            return
        status = _sent(retrieval, one, accepted, number % 0xFFFF or 1)
        if status is None:
            retrieval.noted(found, retrieval.peer.ae_title, retrieval.tally.remaining + len(retrieval.tally.failed))
            return
        retrieval.tally.count(one.sop_instance_uid, status)
        retrieval.progress()
    _finish(retrieval, found, retrieval.peer.ae_title)


def _sent(retrieval: Retrieval, one: Outgoing, accepted: set[tuple[str, str]], number: int) -> int | None:
    try:
        return send_one(retrieval.association, one, accepted, number, None)[0]
    except DicomError:
        return UNREADABLE


def move(retrieval: Retrieval) -> None:
    """C-MOVE: over an association of our own with the destination."""
    title = str(getattr(retrieval.request, "MoveDestination", "") or "").strip()
    found = retrieval.wanted()
    to = destination(retrieval.peer, title)
    if to is None:
        raise Refused(UNKNOWN_DESTINATION, f"{title} is no destination here")
    retrieval.noted(found, title)
    stop, files = threading.Event(), list(leaving.files(found))
    tally = retrieval.tally = Tally(len(files))

    def told(sop_instance_uid: str, status: int) -> None:
        tally.count(sop_instance_uid, status)
        if retrieval.cancelled() or not retrieval.association.is_established:
            stop.set()
        elif tally.remaining:
            retrieval.progress()

    originator = (retrieval.peer.ae_title, retrieval.message_id)
    try:
        result = store(to, files, told, stop, originator=originator) if files else None
    except NotReached as problem:
        logger.warning("C-MOVE to %s: %s", to.ae_title, problem)
        result = None
    if stop.is_set() and tally.remaining:
        retrieval.respond(CANCELLED)
        return
    done = {*(result.sent if result else ()), *(uid for uid, _, _ in (result.failed if result else ()))}
    tally.failed += [one.sop_instance_uid for one in files if one.sop_instance_uid not in done]
    tally.remaining = 0
    _finish(retrieval, found, title)


def _finish(retrieval: Retrieval, found: list[Part], to: str) -> None:
    if retrieval.tally.failed:
        retrieval.noted(found, to, len(retrieval.tally.failed))
    retrieval.finish()


def destination(peer: DicomPeer, ae_title: str) -> DicomPeer | None:
    """A peer of the same organization that can be called; of several of that name the one at the caller's own address."""
    rows = DicomPeer.objects.filter(organization=peer.organization, active=True, ae_title=ae_title, port__isnull=False)
    callable_ones = list(rows.exclude(host__contains="/").order_by("id"))
    return min(callable_ones, key=lambda row: row.host != peer.host, default=None)


class Retrieving(QueryRetrieveServiceClass):
    """In place of pynetdicom's, for the SOP classes of SERVED."""

    def _get_scp(self, req: C_GET, context: PresentationContext) -> None:
        _served(self, req, context, get)

    def _move_scp(self, req: C_MOVE, context: PresentationContext) -> None:
        _served(self, req, context, move)


def _served(
    service: Retrieving, request: C_GET | C_MOVE, context: PresentationContext, work: Callable[[Retrieval], None]
) -> None:
    held_back(service.assoc)
    retrieval = Retrieval(service, request, context)
    try:
        work(retrieval)
    except Refused as refusal:
        leaving.refused(retrieval.peer, retrieval.name, refusal, retrieval.address)
        retrieval.respond(refusal.status, refusal.answer())
    except Exception as problem:
        logger.exception("%s failed", retrieval.name)
        if service.assoc.is_established:
            failure = Refused(CANNOT_PROCESS, f"it failed here ({type(problem).__name__})")
            retrieval.respond(failure.status, failure.answer())
    finally:
        connections.close_all()


SERVED: dict[str, type[ServiceClass]] = {
    f"1.2.840.10008.5.1.4.1.2.{model}.{service}": Retrieving for model in (1, 2) for service in (2, 3)
}
"""C-MOVE and C-GET of patient root and study root."""


def install() -> None:
    """Have pynetdicom ask here which class serves a SOP class."""
    known = sop_class.uid_to_service_class

    def service_of(uid: str) -> type[ServiceClass]:
        return SERVED.get(uid) or known(uid)

    association.uid_to_service_class = service_of  # type: ignore[attr-defined]
