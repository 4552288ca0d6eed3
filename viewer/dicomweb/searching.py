"""QIDO-RS (PS3.18 10.6)."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from viewer.dicomweb.doors import DicomWebDoor


class Search(DicomWebDoor):
    """Answers a search."""

    async def get(self, request: Request, **uids: str) -> Response:
        return Response({"detail": "Not answered yet."}, status=501)


class SearchStudies(Search):
    """`/studies`."""


class SearchSeries(Search):
    """`/series`, `/studies/{study}/series`."""


class SearchInstances(Search):
    """`/instances`, `/studies/{study}/instances`, `/studies/{study}/series/{series}/instances`."""
