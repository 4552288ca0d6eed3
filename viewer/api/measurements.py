"""`/api/studies/{uid}/measurements/`: what readers measure. The numbers are the server's own, found in the voxels."""

from __future__ import annotations

import json
from typing import Any

from asgiref.sync import sync_to_async
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from viewer.api import finding, measurement_shapes, shapes
from viewer.api.doors import AsyncDoor
from viewer.api.viewing import note_viewing
from viewer.archive import query
from viewer.marks import apart, measurements, others, reports
from viewer.marks import asked as asking
from viewer.marks.asked import BadMark
from viewer.marks.filing import NotFiled
from viewer.marks.measurements import Overtaken, ReadOnly
from viewer.marks.reports import NothingToWrite
from viewer.models import Measurement, Study
from viewer.rendering.measuring import CannotMeasure

PRIORS_AT_MOST = 10
BODY = 256 * 1024
"""Bytes of one measurement as JSON; the longest outline has room."""

REFUSED = {
    400: shapes.BAD,
    401: shapes.NO_ACCESS,
    404: shapes.NOT_FOUND,
    409: OpenApiResponse(
        measurement_shapes.Overtaken,
        description="It was changed meanwhile: `current` is what there is now. Or the study's UID exists in several "
        "organizations that you serve.",
    ),
    422: OpenApiResponse(shapes.Problem, description="This cannot be measured here, or the pixels cannot be decoded."),
    503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
}
READ_ONLY = OpenApiResponse(shapes.Problem, description="It was read from an object of another program.")
UID = shapes.uid("uid", "The measurement's tracking UID, written like an")


class MarkDoor(AsyncDoor):
    """A door to measurements: refusals that only these have."""

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, BadMark):
            return Response({"detail": str(exc)}, status=400)
        if isinstance(exc, CannotMeasure):
            return Response({"detail": str(exc), "code": "cannot_measure"}, status=422)
        if isinstance(exc, NothingToWrite | NotFiled):
            return Response({"detail": str(exc), "code": "not_written"}, status=422)
        if isinstance(exc, ReadOnly):
            return Response({"detail": str(exc), "code": "read_only"}, status=403)
        if isinstance(exc, Overtaken):
            return Response({"detail": str(exc), "current": told(exc.current, {})}, status=409)
        return super().handle_exception(exc)


class Measurements(MarkDoor):
    """All measurements of a study."""

    @extend_schema(
        operation_id="measurements",
        summary="The measurements of a study",
        parameters=[
            shapes.uid("study_instance_uid", "Study"),
            shapes.text("with_priors", "1: also those of earlier studies of the same patient that you may see."),
            shapes.ORGANIZATION,
        ],
        responses={200: measurement_shapes.MeasurementList, **shapes.REFUSALS},
    )
    async def get(self, request: Request, study_instance_uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        return Response(await sync_to_async(_listed)(request, study))

    @extend_schema(
        operation_id="measurement_create",
        summary="Keep a measurement",
        description="The server finds the numbers itself, in the voxels under the points. Sending the same again is harmless.",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        request=measurement_shapes.NewMeasurement,
        responses={201: measurement_shapes.Measurement, 200: measurement_shapes.Measurement, **REFUSED},
    )
    async def post(self, request: Request, study_instance_uid: str) -> Response:
        body = _body(request)
        asked, uid = asking.new(body), asking.uid(body, "uid", needed=False)
        study = await sync_to_async(_study)(request, study_instance_uid)
        await sync_to_async(measurements.check_follows)(request.user, study, asked)
        keep = sync_to_async(measurements.keep)

        async def kept() -> Measurement:
            measured = await finding.measured(study, asked, request.user)
            return await keep(study, uid, asked, measured, request.user, request)

        try:
            mark = await finding.again_until_it_holds(kept)
        except Overtaken as other:
            if other.current.deleted_at or not asking.same(measurements.asked_of(other.current), asked):
                raise
            return Response(await _told(request, study, other.current))
        return Response(await _told(request, study, mark), status=201)


class MeasurementDoor(MarkDoor):
    """One measurement."""

    @extend_schema(
        operation_id="measurement",
        summary="One measurement, also a deleted one",
        parameters=[shapes.uid("study_instance_uid", "Study"), UID, shapes.ORGANIZATION],
        responses={200: measurement_shapes.Measurement, **shapes.REFUSALS},
    )
    async def get(self, request: Request, study_instance_uid: str, uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        mark = await sync_to_async(_mark)(request, study, uid)
        return Response(await _told(request, study, mark))

    @extend_schema(
        operation_id="measurement_change",
        summary="Change a measurement, or bring a deleted one back",
        parameters=[shapes.uid("study_instance_uid", "Study"), UID, shapes.ORGANIZATION],
        request=measurement_shapes.ChangedMeasurement,
        responses={200: measurement_shapes.Measurement, 403: READ_ONLY, **REFUSED},
    )
    async def put(self, request: Request, study_instance_uid: str, uid: str) -> Response:
        body = _body(request)
        study = await sync_to_async(_study)(request, study_instance_uid)
        mark = await sync_to_async(_mark)(request, study, uid)
        _at_version(mark, body.get("version"))
        if body.get("deleted") is True:
            return await self._drop(request, study, mark)
        if mark.deleted_at is not None and body.get("deleted") is not False:
            raise Overtaken(mark)
        if mark.source_sop_instance_uid:
            raise ReadOnly("this was read from an object that another program wrote: it cannot be changed here")
        before = measurements.asked_of(mark)
        after = asking.changed(before, body)
        if after.follows != before.follows:
            await sync_to_async(measurements.check_follows)(request.user, study, after)
        change = sync_to_async(measurements.change)

        async def changed() -> Measurement:
            measured = await finding.measured(study, after, request.user, former=mark)
            return await change(mark, study, after, measured, request.user, request)

        return Response(await _told(request, study, await finding.again_until_it_holds(changed)))

    @extend_schema(
        operation_id="measurement_delete",
        summary="Delete a measurement",
        description="It can be brought back by a PUT with `deleted` false.",
        parameters=[
            shapes.uid("study_instance_uid", "Study"),
            UID,
            shapes.text("version", "Refused with 409 where this is not the newest."),
            shapes.ORGANIZATION,
        ],
        responses={200: measurement_shapes.Measurement, 403: READ_ONLY, **REFUSED},
    )
    async def delete(self, request: Request, study_instance_uid: str, uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        mark = await sync_to_async(_mark)(request, study, uid)
        version = request.query_params.get("version")
        if version is not None:
            _at_version(mark, int(version) if version.isdecimal() and len(version) < 20 else None)
        return await self._drop(request, study, mark)

    async def _drop(self, request: Request, study: Study, mark: Measurement) -> Response:
        drop = sync_to_async(measurements.drop)

        async def dropped() -> Measurement:
            measured = await finding.without(study, mark)
            return await drop(mark, study, measured, request.user, request)

        if mark.deleted_at is None:
            return Response(await _told(request, study, await finding.again_until_it_holds(dropped)))
        return Response(await _told(request, study, mark))


class MeasurementObject(MarkDoor):
    """The measurements of a study as an object of the archive."""

    @extend_schema(
        operation_id="measurement_object_state",
        summary="The newest structured report of the measurements, and whether it holds them as they are now",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        responses={200: measurement_shapes.ObjectState, **shapes.REFUSALS},
    )
    async def get(self, request: Request, study_instance_uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        newest, current = await sync_to_async(reports.newest)(study)
        return Response({"sop_instance_uid": newest, "current": current})

    @extend_schema(
        operation_id="measurement_object",
        summary="Write the measurements into the archive now, as a structured report (TID 1500)",
        description="It is also written by itself a minute after the last change. The same state is written once.",
        parameters=[shapes.uid("study_instance_uid", "Study"), shapes.ORGANIZATION],
        request=None,
        responses={
            200: measurement_shapes.Written,
            **shapes.REFUSALS,
            422: OpenApiResponse(
                shapes.Problem, description="There is nothing to write, or the archive did not take it."
            ),
            503: OpenApiResponse(shapes.Problem, description="Busy; try again."),
            507: OpenApiResponse(shapes.Problem, description="The archive's disk is full."),
        },
    )
    async def post(self, request: Request, study_instance_uid: str) -> Response:
        study = await sync_to_async(_study)(request, study_instance_uid)
        written = await sync_to_async(reports.write_report)(study, request.user)
        return Response({"sop_instance_uid": written})


def _body(request: Request) -> dict[str, Any]:
    raw = request._request.read(BODY + 1)
    if len(raw) > BODY:
        raise BadMark(f"more than {BODY:,} bytes")
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise BadMark("not JSON") from None
    if not isinstance(body, dict):
        raise BadMark("a JSON object is needed")
    return body


def _at_version(mark: Measurement, version: Any) -> None:
    if isinstance(version, bool) or not isinstance(version, int):
        raise BadMark("version: the number of the version that is to be changed is needed")
    if mark.version != version:
        raise Overtaken(mark)


def _study(request: Request, study_instance_uid: str) -> Study:
    study = query.find_study(request.user, study_instance_uid, request.query_params.get("organization"))
    note_viewing(request.user, study, request, door="api")
    return study


def _mark(request: Request, study: Study, uid: str) -> Measurement:
    """Raises NotFound, also where its author reads this study apart."""
    for shown in apart.shown_to(request.user, study, [measurements.of_uid(study, uid)]):
        return shown
    raise query.NotFound("there is no such object")


def _listed(request: Request, study: Study) -> dict[str, Any]:
    others.read_others(study)
    marks = apart.shown_to(request.user, study, measurements.of_study(study))
    before = measurements.followed(request.user, study, marks)
    answer: dict[str, Any] = {"measurements": [told(mark, before) for mark in marks]}
    answer["objects"] = others.reports_of(study)
    answer["not_read"] = others.not_read(study)
    if request.query_params.get("with_priors") == "1":
        for prior in query.priors(request.user, study).select_related("organization", "patient")[:PRIORS_AT_MOST]:
            others.read_others(prior)
        answer["priors"] = [
            {
                "study_instance_uid": prior.study_instance_uid,
                "date": prior.date,
                "description": prior.description,
                "measurements": [told(mark, {}) for mark in apart.shown_to(request.user, prior, marks_of_prior)],
            }
            for prior, marks_of_prior in measurements.of_priors(request.user, study, PRIORS_AT_MOST)
        ]
    return answer


async def _told(request: Request, study: Study, mark: Measurement) -> dict[str, Any]:
    return told(mark, await sync_to_async(measurements.followed)(request.user, study, [mark]))


def told(mark: Measurement, before: dict[str, Measurement]) -> dict[str, Any]:
    """A measurement as the doors tell it; `before` holds those that it may carry on."""
    former = before.get(mark.follows)
    return {
        **{name: getattr(mark, name) for name in COLUMNS},
        "known": mark.values["known"]["value"] if "known" in mark.values else None,
        "author": mark.author_name,
        "source": "sr" if mark.source_sop_instance_uid else "reader",
        "created_at": mark.created_at.isoformat(),
        "updated_at": mark.updated_at.isoformat(),
        "deleted": mark.deleted_at is not None,
        "previous": None
        if former is None
        else {
            "uid": former.uid,
            "study_instance_uid": former.study.study_instance_uid,
            "date": former.study.date,
            "values": former.values,
            "change": measurements.change_since(mark.values, former.values),
        },
    }


COLUMNS = (
    *("uid", "version", "kind", "label", "series_instance_uid", "stack", "sop_instance_uid", "frame_number"),
    *("frame_of_reference_uid", "space", "points", "view", "values", "notes", "source_sop_instance_uid", "follows"),
)
