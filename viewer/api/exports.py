"""A study or a series to take away: a ZIP with a DICOMDIR, made while it is sent."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from viewer.api import shapes
from viewer.api.doors import AsyncDoor, Door
from viewer.api.viewing import note_viewing
from viewer.archive import query, rows
from viewer.archive.exporting import AsStored, Exported, Making, objects_of, zipped
from viewer.archive.exporting_anonymised import REASONS, Anonymised, Doubt, doubts, is_document
from viewer.archive.query import BadQuery, NotFound
from viewer.dicomweb.multipart_out import begun, later, streamed
from viewer.engine.errors import CannotDraw
from viewer.models import Series, Study

PURPOSES = ("treatment", "second_opinion", "patient", "teaching", "research", "legal", "other")
"""What a copy is for; a list, because free text in an address may name a patient."""
DATES = ("removed", "moved")
PURPOSE = OpenApiParameter("purpose", OpenApiTypes.STR, enum=PURPOSES, description="Goes into the record.")
NO = ("no", "yes")
PARAMETERS = [
    PURPOSE,
    OpenApiParameter(
        "anonymised", OpenApiTypes.STR, enum=NO, default="no", description="Without the person (PS3.15, Basic Profile)."
    ),
    OpenApiParameter(
        "burned_in",
        OpenApiTypes.STR,
        enum=NO,
        default="no",
        description="In an anonymised copy also pictures in which a name may be written.",
    ),
    OpenApiParameter(
        "dates",
        OpenApiTypes.STR,
        enum=DATES,
        default="removed",
        description="Of an anonymised copy: taken out, or moved.",
    ),
    shapes.ORGANIZATION,
]
ANSWERS: dict[Any, Any] = {
    (200, "application/zip"): OpenApiTypes.BINARY,
    400: shapes.BAD,
    **shapes.REFUSALS,
    422: OpenApiResponse(shapes.Problem, description="Nothing is left to be exported; `detail` says why."),
}
ABOUT = "DICOM files in folders, with DICOMDIR and README.TXT; corrections are applied, what was rejected is left out."


class LeftOut(serializers.Serializer):
    series_instance_uid = serializers.CharField()
    modality = serializers.CharField()
    number = serializers.IntegerField(allow_null=True)
    description = serializers.CharField(allow_blank=True)
    objects = serializers.IntegerField(help_text="Of the series; those that are alike are left out.")
    reason = serializers.ChoiceField(sorted(REASONS))


class ExportChoices(serializers.Serializer):
    objects = serializers.IntegerField()
    bytes = serializers.IntegerField(help_text="Of the files as they are stored.")
    left_out = LeftOut(many=True, help_text="Series that an anonymised copy leaves out, wholly or in part.")


class StudyExportChoices(Door):
    """`GET /api/studies/{uid}/export/`"""

    @extend_schema(
        operation_id="study_export_choices",
        summary="What an export of a study would hold, and what an anonymised copy leaves out",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        responses={200: ExportChoices, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study, _ = asked_for(request, study_instance_uid=study_instance_uid)
        note_viewing(request.user, study, request, door="api")
        objects = objects_of(study)
        series = {one.series_instance_uid: one for one in study.series.all()}
        return Response(
            {
                "objects": len(objects),
                "bytes": sum(one.size for one in objects),
                "left_out": [_left_out(doubt, series[doubt.series_instance_uid]) for doubt in doubts(objects)],
            }
        )


def _left_out(doubt: Doubt, series: Series) -> dict[str, Any]:
    return {
        "series_instance_uid": series.series_instance_uid,
        "modality": series.modality,
        "number": series.number,
        "description": series.description,
        "objects": doubt.objects,
        "reason": doubt.reason,
    }


class StudyExport(AsyncDoor):
    """`GET /api/studies/{uid}/export.zip`"""

    @extend_schema(
        operation_id="study_export",
        summary="A study as a ZIP of DICOM files with a DICOMDIR",
        description=ABOUT,
        parameters=[shapes.uid("study_instance_uid", "Study"), *PARAMETERS],
        responses=ANSWERS,
    )
    async def get(self, request: Request, study_instance_uid: str) -> HttpResponseBase:
        return await exported(request, study_instance_uid=study_instance_uid)


class SeriesExport(AsyncDoor):
    """`GET /api/series/{uid}/export.zip`"""

    @extend_schema(
        operation_id="series_export",
        summary="A series as a ZIP of DICOM files with a DICOMDIR",
        description=ABOUT,
        parameters=[shapes.uid("series_instance_uid", "Series"), *PARAMETERS],
        responses=ANSWERS,
    )
    async def get(self, request: Request, series_instance_uid: str) -> HttpResponseBase:
        return await exported(request, series_instance_uid=series_instance_uid)


async def exported(request: Request, **uids: str) -> HttpResponseBase:
    """The answer that streams: the next piece is made when the last was taken."""
    asked = wishes_of(request)
    study, series = await sync_to_async(asked_for)(request, **uids)
    objects = await sync_to_async(objects_of)(study, series)
    if not objects:
        raise NotFound("there is no such object")
    anonymised = asked["anonymised"] == "yes"
    if anonymised and all(is_document(one) for one in objects):
        raise CannotDraw("nothing_left", "There are only reports and documents: they cannot be anonymised.")
    making: Making = Anonymised(asked["burned_in"] == "yes", asked["dates"] == "moved") if anonymised else AsStored()
    await sync_to_async(note_export)(request, study, series, asked | {"instances": len(objects)})
    return await sent(objects, making, "anonymised.zip" if anonymised else f"{next(iter(uids.values()))}.zip")


async def sent(objects: list[Exported], making: Making, name: str) -> HttpResponseBase:
    response = streamed(await begun(later(zipped(objects, making))), "application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def asked_for(
    request: Request, study_instance_uid: str = "", series_instance_uid: str = ""
) -> tuple[Study, Series | None]:
    """Raises NotFound, Ambiguous."""
    organization = request.query_params.get("organization")
    if study_instance_uid:
        return query.find_study(request.user, study_instance_uid, organization), None
    series = query.find_series(request.user, series_instance_uid, organization)
    return series.study, series


def wishes_of(request: Request) -> dict[str, str]:
    """What is asked for. Raises BadQuery."""
    asked = {}
    for name, allowed in (("purpose", ("", *PURPOSES)), ("anonymised", NO), ("burned_in", NO), ("dates", DATES)):
        asked[name] = request.query_params.get(name, allowed[0])
        if asked[name] not in allowed:
            raise BadQuery(name, f"one of {', '.join(filter(None, allowed))}")
    return asked


def note_export(
    request: Request, study: Study, series: Series | None, detail: dict[str, Any], action: str = ""
) -> None:
    """Write down who takes what away, before a byte of it leaves."""
    purpose = detail.pop("purpose", "")
    rows.patiently(
        lambda: audit.record(
            action or ("export.series" if series is not None else "export.study"),
            actor=request.user,
            request=request,
            organization=study.organization.name,
            patient_id=study.patient.patient_id,
            study_instance_uid=study.study_instance_uid,
            object_uid=series.series_instance_uid if series is not None else "",
            purpose=purpose,
            detail=detail,
        )
    )
