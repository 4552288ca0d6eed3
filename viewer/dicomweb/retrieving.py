"""Objects by WADO-RS (PS3.18 10.4.1.1.1).

Without a word about the transfer syntax an object leaves as it is stored, but never in Implicit VR Little Endian or Explicit
VR Big Endian (PS3.18 8.7.3.5.2). Explicit VR Little Endian can be asked for by name of every object whose pixels are
understood here; another one only where the object is stored in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request
from rest_framework.response import Response

from viewer.api.objects import asked_for
from viewer.dicom.header import DEFLATED, EXPLICIT_LITTLE_ENDIAN
from viewer.dicom.rewriting import length_as_stored, range_as_stored, stays, web_syntax
from viewer.dicomweb.accepting import Accepted, accepted, not_acceptable
from viewer.dicomweb.framing import all_frames
from viewer.dicomweb.media_types import DICOM
from viewer.dicomweb.multipart_out import Part, begun, later, related, streamed
from viewer.dicomweb.selecting import Leaving, RetrieveDoor, note_retrieval, selected
from viewer.dicomweb.transcoding import decodable, object_bytes
from viewer.models import Instance


class Retrieve(RetrieveDoor):
    """`GET` of a study, a series or an instance: multipart/related, or application/dicom of one instance alone. Of an instance
    also its frames as bulk data (PS3.18 10.4.1.1.5), where a type of theirs is all that is accepted."""

    async def get(self, request: Request, **uids: str) -> HttpResponseBase:
        leaving = await sync_to_async(selected)(request, uids)
        wishes = accepted(request.headers.get("Accept", ""), request.query_params.get("accept", ""))
        choice = chosen(wishes, leaving)
        if choice is None and len(leaving) == 1 and leaving[0].instance.number_of_frames:
            (whole,) = await sync_to_async(selected)(request, uids, index=True)
            return await all_frames(request, whole, wishes, offered(whole.instance))
        if choice is None:
            return not_acceptable(sorted({syntax for one in leaving for syntax in offered(one.instance)}))
        going = [one for one, _ in choice.objects]
        await sync_to_async(note_retrieval)(request, going, {"as": "objects"})
        if len(leaving) == 1:
            return await one_object(request, *choice.objects[0], multipart=choice.multipart)
        parts = [_part(one, syntax) for one, syntax in choice.objects]
        return related(parts, DICOM, status=200 if len(going) == len(leaving) else 206)


@dataclass(frozen=True, slots=True)
class Choice:
    multipart: bool
    objects: list[tuple[Leaving, str]]
    """Each with the transfer syntax in which it leaves; those that cannot be had as wished are not there."""


def chosen(wishes: Sequence[Accepted], leaving: Sequence[Leaving]) -> Choice | None:
    """What of the client's wishes is fulfilled: the first form of answer in which at least one object can be given."""
    wishes = [wish for wish in wishes if wish.covers(DICOM)]
    for first in wishes:
        multipart = first.multipart is not False
        if not multipart and len(leaving) > 1:
            continue
        alike = [wish for wish in wishes if (wish.multipart is not False) is multipart]
        given = [(one, syntax) for one in leaving if (syntax := _syntax(alike, one.instance)) is not None]
        if given:
            return Choice(multipart, given)
    return None


def _syntax(wishes: Sequence[Accepted], instance: Instance) -> str | None:
    """The transfer syntax of the most wanted wish that this object can be had in."""
    given = offered(instance)
    for wish in wishes:
        wanted = wish.transfer_syntax
        if wanted in (None, "*"):
            return given[0]
        if wanted in given:
            return wanted
    return None


def offered(instance: Instance) -> list[str]:
    """Transfer syntaxes that an object can be had in; first the one that it leaves in if nobody says anything."""
    stored = instance.transfer_syntax_uid
    found = [web_syntax(stored)]
    if found[0] != EXPLICIT_LITTLE_ENDIAN and (stored in DEFLATED or decodable(instance)):
        found.append(EXPLICIT_LITTLE_ENDIAN)
    return found


def _part(leaving: Leaving, syntax: str) -> Part:
    return Part(f"{DICOM};transfer-syntax={syntax}", leaving.address, lambda: object_bytes(leaving, syntax))


async def one_object(request: Request, leaving: Leaving, syntax: str, *, multipart: bool) -> HttpResponseBase:
    """A single instance: with an ETag, and of a file that leaves as it is stored also in ranges."""
    digest = leaving.etag(syntax, "parts" if multipart else "file")
    unchanged = get_conditional_response(request._request, etag=f'"{digest}"')
    if unchanged is not None:
        return unchanged
    first = await begun(object_bytes(leaving, syntax))
    if multipart:
        part = _part(leaving, syntax)
        response = related([Part(part.media_type, part.location, lambda: first)], DICOM, boundary=digest)
    else:
        length = None if leaving.changes else await asyncio.to_thread(_length, leaving, syntax)
        response = _in_range(request, leaving, length, f'"{digest}"') if length is not None else None
        response = response or streamed(first, f"{DICOM};transfer-syntax={syntax}")
        if length is not None:
            response["Accept-Ranges"] = "bytes"
            response.setdefault("Content-Length", str(length))
        response["Content-Disposition"] = f'attachment; filename="{leaving.instance.sop_instance_uid}.dcm"'
        response["Content-Location"] = leaving.address
    response["ETag"] = f'"{digest}"'
    return response


def _length(leaving: Leaving, syntax: str) -> int | None:
    """How many bytes leave, where that is known before they do."""
    return length_as_stored(leaving.path) if stays(leaving.path, syntax) else None


def _in_range(request: Request, leaving: Leaving, whole: int, etag: str) -> HttpResponseBase | None:
    """The answer to a Range header that is to be heeded."""
    header = request.headers.get("Range", "")
    if not header or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = asked_for(header, whole)
    if first >= whole:
        return Response(status=416, headers={"Content-Range": f"bytes */{whole}"})
    if last - first + 1 == whole:
        return None
    length = last - first + 1
    response = streamed(later(range_as_stored(leaving.path, first, length)), DICOM, status=206)
    response["Content-Range"] = f"bytes {first}-{first + length - 1}/{whole}"
    response["Content-Length"] = str(length)
    return response
