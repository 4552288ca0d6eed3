"""A structured report of any template as a tree that a person can read (PS3.3 C.17.3).

Nothing in the file is followed: relationships by reference are named, never walked, so that no report can lead in circles.
All text is plain text. What is too much is left out, and `notes` say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import document_tags as said
from . import tags, values
from .documents import code_meaning, evidence_series, line
from .elements import Dataset
from .header import opened
from .limits import Limits

Json = dict[str, Any]

MOST_ITEMS = 20_000
MOST_CHARACTERS = 2_000_000
"""Of all texts of a report together."""
MOST_TEXT = 65_536
"""Of one text."""
MOST_POINTS = 2_000
"""Of one set of coordinates."""
MOST_FRAMES = 1_000
"""Of one reference."""
DEPTH = 100


@dataclass(slots=True)
class _Reading:
    """What one report has taken so far."""

    evidence: dict[str, tuple[str, str]]
    items: int = 0
    characters: int = 0
    notes: dict[str, None] = field(default_factory=dict)

    def text(self, text: str) -> str:
        """The text, or as much of it as there is still room for."""
        room = max(0, min(MOST_TEXT, MOST_CHARACTERS - self.characters))
        if len(text) > room:
            self.notes["Some texts were too long and were cut."] = None
            text = text[:room]
        self.characters += len(text)
        return text


@dataclass(frozen=True, slots=True)
class Report:
    """A report's title, what is said of it as a whole, and its content items."""

    title: str
    concept: tuple[str, str]
    """Value and scheme of the title's code."""
    facts: tuple[tuple[str, str], ...]
    """(what, value), for a person."""
    tree: Json
    notes: tuple[str, ...]


def read_report(path: Path, limits: Limits) -> Report:
    """The report in this file. Raises Refused, NotDicom, OSError."""
    with opened(path, limits, said.READ) as header:
        root = header.dataset
        reading = _Reading(evidence_series(header))
        tree = _tree(root, reading)
        title = code_meaning(root, said.CONCEPT_NAME_CODE_SEQUENCE) or line(root, tags.SERIES_DESCRIPTION)
        return Report(title, concept_of(root), tuple(_facts(root, reading)), tree, tuple(reading.notes))


def concept_of(item: Dataset) -> tuple[str, str]:
    """Value and scheme of a content item's concept name."""
    for code in item.items(said.CONCEPT_NAME_CODE_SEQUENCE)[:1]:
        return _code_value(code), line(code, said.CODING_SCHEME_DESIGNATOR)
    return "", ""


def _code_value(code: Dataset) -> str:
    found = (line(code, tag) for tag in (said.CODE_VALUE, said.LONG_CODE_VALUE, said.URN_CODE_VALUE))
    return next((text for text in found if text), "")


# --- the tree


def _tree(root: Dataset, reading: _Reading) -> Json:
    """The content items, each `{"type", "name", ...}` with its `children`; a stack of our own, for files may nest."""
    top = _node(root, reading)
    waiting = [(root, top, 0)]
    while waiting:
        item, node, depth = waiting.pop()
        children = item.items(said.CONTENT_SEQUENCE)
        if not children:
            continue
        if depth >= DEPTH:
            reading.notes["The report nests too deeply; the innermost parts were left out."] = None
            continue
        room = max(0, MOST_ITEMS - reading.items)
        if len(children) > room:
            reading.notes[f"The report has more than {MOST_ITEMS:,} items; the rest was left out."] = None
        pairs = [(child, _node(child, reading), depth + 1) for child in children[:room]]
        node["children"] = [made for _, made, _ in pairs]
        waiting += reversed(pairs)
    return top


def _node(item: Dataset, reading: _Reading) -> Json:
    reading.items += 1
    kind = values.code(item, said.VALUE_TYPE)[:16]
    node: Json = {"type": _TYPES.get(kind, "other"), "name": code_meaning(item, said.CONCEPT_NAME_CODE_SEQUENCE)}
    code, scheme = concept_of(item)
    if code:
        node["concept"] = {"value": code, "scheme": scheme}
    relationship = values.code(item, said.RELATIONSHIP_TYPE)[:32]
    if relationship:
        node["relationship"] = relationship.lower()
    if not kind and said.REFERENCED_CONTENT_ITEM_IDENTIFIER in item:
        place = values.numbers(item, said.REFERENCED_CONTENT_ITEM_IDENTIFIER, "UL")[:DEPTH]
        node |= {"type": "by_reference", "value": ".".join(f"{number:.0f}" for number in place)}
    read = _READ.get(kind)
    if read is not None:
        node |= read(item, reading)
    elif kind and kind not in _TYPES:
        node["value"] = f"({kind.lower()}: not shown)"
    node["name"] = reading.text(node["name"])
    return node


def _text(item: Dataset, reading: _Reading) -> Json:
    element = item.elements.get(said.TEXT_VALUE)
    if element is not None and element.length > MOST_TEXT:
        reading.notes["Some texts were too long and were cut."] = None
    lines = (part.rstrip() for part in values.text(item, said.TEXT_VALUE).split("\n"))
    return {"value": reading.text("\n".join(lines))}


def _coded(item: Dataset, reading: _Reading) -> Json:
    node: Json = {"value": reading.text(code_meaning(item, said.CONCEPT_CODE_SEQUENCE))}
    for code in item.items(said.CONCEPT_CODE_SEQUENCE)[:1]:
        node["code"] = {"value": _code_value(code), "scheme": line(code, said.CODING_SCHEME_DESIGNATOR)}
    return node


def _number(item: Dataset, reading: _Reading) -> Json:
    """A number as the file writes it, with its unit; without one the reason (PS3.3 C.18.1)."""
    qualifier = code_meaning(item, said.NUMERIC_VALUE_QUALIFIER_CODE_SEQUENCE)
    node: Json = {"value": "", "unit": ""}
    for measured in item.items(said.MEASURED_VALUE_SEQUENCE)[:1]:
        node = {"value": line(measured, said.NUMERIC_VALUE)[:32], "unit": _unit(measured)}
    if qualifier:
        node["qualifier"] = reading.text(qualifier)
    return node


def _unit(measured: Dataset) -> str:
    """The unit as it is written: the UCUM code, but the meaning of one that only counts or says nothing in itself."""
    for code in measured.items(said.MEASUREMENT_UNITS_CODE_SEQUENCE)[:1]:
        value, meaning = _code_value(code), line(code, said.CODE_MEANING)
        if value in ("1", "{no units}", "no units"):
            return ""
        if "{" in value or line(code, said.CODING_SCHEME_DESIGNATOR) != "UCUM":
            return (meaning or value)[:64]
        return value[:64]
    return ""


def _person(item: Dataset, reading: _Reading) -> Json:
    return {"value": reading.text(values.name(item, said.PERSON_NAME))}


def _date(item: Dataset, reading: _Reading) -> Json:
    return {"value": written_date(line(item, said.DATE)[:64])}


def _time(item: Dataset, reading: _Reading) -> Json:
    return {"value": written_time(line(item, said.TIME)[:64])}


def _date_time(item: Dataset, reading: _Reading) -> Json:
    return {"value": written_date_time(line(item, said.DATE_TIME)[:64])}


def _uid(item: Dataset, reading: _Reading) -> Json:
    return {"value": values.uid(item, said.UID)}


def _referring(item: Dataset, reading: _Reading) -> Json:
    """IMAGE, COMPOSITE, WAVEFORM: what it points to (PS3.3 C.18.3, C.18.4)."""
    for pointed in item.items(said.REFERENCED_SOP_SEQUENCE)[:1]:
        return {"reference": reference_of(pointed, reading.evidence)}
    return {}


def reference_of(pointed: Dataset, evidence: dict[str, tuple[str, str]]) -> Json:
    """An item of Referenced SOP Sequence: the instance, its frames, and the presentation state to show it with."""
    uid = values.uid(pointed, said.REFERENCED_SOP_INSTANCE_UID)
    study, series = evidence.get(uid, ("", ""))
    frames = [int(n) for n in values.numbers(pointed, said.REFERENCED_FRAME_NUMBER, "IS")[:MOST_FRAMES] if n >= 1]
    found: Json = {
        "study_instance_uid": study,
        "series_instance_uid": series,
        "sop_instance_uid": uid,
        "sop_class_uid": values.uid(pointed, said.REFERENCED_SOP_CLASS_UID),
        "frame_number": frames[0] if frames else None,
    }
    if len(frames) > 1:
        found["frame_numbers"] = frames
    for state in pointed.items(said.REFERENCED_SOP_SEQUENCE)[:1]:
        found["presentation_state"] = values.uid(state, said.REFERENCED_SOP_INSTANCE_UID)
    return found


def _coordinates(item: Dataset, reading: _Reading) -> Json:
    return _points(item, 2, reading)


def _coordinates_3d(item: Dataset, reading: _Reading) -> Json:
    return _points(item, 3, reading) | {
        "frame_of_reference_uid": values.uid(item, said.REFERENCED_FRAME_OF_REFERENCE_UID)
    }


def _points(item: Dataset, of: int, reading: _Reading) -> Json:
    """SCOORD: [column, row], edges of pixels at whole numbers (PS3.3 C.18.6); SCOORD3D: LPS mm (C.18.9)."""
    found = values.numbers(item, said.GRAPHIC_DATA, "FL")
    points = [found[place : place + of] for place in range(0, len(found) - of + 1, of)]
    if len(points) > MOST_POINTS:
        reading.notes["Some coordinates were too many and were left out."] = None
    reading.characters += 16 * of * min(len(points), MOST_POINTS)
    graphic = values.code(item, said.GRAPHIC_TYPE)[:16]
    if reading.characters > MOST_CHARACTERS:
        points = []
    return {
        "graphic_type": graphic,
        "points": points[:MOST_POINTS],
        "value": f"{graphic.lower()}, {len(points)} points",
    }


def _temporal(item: Dataset, reading: _Reading) -> Json:
    return {"value": values.code(item, said.TEMPORAL_RANGE_TYPE)[:32].lower()}


_TYPES = {
    "CONTAINER": "container",
    "TEXT": "text",
    "CODE": "code",
    "NUM": "number",
    "PNAME": "person",
    "DATE": "date",
    "TIME": "time",
    "DATETIME": "datetime",
    "UIDREF": "uid",
    "IMAGE": "image",
    "COMPOSITE": "object",
    "WAVEFORM": "waveform",
    "SCOORD": "coordinates",
    "SCOORD3D": "coordinates",
    "TCOORD": "temporal",
}

_READ = {
    "TEXT": _text,
    "CODE": _coded,
    "NUM": _number,
    "PNAME": _person,
    "DATE": _date,
    "TIME": _time,
    "DATETIME": _date_time,
    "UIDREF": _uid,
    "IMAGE": _referring,
    "COMPOSITE": _referring,
    "WAVEFORM": _referring,
    "SCOORD": _coordinates,
    "SCOORD3D": _coordinates_3d,
    "TCOORD": _temporal,
}


# --- the whole


def _facts(root: Dataset, reading: _Reading) -> list[tuple[str, str]]:
    """Who wrote and verified it, when, and how far it got (PS3.3 C.17.2)."""
    found = [
        ("Made", written_date_time(values.day(root, tags.CONTENT_DATE) + values.time_of_day(root, tags.CONTENT_TIME))),
        ("Completion", values.code(root, said.COMPLETION_FLAG)[:16].lower()),
        ("Verification", values.code(root, said.VERIFICATION_FLAG)[:16].lower()),
        ("Status", values.code(root, said.PRELIMINARY_FLAG)[:16].lower()),
        ("Institution", line(root, tags.INSTITUTION_NAME)),
        ("Manufacturer", line(root, tags.MANUFACTURER)),
    ]
    for observer in root.items(said.VERIFYING_OBSERVER_SEQUENCE)[:10]:
        parts = (
            values.name(observer, said.VERIFYING_OBSERVER_NAME),
            line(observer, said.VERIFYING_ORGANIZATION),
            written_date_time(line(observer, said.VERIFICATION_DATE_TIME)[:64]),
        )
        found.append(("Verified by", ", ".join(part for part in parts if part)))
    return [(name, reading.text(value)) for name, value in found if value]


# --- dates and times


def written_date(text: str) -> str:
    """2024-01-31 for 20240131; anything else as it is."""
    found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII)
    return "-".join(found.groups()) if found else text


def written_time(text: str) -> str:
    """10:15:00 for 101500.00; anything else as it is."""
    found = re.fullmatch(r"(\d{2})(\d{2})?(\d{2})?(\.\d{1,6})?", text, re.ASCII)
    if not found:
        return text
    fraction = (found[4] or "").rstrip("0").rstrip(".")
    return ":".join(part for part in found.groups()[:3] if part) + (fraction if found[3] else "")


def written_date_time(text: str) -> str:
    """2024-01-31 10:15:00 +0100 for 20240131101500+0100; anything else as it is."""
    found = re.fullmatch(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)?([+-]\d{4})?", text, re.ASCII)
    if not found:
        return text
    parts = (written_date(found[1]), written_time(found[2] or ""), found[3] or "")
    return " ".join(part for part in parts if part)
