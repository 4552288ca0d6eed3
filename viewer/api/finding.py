"""The numbers of measurements, found for the doors that keep them: by the voxels, and by the calibration of now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asgiref.sync import sync_to_async

from accounts.models import User
from viewer.api.frames import opened_series
from viewer.engine.engine import Engine, OpenSeries
from viewer.engine.errors import Busy, CannotDraw
from viewer.marks import calibrating, measurements, taking
from viewer.marks.asked import Asked, BadMark, moved
from viewer.marks.calibrating import Ground, Recalibrated, Said
from viewer.marks.measurements import UNMEASURED, Measured
from viewer.marks.taking import Taken
from viewer.models import Measurement, Series, Study
from viewer.rendering.measuring import CannotMeasure
from viewer.rendering.view import BadView

TRIES = 8

_ground = sync_to_async(calibrating.ground)
_depending = sync_to_async(calibrating.depending)


async def again_until_it_holds(keep: Callable[[], Awaitable[Measurement]]) -> Measurement:
    """Measure and keep, again where a calibration changed meanwhile. Raises Busy where they never rest."""
    for _ in range(TRIES):
        try:
            return await keep()
        except Recalibrated:
            continue
    raise Busy("the calibration of this image is changing; try again")


async def measured(study: Study, asked: Asked, user: User, former: Measurement | None = None) -> Measured:
    """The numbers of what is asked, in place of `former` where there is one. Raises BadMark, BadView, CannotDraw,
    CannotMeasure, Busy."""
    same = former is not None and not moved(measurements.asked_of(former), asked)
    back = former is not None and former.deleted_at is not None
    if asked.kind != "calibration":
        # While it was deleted another calibration may have come.
        return UNMEASURED if same and not (back and asked.space == "image") else await _plain(study, asked)
    engine, opened = await _opened(study, asked.series)
    taken = None if same else await taking.calibrate(engine, opened, asked, measurements.name_of(user))
    where, said = _said(asked, taken, former, user)
    return await _with_all_on(study, {where, former.sop_instance_uid if former else ""}, taken, former, (where, said))


async def without(study: Study, mark: Measurement) -> Measured:
    """What a measurement leaves behind that is deleted."""
    if mark.kind != "calibration":
        return UNMEASURED
    return await _with_all_on(study, {mark.sop_instance_uid}, None, mark, None)


async def _plain(study: Study, asked: Asked) -> Measured:
    engine, opened = await _opened(study, asked.series)
    if asked.space != "image":
        return Measured(await taking.take(engine, opened, asked))
    view, _ = await taking.place(engine, opened, asked)
    where = view.sop_instance_uid or ""
    ground = await _ground(study, {where})
    return Measured(await taking.take(engine, opened, asked, ground.stated(where, view.frame_number)), ground)


def _said(asked: Asked, taken: Taken | None, former: Measurement | None, user: User) -> tuple[str, Said]:
    """The object of a calibration, and what it will say."""
    if taken is None:
        assert former is not None  # noqa: S101 - what did not move was there before
        return former.sop_instance_uid, calibrating.said_by(former)
    scale = float(taken.values["scale"]["value"])
    return taken.sop_instance_uid, Said("", 0, taken.frame_number, scale, measurements.name_of(user))


async def _with_all_on(
    study: Study,
    objects: set[str],
    taken: Taken | None,
    former: Measurement | None,
    first: tuple[str, Said] | None,
) -> Measured:
    """All that lies on these objects, measured as it will be when `first` was stated last and `former` holds no more."""
    ground = await _ground(study, objects, measured=True)
    gone = former.uid if former else ""
    rest = tuple((where, one) for where, one in ground.said if one.uid != gone)
    then = Ground(ground.objects, (first, *rest) if first else rest)
    again = []
    for mark in await _depending(study, ground.objects):
        found = await _anew(study, mark, then)
        if (found.values, found.notes) != (mark.values, mark.notes):
            again.append((mark, found))
    return Measured(taken, ground, tuple(again))


async def _anew(study: Study, mark: Measurement, ground: Ground) -> Taken:
    try:
        engine, opened = await _opened(study, mark.series_instance_uid)
        asked = measurements.asked_of(mark)
        return await taking.take(engine, opened, asked, ground.stated(mark.sop_instance_uid, mark.frame_number))
    except Busy:  # which passes: nothing is changed, and whoever asked asks again
        raise
    except (BadMark, BadView, CannotDraw, CannotMeasure) as problem:
        return calibrating.unmeasured(mark, str(problem))


async def _opened(study: Study, series: str) -> tuple[Engine, OpenSeries]:
    return await opened_series(await sync_to_async(_series)(study, series))


def _series(study: Study, uid: str) -> Series:
    found = (
        Series.objects.held()
        .filter(study=study, series_instance_uid=uid)
        .select_related("study__patient", "organization")
    )
    series: Series | None = found.first()
    if series is None:
        raise BadMark("series: there is no such series in this study")
    return series
