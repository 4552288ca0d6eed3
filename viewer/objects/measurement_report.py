"""Measurements as a structured report: TID 1500 "Measurement Report" (PS3.16) in a Comprehensive 3D SR, or a Comprehensive SR
where nothing lies in the patient (PS3.3 A.35.13, A.35.3).

Lines follow TID 1501, each number inferred from its own line; regions and single points follow TID 1410. What lies in
the patient is written in LPS mm (SCOORD3D), and beside it, where it was drawn on an acquired image, in that image's own
pixels (SCOORD).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import Comprehensive3DSRStorage, ComprehensiveSRStorage

from . import codes
from .content import (
    CONTAINS,
    CONTEXT,
    INFERRED,
    MODIFIES,
    PROPERTY,
    SELECTED,
    Code,
    coded,
    container,
    coordinates,
    image,
    number,
    person,
    text,
    uid_ref,
)
from .header import DEVICE, MANUFACTURER, MODEL, Reference, evidence

Points = Sequence[Sequence[float]]
Drawn = tuple[str, list[list[float]]]
"""Graphic type, and its points."""


@dataclass(frozen=True, slots=True)
class OnImage:
    """Where a measurement lies on an acquired image."""

    of: Reference
    frame_number: int | None
    """None where the object has one frame."""
    points: Points
    """[column, row] of the stored frame, pixel centres at whole numbers."""


@dataclass(frozen=True, slots=True)
class InPatient:
    """Where a measurement lies in the patient."""

    frame_of_reference_uid: str
    points: Points
    """LPS mm."""
    axes: tuple[Sequence[float], Sequence[float]]
    """Directions in which its picture's columns and rows were counted: boxes have their sides along them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One measurement to be written."""

    uid: str
    identifier: str
    """What a person calls it."""
    kind: str
    label: str
    observer: str
    """family^given"""
    values: dict[str, Any]
    series_instance_uid: str
    notes: Sequence[str] = ()
    on_image: OnImage | None = None
    in_patient: InPatient | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that is written into one object."""

    marks: Sequence[Mark]
    modalities: Sequence[str]
    predecessor: Reference | None = None


def sop_class(marks: Iterable[Mark]) -> str:
    """Of the object that can hold these."""
    return str(Comprehensive3DSRStorage if any(mark.in_patient for mark in marks) else ComprehensiveSRStorage)


def write(d: Dataset, report: Report) -> None:
    """Add the SR Document Series, SR Document General and SR Document Content modules to an object that was begun."""
    root = container("", codes.REPORT, _content(report), template="1500")
    d.update(root)
    d.CompletionFlag, d.VerificationFlag = "COMPLETE", "UNVERIFIED"
    d.ReferencedPerformedProcedureStepSequence = []
    d.PerformedProcedureCodeSequence = []
    images = [mark.on_image.of for mark in report.marks if mark.on_image is not None]
    if images:
        d.CurrentRequestedProcedureEvidenceSequence = evidence(images)
    if report.predecessor is not None:
        d.PredecessorDocumentsSequence = evidence([report.predecessor])
    scheme = Dataset()
    scheme.CodingSchemeDesignator, scheme.CodingSchemeName = codes.OWN, codes.OWN_NAME
    d.CodingSchemeIdentificationSequence = [scheme]


def _content(report: Report) -> list[Dataset]:
    observers = sorted({mark.observer for mark in report.marks})
    known = {codes.PROCEDURES.get(modality) for modality in report.modalities}
    procedure = known.pop() if len(known) == 1 else None
    found = [
        coded(MODIFIES, codes.LANGUAGE, codes.ENGLISH),
        coded(CONTEXT, codes.OBSERVER_TYPE, codes.DEVICE),
        uid_ref(CONTEXT, codes.DEVICE_UID, DEVICE),
        text(CONTEXT, codes.DEVICE_NAME, MODEL),
        text(CONTEXT, codes.DEVICE_MANUFACTURER, MANUFACTURER),
        text(CONTEXT, codes.DEVICE_MODEL, MODEL),
    ]
    for name in observers:
        found += _observer(name)
    found.append(coded(MODIFIES, codes.PROCEDURE, procedure or codes.IMAGING))
    found.append(container(CONTAINS, codes.MEASUREMENTS, map(_group, report.marks)))
    return found


def _observer(name: str) -> list[Dataset]:
    """Person Observer Identifying Attributes (TID 1003)."""
    return [coded(CONTEXT, codes.OBSERVER_TYPE, codes.PERSON), person(CONTEXT, codes.PERSON_NAME, name)]


def _group(mark: Mark) -> Dataset:
    found = [
        *_observer(mark.observer),
        text(CONTEXT, codes.TRACKING_IDENTIFIER, mark.identifier),
        uid_ref(CONTEXT, codes.TRACKING_UID, mark.uid),
    ]
    finding = codes.FINDINGS.get(mark.label.casefold())
    if finding is not None:
        found.append(coded(CONTAINS, codes.FINDING, finding))
    if mark.label:
        found.append(text(CONTAINS, codes.COMMENT, mark.label))
    found += [text(CONTAINS, codes.COMMENT, note) for note in mark.notes]
    region = mark.kind in REGIONS
    if region or not _numbers(mark):
        found += _places(mark, CONTAINS, codes.REGION if region else codes.PATH)
    found += [_number(mark, name) for name in _numbers(mark)]
    if mark.on_image is None:
        found.append(uid_ref(CONTAINS, codes.SERIES, mark.series_instance_uid))
    return container(CONTAINS, codes.GROUP, found, template="1410" if region else "1501")


REGIONS = {"probe", "ellipse", "rectangle", "freehand", "polygon", "text"}
"""Kinds whose coordinates are a region or a point that all its numbers are about."""


def _numbers(mark: Mark) -> list[str]:
    return [name for name in mark.values if name not in ("x", "y", "z")]


def _number(mark: Mark, name: str) -> Dataset:
    said = mark.values[name]
    concept, derivation = _concept(mark.kind, name, said["unit"])
    inside = [coded(MODIFIES, codes.DERIVATION, derivation)] if derivation else []
    if said.get("source"):
        inside.append(text(PROPERTY, codes.SOURCE, str(said["source"])))
    if mark.kind not in REGIONS:
        inside += _places(mark, INFERRED, codes.PATH, name)
    elif mark.in_patient is not None and mark.on_image is not None and name == _numbers(mark)[0]:
        inside += _on_image(mark, INFERRED, codes.REGION)
    return number(concept, float(said["value"]), codes.unit_code(said["unit"]), inside)


def _concept(kind: str, name: str, unit: str) -> tuple[Code, Code | None]:
    """What a number is, and how it was derived from values."""
    if kind == "cobb" and name == "angle":
        return codes.COBB, None
    if name in codes.CONCEPTS:
        return codes.CONCEPTS[name], None
    suv, _, derived = name.partition("_") if name.startswith("suv") else ("", "", name)
    concept = codes.SUV if suv else codes.VALUES.get(unit, codes.VALUE)
    if name in ("value", "suv"):
        return concept, None
    if derived in codes.DERIVATIONS:
        return concept, codes.DERIVATIONS[derived]
    return (name[:16], codes.OWN, name.replace("_", " ")), None


# --- coordinates


def _places(mark: Mark, relationship: str, concept: Code, name: str = "") -> list[Dataset]:
    """The lines that a number is about: in the patient, then on the image. A region is said once, here in the patient."""
    found = _in_patient(mark, relationship, concept, name)
    if not found or mark.kind not in REGIONS:
        found += _on_image(mark, relationship, concept, name)
    return found


def _in_patient(mark: Mark, relationship: str, concept: Code, name: str = "") -> list[Dataset]:
    place, found = mark.in_patient, []
    if place is None:
        return []
    for graphic, points in drawn(mark.kind, place.points, name, place.axes):
        one = coordinates(relationship, concept, graphic, points)
        one.ReferencedFrameOfReferenceUID = place.frame_of_reference_uid
        found.append(one)
    return found


def _on_image(mark: Mark, relationship: str, concept: Code, name: str = "") -> list[Dataset]:
    place = mark.on_image
    if place is None:
        return []
    selected = [image(SELECTED, place.of, place.frame_number)]
    return [
        coordinates(relationship, concept, graphic, [[c + 0.5, r + 0.5] for c, r in points], selected)
        for graphic, points in drawn(mark.kind, place.points, name)
    ]


def drawn(kind: str, points: Points, name: str = "", axes: Any = ((1.0, 0.0), (0.0, 1.0))) -> list[Drawn]:
    """What was drawn as graphic types of PS3.3 C.18.6.1.1 and C.18.9.1.1; of two diameters the one that `name` is about."""
    given = [list(map(float, point)) for point in points]
    flat = len(given[0]) == 2
    if len(given) == 1:
        return [("POINT", given)]
    if kind == "ellipse":
        return [("ELLIPSE", _ellipse(given, axes))]
    if kind in ("rectangle", "freehand", "polygon"):
        corners = _corners(given, axes) if kind == "rectangle" else given
        return [("POLYLINE" if flat else "POLYGON", [*corners, corners[0]])]
    if len(given) == 4 and kind in ("bidirectional", "cobb", "angle"):
        lines = [given[:2], given[2:]]
        if kind == "bidirectional" and name in ("long", "short"):
            lines.sort(key=lambda line: math.dist(*line), reverse=name == "long")
            lines = lines[:1]
        return [("POLYLINE", line) for line in lines]
    return [("POLYLINE", given)]


def _corners(points: list[list[float]], axes: Any) -> list[list[float]]:
    """Of the box from one corner to the opposite one."""
    (a, b), row = points, axes[0]
    along = sum((q - p) * step for p, q, step in zip(a, b, row, strict=True))
    across = [p + along * step for p, step in zip(a, row, strict=True)]
    down = [q - along * step for q, step in zip(b, row, strict=True)]
    return [a, across, b, down]


def _ellipse(points: list[list[float]], axes: Any) -> list[list[float]]:
    """Ends of the longer axis, then of the other."""
    if len(points) == 2:
        a, across, b, down = _corners(points, axes)
        sides = ((a, down), (across, b), (a, across), (down, b))
        points = [[(p + q) / 2.0 for p, q in zip(*side, strict=True)] for side in sides]
    one, other = points[:2], points[2:]
    return [*one, *other] if math.dist(*one) >= math.dist(*other) else [*other, *one]
