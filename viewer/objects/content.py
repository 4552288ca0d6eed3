"""Content items of structured reports (PS3.3 C.17.3), made and read.

Items are `pydicom` data sets. Codes are (value, scheme, meaning); where they are compared only value and scheme count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pydicom.dataset import Dataset
from pydicom.valuerep import PersonName

from .header import Reference, code, decimal, referenced_sop

Code = tuple[str, str, str]

CONTAINS, MODIFIES, CONTEXT = "CONTAINS", "HAS CONCEPT MOD", "HAS OBS CONTEXT"
PROPERTY, INFERRED, SELECTED = "HAS PROPERTIES", "INFERRED FROM", "SELECTED FROM"

DIMENSIONS = {"SCOORD": 2, "SCOORD3D": 3}


# --- making


def item(relationship: str, kind: str, concept: Code | None, children: Iterable[Dataset] = ()) -> Dataset:
    """An item of any kind; its value is the caller's."""
    d = Dataset()
    if relationship:
        d.RelationshipType = relationship
    d.ValueType = kind
    if concept is not None:
        d.ConceptNameCodeSequence = [code(*concept)]
    inside = list(children)
    if inside:
        d.ContentSequence = inside
    return d


def container(
    relationship: str, concept: Code, children: Iterable[Dataset], template: str = "", continuity: str = "SEPARATE"
) -> Dataset:
    """`template`: its number in PS3.16, where it follows one."""
    d = item(relationship, "CONTAINER", concept, children)
    d.ContinuityOfContent = continuity
    if template:
        named = Dataset()
        named.MappingResource, named.MappingResourceUID, named.TemplateIdentifier = (
            "DCMR",
            "1.2.840.10008.8.1.1",
            template,
        )
        d.ContentTemplateSequence = [named]
    return d


def text(relationship: str, concept: Code, value: str) -> Dataset:
    d = item(relationship, "TEXT", concept)
    d.TextValue = value
    return d


def coded(relationship: str, concept: Code, value: Code, children: Iterable[Dataset] = ()) -> Dataset:
    d = item(relationship, "CODE", concept, children)
    d.ConceptCodeSequence = [code(*value)]
    return d


def uid_ref(relationship: str, concept: Code, value: str) -> Dataset:
    d = item(relationship, "UIDREF", concept)
    d.UID = value
    return d


def person(relationship: str, concept: Code, value: str) -> Dataset:
    """`value` as DICOM writes names: family^given."""
    d = item(relationship, "PNAME", concept)
    d.PersonName = PersonName(value)
    return d


def number(concept: Code, value: float, unit: Code, children: Iterable[Dataset] = ()) -> Dataset:
    """A NUM with the number as text and as it was computed."""
    measured = Dataset()
    measured.NumericValue = decimal(value)
    measured.FloatingPointValue = value
    measured.MeasurementUnitsCodeSequence = [code(*unit)]
    d = item(CONTAINS, "NUM", concept, children)
    d.MeasuredValueSequence = [measured]
    return d


def image(relationship: str, of: Reference, frame_number: int | None, concept: Code | None = None) -> Dataset:
    d = item(relationship, "IMAGE", concept)
    d.ReferencedSOPSequence = [referenced_sop(of.sop_instance_uid, of.sop_class_uid, frame_number)]
    return d


def coordinates(
    relationship: str, concept: Code, graphic: str, points: Sequence[Sequence[float]], children: Iterable[Dataset] = ()
) -> Dataset:
    """An SCOORD of [column, row] (0, 0 being the corner of the first pixel), or an SCOORD3D of [x, y, z] in LPS mm."""
    d = item(relationship, "SCOORD" if len(points[0]) == 2 else "SCOORD3D", concept, children)
    d.GraphicType = graphic
    d.GraphicData = [float(number) for point in points for number in point]
    return d


# --- reading


def children(of: Dataset) -> list[Dataset]:
    return list(of.get("ContentSequence") or [])


def walk(of: Dataset, deepest: int = 12) -> Iterator[Dataset]:
    """All items below one, in order; what is nested deeper than anybody writes is left out."""
    if deepest:
        for one in children(of):
            yield one
            yield from walk(one, deepest - 1)


def concept_of(of: Dataset) -> Code:
    return first_code(of.get("ConceptNameCodeSequence"))


def value_code(of: Dataset) -> Code:
    return first_code(of.get("ConceptCodeSequence"))


def first_code(sequence: Sequence[Dataset] | None) -> Code:
    """("", "", "") where there is none."""
    if not sequence:
        return "", "", ""
    one = sequence[0]
    value = one.get("CodeValue") or one.get("LongCodeValue") or one.get("URNCodeValue") or ""
    return str(value), str(one.get("CodingSchemeDesignator", "")), str(one.get("CodeMeaning", ""))


def is_concept(of: Dataset, *concepts: Code) -> bool:
    return concept_of(of)[:2] in {concept[:2] for concept in concepts}


def points_of(of: Dataset) -> list[list[float]]:
    """Of an SCOORD or SCOORD3D; empty where its numbers do not make points."""
    flat = [float(one) for one in _many(of.get("GraphicData"))]
    count = DIMENSIONS[str(of.ValueType)]
    if not flat or len(flat) % count:
        return []
    return [flat[start : start + count] for start in range(0, len(flat), count)]


def referenced(of: Dataset) -> tuple[str, str, int | None]:
    """(SOP Class UID, SOP Instance UID, frame number or None) of an IMAGE or COMPOSITE item."""
    sequence = of.get("ReferencedSOPSequence") or []
    if not sequence:
        return "", "", None
    one = sequence[0]
    frames = _many(one.get("ReferencedFrameNumber"))
    uids = str(one.get("ReferencedSOPClassUID", "")), str(one.get("ReferencedSOPInstanceUID", ""))
    return *uids, int(frames[0]) if frames else None


def _many(value: object) -> list[float]:
    if value is None or value == "":
        return []
    if isinstance(value, int | float | str):
        return [float(value)]
    return [float(one) for one in value]  # type: ignore[attr-defined]
