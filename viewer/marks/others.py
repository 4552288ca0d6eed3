"""Measurements that other programs wrote as structured reports: read once each, kept as rows that nobody here can change.

A report that names another one as its predecessor takes its place. A measurement that a reader drew here is known by its
tracking UID in whatever report it comes back, and is not doubled.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.core.cache import cache
from django.utils import timezone

from viewer.archive import outbox, rows
from viewer.archive.storage import blob_store
from viewer.dicom.apart import Waiting
from viewer.dicom.errors import Refused
from viewer.models import Instance, Measurement, Series, Study
from viewer.objects.header import uid_of
from viewer.objects.measurement_reader import CLASSES, Document, Found, read
from viewer.objects.reading_apart import read_apart

from . import acquired
from .measurements import NEWS
from .reports import uid_of_series

logger = logging.getLogger(__name__)

LARGEST = 16 << 20
"""Bytes of a report that is read at all."""
SMALL = 256 << 10
"""Bytes of one that is read while somebody waits; larger ones are read by the server's own task, in a process of their own."""
READING_S = 3.0
"""After this long no further reports are read while somebody waits."""
DAY = 24 * 3600
WAITING = "it is being read"

_asked: dict[int, None] = {}
"""Studies that somebody has asked for and that hold reports for the server's own task."""


def reports_of(study: Study) -> int:
    """How many reports with measurements the study holds: our own, and those of others."""
    own = (
        Instance.objects.served().filter(series__study=study, series__series_instance_uid=uid_of_series(study)).count()
    )
    others = Measurement.objects.filter(study=study).exclude(source_sop_instance_uid="")
    return int(own + others.values("source_sop_instance_uid").distinct().count())


def read_others(study: Study, *, waited_for: bool = True) -> int:
    """Read the reports of a study that were not read yet; how many measurements were found in them. While somebody waits,
    large ones are left to `read_new`."""
    unread, until = _unread(study), time.monotonic() + READING_S
    documents = []
    for instance in unread:
        if waited_for and (instance.blob.size > SMALL or time.monotonic() > until) and instance.blob.size <= LARGEST:
            _asked[study.pk] = None
            continue
        try:
            document = _read(instance)
        except Refused as problem:
            cache.set(_key(instance), problem.reason, DAY)
            continue
        except Waiting:
            _asked[study.pk] = None
            continue
        if document is None or not document.found:
            cache.set(_key(instance), True, DAY)
        else:
            documents.append(document)
    if not documents:
        return 0
    documents.sort(key=lambda one: (one.written, one.sop_instance_uid))
    superseded = {uid for document in documents for uid in document.predecessors}
    for instance in unread:
        if instance.sop_instance_uid in superseded:
            cache.set(_key(instance), True, DAY)
    newest = [one for one in documents if one.sop_instance_uid not in superseded]
    return rows.patiently(lambda: sum(_keep(document, study) for document in newest))


def _read(instance: Instance) -> Document | None:
    """Raises Refused, Waiting."""
    size, path = instance.blob.size, blob_store().path(instance.blob_id)
    if size > LARGEST:
        raise Refused(f"it is larger than {LARGEST >> 20} MiB", "limit")
    return read(path) if size <= SMALL else read_apart(path)


def not_read(study: Study) -> list[dict[str, str]]:
    """Reports of a study out of which no measurements come, though they may hold some: which, and why."""
    found = [(one, cache.get(_key(one))) for one in _of_others(study)]
    waiting = {one.sop_instance_uid for one in _unread(study)}
    told = [
        (one.sop_instance_uid, said if isinstance(said, str) else WAITING)
        for one, said in found
        if isinstance(said, str) or one.sop_instance_uid in waiting
    ]
    return [{"sop_instance_uid": uid, "reason": reason} for uid, reason in told]


def read_new(after: int | None) -> int:
    """Read the reports that arrived after the row `after` (None: from now on), and those that somebody has asked for; the
    row to ask after next."""
    held = Instance.objects.order_by("-id").values_list("id", flat=True)
    last: int = held.first() or 0
    asked = list(_asked)
    found = Study.objects.filter(pk__in=asked)
    if after is not None and last > after:
        arrived = Instance.objects.served().filter(id__gt=after, id__lte=last, sop_class_uid__in=CLASSES)
        found = found | Study.objects.filter(pk__in=arrived.values("series__study"))
    for study in found.select_related("organization", "patient").order_by("id"):
        _asked.pop(study.pk, None)
        try:
            read_others(study, waited_for=False)
        except Exception:  # one study that cannot be read keeps none of the others
            logger.exception("the reports of a study could not be read")
    return last


def _of_others(study: Study) -> list[Instance]:
    held = Instance.objects.served().filter(series__study=study, sop_class_uid__in=CLASSES)
    held = held.exclude(series__series_instance_uid=uid_of_series(study))
    return list(held.select_related("blob").defer("index").order_by("id"))


def _unread(study: Study) -> list[Instance]:
    known = Measurement.objects.filter(study=study).exclude(source_sop_instance_uid="")
    done = set(known.values_list("source_sop_instance_uid", flat=True))
    return [one for one in _of_others(study) if one.sop_instance_uid not in done and not cache.get(_key(one))]


def _key(instance: Instance) -> str:
    return f"no-measurements:{instance.pk}:{instance.stored_at.timestamp()}"


def _keep(document: Document, study: Study) -> int:
    """Rows for a report, inside the caller's transaction."""
    frames = acquired.named(study, {found.sop_instance_uid for found in document.found})
    before = {
        mark.uid: mark
        for mark in Measurement.objects.filter(study=study).exclude(source_sop_instance_uid="")
        if mark.source_sop_instance_uid in document.predecessors
    }
    taken = dict(Measurement.objects.filter(study=study).values_list("uid", "source_sop_instance_uid"))
    kept, new = 0, []
    places: dict[str, list[acquired.Acquired]] = {}
    for number, found in enumerate(document.found):
        uid = found.tracking_uid or str(uid_of("measurement", document.sop_instance_uid, number))
        if taken.get(uid) == "":
            continue  # drawn here; it only came back
        mark = before.pop(uid, None)
        if mark is None and uid in taken:
            uid = str(uid_of("measurement", document.sop_instance_uid, number, uid))
        mark = mark or Measurement(organization=study.organization, study=study, uid=uid, version=0)
        taken[uid] = mark.source_sop_instance_uid = document.sop_instance_uid
        _fill(mark, found, study, frames, places)
        mark.save()
        new.append(mark.uid)
        kept += 1
    for gone in before.values():
        gone.deleted_at, gone.version = timezone.now(), gone.version + 1
        gone.save()
        new.append(gone.uid)
    for uid in new[-1:]:
        outbox.announce(NEWS, study.organization, {"study_instance_uid": study.study_instance_uid, "uid": uid})
    return kept


def _fill(
    mark: Measurement,
    found: Found,
    study: Study,
    frames: dict[tuple[str, int], acquired.Acquired],
    places: dict[str, list[acquired.Acquired]],
) -> None:
    frame = frames.get((found.sop_instance_uid, found.frame_number or 1))
    mark.kind, mark.label, mark.space, mark.points = found.kind, found.label, found.space, found.points
    mark.values, mark.notes = found.values, list(found.notes)
    mark.author_name, mark.deleted_at = found.observer[:200], None
    mark.version += 1
    mark.frame_of_reference_uid = found.frame_of_reference_uid
    mark.series_instance_uid = found.series_instance_uid
    if frame is None and found.space == "patient" and found.points:
        frame = _frame_through(found, study, places)
    if frame is None:
        _without_image(mark, found, study)
        return
    mark.series_instance_uid = frame.reference.series_instance_uid
    mark.sop_instance_uid, mark.frame_number = frame.reference.sop_instance_uid, frame.source.frame_number
    mark.view = {"sop_instance_uid": mark.sop_instance_uid, "frame_number": mark.frame_number}
    if mark.space == "image" and mark.points:
        there = frame.patient(mark.points) if frame.source.frame_of_reference_uid else None
        if there is not None:  # so that it is drawn in every plane that holds it
            mark.space, mark.points = "patient", there
            mark.frame_of_reference_uid = frame.source.frame_of_reference_uid


def _without_image(mark: Measurement, found: Found, study: Study) -> None:
    mark.sop_instance_uid, mark.frame_number, mark.view = found.sop_instance_uid, found.frame_number, {}
    if found.sop_instance_uid:
        mark.notes.append("the image that it refers to is not here")
    elif mark.series_instance_uid and not Series.objects.filter(
        study=study, series_instance_uid=mark.series_instance_uid
    ):
        mark.notes.append("the series that it refers to is not here")


def _frame_through(found: Found, study: Study, places: dict[str, list[acquired.Acquired]]) -> acquired.Acquired | None:
    """The acquired frame in whose plane all points lie: the nearest of its frame of reference, of its own series first.

    `places` keeps the frames of each frame of reference for the next measurement: nobody else writes meanwhile.
    """
    if found.frame_of_reference_uid not in places:
        held = Instance.objects.served().filter(series__study=study, number_of_frames__gt=0)
        same = held.filter(index__frame_of_reference=found.frame_of_reference_uid)
        uids: Sequence[str] = list(same.values_list("sop_instance_uid", flat=True)[:5000])
        places[found.frame_of_reference_uid] = list(acquired.named(study, uids).values())
    frames = places[found.frame_of_reference_uid]
    missed = [
        (frame.reference.series_instance_uid != found.series_instance_uid, frame.misses(found.points), number)
        for number, frame in enumerate(frames)
    ]
    near = sorted(one for one in missed if one[1] <= acquired.IN_THE_PLANE)
    return frames[near[0][2]] if near else None
