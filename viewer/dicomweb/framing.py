"""Frames by WADO-RS (PS3.18 10.4.1.1.6): as they are stored, or uncompressed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from asgiref.sync import sync_to_async
from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from viewer.archive.query import BadQuery, NotFound
from viewer.dicom.frames import FrameSource
from viewer.dicom.header import EXPLICIT_LITTLE_ENDIAN
from viewer.dicom.syntaxes import NATIVE, REFERENCED, VIDEO
from viewer.dicom.uncompressed import encoded_bytes, stored_bytes
from viewer.dicomweb.accepting import Accepted, accepted, not_acceptable
from viewer.dicomweb.media_types import DICOM, OCTETS, OTHER_NAMES, named, type_of
from viewer.dicomweb.multipart_out import Bytes, Part, begun, later, related, streamed
from viewer.dicomweb.selecting import Leaving, RetrieveDoor, selected
from viewer.dicomweb.transcoding import Decoding, decodable

LIST = re.compile(r"[1-9]\d{0,8}(?:,[1-9]\d{0,8})*\Z")


class Frames(RetrieveDoor):
    """`.../frames/{list}`: multipart/related, a part for each frame; or a single frame as one part."""

    async def get(self, request: Request, **uids: str) -> HttpResponseBase:
        numbers = frame_numbers(uids["frames"])
        (leaving,) = await sync_to_async(selected)(request, uids, index=True)
        check_frames(leaving, numbers)
        wishes = accepted(request.headers.get("Accept", ""), request.query_params.get("accept", ""))
        return await answer(request, leaving, numbers, wishes)


async def all_frames(
    request: Request, leaving: Leaving, wishes: Sequence[Accepted], others: Sequence[str]
) -> HttpResponseBase:
    """The pixels of a whole object as bulk data; `others` is what it can be had in as a file."""
    frames = 1 if leaving.instance.transfer_syntax_uid in VIDEO else leaving.instance.index.get("frames", 0)
    return await answer(
        request, leaving, range(1, frames + 1), wishes, [f"{DICOM};transfer-syntax={o}" for o in others]
    )


async def answer(
    request: Request, leaving: Leaving, numbers: Sequence[int], wishes: Sequence[Accepted], others: Sequence[str] = ()
) -> HttpResponseBase:
    """These frames in the most wanted form that they can be had in."""
    form = chosen(wishes, leaving, len(numbers))
    if form is None:
        return not_acceptable([*others, *(named(*offer) for offer in offers(leaving))])
    digest = leaving.etag(form, *numbers)
    response = get_conditional_response(request._request, etag=f'"{digest}"')
    if response is None:
        response = await _answer(leaving, numbers, form, digest)
        response["ETag"] = f'"{digest}"'
    return response


class Form(NamedTuple):
    """How frames leave."""

    multipart: bool
    media_type: str
    transfer_syntax: str


def frame_numbers(text: str) -> list[int]:
    """1-based, in the order asked for. Raises BadQuery."""
    if not LIST.match(text):
        raise BadQuery("frames", "numbers from 1 on are expected, parted by commas")
    return [int(number) for number in text.split(",")]


def check_frames(leaving: Leaving, numbers: Sequence[int]) -> None:
    """Raise NotFound for a frame that the object does not have. A video is one stream, and asked for as its first frame."""
    index = leaving.instance.index
    video = leaving.instance.transfer_syntax_uid in VIDEO
    most = min(1, index.get("frames", 0)) if video else index.get("frames", 0)
    if max(numbers) > most:
        raise NotFound(f"this object has {most} frames")


def offers(leaving: Leaving) -> list[tuple[str, str]]:
    """(media type, transfer syntax) in which frames of this object can be had, as they are stored first."""
    stored = leaving.instance.transfer_syntax_uid
    found = []
    if stored in NATIVE:
        found = [(OCTETS, EXPLICIT_LITTLE_ENDIAN)] if "offset" in leaving.instance.index["pixels"] else []
    elif "fragments" in leaving.instance.index["pixels"] and stored not in REFERENCED:
        found = [(type_of(stored), stored)]
    if decodable(leaving.instance) and "not_drawn" not in leaving.instance.index:
        found.append((OCTETS, EXPLICIT_LITTLE_ENDIAN))
    return found


def chosen(wishes: Sequence[Accepted], leaving: Leaving, frames: int) -> Form | None:
    """The most wanted form in which the frames can be had."""
    offered = offers(leaving)
    for wish in wishes:
        if wish.multipart is False and frames > 1:
            continue
        for media_type, syntax in offered:
            name = _meant(wish, media_type, syntax)
            if name is not None:
                return Form(wish.multipart is not False, name, syntax)
    return None


def _meant(wish: Accepted, media_type: str, syntax: str) -> str | None:
    """The name under which a wish gets what is offered, or None: clients of earlier editions are answered in their words."""
    wanted = wish.transfer_syntax
    if wanted not in (None, "*", syntax):
        return None
    if wish.covers(media_type):
        return media_type
    if OTHER_NAMES.get(wish.media_type) == media_type:
        return wish.media_type
    if wish.media_type == OCTETS and wanted is not None:
        return OCTETS  # the stored bytes, whatever they are
    return None


async def _answer(leaving: Leaving, numbers: Sequence[int], form: Form, digest: str) -> HttpResponseBase:
    media_type = named(form.media_type, form.transfer_syntax)
    contents: list[Callable[[], Bytes]] = [
        partial(frame_bytes, leaving, number, form.transfer_syntax) for number in numbers
    ]
    first = await begun(contents[0]())
    if not form.multipart:
        return streamed(first, media_type)
    contents[0] = lambda: first
    parts = [
        Part(media_type, f"{leaving.address}/frames/{number}", content)
        for number, content in zip(numbers, contents, strict=True)
    ]
    return related(parts, form.media_type, boundary=digest)


async def frame_bytes(leaving: Leaving, number: int, transfer_syntax_uid: str) -> Bytes:
    """One frame, of a video the whole stream. Raises CannotDraw, DicomError, OSError."""
    source, stored = FrameSource(leaving.file, number, {}), leaving.instance.transfer_syntax_uid
    if stored in NATIVE:
        pieces = later(stored_bytes(source))
    elif stored == transfer_syntax_uid:
        pieces = later(encoded_bytes(source))
    else:
        pieces = (await Decoding.of(leaving)).pieces([number])
    async for piece in pieces:
        yield piece
