"""Answers in parts (RFC 2046 5.1, RFC 2387), sent while they are made: a part is begun when the one before was taken."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass

from django.http import StreamingHttpResponse

Bytes = AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class Part:
    """`content` is asked for when its turn has come."""

    media_type: str
    """With its parameters."""
    location: str
    content: Callable[[], Bytes]


def related(parts: Iterable[Part], media_type: str, boundary: str = "", status: int = 200) -> StreamingHttpResponse:
    """multipart/related of `parts`, of which `media_type` is the type."""
    boundary = boundary or secrets.token_hex(16)
    named = f'multipart/related; type="{media_type}"; boundary={boundary}'
    return streamed(_in_parts(parts, boundary), named, status)


def streamed(content: AsyncIterator[bytes], media_type: str, status: int = 200) -> StreamingHttpResponse:
    """An answer that others' caches do not keep and no browser takes for a page."""
    response = StreamingHttpResponse(content, content_type=media_type, status=status)
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _in_parts(parts: Iterable[Part], boundary: str) -> Bytes:
    for part in parts:
        head = f"--{boundary}\r\nContent-Type: {part.media_type}\r\nContent-Location: {part.location}\r\n\r\n".encode()
        async with aclosing(part.content()) as content:
            async for piece in content:
                yield head + piece
                head = b""
        yield head + b"\r\n"
    yield f"--{boundary}--\r\n".encode()


async def later(pieces: Iterator[bytes]) -> Bytes:
    """Pieces that are read in a thread, one at a time: the next when the last was taken."""
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    finally:
        if isinstance(pieces, Generator):
            with suppress(ValueError):  # it is still at work in its thread, and ends with it
                pieces.close()


async def begun(content: Bytes) -> Bytes:
    """The same content with its first piece made: what is wrong with it is known before the answer has begun."""
    first = await anext(content, b"")

    async def whole() -> Bytes:
        yield first
        async with aclosing(content):
            async for piece in content:
                yield piece

    return whole()
