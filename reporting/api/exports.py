"""`GET /api/reports/{id}/export/{kind}`: the newest signed version in a form of its own; `.../preview/`: the newest text."""

from __future__ import annotations

from dataclasses import replace

from asgiref.sync import sync_to_async
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from reporting.api.report_doors import REPORT, OfReport
from reporting.delivery import filed
from reporting.evidence.freezing import draws_the_same
from reporting.exports import EXPORTS, NoSuchForm
from reporting.exports.document import SignedReport
from reporting.models import Evidence, Report
from reporting.visibility import visible_reports
from reporting.workflow.noting import note, note_denial, note_reading
from reporting.workflow.previewing import html_of
from reporting.workflow.reading import NotSigned, frozen_pictures, signed_report
from viewer.api import shapes
from viewer.api.doors import AsyncDoor
from viewer.archive import rows
from viewer.archive.query import BadQuery, NotFound

SANDBOX = "default-src 'none'; img-src data:; sandbox"
"""Of an attachment, which a browser saves: the file brings its own policy, which lets its style sheet in by digest."""


class PreviewShape(serializers.Serializer):
    html = serializers.CharField(help_text="An <article>; the page links reporting/signed_report.css.")


class Export(AsyncDoor):
    """For those who may see the report: readers of its organization, and referrers once it is out."""

    @extend_schema(
        operation_id="report_export",
        summary="A signed report as a file",
        description="Whole and self-contained; nothing of it before it is signed.",
        parameters=[
            REPORT,
            OpenApiParameter("kind", OpenApiTypes.STR, OpenApiParameter.PATH, enum=sorted(EXPORTS)),
            OpenApiParameter(
                "check",
                OpenApiTypes.STR,
                enum=["1"],
                description="Draw each picture once more, and say where it differs.",
            ),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            400: shapes.BAD,
            **shapes.REFUSALS,
            404: OpenApiResponse(
                shapes.Problem, description="There is no such report, nobody has signed it, or it has no such form."
            ),
        },
    )
    async def get(self, request: Request, report_id: int, kind: str) -> HttpResponse:
        report = await sync_to_async(self._report)(request, report_id)
        form = EXPORTS.get(kind)
        if form is None:
            raise BadQuery("kind", f"one of {', '.join(EXPORTS)}")
        signed = await sync_to_async(self._signed)(report)
        if request.query_params.get("check") == "1":
            signed = await _compared(report, signed)
        data = await sync_to_async(self._made)(signed, kind)
        await sync_to_async(_noted)(report, signed, kind, request)
        response = HttpResponse(data, content_type=form.media_type)
        name = f"report-{report.pk}-version-{signed.version}.{form.extension}"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        response["Content-Security-Policy"] = SANDBOX
        return response

    def note_denial(self) -> None:
        note_denial(self.request.user, self.kwargs["report_id"], self.request)

    def _report(self, request: Request, report_id: int) -> Report:
        """Raises NotFound."""
        related = ("organization", "study__patient", "study__organization", "order", "template_version")
        report = visible_reports(request.user).select_related(*related).filter(pk=report_id).first()
        if report is None:
            raise NotFound("there is no such report")
        return report

    def _signed(self, report: Report) -> SignedReport:
        try:
            return signed_report(report)
        except NotSigned as problem:
            raise NoForm(str(problem)) from None

    def _made(self, signed: SignedReport, kind: str) -> bytes:
        try:
            kept = filed.document(signed.report_id, signed.version, kind) if not signed.told_since else None
            return kept or EXPORTS[kind].make(signed)
        except NoSuchForm as problem:
            raise NoForm(str(problem)) from None

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, NoForm):
            response = Response({"detail": str(exc), "code": "no_such_form"}, status=404)
            response.exception = True
            return response
        return super().handle_exception(exc)


class Preview(OfReport):
    """`GET /api/reports/{id}/preview/`: for those who write it, also before it is signed."""

    @extend_schema(
        operation_id="report_preview",
        summary="The newest text as it will be read",
        parameters=[REPORT],
        responses={200: PreviewShape, **shapes.REFUSALS},
    )
    def get(self, request: Request, report_id: int) -> Response:
        note_reading(self.report, request.user, request)
        return Response({"html": html_of(self.report)})


class NoForm(LookupError):
    """The report may be seen, but has nothing to give in this form."""


async def _compared(report: Report, signed: SignedReport) -> SignedReport:
    """With each picture held against what would be drawn today."""
    held: list[Evidence] = await sync_to_async(frozen_pictures)(report)
    same = {one.position: await draws_the_same(one) for one in held}
    return replace(
        signed, pictures=tuple(replace(one, draws_the_same=same.get(one.position)) for one in signed.pictures)
    )


def _noted(report: Report, signed: SignedReport, kind: str, request: Request) -> None:
    user: User = request.user
    rows.patiently(lambda: note("report.export", report, user, request, kind=kind, version=signed.version))
