"""Objects that Farview itself writes, put into the archive by the way of every other object."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from pydicom.dataset import Dataset

from accounts.models import User
from viewer.archive.ingest import Outcome, ingest, note_refusals
from viewer.archive.rows import OWN, Sender
from viewer.archive.sources import Source
from viewer.models import Study
from viewer.objects.header import SeriesOfObject, encoded, new_object

from .subject import NotFiled as NotFiled
from .subject import subject_for


def begun(study: Study, series: SeriesOfObject, images: Iterable[str], when: datetime) -> Dataset:
    """A data set about `images` (SOP Instance UIDs) of this study, dated `when`, with all that no single kind of object
    decides. Raises AnotherPatient, DicomError, OSError."""
    return new_object(subject_for(study, images), series, when.astimezone(ZoneInfo(study.organization.time_zone)))


def filed(dataset: Dataset, study: Study, actor: User | str) -> Outcome:
    """Store the object in the archive; once this returns it is durable. Raises NotFiled, StorageFull, DatabaseBusy."""
    data = encoded(dataset)
    name = f"{dataset.Modality} {dataset.SOPInstanceUID}"
    sender = Sender(study.organization, actor, OWN)
    told = list(ingest([Source(name, len(data), lambda: io.BytesIO(data), alone=True)], sender, batch=1))
    note_refusals(told, sender)
    if told[0].outcome not in ("stored", "duplicate"):
        raise NotFiled(f"{told[0].outcome}: {told[0].reason}")
    return told[0]
