"""`/api/worklist/`: what is to be read, who reads it, and quality control before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import REPORTING_ROLES, Role, User
from reporting.api import worklist_shapes as told
from reporting.api.filters import filter_row
from reporting.api.worklist_doors import (
    WorklistDoor,
    body_of,
    item_for,
    number,
    organization_as,
    person,
    text,
    visible_item,
)
from reporting.models import Order, ReadingItem
from reporting.worklist import acts, claiming, filters, listing, picking
from reporting.worklist.events import WITH
from reporting.worklist.listing import PAGE, PAGE_AT_MOST, SORTS, TABS
from reporting.worklist.refusals import BadOrder
from reporting.worklist.states import UNREAD
from reporting.worklist.telling import address_of, items_told
from viewer.api import shapes
from viewer.archive.query import BadQuery, NotFound
from viewer.models import Study


class WorklistDoors(WorklistDoor):
    """`GET /api/worklist/`"""

    @extend_schema(
        operation_id="worklist",
        summary="Reading items, what is to be read first at the head",
        description="A tab or a list of states, narrowed by the other parameters; score and its reasons with each item.",
        parameters=[
            OpenApiParameter("tab", OpenApiTypes.STR, enum=list(TABS), description="Left out: unread."),
            shapes.text("status", "States, parted by commas, in place of a tab."),
            shapes.text("class", "Reading classes, parted by commas."),
            shapes.text("modality", "Modalities, parted by commas."),
            shapes.text("body_part", "Of the order or the images."),
            shapes.text("organization", "Only this organization's."),
            shapes.text("assigned", '"me", "nobody", or a person\'s name.'),
            shapes.text("mine", '"1": claimed by or assigned to you.'),
            shapes.text("held", '"1", or the reason: only what is held.'),
            shapes.text("q", "Words of a patient's name or ID, of an accession or order number."),
            OpenApiParameter("sort", OpenApiTypes.STR, enum=list(SORTS)),
            OpenApiParameter("page", OpenApiTypes.INT, description="From 1."),
            OpenApiParameter("limit", OpenApiTypes.INT, description=f"{PAGE}, up to {PAGE_AT_MOST}."),
        ],
        responses={200: told.Worklist, 400: shapes.BAD, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND},
    )
    def get(self, request: Request) -> Response:
        user, asked = person(request), listing.question(request.query_params)
        found = listing.listed(user, asked)
        return Response(
            {
                "items": items_told(found.rows, user, found.now),
                "total": found.total,
                "page": asked.page,
                "pages": max(1, -(-found.total // asked.limit)),
                "counts": listing.counts(user, asked.organization),
                "filters": [filter_row(one, user) for one in filters.of_user(user)],
                "now": found.now.isoformat(),
            }
        )


class ItemDoor(WorklistDoor):
    """`GET /api/worklist/{id}/`"""

    @extend_schema(
        operation_id="worklist_item",
        summary="One reading item, with what happened to it",
        parameters=[told.ITEM],
        responses={200: told.ItemWhole, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND},
    )
    def get(self, request: Request, item_id: int) -> Response:
        item = visible_item(request, item_id)
        events = item.events.order_by("at", "id").values_list("kind", "at", "actor_name", "detail")
        names = ("kind", "at", "actor", "detail")
        return Response(
            {**row_of(item.pk, request), "events": [dict(zip(names, event, strict=True)) for event in events]}
        )


def row_of(item_id: int, request: Request) -> dict[str, Any]:
    """One item as the list shows it."""
    now = timezone.now()
    item = ReadingItem.objects.select_related(*WITH).get(pk=item_id)
    return items_told([(item, listing.place_of(item, now))], person(request), now)[0]


def _changed(item: ReadingItem, request: Request) -> Response:
    """After a change: the whole row for who reads there, its state alone for who only administers."""
    if listing.visible_items(person(request)).filter(pk=item.pk).exists():
        return Response(row_of(item.pk, request))
    return Response({"id": item.pk, "status": item.status, "version": item.version})


def _claimed(item: ReadingItem, request: Request) -> Response:
    return Response(
        {
            **row_of(item.pk, request),
            "token": item.claim_token,
            "heartbeat_seconds": int(claiming.HEARTBEAT.total_seconds()),
            "address": address_of(item),
        }
    )


# --- reading


class Claim(WorklistDoor):
    @extend_schema(
        operation_id="worklist_claim",
        summary="Take an item to read it",
        description="Another's claim, and what is assigned to another, is taken over with a reason. Claims without a "
        "heartbeat for 90 s are free.",
        parameters=[told.ITEM],
        request=told.ClaimAsked,
        responses={200: told.ClaimedItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "claim")
        body = body_of(request, ("token", "reason", "version"))
        options = {"token": text(body, "token", 64), "reason": text(body, "reason"), "version": number(body, "version")}
        return _claimed(claiming.claim(item_id, person(request), request=request, **options), request)


class Heartbeat(WorklistDoor):
    @extend_schema(
        operation_id="worklist_heartbeat",
        summary="Say that you are still reading it",
        parameters=[told.ITEM],
        request=told.Holding,
        responses={200: told.ClaimOfItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "heartbeat")
        token = text(body_of(request, ("token",)), "token", 64)
        item = claiming.heartbeat(item_id, person(request), token)
        until = item.claim_seen_at + claiming.EXPIRY  # type: ignore[operator]
        return Response({"name": claiming.shown(person(request)), "mine": True, "until": until.isoformat()})


class Release(WorklistDoor):
    @extend_schema(
        operation_id="worklist_release",
        summary="Let go of an item",
        parameters=[told.ITEM],
        request=told.ReleaseAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "release")
        body = body_of(request, ("token", "version"))
        token, version = text(body, "token", 64), number(body, "version")
        return _changed(claiming.release(item_id, person(request), token, version, request), request)


class PutAside(WorklistDoor):
    @extend_schema(
        operation_id="worklist_put_aside",
        summary="Let go of an item for later, with a note of what it waits for",
        parameters=[told.ITEM],
        request=told.PutAsideAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "put-aside")
        body = body_of(request, ("token", "version", "note"))
        token, version, note = text(body, "token", 64), number(body, "version"), text(body, "note")
        return _changed(claiming.put_aside(item_id, person(request), note, token, version, request), request)


class Next(WorklistDoor):
    """`POST /api/worklist/next/`"""

    @extend_schema(
        operation_id="worklist_next",
        summary="Take what is to be read first: of what is assigned to you, else of what is assigned to nobody",
        request=told.NextAsked,
        responses={200: told.ClaimedItem, **told.REFUSALS},
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, ("query", "skip"))
        asked, skip = body.get("query", {}), body.get("skip", [])
        if not isinstance(asked, dict):
            raise BadQuery("query", "an object is expected")
        if not isinstance(skip, list) or len(skip) > picking.SKIPPED or not all(type(one) is int for one in skip):
            raise BadQuery("skip", f"a list of at most {picking.SKIPPED} numbers is expected")
        item = picking.take_next(person(request), listing.question(asked), skip, request)
        if item is None:
            return Response({"detail": "Nothing waits to be read."}, status=404)
        return _claimed(item, request)


# --- quality control, and what administrators decide


class Hold(WorklistDoor):
    @extend_schema(
        operation_id="worklist_hold",
        summary="Keep an item from being read, with the reason",
        parameters=[told.ITEM],
        request=told.HoldAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "hold")
        body = body_of(request, ("reason", "note", "version"))
        reason, note, version = text(body, "reason", 32), text(body, "note"), number(body, "version")
        return _changed(acts.hold(item_id, person(request), reason, note, version, request), request)


class Ready(WorklistDoor):
    @extend_schema(
        operation_id="worklist_ready",
        summary="Say that an item can be read: its study is whole, or what it was held for is settled",
        parameters=[told.ITEM],
        request=told.ReadyAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "ready")
        body = body_of(request, ("note", "version"))
        note, version = text(body, "note"), number(body, "version")
        return _changed(acts.ready(item_id, person(request), note, version, request), request)


class Correct(WorklistDoor):
    @extend_schema(
        operation_id="worklist_correct",
        summary="Put right the side, procedure or class that the order says",
        parameters=[told.ITEM],
        request=told.CorrectionAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "correct")
        body = body_of(request, ("version", *acts.CORRECTABLE))
        version = number(body, "version")
        columns = {name: text(body, name, 4000) for name in body if name != "version"}
        return _changed(acts.correct(item_id, person(request), columns, version, request), request)


class Link(WorklistDoor):
    @extend_schema(
        operation_id="worklist_link",
        summary="Give an item another study, or its images to another order",
        description="Where patients disagree a reason is needed; it is written down with both Patient IDs. Answers with the "
        "item that has the study now.",
        parameters=[told.ITEM],
        request=told.LinkAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item = item_for(request, item_id, "link")
        body = body_of(request, ("study", "order", "reason", "version"))
        uid, key = text(body, "study", 64), number(body, "order")
        if bool(uid) == (key is not None):
            raise BadOrder("study", "a study or an order is expected")
        study = _study_beside(item, uid) if uid else None
        order = _order_beside(item, key) if key is not None else None
        options = {"reason": text(body, "reason"), "version": number(body, "version"), "request": request}
        return _changed(acts.link(item_id, person(request), study=study, order=order, **options), request)


def _study_beside(item: ReadingItem, uid: str) -> Study:
    found = Study.objects.listed().filter(organization=item.organization_id, study_instance_uid=uid)
    study = found.select_related("patient", "organization").first()
    if study is None:
        raise NotFound("there is no such study")
    return study


def _order_beside(item: ReadingItem, key: int) -> Order:
    found = Order.objects.filter(organization=item.organization_id, pk=key).select_related("patient", "organization")
    order = found.first()
    if order is None:
        raise NotFound("there is no such order")
    return order


class ReadingClassOf(WorklistDoor):
    @extend_schema(
        operation_id="worklist_class",
        summary="Say how soon an item is to be read",
        parameters=[told.ITEM],
        request=told.ClassAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "class")
        body = body_of(request, ("reading_class", "version"))
        reading_class, version = text(body, "reading_class", 8), number(body, "version")
        return _changed(acts.set_class(item_id, person(request), reading_class, version, request), request)


class Assign(WorklistDoor):
    @extend_schema(
        operation_id="worklist_assign",
        summary="Give an item to one reader, or to nobody in particular",
        parameters=[told.ITEM],
        request=told.AssignmentAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        item_for(request, item_id, "assign")
        body = body_of(request, ("to", "version"))
        name, version = text(body, "to", 150), number(body, "version")
        to = User.objects.filter(username=name, is_active=True).first() if name else None
        if name and to is None:
            raise BadOrder("to", "nobody of this name reports here")
        return _changed(acts.assign(item_id, person(request), to, version, request), request)


class Free(WorklistDoor):
    @extend_schema(
        operation_id="worklist_free",
        summary="Take a claim away from whoever reads it",
        parameters=[told.ITEM],
        request=told.CancellationAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        return _with_reason(request, item_id, "free", claiming.free)


class Cancel(WorklistDoor):
    @extend_schema(
        operation_id="worklist_cancel",
        summary="Take an item off the worklist",
        parameters=[told.ITEM],
        request=told.CancellationAsked,
        responses={200: told.WorklistItem, **told.REFUSALS},
    )
    def post(self, request: Request, item_id: int) -> Response:
        return _with_reason(request, item_id, "cancel", acts.cancel)


def _with_reason(request: Request, item_id: int, action: str, act: Callable[..., ReadingItem]) -> Response:
    item_for(request, item_id, action)
    body = body_of(request, ("reason", "version"))
    reason, version = text(body, "reason"), number(body, "version")
    if not reason:
        raise BadOrder("reason", "say why")
    return _changed(act(item_id, person(request), reason, version, request), request)


class Readers(WorklistDoor):
    """`GET /api/worklist/readers/`"""

    @extend_schema(
        operation_id="worklist_readers",
        summary="People to whom items can be assigned, and how many they have",
        parameters=[shapes.text("organization", "Needed by who administers several.")],
        responses={200: told.AssignableReaders, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND, 409: shapes.SEVERAL},
    )
    def get(self, request: Request) -> Response:
        named = request.query_params.get("organization", "")
        organization = organization_as(request, (Role.ADMIN,), named)
        here = Q(memberships__organization=organization, memberships__role__in=REPORTING_ROLES)
        people = User.objects.filter(here, is_active=True).distinct().order_by("last_name", "username")
        unread = ReadingItem.objects.filter(organization=organization, status__in=UNREAD, assigned_to__isnull=False)
        assigned = dict(unread.order_by().values_list("assigned_to").annotate(Count("pk")))
        rows = [
            {
                "name": one.get_username(),
                "full_name": one.get_full_name(),
                "roles": sorted(one.roles().get(organization.pk, set())),
                "assigned": assigned.get(one.pk, 0),
            }
            for one in people.prefetch_related("memberships")
        ]
        return Response({"readers": rows})
