"""C-STORE (PS3.4 B): an object becomes durable and is recorded, and only then the peer hears of success."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

from django.db import DatabaseError
from pydicom.dataset import Dataset
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event

from viewer.archive import quarantine
from viewer.archive.ingest import Admitted, Outcome, admitted, note_refusals
from viewer.archive.rows import DatabaseBusy, Sender
from viewer.archive.sources import Left
from viewer.archive.storage import StorageFull, TooLarge
from viewer.dicom.read import ParsedInstance
from viewer.dimse import admission
from viewer.dimse.limits import limits
from viewer.dimse.storing_batches import batches
from viewer.dimse.storing_file import ArrivingFile
from viewer.models import DicomPeer

logger = logging.getLogger(__name__)

SUCCESS = 0x0000
CANNOT_UNDERSTAND = 0xC000
"""PS3.4 B.2.3, as the others here."""
OUT_OF_RESOURCES = 0xA700
DOES_NOT_MATCH = 0xA900
KEPT_BESIDE_ANOTHER = 0xB000
"""A warning, so that nobody sends it again: the bytes are safe, but another object is held under the UID. Decision 0033."""
NOT_AUTHORIZED = 0x0124
"""PS3.7 C.5.7."""
DOOR = "c-store"
ANOTHER_OBJECT = "the data set is of another object than the command says"
COMMENT_LENGTH = 64


def store(event: Event) -> int | Dataset:
    """Handler of C-STORE requests: the status, with a comment where something is wrong."""
    file = _file(event)
    try:
        if not admission.may(event.assoc, "store"):
            return answer(NOT_AUTHORIZED, "this peer may not store")
        if file.problem is not None:
            return _not_received(file.problem)
        return _take(event, file, admission.peer_of(event.assoc))
    except (StorageFull, DatabaseBusy) as problem:
        logger.warning("An object by C-STORE was refused: %s", problem)
        return answer(OUT_OF_RESOURCES, str(problem))
    except admission.Withdrawn:
        return answer(NOT_AUTHORIZED, "this peer may not store")
    except (OSError, DatabaseError) as problem:  # of our own machine: the sender is to keep it and send it again
        return _not_received(problem)
    finally:
        file.close()


def _file(event: Event) -> ArrivingFile:
    """Where the object is; one that came in a single piece is written now."""
    request: Any = event.request
    if isinstance(request._dataset_file, ArrivingFile):
        return request._dataset_file
    file = ArrivingFile(
        sop_class_uid=str(request.AffectedSOPClassUID),
        sop_instance_uid=str(request.AffectedSOPInstanceUID),
        transfer_syntax_uid=str(event.context.transfer_syntax),
        limit=limits().object_bytes,
    )
    if request.DataSet is not None:
        file.write(request.DataSet.getvalue())
    return file


def _not_received(problem: Exception) -> Dataset:
    if isinstance(problem, StorageFull | TooLarge):
        logger.warning("An object by C-STORE was refused: %s", problem)
        return answer(OUT_OF_RESOURCES, str(problem))
    logger.error("An object by C-STORE could not be written: %s", type(problem).__name__)
    return answer(OUT_OF_RESOURCES, "the archive cannot write it")


def _take(event: Event, file: ArrivingFile, peer: DicomPeer) -> int | Dataset:
    sender = Sender(peer.organization, admission.actor(peer), DOOR, cast(Any, event.assoc).address)
    received, request = file.received(), cast(C_STORE, event.request)
    instance_uid, class_uid = str(request.AffectedSOPInstanceUID), str(request.AffectedSOPClassUID)
    found = admitted(instance_uid, received, _of_another_object(instance_uid, class_uid))
    if isinstance(found, Admitted):
        return _status(batches().acknowledged(found, sender, file))
    quarantine.keep(received, sender, found.reason, sop_instance_uid=instance_uid)
    return _refused(found, sender)


def _of_another_object(instance_uid: str, class_uid: str) -> Callable[[ParsedInstance], str]:
    """Command and data set name the same instance and the same class (PS3.7 9.1.1.1)."""

    def unwanted(parsed: ParsedInstance) -> str:
        same = parsed.sop_instance_uid == instance_uid and parsed.sop_class_uid == class_uid
        return "" if same else ANOTHER_OBJECT

    return unwanted


def _refused(found: Left, sender: Sender) -> Dataset:
    note_refusals([Outcome(found.name, "refused", found.reason)], sender)
    return answer(DOES_NOT_MATCH if found.reason == ANOTHER_OBJECT else CANNOT_UNDERSTAND, found.reason)


def _status(outcome: Outcome) -> int | Dataset:
    if outcome.outcome in ("stored", "duplicate"):
        return SUCCESS
    if outcome.outcome == "conflict":
        return answer(KEPT_BESIDE_ANOTHER, "another object is held under this UID; this one is kept aside")
    return answer(CANNOT_UNDERSTAND, outcome.reason)


def answer(status: int, comment: str) -> Dataset:
    """A status with an Error Comment (0000,0902), as much of it as there is room for."""
    found = Dataset()
    found.Status = status
    found.ErrorComment = comment.encode("ascii", "replace").decode()[:COMMENT_LENGTH]
    return found
