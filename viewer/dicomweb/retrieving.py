"""Objects and frames by WADO-RS (PS3.18 10.4), and WADO-URI (PS3.18 9)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from viewer.dicomweb.doors import DicomWebDoor


class Retrieve(DicomWebDoor):
    """A study, a series or an instance as multipart/related of DICOM files."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)


class Frames(DicomWebDoor):
    """`.../frames/{list}`."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)


class WadoUri(DicomWebDoor):
    """`/wado?requestType=WADO&...`."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)
