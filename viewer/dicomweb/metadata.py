"""Metadata and bulk data of WADO-RS (PS3.18 10.4.1.1.2, 10.4.1.1.5), and the capabilities (PS3.18 8.9)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from viewer.dicomweb.doors import DicomWebDoor


class Metadata(DicomWebDoor):
    """`.../metadata` of a study, a series, an instance."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)


class BulkData(DicomWebDoor):
    """`.../bulkdata/{path}` of an instance."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)


class Capabilities(DicomWebDoor):
    """`OPTIONS /dicom-web/` and `GET /dicom-web/capabilities`."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)
