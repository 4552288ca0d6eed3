"""`DELETE` of a study, a series or an instance, for administrators of its organization.

Nothing that was acknowledged is destroyed here: the objects are rejected with code 113039, "Data Retention Policy Expired"
(IHE IOCM), by a note that lies in the archive. No door gives them out from then on, and whoever deleted by mistake takes the
act back on the study's page of corrections.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from rest_framework.request import Request

from accounts.models import Role
from viewer.archive.correcting import BadCorrection
from viewer.archive.query import Ambiguous, BadQuery, NotFound
from viewer.dicomweb.doors import DicomWebDoor
from viewer.marks.rejecting import MOST, reject
from viewer.models import Instance, Study

EXPIRED = "113039"
REASON = "Deleted by DICOMweb"


class Delete(DicomWebDoor):
    """204 once no door gives the objects out; 404 where there are none, or none of this person's to delete."""

    async def delete(self, request: Request, **uids: str) -> HttpResponse:
        await sync_to_async(_delete)(request, uids)
        return HttpResponse(status=204)


def _delete(request: Request, uids: dict[str, str]) -> None:
    study = _study(request, uids["study_instance_uid"])
    rows = Instance.objects.served().filter(series__study=study)
    for name, column in NARROWING.items():
        if name in uids:
            rows = rows.filter(**{column: uids[name]})
    wanted = list(rows.order_by("id").values_list("sop_instance_uid", flat=True))
    if not wanted:
        raise NotFound("there is no such object")
    reason = request.query_params.get("reason", "").strip() or REASON
    try:
        for start in range(0, len(wanted), MOST):
            reject(study, wanted[start : start + MOST], EXPIRED, reason, request.user)
    except BadCorrection as problem:
        raise BadQuery("reason", str(problem)) from None


def _study(request: Request, study_instance_uid: str) -> Study:
    """Who administers an organization may delete there without being one of its readers."""
    rows = Study.objects.filter(
        study_instance_uid=study_instance_uid, organization__in=request.user.organizations_as((Role.ADMIN,))
    ).select_related("patient", "organization")
    if named := request.query_params.get("organization"):
        rows = rows.filter(organization__name=named)
    found = list(rows[:20])
    if not found:
        raise NotFound("there is no such object")
    if len(found) > 1:
        raise Ambiguous(sorted(one.organization.name for one in found))
    return found[0]


NARROWING = {"series_instance_uid": "series__series_instance_uid", "sop_instance_uid": "sop_instance_uid"}
