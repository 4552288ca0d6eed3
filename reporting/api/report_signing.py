"""`/api/reports/{id}/sign/`, `.../cosign/`, `.../addendum/` and the other steps in the life of a report."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reporting.api import report_shapes as shaped
from reporting.api import report_told as tell
from reporting.api.report_doors import REPORT, AsyncOfReport, OfReport, object_of, window_of
from reporting.models import Report, ReportVersion
from reporting.workflow import moves, signing
from reporting.workflow.finding import again
from reporting.workflow.refusals import Unusable
from reporting.workflow.signing import Asked
from viewer.api import shapes

MEANINGS = {"read": "sign_read", "preliminary": "sign_preliminary", "final": "sign_final", "submit": "submit"}
"""Of a signature, as the caller says it, and the act that it stands for."""
REFUSED = {
    400: shapes.BAD,
    **shapes.REFUSALS,
    403: shaped.REFUSED,
    409: shaped.CONFLICT,
    422: shaped.PROBLEMS,
    423: shaped.LOCKED,
    429: shaped.REFUSED,
    503: shaped.REFUSED,
    507: shaped.REFUSED,
}


def asked_of(request: Request, body: dict[str, Any]) -> Asked:
    return Asked(
        password=body.get("password"),
        acknowledged=body.get("acknowledged"),
        version=body.get("version"),
        context=body.get("context"),
        token=window_of(request, body),
        discrepancy=body.get("discrepancy"),
        note=body.get("discrepancy_note"),
    )


def done(report: Report, version: ReportVersion, request: Request) -> Response:
    """What became of the report by a step."""
    now = again(report)
    told = {**tell.brief(now), "hash": version.mac, "signature": tell.signature(version) if version.meaning else None}
    return Response({**told, "signed_version": now.signed_version, "may": tell.may(now, request.user)})


class Sign(AsyncOfReport):
    """`POST /api/reports/{id}/sign/`"""

    @extend_schema(
        operation_id="report_sign",
        summary="Sign the newest version",
        description='"preliminary" by any reader, "submit" by a resident (it then waits for a co-signature), "final" by a'
        ' radiologist; while a correction is being written, final signs the correction. "read" ends one of two reads apart.',
        parameters=[REPORT],
        request=shaped.Signing,
        responses={200: shaped.DoneShape, **REFUSED},
    )
    async def post(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        act = MEANINGS.get(body.get("meaning")) if isinstance(body.get("meaning"), str) else None
        if act is None:
            raise Unusable(f"meaning: one of {', '.join(MEANINGS)} is expected")
        version = await signing.sign(self.report, request.user, act, asked_of(request, body), request)
        return await sync_to_async(done)(self.report, version, request)


class Cosign(AsyncOfReport):
    """`POST /api/reports/{id}/cosign/`"""

    @extend_schema(
        operation_id="report_cosign",
        summary="Sign what a resident sent to be co-signed",
        description="Where the text differs from what the resident signed, `discrepancy` says how much it matters.",
        parameters=[REPORT],
        request=shaped.Cosigning,
        responses={200: shaped.DoneShape, **REFUSED},
    )
    async def post(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        version = await signing.sign(self.report, request.user, "cosign", asked_of(request, body), request)
        return await sync_to_async(done)(self.report, version, request)


class Addendum(AsyncOfReport):
    """`POST /api/reports/{id}/addendum/`"""

    @extend_schema(
        operation_id="report_addendum",
        summary="Add to a signed report and sign what is added",
        parameters=[REPORT],
        request=shaped.Adding,
        responses={200: shaped.DoneShape, **REFUSED},
    )
    async def post(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        asked = asked_of(request, body)
        version = await signing.addendum(self.report, request.user, body.get("text"), asked, request)
        return await sync_to_async(done)(self.report, version, request)


class Return(OfReport):
    """`POST /api/reports/{id}/return/`"""

    @extend_schema(
        operation_id="report_return",
        summary="Return a report to its author with a comment",
        parameters=[REPORT],
        request=shaped.Returning,
        responses={200: shaped.DoneShape, **REFUSED},
    )
    def post(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        comment = body.get("comment", body.get("reason"))
        version = moves.send_back(self.report, request.user, comment, window_of(request, body), request)
        return done(self.report, version, request)


class Correct(OfReport):
    """`POST` and `DELETE /api/reports/{id}/correct/`"""

    @extend_schema(
        operation_id="report_correct",
        summary="Begin to correct a signed report",
        description="The signed text stays what readers get until the correction is signed (sign, meaning final).",
        parameters=[REPORT],
        request=shaped.Correcting,
        responses={200: shaped.DoneShape, **REFUSED},
    )
    def post(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        version = moves.correct(
            self.report,
            request.user,
            body.get("reason"),
            body.get("reason_code"),
            body.get("context"),
            window_of(request, body),
            request,
        )
        return done(self.report, version, request)

    @extend_schema(
        operation_id="report_correct_abandon",
        summary="Give the correction up",
        parameters=[REPORT, shaped.TOKEN],
        responses={200: shaped.DoneShape, **REFUSED},
    )
    def delete(self, request: Request, report_id: int) -> Response:
        version = moves.abandon(self.report, request.user, window_of(request), request)
        return done(self.report, version, request)


class Cancel(OfReport):
    """`POST /api/reports/{id}/cancel/`"""

    manage = True

    @extend_schema(
        operation_id="report_cancel",
        summary="Cancel a report before it is final",
        parameters=[REPORT],
        request=shaped.Reasoned,
        responses={200: shaped.DoneShape, **REFUSED},
    )
    def post(self, request: Request, report_id: int) -> Response:
        version = moves.cancel(self.report, request.user, object_of(request).get("reason"), request)
        return done(self.report, version, request)


class EnteredInError(OfReport):
    """`POST` and `DELETE /api/reports/{id}/entered-in-error/`"""

    manage = True

    @extend_schema(
        operation_id="report_entered_in_error",
        summary="Ask that a report be marked as entered in error, or confirm it as the second person",
        parameters=[REPORT],
        request=shaped.Withdrawing,
        responses={200: shaped.DoneShape, **REFUSED},
    )
    def post(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        version = moves.entered_in_error(self.report, request.user, body.get("reason"), body.get("password"), request)
        return done(self.report, version, request)

    @extend_schema(
        operation_id="report_entered_in_error_withdraw",
        summary="Take back what you asked for",
        parameters=[REPORT],
        responses={200: shaped.DoneShape, **REFUSED},
    )
    def delete(self, request: Request, report_id: int) -> Response:
        version = moves.entered_in_error(self.report, request.user, None, None, request, withdraw=True)
        return done(self.report, version, request)
