"""What an object says of studies besides its own header: evidence, referenced series, requests, with corrections laid on.

SR, KO, SEG, RT structure sets and others name the objects that they are about below their study and series. A series that
was moved to another study leaves with that study's UID, and so do all references to it (PS3.3 C.12.2, C.17.2.1, C.17.6.2.1).
A presentation state names series without their study (PS3.3 C.11.11): nothing of that changes. Content items stay as signed.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from . import tags
from .changes import SYSTEM, Changes, Original
from .header import Header, opened
from .limits import Limits

REFERENCED_SERIES: Final = 0x00081115
OTHER_STUDIES: Final = 0x00081200
"""Studies Containing Other Referenced Instances Sequence: what Referenced Series Sequence cannot name."""
REFERENCED_STUDY: Final = 0x00081110
FRAMES_OF_REFERENCE: Final = 0x30060010
BY_STUDY: Final = (OTHER_STUDIES, 0x00209529, 0x0040A360, 0x0040A375, 0x0040A385, 0x0040A525)
"""Items of a study, in it its series: also contributing objects, predecessor documents, evidence, identical documents."""
REQUESTS: Final = (0x00400275, 0x0040A370)
"""Request Attributes Sequence, Referenced Request Sequence."""
REFERRING: Final = frozenset({REFERENCED_SERIES, REFERENCED_STUDY, FRAMES_OF_REFERENCE, *BY_STUDY, *REQUESTS})
"""All of these, at the top level."""
_NEEDED: Final = (tags.SPECIFIC_CHARACTER_SET, tags.MODALITY, tags.STUDY_INSTANCE_UID, *sorted(REFERRING))
_LIMITS: Final = Limits()

Named = tuple[str, str]
"""Study Instance UID, Series Instance UID."""


@dataclass(slots=True)
class Renamed:
    """Sequences that leave otherwise than they are stored."""

    after: dict[int, Sequence] = field(default_factory=dict)
    """By tag; one without items is left out."""
    former: Dataset = field(default_factory=Dataset)
    """As they were stored, those that were there."""


def named_series(path: Path) -> set[Named]:
    """Every series that the header of a stored file names below a study. Raises NotDicom, Refused, OSError."""
    with opened(path, _LIMITS, REFERRING | {tags.SPECIFIC_CHARACTER_SET}) as header:
        if not header.dataset.elements.keys() & REFERRING:
            return set()
        return set(_named(referring_part(header, path)))


def referring_part(header: Header, path: Path) -> Dataset:
    """The sequences alone, of a walked file, every text of them read."""
    part = read_with_pydicom(header, path, list(_NEEDED))
    part.decode()
    return part


def read_with_pydicom(header: Header, path: Path, only: list[int] | None = None) -> Dataset:
    """The attributes of a walked file, or some of them, without pixels."""
    source = io.BytesIO(bytes(header.dataset.buffer[:])) if header.deflated else path
    return pydicom.dcmread(source, force=True, stop_before_pixels=True, specific_tags=only)


def with_former(changes: Changes, references: Renamed) -> Changes:
    """The changes with an item more of what sequences were before."""
    if not references.former:
        return changes
    last = max([changes.moved_at, *(one.modified_at for one in changes.original)])
    former = Original(last, SYSTEM, "CORRECT", "", {}, references.former)
    return replace(changes, original=(*changes.original, former))


def renamed(dataset: Dataset, changes: Changes) -> Renamed:
    """What of an object's sequences is different after `changes`; `dataset` is as stored and stays so."""
    now = Dataset()
    for tag in _NEEDED:
        if tag in dataset:
            now.add(copy.deepcopy(dataset[tag]))
    own = _Own.of(dataset, changes)
    for tag in BY_STUDY:
        if tag in now:
            now[tag].value = _regrouped(now[tag].value, _BY_STUDY, changes.moved)
    for frame in now[FRAMES_OF_REFERENCE].value if FRAMES_OF_REFERENCE in now else ():
        if "RTReferencedStudySequence" in frame:
            frame.RTReferencedStudySequence = _regrouped(frame.RTReferencedStudySequence, _OF_RT, changes.moved)
    if str(dataset.get("Modality", "")) != "PR":
        _own_study_apart(now, own, changes.moved)
    for tag in (*REQUESTS, *BY_STUDY, REFERENCED_STUDY):
        for item in now[tag].value if tag in now else ():
            own.lay_on(item)
    return _difference(dataset, now)


@dataclass(frozen=True, slots=True)
class _Names:
    """How items of one kind name a study, and where in them its series are."""

    study: str
    series: str


_BY_STUDY = _Names("StudyInstanceUID", "ReferencedSeriesSequence")
_OF_RT = _Names("ReferencedSOPInstanceUID", "RTReferencedSeriesSequence")


@dataclass(frozen=True, slots=True)
class _Own:
    """The study and the request of the object itself."""

    stored: str
    study: str
    number: str
    studies: frozenset[str]
    """Study Instance UIDs that it had."""
    numbers: frozenset[str]
    """Accession numbers that it had."""

    @classmethod
    def of(cls, dataset: Dataset, changes: Changes) -> _Own:
        stored = str(dataset.get("StudyInstanceUID", ""))
        study = changes.attributes.get("StudyInstanceUID", stored)
        number = changes.attributes.get("AccessionNumber", "")
        return cls(
            *(stored, study, number),
            frozenset(_formerly("StudyInstanceUID", changes)) - {study},
            frozenset(_formerly("AccessionNumber", changes)) - {number, ""} if number else frozenset(),
        )

    def lay_on(self, item: Dataset) -> None:
        """What an item says of the object's own study or request; what it says of series is put right already."""
        if "ReferencedSeriesSequence" not in item and item.get("StudyInstanceUID") in self.studies:
            item.StudyInstanceUID = self.study
        if item.get("ReferencedSOPInstanceUID") in self.studies:
            item.ReferencedSOPInstanceUID = self.study
        if item.get("AccessionNumber") in self.numbers:
            item.AccessionNumber = self.number
        for inner in item.get("ReferencedStudySequence", None) or ():
            self.lay_on(inner)


def _formerly(keyword: str, changes: Changes) -> Iterable[str]:
    return (one.attributes[keyword] for one in changes.original if keyword in one.attributes)


def _regrouped(items: Sequence, names: _Names, moved: Mapping[Named, str]) -> Sequence:
    """Each series below the study that it is in now: what is moved joins the item of that study, or makes one."""
    stay: list[Dataset] = []
    gone: list[tuple[str, Dataset, Dataset]] = []
    for item in items:
        said = str(item.get(names.study, ""))
        members = list(item.get(names.series, None) or ())
        where = [moved.get((said, str(one.get("SeriesInstanceUID", ""))), said) for one in members]
        gone += [(study, item, one) for study, one in zip(where, members, strict=True) if study != said]
        here = [one for study, one in zip(where, members, strict=True) if study == said]
        if here or not members:
            stay.append(item)
        if len(here) < len(members):
            item[names.series].value = Sequence(here)
    for study, item, one in gone:
        home = next((there for there in stay if there.get(names.study) == study and names.series in there), None)
        if home is None:
            home = copy.deepcopy(item)
            home[names.study].value = study
            home[names.series].value = Sequence([])
            stay.append(home)
        home[names.series].value.append(one)
    return Sequence(stay)


def _own_study_apart(now: Dataset, own: _Own, moved: Mapping[Named, str]) -> None:
    """Referenced Series Sequence names series of the object's own study, the other sequence those of others (PS3.3 C.12.2)."""
    beside = list(now.get("ReferencedSeriesSequence", ()))
    others = list(now.get("StudiesContainingOtherReferencedInstancesSequence", ()))
    if not (beside or others) or (not moved and own.stored == own.study):
        return
    stay, go = [], Sequence(others)
    for series in beside:
        study = moved.get((own.stored, str(series.get("SeriesInstanceUID", ""))), own.stored)
        if study == own.study:
            stay.append(series)
            continue
        home = next((item for item in go if item.get("StudyInstanceUID") == study), None)
        if home is None:
            home = Dataset()
            home.ReferencedSeriesSequence = []
            home.StudyInstanceUID = study
            go.append(home)
        home.ReferencedSeriesSequence.append(series)
    came = [item for item in go if item.get("StudyInstanceUID") == own.study]
    stay += [series for item in came for series in item.get("ReferencedSeriesSequence", ())]
    _put(now, "ReferencedSeriesSequence", stay)
    _put(now, "StudiesContainingOtherReferencedInstancesSequence", [item for item in go if item not in came])


def _put(dataset: Dataset, keyword: str, items: list[Dataset]) -> None:
    if items:
        setattr(dataset, keyword, items)
    elif keyword in dataset:
        delattr(dataset, keyword)


def _difference(stored: Dataset, now: Dataset) -> Renamed:
    told = Renamed()
    for tag in sorted(REFERRING):
        before, after = stored.get(tag), now.get(tag)
        if before == after:
            continue
        told.after[tag] = Sequence([]) if after is None else after.value
        if before is not None:
            told.former.add(before)
    return told


def _named(dataset: Dataset) -> Iterable[Named]:
    own = str(dataset.get("StudyInstanceUID", ""))
    yield from _of_series(own, dataset.get("ReferencedSeriesSequence", ()))
    for tag in BY_STUDY:
        for item in dataset[tag].value if tag in dataset else ():
            yield from _of_series(str(item.get(_BY_STUDY.study, "")), item.get(_BY_STUDY.series, ()))
    for frame in dataset[FRAMES_OF_REFERENCE].value if FRAMES_OF_REFERENCE in dataset else ():
        for item in frame.get("RTReferencedStudySequence", None) or ():
            yield from _of_series(str(item.get(_OF_RT.study, "")), item.get(_OF_RT.series, ()))


def _of_series(study: str, items: Iterable[Dataset] | None) -> Iterable[Named]:
    for item in items or ():
        yield study, str(item.get("SeriesInstanceUID", ""))
