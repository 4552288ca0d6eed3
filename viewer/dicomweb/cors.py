"""Which pages of other origins may talk to DICOMweb (the Fetch standard's CORS protocol): those of FARVIEW_CORS_ORIGINS.

At DICOMweb's addresses alone. An origin that is named may send a reader's cookies along; "*" opens to every page, and then no
answer is for cookies: such pages sign in with a token.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.decorators import sync_and_async_middleware

DOORS = ("/dicom-web/", "/wado")
METHODS = "GET, HEAD, POST, DELETE, OPTIONS"
MAY_SEND = "Accept, Authorization, Cache-Control, Content-Type, If-None-Match, If-Range, Range"
MAY_READ = "Content-Disposition, Content-Location, Content-Range, ETag, Link, Retry-After, Warning"
REMEMBERED_S = "600"

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


@sync_and_async_middleware  # type: ignore[untyped-decorator, unused-ignore]
def cors(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Answer]:
    """Outside of the policy: a browser asks ahead without a token, and reads refusals too."""

    def answered(request: HttpRequest) -> HttpResponseBase:
        return preflight(request) or headed(request, get_response(request))

    async def answered_later(request: HttpRequest) -> HttpResponseBase:
        return preflight(request) or headed(request, await get_response(request))

    return answered_later if iscoroutinefunction(get_response) else answered


def allowed(request: HttpRequest) -> str:
    """What Access-Control-Allow-Origin says to this request; empty: nothing."""
    origin = request.headers.get("Origin", "")
    if not origin or not request.path_info.startswith(DOORS):
        return ""
    if origin in settings.FARVIEW_CORS_ORIGINS:
        return origin
    return "*" if "*" in settings.FARVIEW_CORS_ORIGINS else ""


def preflight(request: HttpRequest) -> HttpResponse | None:
    """The answer to a browser that asks whether it may send a request; None for every other request."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers or not allowed(request):
        return None
    response = HttpResponse(status=204)
    response["Access-Control-Allow-Methods"] = METHODS
    response["Access-Control-Allow-Headers"] = MAY_SEND
    response["Access-Control-Max-Age"] = REMEMBERED_S
    headed(request, response)
    return response


def headed(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not settings.FARVIEW_CORS_ORIGINS or not request.path_info.startswith(DOORS):
        return response
    patch_vary_headers(response, ["Origin"])
    origin = allowed(request)
    if origin:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = MAY_READ
    if origin not in ("", "*"):
        response["Access-Control-Allow-Credentials"] = "true"
    return response
