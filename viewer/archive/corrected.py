"""How objects leave after corrections; every door that gives bytes or attributes out asks here.

What was done to a study, or to one of its series, are rows in the order they were done. A series that came from another
study brings along what had been done there. Acts that were undone, and what undid them, count for nothing.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from django.db.models import Q, QuerySet

from accounts.models import Organization
from viewer.archive.storage import blob_store
from viewer.dicom.changes import AS_STORED, SYSTEM, Changes, Original
from viewer.dicom.errors import DicomError
from viewer.dicom.modalities import NOT_IMAGES
from viewer.dicom.referring import named_series
from viewer.models import Correction, CorrectionKind, Instance, Series

logger = logging.getLogger(__name__)

CHANGING = (
    CorrectionKind.PATIENT_UPDATED,
    CorrectionKind.PATIENTS_MERGED,
    CorrectionKind.STUDY_OF_ANOTHER_PATIENT,
    CorrectionKind.STUDY_OF_ANOTHER_ORDER,
    CorrectionKind.SERIES_MOVED,
)
"""Kinds after which objects leave changed."""


def changes_of(instances: Iterable[Instance]) -> dict[int, Changes]:
    """By row id; objects that leave as they are stored are left out. `instances` have `series__study__patient` at hand."""
    asked = list(instances)
    paths = paths_of(one.series for one in asked)
    by_series = {key: changes(path) for key, path in paths.items()}
    own = {one.pk: by_series[one.series_id] for one in asked if by_series.get(one.series_id)}
    moved = references_of(
        one
        for one in asked
        if one.series.modality in NOT_IMAGES or "StudyInstanceUID" in own.get(one.pk, AS_STORED).attributes
    )
    return own | {
        key: replace(own.get(key, AS_STORED), moved=there.moved, moved_at=there.moved_at)
        for key, there in moved.items()
    }


def paths_of(series: Iterable[Series]) -> dict[int, list[Correction]]:
    """By row id of series: what has been done to their objects, in order. Series to which nothing was done are left out."""
    asked = {one.pk: one for one in series}
    if not asked:
        return {}
    lines = Lines.of(
        standing().filter(
            Q(study__in={one.study_id for one in asked.values()})
            | Q(
                series_instance_uid__in={one.series_instance_uid for one in asked.values()},
                organization__in={one.organization_id for one in asked.values()},
            )
        )
    )
    if not lines:
        return {}
    paths = {
        key: lines.of_series(one.organization_id, one.series_instance_uid, one.study.study_instance_uid)
        for key, one in asked.items()
    }
    return {key: path for key, path in paths.items() if path}


@dataclass(frozen=True, slots=True)
class Moved:
    """Of the series that an object names: those that are in another study now (see `Changes`)."""

    moved: dict[tuple[str, str], str]
    moved_at: str


def references_of(instances: Iterable[Instance]) -> dict[int, Moved]:
    """By row id, of objects that name series of studies in which these are no more. Reads their headers, where anything was
    ever moved in the organization; what cannot be read names nothing."""
    rows = list(instances)
    homes = {one.organization_id for one in rows}
    if not rows or not standing().filter(kind=CorrectionKind.SERIES_MOVED, organization__in=homes).exists():
        return {}
    store = blob_store()
    named = {one.pk: _named(store.path(one.blob_id)) for one in rows}
    uids = {series for names in named.values() for _, series in names}
    moves: dict[tuple[int, str], list[Correction]] = {}
    for start in range(0, len(uids), BATCH):
        batch = sorted(uids)[start : start + BATCH]
        for move in standing().filter(series_instance_uid__in=batch, organization__in=homes):
            moves.setdefault((move.organization_id, move.series_instance_uid), []).append(move)
    found = {one.pk: _moved(one.organization_id, named[one.pk], moves) for one in rows}
    return {key: there for key, there in found.items() if there.moved}


BATCH = 500


def _named(path: Path) -> set[tuple[str, str]]:
    try:
        return named_series(path)
    except (DicomError, OSError, ValueError, LookupError, AttributeError, TypeError, struct.error):
        logger.warning("the references of an object cannot be read: it leaves with them as they are")
        return set()


def _moved(home: int, named: set[tuple[str, str]], moves: Mapping[tuple[int, str], list[Correction]]) -> Moved:
    there, last = {}, ""
    for study, series in sorted(named):
        path = moves.get((home, series), [])
        now = path[-1].after["StudyInstanceUID"] if path else study
        if now != study and study in {move.before["StudyInstanceUID"] for move in path}:
            there[study, series] = now
            last = max(last, date_time(path[-1].at))
    return Moved(there, last)


def changes(path: Iterable[Correction]) -> Changes:
    """What one correction after the other comes to (Original Attributes Sequence, PS3.3 C.12.1.1.9.1), the newest last."""
    attributes: dict[str, str] = {}
    original = []
    for row in path:
        attributes.update(row.after)
        former = differing(row)
        if former:
            original.append(Original(date_time(row.at), SYSTEM, "CORRECT", "", former))
    return Changes(attributes, tuple(original))


def differing(row: Correction) -> dict[str, str]:
    """Keyword -> value before, of what the correction changed."""
    return {name: value for name, value in row.before.items() if value != row.after.get(name, "")}


def standing() -> QuerySet[Correction]:
    """Rows of acts after which objects leave changed, in the order they were done: those that no one has undone."""
    alive = Correction.objects.filter(kind__in=CHANGING, study__isnull=False, undoes=None, undone_by=None)
    alive = alive.filter(part_of__undoes=None, part_of__undone_by=None)
    return alive.select_related("study").order_by("id")


def merge_of(organization: Organization, patient_id: str, issuer: str, after: int = 0) -> Correction | None:
    """The last act by which this ID was merged into another, of those after the act `after`; None: it stands for itself."""
    merges = Correction.objects.filter(
        organization=organization,
        kind=CorrectionKind.PATIENTS_MERGED,
        pk__gt=after,
        study=None,
        part_of=None,
        undoes=None,
        undone_by=None,
        before__PatientID=patient_id,
        before__IssuerOfPatientID=issuer,
    )
    found: Correction | None = merges.select_related("patient__organization").order_by("id").last()
    return found


def date_time(at: datetime) -> str:
    """As DICOM writes it (PS3.5 6.2, DT), in UTC."""
    return f"{at.astimezone(UTC):%Y%m%d%H%M%S.%f}+0000"


@dataclass(slots=True)
class Lines:
    """What was done, by study and by series."""

    studies: dict[tuple[int, str], list[Correction]] = field(default_factory=dict)
    moves: dict[tuple[int, str], list[Correction]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: QuerySet[Correction]) -> Lines:
        """Of these rows, and of the studies from which series among them came."""
        lines, known = cls(), set()
        for row in rows:
            known.add(row.pk)
            lines._add(row)
        sources = {(home, move.before["StudyInstanceUID"]) for (home, _), all_ in lines.moves.items() for move in all_}
        if sources:
            further = standing().filter(
                series_instance_uid="",
                organization__in={home for home, _ in sources},
                study__study_instance_uid__in={uid for _, uid in sources},
            )
            for row in further.exclude(pk__in=known):
                lines._add(row)
        return lines

    def _add(self, row: Correction) -> None:
        home = row.organization_id
        if row.series_instance_uid:
            self.moves.setdefault((home, row.series_instance_uid), []).append(row)
        elif row.study is not None:
            self.studies.setdefault((home, row.study.study_instance_uid), []).append(row)

    def __bool__(self) -> bool:
        return bool(self.studies or self.moves)

    def of_series(self, organization: int, series: str, study: str) -> list[Correction]:
        """What has been done to the objects of a series that is in `study` now, in order."""
        path: list[Correction] = []
        since = 0
        for move in self.moves.get((organization, series), []):
            path += self._between(organization, move.before["StudyInstanceUID"], since, move.pk)
            path.append(move)
            since = move.pk
        return path + self._between(organization, study, since, None)

    def _between(self, organization: int, study: str, since: int, until: int | None) -> list[Correction]:
        rows = self.studies.get((organization, study), [])
        return [row for row in rows if row.pk > since and (until is None or row.pk < until)]


def applied(path: Collection[Correction], said: dict[str, str]) -> dict[str, str]:
    """What an object that says `said` of itself says after the corrections: what it says otherwise than they knew stays."""
    now = dict(said)
    for row in path:
        for name, value in row.after.items():
            if name in now and now[name] == row.before.get(name, ""):
                now[name] = value
    return now
