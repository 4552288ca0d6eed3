"""`/api/worklist/filters/`: named questions to the worklist."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import READING_ROLES, User
from reporting.api import worklist_shapes as told
from reporting.api.worklist_doors import MOST_ID, WorklistDoor, body_of, number, organization_as, person, text
from reporting.models import SavedFilter
from reporting.worklist import filters
from reporting.worklist.events import shown
from viewer.api import shapes
from viewer.archive.query import NotFound

POSITION = 10_000


class Filters(WorklistDoor):
    """`GET` and `POST /api/worklist/filters/`"""

    @extend_schema(
        operation_id="worklist_filters",
        summary="Your saved filters, and those that were shared with you",
        responses={200: told.FilterList, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND},
    )
    def get(self, request: Request) -> Response:
        user = person(request)
        return Response({"filters": [filter_row(one, user) for one in filters.of_user(user)]})

    @extend_schema(
        operation_id="worklist_filter_save",
        summary="Keep a question to the worklist under a name",
        description="A name that you have already gets the new question.",
        request=told.NewFilter,
        responses={201: told.SavedFilterShape, **told.REFUSALS},
    )
    def post(self, request: Request) -> Response:
        body = body_of(request, ("name", "query", "shared_with", "position"))
        user, named = person(request), text(body, "shared_with", 64)
        organization = organization_as(request, READING_ROLES, named) if named else None
        position = min(number(body, "position") or 0, POSITION)
        made = filters.save(user, text(body, "name", 100), body.get("query", {}), organization, position)
        return Response(filter_row(made, user), status=201)


class FilterDoor(WorklistDoor):
    """`DELETE /api/worklist/filters/{id}/`"""

    @extend_schema(
        operation_id="worklist_filter_delete",
        summary="Forget a filter of yours",
        parameters=[OpenApiParameter("filter_id", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses={
            204: OpenApiResponse(description="It is gone."),
            401: shapes.NO_ACCESS,
            404: shapes.NOT_FOUND,
        },
    )
    def delete(self, request: Request, filter_id: int) -> Response:
        if filter_id > MOST_ID:
            raise NotFound("there is no such filter of yours")
        filters.drop(person(request), filter_id)
        return Response(status=204)

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._own(request, kwargs["filter_id"])
        return super().http_method_not_allowed(request, *args, **kwargs)

    def _own(self, request: Request, filter_id: int) -> None:
        """Raises NotFound."""
        own = SavedFilter.objects.filter(owner=person(request))
        if filter_id > MOST_ID or not own.filter(pk=filter_id).exists():
            raise NotFound("there is no such filter of yours")


def filter_row(one: SavedFilter, user: User) -> dict[str, Any]:
    return {
        "id": one.pk,
        "name": one.name,
        "query": one.query,
        "shared_with": one.organization.name if one.organization else None,
        "owner": {"name": shown(one.owner), "mine": one.owner_id == user.pk},
        "position": one.position,
    }
