"""A signed report as every export reads it: one frozen value, complete, without rows, requests or a network.

Texts are plain (chips as their words). Dates of DICOM stay as DICOM writes them; times of ours are aware.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from viewer.objects.header import Reference


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept; `scheme` is the coding scheme designator (RADLEX, LN, SCT, DCM)."""

    value: str
    scheme: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Site:
    """The organization that answers for the report."""

    name: str
    title: str
    letterhead: str = ""
    address: str = ""
    footer: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    appended_as_correction: bool = False
    dicom_web: str = ""
    """Address of the DICOMweb service that has the images; empty: none is open."""


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """As the study states them, at signing."""

    name: str
    """Patient's Name (0010,0010) with its component groups."""
    patient_id: str
    issuer_of_patient_id: str
    birth_date: str
    sex: str


@dataclass(frozen=True, slots=True)
class StudyFacts:
    study_instance_uid: str
    accession_number: str
    study_id: str
    date: str
    time: str
    timezone_offset: str
    description: str
    modalities: tuple[str, ...]
    institution: str
    referring_physician: str


@dataclass(frozen=True, slots=True)
class OrderFacts:
    placer_order_number: str = ""
    filler_order_number: str = ""
    procedure_code: str = ""
    procedure_code_system: str = ""
    procedure_text: str = ""
    reason: str = ""
    requested_at: datetime | None = None
    referring_identifier: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a section as it reads: "Size: 12 mm". Without a label it is running text."""

    label: str
    text: str
    field_id: str = ""
    codes: tuple[Code, ...] = ()
    number: float | None = None
    units: str = ""
    """UCUM, of `number`."""
    pictures: tuple[int, ...] = ()
    """Positions in `SignedReport.pictures` that the text links to."""


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    """findings, impression, ...: the id in the template."""
    title: str
    code: Code | None
    """Of a section without one that of the section above it."""
    entries: tuple[Entry, ...]
    """Empty: the heading of what stands under it."""
    level: int = 1
    under: str = ""
    """Name of the section above, whose code it has; empty: it has its own."""


def headed(sections: Sequence[Section]) -> list[list[Section]]:
    """Sections, each with those under it that have no code of their own: to a program they are one."""
    found: list[list[Section]] = []
    for section in sections:
        above = next((one for one in found if section.under and one[0].name == section.under), None)
        if above is not None:
            above.append(section)
        else:
            found.append([section])
    return found


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image that a picture was drawn from."""

    sop_class_uid: str
    sop_instance_uid: str
    series_instance_uid: str
    frames: tuple[int, ...] = ()
    """1-based; empty: the whole object."""
    study_instance_uid: str = ""
    """Empty: the study that is reported; a picture for comparison comes from another one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Frozen evidence."""

    position: int
    kind: str
    uid: str
    caption: str
    png: bytes
    sha256: str
    rows: int
    columns: int
    view: Mapping[str, Any]
    renderer: str
    series_instance_uid: str
    sources: tuple[SourceImage, ...]
    measurements: tuple[Mapping[str, Any], ...] = ()
    """As `reporting.evidence.lines.stated` keeps them: {uid, kind, label, values, drawings, words, ...}."""
    draws_the_same: bool | None = None
    """Whether drawing it today gives the same bytes; None: not asked."""
    withdrawn: bool = False
    """Whether an image that it was drawn from was rejected since."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it is printed: who, when with zone, in what meaning (21 CFR 11.50)."""

    name: str
    username: str
    role: str
    meaning: str
    """author, co-signer, verified, addendum, correction."""
    at: datetime
    version: int
    mac: str


@dataclass(frozen=True, slots=True)
class Addendum:
    text: str
    signature: Signature


@dataclass(frozen=True, slots=True)
class Critical:
    """A critical result and whether it was heard."""

    finding: str
    category: str
    found_at: datetime
    recipient: str
    method: str
    read_back: bool
    acknowledged_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SignedReport:
    """The newest signed version of one report."""

    report_id: int
    uid: str
    """UUID of the report, the root of every identifier made for it."""
    version: int
    state: str
    """preliminary, pending_cosign, returned, final, appended, corrected, cancelled, entered_in_error."""
    title: str
    language: str
    template_identifier: str
    site: Site
    patient: PatientFacts
    study: StudyFacts
    order: OrderFacts | None
    sections: tuple[Section, ...]
    pictures: tuple[Picture, ...]
    signatures: tuple[Signature, ...]
    """Of the text as it stands, oldest first; addenda carry their own."""
    addenda: tuple[Addendum, ...] = ()
    criticals: tuple[Critical, ...] = ()
    reason: str = ""
    reason_code: str = ""
    """Of a correction or withdrawal: "error" or "content"."""
    first_signed_at: datetime | None = None
    predecessors: tuple[str, ...] = ()
    """SOP Instance UIDs of SR objects of earlier signed versions, newest first."""
    filed: tuple[Reference, ...] = ()
    """Of a report that was withdrawn: its objects that lie in the archive."""
    told_since: str = ""
    """Digest of what was heard of its critical results, and done to its images, after the signature; empty: nothing was."""
    images_corrected_at: datetime | None = None
    """When its images were corrected, where that was after it was signed."""
    study_series: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Series Instance UID -> (SOP Class UID, SOP Instance UID) of the images that were read."""
