"""Objects that Farview itself writes, put into the archive by the way of every other object."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

from django.utils import timezone
from pydicom.dataset import Dataset

from accounts.models import User
from viewer.archive.ingest import Outcome, ingest, note_refusals
from viewer.archive.rows import Sender
from viewer.archive.sources import Source
from viewer.archive.storage import blob_store
from viewer.models import Instance, Study
from viewer.objects.header import SeriesOfObject, encoded, new_object, subject_of

ORIGIN = "farview"
"""The door, as the audit knows it, of what was written here."""


class NotFiled(Exception):
    """The archive did not take an object written here; the message says why."""


def begun(study: Study, series: SeriesOfObject) -> Dataset:
    """A data set of this study with all that no single kind of object decides. Raises DicomError, OSError."""
    first = Instance.objects.filter(series__study=study).order_by("id").values_list("blob_id", flat=True)[0]
    now = timezone.now().astimezone(ZoneInfo(study.organization.time_zone))
    return new_object(subject_of(blob_store().path(first)), series, now)


def filed(dataset: Dataset, study: Study, actor: User | str) -> Outcome:
    """Store the object in the archive; once this returns it is durable. Raises NotFiled, StorageFull, DatabaseBusy."""
    data = encoded(dataset)
    name = f"{dataset.Modality} {dataset.SOPInstanceUID}"
    sender = Sender(study.organization, actor, ORIGIN)
    told = list(ingest([Source(name, len(data), lambda: io.BytesIO(data), alone=True)], sender, batch=1))
    note_refusals(told, sender)
    if told[0].outcome not in ("stored", "duplicate"):
        raise NotFiled(f"{told[0].outcome}: {told[0].reason}")
    return told[0]
