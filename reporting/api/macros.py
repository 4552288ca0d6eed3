"""`/api/macros/`: texts behind shortcuts, of a reader or of a site."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from reporting.models import Macro
from reporting.templating import keeping_macros
from reporting.templating.keeping_macros import BadMacro
from reporting.templating.rights import managed_by
from viewer.api import shapes
from viewer.api.doors import Door, data_of
from viewer.archive.query import BadQuery, NotFound


class MacroRow(serializers.Serializer):
    id = serializers.IntegerField()
    shortcut = serializers.CharField()
    spoken_name = serializers.CharField(allow_blank=True)
    text = serializers.CharField(help_text="{shortcut} stands for the text of another macro.")
    mine = serializers.BooleanField(help_text="Your own; they go before a site's of the same shortcut.")
    organization = serializers.CharField(allow_null=True, help_text="The site whose it is; null: yours.")
    may_change = serializers.BooleanField()


class MacroList(serializers.Serializer):
    macros = MacroRow(many=True)


class NewMacro(serializers.Serializer):
    shortcut = serializers.CharField(max_length=32, help_text="2 characters or more, without spaces.")
    text = serializers.CharField(max_length=keeping_macros.TEXT, trim_whitespace=False)
    spoken_name = serializers.CharField(required=False, allow_blank=True, max_length=keeping_macros.SPOKEN)
    organization = serializers.CharField(
        required=False, allow_null=True, max_length=64, help_text="A site that you administer: for all who read there."
    )


class Macros(Door):
    """`GET` and `POST /api/macros/`"""

    @extend_schema(
        operation_id="macros",
        summary="Your macros and those of your sites",
        responses={200: MacroList, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND},
    )
    def get(self, request: Request) -> Response:
        user = request.user
        return Response({"macros": [row(one, user) for one in keeping_macros.macros_for(user)]})

    @extend_schema(
        operation_id="macro_save",
        summary="Keep a macro",
        description="One of yours (or of the site) with this shortcut gets the new text.",
        request=NewMacro,
        responses={200: MacroRow, 201: MacroRow, 400: shapes.BAD, 401: shapes.NO_ACCESS, 404: shapes.NOT_FOUND},
    )
    def post(self, request: Request) -> Response:
        body = NewMacro(data=data_of(request))
        if not body.is_valid():
            name, said = next(iter(body.errors.items()))
            raise BadQuery(str(name), " ".join(map(str, said)))
        asked = body.validated_data
        organization = None
        if asked.get("organization"):
            organization = managed_by(request.user).filter(name=asked["organization"]).first()
            if organization is None:
                raise NotFound("there is no such organization")
        try:
            made, new = keeping_macros.keep(
                request.user, organization, asked["shortcut"], asked["text"], asked.get("spoken_name", ""), request
            )
        except BadMacro as problem:
            raise BadQuery(problem.field, str(problem).partition(": ")[2]) from None
        return Response(row(made, request.user), status=201 if new else 200)


class MacroDoor(Door):
    """`DELETE /api/macros/{id}/`"""

    @extend_schema(
        operation_id="macro_delete",
        summary="Delete a macro",
        parameters=[OpenApiParameter("macro_id", OpenApiTypes.INT, OpenApiParameter.PATH)],
        responses={
            204: OpenApiResponse(description="It is gone."),
            401: shapes.NO_ACCESS,
            404: shapes.NOT_FOUND,
        },
    )
    def delete(self, request: Request, macro_id: int) -> Response:
        keeping_macros.drop(request.user, self._changeable(request, macro_id), request)
        return Response(status=204)

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self._changeable(request, kwargs["macro_id"])
        return super().http_method_not_allowed(request, *args, **kwargs)

    def _changeable(self, request: Request, macro_id: int) -> Macro:
        found = keeping_macros.macros_for(request.user).filter(pk=macro_id).first() if macro_id < 2**63 else None
        if found is None or not keeping_macros.may_change(request.user, found):
            raise NotFound("there is no such macro of yours")
        return found


def row(one: Macro, user: User) -> dict[str, Any]:
    return {
        "id": one.pk,
        "shortcut": one.shortcut,
        "spoken_name": one.spoken_name,
        "text": one.text,
        "mine": one.owner_id == user.pk,
        "organization": one.organization.name if one.organization else None,
        "may_change": keeping_macros.may_change(user, one),
    }
