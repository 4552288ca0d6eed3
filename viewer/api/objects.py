"""Objects of a study that are no images: listed, and shown as a document, as bytes of a PDF, or as a video."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from viewer.api import shapes
from viewer.api.doors import Door
from viewer.api.viewing import note_viewing
from viewer.archive import query
from viewer.dicom.documents import KINDS
from viewer.marks import other_objects


class ObjectRow(serializers.Serializer):
    sop_instance_uid = serializers.CharField()
    series_instance_uid = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    title = serializers.CharField(allow_blank=True)
    date = serializers.CharField(allow_blank=True, help_text="YYYYMMDD or empty.")
    time = serializers.CharField(allow_blank=True, help_text="As stored (PS3.5 TM) or empty.")
    refers_to = serializers.ListField(child=serializers.CharField(), help_text="SOP Instance UIDs.")
    reason = serializers.CharField(allow_null=True, help_text="Why it cannot be shown; null where it can.")


class ObjectList(serializers.Serializer):
    objects = ObjectRow(many=True)


class Objects(Door):
    """`GET /api/studies/{uid}/objects/`"""

    @extend_schema(
        operation_id="objects",
        summary="The objects of a study that are no images",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        responses={200: ObjectList, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        study = query.find_study(request.user, study_instance_uid, request.query_params.get("organization"))
        note_viewing(request.user, study, request, door="api")
        rows: list[dict[str, Any]] = other_objects.of_study(study)
        return Response({"objects": rows})
