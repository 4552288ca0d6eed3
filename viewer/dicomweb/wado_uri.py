"""WADO-URI (PS3.18 9) for clients that know no other."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from viewer.dicomweb.doors import DicomWebDoor


class WadoUri(DicomWebDoor):
    """`/wado?requestType=WADO&...`."""

    async def get(self, request: Request) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)
