"""A stack of a series as a video: the pictures that the viewer shows, one after the other, at their own rate."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import imagecodecs
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from viewer.api import shapes
from viewer.api.doors import AsyncDoor
from viewer.api.exports import PURPOSE, note_export, wishes_of
from viewer.api.frames import laid_over, objects_of, opened_series, view_of
from viewer.archive import query
from viewer.archive.query import BadQuery
from viewer.dicomweb.multipart_out import Bytes, begun, later, streamed
from viewer.engine.engine import Engine, Objects, OpenSeries, Priority
from viewer.engine.errors import Busy, CannotDraw
from viewer.models import Series, Study
from viewer.rendering.clip import ClipWriter
from viewer.rendering.view import BadView, View, needs_volume

MOST_FRAMES: Final = 1200
MOST_SECONDS: Final = 120.0
"""Of making it."""
SIDE: Final = 768
"""Longest side in pixels, where the View names no size."""
RATE: Final = 10.0
"""Pictures a second of a stack without times of its own."""
RATES: Final = (0.5, 60.0)
AT_ONCE: Final = 2
_PIECE: Final = 1 << 18
_making = 0


class SeriesVideo(AsyncDoor):
    """`GET /api/series/{uid}/video.mp4?view=...`"""

    @extend_schema(
        operation_id="series_video",
        summary="A stack as a video (VP9 in MP4)",
        description=f"Every frame drawn as the View says, {MOST_FRAMES} at most; without the patient's name.",
        parameters=[
            shapes.uid("series_instance_uid", "Series"),
            shapes.text("view", "A View as JSON (docs/protocol.md): stack, window, size, colours, ..."),
            OpenApiParameter("first", OpenApiTypes.INT, description="Place in the stack, counted from 0.", default=0),
            OpenApiParameter("last", OpenApiTypes.INT, description="Place in the stack; the last one where left out."),
            OpenApiParameter(
                "rate", OpenApiTypes.FLOAT, description="Pictures a second; the file's own where left out, else 10."
            ),
            OpenApiParameter(
                "progress",
                OpenApiTypes.STR,
                enum=["yes"],
                description="The answer is application/octet-stream: a line of JSON for each image, "
                '`{"done", "total"}`, then `{"bytes"}` and as many of the video, or `{"detail"}` of what went wrong.',
            ),
            PURPOSE,
            shapes.ORGANIZATION,
        ],
        responses={
            (200, "video/mp4"): OpenApiTypes.BINARY,
            400: shapes.BAD,
            **shapes.REFUSALS,
            422: OpenApiResponse(shapes.Problem, description="The file's pixels cannot be decoded."),
            503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
        },
    )
    async def get(self, request: Request, series_instance_uid: str) -> HttpResponseBase:
        wishes = wishes_of(request)
        view = view_of(request.query_params.get("view", "{}"), series_instance_uid)
        if needs_volume(view):
            raise BadView("plane, projection: a video shows the images as they were acquired")
        study, series = await sync_to_async(_found)(request, series_instance_uid)
        engine, opened = await opened_series(series)
        fused = await laid_over(request, view.fusion, series) if view.fusion is not None else None
        shots = _shots(request, opened, view)
        objects = await objects_of(view, series)
        detail = {"purpose": wishes["purpose"], "frames": len(shots.frames)}
        await sync_to_async(note_export)(request, study, series, detail, "export.video")
        making = _steps(engine, opened, shots, fused, objects)
        if request.query_params.get("progress") == "yes":
            return streamed(await begun(_told(making, len(shots.frames))), "application/octet-stream")
        path = await _whole(making)
        response = streamed(later(_read_and_removed(path)), "video/mp4")
        response["Content-Length"] = str(path.stat().st_size)
        response["Content-Disposition"] = f'attachment; filename="{series_instance_uid}.mp4"'
        return response


def _found(request: Request, series_instance_uid: str) -> tuple[Study, Series]:
    series = query.find_series(request.user, series_instance_uid, request.query_params.get("organization"))
    return series.study, series


@dataclass(frozen=True, slots=True)
class _Shots:
    """Which frames, how they look, and how many a second."""

    view: View
    frames: range
    rate: float


def _shots(request: Request, opened: OpenSeries, view: View) -> _Shots:
    """Raises BadQuery, BadView, CannotDraw."""
    placed, _ = opened.place(view)
    stack = opened.stacks[placed.stack]
    count = len(stack.frames)
    first = _number(request, "first", 0, 0, count - 1)
    last = _number(request, "last", count - 1, first, count - 1)
    frames = range(int(first), int(last) + 1)
    if len(frames) > MOST_FRAMES:
        raise BadQuery("last", f"a video holds {MOST_FRAMES} frames at most")
    first_of_all = stack.frames[0].description()
    size = placed.size or _size(first_of_all.rows, first_of_all.columns)
    plain = replace(placed, sop_instance_uid=None, frame_number=None, size=size)
    return _Shots(plain, frames, _number(request, "rate", _rate(stack.frame_times_ms), *RATES))


def _size(rows: int, columns: int) -> tuple[int, int]:
    scale = min(1.0, SIDE / max(rows, columns))
    return max(2, round(columns * scale)), max(2, round(rows * scale))


def _rate(times: Any) -> float:
    """Of the file: pictures a second on average."""
    steps = [float(step) for step in times or () if step and step > 0]
    return min(max(1000 * len(steps) / sum(steps), RATES[0]), RATES[1]) if steps else RATE


def _number(request: Request, name: str, otherwise: float, least: float, most: float) -> float:
    text = request.query_params.get(name)
    if text is None:
        return otherwise
    with suppress(ValueError):
        if len(text) < 12 and least <= float(text) <= most:
            return float(text)
    raise BadQuery(name, f"a number from {least} to {most} is expected")


async def _whole(making: AsyncGenerator[int | Path, None]) -> Path:
    async for step in making:
        if isinstance(step, Path):
            return step
    raise CannotDraw("cannot_write", "No video can be written here.")


async def _told(making: AsyncGenerator[int | Path, None], total: int) -> Bytes:
    """How far it is, line by line, then the video. Raises what `_steps` does until the first image is in it."""
    done = 0
    try:
        async with aclosing(making):
            async for step in making:
                if isinstance(step, int):
                    done = step
                    yield _line(done=done, total=total)
                    continue
                try:
                    yield _line(bytes=step.stat().st_size)
                    async for piece in later(_read_and_removed(step)):
                        yield piece
                finally:
                    step.unlink(missing_ok=True)
    except (Busy, CannotDraw, BadView) as problem:
        if not done:
            raise
        yield _line(detail=str(problem))


def _line(**said: object) -> bytes:
    return json.dumps(said).encode() + b"\n"


async def _steps(
    engine: Engine, opened: OpenSeries, shots: _Shots, fused: OpenSeries | None, objects: Objects
) -> AsyncGenerator[int | Path, None]:
    """How many images are in the video, after each, then the whole of it in a temporary file; none is left of one that is given
    up. Raises Busy, CannotDraw, BadView."""
    global _making
    if _making >= AT_ONCE:
        raise Busy("Other videos are being made; try again in a moment.")
    handle, name = tempfile.mkstemp(suffix=".mp4", prefix="video-", dir=settings.FARVIEW_TMP_DIR)
    os.close(handle)
    path, until = Path(name), time.monotonic() + MOST_SECONDS
    writer = ClipWriter(path, shots.rate)
    _making += 1
    try:
        for done, frame in enumerate(shots.frames, 1):
            if time.monotonic() > until:
                raise CannotDraw("too_large", "This video takes too long to make: choose fewer images.")
            drawn = await engine.draw(
                opened,
                replace(shots.view, frame=frame),
                media_type="image/png",
                priority=Priority.PREFETCH,
                fused=fused,
                objects=objects,
            )
            await asyncio.to_thread(_add, writer, drawn.payload)
            yield done
        await asyncio.to_thread(writer.close)
    except BaseException as problem:
        path.unlink(missing_ok=True)
        if isinstance(problem, OSError):
            raise CannotDraw("cannot_write", "No video can be written here.") from problem
        raise
    finally:
        _making -= 1
    yield path


def _add(writer: ClipWriter, png: bytes) -> None:
    writer.add(imagecodecs.png_decode(png))


def _read_and_removed(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        path.unlink()
        while piece := file.read(_PIECE):
            yield piece
