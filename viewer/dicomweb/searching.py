"""QIDO-RS (PS3.18 10.6)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from viewer.archive.matching import Level
from viewer.archive.query import NotFound
from viewer.dicomweb.json_model import Model
from viewer.dicomweb.metadata_types import XML, Multipart, chosen, root_of
from viewer.dicomweb.multipart_out import later, streamed
from viewer.dicomweb.qido_answers import READ_AT_MOST, Told, answers
from viewer.dicomweb.qido_page import Page, page_of
from viewer.dicomweb.qido_query import MOST, PAGE, Query, parsed
from viewer.dicomweb.selecting import RetrieveDoor
from viewer.dicomweb.xml_model import xml_of
from viewer.serving.database import database

NAMED_AT_MOST = 20
"""Parameters in one warning."""


class Search(RetrieveDoor):
    """Answers a search."""

    level: Level

    async def get(self, request: Request, **uids: str) -> HttpResponseBase:
        media_type = chosen(request)
        pairs = [(name, text) for name, texts in request.query_params.lists() for text in texts]
        query = parsed(self.level, pairs, page=MOST if uids else PAGE)
        page, told = await database(_found)(request, query, uids)
        if not told.models:
            response: HttpResponseBase = HttpResponse(status=204)
        elif media_type == XML:
            parts = Multipart.new()
            response = streamed(later(parts.pieces(map(xml_of, told.models))), parts.content_type)
        else:
            response = streamed(later(_lines(told.models)), media_type)
        response["Cache-Control"] = "private, no-cache"
        _warn(response, query, page, told)
        if page.next is not None:
            response["Link"] = f'<{_next(request, page.next)}>; rel="next"'
        patch_vary_headers(response, ["Accept"])
        return response


class SearchStudies(Search):
    """`/studies`."""

    level = Level.STUDY


class SearchSeries(Search):
    """`/series`, `/studies/{study}/series`."""

    level = Level.SERIES


class SearchInstances(Search):
    """`/instances`, `/studies/{study}/instances`, `/studies/{study}/series/{series}/instances`."""

    level = Level.INSTANCE


def _found(request: Request, query: Query, uids: dict[str, str]) -> tuple[Page, Told]:
    page = page_of(request.user, query, uids, request.query_params.get("organization"))
    if "series_instance_uid" in uids and not page.rows and not query.keys and not query.offset:
        raise NotFound("there is no such series")
    return page, answers(query, page.rows, uids, root_of(request))


def _lines(models: list[Model]) -> Iterator[bytes]:
    """A JSON array in pieces of a few hundred results."""
    for start in range(0, len(models), 200):
        part = models[start : start + 200]
        text = ",\n".join(json.dumps(model, ensure_ascii=False, separators=(",", ":")) for model in part)
        yield (("," if start else "[") + text).encode("utf-8", "replace")
    yield b"]"


def _warn(response: HttpResponseBase, query: Query, page: Page, told: Told) -> None:
    """What was passed over or left out (PS3.18 8.3.4.1, 8.3.4.4; RFC 7234 5.5)."""
    said = []
    if page.next is not None:
        said.append("There are further results: ask with offset, or at the address in the Link header")
    if query.unsupported:
        names = ", ".join(query.unsupported[:NAMED_AT_MOST])
        said.append(f"The following parameters are not supported and were passed over: {names}")
    if told.cut:
        said.append(f"Attributes that are in files alone are told of the first {READ_AT_MOST} results")
    if said:
        response["Warning"] = ", ".join(f'299 farview "{_quotable(text)}"' for text in said)


def _quotable(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() and c not in '"\\' else "?" for c in text)[:1000]


def _next(request: Request, cursor: str) -> str:
    asked: Any = request.query_params.copy()
    asked.pop("offset", None)
    asked["after"] = cursor
    return f"{root_of(request)}{request.path}?{asked.urlencode()}"
