"""`/api/me/`: who is signed in, and what they may do where."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import UPLOAD_ROLES, Organization
from viewer.api import shapes
from viewer.api.doors import Door


class Me(Door):
    """The person who asks."""

    @extend_schema(operation_id="me", summary="Who is signed in", responses={200: shapes.Person, 401: shapes.NO_ACCESS})
    def get(self, request: Request) -> Response:
        roles = request.user.roles()
        organizations = Organization.objects.filter(pk__in=roles).order_by("name")
        return Response(
            {
                "name": request.user.get_username(),
                "full_name": request.user.get_full_name(),
                "organizations": [
                    {
                        "name": organization.name,
                        "title": str(organization),
                        "roles": sorted(roles[organization.pk]),
                        "may_upload": bool(roles[organization.pk] & set(UPLOAD_ROLES)),
                    }
                    for organization in organizations
                ],
            }
        )
