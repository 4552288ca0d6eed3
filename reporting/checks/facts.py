"""What the checks read: one frozen value without rows, requests or a network, and what they answer.

Texts are as they are stored, chips included; a `Problem.place` counts in that same text, so a page can mark it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

BLOCK = "block"
ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands in the way of a signature, in the reader's words."""

    rule: str
    level: str
    """`BLOCK`, or `ACKNOWLEDGE`: the reader may say that it is meant so."""
    message: str
    field: str = ""
    """Id of the field that it is in; empty: of the report as a whole."""
    place: tuple[int, int] | None = None
    """Start and end in that field's stored text, in code points (a page's JavaScript counts UTF-16 units)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the template with what the report says in it."""

    id: str
    type: str = "textarea"
    label: str = ""
    value: Any = ""
    fill: str = ""
    """default, touched, dictated, merged or measured."""
    default: Any = ""
    shown: bool = True
    required: bool = False
    completion: str = "NONE"
    units: str = ""
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[tuple[str, str], ...] = ()
    """(value, label) of a selection."""


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str = ""
    code: str = ""
    """LOINC."""
    required: bool = False
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """One number of a measurement as the server has it now (or had it, of a prior)."""

    uid: str
    value: float
    unit: str
    """UCUM: mm, cm, mm2, [hnsf'U], ..."""
    name: str = ""
    """Which number of the measurement: what stands behind the "/" of a chip."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Prior:
    """An earlier report of the same patient: its signed text, plain."""

    text: str
    date: date | None = None
    impression: str = ""
    measurements: tuple[Measured, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What the report, the viewer or the order says it is about. Empty: it does not say."""

    source: str
    study: str = ""
    patient_id: str = ""
    accession_number: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """Whom the template is meant for; ages in whole years, both ends included."""

    sex: str = ""
    age_from: int | None = None
    age_to: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A report at one moment with all that it is compared with. What is left out is not compared."""

    sections: tuple[Section, ...] = ()
    language: str = "en"
    sex: str = ""
    """Patient's Sex (0010,0040): M, F, O or empty."""
    age: float | None = None
    """Years, at the study."""
    study_date: date | None = None
    order_laterality: str = ""
    """L, R or B."""
    image_laterality: str = ""
    """Laterality (0020,0060) or Image Laterality (0020,0062): L, R or B."""
    procedure: str = ""
    """As ordered, or the study's description: "MRI knee left"."""
    indication: str = ""
    """The order's reason."""
    measurements: tuple[Measured, ...] = ()
    """Of this study, linked or not: which are linked, the chips in the texts say."""
    priors: tuple[Prior, ...] = ()
    """Newest first."""
    comparison_dates: tuple[date, ...] | None = None
    """Of every earlier study of this patient that is known here; None: not looked up."""
    criticals: tuple[str, ...] = ()
    """Findings that a critical result was recorded for."""
    template: Limits = field(default_factory=Limits)
    contexts: tuple[Context, ...] = ()


def sections_of(
    schema: Mapping[str, Any],
    content: Mapping[str, Any],
    fills: Mapping[str, str] | None = None,
    shown: Collection[str] | None = None,
) -> tuple[Section, ...]:
    """A template's schema with a report's content; `shown` None: no field is hidden."""
    filled = fills or {}
    return tuple(
        Section(
            id=section["id"],
            title=section.get("title") or "",
            code=(section.get("code") or {}).get("value", ""),
            required=bool(section.get("required")),
            fields=tuple(
                Field(
                    id=entry["id"],
                    type=entry.get("type") or "textarea",
                    label=entry.get("label") or "",
                    value=content.get(entry["id"], ""),
                    fill=filled.get(entry["id"], ""),
                    default=entry.get("default") or "",
                    shown=shown is None or entry["id"] in shown,
                    required=bool(entry.get("required")),
                    completion=entry.get("completion") or "NONE",
                    units=entry.get("units") or "",
                    minimum=entry.get("minimum"),
                    maximum=entry.get("maximum"),
                    options=tuple((option["value"], option["label"]) for option in entry.get("options") or ()),
                )
                for entry in section.get("fields") or ()
            ),
        )
        for section in schema.get("sections") or ()
    )
