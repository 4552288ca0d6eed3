"""`/api/me/`: who is signed in, and what they may do where."""

from __future__ import annotations

import base64

from django.utils.crypto import salted_hmac
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import UPLOAD_ROLES, Organization, User
from viewer.api import shapes
from viewer.api.doors import Door


def journal_key(person: User) -> str:
    """Base64 of the 32 bytes with which a page seals what it keeps in the browser until it is stored here. The same at every
    sign-in, so that it can be read then, and given to sessions alone."""
    return base64.b64encode(salted_hmac("farview.journal", str(person.pk), algorithm="sha256").digest()).decode()


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
                "journal_key": "" if getattr(request, "api_token", None) else journal_key(request.user),
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
