"""`/api/reports/`: opening a report, writing it, its lock, what the checks say, its versions."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from reporting.api import report_shapes as shaped
from reporting.api import report_told as tell
from reporting.api.report_doors import REPORT, OfReport, Refusing, object_of, window_of
from reporting.models import Report
from reporting.workflow import checking, drafts, locking
from reporting.workflow.content import sound
from reporting.workflow.finding import again, in_hand, study_to_report, writing
from reporting.workflow.noting import note_reading
from reporting.workflow.refusals import Unusable
from reporting.workflow.signing import words_of
from reporting.workflow.versions import text_of
from viewer.api import shapes
from viewer.api.viewing import note_denial as note_denied_study
from viewer.archive import query, rows
from viewer.archive.query import NotFound

LISTED = 200


class Reports(Refusing):
    """`GET` and `POST /api/reports/`"""

    @extend_schema(
        operation_id="reports",
        summary="The reports of a study, newest first",
        parameters=[shapes.text("study", "Study Instance UID."), shapes.ORGANIZATION],
        responses={200: shaped.ReportList, 400: shapes.BAD, **shapes.REFUSALS},
    )
    def get(self, request: Request) -> Response:
        uid = request.query_params.get("study") or ""
        if not uid:
            raise Unusable("study: a Study Instance UID is expected")
        study = study_to_report(request.user, uid[:64], request.query_params.get("organization"))
        found = writing(request.user).filter(study=study).order_by("-pk")[:LISTED]
        return Response({"reports": [{**tell.row(one), "may": tell.may(one, request.user)} for one in found]})

    @extend_schema(
        operation_id="report_open",
        summary="Open the report of a study, or begin one, and take its lock",
        description="A study has one open report at most; where its report is finished that one is the answer. Whoever begins"
        " it has claimed its examination in the worklist. 423 says who holds the lock, with the whole report beside it, or who"
        " reads the examination, where there is no report yet; `reason` takes it over.",
        request=shaped.Opening,
        responses={
            200: shaped.ReportShape,
            201: shaped.ReportShape,
            400: shapes.BAD,
            **shapes.REFUSALS,
            423: shaped.ReportHeld,
        },
    )
    def post(self, request: Request) -> Response:
        body = object_of(request)
        uid, template, token = body.get("study"), template_of(body), window_of(request, body)
        if not isinstance(uid, str) or not uid or len(uid) > 64 or sound(uid) != uid:
            raise Unusable("study: a Study Instance UID is expected")
        organization = words_of(body.get("organization"), "organization", 64) or None
        try:
            study = study_to_report(request.user, uid, organization)
        except NotFound:
            note_denied_study(request.user, uid, request, door="report")
            raise
        another, reason = body.get("new") is True, words_of(body.get("reason"), "reason", 1000).strip()
        report, new = drafts.opened(request.user, study, template, token, request, another, reason)
        if not new:
            note_reading(report, request.user, request)
        told = tell.told(report, request.user, token)
        if "save" in told["may"] and not told["lock"]["mine"]:
            held = locking.held(report, request.user)
            return Response({**told, "detail": held.detail, "code": held.code}, status=held.status)
        return Response(told, status=201 if new else 200)


class ReportDoor(OfReport):
    """`GET` and `PUT /api/reports/{id}/`"""

    @extend_schema(
        operation_id="report",
        summary="One report, as it is being written",
        parameters=[REPORT, shaped.TOKEN],
        responses={200: shaped.ReportShape, **shapes.REFUSALS},
    )
    def get(self, request: Request, report_id: int) -> Response:
        note_reading(self.report, request.user, request)
        return Response(tell.told(self.report, request.user, window_of(request)))

    @extend_schema(
        operation_id="report_save",
        summary="Save what is written",
        description="Fields left out stay as they are; null empties one. A save that changes nothing makes no version.",
        parameters=[REPORT],
        request=shaped.Save,
        responses={
            200: shaped.SavedShape,
            400: shaped.PROBLEMS,
            **shapes.REFUSALS,
            409: shaped.STALE,
            423: shaped.LOCKED,
        },
    )
    def put(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        token = window_of(request, body)
        saved = drafts.save(
            self.report,
            request.user,
            based_on=body.get("based_on"),
            given=body.get("content"),
            fills=body.get("fills"),
            template=template_of(body),
            context=body.get("context"),
            token=token,
            request=request,
        )
        return Response(_saved(again(self.report), saved, request, token, whole="template" in body))


def _saved(report: Report, saved: drafts.Saved, request: Request, token: str, whole: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        **tell.brief(report),
        "version": report.version,
        "saved": saved.new,
        "hash": saved.version.mac,
        "lock": locking.told(report, request.user, token),
    }
    return {**told, **tell.told(report, request.user, token)} if whole else told


class Lock(OfReport):
    """`POST /api/reports/{id}/lock/`"""

    @extend_schema(
        operation_id="report_lock",
        summary="Say that you still write, let go, or take the report over",
        parameters=[REPORT],
        request=shaped.LockAsked,
        responses={200: shaped.LockAnswer, 400: shapes.BAD, **shapes.REFUSALS, 423: shaped.LOCKED},
    )
    def post(self, request: Request, report_id: int) -> Response:
        body = object_of(request)
        token, action = window_of(request, body), body.get("action")
        reason = words_of(body.get("reason"), "reason", 1000).strip()
        if action not in ("heartbeat", "release", "take"):
            raise Unusable("action: one of heartbeat, release, take is expected")

        def work() -> Report:
            report = in_hand(self.report)
            if action == "release":
                locking.release(report, request.user, token, request)
                return report
            drafts.must_be_able(report, "save", request.user)
            if action == "take":
                locking.take_over(report, request.user, token, reason, request)
            else:
                locking.require(report, request.user, token, request)
            return report

        report = rows.patiently(work)
        lock = locking.told(report, request.user, token)
        return Response({**tell.brief(report), **lock, "lock": lock})


class Checks(OfReport):
    """`GET /api/reports/{id}/checks/`"""

    @extend_schema(
        operation_id="report_checks",
        summary="What the checks say now",
        parameters=[REPORT],
        responses={200: shaped.ChecksShape, **shapes.REFUSALS},
    )
    def get(self, request: Request, report_id: int) -> Response:
        text = text_of(self.report)
        problems = checking.problems_of(self.report, text)
        return Response(
            {
                "version": self.report.version,
                "rules": checking.RULES_VERSION,
                "problems": checking.told(problems),
                "discrepancy": checking.asks_for_grade(self.report, text, request.user.pk),
            }
        )


class Versions(OfReport):
    """`GET /api/reports/{id}/versions/`"""

    @extend_schema(
        operation_id="report_versions",
        summary="Every version with its hash and signature, oldest first",
        parameters=[REPORT, shapes.text("whole", '"1": with what each version says.')],
        responses={200: shaped.VersionList, **shapes.REFUSALS},
    )
    def get(self, request: Request, report_id: int) -> Response:
        note_reading(self.report, request.user, request)
        whole = request.query_params.get("whole") == "1"
        found = self.report.versions.order_by("number")
        return Response({"versions": [tell.version_row(one, whole) for one in found.iterator()]})


class Difference(OfReport):
    """`GET /api/reports/{id}/difference/`"""

    @extend_schema(
        operation_id="report_difference",
        summary="How what is written now differs from what was signed last",
        parameters=[REPORT],
        responses={200: shaped.DifferenceShape, **shapes.REFUSALS},
    )
    def get(self, request: Request, report_id: int) -> Response:
        found = tell.difference(self.report)
        if found is None:
            raise query.NotFound("nothing is signed yet")
        return Response(found)


def template_of(body: dict[str, Any]) -> str | int | None:
    """The template that is asked for, by number or identifier. Raises Unusable."""
    given = body.get("template")
    if given is None or (isinstance(given, int) and not isinstance(given, bool) and 0 < given < 2**63):
        return given
    if isinstance(given, str) and 0 < len(given) <= 200 and sound(given) == given:
        return given
    raise Unusable("template: the id or the identifier of a template is expected")
