"""Patients, studies, series and instances as C-FIND tells of them, by study root and patient root (PS3.4 C.6.1, C.6.2).

Hierarchical search, and what was agreed on beyond it (`viewer.dimse.extended`). Answers are in UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db.models import Count, Model, QuerySet
from pydicom import config
from pydicom.datadict import dictionary_has_tag, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from viewer.archive.matching import (
    ATTRIBUTES,
    ORDER,
    PREFIXES,
    SEQUENCES,
    BadKey,
    Held,
    Key,
    Level,
    is_held,
    level_of,
    narrowed,
)
from viewer.dimse.extended import BASELINE, Options
from viewer.dimse.identifiers import (
    IMAGE,
    MODELS,
    NO_MATCH_OF_CLASS,
    PATIENT,
    SERIES,
    STUDY,
    UNIQUE,
    UTF_8,
    Asked,
    Refused,
    asked,
    is_key,
    texts,
)
from viewer.dimse.question import Question
from viewer.models import DicomPeer, Instance

AT_ONCE = 200
"""Rows that are looked up together; memory holds no more of an answer."""
LEVELS = {PATIENT: Level.PATIENT, STUDY: Level.STUDY, SERIES: Level.SERIES, IMAGE: Level.INSTANCE}
ONLINE = "ONLINE"


def held_objects(peer: DicomPeer, identifier: Dataset, sop_class_uid: str, options: Options = BASELINE) -> Question:
    """Of the peer's organization. Raises Refused."""
    wanted = asked(identifier, MODELS[sop_class_uid], options.relational)
    rows = _rows(peer, wanted, options)
    patients, studies = wanted.uids.get(PATIENT, ()), wanted.uids.get(STUDY, ())
    return Question(
        _answers(rows, wanted),
        {"level": wanted.level, "keys": sorted(element.keyword for element in identifier if _asks(element))},
        patients[0] if len(patients) == 1 else _single(identifier, "PatientID"),
        studies[0] if len(studies) == 1 else "",
    )


def _rows(peer: DicomPeer, wanted: Asked, options: Options) -> QuerySet[Any]:
    level = LEVELS[wanted.level]
    depth = ORDER.index(level)
    keys = [key for key in _keys(wanted.identifier) if ORDER.index(level_of(key)) <= depth]
    try:
        found = narrowed(level, keys, fuzzy=options.fuzzy, combined=options.combined)
        return found.filter(organization=peer.organization)
    except BadKey as problem:
        named = keyword_for_tag(problem.tag)
        raise Refused(NO_MATCH_OF_CLASS, f"{named}: the value is not one of its kind", named) from problem


def _keys(identifier: Dataset) -> Iterator[Key]:
    """What is matched, also in the item of a sequence (PS3.4 C.2.2.2.6)."""
    for element in identifier:
        tag = int(element.tag)
        if tag in SEQUENCES and element.VR == "SQ":
            for inner in element.value[:1]:
                yield from (_key_of(below, tag) for below in inner if is_held(int(below.tag), tag))
        elif is_key(element) and tag in ATTRIBUTES:
            yield _key_of(element)


def _key_of(element: DataElement, sequence: int = 0) -> Key:
    return Key(int(element.tag), tuple(value for value in texts(element.value) if value.strip("*")), sequence)


def _answers(rows: QuerySet[Any], wanted: Asked) -> Iterator[Dataset]:
    """In order of arrival, looked up a few at a time: no question to the database stays open while the peer reads."""
    level, last = LEVELS[wanted.level], 0
    counted = Counted(level, frozenset(int(element.tag) for element in wanted.identifier))
    rows = rows.select_related(*BESIDE[level]).defer(*HEAVY[level]).order_by("pk")
    rows = rows.prefetch_related(
        *(
            f"{PREFIXES.get((level, held.level), '')}{held.items}"
            for tag, held in SEQUENCES.items()
            if _tells(level, held.level) and tag in wanted.identifier
        )
    )
    while found := list(rows.filter(pk__gt=last)[:AT_ONCE]):
        last = found[-1].pk
        counted.of(found)
        for row in found:
            yield _answer(row, level, counted, wanted)


def _answer(row: Model, level: Level, counted: Counted, wanted: Asked) -> Dataset:
    """One match (PS3.4 C.4.1.1.3.2): every key that was asked for, empty where nothing is known of it."""
    answer = Dataset()
    _put(answer, 0x00080005, "CS", UTF_8)
    _put(answer, 0x00080052, "CS", wanted.level)
    _put(answer, 0x00080054, "AE", settings.FARVIEW_DICOM_AE_TITLE)
    _put(answer, 0x00080056, "CS", ONLINE)
    for element in wanted.identifier:
        if element.tag in SEQUENCES and element.VR == "SQ":
            answer[element.tag] = DataElement(element.tag, "SQ", _items(row, level, element))
        elif is_key(element) and element.tag not in answer:
            vr = element.VR if element.VR != "UN" else "LO"
            _put(answer, int(element.tag), vr, value_of(row, level, int(element.tag), counted))
    for unique in wanted.uids:
        tag = tag_for_keyword(UNIQUE[unique]) or 0
        if tag not in answer:
            _put(answer, tag, ATTRIBUTES[tag].vr, value_of(row, level, tag, counted))
    return answer


def _items(row: Any, level: Level, element: DataElement) -> list[Dataset]:
    """Of a sequence, with what its item asks for; all that is known where it asks for nothing in particular."""
    held = SEQUENCES[int(element.tag)]
    if not _tells(level, held.level):
        return []
    asked_for = [int(below.tag) for inner in element.value[:1] for below in inner] or list(held.columns)
    found = []
    for one in _reached(row, PREFIXES.get((level, held.level), ""), held.items).all():
        item = Dataset()
        for tag in sorted(asked_for):
            vr, column = held.columns.get(tag, (dictionary_VR(tag) if dictionary_has_tag(tag) else "LO", ""))
            _put(item, tag, vr, getattr(one, column) if column else None)
        found.append(item)
    return found


def _tells(level: Level, of_level: Level) -> bool:
    """Whether rows of `level` have one of `of_level` above them, or are it."""
    return ORDER.index(of_level) <= ORDER.index(level)


def value_of(row: Any, level: Level, tag: int, counted: Counted) -> Any:
    """What a row and those above it hold of an attribute; None where they hold nothing."""
    found = counted.value(row, tag)
    held = ATTRIBUTES.get(tag)
    if found is not None or held is None or not _tells(level, held.level):
        return found
    value = _attribute(row, PREFIXES.get((level, held.level), ""), held)
    return None if value == "" else value


def _attribute(row: Any, prefix: str, held: Held) -> Any:
    stated = ""
    if held.of_study and prefix:
        stated = _reached(row, prefix.removesuffix("patient__"), held.of_study)
    return stated or _reached(row, prefix, held.column)


def _reached(row: Any, prefix: str, column: str) -> Any:
    for step in prefix.split("__"):
        row = getattr(row, step) if step else row
    return getattr(row, column, None) if column else None


def _put(answer: Dataset, tag: int, vr: str, value: Any) -> None:
    answer[tag] = DataElement(tag, vr, [] if vr == "SQ" else value, validation_mode=config.IGNORE)


@dataclass(slots=True)
class Counted:
    """What is counted and gathered, where it is asked for, of rows that are told together; what was rejected does not count."""

    level: Level
    tags: frozenset[int]
    values: dict[tuple[int, int], Any] = field(default_factory=dict)
    """By (tag, key of the row it is of)."""

    def of(self, rows: list[Any]) -> None:
        """Look up what is not known yet of these rows, and forget all others."""
        for of_level, way, columns in COUNTS:
            wanted = {tag: column for tag, column in columns.items() if tag in self.tags}
            if wanted and ORDER.index(of_level) <= ORDER.index(self.level):
                self._look_up(way, wanted, {_key(row, self.level, of_level) for row in rows})

    def _look_up(self, way: str, columns: dict[int, str], keys: set[int]) -> None:
        kept = {place: value for place, value in self.values.items() if place[0] not in columns or place[1] in keys}
        self.values = kept
        new = keys - {key for tag, key in kept if tag in columns}
        if not new:
            return
        served = Instance.objects.served().filter(**{f"{way}__in": new}).order_by()
        for tag, column in columns.items():
            if tag in GATHERED:
                for key, value in served.exclude(**{column: ""}).values_list(way, column).distinct():
                    self.values.setdefault((tag, key), []).append(value)
            else:
                counted = served.values_list(way).annotate(Count(column, distinct=True))
                self.values.update({(tag, key): number for key, number in counted})

    def value(self, row: Any, tag: int) -> Any:
        of_level = OF_LEVEL.get(tag)
        if of_level is None or ORDER.index(of_level) > ORDER.index(self.level):
            return None
        value = self.values.get((tag, _key(row, self.level, of_level)))
        return sorted(value) if isinstance(value, list) else value


def _key(row: Any, level: Level, of_level: Level) -> int:
    return int(_reached(row, PREFIXES.get((level, of_level), "").removesuffix("__"), "pk"))


def _asks(element: DataElement) -> bool:
    return is_key(element) and bool(element.value)


def _single(identifier: Dataset, name: str) -> str:
    values = texts(identifier.get(name))
    return values[0] if len(values) == 1 and not set(values[0]) & set("*?") else ""


BESIDE: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: (),
    Level.STUDY: ("patient",),
    Level.SERIES: ("study__patient",),
    Level.INSTANCE: ("series__study__patient",),
}
HEAVY: dict[Level, tuple[str, ...]] = {
    Level.PATIENT: (),
    Level.STUDY: ("warnings",),
    Level.SERIES: ("stacks",),
    Level.INSTANCE: ("index", "warnings", "series__stacks"),
}
"""Columns that no answer needs."""
COUNTS: tuple[tuple[Level, str, dict[int, str]], ...] = (
    (
        Level.PATIENT,
        "series__study__patient",
        {0x00201200: "series__study", 0x00201202: "series", 0x00201204: "pk"},
    ),
    (
        Level.STUDY,
        "series__study",
        {0x00201206: "series", 0x00201208: "pk", 0x00080061: "series__modality", 0x00080062: "sop_class_uid"},
    ),
    (Level.SERIES, "series", {0x00201209: "pk"}),
)
"""Number of Patient Related Studies, Series, Instances; Number of Study Related Series, Instances, Modalities in Study, SOP
Classes in Study; Number of Series Related Instances (PS3.4 C.6.1.1, C.6.2.1)."""
GATHERED = frozenset({0x00080061, 0x00080062})
"""Of these the values, not their number."""
OF_LEVEL = {tag: level for level, _, counts in COUNTS for tag in counts}
