"""What the modality worklist is made from, and who hears of performed steps: other apps hang themselves in here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from viewer.models import DicomPeer, PerformedStep


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """One examination that is still to be made (PS3.4 K.6): the order it comes from, and the patient as the order states them.

    Dates YYYYMMDD, names as DICOM writes them; empty text where nothing is known.
    """

    identifier: str
    """Scheduled Procedure Step ID and Requested Procedure ID."""
    accession_number: str
    study_instance_uid: str
    patient_id: str
    issuer_of_patient_id: str
    patient_name: str
    patient_birth_date: str
    patient_sex: str
    modality: str
    description: str
    procedure_code: tuple[str, str, str] | None
    """(value, scheme, meaning)."""
    starts_at: datetime
    """Aware."""
    referring_physician: str = ""
    reason: str = ""
    placer_order_number: str = ""
    filler_order_number: str = ""


Scheduled = Callable[[DicomPeer], Iterable[ScheduledStep]]
"""Steps that this peer's organization has scheduled; the caller narrows them by what was asked."""
Performed = Callable[[PerformedStep], None]
"""Called in the transaction that keeps the step."""

SCHEDULED: list[Scheduled] = []
PERFORMED: list[Performed] = []


def add(scheduled: Scheduled, performed: Performed) -> None:
    """Called from the `ready` of an app."""
    if scheduled not in SCHEDULED:
        SCHEDULED.append(scheduled)
    if performed not in PERFORMED:
        PERFORMED.append(performed)
