"""Objects of a study that are no images: listed, and shown as a document, as the bytes of a PDF, or as a video."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from viewer.api import shapes
from viewer.api.doors import AsyncDoor, Door
from viewer.api.viewing import note_denial, note_viewing
from viewer.archive import query
from viewer.archive.ingest import limits
from viewer.dicom.apart import Waiting
from viewer.dicom.documents import DOCUMENTS, KINDS, PDF, VIDEO_KIND, encapsulated, kind_of
from viewer.dicom.errors import DicomError
from viewer.dicom.report_apart import report_of
from viewer.dicom.videos import cut, length_of, places_of, reason_not_played
from viewer.engine.errors import Busy, CannotDraw
from viewer.marks import documents as shown
from viewer.marks import other_objects
from viewer.models import Instance

PDF_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""What stands in a file may neither run nor load anything, wherever it is shown."""
RANGE = re.compile(r"bytes=(\d{1,15})?-(\d{1,15})?\Z")


class ObjectRow(serializers.Serializer):
    sop_instance_uid = serializers.CharField()
    series_instance_uid = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    title = serializers.CharField(allow_blank=True)
    date = serializers.CharField(allow_blank=True, help_text="YYYYMMDD or empty.")
    time = serializers.CharField(allow_blank=True, help_text="As stored (PS3.5 TM) or empty.")
    refers_to = serializers.ListField(child=serializers.CharField(), help_text="SOP Instance UIDs.")
    reason = serializers.CharField(allow_null=True, help_text="Why it cannot be shown; null where it can.")
    superseded = serializers.BooleanField(help_text="A selection of key images written here that a newer one replaces.")


class ObjectList(serializers.Serializer):
    objects = ObjectRow(many=True)


class DocumentShape(serializers.Serializer):
    title = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(sorted(DOCUMENTS))
    facts = serializers.JSONField(help_text='List of {"name", "value"}: who made and verified it, and when.')
    notes = serializers.ListField(child=serializers.CharField(), help_text="What was left out, and why.")
    tree = serializers.JSONField(
        help_text='A content item: {"type", "name", "value"?, "unit"?, "reference"?, "children"?, ...}.'
    )
    table = serializers.JSONField(
        required=False, help_text='Of a dose report: {"totals": [...], "events": {"columns", "rows"}}.'
    )
    note = serializers.CharField(required=False, allow_blank=True, help_text="Of a key object selection.")
    references = serializers.JSONField(required=False, help_text="Of a key object selection: what it selects.")


CANNOT_SHOW = OpenApiResponse(shapes.Problem, description="The object cannot be shown this way; `detail` says why.")
SOP = shapes.uid("sop_instance_uid", "SOP")


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


class OfInstance(Door):
    """What the doors of one instance share."""

    def note_denial(self) -> None:
        note_denial(self.request.user, self.kwargs["sop_instance_uid"], self.request, door="api")


class Document(OfInstance):
    """`GET /api/instances/{sop}/document/`"""

    @extend_schema(
        operation_id="document",
        summary="A structured report, dose report or key object selection as plain data",
        description="Texts are plain text. References name series, instance and frame, so that a page can jump there.",
        parameters=[SOP, shapes.ORGANIZATION],
        responses={
            200: DocumentShape,
            **shapes.REFUSALS,
            422: CANNOT_SHOW,
            503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
        },
    )
    def get(self, request: Request, sop_instance_uid: str) -> Response:
        instance = _instance(request, sop_instance_uid)
        kind = kind_of(instance.sop_class_uid)
        if kind not in DOCUMENTS:
            raise CannotDraw("cannot_show", "This object is no report.")
        try:
            report = report_of(other_objects.path_of(instance), limits())
        except Waiting as problem:
            raise Busy(str(problem)) from None
        except (DicomError, OSError) as problem:
            raise CannotDraw("cannot_show", _reason(problem)) from None
        return Response(shown.document(report, kind, instance.series.study))


class Pdf(AsyncDoor, OfInstance):
    """`GET /api/instances/{sop}/pdf/`"""

    @extend_schema(
        operation_id="pdf",
        summary="The PDF in an encapsulated document",
        parameters=[SOP, shapes.ORGANIZATION],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, **shapes.REFUSALS, 422: CANNOT_SHOW},
    )
    async def get(self, request: Request, sop_instance_uid: str) -> HttpResponseBase:
        instance = await sync_to_async(_instance)(request, sop_instance_uid)
        title, places, inflated = await asyncio.to_thread(_pdf, instance)
        pieces = iter([inflated]) if inflated is not None else _pieces(instance, places, 0, length_of(places))
        response = StreamingHttpResponse(_later(pieces), content_type="application/pdf")
        response["Content-Length"] = str(len(inflated) if inflated is not None else length_of(places))
        response["Content-Disposition"] = f'inline; filename="{_file_name(title)}.pdf"'
        response["Content-Security-Policy"] = PDF_SANDBOX
        return _guarded(response)


class Video(AsyncDoor, OfInstance):
    """`GET /api/instances/{sop}/video/`"""

    @extend_schema(
        operation_id="video",
        summary="The stream of a video object that browsers play",
        parameters=[
            SOP,
            shapes.ORGANIZATION,
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="One range of bytes."),
        ],
        responses={
            (200, "video/mp4"): OpenApiTypes.BINARY,
            (206, "video/mp4"): OpenApiTypes.BINARY,
            **shapes.REFUSALS,
            416: OpenApiResponse(description="The range lies beyond the end."),
            422: CANNOT_SHOW,
        },
    )
    async def get(self, request: Request, sop_instance_uid: str) -> HttpResponseBase:
        instance = await sync_to_async(_instance)(request, sop_instance_uid)
        places = await asyncio.to_thread(_playable, instance)
        whole = length_of(places)
        first, last = asked_for(request.headers.get("Range", ""), whole)
        if first >= whole:
            return Response(status=416, headers={"Content-Range": f"bytes */{whole}"})
        part = (first, last) != (0, whole - 1) or "Range" in request.headers
        pieces = _pieces(instance, places, first, last - first + 1)
        response = StreamingHttpResponse(_later(pieces), content_type="video/mp4", status=206 if part else 200)
        response["Content-Length"] = str(last - first + 1)
        response["Accept-Ranges"] = "bytes"
        if part:
            response["Content-Range"] = f"bytes {first}-{last}/{whole}"
        return _guarded(response)


def _instance(request: Request, sop_instance_uid: str) -> Instance:
    found = other_objects.find_instance(request.user, sop_instance_uid, request.query_params.get("organization"))
    note_viewing(request.user, found.series.study, request, door="api")
    return found


def _reason(problem: Exception) -> str:
    return problem.reason if isinstance(problem, DicomError) else "The file cannot be read."


def _pdf(instance: Instance) -> tuple[str, list[tuple[int, int]], bytes | None]:
    """Title, places of the bytes in the file, and the bytes where they are not there as such. Raises CannotDraw."""
    if kind_of(instance.sop_class_uid) != PDF:
        raise CannotDraw("cannot_show", "This object is no encapsulated PDF.")
    path = other_objects.path_of(instance)
    try:
        found = encapsulated(path, limits())
        places = [(found.offset, found.length)]
        head = found.inflated[:5] if found.inflated is not None else b"".join(cut(path, places, 0, 5))
    except (DicomError, OSError) as problem:
        raise CannotDraw("cannot_show", _reason(problem)) from None
    if not head.startswith(b"%PDF-"):
        raise CannotDraw("cannot_show", "The document does not begin as a PDF does, so it is not given out as one.")
    return found.title, places, found.inflated


def _playable(instance: Instance) -> list[tuple[int, int]]:
    if kind_of(instance.sop_class_uid, instance.transfer_syntax_uid) != VIDEO_KIND:
        raise CannotDraw("cannot_show", "This object is no video.")
    places = places_of(instance.index)
    try:
        reason = reason_not_played(other_objects.path_of(instance), places, instance.transfer_syntax_uid)
    except OSError as problem:
        reason = _reason(problem)
    if reason:
        raise CannotDraw("cannot_show", reason)
    return places


def asked_for(header: str, whole: int) -> tuple[int, int]:
    """First and last byte of a Range header (RFC 9110 14.2); all of them where it is none that is understood."""
    found = RANGE.match(header)
    if not found or (not found[1] and not found[2]):
        return 0, whole - 1
    if not found[1]:
        return max(0, whole - int(found[2])), whole - 1
    first, last = int(found[1]), min(int(found[2] or whole), whole - 1)
    return (first, last) if first <= last or first >= whole else (0, whole - 1)


def _pieces(instance: Instance, places: list[tuple[int, int]], start: int, length: int) -> Iterator[bytes]:
    return cut(other_objects.path_of(instance), places, start, length)


async def _later(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Pieces that are read in a thread, one at a time: the next when the last was taken."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


def _guarded(response: StreamingHttpResponse) -> StreamingHttpResponse:
    """Nothing is guessed from the bytes, nobody else's page shows them, and no cache keeps them."""
    response["X-Content-Type-Options"] = "nosniff"
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["Cache-Control"] = "no-store"
    return response


def _file_name(title: str) -> str:
    """Letters and digits of a title, for a name that no system stumbles over."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")[:60] or "document"
