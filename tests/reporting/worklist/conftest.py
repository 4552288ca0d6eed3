"""Images that come, and orders for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Organization
from reporting.models import Order, ReadingItem
from reporting.worklist import orders
from reporting.worklist.orders import OrderFacts, PatientFacts
from tests.viewer.archive.objects import ct_slice, save
from viewer.archive.ingest import ingest_file
from viewer.archive.storage import BlobStore
from viewer.models import Patient, Study

Scan = Callable[..., Study]
Ordered = Callable[..., Order]


@pytest.fixture
def scan(site: Organization, store: BlobStore, tmp_path: Path) -> Scan:
    """Takes in one more image of a study, by the way every file comes; who is on it by keyword."""
    count = 0

    def take(study: str = "1.2.3", organization: Organization = site, **said: Any) -> Study:
        nonlocal count
        count += 1
        series = said.pop("series", f"{study}.4")
        stated = {
            "PatientID": "PID-1",
            "PatientName": "Muster^Erika",
            "PatientBirthDate": "19600101",
            "PatientSex": "F",
        }
        image = ct_slice(f"{series}.{count}", study, series, **{**stated, "AccessionNumber": "A-100", **said})
        told = ingest_file(save(image, tmp_path / "scans" / f"{count}.dcm"), organization, "test", "")
        assert told.outcome == "stored", told.reason
        found = Study.objects.filter(organization=organization).select_related("patient", "organization")
        return found.get(study_instance_uid=study)

    return take


def facts(site: Organization, *, patient: dict[str, str] | None = None, **said: Any) -> OrderFacts:
    stated = {"patient_id": "PID-1", "name": "Muster^Erika", "birth_date": "19600101", "sex": "F", **(patient or {})}
    given = {"accession_number": "A-100", "procedure_text": "CT chest", "reading_class": "URGENT", **said}
    return OrderFacts(organization=site, patient=PatientFacts(**stated), **given)


@pytest.fixture
def ordered(site: Organization) -> Ordered:
    """Places an order for Erika, changed by keyword."""

    def place(patient: dict[str, str] | None = None, **said: Any) -> Order:
        return orders.place(facts(site, patient=patient, **said), "hl7", "hl7")

    return place


@pytest.fixture
def settled(settings: Any) -> None:
    """Images count as whole at once."""
    settings.FARVIEW_ARRIVAL_QUIET_SECONDS = 0


@pytest.fixture
def more_items(site: Organization, store: BlobStore) -> Callable[..., list[ReadingItem]]:
    """Ready items in rows, each with a patient, order and study of its own, changed by dictionaries."""

    def make(*changes: dict[str, Any]) -> list[ReadingItem]:
        now = timezone.now()
        made = []
        for change in changes:
            number = ReadingItem.objects.count() + 1
            patient = Patient.objects.create(organization=site, patient_id=f"M-{number}", name_folded=f"name {number}")
            study = Study.objects.create(
                organization=site, patient=patient, study_instance_uid=f"1.9.{number}", modalities="CT"
            )
            order = Order.objects.create(
                organization=site, patient=patient, accession_number=f"M-{number}", modality="CT"
            )
            row = {"organization": site, "order": order, "study": study, "status": "ready", "ready_at": now}
            made.append(ReadingItem.objects.create(**{**row, "last_image_at": now, **change}))
        return made

    return make
