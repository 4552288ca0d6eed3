"""A whole template: its schema, and what its head says about it."""

from __future__ import annotations

from dataclasses import dataclass

from reporting.mrrt.schema import Code, Schema

STATUSES = ("", "DRAFT", "ACTIVE", "RETIRED")
KEPT = (
    *("description", "publisher", "rights", "license", "date", "creator", "contributor", "abstract", "subject"),
    *("references", "audience", "source", "replaces", "created", "modified"),
)
"""dcterms beside title, identifier, language and type."""
METADATA, VALUE, IDENTIFIER = 60, 2000, 200

SCHEMES: dict[str, tuple[str, str]] = {
    "RADLEX": ("RADLEX", "2.16.840.1.113883.6.256"),
    "LOINC": ("LN", "2.16.840.1.113883.6.1"),
    "LN": ("LN", "2.16.840.1.113883.6.1"),
    "SNOMED": ("SCT", "2.16.840.1.113883.6.96"),
    "SNOMEDCT": ("SCT", "2.16.840.1.113883.6.96"),
    "SCT": ("SCT", "2.16.840.1.113883.6.96"),
    "SRT": ("SRT", "2.16.840.1.113883.6.96"),
    "DCM": ("DCM", "1.2.840.10008.2.16.4"),
    "UCUM": ("UCUM", "2.16.840.1.113883.6.8"),
    "RADELEMENT": ("RADELEMENT", ""),
}
"""Name of a coding scheme in capitals -> the designator that we use, and its OID."""
MRRT_NAMES = {"LN": "LOINC"}
"""Designators that MRRT calls otherwise."""


@dataclass(frozen=True, slots=True)
class Term:
    """What a template is for: "modality" or "body part", and its code."""

    type: str
    code: Code


@dataclass(frozen=True, slots=True)
class Document:
    schema: Schema
    identifier: str
    metadata: tuple[tuple[str, str], ...] = ()
    """(dcterms name, value), in order; names of `KEPT`, several contributors possible."""
    status: str = ""
    top_level: bool = True
    terms: tuple[Term, ...] = ()
