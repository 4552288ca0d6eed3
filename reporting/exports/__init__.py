"""The forms in which a signed report leaves: each is a function from a `SignedReport` to bytes. Pure: no rows, no requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reporting.exports import page, pdf
from reporting.exports.document import SignedReport


@dataclass(frozen=True, slots=True)
class Export:
    media_type: str
    extension: str
    make: Callable[[SignedReport], bytes]


EXPORTS: dict[str, Export] = {
    "html": Export(page.MEDIA_TYPE, "html", page.make),
    "pdf": Export(pdf.MEDIA_TYPE, "pdf", pdf.make),
}
"""By the kind that `/api/reports/{id}/export/{kind}` and deliveries name."""
