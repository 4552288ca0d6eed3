"""Metadata and bulk data of WADO-RS (PS3.18 10.4.1.1.2, 10.4.1.1.5), and the capabilities (PS3.18 8.9)."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import zlib
from collections.abc import Iterator
from itertools import groupby
from typing import Any, BinaryIO

from django.http import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.request import Request

from viewer.dicomweb.bulkdata import BulkData
from viewer.dicomweb.capabilities import Capabilities
from viewer.dicomweb.metadata_kept import KEPT_FROM, PIECE, Told, array, makers
from viewer.dicomweb.metadata_types import XML, Multipart, chosen, gzipped, root_of
from viewer.dicomweb.multipart_out import later, streamed
from viewer.dicomweb.selecting import RetrieveDoor, selected
from viewer.dicomweb.xml_model import xml_of
from viewer.serving.database import database

__all__ = ["BulkData", "Capabilities", "Metadata"]


class Metadata(RetrieveDoor):
    """`.../metadata` of a study, a series, an instance."""

    async def get(self, request: Request, **uids: str) -> HttpResponseBase:
        media_type = chosen(request)
        leaving = await database(selected)(request, uids)
        root = root_of(request)
        told = [Told(tuple(group), root) for _, group in groupby(leaving, lambda one: one.instance.series_id)]
        zipped = gzipped(request) and media_type != XML
        etag = _etag(told, media_type, zipped)
        response: HttpResponseBase | None = get_conditional_response(request._request, etag=etag)
        if response is None:
            response = await _answer(told, media_type, zipped)
        response["ETag"] = etag
        response["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ["Accept", "Accept-Encoding"])
        return response


async def _answer(told: list[Told], media_type: str, zipped: bool) -> HttpResponseBase:
    if media_type == XML:
        parts = Multipart.new()
        documents = (xml_of(json.loads(line)) for one in told for line in one.lines())
        return streamed(later(_in_pieces(parts.pieces(documents))), parts.content_type)
    if zipped and len(told) == 1 and len(told[0].leaving) >= KEPT_FROM:
        return await _kept(told[0], media_type)
    pieces = _in_pieces(array(line for one in told for line in one.lines()))
    response = streamed(later(_compressed(pieces) if zipped else pieces), media_type)
    if zipped:
        response["Content-Encoding"] = "gzip"
    return response


async def _kept(told: Told, media_type: str) -> HttpResponseBase:
    """A series as it is kept."""
    file = await asyncio.get_running_loop().run_in_executor(makers(), told.kept)
    response = streamed(later(_read(file)), media_type)
    response["Content-Encoding"] = "gzip"
    response["Content-Length"] = str(os.fstat(file.fileno()).st_size)
    return response


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _in_pieces(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Fewer and larger ones: each is a way to another thread and back."""
    piece = b""
    for line in lines:
        piece += line
        if len(piece) >= PIECE:
            yield piece
            piece = b""
    if piece:
        yield piece


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in pieces:
        packed = packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
        if packed:
            yield packed
    yield packer.flush()


def _etag(told: list[Told], media_type: str, zipped: bool) -> str:
    parts: list[Any] = [media_type, zipped, *(one.name for one in told)]
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'
