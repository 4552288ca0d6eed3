"""One picture over HTTP: the same pixels that the WebSocket sends for the same View."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseNotModified
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.models import User
from viewer.api import shapes
from viewer.api.doors import AsyncDoor
from viewer.api.shared import stamp_of
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive import query
from viewer.archive.query import BadQuery
from viewer.engine.engine import Drawn, Engine, Objects, OpenSeries, by_uid
from viewer.engine.errors import CannotDraw
from viewer.models import Series
from viewer.rendering.encode import ENCODERS
from viewer.rendering.render import RENDERER
from viewer.rendering.stamping import Stamp
from viewer.rendering.view import BadView, Fusion, View, objects_named
from viewer.serving import runtime

VIEW_CHARACTERS = 16_384
QUALITY = 90
THUMBNAIL_SIZES = range(32, 513)
THUMBNAIL = 160

HEADERS = [
    OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200], description=meaning)
    for name, meaning in (
        ("Farview-View", "The whole resolved View, JSON: what was drawn."),
        ("Farview-Exact", "true: lossless, final quality at that size."),
        ("Farview-Sha256", "Of the picture's raw bytes, where it is exact."),
        ("Farview-Sampling", "native, enlarged, reduced or reformatted."),
        ("Farview-Source-Lossy", "JSON: null, or ratio and method of a loss before the file came here."),
        ("Farview-Stamped", "true: a watermark was drawn into it, as for everybody who came by a share link."),
        ("Farview-Renderer", "Kernel family and version."),
        ("Farview-Series-Version", "The version of the series that was drawn."),
    )
]


class Frame(AsyncDoor):
    """`GET /api/series/{uid}/frame?view=...&media_type=image/png`"""

    @extend_schema(
        operation_id="frame",
        summary="Draw one View of a series",
        description="The same pixels as over the WebSocket. Fields that the View leaves out are the server's choice.",
        parameters=[
            shapes.uid("series_instance_uid", "Series"),
            shapes.text("view", "A View as JSON (docs/protocol.md)."),
            OpenApiParameter("media_type", OpenApiTypes.STR, enum=sorted(ENCODERS), default="image/png"),
            OpenApiParameter("quality", OpenApiTypes.INT, description="1 to 100, of lossy types.", default=QUALITY),
            shapes.ORGANIZATION,
            *HEADERS,
        ],
        responses={
            **{(200, media_type): OpenApiTypes.BINARY for media_type in ENCODERS},
            304: OpenApiResponse(description="The picture that the client holds is the one."),
            400: shapes.BAD,
            **shapes.REFUSALS,
            422: OpenApiResponse(shapes.Problem, description="The file's pixels cannot be decoded."),
            503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
        },
    )
    async def get(self, request: Request, series_instance_uid: str) -> HttpResponse:
        asked = request.query_params
        view = view_of(asked.get("view", "{}"), series_instance_uid)
        media_type = asked.get("media_type", "image/png")
        if media_type not in ENCODERS:
            raise BadQuery("media_type", f"one of {', '.join(sorted(ENCODERS))}")
        quality = _whole(asked, "quality", QUALITY, range(1, 101))
        organization = asked.get("organization") or view.organization
        if view.organization not in (None, organization):
            raise BadView("organization: not the one of the address")
        series, stamp = await sync_to_async(_asked)(request, series_instance_uid, organization)
        engine, opened = await opened_series(series)
        fused = await laid_over(request, view.fusion, series) if view.fusion is not None else None
        objects = await objects_of(view, series)
        drawn = await engine.draw(
            opened, view, media_type=media_type, quality=quality, fused=fused, objects=objects, stamp=stamp
        )
        return _picture(request, drawn.header, drawn.payload)


class Thumbnail(AsyncDoor):
    """`GET /api/series/{uid}/thumbnail?stack=0`"""

    @extend_schema(
        operation_id="thumbnail",
        summary="A small JPEG of the middle of a stack",
        parameters=[
            shapes.uid("series_instance_uid", "Series"),
            OpenApiParameter("stack", OpenApiTypes.INT, default=0),
            OpenApiParameter(
                "size", OpenApiTypes.INT, default=THUMBNAIL, description="Longest side, 32 to 512 pixels."
            ),
            shapes.text("version", "The series' version; only makes another address of it."),
            shapes.ORGANIZATION,
        ],
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            304: OpenApiResponse(description="The picture that the client holds is the one."),
            400: shapes.BAD,
            **shapes.REFUSALS,
            422: OpenApiResponse(shapes.Problem, description="The file's pixels cannot be decoded."),
        },
    )
    async def get(self, request: Request, series_instance_uid: str) -> HttpResponse:
        asked = request.query_params
        stack, size = _whole(asked, "stack", 0, range(100_000)), _whole(asked, "size", THUMBNAIL, THUMBNAIL_SIZES)
        series, stamp = await sync_to_async(_found)(request.user, series_instance_uid, asked.get("organization"))
        etag = f'"{_digest(series.organization_id, series.pk, series.version, stack, size, RENDERER, stamp)}"'
        response = get_conditional_response(request._request, etag=etag)
        if response is None:
            engine, opened = await opened_series(series)
            if not opened.stacks:
                raise CannotDraw("cannot_decode", "; ".join(opened.not_drawn) or "This series holds no images.")
            jpeg = await engine.thumbnail(opened, stack, size, stamp)
            response = HttpResponse(jpeg, content_type="image/jpeg")
        return _kept_privately(response, etag)


def view_of(text: str, series_instance_uid: str) -> View:
    """The View of a query parameter. Raises BadView."""
    if len(text) > VIEW_CHARACTERS:
        raise BadView(f"view: longer than {VIEW_CHARACTERS:,} characters")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BadView("view: not JSON") from None
    if not isinstance(data, dict):
        raise BadView("view: a JSON object is expected")
    view = View.from_json(data)
    if view.series not in (None, series_instance_uid):
        raise BadView("series: not the one of the address")
    return view


async def objects_of(view: View, series: Series) -> Objects:
    """The objects that a View of a series names, of the same study: whoever may see the one may see the others."""
    wanted = objects_named(view)
    if not wanted:
        return {}
    return by_uid(await sync_to_async(query.objects_beside)(series, wanted))


async def laid_over(request: Request, fusion: Fusion, below: Series) -> OpenSeries:
    """The series of `View.fusion`, for those who may see it too; it is looked for where the one below it is."""
    organization = fusion.organization or below.organization.name
    try:
        series = await sync_to_async(_series_to_show)(request.user, fusion.series, organization, request)
    except query.NotFound:
        await sync_to_async(note_denial)(request.user, fusion.series, request, door="api")
        raise BadView("fusion: There is no such series.") from None
    return (await opened_series(series))[1]


def _found(user: User, series_instance_uid: str, organization: str | None) -> tuple[Series, Stamp | None]:
    """A series, and what goes over the pictures of whoever asks."""
    return query.find_series(user, series_instance_uid, organization), stamp_of(user)


def _asked(request: Request, series_instance_uid: str, organization: str | None) -> tuple[Series, Stamp | None]:
    return _series_to_show(request.user, series_instance_uid, organization, request), stamp_of(request.user)


def _series_to_show(user: User, series_instance_uid: str, organization: str | None, request: Request) -> Series:
    series = query.find_series(user, series_instance_uid, organization)
    note_viewing(user, series.study, request, door="api")
    return series


async def opened_series(series: Series) -> tuple[Engine, OpenSeries]:
    """The engine with the series open; its rows are read only where this version is not open already."""
    engine = await runtime.engine()
    opened = await engine.opened(series.organization.name, series.series_instance_uid, str(series.version))
    if opened is None:
        opened = await engine.open(await sync_to_async(query.series_content)(series))
    return engine, opened


async def draw_kept_view(series: Series, view: View) -> tuple[Drawn, OpenSeries]:
    """The exact picture of a View that was kept, for whoever may see its study; what is laid over it is looked for in the same
    organization. Raises NotFound, BadView, CannotDraw."""
    engine, opened = await opened_series(series)
    fused = None
    if view.fusion is not None:
        fused = (await opened_series(await sync_to_async(query.series_beside)(series, view.fusion.series)))[1]
    drawn = await engine.draw(opened, view, media_type="image/png", fused=fused, objects=await objects_of(view, series))
    return drawn, opened


def _picture(request: Request, fields: dict[str, Any], payload: bytes) -> HttpResponse:
    # Lossless or not, the bytes themselves are what a client holds again.
    etag = f'"{fields["sha256"] if fields.get("exact") else hashlib.sha256(payload).hexdigest()}"'
    response = get_conditional_response(request._request, etag=etag)
    if response is None:
        response = HttpResponse(payload, content_type=fields["media_type"])
        response["Farview-View"] = json.dumps(fields["view"])
        response["Farview-Exact"] = json.dumps(bool(fields.get("exact")))
        response["Farview-Sha256"] = fields.get("sha256") or ""
        response["Farview-Sampling"] = fields.get("sampling") or ""
        response["Farview-Source-Lossy"] = json.dumps(fields.get("source_lossy"))
        response["Farview-Stamped"] = json.dumps(bool(fields.get("stamped")))
        response["Farview-Renderer"] = fields.get("renderer") or RENDERER
        response["Farview-Series-Version"] = str(fields.get("series_version", ""))
    return _kept_privately(response, etag)


def _kept_privately(response: HttpResponse | HttpResponseNotModified, etag: str) -> HttpResponse:
    """The browser may keep it, but asks each time: a right may have gone, or a series may have grown."""
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


def _digest(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def _whole(asked: Any, name: str, otherwise: int, allowed: range) -> int:
    text = asked.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in allowed):
        raise BadQuery(name, f"a whole number from {allowed[0]} to {allowed[-1]} is expected")
    return int(text)
