"""Codes of diagnostic imaging reports: titles (CID 7000), headings (CID 7001), elements (CID 7002), modalities (CID 29)."""

from __future__ import annotations

from reporting.exports.document import Code
from viewer.objects.content import Code as Concept

REPORT: Concept = ("18748-4", "LN", "Diagnostic Imaging Report")
TITLES: dict[str, Concept] = {
    "CT": ("25045-6", "LN", "CT Report"),
    "MR": ("25056-3", "LN", "MRI Report"),
    "US": ("25061-3", "LN", "Ultrasound Report"),
    "PT": ("44136-0", "LN", "PET Scan Report"),
    "NM": ("49118-3", "LN", "Nuclear Medicine Report"),
    "CR": ("43468-8", "LN", "X-Ray Report"),
    "DX": ("43468-8", "LN", "X-Ray Report"),
    "RF": ("49512-7", "LN", "Fluoroscopy Study Report"),
    "BMD": ("38269-7", "LN", "DEXA Skeletal System Study Report"),
}
"""By the modality of a study that has one."""

MODALITIES: dict[str, str] = {
    "CR": "Computed Radiography",
    "CT": "Computed Tomography",
    "DX": "Digital Radiography",
    "ES": "Endoscopy",
    "MG": "Mammography",
    "MR": "Magnetic Resonance",
    "NM": "Nuclear Medicine",
    "OP": "Ophthalmic Photography",
    "PT": "Positron emission tomography",
    "PX": "Panoramic X-Ray",
    "RF": "Radiofluoroscopy",
    "US": "Ultrasound",
    "XA": "X-Ray Angiography",
}

LANGUAGES: dict[str, str] = {
    "ar": "Arabic",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "zh": "Chinese",
}

ADDENDUM: Concept = ("55107-7", "LN", "Addendum")
KEY_IMAGES: Concept = ("55113-5", "LN", "Key Images")
CRITICAL: Concept = ("73568-8", "LN", "Communication of Critical Results")
REASON: Concept = ("121106", "DCM", "Comment")
FINDING: Concept = ("121071", "DCM", "Finding")
HEADINGS: dict[str, Concept] = {
    "clinical_information": ("55752-0", "LN", "Clinical Information"),
    "history": ("11329-0", "LN", "History"),
    "indication": ("18785-6", "LN", "Indications for Procedure"),
    "request": ("55115-0", "LN", "Request"),
    "procedure": ("55111-9", "LN", "Current Procedure Descriptions"),
    "technique": ("55111-9", "LN", "Current Procedure Descriptions"),
    "comparison": ("18834-2", "LN", "Previous Findings"),
    "findings": ("59776-5", "LN", "Findings"),
    "impression": ("19005-8", "LN", "Impressions"),
    "conclusion": ("55110-1", "LN", "Conclusions"),
    "recommendation": ("18783-1", "LN", "Recommendations"),
    "summary": ("55112-7", "LN", "Summary"),
    "complications": ("55109-3", "LN", "Complications"),
}
"""By the name of a section in our templates."""

ELEMENTS: dict[str, Concept] = {
    "55752-0": ("11329-0", "LN", "History"),
    "11329-0": ("11329-0", "LN", "History"),
    "18785-6": ("55115-0", "LN", "Request"),
    "55115-0": ("55115-0", "LN", "Request"),
    "55111-9": ("121065", "DCM", "Procedure Description"),
    "18834-2": ("121069", "DCM", "Previous Finding"),
    "19005-8": ("121073", "DCM", "Impression"),
    "55110-1": ("121077", "DCM", "Conclusion"),
    "18783-1": ("121075", "DCM", "Recommendation"),
    "55112-7": ("55112-7", "LN", "Summary"),
    "55109-3": ("116224001", "SCT", "Complication of Procedure"),
}
"""What the narrative of a section is, by the section's heading; of any other it is a finding."""

ILLUSTRATION: Concept = ("121080", "DCM", "Best illustration of finding")
MEASURED_ON: Concept = ("121112", "DCM", "Source of Measurement")


def title_of(modalities: tuple[str, ...]) -> Concept:
    known = {TITLES.get(one) for one in modalities}
    return (known.pop() if len(known) == 1 else None) or REPORT


def heading_of(name: str, code: Code | None) -> Code | None:
    """The code of a section: its own, else by its name; None where nobody gave it one."""
    if code is not None:
        return code
    known = HEADINGS.get(name.casefold())
    return Code(*known) if known else None


def element_of(heading: Code | None) -> Concept:
    return ELEMENTS.get(heading.value, FINDING) if heading is not None else FINDING
