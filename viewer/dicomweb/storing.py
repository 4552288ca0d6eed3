"""STOW-RS (PS3.18 10.5)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from viewer.dicomweb.doors import DicomWebDoor


class Store(DicomWebDoor):
    """`POST /studies` and `/studies/{study}`."""

    async def post(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)
