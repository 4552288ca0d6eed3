"""`/api/studies/{uid}/key-images/`: pictures that readers marked, drawn by the server itself and kept with their digest."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

from asgiref.sync import sync_to_async
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from viewer.api import shapes
from viewer.api.doors import AsyncDoor, text_of
from viewer.api.frames import VIEW_CHARACTERS, draw_kept_view, laid_over, objects_of, opened_series, view_of
from viewer.api.viewing import note_viewing
from viewer.archive import query
from viewer.archive.query import BadQuery
from viewer.engine.engine import Drawn
from viewer.engine.errors import CannotDraw
from viewer.marks import apart, key_images, key_objects
from viewer.marks.filing import NotFiled
from viewer.marks.key_objects import NothingToWrite
from viewer.models import KeyImage, Series, Study
from viewer.objects.key_object import TITLES
from viewer.rendering.fields import sound
from viewer.rendering.view import BadView, View

BODY = 4 * VIEW_CHARACTERS
THUMBNAIL = 192
"""Longest side of a thumbnail."""


class KeyImageShape(serializers.Serializer):
    uid = serializers.CharField()
    series_instance_uid = serializers.CharField()
    sop_instance_uid = serializers.CharField(allow_blank=True, help_text="Empty: a picture of a volume.")
    frame_number = serializers.IntegerField(allow_null=True, help_text="From 1.")
    view = serializers.JSONField(help_text="The whole resolved View: what was drawn.")
    renderer = serializers.CharField()
    series_version = serializers.CharField()
    sha256 = serializers.CharField(help_text="Of the picture's raw bytes.")
    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    measurements = serializers.ListField(child=serializers.CharField(), help_text="uid of those drawn on it.")
    note = serializers.CharField(allow_blank=True)
    version = serializers.IntegerField(help_text="Of the note: a change names it.")
    author = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    picture = serializers.CharField(help_text="Address that draws it again.")
    thumbnail = serializers.CharField(help_text="Address of a small JPEG.")
    draws_the_same = serializers.BooleanField(
        allow_null=True, help_text="Whether drawing it now gives the same bytes; null unless asked by check=1."
    )


class KeyImageList(serializers.Serializer):
    key_images = KeyImageShape(many=True)
    checked = serializers.IntegerField(help_text="How many were drawn again; 0 unless asked by check=1.")
    check_from = serializers.CharField(
        allow_null=True,
        help_text="uid of the first that is still to be checked: ask again with it. null: none is left.",
    )


class NewKeyImage(serializers.Serializer):
    series = serializers.CharField(help_text="Series Instance UID.")
    view = serializers.JSONField(help_text="A View (docs/protocol.md).")
    measurements = serializers.ListField(child=serializers.CharField(), required=False)
    note = serializers.CharField(required=False, allow_blank=True, max_length=key_images.NOTE)


class ChangedNote(serializers.Serializer):
    version = serializers.IntegerField(help_text="The version that is changed.")
    note = serializers.CharField(allow_blank=True, max_length=key_images.NOTE)


class OvertakenNote(serializers.Serializer):
    detail = serializers.CharField()
    current = KeyImageShape(required=False)
    organizations = serializers.ListField(child=serializers.CharField(), required=False)


class WrittenShape(serializers.Serializer):
    sop_instance_uid = serializers.CharField(help_text="Of the key object selection.")
    objects = serializers.ListField(child=serializers.CharField(), help_text="SOP Instance UIDs that are new.")
    left_out = serializers.JSONField(help_text="uid of key images that could not be written: the reason.")


class TitleOfSelection(serializers.Serializer):
    title = serializers.ChoiceField(
        sorted(TITLES), required=False, help_text="What the selection is for; left out: as before."
    )


CHECKED_AT_ONCE = 12
CHECKING_SECONDS = 10.0
"""How many are drawn again for one request, and how long; the next request goes on from there."""
CHECK = shapes.text("check", '"1": draw it again and say whether it is still the same.')
CHECK_SOME = shapes.text(
    "check", f'"1": draw them again, at most {CHECKED_AT_ONCE} at once, and say whether they are still the same.'
)
CHECK_FROM = shapes.text("check_from", "uid of the first that is to be checked, as the last answer named it.")
UID_OF_KEY_IMAGE = shapes.uid("uid", "Key image; its")


class KeyImages(AsyncDoor):
    """`GET` and `POST /api/studies/{uid}/key-images/`"""

    @extend_schema(
        operation_id="key_images",
        summary="The key images of a study",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION, CHECK_SOME, CHECK_FROM],
        responses={200: KeyImageList, 400: shapes.BAD, **shapes.REFUSALS},
    )
    async def get(self, request: Request, study_instance_uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        found = await sync_to_async(_shown)(request, study)
        asked = request.query_params.get("check") == "1"
        same, left = await _checked(found, request.query_params.get("check_from")) if asked else ({}, None)
        told = [_told(one, study, same.get(one.uid)) for one in found]
        return Response({"key_images": told, "checked": len(same), "check_from": left})

    @extend_schema(
        operation_id="key_image_create",
        summary="Mark a picture as a key image",
        description="The server draws the View itself, exactly, and keeps it with the digest of its pixels.",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        request=NewKeyImage,
        responses={
            201: KeyImageShape,
            400: shapes.BAD,
            **shapes.REFUSALS,
            422: OpenApiResponse(shapes.Problem, description="The file's pixels cannot be decoded."),
            503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
        },
    )
    async def post(self, request: Request, study_instance_uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        body = body_of(request)
        uid, note, measurements = text_of(body, "series", 64), text_of(body, "note", key_images.NOTE), _uids(body)
        view = _view(body.get("view"), uid, study)
        drawn = await drawn_view(request, await sync_to_async(_series)(study, uid), view)
        keep = sync_to_async(key_images.keep)
        try:
            kept = await keep(study, request.user, drawn.header, note=note, measurements=measurements, request=request)
        except key_images.TooMany as problem:
            raise BadQuery("key_images", str(problem)) from None
        return Response(_told(kept, study, True), status=201)


class KeyImageDoor(AsyncDoor):
    """`GET`, `PUT` and `DELETE /api/studies/{uid}/key-images/{uid}/`"""

    @extend_schema(
        operation_id="key_image",
        summary="One key image",
        parameters=[shapes.uid("study_instance_uid", "Study"), UID_OF_KEY_IMAGE, shapes.ORGANIZATION, CHECK],
        responses={200: KeyImageShape, **shapes.REFUSALS},
    )
    async def get(self, request: Request, study_instance_uid: str, uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        kept = await sync_to_async(_kept)(request, study, uid)
        check = request.query_params.get("check") == "1"
        return Response(_told(kept, study, await _draws_the_same(kept) if check else None))

    @extend_schema(
        operation_id="key_image_note",
        summary="Change the note of a key image",
        description="The picture itself never changes.",
        parameters=[shapes.uid("study_instance_uid", "Study"), UID_OF_KEY_IMAGE, shapes.ORGANIZATION],
        request=ChangedNote,
        responses={
            200: KeyImageShape,
            400: shapes.BAD,
            **shapes.REFUSALS,
            409: OpenApiResponse(
                OvertakenNote, description="It was changed meanwhile: `current` is what there is now."
            ),
        },
    )
    async def put(self, request: Request, study_instance_uid: str, uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        body = body_of(request)
        version, note = body.get("version"), text_of(body, "note", key_images.NOTE)
        if isinstance(version, bool) or not isinstance(version, int):
            raise BadQuery("version", "the number of the version that is to be changed is needed")
        await sync_to_async(_kept)(request, study, uid)
        try:
            kept = await sync_to_async(key_images.note)(study, uid, version, note, request.user, request)
        except key_images.Overtaken as other:
            return Response({"detail": str(other), "current": _told(other.current, study, None)}, status=409)
        return Response(_told(kept, study, None))

    @extend_schema(
        operation_id="key_image_delete",
        summary="Take a picture off the key images",
        parameters=[shapes.uid("study_instance_uid", "Study"), UID_OF_KEY_IMAGE, shapes.ORGANIZATION],
        responses={204: OpenApiResponse(description="It is off the list."), **shapes.REFUSALS},
    )
    async def delete(self, request: Request, study_instance_uid: str, uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        await sync_to_async(_kept)(request, study, uid)
        await sync_to_async(key_images.drop)(study, uid, request.user, request)
        return Response(status=204)


def _shown(request: Request, study: Study) -> list[KeyImage]:
    return apart.shown_to(request.user, study, key_images.of_study(study))


def _kept(request: Request, study: Study, uid: str) -> KeyImage:
    """Raises NotFound, also where its author reads this study apart."""
    for shown in apart.shown_to(request.user, study, [key_images.of_uid(study, uid)]):
        return shown
    raise query.NotFound("there is no such key image")


async def drawn_view(request: Request, series: Series, view: View) -> Drawn:
    """The exact picture of a View, as `/api/series/{uid}/frame` draws it. Raises BadView, CannotDraw."""
    engine, opened = await opened_series(series)
    fused = await laid_over(request, view.fusion, series) if view.fusion is not None else None
    objects = await objects_of(view, series)
    return await engine.draw(opened, view, media_type="image/png", fused=fused, objects=objects)


async def draw_kept(kept: KeyImage) -> Drawn:
    """A key image once more, for whoever may see its study. Raises NotFound, BadView, CannotDraw."""
    series = await sync_to_async(_series)(kept.study, kept.series_instance_uid)
    return (await draw_kept_view(series, View.from_json(kept.view)))[0]


class KeyImageObject(AsyncDoor):
    """`GET` and `POST /api/studies/{uid}/key-images/object/`"""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, NothingToWrite | NotFiled):
            return Response({"detail": str(exc), "code": "not_written"}, status=422)
        return super().handle_exception(exc)

    @extend_schema(
        operation_id="key_image_object",
        summary="The newest key object selection of a study that was written here",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        responses={200: WrittenShape, **shapes.REFUSALS},
    )
    async def get(self, request: Request, study_instance_uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        newest = await sync_to_async(key_objects.newest)(study)
        if newest is None:
            raise query.NotFound("none was written yet")
        return Response({"sop_instance_uid": newest, "objects": [], "left_out": {}})

    @extend_schema(
        operation_id="key_image_object_write",
        summary="Write the key images into the archive now: KO, presentation states, captured pictures",
        description="They are also written by themselves a minute after the last change. The same state is written once.",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        request=TitleOfSelection,
        responses={
            200: WrittenShape,
            400: shapes.BAD,
            **shapes.REFUSALS,
            422: OpenApiResponse(
                shapes.Problem, description="There is nothing to write, or the archive did not take it."
            ),
            503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
            507: OpenApiResponse(shapes.Problem, description="The archive's disk is full."),
        },
    )
    async def post(self, request: Request, study_instance_uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        title = body_of(request).get("title")
        if title is not None and title not in TITLES:
            raise BadQuery("title", f"one of {', '.join(TITLES)}")
        written = await key_objects.write(study, request.user, draw_kept, title)
        return Response(
            {"sop_instance_uid": written.sop_instance_uid, "objects": written.objects, "left_out": written.left_out}
        )


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request's body. Raises BadQuery."""
    raw = request._request.read(BODY + 1)
    if len(raw) > BODY:
        raise BadQuery("body", f"more than {BODY:,} bytes")
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise BadQuery("body", "not JSON") from None
    if not isinstance(body, dict):
        raise BadQuery("body", "a JSON object is expected")
    return body


def _study(request: Request, study_instance_uid: str) -> Study:
    study = query.find_study(request.user, study_instance_uid, request.query_params.get("organization"))
    note_viewing(_user(request), study, request, door="api")
    return study


def _user(request: Request) -> User:
    user: User = request.user
    return user


def _series(study: Study, uid: str) -> Series:
    """A series of this study. Raises NotFound."""
    found = (
        Series.objects.held()
        .filter(study=study, series_instance_uid=uid)
        .select_related("study__patient", "organization")
    )
    series = found.first()
    if series is None:
        raise query.NotFound("there is no such series in this study")
    return series


def _view(given: Any, series: str, study: Study) -> View:
    if not isinstance(given, dict):
        raise BadQuery("view", "a View as a JSON object is expected")
    view = view_of(json.dumps(given), series)
    if view.organization not in (None, study.organization.name):
        raise BadView("organization: not that of the study")
    return view


def _uids(body: dict[str, Any]) -> list[str]:
    value = body.get("measurements") or []
    listed = isinstance(value, list) and len(value) <= key_images.MEASUREMENTS
    if not listed or not all(isinstance(one, str) and 0 < len(one) <= 64 and sound(one) == one for one in value):
        raise BadQuery("measurements", f"a list of at most {key_images.MEASUREMENTS} UIDs is expected")
    return value


async def _checked(found: list[KeyImage], begin: str | None) -> tuple[dict[str, bool], str | None]:
    """Whether some of them draw the same, by `uid`, from `begin` on; and the first that there was no time for. Who goes away
    ends it: each picture is waited for. Raises BadQuery."""
    uids = [one.uid for one in found]
    if begin and begin not in uids:
        raise BadQuery("check_from", "there is no such key image here any more; begin anew")
    first, same, until = uids.index(begin) if begin else 0, {}, time.monotonic() + CHECKING_SECONDS
    for one in found[first : first + CHECKED_AT_ONCE]:
        if same and time.monotonic() > until:
            break
        same[one.uid] = await _draws_the_same(one)
    return same, next(iter(uids[first + len(same) :]), None)


async def _draws_the_same(kept: KeyImage) -> bool:
    """Whether drawing it now gives the very same pixels; what cannot be drawn any more does not."""
    try:
        drawn = await draw_kept(kept)
    except (query.NotFound, BadView, CannotDraw):
        return False
    return bool(drawn.header.get("sha256") == kept.sha256)


def _told(kept: KeyImage, study: Study, draws_the_same: bool | None) -> dict[str, Any]:
    return {
        **{name: getattr(kept, name) for name in FIELDS},
        "author": kept.author_name,
        "created_at": kept.created_at.isoformat(),
        "picture": address_of(kept, study, kept.view, "image/png"),
        "thumbnail": address_of(kept, study, smaller(kept), "image/jpeg"),
        "draws_the_same": draws_the_same,
    }


FIELDS = (
    *("uid", "series_instance_uid", "sop_instance_uid", "frame_number", "view", "renderer", "series_version"),
    *("sha256", "rows", "columns", "measurements", "note", "version"),
)


def address_of(kept: KeyImage, study: Study, view: dict[str, Any], media_type: str) -> str:
    said = urlencode(
        {
            "view": json.dumps(view, separators=(",", ":"), ensure_ascii=False),
            "media_type": media_type,
            "organization": study.organization.name,
        }
    )
    return f"{reverse('api-frame', args=[kept.series_instance_uid])}?{said}"


def smaller(kept: KeyImage) -> dict[str, Any]:
    """The View of the same picture in fewer pixels. One voxel to one pixel has no smaller picture of the same part."""
    view, scale = dict(kept.view), THUMBNAIL / max(kept.rows, kept.columns)
    if scale >= 1 or view.get("zoom") == "native":
        return view
    view["size"] = [max(1, round(kept.rows * scale)), max(1, round(kept.columns * scale))]
    if view.get("pixel_spacing"):
        view["pixel_spacing"] /= scale
    return view
