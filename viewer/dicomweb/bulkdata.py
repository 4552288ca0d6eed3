"""Single values of an object by their address (PS3.18 10.4.1.1.5): whole, in ranges, or as the one part of a multipart."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.exceptions import NotAcceptable
from rest_framework.request import Request

from viewer.api.objects import asked_for
from viewer.archive.ingest import limits
from viewer.archive.query import NotFound
from viewer.dicom import tags, values
from viewer.dicom.elements import UNDEFINED, Dataset
from viewer.dicom.emitting import turned
from viewer.dicom.errors import DicomError
from viewer.dicom.header import opened
from viewer.dicom.representations import SIZES
from viewer.dicomweb.accepting import Accepted, accepted
from viewer.dicomweb.json_model import Everything
from viewer.dicomweb.media_types import OCTETS, type_of
from viewer.dicomweb.metadata_types import root_of
from viewer.dicomweb.multipart_out import Part, later, related, streamed
from viewer.dicomweb.selecting import Leaving, RetrieveDoor, note_retrieval, selected
from viewer.serving.database import database

PIECE = 1 << 18
PATH = re.compile(r"[0-9A-Fa-f]{8}(/[1-9]\d{0,5}/[0-9A-Fa-f]{8})*\Z")
ENCAPSULATED_DOCUMENT = 0x00420011
MIME_TYPE_OF_ENCAPSULATED_DOCUMENT = 0x00420012
DOCUMENT_TYPES = frozenset({"application/pdf"})
"""Given out by their own name to whoever asks for it; browsers show them without running what is in them."""


@dataclass(frozen=True, slots=True)
class Value:
    """Where a value lies. `held`: its bytes where they do not lie in the file as they are."""

    offset: int
    length: int
    size: int = 1
    """Of one number in bytes, where its bytes are to be turned round."""
    held: bytes | None = None
    media_type: str = OCTETS
    frames: tuple[tuple[int, ...], ...] = ()
    """Of encapsulated pixel data: offset, length, offset, length ... of each frame."""


class BulkData(RetrieveDoor):
    """`.../bulkdata/{path}` of an instance."""

    async def get(self, request: Request, path: str, **uids: str) -> HttpResponseBase:
        [leaving] = await database(selected)(request, uids, index=True)
        value = await asyncio.to_thread(found, leaving, path)
        wish = _wish(request, value)
        etag = f'"{leaving.instance.blob_id[:32]}-{path.replace("/", "-")}"'
        response = get_conditional_response(request._request, etag=etag)
        if response is None:
            await database(note_retrieval)(request, [leaving], {"bulkdata": path})
            response = _frames(leaving, value, request) if value.frames else _whole(leaving, value, request, wish)
            response["ETag"] = etag
        return response


def found(leaving: Leaving, path: str) -> Value:
    """The value that a path means. Raises NotFound."""
    if not PATH.match(path):
        raise NotFound("there is no such value")
    *way, tag = [int(part, 16 if place % 2 == 0 else 10) for place, part in enumerate(path.split("/"))]
    try:
        with opened(leaving.path, limits(), Everything()) as header:
            dataset = header.dataset
            for sequence, number in zip(way[::2], way[1::2], strict=True):
                dataset = dataset.items(sequence)[number - 1]
            return _value(leaving, dataset, tag, deflated=header.deflated, top=not way)
    except (DicomError, OSError, IndexError, KeyError):
        raise NotFound("there is no such value") from None


def _value(leaving: Leaving, dataset: Dataset, tag: int, *, deflated: bool, top: bool) -> Value:
    element = dataset.elements[tag]
    if element.items is not None:
        raise KeyError(tag)
    if element.length == UNDEFINED:
        if not top or tag != tags.PIXEL_DATA:
            raise KeyError(tag)
        fragments = leaving.instance.index["pixels"]["fragments"]
        return Value(0, 0, frames=tuple(tuple(places) for places in fragments))
    size = 1 if dataset.little else SIZES.get(element.vr, 1)
    held = None
    if deflated:
        held = turned(dataset.buffer[element.offset : element.offset + element.length], size)
        if len(held) != element.length:
            raise KeyError(tag)
    return Value(element.offset, element.length, size, held, _media_type(dataset, tag))


def _media_type(dataset: Dataset, tag: int) -> str:
    if tag != ENCAPSULATED_DOCUMENT:
        return OCTETS
    named = values.text(dataset, MIME_TYPE_OF_ENCAPSULATED_DOCUMENT).lower()
    return named if named in DOCUMENT_TYPES else OCTETS


def _wish(request: Request, value: Value) -> Accepted:
    """What of the client's wishes is met. Raises NotAcceptable."""
    for wish in accepted(request.headers.get("Accept", ""), request.query_params.get("accept", "")):
        if value.frames or wish.covers(OCTETS) or wish.covers(value.media_type):
            return wish
    raise NotAcceptable(f"This value can be had as {value.media_type}.")


def _whole(leaving: Leaving, value: Value, request: Request, wish: Accepted) -> HttpResponseBase:
    media_type = value.media_type if wish.media_type == value.media_type else OCTETS
    location = f"{root_of(request)}{request.path}"
    if wish.multipart:
        return related(
            [Part(media_type, location, lambda: later(_pieces(leaving.path, value, 0, value.length)))], media_type
        )
    header = request.headers.get("Range", "")
    first, last = asked_for(header, value.length)
    if header and first >= value.length:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{value.length}"})
    response = streamed(later(_pieces(leaving.path, value, first, last - first + 1)), media_type)
    response["Content-Length"] = str(last - first + 1)
    response["Accept-Ranges"] = "bytes"
    response["Content-Location"] = location
    response["Content-Disposition"] = "attachment"
    if (first, last) != (0, value.length - 1):
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{last}/{value.length}"
    return response


def _pieces(path: Path, value: Value, start: int, length: int) -> Iterator[bytes]:
    """Bytes of the value in little endian order."""
    if value.held is not None:
        yield value.held[start : start + length]
        return
    # Numbers are read whole, and what was not asked for is cut off.
    before = start % value.size
    place, left = start - before, before + length
    with path.open("rb") as file:
        file.seek(value.offset + place)
        while left > 0:
            wanted = min(PIECE, -(-left // value.size) * value.size)
            piece = turned(file.read(wanted), value.size)[: min(left, wanted)]
            if not piece:
                return
            left -= len(piece)
            yield piece[before:]
            before = 0


def _frames(leaving: Leaving, value: Value, request: Request) -> HttpResponseBase:
    """Encapsulated pixel data: a part for each frame, as it is stored (PS3.18 8.7.3.3.2)."""
    media_type = type_of(leaving.instance.transfer_syntax_uid)
    named = f"{media_type};transfer-syntax={leaving.instance.transfer_syntax_uid}"
    location = f"{root_of(request)}{leaving.address}"

    def part(number: int, places: tuple[int, ...]) -> Part:
        return Part(named, f"{location}/frames/{number}", lambda: later(_fragments(leaving.path, places)))

    return related((part(number, places) for number, places in enumerate(value.frames, 1)), media_type)


def _fragments(path: Path, places: tuple[int, ...]) -> Iterator[bytes]:
    with path.open("rb") as file:
        for offset, length in zip(places[::2], places[1::2], strict=True):
            file.seek(offset)
            while length > 0 and (piece := file.read(min(PIECE, length))):
                length -= len(piece)
                yield piece
