"""Data types of FHIR R4 (2.24) out of what DICOM and our rows hold. Empty things are left out: FHIR knows no empty values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Json = dict[str, Any]

SYSTEMS = {
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "SRT": "http://snomed.info/srt",
    "RADLEX": "http://radlex.org",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "C4": "http://www.ama-assn.org/go/cpt",
}
"""Coding scheme designators of DICOM and HL7 v2, as FHIR names them. Local ones have no name that others would know."""
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
GENDERS = {"M": "male", "F": "female", "O": "other"}
REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_GROUPS = ("ABC", "IDE", "SYL")


def bare(value: Any) -> Any:
    """Without what is empty, at any depth."""
    if isinstance(value, Mapping):
        found = {name: inner for name, given in value.items() if (inner := bare(given)) not in (None, "", [], {})}
        return found
    if isinstance(value, list | tuple):
        return [inner for given in value if (inner := bare(given)) not in (None, "", [], {})]
    return value


def coding(value: str, scheme: str = "", meaning: str = "") -> Json:
    system = scheme if "://" in scheme or scheme.startswith("urn:") else SYSTEMS.get(scheme.upper(), "")
    return {"system": system, "code": _token(value), "display": meaning}


def _token(value: str) -> str:
    """A code has no spaces at its ends and no two together (2.24.0.1)."""
    return " ".join(value.split())


def identifier(value: str, system: str = "", kind: str = "") -> Json | None:
    """None for an empty value. `kind` is of HL7 table 0203: MR, ACSN, PLAC, FILL."""
    if not value:
        return None
    return {"type": {"coding": [coding(kind, IDENTIFIER_TYPES)]} if kind else None, "system": system, "value": value}


def names(name: str) -> list[Json]:
    """HumanName for each component group of a DICOM name."""
    found = []
    for group, kind in zip(name.split("="), _GROUPS, strict=False):
        family, given, middle, prefix, suffix = (one.strip() for one in (group.split("^") + [""] * 5)[:5])
        if not any((family, given, middle)):
            continue
        marked = [{"url": REPRESENTATION, "valueCode": kind}] if kind != "ABC" else []
        text = " ".join(filter(None, (prefix, given, middle, family, suffix)))
        found.append(
            {
                "extension": marked,
                **{"use": "official", "text": text, "family": family, "given": [given, middle]},
                **{"prefix": [prefix], "suffix": [suffix]},
            }
        )
    return found


def spoken(name: str) -> str:
    """A DICOM name as a person says it, for `display`."""
    return next((one["text"] for one in names(name)), "")


def date(text: str) -> str:
    """FHIR's date of a DA; "" for what is none."""
    found = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text, re.ASCII)
    if found is None:
        return ""
    try:
        return f"{datetime(*map(int, found.groups())):%Y-%m-%d}" if int(found[1]) >= 1000 else ""
    except ValueError:
        return ""


def moment(day: str, time: str, offset: str, zone: str) -> str:
    """FHIR's dateTime of a DA and a TM; the day alone where the time is none."""
    plain = date(day)
    found = re.match(r"(\d{2})(\d{2})(?:(\d{2}))?", time, re.ASCII)
    if not plain or found is None:
        return plain
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    try:
        here = datetime.fromisoformat(plain).replace(
            hour=hour, minute=minute, second=min(second, 59), tzinfo=_zone(offset, zone)
        )
    except ValueError:
        return plain
    return here.isoformat()


def _zone(offset: str, zone: str) -> tzinfo:
    found = re.fullmatch(r"([+-])(\d{2})(\d{2})", offset, re.ASCII)
    if found is not None:
        sign = -1 if found[1] == "-" else 1
        return timezone(sign * timedelta(hours=int(found[2]), minutes=int(found[3])))
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def instant(when: datetime | None) -> str:
    return when.isoformat(timespec="milliseconds") if when is not None else ""


def reference(kind: str, key: object, display: str = "") -> Json:
    return {"reference": f"{kind}/{key}", "display": display}


def outcome(code: str, words: str, severity: str = "error") -> Json:
    """An OperationOutcome of one issue."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": words}],
    }
