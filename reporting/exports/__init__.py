"""The forms in which a signed report leaves: each is a function from a `SignedReport` to bytes. Pure: no rows, no requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reporting.exports import encapsulated, fhir, hl7, page, pdf, sr
from reporting.exports.dicom_subject import NoSuchForm
from reporting.exports.document import SignedReport

__all__ = ["EXPORTS", "Export", "NoSuchForm"]


@dataclass(frozen=True, slots=True)
class Export:
    media_type: str
    extension: str
    make: Callable[[SignedReport], bytes]


EXPORTS: dict[str, Export] = {
    "html": Export(page.MEDIA_TYPE, "html", page.make),
    "pdf": Export(pdf.MEDIA_TYPE, "pdf", pdf.make),
    "sr": Export(sr.MEDIA_TYPE, "dcm", sr.make),
    "fhir": Export(fhir.MEDIA_TYPE, "json", fhir.make),
    "hl7": Export(hl7.MEDIA_TYPE, "hl7", hl7.make),
    "dicom-pdf": Export(encapsulated.MEDIA_TYPE, "dcm", encapsulated.make),
}
"""By the kind that `/api/reports/{id}/export/{kind}` and deliveries name."""
