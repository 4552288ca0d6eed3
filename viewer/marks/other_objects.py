"""The objects of a study that are no images, as a list; each is read from its file when it is asked for."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from viewer.archive.ingest import limits
from viewer.archive.storage import blob_store
from viewer.dicom.documents import SEGMENTATION, Summary, kind_of, reason_of, summary
from viewer.dicom.errors import DicomError
from viewer.dicom.syntaxes import VIDEO
from viewer.models import Instance, Study

MOST = 1000
"""Objects of one study that are listed, the newest first."""


def of_study(study: Study) -> list[dict[str, Any]]:
    """Every object of the study that is no picture, newest first; what cannot be shown says why."""
    return [_row(instance) for instance in rows_of(study)[:MOST]]


def rows_of(study: Study) -> QuerySet[Instance]:
    no_picture = Q(number_of_frames=0) | Q(sop_class_uid=SEGMENTATION) | Q(transfer_syntax_uid__in=list(VIDEO))
    found = Instance.objects.filter(no_picture, series__study=study).select_related("series").defer("index")
    return found.order_by("-id")


def _row(instance: Instance) -> dict[str, Any]:
    kind = kind_of(instance.sop_class_uid, instance.transfer_syntax_uid)
    said, reason = Summary(), reason_of(kind, instance.sop_class_uid)
    try:
        said = summary(blob_store().path(instance.blob_id), kind, limits())
    except (DicomError, OSError) as problem:
        reason = f"cannot be read: {problem.reason}" if isinstance(problem, DicomError) else "cannot be read"
    return {
        "sop_instance_uid": instance.sop_instance_uid,
        "series_instance_uid": instance.series.series_instance_uid,
        "kind": kind,
        "title": said.title,
        "date": said.date,
        "time": said.time,
        "refers_to": list(said.refers_to),
        "reason": reason,
    }
