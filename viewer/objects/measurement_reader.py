"""Measurements out of a structured report, whoever wrote it: the measurement groups of TID 1500 (PS3.16).

Numbers are given as the report states them, never computed again. What one group gets wrong hides none of the others.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    EnhancedSRStorage,
    ExtensibleSRStorage,
)

from . import codes
from .content import (
    Code,
    children,
    concept_of,
    first_code,
    is_concept,
    points_of,
    referenced,
    value_code,
    walk,
)

logger = logging.getLogger(__name__)

CLASSES = frozenset(
    map(str, (EnhancedSRStorage, ComprehensiveSRStorage, Comprehensive3DSRStorage, ExtensibleSRStorage))
)
"""SOP classes that may hold measurement groups."""
MOST_GROUPS = 2000
MOST_POINTS = 2000

Points = list[list[float]]
_FAULTS = (AttributeError, IndexError, KeyError, TypeError, ValueError, NotImplementedError)


@dataclass(slots=True)
class Found:
    """One measurement group."""

    tracking_uid: str = ""
    label: str = ""
    observer: str = ""
    kind: str = ""
    space: str = "image"
    """"patient": `points` are LPS mm. "image": [column, row] of the frame, pixel centres at whole numbers."""
    points: Points = field(default_factory=list)
    frame_of_reference_uid: str = ""
    sop_instance_uid: str = ""
    """The image that it refers to first."""
    frame_number: int | None = None
    series_instance_uid: str = ""
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """What a report says."""

    sop_instance_uid: str
    written: str
    """Content date and time as stored, for putting reports in order."""
    predecessors: frozenset[str]
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class _Shape:
    graphic: str
    points: Points
    names: tuple[str, ...]
    """Of the numbers that were inferred from it."""


def read(path: Path) -> Document | None:
    """The measurements of the report at `path`; None where it is no report that can be read."""
    try:
        dataset = pydicom.dcmread(path, force=True)
        groups = [one for one in walk(dataset) if one.get("ValueType") == "CONTAINER" and is_concept(one, codes.GROUP)]
        observer = _observer(children(dataset)) or _device(children(dataset)) or "unknown"
        series = _series_of_images(dataset)
    except Exception:  # whatever a file is made of, nobody's reading stops at it
        logger.warning("a structured report could not be read", exc_info=True)
        return None
    found = []
    for group in groups[:MOST_GROUPS]:
        try:
            found.append(_group(group, observer, series))
        except _FAULTS:
            logger.warning("a measurement group of a structured report could not be read", exc_info=True)
    return Document(
        sop_instance_uid=str(dataset.get("SOPInstanceUID", "")),
        written=f"{dataset.get('ContentDate', '')}{dataset.get('ContentTime', '')}",
        predecessors=frozenset(_predecessors(dataset)) - {""},
        found=tuple(one for one in found if one.values or one.points),
    )


def _group(group: Dataset, observer: str, series: dict[str, str]) -> Found:
    items = children(group)
    found = Found(observer=_observer(items) or observer)
    source = f"from SR by {found.observer}"
    for one in items:
        if is_concept(one, codes.TRACKING_UID):
            found.tracking_uid = str(one.get("UID", ""))
        elif is_concept(one, codes.TRACKING_IDENTIFIER):
            found.label = str(one.get("TextValue", ""))
        elif is_concept(one, codes.COMMENT):
            found.notes.append(str(one.get("TextValue", "")))
        elif is_concept(one, codes.SERIES) or concept_of(one)[0] == "121232":  # source series for segmentation
            found.series_instance_uid = found.series_instance_uid or str(one.get("UID", ""))
        elif one.get("ValueType") == "CODE" and one.get("RelationshipType") in ("CONTAINS", "HAS CONCEPT MOD"):
            found.notes.append(f"{concept_of(one)[2]}: {value_code(one)[2]}")
        elif one.get("ValueType") == "NUM":
            _add_number(found, one, source)
    _label(found)
    shapes = list(_shapes(group))
    _draw(found, shapes)
    _refer(found, group, series)
    found.notes = list(dict.fromkeys(note for note in found.notes if note and note != found.label))
    return found


def _label(found: Found) -> None:
    """What a person would call it: some programs put names of their own tools in the tracking identifier."""
    if "@" in found.label and ":" in found.label:
        found.label = ""
    finding = next((note.partition(": ")[2] for note in found.notes if note.startswith("Finding: ")), "")
    found.label = " ".join((found.label or finding).split())[:200]


# --- numbers


def _add_number(found: Found, item: Dataset, source: str) -> None:
    measured = item.get("MeasuredValueSequence") or []
    if not measured:
        return
    value = measured[0].get("FloatingPointValue")
    value = float(measured[0].NumericValue if value is None else value)
    if not math.isfinite(value):
        return
    name = _name_of(item)
    while name in found.values:
        name += "_"
    unit = codes.unit_name(first_code(measured[0].get("MeasurementUnitsCodeSequence")))
    found.values[name] = {"value": value, "unit": unit, "source": source}


def _name_of(item: Dataset) -> str:
    name = codes.concept_name(concept_of(item))
    derivation = next((value_code(one) for one in children(item) if is_concept(one, codes.DERIVATION)), None)
    if derivation is None:
        return name
    derived = codes.derivation_name(derivation)
    return derived if name == "value" else f"{name}_{derived}"


# --- coordinates


def _shapes(group: Dataset) -> Iterator[tuple[Dataset, _Shape]]:
    """Every line, region or point of a group, with the numbers that are about it."""
    for one in children(group):
        names = (_name_of(one),) if one.get("ValueType") == "NUM" else ()
        for item in [one, *walk(one)]:
            if item.get("ValueType") in ("SCOORD", "SCOORD3D"):
                points = points_of(item)
                if 0 < len(points) <= MOST_POINTS and all(map(math.isfinite, (n for p in points for n in p))):
                    yield item, _Shape(str(item.get("GraphicType", "")), points, names)


def _draw(found: Found, shapes: Sequence[tuple[Dataset, _Shape]]) -> None:
    """Kind and points: of what lies in the patient where that is said, else of what lies on an image."""
    solid = [one for one in shapes if one[0].ValueType == "SCOORD3D"]
    chosen = solid or list(shapes)
    if not chosen:
        found.kind = "segment"
        return
    if solid:
        found.space = "patient"
        found.frame_of_reference_uid = str(solid[0][0].get("ReferencedFrameOfReferenceUID", ""))
    distinct: dict[tuple[Any, ...], _Shape] = {}
    for _, shape in chosen:
        key = (shape.graphic, tuple(map(tuple, shape.points)))
        before = distinct.get(key)
        names = (*before.names, *shape.names) if before else shape.names
        distinct[key] = _Shape(shape.graphic, shape.points, names)
    found.kind, points = _kind(list(distinct.values()), set(found.values))
    found.points = points if solid else [[column - 0.5, row - 0.5] for column, row in points]


def _kind(shapes: list[_Shape], names: set[str]) -> tuple[str, Points]:
    lines = [shape for shape in shapes if shape.graphic == "POLYLINE" and len(shape.points) == 2]
    if len(lines) >= 2 and {"long", "short"} <= names:
        lines.sort(key=lambda line: ("long" not in line.names, "short" in line.names))
        return "bidirectional", [*lines[0].points, *lines[1].points]
    if len(lines) >= 2 and "angle" in names:
        return "cobb", [*lines[0].points, *lines[1].points]
    first = shapes[0]
    points = first.points
    if first.graphic == "POINT":
        return ("probe" if names else "arrow"), points[:1]
    if first.graphic == "CIRCLE" and len(points) == 2:
        return "ellipse", _circle(*points)
    if first.graphic in ("ELLIPSE", "ELLIPSOID") and len(points) >= 4:
        return "ellipse", points[:4]
    if first.graphic == "POLYGON" or (len(points) > 3 and points[0] == points[-1]):
        return "freehand", points[:-1] if points[0] == points[-1] else points
    if len(points) == 2:
        return "length", points
    if len(points) == 3 and "angle" in names:
        return "angle", points
    return "polyline", points


def _circle(middle: list[float], edge: list[float]) -> Points:
    """As the ends of two axes (PS3.3 C.18.6.1.1 gives the middle and a point of the circle)."""
    radius, (x, y) = math.dist(middle, edge), middle[:2]
    return [[x - radius, y], [x + radius, y], [x, y - radius], [x, y + radius]]


# --- images


def _refer(found: Found, group: Dataset, series: dict[str, str]) -> None:
    """The image that the group is about: the one under its coordinates, else the first that it names and that is none of a
    segmentation."""
    for one in walk(group):
        if one.get("ValueType") != "IMAGE":
            continue
        if is_concept(one, codes.SEGMENT, codes.SEGMENTATION_FRAME):
            number = one.ReferencedSOPSequence[0].get("ReferencedSegmentNumber", "")
            found.notes.append(f"measured on segment {number} of a segmentation")
            continue
        _, uid, frame = referenced(one)
        if uid and not found.sop_instance_uid:
            found.sop_instance_uid, found.frame_number = uid, frame if frame and 0 < frame < 2**31 else 1
    found.series_instance_uid = series.get(found.sop_instance_uid, found.series_instance_uid)


def _series_of_images(dataset: Dataset) -> dict[str, str]:
    """SOP Instance UID -> Series Instance UID of everything that the report refers to."""
    found = {}
    for name in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence"):
        for study in dataset.get(name) or []:
            for series in study.get("ReferencedSeriesSequence") or []:
                for one in series.get("ReferencedSOPSequence") or []:
                    found[str(one.get("ReferencedSOPInstanceUID", ""))] = str(series.get("SeriesInstanceUID", ""))
    return found


def _predecessors(dataset: Dataset) -> Iterator[str]:
    for study in dataset.get("PredecessorDocumentsSequence") or []:
        for series in study.get("ReferencedSeriesSequence") or []:
            for one in series.get("ReferencedSOPSequence") or []:
                yield str(one.get("ReferencedSOPInstanceUID", ""))


# --- observers


def _observer(items: Sequence[Dataset]) -> str:
    names = [_spoken(str(one.get("PersonName", ""))) for one in items if is_concept(one, codes.PERSON_NAME)]
    return ", ".join(dict.fromkeys(name for name in names if name))


def _device(items: Sequence[Dataset]) -> str:
    wanted: tuple[Code, ...] = (codes.DEVICE_NAME, codes.DEVICE_MODEL, codes.DEVICE_MANUFACTURER)
    for concept in wanted:
        for one in items:
            if is_concept(one, concept) and one.get("TextValue"):
                return str(one.TextValue)
    return ""


def _spoken(name: str) -> str:
    """Given name and family name of a Person Name (PS3.5 6.2.1.2)."""
    parts = [*name.split("=")[0].split("^"), "", ""]
    return " ".join(part for part in (parts[1], parts[0]) if part).strip()
