"""Bytes that a door refused although they are DICOM: kept aside for a person to look at, within bounds.

Whoever sent them was told that they were not stored; nothing but the administration shows them.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from accounts import audit
from viewer.archive import rows
from viewer.archive.rows import Sender
from viewer.archive.storage import BlobStore, Received, StorageFull, blob_store
from viewer.dicom.read import looks_like_dicom
from viewer.models import Blob, Quarantined

logger = logging.getLogger(__name__)

MOST_OBJECTS = 1000
"""That nobody has looked at yet."""


def keep(
    received: Received,
    sender: Sender,
    reason: str,
    *,
    sop_instance_uid: str = "",
    study_instance_uid: str = "",
    store: BlobStore | None = None,
) -> bool:
    """Put refused bytes aside, for the organization of `sender` and under its door; says whether they are there.

    What is no DICOM at all is not kept, nor anything once the quarantine is full. The bytes are used up either way. Never
    raises for want of room or of the database: the refusal stands as it is.
    """
    store = store or blob_store()
    try:
        if not looks_like_dicom(received.path) or not _has_room(received.size):
            return False
        with store.holding():
            store.keep(received)
            rows.patiently(lambda: _record(received, sender, reason, sop_instance_uid, study_instance_uid))
        return True
    except (StorageFull, rows.DatabaseBusy, OSError) as problem:
        logger.warning("A refused object could not be put aside: %s", problem)
        return False
    finally:
        store.discard(received)


def keep_file(path: Path, sender: Sender, reason: str, **uids: str) -> bool:
    """As `keep`, for bytes that lie in a file of their own; the file stays where it is."""
    store = blob_store()
    if not settings.FARVIEW_QUARANTINE_BYTES or not looks_like_dicom(path):
        return False
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            received = store.receive(file, limit=settings.FARVIEW_QUARANTINE_BYTES, expected=size)
    except Exception as problem:  # whatever it is, the refusal stands as it is
        logger.warning("A refused object could not be put aside: %s", type(problem).__name__)
        return False
    return keep(received, sender, reason, store=store, **uids)


def _has_room(size: int) -> bool:
    waiting = Quarantined.objects.filter(resolved_at=None)
    held = waiting.aggregate(size=Sum("blob__size"))["size"] or 0
    room = held + size <= settings.FARVIEW_QUARANTINE_BYTES and waiting.count() < MOST_OBJECTS
    if not room:
        logger.warning("The quarantine is full: a refused object was not put aside")
    return room


def _record(
    received: Received, sender: Sender, reason: str, sop_instance_uid: str, study_instance_uid: str
) -> Quarantined:
    Blob.objects.get_or_create(sha256=received.sha256, defaults={"size": received.size})
    row, made = Quarantined.objects.get_or_create(
        organization=sender.organization,
        blob_id=received.sha256,
        defaults={
            "door": sender.origin[:16],
            "sender": str(sender.actor)[:100],
            "reason": reason[:300],
            "sop_instance_uid": sop_instance_uid[:64],
            "study_instance_uid": study_instance_uid[:64],
        },
    )
    if made:
        audit.record(
            "object.quarantine",
            actor=sender.actor,
            origin=sender.address,
            organization=sender.organization.name,
            study_instance_uid=study_instance_uid,
            object_uid=sop_instance_uid,
            outcome="failure",
            detail={"door": sender.origin, "reason": reason},
        )
    return row
