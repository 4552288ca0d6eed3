"""Orders in messages: ORM^O01 (HL7 v2.5.1 4.4.1, IHE RAD-2, RAD-4) and OMI^O23 (4.4.10)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from reporting.messages.er7 import Message, Segment
from reporting.messages.patients import PatientSaid, patient_of
from reporting.messages.reading import NotUsable, person_of, time_of, value

KINDS = (("ORM", "O01"), ("OMI", "O23"))

CONTROLS = {
    **{"NW": "place", "SN": "place", "PA": "place", "CH": "place", "RO": "place"},
    **{"XO": "change", "XX": "change", "XR": "change", "RP": "change", "SC": "status", "SR": "status"},
    **{"CA": "cancel", "OC": "cancel", "CR": "cancel", "DC": "discontinue", "OD": "discontinue", "DR": "discontinue"},
}
"""ORC-1 (table 0119)."""
STATES = {"CA": "cancel", "DC": "discontinue"}
"""ORC-5 (table 0038) of a status that ends an order; every other is only noted."""

PLACES: Mapping[str, tuple[str, ...]] = {
    "accession_number": ("IPC-1", "OBR-18", "OBR-3", "ORC-3"),
    "placer_order_number": ("ORC-2", "OBR-2"),
    "filler_order_number": ("ORC-3", "OBR-3"),
    "study_instance_uid": ("IPC-3", "ZDS-1"),
    "procedure_code": ("OBR-4.1", "OBR-44.1"),
    "procedure_code_system": ("OBR-4.3", "OBR-44.3"),
    "procedure_text": ("OBR-4.2", "OBR-4.5", "OBR-44.2"),
    "modality": ("IPC-5", "OBR-24"),
    "body_part": ("OBR-15.4",),
    "priority": ("TQ1-9", "OBR-27.6", "OBR-5", "ORC-7.6"),
    "laterality": ("OBR-15.5", "OBR-15.5.2", "OBR-15"),
    "requested_at": ("ORC-9", "ORC-15", "OBR-6"),
    "scheduled_at": ("TQ1-7", "OBR-36", "OBR-27.4", "ORC-7.4"),
}
"""Where each thing is looked for, the first that is valued; a sender's row may name other places under the same names."""
LENGTHS = {"accession_number": 64, "placer_order_number": 64, "filler_order_number": 64, "study_instance_uid": 64}
"""What is longer is refused: cut, it would be another order's."""
CUT = {"procedure_code": 64, "procedure_code_system": 64, "procedure_text": 200, "body_part": 64}

PRIORITIES = {
    **{"S": "STAT", "STAT": "STAT", "A": "URGENT", "ASAP": "URGENT", "P": "URGENT", "T": "URGENT", "UR": "URGENT"},
    **{"URGENT": "URGENT", "STROKE": "STROKE", "TRAUMA": "TRAUMA", "R": "ROUTINE", "ROUTINE": "ROUTINE"},
    **{"C": "ROUTINE", "CALLBACK": "ROUTINE", "PRN": "ROUTINE", "E": "ROUTINE", "EL": "ROUTINE"},
}
"""Tables 0485 and 0027, as classes of reading."""
MODALITIES = (
    " AR AU BDUS BI BMD CR CT DG DX ECG EM EPS ES GM IO IVOCT IVUS KER LEN MG MR NM OAM OCT OP OPM OPT OPV OSS OT PT PX "
    "RESP RF RG RTIMAGE SM TG US VA XA XC "
)
SERVICES = {"RUS": "US", "NMR": "MR", "NMS": "NM", "CTH": "CT", "XRC": "RF", "MAM": "MG", "RX": "DX"}
"""Table 0074, where it says a modality at all."""


@dataclass(frozen=True, slots=True)
class OrderSaid:
    """One order of a message. `values` holds what is valued, by columns of Order; "" is: no longer."""

    act: str
    """place, change, status, cancel or discontinue."""
    patient: PatientSaid
    values: Mapping[str, Any] = field(default_factory=dict)


def orders_of(message: Message, mapping: Mapping[str, Any], zone: tzinfo) -> list[OrderSaid]:
    """The orders of a message, each once. `mapping` is the sender's row, `zone` that of times without one. Raises NotUsable."""
    patient = patient_of(message, mapping)
    found = [_order(group, patient, mapping, zone) for group in _groups(message)]
    if not found:
        raise NotUsable("the message holds no ORC segment", "ORC", "segment sequence")
    return list(_merged(found))


def _groups(message: Message) -> Iterator[list[Segment]]:
    """ORC and what belongs to it. One ZDS at the end is about all of them (IHE RAD-4); PV1 stands before them."""
    parts: list[list[Segment]] = []
    for segment in message.segments:
        if segment.name == "ORC":
            parts.append([])
        if parts:
            parts[-1].append(segment)
    visit = list(message.all("PV1"))
    shared = list(message.all("ZDS"))[-1:]
    for part in parts:
        own = any(segment.name == "ZDS" for segment in part)
        yield [*part, *visit, *([] if own else shared)]


def _merged(orders: Sequence[OrderSaid]) -> Iterator[OrderSaid]:
    """Several steps of one procedure carry one accession number: they are read together."""
    seen: set[tuple[str, str]] = set()
    for order in orders:
        number = order.values.get("accession_number") or ""
        if number and (order.act, number) in seen:
            continue
        seen.add((order.act, number))
        yield order


def _order(group: list[Segment], patient: PatientSaid, mapping: Mapping[str, Any], zone: tzinfo) -> OrderSaid:
    control = value(group, ("ORC-1",)) or ""
    act = CONTROLS.get(control.upper())
    if act is None:
        raise NotUsable(f"ORC-1: {control[:8]!r} is not done here", "ORC-1")
    if act == "status":
        act = STATES.get((value(group, ("ORC-5",)) or "").upper(), "status")
    values = _values(group, mapping, zone)
    if not any(values.get(name) for name in ("accession_number", "placer_order_number", "filler_order_number")):
        raise NotUsable("the order has no number: none in IPC-1, OBR-18, ORC-2 or ORC-3", "ORC-2", "required field")
    return OrderSaid(act, patient, values)


def _values(group: list[Segment], mapping: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    said = {name: value(group, mapping.get(name) or places) for name, places in PLACES.items()}
    number, referring = person_of(group, (("OBR", 16), ("ORC", 12), ("PV1", 8)))
    read = {
        **{name: said[name] for name in LENGTHS},
        **{name: said[name] and said[name][:most] for name, most in CUT.items()},
        "modality": said["modality"] and modality_of(said["modality"]),
        "laterality": laterality_of(said["laterality"] or "", said["procedure_text"] or ""),
        "reading_class": said["priority"] and class_of(said["priority"], mapping.get("priorities") or {}),
        "reason": _reason(group),
        "referring_physician": referring[:400] or None,
        "referring_identifier": number[:64] or None,
        **{name: said[name] and time_of(said[name], zone) for name in ("requested_at", "scheduled_at")},
    }
    for name, most in LENGTHS.items():
        if len(read[name] or "") > most:
            raise NotUsable(f"{PLACES[name][0]} is longer than {most} characters", PLACES[name][0])
    uid = read["study_instance_uid"]
    if uid and not re.fullmatch(r"[0-9.]{1,64}", uid):
        raise NotUsable("the Study Instance UID (IPC-3, ZDS-1) is none", "ZDS-1")
    return {name: one for name, one in read.items() if one is not None}


def class_of(priority: str, own: Mapping[str, str]) -> str:
    """The class of reading for a priority; `own` is what the sender means by its own words. Unknown words are routine."""
    word = priority.strip()
    return own.get(word) or PRIORITIES.get(word.upper()) or "ROUTINE"


def modality_of(text: str) -> str:
    """A modality of DICOM (PS3.3 C.7.3.1.1.1), or "" where the section names none."""
    word = text.strip().upper()
    return word if f" {word} " in MODALITIES else SERVICES.get(word, "")


_SIDES = {
    "L": re.compile(r"\b(left|lt|links?|linke[nrs]?|gauche|izquierd[oa])\b|左", re.IGNORECASE),
    "R": re.compile(r"\b(right|rt|rechts?|rechte[nrs]?|droite?|derech[oa])\b|右", re.IGNORECASE),
    "B": re.compile(
        r"\b(bilateral\w*|both|bilat|beidseits|beide[rns]?|beidseitig\w*|ambos)\b|双侧|雙側", re.IGNORECASE
    ),
}
_CODED = {"L": "L", "R": "R", "B": "B", "7771000": "L", "24028007": "R", "51440002": "B"}
"""Table 0495's letters, and SNOMED CT."""


def laterality_of(stated: str, procedure: str) -> str | None:
    """L, R or B as the order states it, else as the procedure's own words say; None: neither does."""
    word = stated.strip().upper()
    if word in _CODED:
        return _CODED[word]
    for text in (stated, procedure):
        sides = [side for side, words in _SIDES.items() if words.search(text)]
        if sides:
            return sides[0] if len(sides) == 1 else "B"
    return None


def _reason(group: list[Segment]) -> str | None:
    """Why it is asked for (OBR-31), what is known (OBR-13), and notes to the order."""
    found: list[str] = []
    for segment in group:
        if segment.name == "OBR":
            for at in range(1, len(segment.repetitions(31)) + 1):
                found.append(segment.text(31, 2, repetition=at) or segment.text(31, 1, repetition=at))
            found.append(segment.whole(13))
        elif segment.name == "NTE":
            found.append(segment.whole(3))
    told = [text.strip() for text in found if text.strip() and text.strip() != '""']
    return "\n".join(dict.fromkeys(told))[:4000] or None
