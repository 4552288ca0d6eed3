"""What of a report was filed as DICOM objects: the very bytes, kept with their delivery."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pydicom

from reporting.delivery.to_archive import unpacked
from reporting.evidence.blobs import bytes_of
from reporting.models import Delivery, Report
from viewer.objects import key_object
from viewer.objects.header import Reference

DOCUMENTS = {"sr": "structured report", "dicom-pdf": "encapsulated pdf"}
"""Kind of `reporting.exports` -> its name among the objects."""
NOTE = "rejection note"
OBJECTS = ("archive", "dicom")
"""Kinds of destinations that are sent these objects."""
_UIDS = ["SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"]


def made_before(report_id: int, version: int) -> bytes | None:
    """The objects of a version as they were made for whichever destination came first; None: for none yet."""
    rows = Delivery.objects.filter(report=report_id, report_version__number=version, destination__kind__in=OBJECTS)
    first = rows.exclude(payload=None).select_related("payload").order_by("id").first()
    return bytes_of(first.payload) if first is not None and first.payload is not None else None


def document(report_id: int, version: int, kind: str) -> bytes | None:
    """A version's document, or the note in its place; None: it is no object, or none was made yet. Raises OSError."""
    objects = made_before(report_id, version) if kind in DOCUMENTS else None
    if objects is None:
        return None
    found = dict(unpacked(objects))
    return found.get(DOCUMENTS[kind]) or (found.get(NOTE) if kind == "sr" else None)


def references(report: Report, before: int) -> tuple[Reference, ...]:
    """Documents, presentation states and pictures of versions before this one that lie in the archive."""
    rows = Delivery.objects.filter(report=report, destination__kind="archive", state="acknowledged")
    rows = rows.filter(report_version__number__lt=before).exclude(payload=None).select_related("payload")
    found: dict[str, Reference] = {}
    for delivery in rows.order_by("report_version__number", "id"):
        for one in _read(bytes_of(delivery.payload) if delivery.payload is not None else b""):
            if one.sop_class_uid != key_object.SOP_CLASS:
                found[one.sop_instance_uid] = one
    return tuple(found.values())


def _read(objects: bytes) -> Iterator[Reference]:
    for _, data in unpacked(objects):
        header = pydicom.dcmread(io.BytesIO(data), specific_tags=[*_UIDS, "StudyInstanceUID"])
        yield Reference(
            str(header.StudyInstanceUID),
            str(header.SeriesInstanceUID),
            str(header.SOPClassUID),
            str(header.SOPInstanceUID),
        )
