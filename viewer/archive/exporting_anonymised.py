"""An anonymised copy: what is in it, what is left out, and why (PS3.15 E.3.1: pixels and texts are not cleaned here)."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from pydicom import Dataset

from viewer.archive.exporting import Copy, Exported
from viewer.dicom.anonymised import anonymous_copy
from viewer.dicom.anonymising import Anonymiser
from viewer.dicom.directory import kind_of
from viewer.dicom.errors import DicomError
from viewer.dicom.rewriting import dataset_of
from viewer.dicom.syntaxes import VIDEO

SAFE_KINDS: Final = ("IMAGE", "RT DOSE", "RT PLAN", "RT STRUCTURE SET", "REGISTRATION")
"""Directory records whose objects the profile cleans; others are texts or bytes that nobody has looked through."""
DOCUMENT: Final = "document"
REASONS: Final = {
    "burned_in": "The image says that annotations are burned into its pixels.",
    "screen": "A picture of a screen or of a scanned page often shows a name.",
    "ultrasound": "Ultrasound machines often write the name into the picture.",
    "video": "A video may show or name the patient.",
    "overlay": "An overlay is hidden in the bits of the pixels.",
    DOCUMENT: "Reports and documents name people in their text.",
}
_SECONDARY_CAPTURE: Final = "1.2.840.10008.5.1.4.1.1.7"
_SHIFTED_BY = range(-3650, -364)
"""Days."""
_LOOKED_AT = 3
"""Objects of a series of which it is said beforehand whether they are left out: the first, the middle, the last."""


def is_document(one: Exported) -> bool:
    """Whether its text is what it is about."""
    return kind_of(one.sop_class_uid) not in SAFE_KINDS


def reason_of(one: Exported, dataset: Dataset) -> str | None:
    """Why an object is not to be given away unseen; None: nothing speaks against it."""
    if is_document(one):
        return DOCUMENT
    said = str(dataset.get("BurnedInAnnotation", "")).upper()
    modality = str(dataset.get("Modality", ""))
    image_type = str(dataset.get("ImageType", "")).upper()
    if said == "YES":
        return "burned_in"
    if one.transfer_syntax_uid in VIDEO:
        return "video"
    if one.sop_class_uid.startswith(_SECONDARY_CAPTURE) or modality in ("OT", "SC", "DOC") or "SCREEN" in image_type:
        return "screen"
    if modality in ("US", "IVUS"):
        return "ultrasound"
    if any((group, 0x0100) in dataset and (group, 0x3000) not in dataset for group in range(0x6000, 0x6020, 2)):
        return "overlay"
    return None


@dataclass(slots=True)
class Anonymised:
    """What is made of objects that leave without the person."""

    burned_in: bool = False
    """Also pictures in which something may be written; a person has decided so."""
    shifted: bool = False
    """Dates are moved, all by as much, instead of taken out."""
    left_out: Counter[str] = field(default_factory=Counter)
    _anonymiser: Anonymiser | None = None

    @property
    def anonymiser(self) -> Anonymiser:
        if self._anonymiser is None:
            self._anonymiser = Anonymiser(secrets.choice(_SHIFTED_BY) if self.shifted else None)
        return self._anonymiser

    def copy(self, one: Exported) -> Copy | None:
        reason = DOCUMENT if is_document(one) else reason_of(one, dataset_of(one.path, one.changes))
        if reason is not None and (reason == DOCUMENT or not self.burned_in):
            self.left_out[reason] += 1
            return None
        return anonymous_copy(one.path, one.transfer_syntax_uid, one.changes, self.anonymiser)

    @property
    def readme(self) -> str:
        """To be asked when all objects have gone."""
        lines = [
            "Names, IDs and other attributes of the person were taken out by the Basic Application Level",
            "Confidentiality Profile of DICOM PS3.15; UIDs were replaced. Dates were "
            + ("moved, all by as much." if self.shifted else "taken out."),
            "Pixels were not changed: a face can be made from a scan of a head.",
        ]
        if self.burned_in:
            lines.append("PICTURES IN WHICH A NAME MAY BE WRITTEN ARE INCLUDED: look at each before it is passed on.")
        lines += [f"Left out: {count}. {REASONS[reason]}" for reason, count in sorted(self.left_out.items())]
        return "\r\n".join(lines)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A series that an anonymised copy leaves out, or some of it."""

    series_instance_uid: str
    objects: int
    reason: str


def doubts(objects: Iterable[Exported]) -> list[Doubt]:
    """What a person is told beforehand, of a few objects of each series; the copy itself looks at each."""
    found = []
    for uid, group in groupby(objects, lambda one: one.series_instance_uid):
        series = list(group)
        reasons = {reason for one in _some(series) if (reason := _reason(one)) is not None}
        found += [Doubt(uid, len(series), reason) for reason in sorted(reasons)]
    return found


def _some(series: Sequence[Exported]) -> list[Exported]:
    step = max(1, (len(series) - 1) // (_LOOKED_AT - 1))
    return list({id(one): one for one in (*series[::step][:_LOOKED_AT], series[-1])}.values())


def _reason(one: Exported) -> str | None:
    try:
        return reason_of(one, dataset_of(one.path, one.changes))
    except (DicomError, OSError, ValueError):
        return None
