"""Rendered pictures and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.4): drawn as every picture is, by the engine.

An address of one frame is that frame. Of an instance with several frames, of a series and of a study each frame comes as a
part where multipart/related is asked for, else one frame in the middle stands for all; of an instance all of them can be had
as an animated GIF or a video. Annotations are never burnt in. What is no image is a text, a page or a PDF (`rendered_text`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from rest_framework.request import Request

from viewer.api.frames import opened_series
from viewer.archive import query
from viewer.dicom.cine import frame_durations
from viewer.dicom.frames import frame_sources
from viewer.dicom.syntaxes import VIDEO
from viewer.dicomweb.accepting import Accepted, accepted, not_acceptable
from viewer.dicomweb.framing import check_frames, frame_numbers
from viewer.dicomweb.multipart_out import Bytes, Part, begun, related
from viewer.dicomweb.picturing import Wish, wish_of
from viewer.dicomweb.rendered_clip import MOVING
from viewer.dicomweb.rendered_text import HTML, OF_PDF, PLAIN, as_text, types_of, wished
from viewer.dicomweb.selecting import Leaving, RetrieveDoor, selected
from viewer.engine.engine import Drawn
from viewer.engine.errors import CannotDecode
from viewer.rendering.render import RENDERER

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
"""The first where the client does not mind (PS3.18 8.7.4)."""
RENDERED = (*MEDIA_TYPES, *MOVING, HTML, PLAIN, OF_PDF)
"""All of them, of objects of every kind."""
THUMBNAIL = Wish(viewport=(160, 160), quality=80)


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of one object."""

    leaving: Leaving
    number: int

    @property
    def address(self) -> str:
        return f"{self.leaving.address}/frames/{self.number}/rendered"


class Rendered(RetrieveDoor):
    """`.../rendered` of a study, series, instance or frames."""

    async def get(self, request: Request, **uids: str) -> HttpResponseBase:
        wish = wish_of(request.query_params)
        leaving = await sync_to_async(selected)(request, uids, index=True)
        shots = shots_of(leaving, uids.get("frames"))
        wishes = accepted(request.headers.get("Accept", ""), request.query_params.get("accept", ""))
        texts = types_of(leaving) if "frames" not in uids and not shots else ()
        text = wished(wishes, texts)
        if text is not None:
            return await as_text(request, leaving[0], text)
        form = chosen(wishes, single="frames" not in uids or len(shots) == 1, moving=len(leaving) == 1)
        if form is None or not shots:
            return not_acceptable([*MEDIA_TYPES, *(MOVING if len(leaving) == 1 else ())] if shots else list(texts))
        multipart, media_type = form
        if multipart:
            return await in_parts(shots, wish, media_type)
        if media_type in MOVING:
            return await moving(request, shots, wish, media_type)
        return await alone(request, middle(shots), wish, media_type)


class Thumbnail(RetrieveDoor):
    """`.../thumbnail` of a study, series, instance or frames: one small picture."""

    async def get(self, request: Request, **uids: str) -> HttpResponseBase:
        asked = wish_of(request.query_params)
        wish = Wish(viewport=asked.viewport or THUMBNAIL.viewport, quality=THUMBNAIL.quality)
        leaving = await sync_to_async(standing_for)(request, uids)
        shots = shots_of(leaving, uids.get("frames"))
        wishes = accepted(request.headers.get("Accept", ""), request.query_params.get("accept", ""))
        form = chosen([one for one in wishes if one.multipart is not True], single=True)
        if form is None or not shots:
            return not_acceptable(list(MEDIA_TYPES) if shots else [])
        return await alone(request, middle(shots), wish, form[1])


def standing_for(request: Request, uids: dict[str, str]) -> list[Leaving]:
    """The objects of what is asked for; of a study those of the series that stands for it in lists."""
    leaving = selected(request, uids, index=True)
    if "series_instance_uid" in uids:
        return leaving
    study = leaving[0].instance.series.study
    picture = query.pictures([study]).get(study.pk)
    if picture is None:
        return leaving
    return [one for one in leaving if one.instance.series.series_instance_uid == picture.series_instance_uid]


def shots_of(leaving: Sequence[Leaving], frames: str | None) -> list[Shot]:
    """Every frame that can be drawn; of an address with frames those. Raises NotFound, BadQuery."""
    if frames is not None:
        (one,) = leaving
        numbers = frame_numbers(frames)
        check_frames(one, numbers)
        return [Shot(one, number) for number in numbers] if drawable(one) else []
    return [
        Shot(one, number)
        for one in leaving
        if drawable(one)
        for number in range(1, one.instance.index.get("frames", 0) + 1)
    ]


def drawable(leaving: Leaving) -> bool:
    return "not_drawn" not in leaving.instance.index and leaving.instance.transfer_syntax_uid not in VIDEO


def middle(shots: Sequence[Shot]) -> Shot:
    return shots[len(shots) // 2]


def chosen(wishes: Sequence[Accepted], *, single: bool, moving: bool = False) -> tuple[bool, str] | None:
    """(multipart, media type) of the most wanted answer; `single`: one picture will do; `moving`: all can be one clip."""
    for wish in wishes:
        if moving and wish.media_type in MOVING and not wish.multipart:
            return False, wish.media_type
        multipart = bool(wish.multipart) or not (single or wish.multipart is False)
        if not (multipart or single):
            continue
        for media_type in MEDIA_TYPES:
            if wish.covers(media_type):
                return multipart, media_type
    return None


async def drawn(shot: Shot, wish: Wish, media_type: str) -> Drawn:
    """Raises BadQuery, BadView, CannotDraw."""
    instance = shot.leaving.instance
    source = frame_sources(shot.leaving.file)[shot.number - 1]
    view = wish.view(instance.sop_instance_uid, shot.number, source.description())
    engine, opened = await opened_series(instance.series)
    if (instance.sop_instance_uid, shot.number) not in opened.places:
        raise CannotDecode("This image cannot be drawn.")
    return await engine.draw(opened, view, media_type=media_type, quality=wish.quality)


async def alone(request: Request, shot: Shot, wish: Wish, media_type: str) -> HttpResponseBase:
    digest = shot.leaving.etag(shot.number, wish, media_type, RENDERER)
    response = get_conditional_response(request._request, etag=f'"{digest}"')
    if response is None:
        picture = await drawn(shot, wish, media_type)
        response = HttpResponse(picture.payload, content_type=media_type)
        response["Farview-View"] = json.dumps(picture.header["view"])
        response["Content-Location"] = shot.address
    response["ETag"] = f'"{digest}"'
    response["Cache-Control"] = "private, no-cache"
    return response


async def moving(request: Request, shots: Sequence[Shot], wish: Wish, media_type: str) -> HttpResponseBase:
    """All of them, one after the other. Raises what `drawn` does."""
    leaving = shots[0].leaving
    numbers = [shot.number for shot in shots]
    etag = f'"{leaving.etag(numbers, wish, media_type, RENDERER)}"'
    response: HttpResponseBase | None = get_conditional_response(request._request, etag=etag)
    if response is None:

        async def draw(place: int) -> bytes:
            return (await drawn(shots[place], wish, "image/png")).payload

        times = frame_durations(leaving.instance.index, leaving.instance.number_of_frames or 1)
        steps = tuple(times[number - 1] for number in numbers) if times else None
        response = HttpResponse(await MOVING[media_type](len(shots), draw, steps), content_type=media_type)
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    return response


async def in_parts(shots: Sequence[Shot], wish: Wish, media_type: str) -> HttpResponseBase:
    async def picture(shot: Shot) -> Bytes:
        yield (await drawn(shot, wish, media_type)).payload

    first = await begun(picture(shots[0]))
    contents = [lambda: first, *((lambda shot=shot: picture(shot)) for shot in shots[1:])]
    parts = [Part(media_type, shot.address, content) for shot, content in zip(shots, contents, strict=True)]
    return related(parts, media_type)
