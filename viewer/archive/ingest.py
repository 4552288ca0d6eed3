"""Taking objects in, so that nothing acknowledged is lost.

For each object: stream it into a temporary file while hashing, read and check it, fsync, rename, fsync of the folder; then
one transaction for rows, audit and news; and only then an outcome. Several objects may share the transaction and the
folders' fsyncs: their outcomes come after it, too.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import DataError, IntegrityError

from accounts import audit
from accounts.models import Organization, User
from viewer.archive import held, rows
from viewer.archive.rejecting import note_of
from viewer.archive.rows import Arrival, Sender
from viewer.archive.sources import ZIP_FAULTS, Left, Source, from_file
from viewer.archive.storage import BlobStore, Received, TooLarge, blob_store
from viewer.dicom.errors import DicomError, NotDicom
from viewer.dicom.limits import Limits
from viewer.dicom.read import ParsedInstance, read_instance
from viewer.dicom.same import same_data_set

logger = logging.getLogger(__name__)

BATCH = 48
BATCH_S = 1.0
"""A batch is also closed after this long, so that the first images of a slow sender show soon."""
WRITERS = 4
A_DICOMDIR = partial(Left, reason="a DICOMDIR; the files beside it are taken by themselves")
Unwanted = Callable[[ParsedInstance], str]
"""Why an object is not wanted at this door, in words; empty: it is."""
HELD_ALREADY = rows.Verdict("duplicate")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object: "stored", "duplicate" (held already, the same bytes), "conflict" (kept aside and shown),
    "refused" or "skipped", with the reason of the latter three."""

    name: str
    outcome: str
    reason: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    sop_instance_uid: str = ""
    sop_class_uid: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An object that was received and found sound, not yet durable."""

    name: str
    received: Received
    parsed: ParsedInstance

    def outcome(self, outcome: str, reason: str = "") -> Outcome:
        parsed = self.parsed
        return Outcome(
            self.name,
            outcome,
            reason,
            parsed.study.study_instance_uid,
            parsed.series.series_instance_uid,
            parsed.sop_instance_uid,
            parsed.sop_class_uid,
        )


def limits() -> Limits:
    """The limits of the settings, for reading objects."""
    return Limits(
        max_object_bytes=settings.FARVIEW_MAX_OBJECT_BYTES,
        max_pixels=settings.FARVIEW_MAX_PIXELS,
        max_frames=settings.FARVIEW_MAX_FRAMES,
        max_sequence_depth=settings.FARVIEW_MAX_SEQUENCE_DEPTH,
        max_inflated_bytes=settings.FARVIEW_MAX_INFLATED_BYTES,
    )


def ingest_file(path: Path, organization: Organization, origin: str, actor: User | str) -> Outcome:
    """Take in one DICOM file that lies at `path`; the file itself is left where it is.

    Raises storage.StorageFull and rows.DatabaseBusy; nothing of the object was kept then.
    """
    sources = from_file(path, path.name)
    return next(iter(ingest(sources, Sender(organization, actor, origin), batch=1)))


def ingest(
    sources: Iterable[Source | Left],
    sender: Sender,
    *,
    batch: int = BATCH,
    store: BlobStore | None = None,
    unwanted: Unwanted = lambda parsed: "",
) -> Iterator[Outcome]:
    """Take in everything that comes from `sources`, one outcome for each, in order within a batch. What is sound and yet
    `unwanted` is refused.

    An outcome "stored", "duplicate" or "conflict" is an acknowledgement: the bytes and the rows would survive a loss of
    power. Raises storage.StorageFull and rows.DatabaseBusy; whatever was not yielded by then is not acknowledged.
    """
    store, pending, opened = store or blob_store(), [], time.monotonic()
    try:
        for source in sources:
            found = source if isinstance(source, Left) else _admit(source, store, unwanted)
            if isinstance(found, Admitted):
                pending.append(found)
            else:
                yield _left(found)
            if len(pending) >= batch or (pending and time.monotonic() - opened > BATCH_S):
                yield from acknowledge(pending, sender, store)
                pending = []
            if not pending:
                opened = time.monotonic()
        if pending:
            yield from acknowledge(pending, sender, store)
            pending = []
    finally:
        for one in pending:
            store.discard(one.received)


def _left(left: Left) -> Outcome:
    return Outcome(left.name, "refused" if left.refused else "skipped", left.reason)


def _admit(source: Source, store: BlobStore, unwanted: Unwanted) -> Admitted | Left:
    """Receive one object and check it. Whatever is wrong with it is a reason, never an exception."""
    try:
        with source.open() as file:
            received = store.receive(file, limit=limits().max_object_bytes, expected=source.size)
    except TooLarge as problem:
        return Left(source.name, str(problem), refused=True)
    except ZIP_FAULTS as problem:
        return Left(source.name, f"cannot be read: {problem}", refused=True)
    found = admitted(source.name, received, unwanted, alone=source.alone)
    if isinstance(found, Left):
        store.discard(received)
    return found


def admitted(name: str, received: Received, unwanted: Unwanted, *, alone: bool = True) -> Admitted | Left:
    """Check an object that has come. Whatever is wrong with it is a reason, never an exception; its bytes are then still
    there, for the caller to discard."""
    try:
        parsed = read_instance(received.path, limits())
    except NotDicom as problem:
        return Left(name, problem.reason, refused=alone)
    except DicomError as problem:
        directory = name.rpartition("/")[2].upper() == "DICOMDIR"
        return A_DICOMDIR(name) if directory else Left(name, problem.reason, refused=True)
    except (Exception, RecursionError) as problem:
        # A reader that stumbles over one object must not end the others; the name of the file stays out of the log.
        logger.exception("An object could not be read")
        return Left(name, f"cannot be read ({type(problem).__name__})", refused=True)
    if parsed.is_directory:
        return A_DICOMDIR(name)
    reason = unwanted(parsed)
    return Left(name, reason, refused=True) if reason else Admitted(name, received, parsed)


def acknowledge(batch: list[Admitted], sender: Sender, store: BlobStore) -> list[Outcome]:
    """Make a batch durable, record it, and only then say so. Raises StorageFull and rows.DatabaseBusy."""
    try:
        already = _sound_duplicates(batch, sender, store)
        fresh = [one for place, one in enumerate(batch) if place not in already]
        verdicts = iter(_keep(fresh, sender, store))
        outcomes = []
        for place, one in enumerate(batch):
            verdict = HELD_ALREADY if place in already else next(verdicts)
            outcomes.append(one.outcome(verdict.outcome, verdict.reason))
        return outcomes
    finally:
        for one in batch:
            store.discard(one.received)


def _sound_duplicates(batch: list[Admitted], sender: Sender, store: BlobStore) -> set[int]:
    """Places of objects that are recorded, durable and undamaged already: nothing is left to do for those.

    A stored copy that turns out damaged goes the long way and is mended by these bytes.
    """
    known = held.instances([one.parsed.sop_instance_uid for one in batch], sender.organization)
    places = ((place, one, known.get(one.parsed.sop_instance_uid)) for place, one in enumerate(batch))
    return {place for place, one, ours in places if ours and _is_held(one, ours, store)}


def _is_held(one: Admitted, ours: held.Held, store: BlobStore) -> bool:
    """Whether it is `ours`, byte for byte or but for the file's header: that is the sender's, as who wrote the file."""
    if one.received.sha256 == ours.sha256:
        uids = (one.parsed.series.series_instance_uid, one.parsed.study.study_instance_uid)
        same = uids == (ours.series_instance_uid, ours.study_instance_uid)
    else:
        same = same_data_set(one.received.path, store.path(ours.sha256), limits())
    return same and not store.damage(ours.sha256, ours.size)


def _keep(batch: list[Admitted], sender: Sender, store: BlobStore) -> list[rows.Verdict]:
    if not batch:
        return []
    with store.holding():
        if len(batch) == 1:
            places = [store.place(batch[0].received)]
        else:
            with ThreadPoolExecutor(WRITERS, thread_name_prefix="ingest") as writers:
                places = list(writers.map(lambda one: store.place(one.received), batch))
        store.settle(place.parent for place in places)
        arrivals = [
            Arrival(one.parsed, one.received.sha256, one.received.size, note_of(one.parsed, place, limits()))
            for one, place in zip(batch, places, strict=True)
        ]
        return _recorded(arrivals, sender)


def _recorded(arrivals: list[Arrival], sender: Sender) -> list[rows.Verdict]:
    """Rows for all; where the database will not have one of them, the others all the same."""
    try:
        return rows.record(arrivals, sender)
    except (DataError, IntegrityError, ValueError, TypeError) as problem:
        if len(arrivals) > 1:
            return [verdict for arrival in arrivals for verdict in _recorded([arrival], sender)]
        logger.exception("An object could not be recorded")
        return [rows.Verdict("refused", f"could not be recorded ({type(problem).__name__})")]


def note_refusals(outcomes: Iterable[Outcome], sender: Sender) -> None:
    """Write down in the audit how many objects were refused and why, without their names."""
    reasons: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.outcome == "refused":
            reasons[outcome.reason] = reasons.get(outcome.reason, 0) + 1
    if reasons:
        rows.patiently(
            lambda: audit.record(
                "object.refuse",
                actor=sender.actor,
                origin=sender.address,
                organization=sender.organization.name,
                outcome="failure",
                detail={"door": sender.origin, "count": sum(reasons.values()), "reasons": sorted(reasons)[:20]},
            )
        )
