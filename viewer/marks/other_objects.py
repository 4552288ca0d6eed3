"""The objects of a study that are no images: found for those who may see them, and read from their files when asked for."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import User
from viewer.archive.ingest import limits
from viewer.archive.query import Ambiguous, NotFound
from viewer.archive.storage import blob_store
from viewer.dicom.documents import SEGMENTATION, VIDEO_KIND, Summary, kind_of, reason_of, summary
from viewer.dicom.errors import DicomError
from viewer.dicom.syntaxes import VIDEO
from viewer.dicom.videos import places_of, reason_not_played
from viewer.models import Instance, Study

from .key_objects import superseded

MOST = 1000
"""Objects of one study that are listed, the newest first."""
READING_S = 5.0
"""After this long no further files are opened for one list; what is left over is listed by its kind alone."""


def of_study(study: Study) -> list[dict[str, Any]]:
    """Every object of the study that is no picture, newest first; what cannot be shown says why."""
    until, former = time.monotonic() + READING_S, superseded(study)
    return [_row(instance, former, read=time.monotonic() < until) for instance in rows_of(study)[:MOST]]


def rows_of(study: Study) -> QuerySet[Instance]:
    no_picture = Q(number_of_frames=0) | Q(sop_class_uid=SEGMENTATION) | Q(transfer_syntax_uid__in=list(VIDEO))
    found = Instance.objects.served().filter(no_picture, series__study=study).select_related("series").defer("index")
    return found.order_by("-id")


def find_instance(user: User, sop_instance_uid: str, organization: str | None = None) -> Instance:
    """The instance of this UID that `user` may see, with its study. Raises NotFound or Ambiguous."""
    rows = (
        Instance.objects.served()
        .filter(sop_instance_uid=sop_instance_uid, series__study__in=Study.objects.visible_to(user))
        .select_related("organization", "series__study__patient", "series__study__organization")
    )
    found: list[Instance] = list((rows.filter(organization__name=organization) if organization else rows)[:20])
    if not found:
        raise NotFound("there is no such object")
    if len(found) > 1:
        raise Ambiguous(sorted(one.organization.name for one in found))
    return found[0]


def path_of(instance: Instance) -> Path:
    return blob_store().path(instance.blob_id)


def held(study: Study, sop_instance_uids: set[str]) -> dict[str, str]:
    """SOP Instance UID -> Series Instance UID of those instances that this study holds."""
    rows = Instance.objects.served().filter(series__study=study, sop_instance_uid__in=sop_instance_uids)
    return dict(rows.values_list("sop_instance_uid", "series__series_instance_uid"))


def _row(instance: Instance, former: set[str], *, read: bool) -> dict[str, Any]:
    kind = kind_of(instance.sop_class_uid, instance.transfer_syntax_uid)
    said, reason = Summary(), reason_of(kind, instance.sop_class_uid)
    try:
        if read:
            said = summary(path_of(instance), kind, limits())
            if kind == VIDEO_KIND:
                reason = reason_not_played(path_of(instance), places_of(instance.index), instance.transfer_syntax_uid)
    except DicomError as problem:
        reason = f"cannot be read: {problem.reason}"
    except OSError:
        reason = "its file cannot be read"
    return {
        "sop_instance_uid": instance.sop_instance_uid,
        "series_instance_uid": instance.series.series_instance_uid,
        "kind": kind,
        "title": said.title or instance.series.description,
        "date": said.date,
        "time": said.time,
        "refers_to": list(said.refers_to),
        "reason": reason,
        "superseded": instance.sop_instance_uid in former,
    }
