"""The legend of a segmentation or structure set: which segments it holds, and in which colours they are drawn."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Any

from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from viewer.api import shapes
from viewer.api.doors import AsyncDoor
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive import query
from viewer.dicom.segmentations import is_segmentation
from viewer.dicom.series import InstanceFile
from viewer.dicom.structure_sets import is_structure_set
from viewer.engine.errors import Busy, CannotDraw
from viewer.marks import other_objects
from viewer.models import Instance
from viewer.rendering.segment_places import Place, largest
from viewer.rendering.segments import Segment, Segmentation
from viewer.serving import runtime

ASKED_AT_ONCE = 500
"""UIDs in one question to the database."""


class LargestPlace(serializers.Serializer):
    center = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="LPS mm; null where it has no place in the patient."
    )
    sop_instance_uid = serializers.CharField(allow_blank=True, help_text="The image, where there is no center.")
    frame_number = serializers.IntegerField(allow_null=True)


class SegmentRow(serializers.Serializer):
    number = serializers.IntegerField(help_text="Segment Number, or ROI Number of a structure set.")
    label = serializers.CharField(allow_blank=True)
    color = serializers.CharField(help_text="#rrggbb, as it is drawn.")
    category = serializers.CharField(allow_blank=True)
    type = serializers.CharField(allow_blank=True)
    algorithm = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_null=True, help_text="What of it is not drawn, and why.")
    largest = LargestPlace(allow_null=True, help_text="Where it covers most; null where it lies nowhere.")


class Legend(serializers.Serializer):
    sop_instance_uid = serializers.CharField()
    kind = serializers.ChoiceField(["seg", "rtstruct"])
    title = serializers.CharField(allow_blank=True)
    frame_of_reference_uid = serializers.CharField(allow_blank=True)
    series = serializers.ListField(
        child=serializers.CharField(), help_text="Series of the same study with images that it was made on."
    )
    reason = serializers.CharField(allow_null=True, help_text="Why it cannot be drawn, or not where it belongs.")
    segments = SegmentRow(many=True)


class Segments(AsyncDoor):
    """`GET /api/instances/{uid}/segments/`"""

    @extend_schema(
        operation_id="segments",
        summary="The segments of a segmentation or structure set",
        parameters=[shapes.uid("sop_instance_uid", "SOP"), shapes.ORGANIZATION],
        responses={200: Legend, **shapes.REFUSALS},
    )
    async def get(self, request: Request, sop_instance_uid: str) -> Response:
        organization = request.query_params.get("organization")
        instance, file = await sync_to_async(_found)(request, sop_instance_uid, organization)
        try:
            drawn = await (await runtime.engine()).segmentations.load(file)
        except Busy:
            raise
        except CannotDraw as error:
            kind = "seg" if is_segmentation(file) else "rtstruct"
            empty = {"title": "", "frame_of_reference_uid": "", "series": [], "segments": []}
            return Response({"sop_instance_uid": sop_instance_uid, "kind": kind, **empty, "reason": str(error)})
        series = await sync_to_async(_series_of)(instance, drawn)
        legend = await asyncio.to_thread(_legend, drawn, series)
        return Response({"sop_instance_uid": sop_instance_uid, **legend})

    def note_denial(self) -> None:
        note_denial(self.request.user, self.kwargs["sop_instance_uid"], self.request, door="api")


def _found(request: Request, uid: str, organization: str | None) -> tuple[Instance, InstanceFile]:
    """The instance and its file. Raises NotFound, also for an object of another kind."""
    user: User = request.user
    instance = other_objects.find_instance(user, uid, organization)
    file = InstanceFile(other_objects.path_of(instance), instance.blob_id, instance.index)
    if not is_segmentation(file) and not is_structure_set(file):
        raise query.NotFound("there is no such object")
    note_viewing(user, instance.series.study, request, door="api")
    return instance, file


def _series_of(instance: Instance, drawn: Segmentation) -> list[str]:
    """Series of the study with images that the object names."""
    uids = sorted(drawn.refers_to)
    some = (set(uids[first : first + ASKED_AT_ONCE]) for first in range(0, len(uids), ASKED_AT_ONCE))
    return sorted({series for one in some for series in other_objects.held(instance.series.study, one).values()})


def _legend(drawn: Segmentation, series: list[str]) -> dict[str, Any]:
    lost = bool(drawn.refers_to) and not series
    return {
        "kind": drawn.kind,
        "title": drawn.title,
        "frame_of_reference_uid": drawn.frame_of_reference_uid,
        "series": series,
        "reason": drawn.reason or ("the images that it was made on are not in this study" if lost else None),
        "segments": [_row(segment, largest(drawn, index)) for index, segment in enumerate(drawn.segments)],
    }


def _row(segment: Segment, place: Place | None) -> dict[str, Any]:
    red, green, blue = segment.color
    return {
        **asdict(segment),
        "color": f"#{red:02x}{green:02x}{blue:02x}",
        "reason": segment.reason or None,
        "largest": place and asdict(place),
    }
