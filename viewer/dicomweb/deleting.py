"""Taking studies, series and instances out of sight, for administrators (DELETE on their resources)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from viewer.dicomweb.doors import DicomWebDoor


class Delete(DicomWebDoor):
    """`DELETE` of a study, a series or an instance."""

    async def delete(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)
