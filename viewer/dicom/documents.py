"""Objects that are no images: what they are called, when they were made, what they refer to, and where their bytes lie.

Everything is read by the house's own walk of the file, whose nesting, lengths and numbers of elements are bounded; text is
plain text, never markup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from . import document_tags as said
from . import tags, values
from .elements import Dataset
from .errors import Refused
from .header import Header, opened
from .limits import Limits
from .objects import class_name, not_drawn_reason
from .syntaxes import VIDEO

MOST_REFERENCES = 5000
"""Of one object that are told."""
LINE = 200
"""Characters of a title."""

SR, DOSE, KO, PDF, GSPS, SEG, RTSTRUCT, VIDEO_KIND, OTHER = (
    *("sr", "dose", "ko", "pdf", "gsps", "seg", "rtstruct"),
    *("video", "other"),
)
KINDS = (SR, DOSE, KO, PDF, GSPS, SEG, RTSTRUCT, VIDEO_KIND, OTHER)

_SR_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
_STATES = "1.2.840.10008.5.1.4.1.1.11."
"""Presentation states; three kinds of them are applied."""
_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.88.59": KO,
    "1.2.840.10008.5.1.4.1.1.88.67": DOSE,
    "1.2.840.10008.5.1.4.1.1.104.1": PDF,
    "1.2.840.10008.5.1.4.1.1.66.4": SEG,
    "1.2.840.10008.5.1.4.1.1.481.3": RTSTRUCT,
    "1.2.840.10008.5.1.4.1.1.11.1": GSPS,
    "1.2.840.10008.5.1.4.1.1.11.2": GSPS,
    "1.2.840.10008.5.1.4.1.1.11.5": GSPS,
}
DOCUMENTS = frozenset({SR, DOSE, KO})
"""Kinds that are trees of content items."""
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


@dataclass(frozen=True, slots=True)
class Summary:
    """One object as a list shows it."""

    title: str = ""
    date: str = ""
    """YYYYMMDD or empty."""
    time: str = ""
    refers_to: tuple[str, ...] = ()
    """SOP Instance UIDs, each once, in the order of the file."""


@dataclass(frozen=True, slots=True)
class Encapsulated:
    """Where the document lies in the file."""

    title: str
    mime_type: str
    offset: int
    length: int
    inflated: bytes | None = None
    """The bytes themselves where the data set is deflated."""

    def read(self, file: BinaryIO) -> bytes:
        """The document, out of the opened file of the object."""
        if self.inflated is not None:
            return self.inflated
        file.seek(self.offset)
        return file.read(self.length)


def kind_of(sop_class_uid: str, transfer_syntax_uid: str = "") -> str:
    """One of `KINDS`."""
    if transfer_syntax_uid in VIDEO:
        return VIDEO_KIND
    return _CLASSES.get(sop_class_uid) or (SR if sop_class_uid.startswith(_SR_CLASSES) else OTHER)


def reason_of(kind: str, sop_class_uid: str) -> str | None:
    """Why an object of this kind cannot be shown; None where it can."""
    if kind != OTHER:
        return None
    what = not_drawn_reason(sop_class_uid).partition(":")[0]
    name = class_name(sop_class_uid)
    return f"{name or what}: not shown here" if sop_class_uid.startswith(_STATES) else f"{what}: not shown here"


def summary(path: Path, kind: str, limits: Limits) -> Summary:
    """What a list says of the object in this file. Raises Refused, NotDicom, OSError."""
    with opened(path, limits, said.READ) as header:
        dataset = header.dataset
        date, time = _made(dataset, kind)
        return Summary(_title(dataset, kind), date, time, tuple(_references(dataset)))


def encapsulated(path: Path, limits: Limits) -> Encapsulated:
    """The document in an encapsulated document object (PS3.3 A.45). Raises Refused where there is none."""
    with opened(path, limits, said.READ) as header:
        dataset = header.dataset
        element = dataset.elements.get(said.ENCAPSULATED_DOCUMENT)
        if element is None or element.items is not None:
            raise Refused("the object holds no document", "malformed")
        told = values.integer(dataset, said.ENCAPSULATED_DOCUMENT_LENGTH, "UL")
        length = told if told is not None and 0 < told <= element.length else element.length
        inflated = bytes(dataset.buffer[element.offset : element.offset + length]) if header.deflated else None
        mime_type = values.text(dataset, said.MIME_TYPE_OF_ENCAPSULATED_DOCUMENT).lower()[:LINE]
        return Encapsulated(_title(dataset, PDF), mime_type, element.offset, length, inflated)


def line(dataset: Dataset, tag: int) -> str:
    """Text of one line."""
    return " ".join(values.text(dataset, tag).split())[:LINE].rstrip()


def code_meaning(dataset: Dataset, tag: int) -> str:
    """What the first code of a code sequence means, or its value (PS3.3 8.8)."""
    items = dataset.items(tag)
    if not items:
        return ""
    code = items[0]
    found = (said.CODE_MEANING, said.CODE_VALUE, said.LONG_CODE_VALUE, said.URN_CODE_VALUE)
    return next((text for text in (line(code, tag) for tag in found) if text), "")


def _title(dataset: Dataset, kind: str) -> str:
    for read in (*_TITLES.get(kind, ()), _line_of(tags.SERIES_DESCRIPTION)):
        found = read(dataset)
        if found:
            return found
    return class_name(values.uid(dataset, tags.SOP_CLASS_UID))


def _line_of(tag: int) -> Callable[[Dataset], str]:
    return lambda dataset: line(dataset, tag)


def _concept(dataset: Dataset) -> str:
    return code_meaning(dataset, said.CONCEPT_NAME_CODE_SEQUENCE)


def _label(dataset: Dataset) -> str:
    """Content Label (0070,0080) with the description behind it where that says more."""
    label, description = line(dataset, said.CONTENT_LABEL), line(dataset, said.CONTENT_DESCRIPTION)
    return f"{label}: {description}" if label and description and description != label else description or label


_TITLES: dict[str, tuple[Callable[[Dataset], str], ...]] = {
    SR: (_concept,),
    DOSE: (_concept,),
    KO: (_concept,),
    PDF: (_line_of(said.DOCUMENT_TITLE), _concept),
    GSPS: (_label,),
    SEG: (_label,),
    RTSTRUCT: (_line_of(said.STRUCTURE_SET_LABEL),),
    OTHER: (_line_of(said.DOCUMENT_TITLE), _concept, _label),
}


def _made(dataset: Dataset, kind: str) -> tuple[str, str]:
    """Date and time of the content, else of the series, else of the study."""
    for date, time in (*_MADE.get(kind, ()), *_ALWAYS):
        found = values.day(dataset, date)
        if found:
            return found, values.time_of_day(dataset, time)
    return "", ""


_MADE = {
    GSPS: ((said.PRESENTATION_CREATION_DATE, said.PRESENTATION_CREATION_TIME),),
    RTSTRUCT: ((said.STRUCTURE_SET_DATE, said.STRUCTURE_SET_TIME),),
}
_ALWAYS = (
    (tags.CONTENT_DATE, tags.CONTENT_TIME),
    (tags.SERIES_DATE, tags.SERIES_TIME),
    (tags.STUDY_DATE, tags.STUDY_TIME),
)


def _references(dataset: Dataset) -> Iterator[str]:
    """SOP Instance UIDs that are pointed to: by content items first, by evidence only where no item points to anything."""
    found = _pointed_to(dataset, _POINTING)
    yield from found or _pointed_to(dataset, _EVIDENCE)


def _pointed_to(dataset: Dataset, sequences: frozenset[int]) -> list[str]:
    found: dict[str, None] = {}
    waiting = [dataset]
    while waiting and len(found) < MOST_REFERENCES:
        here = waiting.pop()
        uid = values.uid(here, said.REFERENCED_SOP_INSTANCE_UID)
        if uid:
            found[uid] = None
        for tag in reversed(list(here.elements)):
            if tag in sequences:
                waiting += reversed(here.items(tag))
    return list(found)


_INSIDE = frozenset(
    {
        *(said.REFERENCED_SERIES_SEQUENCE, said.REFERENCED_IMAGE_SEQUENCE, said.REFERENCED_INSTANCE_SEQUENCE),
        *(said.REFERENCED_SOP_SEQUENCE, said.REFERENCED_FRAME_OF_REFERENCE_SEQUENCE, said.RT_REFERENCED_STUDY_SEQUENCE),
        *(said.RT_REFERENCED_SERIES_SEQUENCE, said.CONTOUR_IMAGE_SEQUENCE, said.SOURCE_INSTANCE_SEQUENCE),
    }
)
_POINTING = _INSIDE | {said.CONTENT_SEQUENCE}
_EVIDENCE = _INSIDE | {
    said.CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE,
    said.PERTINENT_OTHER_EVIDENCE_SEQUENCE,
}


def evidence_series(header: Header) -> dict[str, tuple[str, str]]:
    """SOP Instance UID -> (Study, Series Instance UID), as the evidence of a document names them (PS3.3 C.17.2)."""
    found: dict[str, tuple[str, str]] = {}
    for tag in (said.CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE, said.PERTINENT_OTHER_EVIDENCE_SEQUENCE):
        for study in header.dataset.items(tag):
            study_uid = values.uid(study, tags.STUDY_INSTANCE_UID)
            for series in study.items(said.REFERENCED_SERIES_SEQUENCE):
                series_uid = values.uid(series, tags.SERIES_INSTANCE_UID)
                for instance in series.items(said.REFERENCED_SOP_SEQUENCE):
                    if len(found) >= 20 * MOST_REFERENCES:
                        return found
                    found[values.uid(instance, said.REFERENCED_SOP_INSTANCE_UID)] = (study_uid, series_uid)
    return found
