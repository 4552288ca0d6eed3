"""Texts of templates: cleaned, cut, and made into ids; the words by which sections, units and merge values are
known."""

from __future__ import annotations

import re
import unicodedata

from reporting import chips

OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")
"""Marks that make a text read otherwise than it is written."""
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def line(text: str, longest: int) -> str:
    """One clean line: no control signs, one space where any white space was."""
    kept = OVERRIDES.sub("", _CONTROLS.sub(" ", text))
    return " ".join(kept.split())[:longest].rstrip()


def lines(text: str, longest: int) -> str:
    """Clean text of several lines: ends of lines as "\\n", no control signs but those and tabs."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return OVERRIDES.sub("", _CONTROLS.sub("", plain))[:longest]


def without_chips(text: str) -> str:
    """A template holds no evidence: links to it become their words."""
    while (plain := chips.plain(text)) != text:
        text = plain
    return text


def label(text: str, longest: int) -> str:
    """A label without the colon at its end."""
    return line(text, longest).rstrip(": ").lstrip("-–• ").strip()


def identifier(text: str) -> str:
    """An id of letters a-z, digits and "_", near to `text`; empty when nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign)).lower()
    return re.sub(r"[^a-z0-9]+", "_", kept).strip("_")[:60]


def folded(text: str) -> str:
    return identifier(text).replace("_", " ")


SECTION_KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "clinical_information": (
        "55752-0",
        "Clinical information",
        ("clinical information", "clinical history", "history", "indication", "klinische angaben"),
    ),
    "procedure": ("55111-9", "Current imaging procedure descriptions", ("procedure", "technique", "technik")),
    "comparison": ("18834-2", "Radiology comparison study", ("comparison", "comparisons", "vergleich")),
    "findings": ("59776-5", "Procedure findings", ("findings", "finding", "observations", "befund", "befunde")),
    "impression": ("19005-8", "Radiology impression", ("impression", "impressions", "conclusion", "beurteilung")),
    "recommendation": ("18783-1", "Radiology recommendation", ("recommendation", "recommendations", "empfehlung")),
}
"""Id -> LOINC, its meaning, and the names by which such a section is known."""


def section_kind(*names: str) -> str | None:
    """The kind of section that one of these names means, if any does."""
    said = {folded(name) for name in names}
    return next((kind for kind, (_, _, known) in SECTION_KINDS.items() if said & set(known)), None)


MERGE_WORDS: dict[str, tuple[str, ...]] = {
    "order.reason": ("indication", "clinical information", "clinical history", "reason", "reason for exam"),
    "order.procedure": ("procedure", "exam", "examination"),
    "order.referrer": ("referrer", "referring physician", "ordering physician"),
    "comparison.list": ("comparison", "comparisons", "prior studies"),
    "dose.total": ("dose", "radiation dose", "dlp"),
    "patient.name": ("patient name", "name of patient"),
    "patient.id": ("patient id", "mrn"),
    "patient.birth_date": ("birth date", "date of birth", "patient birth date"),
    "patient.sex": ("sex", "patient sex", "gender"),
    "patient.age": ("age", "patient age"),
    "study.date": ("study date", "exam date", "date of study"),
    "study.description": ("study description",),
    "study.accession": ("accession", "accession number"),
}


def merge_meant(*names: str) -> str:
    """The value that a field named so is to be merged with; empty when no name says."""
    said = {folded(name) for name in names if name}
    return next((merge for merge, known in MERGE_WORDS.items() if said & set(known)), "")


UNITS: dict[str, str] = {
    "mm": "mm", "cm": "cm", "ml": "mL", "cc": "mL", "cm3": "cm3", "mm3": "mm3", "cm³": "cm3", "mm³": "mm3",
    "cm2": "cm2", "mm2": "mm2", "cm²": "cm2", "mm²": "mm2", "%": "%", "°": "deg", "hu": "[hnsf'U]", "cm/s": "cm/s",
    "m/s": "m/s", "mg/l": "mg/L", "mg/dl": "mg/dL", "mg": "mg", "kg": "kg",
    "msv": "mSv", "mgy": "mGy", "mgy·cm": "mGy.cm", "mgy*cm": "mGy.cm", "mgycm": "mGy.cm", "mmhg": "mm[Hg]", "bpm": "/min",
    "mbq": "MBq", "kpa": "kPa", "ms": "ms",
}  # fmt: skip
"""A unit as people write it behind a field -> UCUM."""


def unit_in(text: str) -> str:
    """UCUM of the unit that a text begins with; empty without one."""
    first = re.match(r"[^\s,;.()]+", text.strip())
    return UNITS.get(first[0].lower(), "") if first else ""
