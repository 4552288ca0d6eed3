"""What a C-FIND, C-MOVE or C-GET asks for: its Identifier, checked (PS3.4 C.4.1.2, C.4.2.2, C.4.3.2)."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import UID
from pynetdicom.dsutils import decode

PATIENT, STUDY, SERIES, IMAGE = "PATIENT", "STUDY", "SERIES", "IMAGE"
UNIQUE = {PATIENT: "PatientID", STUDY: "StudyInstanceUID", SERIES: "SeriesInstanceUID", IMAGE: "SOPInstanceUID"}
"""Unique key of each level (PS3.4 C.6.1.1, C.6.2.1)."""
PATIENT_ROOT: tuple[str, ...] = (PATIENT, STUDY, SERIES, IMAGE)
STUDY_ROOT: tuple[str, ...] = (STUDY, SERIES, IMAGE)
MODELS: dict[str, tuple[str, ...]] = {
    **{f"1.2.840.10008.5.1.4.1.2.1.{number}": PATIENT_ROOT for number in (1, 2, 3)},
    **{f"1.2.840.10008.5.1.4.1.2.2.{number}": STUDY_ROOT for number in (1, 2, 3)},
}
"""Levels of an information model, by the SOP class of its C-FIND, C-MOVE and C-GET."""
UIDS_AT_MOST = 5000
"""Of one list; a database bounds how much one question may hold."""
ELEMENTS_AT_MOST = 500
UTF_8 = "ISO_IR 192"

NO_MATCH_OF_CLASS, CANNOT_PROCESS = 0xA900, 0xC000
"""Identifier does not match SOP class; unable to process (PS3.4 C.4.1.1.4)."""
NOT_AUTHORISED = 0x0124
"""PS3.7 C.5.16: the right was there when the association began."""
_UID = re.compile(r"[0-9.]{1,64}\Z")


class Refused(Exception):
    """The request cannot be answered: the status, an Error Comment, and the elements that are to blame (PS3.7 C.4.2)."""

    def __init__(self, status: int, comment: str, *elements: str) -> None:
        super().__init__(comment)
        self.status = status
        self.comment = comment
        self.elements = elements

    def answer(self) -> Dataset:
        """As the status of a response."""
        said = Dataset()
        said.Status = self.status
        said.ErrorComment = self.comment[:64]
        if self.elements:
            said.OffendingElement = [tag_for_keyword(name) for name in self.elements]
        return said


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked Identifier: the level, and by level the values of the unique keys down to it (none: any)."""

    level: str
    uids: dict[str, tuple[str, ...]]
    identifier: Dataset


def decoded(identifier: BytesIO | None, transfer_syntax_uid: str) -> Dataset:
    """The Identifier of a request, every value of it read. Raises Refused."""
    syntax = UID(transfer_syntax_uid)
    try:
        found = decode(identifier or BytesIO(), syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
        many = len([element.value for element in found.iterall()])
    except Exception as problem:
        raise Refused(CANNOT_PROCESS, f"the Identifier cannot be read ({type(problem).__name__})") from problem
    if many > ELEMENTS_AT_MOST:
        raise Refused(CANNOT_PROCESS, f"the Identifier has more than {ELEMENTS_AT_MOST} elements")
    return found


def asked(identifier: Dataset, levels: tuple[str, ...], relational: bool = False) -> Asked:
    """Hierarchical search and retrieval (PS3.4 C.4.1.2.1, C.4.2.2.1): a level of the model, and of each level above one
    value of its unique key; `relational` (C.4.1.3.1): any number of them, none too. Raises Refused."""
    level = first_text(identifier, "QueryRetrieveLevel").upper()
    if level not in levels:
        known = ", ".join(levels)
        raise Refused(NO_MATCH_OF_CLASS, f"QueryRetrieveLevel: one of {known}", "QueryRetrieveLevel")
    uids: dict[str, tuple[str, ...]] = {}
    for above in levels[: levels.index(level)]:
        values = unique_values(identifier, above)
        if len(values) != 1 and not relational:
            raise Refused(NO_MATCH_OF_CLASS, f"{UNIQUE[above]}: one value is needed at {level} level", UNIQUE[above])
        uids[above] = values
    uids[level] = unique_values(identifier, level)
    return Asked(level, uids, identifier)


def to_retrieve(identifier: Dataset, levels: tuple[str, ...], relational: bool = False) -> Asked:
    """An Identifier that names what to retrieve by unique keys alone. Raises Refused."""
    found = asked(identifier, levels, relational)
    if not found.uids[found.level]:
        raise Refused(NO_MATCH_OF_CLASS, f"{UNIQUE[found.level]}: a value is needed", UNIQUE[found.level])
    if found.level == PATIENT and len(found.uids[PATIENT]) > 1:
        raise Refused(NO_MATCH_OF_CLASS, "PatientID: a single value is needed", "PatientID")
    return found


def unique_values(identifier: Dataset, level: str) -> tuple[str, ...]:
    """Values of a level's unique key. A Patient ID with wildcards is no value of it. Raises Refused."""
    name = UNIQUE[level]
    values = tuple(value for value in texts(identifier.get(name)) if value)
    if level == PATIENT:
        return () if any("*" in value or "?" in value for value in values) else values
    if len(values) > UIDS_AT_MOST:
        raise Refused(CANNOT_PROCESS, f"{name}: at most {UIDS_AT_MOST} values at once", name)
    if not all(_UID.match(value) for value in values):
        if set("".join(values)) == {"*"}:
            return ()  # universal matching, as some write it
        raise Refused(NO_MATCH_OF_CLASS, f"{name}: not a UID", name)
    return values


def first_text(identifier: Dataset, name: str) -> str:
    values = texts(identifier.get(name))
    return values[0] if values else ""


def texts(value: Any) -> list[str]:
    """The values of an element as text."""
    if value is None or value == "":
        return []
    many = value if isinstance(value, MultiValue | list | tuple) else [value]
    return [_mended(str(one).strip(" \0")) for one in many]


def _mended(text: str) -> str:
    """Text that named no character set and was read as Latin 1, though it is UTF-8, as many send it."""
    if not text.isascii():
        with contextlib.suppress(UnicodeError):
            return text.encode("latin_1").decode("utf_8")
    return text


def is_key(element: DataElement) -> bool:
    """Whether an element asks for something, and does not say how the Identifier is to be read (PS3.4 C.4.1.1.3.1)."""
    return element.tag.element != 0 and element.keyword not in _NO_KEYS


_NO_KEYS = frozenset({"SpecificCharacterSet", "QueryRetrieveLevel", "TimezoneOffsetFromUTC"})
