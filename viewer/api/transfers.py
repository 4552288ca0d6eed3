"""`/api/transfers/` and `/api/peers/`: studies to and from other archives, by those who read in an organization."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from accounts import audit
from accounts.models import READING_ROLES, User
from viewer.api import shapes
from viewer.api import transfer_shapes as ours
from viewer.api.doors import Door, data_of
from viewer.archive import query, transfers
from viewer.archive.query import BadQuery, NotFound
from viewer.archive.rows import patiently
from viewer.models import DicomPeer, Patient, Study, Transfer

LISTED = 100
LIKE = re.compile(r"[*?\\]")
UNREACHABLE = 502
ACT_ANSWERS = {200: ours.TransferRow, **shapes.REFUSALS, 409: shapes.Problem}
NOTHING_SAID = {"patient_name": "", "patient_id": "", "date": "", "description": "", "modalities": [], "here": False}


class Peers(Door):
    """Other archives."""

    @extend_schema(
        operation_id="peers", summary="Peers that can be called", responses={200: ours.PeerList, 401: shapes.NO_ACCESS}
    )
    def get(self, request: Request) -> Response:
        return Response({"peers": [peer_row(peer) for peer in peers_of(request.user).order_by("ae_title", "pk")]})


class PeerSearch(Door):
    """What another archive holds."""

    @extend_schema(
        operation_id="peer_search",
        summary="Search a peer's studies",
        description="C-FIND at study level. At least a Patient ID, a name, an accession number or a date is needed.",
        request=ours.RemoteSearch,
        responses={200: ours.FoundStudies, 400: shapes.BAD, **shapes.REFUSALS, 502: shapes.Problem},
    )
    def post(self, request: Request, peer: int) -> Response:
        from viewer.dimse.calling import NotReached
        from viewer.dimse.remote import NotAnswered, find_studies

        row = _peer(request.user, peer)
        asked = keys_of(_read(ours.RemoteSearch, request))
        patiently(lambda: _note_search(request, row, asked))
        try:
            found, more = find_studies(row, asked)
        except (NotReached, NotAnswered) as problem:
            return Response({"detail": str(problem)}, status=UNREACHABLE)
        return Response({"studies": found_rows(row, found), "more": more})


class Transfers(Door):
    """Studies on their way."""

    @extend_schema(
        operation_id="transfers",
        summary="Transfers, the newest first",
        parameters=[
            shapes.text("study", "Only those of this Study Instance UID."),
            OpenApiParameter("waiting", OpenApiTypes.BOOL, description="Only those that wait, run or were given up."),
            OpenApiParameter("before", OpenApiTypes.INT, description="`next` of the page before."),
        ],
        responses={200: ours.TransferList, 400: shapes.BAD, 401: shapes.NO_ACCESS},
    )
    def get(self, request: Request) -> Response:
        asked = request.query_params
        rows = transfers_of(request.user)
        waiting = rows.filter(state__in=transfers.WAITING).count()
        if asked.get("study"):
            rows = rows.filter(study_instance_uid=asked["study"])
        if asked.get("waiting") in ("1", "true"):
            rows = rows.filter(state__in=(*transfers.WAITING, "given_up"))
        if asked.get("before"):
            rows = rows.filter(pk__lt=_whole("before", asked["before"]))
        found = list(rows.order_by("-pk")[: LISTED + 1])
        following = found[LISTED - 1].pk if len(found) > LISTED else None
        return Response({"transfers": told(request.user, found[:LISTED]), "next": following, "waiting": waiting})

    @extend_schema(
        operation_id="transfer_ask",
        summary="Send a study to a peer, or fetch one from it",
        description="It waits in a queue and is tried again by itself; what is on its way already is not begun again.",
        request=ours.NewTransfer,
        responses={201: ours.TransferRow, 400: shapes.BAD, **shapes.REFUSALS},
    )
    def post(self, request: Request) -> Response:
        asked = _read(ours.NewTransfer, request)
        peer = _peer(request.user, asked["peer"])
        options = {}
        if asked["kind"] == transfers.SEND:
            study = query.find_study(request.user, asked["study"], peer.organization.name)
            _check_part(study, asked)
        elif asked.get("shown"):
            options = {"shown": dict(asked["shown"])}
        made = patiently(
            lambda: transfers.ask(
                peer,
                asked["kind"],
                study_instance_uid=asked["study"],
                series_instance_uid=asked.get("series", ""),
                sop_instance_uids=asked.get("instances", ()),
                options=options,
                reason="program" if getattr(request, "api_token", None) else "person",
                user=request.user,
                request=request,
            )
        )
        return Response(told(request.user, [made])[0], status=201)


class TransferCancel(Door):
    """Not wanted any more."""

    @extend_schema(
        operation_id="transfer_cancel", summary="Do no more of a transfer", request=None, responses=ACT_ANSWERS
    )
    def post(self, request: Request, transfer: int) -> Response:
        return _act(request, transfer, transfers.cancel, "It has ended already.")


class TransferRetry(Door):
    """Wanted again."""

    @extend_schema(
        operation_id="transfer_retry", summary="Do what is left of a transfer now", request=None, responses=ACT_ANSWERS
    )
    def post(self, request: Request, transfer: int) -> Response:
        return _act(request, transfer, transfers.retry, "It is on its way, or done.")


def _act(request: Request, transfer: int, act: Callable[[Transfer, User, Request], bool], refused: str) -> Response:
    found = transfers_of(request.user).filter(pk=transfer).first()
    if found is None:
        raise NotFound("there is no such transfer")
    if not patiently(lambda: act(found, request.user, request)):
        return Response({"detail": refused}, status=409)
    return Response(told(request.user, [found])[0])


# --- who may


def peers_of(user: User) -> QuerySet[DicomPeer]:
    """Peers that can be called, of the organizations where this person reads."""
    rows = DicomPeer.objects.filter(organization__in=user.organizations_as(READING_ROLES), active=True)
    return rows.exclude(port=None).select_related("organization")


def transfers_of(user: User) -> QuerySet[Transfer]:
    rows = Transfer.objects.filter(organization__in=user.organizations_as(READING_ROLES))
    return rows.select_related("organization", "peer__organization", "asked_by")


def _peer(user: User, number: int) -> DicomPeer:
    found: DicomPeer | None = peers_of(user).filter(pk=number).first()
    if found is None:
        raise NotFound("there is no such peer")
    return found


def _check_part(study: Study, asked: dict[str, Any]) -> None:
    """Raises NotFound where the series or one of the objects is not of this study."""
    if asked.get("series") and not study.series.filter(series_instance_uid=asked["series"]).exists():
        raise NotFound("there is no such series")


# --- what is asked


def _read(shape: type[Serializer], request: Request) -> dict[str, Any]:
    body = shape(data=data_of(request))
    if not body.is_valid():
        field, said = next(iter(body.errors.items()))
        raise BadQuery(str(field), str(next(iter(said.values() if isinstance(said, dict) else said))))
    return dict(body.validated_data)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadQuery(name, "a whole number is expected")
    return int(text)


def keys_of(asked: dict[str, Any]) -> dict[str, str]:
    """A search as keys of C-FIND (PS3.4 C.2.2.2). Raises BadQuery."""
    said = {name: str(asked.get(name) or "").strip() for name in ("patient_id", "patient_name", "accession_number")}
    first, last = asked.get("date_from"), asked.get("date_to")
    for name, text in said.items():
        if "\\" in text:
            raise BadQuery(name, "a backslash cannot be looked for")
    if not any(said.values()) and not (first or last):
        raise BadQuery("patient_id", "a Patient ID, a name, an accession number or a date is needed")
    name = said["patient_name"]
    keys = {
        "PatientID": said["patient_id"],
        "PatientName": name if not name or LIKE.search(name) else f"{name.replace(', ', '^')}*",
        "AccessionNumber": said["accession_number"],
        "StudyDate": f"{_day(first)}-{_day(last)}" if first or last else "",
        "ModalitiesInStudy": str(asked.get("modality") or "").upper(),
    }
    return {keyword: value for keyword, value in keys.items() if value}


def _day(said: date | None) -> str:
    return f"{said:%Y%m%d}" if said else ""


def _note_search(request: Request, peer: DicomPeer, asked: dict[str, str]) -> None:
    audit.record(
        "dicom.query",
        actor=request.user,
        request=request,
        organization=peer.organization.name,
        patient_id=asked.get("PatientID", ""),
        detail={"peer": peer.ae_title, "keys": sorted(asked)},
    )


# --- what is told


def peer_row(peer: DicomPeer) -> dict[str, Any]:
    return {
        "id": peer.pk,
        "organization": peer.organization.name,
        "ae_title": peer.ae_title,
        "description": peer.description,
        "archive": peer.is_archive,
    }


def found_rows(peer: DicomPeer, found: list[Any]) -> list[dict[str, Any]]:
    """Studies of another archive, the newest first, with what is known of them here."""
    from viewer.dimse.priors import differs

    uids = [one.study_instance_uid for one in found]
    mine = {"organization": peer.organization, "study_instance_uid__in": uids}
    held = dict(Study.objects.filter(**mine).values_list("study_instance_uid", "number_of_instances"))
    moving = Transfer.objects.filter(**mine, kind=transfers.RETRIEVE).order_by("pk")
    states = dict(moving.values_list("study_instance_uid", "state"))
    known = {
        one.patient_id: one
        for one in Patient.objects.filter(
            organization=peer.organization, patient_id__in=[one.patient_id for one in found if one.patient_id]
        )
    }
    rows = [
        {
            **{name: getattr(one, name) for name in FOUND},
            "modalities": list(one.modalities),
            "here": held.get(one.study_instance_uid, 0) >= (one.number_of_instances or 1),
            "transfer": states.get(one.study_instance_uid, ""),
            "disagreements": differs(one, known[one.patient_id]) if one.patient_id in known else [],
        }
        for one in found
    ]
    return sorted(rows, key=lambda row: (row["date"], row["time"]), reverse=True)


FOUND = (
    *("study_instance_uid", "patient_id", "patient_name", "patient_birth_date", "patient_sex", "date", "time"),
    *("accession_number", "description", "number_of_instances"),
)


def told(user: User, rows: list[Transfer]) -> list[dict[str, Any]]:
    studies = {
        (study.organization_id, study.study_instance_uid): study
        for study in Study.objects.visible_to(user)
        .filter(study_instance_uid__in=[row.study_instance_uid for row in rows])
        .select_related("patient")
    }
    patients = {
        one.pk: one
        for one in Patient.objects.filter(
            pk__in=[row.options["patient"] for row in rows if isinstance(row.options.get("patient"), int)]
        )
    }
    return [transfer_row(row, _study_of(row, studies, patients)) for row in rows]


def _study_of(row: Transfer, studies: dict[tuple[int, str], Study], patients: dict[int, Patient]) -> dict[str, Any]:
    study = studies.get((row.organization_id, row.study_instance_uid))
    if study is not None:
        return {
            "patient_name": study.stated_patient["name"],
            "patient_id": study.patient.patient_id,
            "date": study.date,
            "description": study.description,
            "modalities": [code for code in study.modalities.split("\\") if code],
            "here": True,
        }
    patient = patients.get(row.options.get("patient") or 0)
    if patient is not None and patient.organization_id == row.organization_id:
        return {**NOTHING_SAID, "patient_name": patient.name, "patient_id": patient.patient_id}
    return {**NOTHING_SAID, **row.options.get("shown", {})}


def transfer_row(row: Transfer, study: dict[str, Any]) -> dict[str, Any]:
    peer = {"id": row.peer_id, "ae_title": row.peer.ae_title, "description": row.peer.description}
    return {
        **{"id": row.pk, "organization": row.organization.name, "peer": peer, "study": study},
        **{name: getattr(row, name) for name in PLAIN},
        "instances": len(row.sop_instance_uids),
        "asked_by": row.asked_by.get_username() if row.asked_by is not None else "",
        "next_try_at": row.next_try_at.isoformat(),
        "created_at": row.created_at.isoformat(),
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
    }


PLAIN = (
    *("kind", "state", "study_instance_uid", "series_instance_uid", "reason", "total", "done", "failed", "tries"),
    "problem",
)
