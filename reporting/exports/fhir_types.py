"""Data types of FHIR R4 out of a signed report: no empty values, no codes or dates that are none."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from reporting.exports import dicom_values as fit
from reporting.exports import written
from reporting.exports.cleaning import line
from reporting.exports.document import Code, SignedReport

Json = dict[str, Any]

URI = "urn:ietf:rfc:3986"
DICOM_UID = "urn:dicom:uid"
UCUM = "http://unitsofmeasure.org"
SYSTEMS = {
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "RADLEX": "http://radlex.org",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "C4": "http://www.ama-assn.org/go/cpt",
}
"""Coding scheme designators as FHIR names them; local ones have no name that others would know."""
_REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"


def bare(value: Any) -> Any:
    """Without what is empty, at any depth."""
    if isinstance(value, Mapping):
        return {name: inner for name, given in value.items() if (inner := bare(given)) not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [inner for given in value if (inner := bare(given)) not in (None, "", [], {})]
    return value


def concept(code: Code | None, words: str = "") -> Json:
    if code is None or not line(code.value):
        return {"text": string(words) or "–"}
    scheme = code.scheme.strip()
    system = scheme if re.fullmatch(r"(https?://|urn:)[!-~]+", scheme) else SYSTEMS.get(scheme.upper(), "")
    coding = {"system": system, "code": line(code.value), "display": string(code.meaning)}
    return {"coding": [coding], "text": string(words or code.meaning)}


def string(text: str) -> str:
    """FHIR strings are not blank."""
    return text if text.strip() else ""


def identifier(value: str, system: str = "", kind: str = "") -> Json | None:
    """`kind` is of HL7 table 0203: MR, ACSN, PLAC, FILL."""
    if not value.strip():
        return None
    table = "http://terminology.hl7.org/CodeSystem/v2-0203"
    kinds = {"coding": [{"system": table, "code": kind}]} if kind else None
    return {"type": kinds, "system": system, "value": value}


def uuid(value: str) -> Json:
    return {"system": URI, "value": f"urn:uuid:{value}"}


def reference(to: str, display: str = "") -> Json:
    return {"reference": f"urn:uuid:{to}", "display": line(display)}


def names(name: str) -> list[Json]:
    """HumanName for each component group of a DICOM name."""
    found = []
    for group, kind in zip(name.split("="), ("ABC", "IDE", "SYL"), strict=False):
        family, given, middle, prefix, suffix = (line(one) for one in (group.split("^") + [""] * 5)[:5])
        if not any((family, given, middle)):
            continue
        text = " ".join(filter(None, (prefix, given, middle, family, suffix)))
        found.append(
            {
                "extension": [{"url": _REPRESENTATION, "valueCode": kind}] if kind != "ABC" else [],
                **{"use": "official", "text": text, "family": family, "given": [given, middle]},
                **{"prefix": [prefix], "suffix": [suffix]},
            }
        )
    return found


def date(text: str) -> str:
    plain = fit.date(text)
    return f"{plain[:4]}-{plain[4:6]}-{plain[6:]}" if plain > "1000" else ""


def examined(report: SignedReport) -> str:
    """dateTime of the study: with its time where its zone is known too."""
    day, time = date(report.study.date), fit.time(report.study.time)
    if not day or len(time) < 4:
        return day
    clock = f"{time[:2]}:{time[2:4]}:{time[4:6] or '00'}"
    at = datetime.fromisoformat(f"{day}T{clock}")
    noon = datetime.fromisoformat(f"{day}T12:00+00:00")
    zone = fit.zone(report.study.timezone_offset) or written.local(noon, report.site.time_zone).tzinfo
    return at.replace(tzinfo=zone).isoformat()


def instant(at: datetime | None) -> str:
    return at.isoformat(timespec="milliseconds") if at is not None else ""


def attachment(media_type: str, data: bytes, title: str, language: str = "", created: str = "") -> Json:
    """With size and SHA-1, as R4 has it (Attachment.hash)."""
    return {
        "contentType": media_type,
        "language": language,
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
        "title": line(title),
        "creation": created,
    }


def quantity(number: float, unit: str) -> Json:
    """In UCUM where the unit can be one."""
    said = unit.strip()
    is_code = re.fullmatch(r"[!-~]{1,40}", said) is not None
    return {"value": number, "unit": line(unit), "system": UCUM if is_code else "", "code": said if is_code else ""}
