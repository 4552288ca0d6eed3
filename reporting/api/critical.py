"""`/api/reports/{id}/critical/`: findings that somebody must hear of, the tries to reach them, and their end."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reporting.api import critical_shapes as shaped
from reporting.api.report_doors import REPORT, OfReport, object_of
from reporting.api.report_shapes import CONFLICT
from reporting.critical import recording
from reporting.critical.categories import METHODS, MINUTES, OUTCOMES, minutes_of
from reporting.models import CriticalAttempt, CriticalResult, ReportingSite
from reporting.workflow.naming import name_of
from reporting.workflow.noting import note_reading
from viewer.api import shapes

RESULT = OpenApiParameter("result_id", OpenApiTypes.INT, OpenApiParameter.PATH)
REFUSED = {400: shapes.BAD, **shapes.REFUSALS, 409: CONFLICT}


class Criticals(OfReport):
    """`GET` and `POST /api/reports/{id}/critical/`"""

    @extend_schema(
        operation_id="report_criticals",
        summary="The critical results of a report, with every try to reach somebody",
        parameters=[REPORT],
        responses={200: shaped.CriticalList, **shapes.REFUSALS},
    )
    def get(self, request: Request, report_id: int) -> Response:
        note_reading(self.report, request.user, request)
        site = ReportingSite.objects.filter(organization=self.report.organization_id).first()
        minutes = site.escalation_minutes if site else None
        return Response(
            {
                "results": [told(one) for one in recording.results_of(self.report)],
                "categories": [{"value": name, "minutes": minutes_of(name, minutes)} for name in MINUTES],
                "methods": METHODS,
                "outcomes": OUTCOMES,
            }
        )

    @extend_schema(
        operation_id="report_critical_record",
        summary="Record a critical result, and the first try to reach somebody where one was made",
        parameters=[REPORT],
        request=shaped.CriticalAsked,
        responses={201: shaped.CriticalShape, **REFUSED},
    )
    def post(self, request: Request, report_id: int) -> Response:
        result = recording.record(self.report, request.user, object_of(request), request)
        return Response(self.told(result.pk), status=201)

    def told(self, result_id: int) -> dict[str, Any]:
        return told(recording.results_of(self.report).get(pk=result_id))


class Attempts(Criticals):
    """`POST /api/reports/{id}/critical/{result}/attempts/`"""

    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="report_critical_attempt",
        summary="Write down a try to reach somebody, and whether they read the result back",
        parameters=[REPORT, RESULT],
        request=shaped.TryAsked,
        responses={201: shaped.CriticalShape, **REFUSED},
    )
    def post(self, request: Request, report_id: int, result_id: int) -> Response:
        recording.attempt(self.report, result_id, request.user, object_of(request), request)
        return Response(self.told(result_id), status=201)


class Close(Criticals):
    """`POST /api/reports/{id}/critical/{result}/close/`"""

    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="report_critical_close",
        summary="Close a critical result that was read back",
        parameters=[REPORT, RESULT],
        request=None,
        responses={200: shaped.CriticalShape, **REFUSED},
    )
    def post(self, request: Request, report_id: int, result_id: int) -> Response:
        recording.close(self.report, result_id, request.user, request)
        return Response(self.told(result_id))


TIMES = ("found_at", "due_at", "acknowledged_at", "escalated_at", "closed_at")
PLAIN = ("finding", "category", "recipient", "recipient_role", "method", "read_back")


def told(result: CriticalResult) -> dict[str, Any]:
    open_still = result.closed_at is None
    return {
        "id": result.pk,
        "report": result.report_id,
        **{name: getattr(result, name) for name in PLAIN},
        **{name: at.isoformat() if (at := getattr(result, name)) else None for name in TIMES},
        "overdue": open_still and result.acknowledged_at is None and result.due_at <= timezone.now(),
        "caller": name_of(result.caller),
        "closed_by": name_of(result.closed_by) if result.closed_by else None,
        "attempts": [_try(one) for one in sorted(result.attempts.all(), key=lambda one: one.pk)],
        "may": [*(["attempt"] if open_still else []), *(["close"] if open_still and result.read_back else [])],
    }


def _try(one: CriticalAttempt) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in ("recipient", "recipient_role", "method", "outcome", "note")}
    return {"at": one.at.isoformat(), "caller": one.caller_name, **plain}
