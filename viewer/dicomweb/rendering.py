"""Rendered pictures and thumbnails (PS3.18 10.4.1.1.3, 10.4.1.1.4)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from viewer.dicomweb.doors import DicomWebDoor


class Rendered(DicomWebDoor):
    """`.../rendered` of a study, series, instance or frames."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)


class Thumbnail(DicomWebDoor):
    """`.../thumbnail` of a study, series, instance or frames."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)
