"""Measurements as rows: kept with their version, deleted so that they can come back, compared with those of earlier studies.

Every change is one transaction of the row, its audit and its news. A change names the version it was made on; one that names
an older version changes nothing and is told what there is now.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts import audit, states
from accounts.models import User
from accounts.origin import Request
from viewer.archive import outbox, query, rows
from viewer.archive.query import NotFound
from viewer.models import Measurement, Study
from viewer.objects.header import new_uid

from .asked import Asked, BadMark, moved
from .calibrating import Ground, stand
from .taking import Taken

NEWS = "measurements.changed"
MOST = 2000
"""Current measurements of one study."""


class Overtaken(Exception):
    """Somebody else was quicker; `current` is what there is now."""

    def __init__(self, current: Measurement) -> None:
        super().__init__("it was changed meanwhile")
        self.current = current


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found for a change, and on what ground; nothing where the numbers stay as they are."""

    taken: Taken | None = None
    ground: Ground | None = None
    again: tuple[tuple[Measurement, Taken], ...] = ()
    """Measurements on the same object, by the calibration that this change makes hold."""


UNMEASURED = Measured()


class ReadOnly(Exception):
    """It was read from an object that another program wrote."""


def of_study(study: Study) -> list[Measurement]:
    """The current measurements of a study, oldest first."""
    return list(Measurement.objects.filter(study=study, deleted_at=None).order_by("created_at", "id"))


def of_uid(study: Study, uid: str) -> Measurement:
    """A measurement of a study, also a deleted one. Raises NotFound."""
    found: Measurement | None = Measurement.objects.filter(study=study, uid=uid).first()
    if found is None:
        raise NotFound("there is no such object")
    return found


def name_of(user: User) -> str:
    """A person as measurements name them."""
    return str(user.get_full_name() or user.get_username())


def asked_of(mark: Measurement) -> Asked:
    """The measurement as it would be asked for again."""
    return Asked(
        kind=mark.kind,
        label=mark.label,
        series=mark.series_instance_uid,
        stack=mark.stack,
        sop_instance_uid=mark.sop_instance_uid,
        frame_number=mark.frame_number,
        space=mark.space,
        points=mark.points,
        view=mark.view,
        follows=mark.follows,
        known=mark.values["known"]["value"] if mark.kind == "calibration" else None,
    )


# --- changes


def keep(study: Study, uid: str, asked: Asked, measured: Measured, user: User, request: Request | None) -> Measurement:
    """Keep a new measurement. Raises Overtaken where its `uid` is there already, Recalibrated, BadMark, DatabaseBusy."""
    uid = uid or str(new_uid())

    def write() -> Measurement:
        there = Measurement.objects.filter(study=study, uid=uid).first()
        if there is not None:
            raise Overtaken(there)
        if Measurement.objects.filter(study=study, deleted_at=None).count() >= MOST:
            raise BadMark(f"a study has {MOST:,} measurements at most")
        stand(study, measured.ground)
        mark = Measurement(organization=study.organization, study=study, uid=uid, kind=asked.kind, space=asked.space)
        _fill(mark, asked, measured.taken)
        mark.author, mark.author_name = user, name_of(user)
        mark.save(force_insert=True)
        _tell("measurement.create", "", mark, study, user, request)
        _remeasure(measured, study, user, request)
        return mark

    return rows.patiently(write)


def change(
    mark: Measurement, study: Study, asked: Asked, measured: Measured, user: User, request: Request | None
) -> Measurement:
    """Keep what `asked` says in place of what `mark` said, and bring a deleted one back. Who moves it is its author then.
    Raises Overtaken where `mark` is no longer the newest version, Recalibrated."""
    back = mark.deleted_at is not None
    drawn_anew = moved(asked_of(mark), asked)

    def fill(row: Measurement) -> str:
        _fill(row, asked, measured.taken)
        row.deleted_at = None
        if drawn_anew:
            row.author, row.author_name = user, name_of(user)
        return "measurement.restore" if back else "measurement.change"

    return _next_version(mark, study, user, request, fill, measured)


def drop(mark: Measurement, study: Study, measured: Measured, user: User, request: Request | None) -> Measurement:
    """Delete, so that it can come back. Raises Overtaken, Recalibrated."""

    def fill(row: Measurement) -> str:
        row.deleted_at = timezone.now()
        return "measurement.delete"

    return _next_version(mark, study, user, request, fill, measured)


def _next_version(
    mark: Measurement,
    study: Study,
    user: User,
    request: Request | None,
    fill: Callable[[Measurement], str],
    measured: Measured,
) -> Measurement:
    if mark.source_sop_instance_uid:
        raise ReadOnly("this was read from an object that another program wrote: it cannot be changed here")

    def write() -> Measurement:
        row: Measurement = Measurement.objects.select_for_update().get(pk=mark.pk)
        if row.version != mark.version:
            raise Overtaken(row)
        stand(study, measured.ground)
        before = states.digest_of_row(row)
        action = fill(row)
        row.version += 1
        row.save()
        _tell(action, before, row, study, user, request)
        _remeasure(measured, study, user, request)
        return row

    return rows.patiently(write)


def _remeasure(measured: Measured, study: Study, user: User, request: Request | None) -> None:
    """Keep the numbers that another calibration gives; whose measurements they are does not change."""
    for mark, taken in measured.again:
        before = states.digest_of_row(mark)
        mark.values, mark.notes = taken.values, taken.notes
        mark.version += 1
        mark.save()
        _tell("measurement.change", before, mark, study, user, request)


def _fill(mark: Measurement, asked: Asked, taken: Taken | None) -> None:
    mark.label, mark.follows = asked.label, asked.follows
    if taken is None:
        return
    mark.space, mark.points, mark.view = asked.space, asked.points, asked.view
    mark.series_instance_uid, mark.stack = asked.series, taken.stack
    mark.sop_instance_uid, mark.frame_number = taken.sop_instance_uid, taken.frame_number
    mark.frame_of_reference_uid = taken.frame_of_reference_uid
    mark.values, mark.notes = taken.values, taken.notes


def _tell(action: str, before: str, mark: Measurement, study: Study, user: User, request: Request | None) -> None:
    audit.record(
        action,
        actor=user,
        request=request,
        organization=study.organization.name,
        patient_id=study.patient.patient_id,
        study_instance_uid=study.study_instance_uid,
        object_uid=mark.uid,
        detail={"kind": mark.kind, "version": mark.version, **states.told(before, states.digest_of_row(mark))},
    )
    outbox.announce(NEWS, study.organization, {"study_instance_uid": study.study_instance_uid, "uid": mark.uid})


# --- earlier studies


def followed(user: User, study: Study, marks: Iterable[Measurement]) -> dict[str, Measurement]:
    """The measurements of earlier studies that `marks` carry on, by `uid`: of this patient, and that `user` may see."""
    wanted = {mark.follows for mark in marks if mark.follows}
    if not wanted:
        return {}
    found = Measurement.objects.filter(uid__in=wanted, deleted_at=None, study__in=query.priors(user, study))
    return {mark.uid: mark for mark in found.select_related("study").order_by("study__date", "id")}


def check_follows(user: User, study: Study, asked: Asked) -> None:
    """Raises BadMark where `follows` names nothing that can be carried on."""
    if not asked.follows:
        return
    found = Measurement.objects.filter(uid=asked.follows, study__in=query.priors(user, study), deleted_at=None).first()
    if found is None:
        raise BadMark("follows: there is no such measurement in another study of this patient")
    if found.kind != asked.kind:
        raise BadMark(f"follows: that is a measurement of another kind ({found.kind})")


def change_since(now: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Name -> {"absolute", "percent", "unit"} of the numbers that both have in the same unit; percent is null from zero, and
    from so near to it that it says nothing."""
    found = {}
    for name, value in now.items():
        former = before.get(name)
        if name in NOT_COMPARED or former is None or former["unit"] != value["unit"]:
            continue
        absolute = value["value"] - former["value"]
        percent = 100.0 * absolute / abs(former["value"]) if former["value"] else math.inf
        if not math.isfinite(absolute):
            continue
        if not abs(percent) <= MOST_PERCENT:
            percent = None
        found[name] = {"absolute": absolute, "percent": percent, "unit": value["unit"]}
    return found


MOST_PERCENT = 1e6
NOT_COMPARED = {"x", "y", "z", "n", "known", "scale"}
"""Numbers that tell nothing about the patient."""


def of_priors(user: User, study: Study, most: int) -> list[tuple[Study, list[Measurement]]]:
    """Earlier studies of the same patient that `user` may see and that hold measurements, newest first."""
    earlier = query.priors(user, study)
    if study.date:
        earlier = earlier.filter(Q(date__lt=study.date) | Q(date=study.date, time__lte=study.time))
    held = Measurement.objects.filter(study__in=earlier, deleted_at=None).values("study")
    return [(prior, of_study(prior)) for prior in earlier.filter(pk__in=held).select_related("organization")[:most]]
