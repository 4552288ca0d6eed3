"""What readers state of the pixels of an image, and that no number stays behind which something else said.

A calibration decides the millimetres of every measurement on the same object. It is kept together with all of them, measured
anew, in one transaction. Measuring takes time and files, which a transaction has not: so it is done before, on a `Ground`, and
nothing is kept where the ground has moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from viewer.models import Measurement, Study
from viewer.rendering.sheets import Stated

from .taking import Taken, stated_by

WITHOUT_NUMBERS = ("arrow", "text")


class Recalibrated(Exception):
    """A calibration came, changed or went while something was measured by it: it has to be measured again."""


@dataclass(frozen=True, slots=True)
class Said:
    """One calibration: mm to one unit of the pixels' shape on a frame, as somebody stated them."""

    uid: str
    version: int
    frame_number: int | None
    scale: float
    author_name: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What holds for objects of a study while something is measured on them."""

    objects: frozenset[str]
    """SOP Instance UIDs."""
    said: tuple[tuple[str, Said], ...]
    """(object, calibration), those stated last first."""
    measured: tuple[tuple[str, int], ...] | None = None
    """`uid` and version of the measurements there, where they are to be measured anew."""

    def stated(self, sop_instance_uid: str, frame_number: int | None) -> Stated | None:
        """What holds for a frame; where nothing was stated of it, of another frame of the same run."""
        return stated([one for where, one in self.said if where == sop_instance_uid], frame_number)


def stated(said: Sequence[Said], frame_number: int | None) -> Stated | None:
    """What calibrations of one object say of a frame; the first of them counts."""
    same = [one for one in said if one.frame_number == frame_number]
    for one in same or said:
        where = "" if same else f" on frame {one.frame_number}"
        return Stated(one.scale, stated_by(one.author_name) + where)
    return None


def ground(study: Study, objects: Iterable[str], *, measured: bool = False) -> Ground:
    """What holds now. `measured`: the measurements count as well."""
    found = frozenset(one for one in objects if one)
    rows = _current(study, found).filter(kind="calibration").order_by("-updated_at", "-id")
    said = tuple((row.sop_instance_uid, said_by(row)) for row in rows)
    on_it = tuple((row.uid, row.version) for row in depending(study, found)) if measured else None
    return Ground(found, said, on_it)


def stand(study: Study, on: Ground | None) -> None:
    """Within the transaction that keeps what was measured on a ground: raises Recalibrated where it has moved."""
    if on is None:
        return
    Study.objects.select_for_update().get(pk=study.pk)
    if ground(study, on.objects, measured=on.measured is not None) != on:
        raise Recalibrated


def said_by(mark: Measurement) -> Said:
    scale = float(mark.values["scale"]["value"])
    return Said(mark.uid, mark.version, mark.frame_number, scale, mark.author_name)


def depending(study: Study, objects: Iterable[str]) -> list[Measurement]:
    """The current measurements whose millimetres calibrations of these objects may decide."""
    return list(_current(study, objects).exclude(kind__in=("calibration", *WITHOUT_NUMBERS)).order_by("id"))


def unmeasured(mark: Measurement, reason: str) -> Taken:
    """No numbers, and why: better none than those of a calibration that holds no more."""
    return Taken(
        values={},
        notes=[f"not measured by the calibration of now: {reason}"],
        stack=mark.stack,
        sop_instance_uid=mark.sop_instance_uid,
        frame_number=mark.frame_number,
        frame_of_reference_uid=mark.frame_of_reference_uid,
    )


def _current(study: Study, objects: Iterable[str]) -> QuerySet[Measurement]:
    return Measurement.objects.filter(
        study=study, sop_instance_uid__in=list(objects), space="image", deleted_at=None, source_sop_instance_uid=""
    )
