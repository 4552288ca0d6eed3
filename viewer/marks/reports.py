"""The structured report of a study's measurements: written into the archive when they have changed and come to rest.

Its SOP Instance UID is made of the measurements and their versions: the same state is the same object, so that writing it twice
does nothing, whoever asks, and a state that is not there yet is known without reading a file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Max, QuerySet
from django.utils import timezone
from pydicom.uid import ComprehensiveSRStorage

from accounts.models import User
from viewer.archive.rows import DatabaseBusy
from viewer.archive.storage import StorageFull
from viewer.models import Instance, Measurement, Series, Study
from viewer.objects.header import Reference, SeriesOfObject, uid_of
from viewer.objects.measurement_report import InPatient, Mark, OnImage, Report, sop_class, write
from viewer.rendering import planes

from . import apart
from .acquired import Acquired, any_frame, named
from .filing import NotFiled, begun, filed
from .measurements import of_study

logger = logging.getLogger(__name__)

SERIES_NUMBER = 9001
SERIES_DESCRIPTION = "Measurements"
QUIET = timedelta(seconds=60)
"""How long nothing may have changed before the report is written by itself."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""To be asked from when everything is to be looked at again."""

Axes = tuple[Sequence[float], Sequence[float]]


class NothingToWrite(ValueError):
    """The study has no measurements, and never had a report of them."""


def write_report(study: Study, actor: User | str) -> str:
    """The SOP Instance UID of a report of the measurements as they are now, which is in the archive when this returns.

    Raises NothingToWrite, NotFiled, StorageFull, DatabaseBusy, DicomError, OSError.
    """
    if apart.authors(study):
        raise NotFiled(apart.NOT_YET)
    marks = [mark for mark in of_study(study) if not mark.source_sop_instance_uid]
    series_uid = uid_of_series(study)
    former = list(_reports(study))
    uids = [one.sop_instance_uid for one in former]
    if former and uids[0] == uid_of_state(study, marks, *uids[1:2]):
        return str(uids[0])
    # Each is named after the one before: a state of things that comes back is a new report, for the newest counts.
    sop_instance_uid = uid_of_state(study, marks, *uids[:1])
    if not marks and not former:
        raise NothingToWrite("this study has no measurements")
    written = _written(marks)
    place = SeriesOfObject(
        sop_class_uid=sop_class(written) if marks else str(ComprehensiveSRStorage),
        modality="SR",
        series_instance_uid=series_uid,
        number=SERIES_NUMBER,
        description=SERIES_DESCRIPTION,
        instance_number=len(former) + 1,
        sop_instance_uid=sop_instance_uid,
    )
    dataset = begun(study, place, _about(study, marks), _changed(study, marks))
    write(
        dataset,
        Report(written, _modalities(study, marks), _predecessor(study, series_uid, former[0] if former else None)),
    )
    filed(dataset, study, actor)
    return sop_instance_uid


def _changed(study: Study, marks: Sequence[Measurement]) -> datetime:
    """When the measurements came to be as they are. Whoever writes this state of things writes the same bytes."""
    if marks:
        return max(mark.updated_at for mark in marks)
    found: datetime | None = Measurement.objects.filter(study=study).aggregate(last=Max("updated_at"))["last"]
    return found or timezone.now()


def uid_of_series(study: Study) -> str:
    """Of the series that holds the reports of a study, in this archive."""
    home = study.organization
    return str(uid_of("measurements", home.name, home.created_at.isoformat(), study.study_instance_uid))


def uid_of_state(study: Study, marks: Iterable[Measurement], *before: str) -> str:
    """Of the report that holds exactly these measurements in these versions, after the report `before`."""
    state = sorted((mark.uid, mark.version) for mark in marks)
    return str(uid_of("measurement report", uid_of_series(study), *state, *before))


def _reports(study: Study) -> QuerySet[Instance]:
    """Those of a study that were written here, the newest first."""
    held = Instance.objects.filter(series__study=study, series__series_instance_uid=uid_of_series(study))
    return held.defer("index").order_by("-id")


def due(now: datetime, since: datetime | None = None) -> list[Study]:
    """Studies whose measurements have rested since `QUIET` before `now`, and changed after `since` (None: ever)."""
    rows = Measurement.objects.filter(source_sop_instance_uid="")
    if since is not None:
        rows = rows.filter(study__in=rows.filter(updated_at__gt=since).values("study"))
    found = rows.values("study").annotate(changed=Max("updated_at")).filter(changed__lte=now - QUIET)
    studies = Study.objects.filter(pk__in=[row["study"] for row in found])
    return list(studies.select_related("organization", "patient").order_by("id"))


def is_written(study: Study) -> bool:
    """Whether the archive holds a report of the measurements as they are now, or none is needed."""
    marks = [mark for mark in of_study(study) if not mark.source_sop_instance_uid]
    uids = list(_reports(study).values_list("sop_instance_uid", flat=True)[:2])
    return uids[0] == uid_of_state(study, marks, *uids[1:]) if uids else not marks


def newest(study: Study) -> tuple[str | None, bool]:
    """The SOP Instance UID of the newest report, and whether it holds the measurements as they are now."""
    return _reports(study).values_list("sop_instance_uid", flat=True).first(), is_written(study)


def write_due(actor: str, since: datetime | None = None) -> tuple[datetime, list[str]]:
    """Write what is due; returns the time to ask from next, and the SOP Instance UIDs written."""
    now, written = timezone.now(), []
    changed = due(now, since)
    studies = apart.rested(changed)
    again = len(studies) < len(changed)
    for study in studies:
        try:
            if not is_written(study):
                written.append(write_report(study, actor))
        except (DatabaseBusy, StorageFull) as problem:  # which passes: it is looked for again
            again = True
            logger.warning("the report of a study's measurements waits to be written: %s", problem)
        except NotFiled as problem:  # until its images agree
            logger.warning("the report of a study's measurements is not written: %s", problem)
        except Exception:  # one study that cannot be written keeps none of the others; it is tried at its next change
            logger.exception("the report of a study's measurements could not be written")
    return (since or EVER) if again else now - 2 * QUIET, written


# --- rows as marks


def _written(marks: Sequence[Measurement]) -> list[Mark]:
    images = _frames(marks)
    counted: dict[str, int] = {}
    found = []
    for mark in marks:
        counted[mark.kind] = counted.get(mark.kind, 0) + 1
        image = images.get((mark.sop_instance_uid, mark.frame_number or 1))
        found.append(
            Mark(
                uid=mark.uid,
                identifier=mark.label or f"{mark.kind.capitalize()} {counted[mark.kind]}",
                kind=mark.kind,
                label=mark.label,
                observer=_observer(mark),
                values=mark.values,
                series_instance_uid=mark.series_instance_uid,
                notes=mark.notes,
                on_image=_on_image(mark, image),
                in_patient=_in_patient(mark, image),
            )
        )
    return found


def _frames(marks: Sequence[Measurement]) -> dict[tuple[str, int], Acquired]:
    return named(marks[0].study, (mark.sop_instance_uid for mark in marks)) if marks else {}


def _on_image(mark: Measurement, image: Acquired | None) -> OnImage | None:
    if image is None:
        return None
    points = mark.points if mark.space == "image" else image.pixels(mark.points)
    return None if points is None else OnImage(image.reference, image.frame_number, points)


def _in_patient(mark: Measurement, image: Acquired | None) -> InPatient | None:
    if mark.space != "patient" or not mark.frame_of_reference_uid:
        return None
    return InPatient(mark.frame_of_reference_uid, mark.points, _axes(mark, image))


def _axes(mark: Measurement, image: Acquired | None) -> Axes:
    """Along which the measurement's picture was counted."""
    plane = mark.view.get("plane") or "acquired"
    if isinstance(plane, dict):
        return plane["row"], plane["column"]
    if plane in planes.NAMED:
        return planes.NAMED[plane]
    source = image.source if image is not None else any_frame(mark.organization, mark.series_instance_uid)
    if source is None or source.orientation is None:
        return planes.NAMED["axial"]
    return source.orientation


def _observer(mark: Measurement) -> str:
    """As DICOM writes names."""
    user = mark.author
    if user is not None and (user.last_name or user.first_name):
        return f"{_plain(user.last_name)}^{_plain(user.first_name)}".rstrip("^")[:64]
    return _plain(mark.author_name)[:64] or "unknown"


def _plain(name: str) -> str:
    """Without the characters that part a Person Name."""
    return " ".join(name.translate(dict.fromkeys(map(ord, "\\^="), " ")).split())


def _modalities(study: Study, marks: Sequence[Measurement]) -> list[str]:
    used = {mark.series_instance_uid for mark in marks}
    rows = Series.objects.filter(study=study, series_instance_uid__in=used)
    return sorted(set(rows.values_list("modality", flat=True)))


def _about(study: Study, marks: Iterable[Measurement]) -> set[str]:
    """SOP Instance UIDs of the images that were measured; of a plane through a volume all of its series."""
    named_ones = {mark.sop_instance_uid for mark in marks if mark.sop_instance_uid}
    through = {mark.series_instance_uid for mark in marks if not mark.sop_instance_uid}
    rows = Instance.objects.served().filter(series__study=study, series__series_instance_uid__in=through)
    return named_ones | set(rows.values_list("sop_instance_uid", flat=True))


def _predecessor(study: Study, series_uid: str, former: Instance | None) -> Reference | None:
    if former is None:
        return None
    return Reference(study.study_instance_uid, series_uid, former.sop_class_uid, former.sop_instance_uid)
