"""Storage commitment, push model (PS3.4 J): whether we hold objects for good, said after their bytes were read again.

A request is a row before it is answered, so that a restart loses none. The answer goes out in the association of the
question while that is open, else in one of our own to where the peer listens; until somebody has taken it, again and again.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from django.db import close_old_connections
from django.utils import timezone
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom.events import Event
from pynetdicom.presentation import build_context, build_role

from accounts import audit
from viewer.archive.rows import DatabaseBusy, patiently
from viewer.archive.storage import BlobStore, StorageFull, blob_store
from viewer.dimse import admission
from viewer.dimse.calling import Broken, NotReached, association
from viewer.models import Commitment, DicomPeer, Instance

logger = logging.getLogger(__name__)

SOP_CLASS: Final = UID("1.2.840.10008.1.20.1")
WELL_KNOWN_INSTANCE: Final = UID("1.2.840.10008.1.20.1.1")
REQUEST_COMMITMENT: Final = 1
ALL_COMMITTED, SOME_FAILED = 1, 2
"""Event types (PS3.4 J.3.3.1)."""
PROCESSING_FAILURE, NO_SUCH_OBJECT, CLASS_CONFLICT = 0x0110, 0x0112, 0x0119
"""Failure Reasons (PS3.3 C.14.1.1)."""
NO_SUCH_INSTANCE, NO_SUCH_ACTION, INVALID_VALUE, MISSING_ATTRIBUTE = 0x0112, 0x0123, 0x0115, 0x0120
NOT_AUTHORIZED, NO_RESOURCES = 0x0124, 0x0213
"""Statuses (PS3.7 C.5)."""

LOOK_S = 2.0
GRACE_S = 1.0
"""From the answer that is ready to its report in the association of the question."""
ANSWER_S = 30.0
FIRST_REST_S, LONGEST_REST_S = 15.0, 3600.0
MOST_TRIES = 48
BATCH = 500

Reference = tuple[str, str]
"""SOP class, SOP instance."""


class Desk:
    """What the questions tell the answers: that there is one, and in which association it was asked."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._lock = threading.Lock()
        self._open: dict[int, weakref.ref[Any]] = {}

    def put(self, commitment: int, opened: Any) -> None:
        with self._lock:
            self._open = {key: ref for key, ref in self._open.items() if ref() is not None}
            self._open[commitment] = weakref.ref(opened)
        self.asked.set()

    def association_of(self, commitment: int) -> Any | None:
        with self._lock:
            found = self._open.pop(commitment, lambda: None)()
        return found if found is not None and found.is_established else None


@lru_cache(maxsize=1)
def desk() -> Desk:
    """That of this process."""
    return Desk()


# --- the question


def requested(event: Event) -> tuple[int, Dataset | None]:
    """Handler of N-ACTION: keep the question; it is answered later."""
    request: Any = event.request
    accepted: Any = event.assoc
    if request.RequestedSOPInstanceUID != WELL_KNOWN_INSTANCE:
        return NO_SUCH_INSTANCE, None
    if event.action_type != REQUEST_COMMITMENT:
        return NO_SUCH_ACTION, None
    try:
        transaction_uid, references = _asked(event.action_information)
    except KeyError:
        return MISSING_ATTRIBUTE, None
    except Exception:  # pydicom reads values late, and a peer may have written anything
        return INVALID_VALUE, None
    try:
        if not admission.may(accepted, "commit"):
            return NOT_AUTHORIZED, None
        row = patiently(lambda: _kept(admission.peer_of(accepted), transaction_uid, references, accepted.address))
    except (DatabaseBusy, StorageFull):
        return NO_RESOURCES, None
    desk().put(row.pk, accepted)
    return 0x0000, None


def _asked(information: Dataset) -> tuple[str, list[Reference]]:
    """Transaction UID and references (PS3.4 J.3.2.1.1). Raises KeyError where they are missing, ValueError where they are
    no UIDs."""
    transaction_uid = str(information["TransactionUID"].value or "")
    items = information["ReferencedSOPSequence"].value
    references = [
        (str(item["ReferencedSOPClassUID"].value), str(item["ReferencedSOPInstanceUID"].value)) for item in items
    ]
    if not references:
        raise KeyError("no references")
    if not all(
        0 < len(uid) <= 64 and uid.isascii() for uid in (transaction_uid, *(u for pair in references for u in pair))
    ):
        raise ValueError("not UIDs")
    return transaction_uid, references


def _kept(peer: DicomPeer, transaction_uid: str, references: list[Reference], address: str) -> Commitment:
    row, _ = Commitment.objects.update_or_create(
        peer=peer,
        transaction_uid=transaction_uid,
        defaults={
            "organization": peer.organization,
            "references": references,
            "failures": [],
            "state": "received",
            "tries": 0,
            "problem": "",
            "next_try_at": timezone.now(),
        },
    )
    audit.record(
        "dicom.commit",
        actor=admission.actor(peer),
        origin=address,
        organization=peer.organization.name,
        object_uid=transaction_uid,
        detail={"asked": len(references)},
    )
    return row


# --- the answer


def answer_all(stop: threading.Event) -> None:
    """Job: answer what is due, and look again."""
    while not stop.is_set():
        desk().asked.clear()
        close_old_connections()
        for row in due():
            if stop.is_set():
                return
            answer(row)
        desk().asked.wait(LOOK_S)


def due() -> list[Commitment]:
    rows = Commitment.objects.filter(state__in=("received", "failed"), next_try_at__lte=timezone.now())
    return list(rows.select_related("peer__organization", "organization").order_by("next_try_at")[:100])


def answer(row: Commitment) -> None:
    """Read the bytes again, and tell the peer; what fails is tried later."""
    store, references = blob_store(), [(str(pair[0]), str(pair[1])) for pair in row.references]
    failures = [(*reference, reason) for reference, reason in failed(references, row, store)]
    problem = _told(row, references, failures)
    patiently(lambda: _note(row, failures, problem))


def failed(references: Sequence[Reference], row: Commitment, store: BlobStore) -> Iterator[tuple[Reference, int]]:
    """Which of the references we take no responsibility for, and the Failure Reason."""
    for start in range(0, len(references), BATCH):
        batch = references[start : start + BATCH]
        held = {
            uid: (class_uid, sha256, size)
            for uid, class_uid, sha256, size in Instance.objects.filter(
                organization=row.organization, sop_instance_uid__in=[uid for _, uid in batch]
            ).values_list("sop_instance_uid", "sop_class_uid", "blob_id", "blob__size")
        }
        for reference in batch:
            found = held.get(reference[1])
            if found is None:
                yield reference, NO_SUCH_OBJECT
            elif found[0] != reference[0]:
                yield reference, CLASS_CONFLICT
            elif damage := store.damage(found[1], found[2]):
                logger.error("blob %s %s: no commitment to it", found[1], damage)
                yield reference, PROCESSING_FAILURE


def report(transaction_uid: str, references: Sequence[Reference], failures: Sequence[tuple[str, str, int]]) -> Dataset:
    """The Event Information (PS3.4 J.3.3.1.1)."""
    information, lost = Dataset(), {failure[1] for failure in failures}
    information.TransactionUID = transaction_uid
    committed = [_reference(*reference) for reference in references if reference[1] not in lost]
    if committed:
        information.ReferencedSOPSequence = committed
    if failures:
        information.FailedSOPSequence = [_reference(*failure) for failure in failures]
    return information


def _reference(class_uid: str, instance_uid: str, reason: int | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = class_uid, instance_uid
    if reason is not None:
        item.FailureReason = reason
    return item


def _told(row: Commitment, references: list[Reference], failures: list[tuple[str, str, int]]) -> str:
    """Why the peer could not be told; empty: it was."""
    information = report(row.transaction_uid, references, failures)
    kind = SOME_FAILED if failures else ALL_COMMITTED
    opened = desk().association_of(row.pk)
    if opened is not None and _stays(opened) and not _send(opened, information, kind):
        return ""
    try:
        context, role = (
            build_context(SOP_CLASS),
            build_role(SOP_CLASS, scp_role=True),
        )  # we are the provider (PS3.4 J.3.3)
        with association(row.peer, [context], answer_s=ANSWER_S, ext_neg=[role]) as own:
            if not own.accepted_contexts:
                return f"{row.peer.ae_title} takes no reports of storage commitment"
            return _send(own, information, kind)
    except (NotReached, Broken) as problem:
        return str(problem)


def _stays(opened: Any) -> bool:
    """Whether the peer leaves its association open for the answer; many release it as soon as the question was taken."""
    until = time.monotonic() + GRACE_S
    while time.monotonic() < until and opened.is_established:
        time.sleep(0.02)
    return bool(opened.is_established and not opened.serving)


def _send(opened: Any, information: Dataset, kind: int) -> str:
    """N-EVENT-REPORT; why it did not arrive, or empty."""
    try:
        status, _ = opened.send_n_event_report(information, kind, SOP_CLASS, WELL_KNOWN_INSTANCE)
    except (RuntimeError, ValueError, AttributeError, OSError) as problem:
        return f"the association ended ({type(problem).__name__})"
    found = status.get("Status")
    if found is None:
        return "the report was not answered"
    return "" if found == 0 else f"the report was answered by 0x{found:04X}"


def _note(row: Commitment, failures: list[tuple[str, str, int]], problem: str) -> None:
    row.tries += 1
    row.failures, row.problem = [list(failure) for failure in failures], problem[:1000]
    given_up = row.tries >= MOST_TRIES
    row.state = ("given_up" if given_up else "failed") if problem else "answered"
    rest = min(LONGEST_REST_S, FIRST_REST_S * 2 ** min(row.tries - 1, 12))
    row.next_try_at = timezone.now() + timedelta(seconds=rest)
    # Whoever has asked again meanwhile is answered again.
    Commitment.objects.filter(pk=row.pk, updated_at=row.updated_at).update(
        state=row.state,
        tries=row.tries,
        failures=row.failures,
        problem=row.problem,
        next_try_at=row.next_try_at,
        updated_at=timezone.now(),
    )
    if not problem or given_up:
        audit.record(
            "dicom.commit",
            actor=admission.actor(row.peer),
            organization=row.organization.name,
            object_uid=row.transaction_uid,
            outcome="success" if not problem else "failure",
            detail={"committed": len(row.references) - len(failures), "failed": len(failures), "problem": problem},
        )
