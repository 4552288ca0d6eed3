"""What every door of a report has in common: the report itself, found before anything else, and how refusals are told."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from reporting.models import Report
from reporting.workflow.content import BadContent
from reporting.workflow.finding import report_of
from reporting.workflow.locking import token_of
from reporting.workflow.noting import note_denial
from reporting.workflow.refusals import Refused, Unusable
from viewer.api.doors import AsyncDoor, Door, data_of

REPORT = OpenApiParameter("report_id", OpenApiTypes.INT, OpenApiParameter.PATH)


class Refusing(Door):
    """Refusals are `{"detail", "code", ...}`, those of the checks and of the content with `problems`."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Refused):
            return _refusal(exc.status, {"detail": exc.detail, "code": exc.code, **exc.more})
        if isinstance(exc, BadContent):
            problems = [
                {"rule": "content", "level": "block", "field": name, "message": message}
                for name, message in exc.problems[:50]
            ]
            return _refusal(400, {"detail": str(exc), "code": "content", "problems": problems})
        return super().handle_exception(exc)


class OfReport(Refusing):
    """A door behind which one report lies. Whoever may not see it is told by every method that there is none."""

    manage = False
    """Whether those who administer the report's organization may come too."""
    report: Report

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.report = report_of(request.user, kwargs["report_id"], manage=self.manage)

    def note_denial(self) -> None:
        note_denial(self.request.user, self.kwargs["report_id"], self.request)


class AsyncOfReport(AsyncDoor, OfReport):
    """The same, for handlers that are coroutines."""


def object_of(request: Request) -> dict[str, Any]:
    """The JSON object of a request; nothing at all is an empty one. Raises Unusable."""
    body = data_of(request)
    if not isinstance(body, dict):
        raise Unusable("a JSON object is expected")
    return body


def window_of(request: Request, body: dict[str, Any] | None = None) -> str:
    """The token of the window that asks: in the body, or in the query of a GET."""
    given = body.get("token") if body is not None else request.query_params.get("token")
    return token_of(given)


def _refusal(status: int, body: dict[str, Any]) -> Response:
    response = Response(body, status=status)
    response.exception = True
    return response
