"""Key images as objects of the archive: a presentation state or a captured picture for each, and one selection of them all.

Every SOP Instance UID is made of what the object says, and every time in it is that of the reader's act: the same state of
things is the same bytes, so that writing it twice, at once or on another day, changes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import Max
from django.utils import timezone
from pydicom.dataset import Dataset

from accounts.models import User
from viewer.archive.ingest import limits
from viewer.archive.query import NotFound, instance_files
from viewer.archive.rows import DatabaseBusy
from viewer.archive.storage import StorageFull, blob_store
from viewer.dicom.documents import KO, summary
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import frame_sources
from viewer.engine.engine import Drawn
from viewer.engine.errors import Busy, CannotDraw
from viewer.models import Instance, KeyImage, Measurement, Study
from viewer.objects import captured_picture, key_object, presentation_state
from viewer.objects.captured_picture import Captured
from viewer.objects.header import Reference, SeriesOfObject, uid_of
from viewer.objects.key_object import Selected, Selection
from viewer.objects.presentation_state import State
from viewer.rendering.view import BadView

from . import apart
from .acquired import any_frame
from .filing import NotFiled, begun, filed
from .key_images import of_study
from .showing import is_plain, state_of, state_over
from .subject import AnotherPatient

logger = logging.getLogger(__name__)

QUIET = timedelta(seconds=60)
"""How long nothing may have changed before the objects are written by themselves."""
EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""To be asked from when everything is to be looked at again."""
DEFAULT_TITLE = "of interest"
LARGEST = 2**24
"""Pixels of a picture that is captured."""

Draw = Callable[[KeyImage], Awaitable[Drawn]]
Thread = Callable[[Callable[..., Any]], Callable[..., Awaitable[Any]]]
"""What takes a blocking function off the event loop."""


class NothingToWrite(ValueError):
    """The study has no key images."""


@dataclass(frozen=True, slots=True)
class _Series:
    key: str
    number: int
    description: str
    modality: str


STATES = _Series("presentation states", 9002, "Key image presentation", "PR")
PICTURES = _Series("captured pictures", 9003, "Key images of other planes", "OT")
SELECTIONS = _Series("key objects", 9004, "Key images", "KO")


@dataclass(slots=True)
class Written:
    """What writing came to. `left_out`: `uid` of key images that could not be written, with the reason."""

    sop_instance_uid: str = ""
    objects: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Work:
    """One key image on its way into the archive."""

    kept: KeyImage
    marks: list[Measurement] = field(default_factory=list)
    image: Reference | None = None
    """What it is a picture of, where that is one image."""
    state: State | None = None
    """None: its picture is captured."""


@dataclass(slots=True)
class _Task:
    """Writing the key images of one study."""

    study: Study
    actor: User | str
    draw: Draw
    thread: Thread
    written: Written = field(default_factory=Written)


async def write(
    study: Study, actor: User | str, draw: Draw, title: str | None = None, thread: Thread = sync_to_async
) -> Written:
    """Write what the key images of a study are now; what the archive holds already is not written again.

    `title` is one of `key_object.TITLES`; without one the selection is for whom the one before it was. `draw` draws a key
    image's View exactly. Raises NothingToWrite, NotFiled, StorageFull, DatabaseBusy, DicomError, OSError.
    """
    task = _Task(study, actor, draw, thread)
    works = await thread(_begun)(study)
    selected = [await _one(work, task) for work in works]
    picked = [(work, one) for work, one in zip(works, selected, strict=True) if one is not None]
    if not picked:
        reasons = "; ".join(dict.fromkeys(task.written.left_out.values()))
        raise NothingToWrite(f"none of the key images can be written: {reasons}")
    await thread(_select)(task, picked, title)
    return task.written


def _begun(study: Study) -> list[_Work]:
    if apart.authors(study):
        raise NotFiled(apart.NOT_YET)
    kept = of_study(study)
    if not kept:
        raise NothingToWrite("this study has no key images")
    marks = {mark.uid: mark for mark in Measurement.objects.filter(study=study, deleted_at=None)}
    works = [_Work(one, marks=[marks[uid] for uid in one.measurements if uid in marks]) for one in kept]
    for work in works:
        if work.kept.sop_instance_uid:
            _place(work, study)
    return works


def _place(work: _Work, study: Study) -> None:
    """The stored frame that a key image shows, and how, where a presentation state can say it."""
    kept = work.kept
    rows = Instance.objects.served().filter(series__study=study, sop_instance_uid=kept.sop_instance_uid)
    row = rows.select_related("series").first()
    if row is None:
        return
    work.image = _reference(row, study)
    try:
        (file,) = instance_files(rows, blob_store())
        frame = next((one for one in frame_sources(file) if one.frame_number == (kept.frame_number or 1)), None)
        if frame is not None and is_plain(kept.view):
            frame_number = frame.frame_number if row.number_of_frames > 1 else None
            work.state = state_of(
                kept, frame, work.image, frame_number, work.marks, author_of(kept), _label(kept, row, study)
            )
    except (DicomError, BadView):
        work.state = None


def _label(kept: KeyImage, row: Instance, study: Study) -> str:
    """ "IMAGE 34", of another key image of the same one "IMAGE 34 B": told apart where states are chosen, for good."""
    several = row.number_of_frames > 1
    number = kept.frame_number if several else row.instance_number
    what = "FRAME" if several else "IMAGE"
    before = KeyImage.objects.filter(
        study=study, sop_instance_uid=kept.sop_instance_uid, frame_number=kept.frame_number, pk__lt=kept.pk
    ).count()
    again = "" if not before else chr(ord("A") + before) if before < 26 else str(before + 1)
    return " ".join(str(part) for part in (what, number, again) if part not in (None, ""))


async def _one(work: _Work, task: _Task) -> Selected | None:
    """Bring one key image into the archive; what of it the selection names, or None with a reason in `task.written`."""
    try:
        if work.state is None or work.image is None:
            return await _capture(work, task)
        reference = await task.thread(_put_state)(work, work.state, task)
    except AnotherPatient as problem:
        task.written.left_out[work.kept.uid] = str(problem)
        return None
    return Selected(work.image, work.state.frame_number, reference)


def _put_state(work: _Work, state: State, task: _Task) -> Reference:
    study, kept = task.study, work.kept
    said = [(mark.uid, mark.version) for mark in work.marks]
    kind = presentation_state.sop_class(state)
    uid = _uid(study, STATES, kept.uid, digest_of(kept.view, kept.note, said))
    if not _is_held(study, uid):
        about = [work.image] if work.image is not None else []
        dataset = _new(study, STATES, kind, uid, kept.pk, _latest(kept, work.marks), about)
        presentation_state.write(dataset, state)
        _file(dataset, task)
    return Reference(study.study_instance_uid, series_uid(study, STATES), kind, uid)


async def _capture(work: _Work, task: _Task) -> Selected | None:
    """The very pixels of a key image, as they were when it was marked, and a state with its measurements where it has any."""
    kept, study, left_out = work.kept, task.study, task.written.left_out
    uid = _uid(study, PICTURES, kept.uid, kept.sha256)
    reference = Reference(study.study_instance_uid, series_uid(study, PICTURES), captured_picture.SOP_CLASS, uid)
    held = await task.thread(_is_held)(study, uid)
    if held and not work.marks:
        return Selected(reference)
    if kept.rows * kept.columns > LARGEST:
        left_out[kept.uid] = f"its picture has more than {LARGEST:,} pixels"
        return None
    drawn, why = await _drawn_again(kept, task)
    if drawn is None or drawn.picture is None:
        if not held:
            left_out[kept.uid] = why
        return Selected(reference) if held else None
    await task.thread(_put_picture)(work, drawn.header, drawn.picture.picture.pixels, uid, task)
    over = None
    if work.marks:
        over = await task.thread(_put_state_over)(work, drawn.header, drawn.picture.picture.pixels, reference, task)
    return Selected(reference, None, over)


async def _drawn_again(kept: KeyImage, task: _Task) -> tuple[Drawn | None, str]:
    """The picture of a key image as it was when it was marked; None with the reason where it cannot be had. Raises Busy: it
    can be drawn, only not now, and a selection without it would say that nobody marked it."""
    try:
        drawn = await task.draw(kept)
    except Busy:
        raise
    except (BadView, CannotDraw, NotFound) as problem:
        return None, f"its picture cannot be drawn any more: {problem}"
    if drawn.picture is None or drawn.header.get("sha256") != kept.sha256:
        return None, "its picture is not drawn as it was when it was marked"
    return drawn, ""


def _put_picture(work: _Work, header: dict[str, Any], pixels: Any, uid: str, task: _Task) -> None:
    kept = work.kept
    if _is_held(task.study, uid):
        return
    lossy = header.get("source_lossy")
    picture = Captured(
        pixels=pixels,
        description=_derivation(kept),
        sources=_sources(work, task.study),
        pixel_spacing=_millimetres(header),
        lossy=None if lossy is None else (str(lossy["ratio"] or ""), str(lossy["method"] or "")),
    )
    dataset = _new(task.study, PICTURES, captured_picture.SOP_CLASS, uid, kept.pk, kept.created_at, picture.sources)
    captured_picture.write(dataset, picture)
    _file(dataset, task)


def _put_state_over(
    work: _Work, header: dict[str, Any], pixels: Any, captured: Reference, task: _Task
) -> Reference | None:
    """The measurements of a captured picture, as drawings beside its pixels."""
    study, kept = task.study, work.kept
    source = any_frame(study.organization, kept.series_instance_uid)
    space = source.frame_of_reference_uid if source is not None else ""
    number = KeyImage.objects.filter(study=study, pk__lte=kept.pk).count()
    state = state_over(kept, header, captured, work.marks, space, author_of(kept), f"PICTURE {number}")
    if state is None:
        return None
    state = replace(state, colour=pixels.ndim == 3)
    kind = presentation_state.sop_class(state)
    said = [(mark.uid, mark.version) for mark in work.marks]
    uid = _uid(study, STATES, kept.uid, digest_of(captured.sop_instance_uid, kept.note, said))
    if not _is_held(study, uid):
        dataset = _new(study, STATES, kind, uid, kept.pk, _latest(kept, work.marks), _sources(work, study))
        presentation_state.write(dataset, state)
        _file(dataset, task)
    return Reference(study.study_instance_uid, series_uid(study, STATES), kind, uid)


def _millimetres(header: dict[str, Any]) -> tuple[float, float] | None:
    """Of a slice. Where the picture looks through a volume, a length in it is no length in the patient."""
    spacing = header.get("pixel_spacing")
    if spacing is None or header["view"].get("projection") != "slice":
        return None
    return float(spacing[0]), float(spacing[1])


def _derivation(kept: KeyImage) -> str:
    view = kept.view
    plane = view["plane"] if isinstance(view.get("plane"), str) else "oblique"
    what = f"{plane} plane, {view.get('projection', 'slice')}"
    whence = f"Drawn by Farview ({kept.renderer}) from series {kept.series_instance_uid}"
    return f"{whence}: {what}. SHA-256 of the pixels {kept.sha256}"


def _sources(work: _Work, study: Study) -> list[Reference]:
    """The image that the picture shows, else all of its series, and those of a series that is laid over it."""
    found = [work.image] if work.image is not None else _images_of(work.kept.series_instance_uid, study)
    fusion = work.kept.view.get("fusion")
    return found + (_images_of(fusion["series"], study) if fusion else [])


def _images_of(series: str, study: Study) -> list[Reference]:
    rows = Instance.objects.served().filter(
        organization=study.organization, series__series_instance_uid=series, number_of_frames__gt=0
    )
    found = rows.select_related("series__study").defer("index").order_by("id")[: captured_picture.SOURCES]
    return [_reference(row, row.series.study) for row in found]


def _select(task: _Task, picked: Sequence[tuple[_Work, Selected]], title: str | None) -> None:
    """The one selection of all that were brought into the archive."""
    study = task.study
    former = _selections(study)
    title = title or _title_of(study, former)
    selected = [one for _, one in picked]
    said = [
        (one.of.sop_instance_uid, one.frame_number, one.state and one.state.sop_instance_uid, work.kept.note)
        for work, one in picked
    ]
    observers = list(dict.fromkeys(author_of(work.kept) for work, _ in picked))
    # Each is named after the one before: a state of things that comes back is a new selection, for the newest counts.
    state = digest_of(title, said, observers)
    if former and former[0] == _uid(study, SELECTIONS, state, *former[1:2]):
        task.written.sop_instance_uid = former[0]
        return
    uid = task.written.sop_instance_uid = _uid(study, SELECTIONS, state, *former[:1])
    notes = [f"{number}: {work.kept.note}" for number, (work, _) in enumerate(picked, 1) if work.kept.note]
    about = [one.of for one in selected]
    dataset = _new(study, SELECTIONS, key_object.SOP_CLASS, uid, len(former) + 1, _changed(study), about)
    key_object.write(dataset, Selection(title, observers, selected, "\n".join(notes)))
    _file(dataset, task)


# --- what every one of them needs


def series_uid(study: Study, series: _Series) -> str:
    """Of the series that holds this kind of object of a study, in this archive."""
    home = study.organization
    return str(uid_of(series.key, home.name, home.created_at.isoformat(), study.study_instance_uid))


def digest_of(*said: object) -> str:
    return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def author_of(kept: KeyImage) -> str:
    """As DICOM writes names."""
    user = kept.author
    if user is not None and (user.last_name or user.first_name):
        return f"{user.last_name}^{user.first_name}".rstrip("^")
    return str(kept.author_name or "unknown")


def _uid(study: Study, series: _Series, *said: str) -> str:
    return str(uid_of(series_uid(study, series), *said))


def _is_held(study: Study, sop_instance_uid: str) -> bool:
    found: bool = Instance.objects.filter(organization=study.organization, sop_instance_uid=sop_instance_uid).exists()
    return found


def _reference(row: Instance, study: Study) -> Reference:
    return Reference(study.study_instance_uid, row.series.series_instance_uid, row.sop_class_uid, row.sop_instance_uid)


def _new(
    study: Study, series: _Series, sop_class: str, uid: str, number: int, when: datetime, about: Iterable[Reference]
) -> Dataset:
    """A data set about images of this study, dated `when`. Raises NotFiled, DicomError, OSError."""
    place = SeriesOfObject(
        sop_class_uid=sop_class,
        modality=series.modality,
        series_instance_uid=series_uid(study, series),
        number=series.number,
        description=series.description,
        instance_number=number,
        sop_instance_uid=uid,
    )
    return begun(study, place, [one.sop_instance_uid for one in about], when)


def _file(dataset: Dataset, task: _Task) -> None:
    filed(dataset, task.study, task.actor)
    task.written.objects.append(str(dataset.SOPInstanceUID))


def _latest(kept: KeyImage, marks: Iterable[Measurement]) -> datetime:
    times: list[datetime | None] = [kept.created_at, kept.changed_at, *(mark.updated_at for mark in marks)]
    return max(time for time in times if time is not None)


def _changed(study: Study) -> datetime:
    """When a key image of the study was last made or deleted, or a measurement changed."""
    found = KeyImage.objects.filter(study=study).aggregate(
        made=Max("created_at"), noted=Max("changed_at"), dropped=Max("deleted_at")
    )
    marks = Measurement.objects.filter(study=study).aggregate(changed=Max("updated_at"))
    times: list[datetime | None] = [found["made"], found["noted"], found["dropped"], marks["changed"]]
    return max(time for time in times if time is not None)


# --- by itself


def due(now: datetime, since: datetime | None = None) -> list[Study]:
    """Studies with key images that changed after `since` (None: ever) and have rested since `QUIET` before `now`."""
    current = KeyImage.objects.filter(deleted_at=None).values("study")
    studies = Study.objects.filter(pk__in=current).select_related("organization", "patient").order_by("id")
    if since is not None:
        changed = (
            set(KeyImage.objects.filter(created_at__gt=since).values_list("study", flat=True))
            | set(KeyImage.objects.filter(deleted_at__gt=since).values_list("study", flat=True))
            | set(KeyImage.objects.filter(changed_at__gt=since).values_list("study", flat=True))
            | set(Measurement.objects.filter(updated_at__gt=since).values_list("study", flat=True))
        )
        studies = studies.filter(pk__in=changed)
    return [study for study in studies if _changed(study) <= now - QUIET]


async def write_due(
    actor: str, draw: Draw, since: datetime | None = None, thread: Thread = sync_to_async
) -> tuple[datetime, list[str]]:
    """Write what is due; returns the time to ask from next, and the SOP Instance UIDs written."""
    now = timezone.now()
    objects: list[str] = []
    changed = await thread(due)(now, since)
    studies = await thread(apart.rested)(changed)
    again = len(studies) < len(changed)
    for study in studies:
        try:
            objects += (await write(study, actor, draw, thread=thread)).objects
        except NothingToWrite:
            continue
        except (Busy, DatabaseBusy, StorageFull) as problem:  # which passes: it is looked for again
            again = True
            logger.warning("The key images of a study wait to be written: %s", problem)
        except Exception:  # one study that cannot be written keeps none of the others
            logger.exception("The key images of a study could not be written")
    return (since or EVER) if again else now - 2 * QUIET, objects


def _selections(study: Study) -> list[str]:
    """SOP Instance UIDs of the selections that were written here, newest first."""
    rows = Instance.objects.filter(series__study=study, series__series_instance_uid=series_uid(study, SELECTIONS))
    return list(rows.order_by("-id").values_list("sop_instance_uid", flat=True))


def _title_of(study: Study, former: Sequence[str]) -> str:
    """For whom the newest selection is."""
    for row in Instance.objects.filter(organization=study.organization, sop_instance_uid__in=former[:1]):
        written = summary(blob_store().path(row.blob_id), KO, limits()).title
        return next((name for name, concept in key_object.TITLES.items() if concept[2] == written), DEFAULT_TITLE)
    return DEFAULT_TITLE


def superseded(study: Study) -> set[str]:
    """SOP Instance UIDs of selections written here that no longer say what the key images of the study are: the archive
    keeps each, and only the newest counts, as long as there are key images at all."""
    current = KeyImage.objects.filter(study=study, deleted_at=None).exists()
    return set(_selections(study)[1 if current else 0 :])


def newest(study: Study) -> str | None:
    """The SOP Instance UID of the newest selection that was written here; None where there is none."""
    return next(iter(_selections(study)), None)
