"""What the doors of DICOMweb have in common."""

from __future__ import annotations

from viewer.api.doors import AsyncDoor


class DicomWebDoor(AsyncDoor):
    """Described by PS3.18 and the conformance statement, not by the schema of the REST API."""

    schema = None
