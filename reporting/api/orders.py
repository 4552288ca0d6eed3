"""`/api/orders/`: what was asked for, entered by hand or come by message."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import audit
from accounts.models import READING_ROLES, Role
from reporting.api import worklist_shapes as told
from reporting.api.worklist_doors import MOST_ID, WorklistDoor, body_of, moment, organization_as, person, text
from reporting.models import Order
from reporting.worklist import orders
from reporting.worklist.orders import COLUMNS, OrderFacts, PatientFacts
from reporting.worklist.telling import whole_order
from viewer.api import shapes
from viewer.archive import rows
from viewer.archive.query import BadQuery, NotFound

ORDERING = (Role.TECHNOLOGIST,)
TIMES = ("requested_at", "scheduled_at")
PATIENT = ("patient_id", "issuer_of_patient_id", "name", "birth_date", "sex")


class Orders(WorklistDoor):
    """`POST /api/orders/`"""

    @extend_schema(
        operation_id="order_place",
        summary="Enter an order",
        description="An order whose filler, placer or accession number is known is brought up to date, not made twice. "
        "Images that are here already are tied to it where the patient agrees.",
        request=told.NewOrder,
        responses={201: told.OrderShape, **told.REFUSALS},
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, ("organization", "patient", "exam_ended_at", *COLUMNS))
        organization = organization_as(request, ORDERING, text(body, "organization", 64))
        facts = OrderFacts(
            organization=organization,
            patient=_patient(body.get("patient")),
            exam_ended_at=moment(body, "exam_ended_at"),
            **columns_of(body),
        )
        placed = orders.place(facts, "technologist", person(request), request)
        return Response(whole_order(_order(request, placed.pk, ORDERING)), status=201)


class OrderDoor(WorklistDoor):
    """`GET` and `PUT /api/orders/{id}/`"""

    @extend_schema(
        operation_id="order",
        summary="One order",
        parameters=[told.ORDER],
        responses={200: told.OrderShape, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND},
    )
    def get(self, request: Request, order_id: int) -> Response:
        order = _order(request, order_id, READING_ROLES)
        rows.patiently(
            lambda: audit.record(
                "order.view",
                actor=person(request),
                request=request,
                organization=order.organization.name,
                patient_id=order.patient.patient_id,
                study_instance_uid=order.study_instance_uid,
                object_uid=f"order {order.pk}",
            )
        )
        return Response(whole_order(order))

    @extend_schema(
        operation_id="order_change",
        summary="Change what an order says",
        description="Fields that are left out stay. The patient is not changed here: images are given to another order "
        "instead (link).",
        parameters=[told.ORDER],
        request=told.ChangedOrder,
        responses={200: told.OrderShape, **told.REFUSALS},
    )
    def put(self, request: Request, order_id: int) -> Response:
        order = _order(request, order_id, ORDERING)
        columns = columns_of(body_of(request, COLUMNS))
        orders.correct(order, columns, person(request), request)
        return Response(whole_order(_order(request, order_id, ORDERING)))


class CancelOrder(WorklistDoor):
    """`POST /api/orders/{id}/cancel/`"""

    @extend_schema(
        operation_id="order_cancel",
        summary="Say that the examination is not wanted any more",
        parameters=[told.ORDER],
        request=told.CancellationAsked,
        responses={200: told.OrderShape, **told.REFUSALS},
    )
    def post(self, request: Request, order_id: int) -> Response:
        order = _order(request, order_id, ORDERING)
        reason = text(body_of(request, ("reason",)), "reason")
        if not reason:
            raise BadQuery("reason", "say why")
        orders.cancel(order, person(request), reason, request)
        return Response(whole_order(_order(request, order_id, ORDERING)))

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        _order(request, kwargs["order_id"], READING_ROLES)
        return super().http_method_not_allowed(request, *args, **kwargs)


def _order(request: Request, order_id: int, roles: tuple[Role, ...]) -> Order:
    """An order of an organization where whoever asks holds one of `roles`. Raises NotFound."""
    here = person(request).organizations_as(roles)
    found = Order.objects.filter(pk=order_id, organization__in=here) if order_id <= MOST_ID else Order.objects.none()
    order = found.select_related("organization", "patient", "item__study__patient").first()
    if order is None:
        raise NotFound("there is no such order")
    return order


def columns_of(body: dict[str, Any]) -> dict[str, Any]:
    """The columns of an order that a body names. Raises BadQuery."""
    found: dict[str, Any] = {name: text(body, name, 4000) for name in COLUMNS if name in body and name not in TIMES}
    return {**found, **{name: moment(body, name) for name in TIMES if name in body}}


def _patient(given: Any) -> PatientFacts:
    if not isinstance(given, dict) or set(given) - set(PATIENT):
        raise BadQuery("patient", f"an object with {', '.join(PATIENT)} is expected")
    return PatientFacts(**{name: text(given, name, 400) for name in PATIENT})
