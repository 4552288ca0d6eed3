"""Identifiers of what is made of a report: the same for the same version of the same report, whoever makes it and how often."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from viewer.objects.header import uid_of

NAMESPACE = uuid.UUID("6c1f1c5e-0a5e-5d0f-9f3e-3d0b7c1a4e52")


def report_object(report_uid: str, version: int, told_since: str = "") -> str:
    """SOP Instance UID of the structured report of one signed version; another once it tells what came after the signature."""
    return str(uid_of("report", report_uid, version, *filter(None, [told_since])))


def rejection_object(report_uid: str, version: int, taken_back: Iterable[str]) -> str:
    """SOP Instance UID of the note that takes back these objects of a report."""
    return str(uid_of("report", report_uid, version, "rejection", *sorted(taken_back)))


def document_object(report_uid: str, version: int, told_since: str = "") -> str:
    """SOP Instance UID of the PDF of one signed version; as with `report_object`."""
    return str(uid_of("report", report_uid, version, "pdf", *filter(None, [told_since])))


def series(report_uid: str, kind: str) -> str:
    """Series Instance UID of all objects of a kind of one report."""
    return str(uid_of("report", report_uid, "series", kind))


def resource(report_uid: str, *names: object) -> str:
    """UUID of a FHIR resource of a report."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, (report_uid, *names)))))


def control_id(report_uid: str, version: int) -> str:
    """MSH-10: at most 20 characters in every version of HL7 (v2.5.1 2.15.9.10)."""
    return uuid.uuid5(NAMESPACE, f"{report_uid}/{version}/hl7").hex[:20].upper()
