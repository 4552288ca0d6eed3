"""The objects that an address of DICOMweb means, for whoever asks: found, noted as looked at, with their corrections."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.urls import reverse
from rest_framework.request import Request

from accounts import audit
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive import query, rows
from viewer.archive.corrected import changes_of
from viewer.archive.query import NotFound
from viewer.archive.storage import blob_store
from viewer.dicom.changes import AS_STORED, Changes
from viewer.dicom.series import InstanceFile
from viewer.dicomweb.doors import DicomWebDoor
from viewer.models import Instance, Study

DOOR = "dicomweb"
_NARROWING = {"series_instance_uid": "series__series_instance_uid", "sop_instance_uid": "sop_instance_uid"}


class RetrieveDoor(DicomWebDoor):
    """A door behind which objects of a study are."""

    async def head(self, request: Request, **uids: str) -> HttpResponseBase:
        """What `get` would say, without a byte of its body."""
        answer: HttpResponseBase = await self.get(request, **uids)  # type: ignore[attr-defined]
        return HttpResponse(status=answer.status_code, headers=dict(answer.items()))

    def note_denial(self) -> None:
        uid = self.kwargs.get("study_instance_uid") or self.request.query_params.get("studyUID")
        if uid:
            note_denial(self.request.user, uid, self.request, door=DOOR)


@dataclass(frozen=True, slots=True)
class Leaving:
    """One object on its way out."""

    instance: Instance
    changes: Changes

    @property
    def path(self) -> Path:
        return blob_store().path(self.instance.blob_id)

    @property
    def file(self) -> InstanceFile:
        """With the index, which has to be at hand."""
        return InstanceFile(self.path, self.instance.blob_id, self.instance.index)

    @property
    def address(self) -> str:
        """Of the instance, from the root of this server on (PS3.18 10.1)."""
        series = self.instance.series
        address: str = reverse(
            "dicomweb-instance",
            kwargs={
                "study_instance_uid": series.study.study_instance_uid,
                "series_instance_uid": series.series_instance_uid,
                "sop_instance_uid": self.instance.sop_instance_uid,
            },
        )
        return address.rstrip("/")

    def etag(self, *more: object) -> str:
        """The same as long as the same bytes leave; `more` is what they are asked for as."""
        said = (self.instance.blob_id, self.instance.organization_id, repr(self.changes), *more)
        return hashlib.sha256("\n".join(map(str, said)).encode()).hexdigest()[:32]


def selected(request: Request, uids: Mapping[str, str], *, index: bool = False) -> list[Leaving]:
    """The objects of a study, a series, or one instance, in order of series and number. Raises NotFound, Ambiguous."""
    study = query.find_study(request.user, uids["study_instance_uid"], request.query_params.get("organization"))
    found = list(_rows(study, uids, index))
    if not found:
        raise NotFound("there is no such object")
    changes = changes_of(found)
    note_viewing(request.user, study, request, door=DOOR)
    return [Leaving(one, changes.get(one.pk, AS_STORED)) for one in found]


def _rows(study: Study, uids: Mapping[str, str], index: bool) -> QuerySet[Instance]:
    asked = {column: uids[name] for name, column in _NARROWING.items() if name in uids}
    found = Instance.objects.served().filter(series__study=study, **asked)
    found = found.select_related("series__study__patient", "series__organization", "series__study__organization")
    found = found.order_by("series__number", "series_id", "instance_number", "id")
    return found if index else found.defer("index")


def note_retrieval(request: Request, leaving: list[Leaving], detail: Mapping[str, Any]) -> None:
    """Write down which objects go out: of one its UID, of more how many."""
    study = leaving[0].instance.series.study
    uids = {one.instance.sop_instance_uid for one in leaving}
    series = {one.instance.series.series_instance_uid for one in leaving}
    rows.patiently(
        lambda: audit.record(
            "dicomweb.retrieve",
            actor=request.user,
            request=request,
            organization=study.organization.name,
            patient_id=study.patient.patient_id,
            study_instance_uid=study.study_instance_uid,
            object_uid=uids.pop() if len(uids) == 1 else series.pop() if len(series) == 1 else "",
            detail={"door": DOOR, "instances": len(leaving), **detail},
        )
    )
