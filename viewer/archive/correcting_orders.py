"""Orders that a study may belong to: other apps, which know of orders, hang themselves in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from viewer.models import Study


@dataclass(frozen=True, slots=True)
class OrderChoice:
    """One open order, as a person chooses it and as the study will say it."""

    identifier: str
    accession_number: str
    description: str
    referring_physician: str
    patient_id: str
    patient_name: str
    modality: str
    scheduled_at: str
    """ISO 8601 or empty."""
    same_patient: bool

    @property
    def said(self) -> dict[str, str]:
        """DICOM keyword -> what the study says of its order; what the order leaves out stays as it is."""
        said = {
            "AccessionNumber": self.accession_number,
            "StudyDescription": self.description,
            "ReferringPhysicianName": self.referring_physician,
        }
        return {name: value for name, value in said.items() if value}


Choices = Callable[[Study, str], list[OrderChoice]]
"""Open orders for a study that hold some words (empty: those of its patient)."""

CHOICES: list[Choices] = []


def offer(choices: Choices) -> None:
    """Called from the `ready` of an app."""
    if choices not in CHOICES:
        CHOICES.append(choices)


def choices_for(study: Study, words: str) -> list[OrderChoice]:
    return [choice for choices in CHOICES for choice in choices(study, words)]
