"""Rows of a search as attributes (PS3.18 tables 10.6.3-3 to 10.6.3-5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.urls import reverse

from viewer.archive.corrected import changes_of
from viewer.archive.matching import ATTRIBUTES, SEQUENCES, Level
from viewer.dicom.changes import AS_STORED
from viewer.dicomweb.json_model import Model, attribute, of_text, person_name
from viewer.dicomweb.metadata_kept import model_of
from viewer.dicomweb.qido_query import Query
from viewer.dicomweb.selecting import Leaving
from viewer.models import Instance, Series, Study

READ_AT_MOST = 500
"""Files that are opened for one answer, for attributes that no column holds."""

REQUIRED: dict[Level, tuple[int, ...]] = {
    Level.STUDY: (
        *(0x00080020, 0x00080030, 0x00080050, 0x00080056, 0x00080061, 0x00080090, 0x00080201, 0x00081190),
        *(0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x0020000D, 0x00200010, 0x00201206, 0x00201208),
        *(0x00081030, 0x00100021),
    ),
    Level.SERIES: (
        *(0x00080060, 0x00080201, 0x0008103E, 0x00081190, 0x0020000E, 0x00200011, 0x00201209),
        *(0x00400244, 0x00400245, 0x00400275, 0x00080056),
    ),
    Level.INSTANCE: (
        *(0x00080016, 0x00080018, 0x00080056, 0x00080201, 0x00081190, 0x00200013),
        *(0x00280010, 0x00280011, 0x00280100, 0x00280008, 0x00083002),
    ),
}
"""Always told, where known."""
OF_FILES = frozenset({0x00280100})
"""Of those, what no column holds: told where it is asked for by name, or by `includefield=all`."""
COMPUTED = frozenset({0x00080056, 0x00080061, 0x00081190, 0x00201206, 0x00201208, 0x00201209, 0x00083002})


@dataclass(slots=True)
class Told:
    """Attributes of a page's rows."""

    models: list[Model]
    cut: bool = False
    """More files would have had to be opened than are for one answer."""


@dataclass(slots=True)
class _Counts:
    """Of objects that nobody has rejected, by row id."""

    series_of_studies: dict[int, int] = field(default_factory=dict)
    instances_of_studies: dict[int, int] = field(default_factory=dict)
    instances_of_series: dict[int, int] = field(default_factory=dict)
    modalities: dict[int, set[str]] = field(default_factory=dict)


def answers(query: Query, rows: Sequence[Any], uids: Mapping[str, str], root: str) -> Told:
    """A model for each row: the level's own attributes, those of the levels above that the address does not fix already, and
    what was asked for."""
    counts = _counted(query.level, rows)
    levels = _levels(query.level, uids)
    wanted = {tag for level in levels for tag in REQUIRED[level]} | set(query.include)
    wanted |= {0x0020000D, 0x0020000E, 0x00080018} & _uids_of(query.level)
    if query.include_all:
        wanted |= {tag for tag, held in ATTRIBUTES.items() if held.level in (*levels, Level.PATIENT)}
    from_files = {tag for tag in query.include if not (tag in ATTRIBUTES or tag in SEQUENCES or tag in COMPUTED)}
    models = [_model(query.level, row, wanted, counts, root) for row in rows]
    told = Told(models)
    if from_files or (query.include_all and query.level is Level.INSTANCE):
        _add_from_files(told, query, rows, None if query.include_all else from_files, root)
    return told


def _levels(level: Level, uids: Mapping[str, str]) -> list[Level]:
    """Whose attributes are told: those of the study only where the search is not within one (PS3.18 table 10.6.3-2)."""
    found = [level]
    if level is not Level.STUDY and "study_instance_uid" not in uids:
        found.append(Level.STUDY)
    if level is Level.INSTANCE and "series_instance_uid" not in uids:
        found.append(Level.SERIES)
    return found


def _uids_of(level: Level) -> set[int]:
    return {
        Level.STUDY: {0x0020000D},
        Level.SERIES: {0x0020000D, 0x0020000E},
        Level.INSTANCE: {0x0020000D, 0x0020000E, 0x00080018},
    }[level]


# --- counts, in one query for each kind


def _counted(level: Level, rows: Iterable[Any]) -> _Counts:
    counts = _Counts()
    series = {_series(level, row).pk for row in rows if level is not Level.STUDY}
    studies = {_study(level, row).pk for row in rows}
    served = Instance.objects.served()
    if series:
        found = served.filter(series__in=series).order_by().values_list("series").annotate(Count("pk"))
        counts.instances_of_series = dict(found)
    whole = (
        served.filter(series__study__in=studies).order_by().values_list("series__study", "series__modality", "series")
    )
    for study, modality, _, number in whole.annotate(Count("pk")):
        counts.series_of_studies[study] = counts.series_of_studies.get(study, 0) + 1
        counts.instances_of_studies[study] = counts.instances_of_studies.get(study, 0) + number
        if modality:
            counts.modalities.setdefault(study, set()).add(modality)
    return counts


def _study(level: Level, row: Any) -> Study:
    found: Study = {Level.STUDY: lambda: row, Level.SERIES: lambda: row.study}.get(level, lambda: row.series.study)()
    return found


def _series(level: Level, row: Any) -> Series:
    found: Series = row if level is Level.SERIES else row.series
    return found


# --- attributes


def _model(level: Level, row: Any, wanted: set[int], counts: _Counts, root: str) -> Model:
    told: Model = {}
    study = _study(level, row)
    for tag in wanted:
        if tag in COMPUTED:
            compute = VALUES.get(tag)
            if compute is not None:
                told[f"{tag:08X}"] = compute(level, row, study, counts)
        elif tag in SEQUENCES:
            told |= _sequence(level, row, tag)
        elif tag in ATTRIBUTES:
            held = ATTRIBUTES[tag]
            value = _held(level, row, tag)
            if value is not MISSING:
                told[f"{tag:08X}"] = _attribute(held.vr, value)
    told["00081190"] = attribute("UR", [root + _address(level, row, study)])
    told["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}
    return dict(sorted(told.items()))


MISSING = object()


def _held(level: Level, row: Any, tag: int) -> Any:
    """The value of the column that holds an attribute; MISSING where it is of a level below."""
    held = ATTRIBUTES[tag]
    study = _study(level, row)
    if held.level is Level.PATIENT:
        stated = getattr(study, held.of_study) if held.of_study else ""
        return stated or getattr(study.patient, held.column)
    if held.level is Level.STUDY:
        return getattr(study, held.column) if held.column else MISSING
    if level is Level.STUDY:
        return MISSING
    if held.level is Level.SERIES:
        return getattr(_series(level, row), held.column)
    return getattr(row, held.column) if level is Level.INSTANCE else MISSING


def _sequence(level: Level, row: Any, tag: int) -> Model:
    """Items that are held beside a series, with what they say; nothing where there are none."""
    held = SEQUENCES[tag]
    if level is Level.STUDY:
        return {}
    items = [
        {f"{inner:08X}": _attribute(vr, getattr(item, column)) for inner, (vr, column) in held.columns.items()}
        for item in getattr(_series(level, row), held.items).all()
    ]
    return {f"{tag:08X}": {"vr": "SQ", "Value": items}} if items else {}


def _attribute(vr: str, value: Any) -> dict[str, Any]:
    if value is None or value == "":
        return {"vr": vr}
    if isinstance(value, int):
        return attribute(vr, [value])
    return attribute(vr, [person_name(value)]) if vr == "PN" else of_text(vr, value)


def _address(level: Level, row: Any, study: Study) -> str:
    uids = [study.study_instance_uid]
    if level is not Level.STUDY:
        uids.append(_series(level, row).series_instance_uid)
    if level is Level.INSTANCE:
        uids.append(row.sop_instance_uid)
    return str(reverse(f"dicomweb-{level}", args=uids))


Compute = Callable[[Level, Any, Study, _Counts], dict[str, Any]]
VALUES: dict[int, Compute] = {
    0x00080056: lambda level, row, study, counts: attribute("CS", ["ONLINE"]),
    0x00080061: lambda level, row, study, counts: attribute("CS", sorted(counts.modalities.get(study.pk, ()))),
    0x00201206: lambda level, row, study, counts: attribute("IS", [counts.series_of_studies.get(study.pk, 0)]),
    0x00201208: lambda level, row, study, counts: attribute("IS", [counts.instances_of_studies.get(study.pk, 0)]),
    0x00201209: lambda level, row, study, counts: attribute(
        "IS", [counts.instances_of_series.get(_series(level, row).pk, 0)] if level is not Level.STUDY else []
    ),
    0x00083002: lambda level, row, study, counts: attribute(
        "UI", [row.transfer_syntax_uid] if level is Level.INSTANCE else []
    ),
}


# --- what only the files say


def _add_from_files(told: Told, query: Query, rows: Sequence[Any], tags: set[int] | None, root: str) -> None:
    """Attributes from the header of each instance, or of one instance of each study or series."""
    chosen = _instances(query.level, rows[:READ_AT_MOST])
    changes = changes_of(chosen.values())
    names = None if tags is None else {f"{tag:08X}" for tag in tags}
    for model, row in zip(told.models, rows, strict=True):
        instance = chosen.get(row.pk)
        if instance is None:
            continue
        read = model_of(Leaving(instance, changes.get(instance.pk, AS_STORED)), root)
        found = {tag: said for tag, said in read.items() if names is None or tag in names}
        model.update({**found, **model} if names is None else found)
    told.cut = len(rows) > READ_AT_MOST


def _instances(level: Level, rows: Sequence[Any]) -> dict[int, Instance]:
    """By row id the instance whose file is read."""
    if level is Level.INSTANCE:
        return {row.pk: row for row in rows}
    way = "series" if level is Level.SERIES else "series__study"
    keys = [row.pk for row in rows]
    served = Instance.objects.served().filter(**{f"{way}__in": keys})
    firsts: dict[int, int] = {}
    for key, pk in served.order_by("-pk").values_list(way, "pk"):
        firsts[key] = pk
    above = ("series__study__patient", "series__organization", "series__study__organization")
    found = Instance.objects.filter(pk__in=firsts.values()).select_related(*above).defer("index", "series__stacks")
    by_pk = {one.pk: one for one in found}
    return {key: by_pk[pk] for key, pk in firsts.items() if pk in by_pk}
