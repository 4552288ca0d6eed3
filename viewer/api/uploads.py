"""`POST /api/uploads/`: DICOM files and zips of them, by form or as the body itself."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import UPLOAD_ROLES, Organization
from accounts.origin import client_address
from viewer.api import shapes
from viewer.api.doors import Door
from viewer.archive.ingest import Outcome, ingest, note_refusals
from viewer.archive.query import Ambiguous, NotFound
from viewer.archive.rows import Sender
from viewer.archive.sources import Left, Source, from_file
from viewer.archive.storage import StorageFull

CHUNK = 1 << 20
FORM_BYTES = 1 << 20
"""Room for what a form adds to its files."""


class BodyTooLarge(APIException):
    status_code = 413
    default_detail = "The body is larger than this server takes at once."


class AnyBody(BaseParser):
    """Whatever is no form is the object itself."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        return {"body": stream}


class Uploads(Door):
    """Objects from a browser or a program."""

    parser_classes = [MultiPartParser, AnyBody]

    @extend_schema(
        operation_id="upload",
        summary="Take in DICOM files and zips",
        description="Each file's outcome is told once it is durable. Sending a file again is harmless.",
        parameters=[
            shapes.text("organization", "Whose they become; needed by who may upload for several."),
            shapes.text("name", "A body's file name, to be told again in the outcome."),
        ],
        request={
            "multipart/form-data": shapes.Upload,
            "application/dicom": OpenApiTypes.BINARY,
            "application/zip": OpenApiTypes.BINARY,
        },
        responses={
            200: shapes.Outcomes,
            400: OpenApiResponse(shapes.Problem, description="No file came, or a broken form."),
            **shapes.REFUSALS,
            413: OpenApiResponse(shapes.Problem, description="Larger than this server takes at once."),
            503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
            507: OpenApiResponse(shapes.OutcomesUntilFull, description="The archive's disk is full."),
        },
    )
    def post(self, request: Request) -> Response:
        refuse_large_bodies(request)
        organization = organization_for(request)
        sender = Sender(organization, request.user, "upload", client_address(request))
        told: list[Outcome] = []
        with contextlib.ExitStack() as kept:
            sources = _sources(request, kept)
            try:
                for outcome in ingest(sources, sender):
                    told.append(outcome)
            except StorageFull as problem:
                return Response({"detail": str(problem), "outcomes": [_row(one) for one in told]}, status=507)
            finally:
                note_refusals(told, sender)
        return Response({"outcomes": [_row(one) for one in told]})


def refuse_large_bodies(request: Request) -> None:
    """Raise BodyTooLarge for what claims to be more than the largest zip or object."""
    most = max(settings.FARVIEW_MAX_OBJECT_BYTES, settings.FARVIEW_MAX_ZIP_BYTES) + FORM_BYTES
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > most:
        raise BodyTooLarge


def organization_for(request: Request) -> Organization:
    """Whose the objects become: the named one, or the only one for which this person may upload."""
    own = request.user.organizations_as(UPLOAD_ROLES).order_by("name")
    named = request.query_params.get("organization")
    found = list(own.filter(name=named) if named else own)
    if not found:
        raise NotFound("there is no such organization")
    if len(found) > 1:
        raise Ambiguous([organization.name for organization in found])
    return found[0]


def _sources(request: Request, kept: contextlib.ExitStack) -> Iterator[Source | Left]:
    body = request.data.get("body") if not request.FILES else None
    if body is not None and not isinstance(body, str):
        path = _spooled(body, kept)
        yield from from_file(path, _shown(request.query_params.get("name", "")) or "body")
        return
    names = request.data.getlist("path") if hasattr(request.data, "getlist") else []
    files: list[UploadedFile] = request.FILES.getlist("file")
    if not files:
        raise ParseError('No file came: send it as the form field "file", or as the body.')
    for file, name in zip_longest(files, names[: len(files)], fillvalue=""):
        shown = _shown(str(name) or str(file.name))
        path = Path(file.temporary_file_path()) if hasattr(file, "temporary_file_path") else _spooled(file, kept)
        yield from from_file(path, shown, alone="/" not in shown)


def _spooled(stream: BinaryIO | UploadedFile, kept: contextlib.ExitStack) -> Path:
    """A body as a file with a name, gone when the request ends."""
    file = tempfile.NamedTemporaryFile(dir=settings.FARVIEW_TMP_DIR, suffix=".upload")  # noqa: SIM115 - outlives this
    kept.enter_context(file)
    most = max(settings.FARVIEW_MAX_OBJECT_BYTES, settings.FARVIEW_MAX_ZIP_BYTES)
    while chunk := stream.read(CHUNK):
        if file.tell() + len(chunk) > most:
            raise BodyTooLarge
        file.write(chunk)
    file.flush()
    return Path(file.name)


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:300]


def _row(outcome: Outcome) -> dict[str, str]:
    return {
        "name": outcome.name,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "study_instance_uid": outcome.study_instance_uid,
    }
