"""`/api/reports/{id}/insertable/`, `.../evidence/`: what a text can link to, and the pictures frozen with a signature."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from reporting.evidence import insertable
from reporting.evidence.blobs import bytes_of
from reporting.evidence.freezing import draws_the_same
from reporting.models import Evidence, Report
from reporting.visibility import may_write, visible_reports
from reporting.worklist import corrected
from viewer.api import shapes
from viewer.api.doors import AsyncDoor, Door
from viewer.api.key_images import address_of, smaller
from viewer.api.viewing import note_viewing
from viewer.archive.query import NotFound
from viewer.marks import apart

REPORT = OpenApiParameter("report_id", OpenApiTypes.INT, OpenApiParameter.PATH)
CHECKED = 60
"""Pictures that are drawn once more in one request."""


class ValueShape(serializers.Serializer):
    name = serializers.CharField()
    label = serializers.CharField()
    words = serializers.CharField(help_text="What a link to it shows.")


class InsertableKeyImage(serializers.Serializer):
    uid = serializers.CharField()
    words = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    series_instance_uid = serializers.CharField()
    view = serializers.JSONField()
    thumbnail = serializers.CharField()
    picture = serializers.CharField()


class InsertableMeasurement(serializers.Serializer):
    uid = serializers.CharField()
    kind = serializers.CharField()
    label = serializers.CharField(allow_blank=True)
    words = serializers.CharField()
    values = ValueShape(many=True)
    series_instance_uid = serializers.CharField()
    view = serializers.JSONField()
    created_at = serializers.DateTimeField()


class InsertableShape(serializers.Serializer):
    key_images = InsertableKeyImage(many=True)
    measurements = InsertableMeasurement(many=True)


class EvidenceShape(serializers.Serializer):
    position = serializers.IntegerField()
    kind = serializers.CharField()
    uid = serializers.CharField()
    caption = serializers.CharField(allow_blank=True)
    series_instance_uid = serializers.CharField()
    view = serializers.JSONField()
    sop_instances = serializers.JSONField()
    renderer = serializers.CharField()
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    sha256 = serializers.CharField(help_text="Of the exact picture's raw bytes.")
    measurements = serializers.JSONField(help_text="As they stood, with lines in pixels of the picture.")
    picture = serializers.CharField(help_text="Address of the frozen PNG.")
    draws_the_same = serializers.BooleanField(allow_null=True, help_text="Null unless asked by check=1.")
    withdrawn = serializers.BooleanField(help_text="An image that it was drawn from was rejected since.")


class EvidenceList(serializers.Serializer):
    version = serializers.IntegerField(help_text="The signed version that it belongs to; 0: none is signed.")
    evidence = EvidenceShape(many=True)


class Insertable(Door):
    """`GET /api/reports/{id}/insertable/`"""

    @extend_schema(
        operation_id="report_insertable",
        summary="Key images and measurements that the report's text can link to",
        parameters=[REPORT],
        responses={200: InsertableShape, **shapes.REFUSALS},
    )
    def get(self, request: Request, report_id: int) -> Response:
        report = report_of(request, report_id)
        if not may_write(request.user, report):
            raise NotFound("there is no such report")
        series = insertable.numbers_of_series(report.study)
        return Response(
            {
                "key_images": [
                    {
                        "uid": one.uid,
                        "words": insertable.words_of_key_image(one, series.get(one.series_instance_uid)),
                        "note": one.note,
                        "series_instance_uid": one.series_instance_uid,
                        "view": one.view,
                        "thumbnail": address_of(one, report.study, smaller(one), "image/jpeg"),
                        "picture": address_of(one, report.study, one.view, "image/png"),
                    }
                    for one in apart.shown_to(request.user, report.study, insertable.key_images(report.study))
                ],
                "measurements": [
                    {
                        "uid": one.uid,
                        "kind": one.kind,
                        "label": one.label,
                        "words": insertable.words_of_measurement(one),
                        "values": insertable.values_of(one),
                        "series_instance_uid": one.series_instance_uid,
                        "view": one.view,
                        "created_at": one.created_at.isoformat(),
                    }
                    for one in apart.shown_to(request.user, report.study, insertable.measurements(report.study))
                ],
            }
        )


class EvidenceDoor(AsyncDoor):
    """`GET /api/reports/{id}/evidence/`"""

    @extend_schema(
        operation_id="report_evidence",
        summary="The pictures frozen with the newest signature that has any",
        parameters=[
            REPORT,
            OpenApiParameter("check", OpenApiTypes.STR, enum=["1"], description="Draw each once more and compare."),
        ],
        responses={200: EvidenceList, **shapes.REFUSALS},
    )
    async def get(self, request: Request, report_id: int) -> Response:
        report = await sync_to_async(report_of)(request, report_id)
        number, held = await sync_to_async(frozen_of)(report)
        check = request.query_params.get("check") == "1"
        gone = await sync_to_async(corrected.withdrawn)(report.study, [uid for one in held for uid in _drawn_from(one)])
        told = [
            told_of(
                report,
                one,
                await draws_the_same(one) if check else None,
                withdrawn=not gone.isdisjoint(_drawn_from(one)),
            )
            for one in held[:CHECKED]
        ]
        return Response({"version": number, "evidence": told})


class EvidencePicture(Door):
    """`GET /api/reports/{id}/evidence/{position}/picture`"""

    @extend_schema(
        operation_id="report_evidence_picture",
        summary="A frozen picture, also when its images are gone",
        parameters=[REPORT, OpenApiParameter("position", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses={
            (200, "image/png"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="The picture that the client holds is the one."),
            **shapes.REFUSALS,
        },
    )
    def get(self, request: Request, report_id: int, position: int) -> HttpResponse:
        report = report_of(request, report_id)
        held = next((one for one in frozen_of(report)[1] if one.position == position), None)
        if held is None:
            raise NotFound("there is no such picture")
        etag = f'"{held.picture_id}"'
        response = get_conditional_response(request._request, etag=etag)
        if response is None:
            response = HttpResponse(bytes_of(held.picture), content_type="image/png")
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        return response


def report_of(request: Request, report_id: int) -> Report:
    """A report that this person may see; its study is noted as looked at. Raises NotFound."""
    held = visible_reports(request.user).select_related("study__patient", "study__organization", "organization")
    report = held.filter(pk=report_id).first()
    if report is None:
        raise NotFound("there is no such report")
    note_viewing(request.user, report.study, request, door="report")
    return report


def frozen_of(report: Report) -> tuple[int, list[Evidence]]:
    """(version, its pictures): of the newest signed text. An addendum adds no pictures and takes none away."""
    held = Evidence.objects.filter(report_version__report=report, report_version__number__lte=report.signed_version)
    newest = held.order_by("-report_version__number").values_list("report_version__number", flat=True).first()
    if newest is None or newest < _newest_text(report):
        return report.signed_version, []
    rows = held.filter(report_version__number=newest).select_related("picture", "report_version__report__study")
    return newest, list(rows.order_by("position"))


def _newest_text(report: Report) -> int:
    """Number of the newest signature of the whole text: evidence of an older one is not that text's."""
    signed = report.versions.filter(kind__in=TEXTS, number__lte=report.signed_version)
    return signed.order_by("-number").values_list("number", flat=True).first() or 0


TEXTS = ("preliminary", "submit", "final", "cosign", "correct")
"""Kinds of versions that sign the whole text."""


def _drawn_from(held: Evidence) -> list[str]:
    return [str(one["sop_instance_uid"]) for one in held.sop_instances]


def told_of(report: Report, held: Evidence, same: bool | None, *, withdrawn: bool) -> dict[str, Any]:
    return {
        **{name: getattr(held, name) for name in FIELDS},
        "picture": reverse("api-report-evidence-picture", args=[report.pk, held.position]),
        "draws_the_same": same,
        "withdrawn": withdrawn,
    }


FIELDS = (
    *("position", "kind", "uid", "caption", "series_instance_uid", "view", "sop_instances"),
    *("renderer", "rows", "columns", "sha256", "measurements"),
)
