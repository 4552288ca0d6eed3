"""Data types of FHIR R4 (2.24) out of what DICOM and our rows hold: no empty values, no codes or dates that are none."""

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
    "SRT": "http://snomed.info/srt",
    "RADLEX": "http://radlex.org",
    "I10": "http://hl7.org/fhir/sid/icd-10",
    "C4": "http://www.ama-assn.org/go/cpt",
}
"""Coding scheme designators as FHIR names them; local ones have no name that others would know."""
IDENTIFIER_TYPES = "http://terminology.hl7.org/CodeSystem/v2-0203"
GENDERS = {"M": "male", "F": "female", "O": "other"}
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
    return {"coding": [coding(code.value, code.scheme, code.meaning)], "text": string(words or code.meaning)}


def coding(value: str, scheme: str = "", meaning: str = "") -> Json:
    """`scheme`: a designator of DICOM or HL7 v2, or the system itself."""
    named = scheme.strip()
    system = named if re.fullmatch(r"(https?://|urn:)[!-~]+", named) else SYSTEMS.get(named.upper(), "")
    return {"system": system, "code": line(value), "display": string(meaning)}


def string(text: str) -> str:
    """FHIR strings are not blank."""
    return text if text.strip() else ""


def identifier(value: str, system: str = "", kind: str = "") -> Json | None:
    """`kind` is of HL7 table 0203: MR, ACSN, PLAC, FILL."""
    if not value.strip():
        return None
    kinds = {"coding": [{"system": IDENTIFIER_TYPES, "code": kind}]} if kind else None
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


def spoken(name: str) -> str:
    """A DICOM name as a person says it, for `display`."""
    return next((one["text"] for one in names(name)), "")


def date(text: str) -> str:
    """FHIR's date of a DA; empty for what is none."""
    plain = fit.date(text)
    return f"{plain[:4]}-{plain[4:6]}-{plain[6:]}" if plain > "1000" else ""


def moment(day: str, time: str, offset: str, zone: str) -> str:
    """FHIR's dateTime of a DA and a TM, in their own zone or that of the site; the day alone where the time is none."""
    plain, clock = date(day), fit.time(time)
    if not plain or len(clock) < 4:
        return plain
    second = min(int(clock[4:6] or 0), 59)
    here = datetime.fromisoformat(f"{plain}T{clock[:2]}:{clock[2:4]}:{second:02}")
    return here.replace(tzinfo=fit.zone(offset) or written.zone_of(zone)).isoformat()


def examined(report: SignedReport) -> str:
    """dateTime of the study."""
    study = report.study
    return moment(study.date, study.time, study.timezone_offset, report.site.time_zone)


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
