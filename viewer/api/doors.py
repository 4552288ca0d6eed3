"""What every REST view has in common: how refusals are told, and views that wait for the engine without a thread."""

from __future__ import annotations

from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from viewer.api.viewing import note_denial
from viewer.archive.query import Ambiguous, BadQuery, NotFound
from viewer.archive.rows import DatabaseBusy
from viewer.archive.storage import StorageFull
from viewer.engine.errors import Busy, CannotDraw
from viewer.rendering.view import BadView


class AnyAccept(DefaultContentNegotiation):
    """Whoever accepts only pictures gets pictures, and reads refusals as JSON all the same."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except NotAcceptable:
            return renderers[0], renderers[0].media_type


def data_of(request: Request) -> Any:
    """The JSON of a request. Raises BadQuery for what is nested too deep to be read, ParseError for what is none."""
    try:
        return request.data
    except RecursionError:
        raise BadQuery("body", "not JSON") from None


def text_of(body: dict[str, Any], name: str, longest: int) -> str:
    """A text of a request's JSON, as a database takes it; empty where it is not there. Raises BadQuery."""
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > longest:
        raise BadQuery(name, f"a text of at most {longest} characters is expected")
    return value.encode(errors="replace").decode().replace("\0", "")


class Door(APIView):
    """A view whose refusals are `{"detail": ...}` with the status of `STATUSES`."""

    content_negotiation_class = AnyAccept

    def handle_exception(self, exc: Exception) -> Response:
        status = next((status for kind, status in STATUSES.items() if isinstance(exc, kind)), None)
        if status is None:
            return super().handle_exception(exc)
        if isinstance(exc, NotFound):
            self.note_denial()
        body: dict[str, Any] = {"detail": str(exc)}
        if isinstance(exc, Ambiguous):
            body["organizations"] = exc.organizations
        if isinstance(exc, CannotDraw):
            body["code"] = exc.code
        response = Response(body, status=status)
        response.exception = True
        if status == 503:
            response["Retry-After"] = "5"
        return response

    def note_denial(self) -> None:
        """Write down that somebody asked for what they may not see, or what is not there: nobody is told which."""
        uids = [self.kwargs[name] for name in UIDS if name in self.kwargs]
        if uids:
            note_denial(self.request.user, uids[0], self.request, door="api")


UIDS = ("study_instance_uid", "series_instance_uid")


class AsyncDoor(Door):
    """A door whose handlers are coroutines; who is asking is still asked of the database in a thread."""

    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        self.args, self.kwargs = args, kwargs
        asked: Request = self.initialize_request(request, *args, **kwargs)
        self.request, self.headers = asked, self.default_response_headers
        try:
            await sync_to_async(self.initial)(asked, *args, **kwargs)
            name = (request.method or "").lower()
            handler = getattr(self, name, None) if name in self.http_method_names else None
            handler = handler or self.http_method_not_allowed
            answer = handler(asked, *args, **kwargs)
            response = await answer if iscoroutinefunction(handler) else answer
        except Exception as problem:
            response = await sync_to_async(self.handle_exception)(problem)
        self.response = self.finalize_response(asked, response, *args, **kwargs)
        return self.response


STATUSES: dict[type[Exception], int] = {
    NotFound: 404,
    Ambiguous: 409,
    BadQuery: 400,
    BadView: 400,
    Busy: 503,
    CannotDraw: 422,
    StorageFull: 507,
    DatabaseBusy: 503,
}
