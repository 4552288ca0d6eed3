"""Objects without the person: Basic Application Level Confidentiality Profile (PS3.15 E), by the table E.1-1 that
dicom-anonymizer keeps. UIDs become others, the same one for the same one throughout a copy.

The table names attributes; three more things are done to what it does not name: private and unknown elements go, every UID that
is not one of the standard is replaced, and a text in which a name or an ID of the person still stands is emptied.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

from dicomanonymizer.dicomfields_selector import dicom_anonymization_database_selector
from pydicom import DataElement, Dataset
from pydicom.multival import MultiValue

from .changed_elements import element_of

TABLE: Final = "dicomfields_2026c"
METHOD: Final = "Farview: DICOM PS3.15 2026c, Basic Profile"
STANDARD_UID: Final = "1.2.840.10008."
REMOVE, EMPTY, DUMMY, UID = "X", "Z", "D", "U"
_ACTIONS: Final = {
    "X_TAGS": REMOVE,
    "Z_TAGS": EMPTY,
    "X_Z_TAGS": EMPTY,
    "D_TAGS": DUMMY,
    "Z_D_TAGS": DUMMY,
    "X_D_TAGS": DUMMY,
    "X_Z_D_TAGS": DUMMY,
    "U_TAGS": UID,
    "X_Z_U_STAR_TAGS": UID,
}
"""Where the table leaves a choice, what keeps the object true to its IOD whatever type the attribute is of."""
_TEXT: Final = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
_NUMBERS: Final = frozenset({"FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_DUMMIES: Final = {
    **dict.fromkeys(_TEXT, "ANONYMIZED"),
    **dict.fromkeys(_NUMBERS, 0),
    "CS": "ANONYMIZED",
    "AS": "000Y",
    "DA": "19000101",
    "DT": "19000101000000",
    "TM": "000000",
    "DS": "0",
    "IS": "0",
    "UR": "http://anonymized.invalid",
}
_ALWAYS_KEPT: Final = frozenset({0x00020010, 0x00080005, 0x00080016})
_OVERLAYS: Final = range(0x6000, 0x6100)
"""The profile takes their data and comments; what is left would describe nothing."""
_BIRTH: Final = frozenset({0x00100030, 0x00100032})
_IDS: Final = ("PatientID", "OtherPatientIDs", "AccessionNumber", "AdmissionID", "IssuerOfPatientID", "InstitutionName")
_SHORTEST = 3
"""Of a name or an ID that is looked for in other texts."""


@cache
def _rules() -> tuple[dict[int, str], tuple[tuple[int, int, str], ...]]:
    """Action by tag, and (mask, masked tag, action) of repeating groups."""
    single: dict[int, str] = {}
    repeating = []
    for name, tags in dicom_anonymization_database_selector(TABLE).items():
        for group, element, *mask in tags if name in _ACTIONS else ():
            if mask:
                bits = mask[0] << 16 | mask[1]
                repeating.append((bits, (group << 16 | element) & bits, _ACTIONS[name]))
            else:
                single[group << 16 | element] = _ACTIONS[name]
    return single, tuple(repeating)


def action_of(tag: int) -> str:
    """What the profile does with an attribute; empty: it does not name it."""
    single, repeating = _rules()
    return single.get(tag) or next((action for mask, tags, action in repeating if tag & mask == tags), "")


@dataclass(frozen=True, slots=True)
class Anonymiser:
    """One copy: what belongs together in it stays together, and nothing ties it to another copy."""

    days: int | None = None
    """How far dates are moved (PS3.15 E.3.6); None: there are none."""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def uid(self, original: str) -> str:
        """The UID that stands for `original` in this copy."""
        if not original or original.startswith(STANDARD_UID):
            return original
        return f"2.25.{int.from_bytes(self._digest(original)[:16], 'big')}"

    def applied(self, dataset: Dataset) -> None:
        """Take the person out of an object (its pixels left aside). Raises ValueError for what cannot be read."""
        names = _identifying(dataset)
        subject = "ANON-" + self._digest("subject " + str(dataset.get("PatientID", ""))).hex()[:8].upper()
        self._walk(dataset, strictly=False, names=names)
        said: dict[str, Any] = {
            "PatientName": subject,
            "PatientID": subject,
            "PatientIdentityRemoved": "YES",
            "DeidentificationMethod": METHOD,
            "LongitudinalTemporalInformationModified": "REMOVED" if self.days is None else "MODIFIED",
        }
        for keyword, value in said.items():
            dataset.add(element_of(keyword, value))
        dataset.DeidentificationMethodCodeSequence = list(self._codes())

    def _codes(self) -> Iterator[Dataset]:
        """CID 7050."""
        yield _code("113100", "Basic Application Confidentiality Profile")
        if self.days is not None:
            yield _code("113107", "Retain Longitudinal Temporal Information Modified Dates Option")

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self.secret, digest_size=32).digest()

    def _walk(self, dataset: Dataset, *, strictly: bool, names: re.Pattern[str] | None) -> None:
        for tag in list(dataset.keys()):
            raw = dataset.get_item(tag)
            if raw is None or tag in _ALWAYS_KEPT:
                continue
            if tag.is_private or tag.element == 0 or raw.VR == "UN" or tag.group in _OVERLAYS:
                del dataset[tag]
                continue
            element = _readable(dataset, tag)
            if element is None or element.VR == "UN":
                del dataset[tag]
                continue
            action = action_of(int(tag))
            if element.VR in ("DA", "DT", "TM") and self._dated(dataset, element, action):
                continue
            if not action and element.VR in ("DA", "DT", "PN"):
                action = EMPTY
            if strictly and element.VR in _TEXT:
                action = action or DUMMY
            self._act(dataset, element, action, names)

    def _act(self, dataset: Dataset, element: DataElement, action: str, names: re.Pattern[str] | None) -> None:
        if action == REMOVE:
            del dataset[element.tag]
        elif action == EMPTY:
            element.value = [] if element.VR == "SQ" else None
        elif element.VR == "SQ":
            for item in element.value:
                self._walk(item, strictly=action == DUMMY, names=names)
        elif element.VR == "UI":
            element.value = _each(element.value, self.uid)
        elif action == DUMMY:
            element.value = _DUMMIES.get(element.VR, b"\0\0")
        elif element.VR in _TEXT and names is not None and names.search(_plain(element.value)):
            element.value = "ANONYMIZED"

    def _dated(self, dataset: Dataset, element: DataElement, action: str) -> bool:
        """Whether a date was moved instead of taken out; times stay with dates that were moved."""
        if self.days is None or int(element.tag) in _BIRTH:
            return False
        if element.VR != "TM":
            moved = _each(element.value, lambda value: _moved(value, self.days or 0))
            if not _plain(moved).strip("\\"):
                return False
            element.value = moved
        return True


def _identifying(dataset: Dataset) -> re.Pattern[str] | None:
    """Names and IDs that may stand in other texts as well."""
    found: set[str] = set()
    for element in _elements(dataset):
        if element.VR == "PN":
            found.update(re.split(r"[\\^=\s,]+", _plain(element.value)))
    for keyword in _IDS:
        found.update(_plain(dataset.get(keyword, "")).split("\\"))
    wanted = sorted(
        {text.strip() for text in found if len(text.strip()) >= _SHORTEST}, key=lambda text: (-len(text), text)
    )
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, wanted)) + r")(?!\w)", re.IGNORECASE) if wanted else None


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    for tag in list(dataset.keys()):
        element = _readable(dataset, tag)
        if element is None:
            continue
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)


def _readable(dataset: Dataset, tag: Any) -> DataElement | None:
    """None: nothing that could be told to be harmless."""
    with suppress(ValueError, TypeError, OverflowError, NotImplementedError, LookupError, AttributeError):
        return dataset[tag]
    return None


def _moved(value: str, days: int) -> str:
    """A DA or DT, so many days later; nothing where it is no date."""
    text = str(value).strip()
    if not re.match(r"\d{8}", text):
        return ""
    try:
        at = date(int(text[:4]), int(text[4:6]), int(text[6:8])) + timedelta(days=days)
    except (ValueError, OverflowError):
        return ""
    return f"{at:%Y%m%d}".rjust(8, "0") + text[8:]


def _each(value: Any, of: Callable[[str], str]) -> Any:
    if isinstance(value, MultiValue | list):
        return [of(str(one)) for one in value]
    return of(str(value)) if value else value


def _plain(value: Any) -> str:
    if isinstance(value, MultiValue | list):
        return "\\".join(map(str, value))
    return "" if value is None else str(value)


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    said: Mapping[str, str] = {"CodeValue": value, "CodingSchemeDesignator": "DCM", "CodeMeaning": meaning}
    for keyword, text in said.items():
        item.add(element_of(keyword, text))
    return item
