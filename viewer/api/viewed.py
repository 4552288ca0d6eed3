"""`/api/studies/{uid}/viewed/`: which mammograms a reader has had before them at full size, and how much of each."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from viewer.api import shapes
from viewer.api.doors import Door, data_of
from viewer.api.viewing import note_viewing
from viewer.archive import query
from viewer.archive.query import BadQuery
from viewer.marks import viewed
from viewer.marks.viewed import Frame, Seen
from viewer.models import Study
from viewer.rendering.coverage import MOST, Area

MOST_AT_ONCE = 200
"""Frames of one request."""


class SeenFrame(serializers.Serializer):
    series_instance_uid = serializers.CharField()
    sop_instance_uid = serializers.CharField()
    frame_number = serializers.IntegerField(help_text="From 1.")
    frames = serializers.IntegerField(help_text="Of its image.")
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    areas = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="[top, left, bottom, right) in stored pixels, without overlap.",
    )
    covered = serializers.FloatField(help_text="Share of its pixels, 0 to 1.")
    viewed = serializers.BooleanField(help_text="All of it.")


class SeenFrames(serializers.Serializer):
    images = SeenFrame(many=True, help_text="Every frame of the mammograms; empty where the study has none.")
    viewed = serializers.IntegerField(help_text="How many of them were seen wholly.")
    complete = serializers.BooleanField(help_text="All were, or there are none.")


class NewlySeen(serializers.Serializer):
    sop_instance_uid = serializers.CharField()
    frame_number = serializers.IntegerField(min_value=1)
    areas = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=4, max_length=4), max_length=MOST
    )


class NewlySeenFrames(serializers.Serializer):
    images = NewlySeen(many=True)


class Viewed(Door):
    """What the person who asks has seen of one study."""

    @extend_schema(
        operation_id="viewed",
        summary="How much of each mammogram of a study you have seen exactly and at full size",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        responses={200: SeenFrames, **shapes.REFUSALS},
    )
    def get(self, request: Request, study_instance_uid: str) -> Response:
        return Response(told(viewed.standing(_study(request, study_instance_uid), request.user)))

    @extend_schema(
        operation_id="viewed_add",
        summary="Say what you have seen",
        description="Joined to what you saw before. Only areas that were painted exactly, one voxel to one pixel or larger.",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        request=NewlySeenFrames,
        responses={200: SeenFrames, 400: shapes.BAD, **shapes.REFUSALS},
    )
    def put(self, request: Request, study_instance_uid: str) -> Response:
        study = _study(request, study_instance_uid)
        body = NewlySeenFrames(data=data_of(request))
        if not body.is_valid():
            raise BadQuery("images", "a list of {sop_instance_uid, frame_number, areas} is expected")
        if len(body.validated_data["images"]) > MOST_AT_ONCE:
            raise BadQuery("images", f"{MOST_AT_ONCE} at most")
        said: dict[Frame, list[Area]] = {}
        for one in body.validated_data["images"]:
            areas = said.setdefault((one["sop_instance_uid"], one["frame_number"]), [])
            areas += [(top, left, bottom, right) for top, left, bottom, right in one["areas"]]
        viewed.add(study, request.user, said)
        return Response(told(viewed.standing(study, request.user)))


def told(found: list[Seen]) -> dict[str, Any]:
    """What the door says of frames."""
    return {
        "images": [{**{name: getattr(one, name) for name in FIELDS}, "viewed": one.viewed} for one in found],
        "viewed": sum(one.viewed for one in found),
        "complete": all(one.viewed for one in found),
    }


FIELDS = (
    *("series_instance_uid", "sop_instance_uid", "frame_number", "frames", "rows", "columns", "areas", "covered"),
)


def _study(request: Request, study_instance_uid: str) -> Study:
    study = query.find_study(request.user, study_instance_uid, request.query_params.get("organization"))
    note_viewing(request.user, study, request, door="api")
    return study
