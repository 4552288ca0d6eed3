"""Who a message is about (HL7 v2.5.1 3.4.2, PID)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reporting.messages.er7 import Message, Segment
from reporting.messages.reading import DELETE, NotUsable, date_of, name_of

UPDATES = ("A01", "A04", "A05", "A08", "A28", "A31")
MERGES = ("A18", "A34", "A39", "A40", "A47")
SEXES = {"M": "M", "F": "F", "O": "O", "A": "O", "U": "", "N": "", "": ""}
"""Table 0001 as DICOM says it (0010,0040). Unknown is empty."""


@dataclass(frozen=True, slots=True)
class PatientSaid:
    """What a message says of a patient; None: nothing."""

    patient_id: str
    issuer: str
    name: str | None = None
    birth_date: str | None = None
    sex: str | None = None


def patient_of(message: Message, mapping: Mapping[str, Any]) -> PatientSaid:
    """The patient of a message. `mapping` of the sender: "identifier_types" (which PID-3 counts), "issuer" (as images have it).

    Raises NotUsable.
    """
    return _said(message.first("PID"), mapping)


def _said(pid: Segment, mapping: Mapping[str, Any]) -> PatientSaid:
    patient_id = _identifier(pid, mapping)
    if not patient_id:
        raise NotUsable("PID-3 names no patient", "PID-3", "required field")
    if len(patient_id) > 64:
        raise NotUsable("PID-3 is longer than a Patient ID can be (64)", "PID-3")
    name = name_of(pid, 5)
    return PatientSaid(patient_id, str(mapping.get("issuer") or ""), _short(name), _born(pid), _sex(pid))


def merges_of(message: Message, mapping: Mapping[str, Any]) -> list[tuple[PatientSaid, PatientSaid]]:
    """(former, surviving) of each PID that an MRG follows (3.3.40: a message may hold several). Raises NotUsable."""
    found, pid = [], None
    for segment in message.segments:
        if segment.name == "PID":
            pid = segment
        elif segment.name == "MRG" and pid is not None:
            former = _identifier(segment, mapping, 1) or segment.text(1).strip()
            if not former or former == DELETE or len(former) > 64:
                raise NotUsable("MRG-1 names no patient", "MRG-1", "required field")
            issuer = str(mapping.get("issuer") or "")
            found.append((PatientSaid(former, issuer), _said(pid, mapping)))
    if not found:
        raise NotUsable("no PID is followed by an MRG", "MRG-1", "required field")
    return found


def _identifier(pid: Segment, mapping: Mapping[str, Any], field: int = 3) -> str:
    """The first of PID-3 (of an MRG its field 1) whose type (CX.5) or authority (CX.4) the sender's row asks for; without
    such a wish that of a record or patient number, else the first."""
    wanted = [str(one).upper() for one in mapping.get("identifier_types") or ()]
    found = [
        (
            pid.text(field, 1, repetition=at).strip(),
            {pid.text(field, 5, repetition=at).upper(), pid.text(field, 4, 1, at).upper()},
        )
        for at in range(1, len(pid.repetitions(field)) + 1)
    ]
    for kind in wanted or ("MR", "PI"):
        for identifier, kinds in found:
            if identifier and kind in kinds:
                return identifier
    if wanted:
        return ""
    return next((identifier for identifier, _ in found if identifier and identifier != DELETE), "")


def _born(pid: Segment) -> str | None:
    text = pid.text(7).strip()
    if not text:
        return None
    return "" if text == DELETE else date_of(text, "PID-7")


def _sex(pid: Segment) -> str | None:
    text = pid.text(8).strip()
    if not text:
        return None
    return "" if text == DELETE else SEXES.get(text.upper()[:1], "")


def _short(name: str | None) -> str | None:
    if name is not None and len(name) > 400:
        raise NotUsable("PID-5 is longer than a name can be (400)", "PID-5")
    return name
