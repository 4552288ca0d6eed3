"""Parts of the resources of a report: codes of images, numbers of measurements, the narrative."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from reporting.exports import fhir_types as fhir
from reporting.exports import sheet
from reporting.exports import sr_codes as codes
from reporting.exports.cleaning import line
from reporting.exports.document import Code, SignedReport
from reporting.exports.fhir_types import Json, concept
from reporting.exports.words import words_in
from viewer.objects import codes as measured

IMAGING_STUDY = ("18748-4", "LN", "Diagnostic imaging study")


def modality(code: str) -> Json:
    return {"system": fhir.SYSTEMS["DCM"], "code": line(code) or "OT"}


def instance(uid: str, sop_class: str, frames: tuple[int, ...] = ()) -> Json:
    title = f"frames {', '.join(map(str, frames))}" if frames else ""
    return {"uid": uid, "sopClass": {"system": fhir.URI, "code": f"urn:oid:{sop_class}"}, "title": title}


def wado(address: str) -> Json:
    kind = "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"
    return {
        "resourceType": "Endpoint",
        "status": "active",
        "connectionType": {"system": kind, "code": "dicom-wado-rs"},
        "payloadType": [concept(Code("113014", "DCM", "Study"))],
        "address": address,
    }


def components(mark: Any) -> list[Json]:
    """The numbers of a measurement, by code and unit."""
    found = []
    values = mark.get("values") if isinstance(mark, dict) else None
    for name, said in values.items() if isinstance(values, dict) else ():
        value = said.get("value") if isinstance(said, dict) else None
        known = measured.CONCEPTS.get(str(name))
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or known is None:
            continue
        unit = measured.unit_code(str(said.get("unit") or ""))
        found.append({"code": concept(Code(*known)), "valueQuantity": fhir.quantity(float(value), unit[0])})
    return found


def conclusion(report: SignedReport) -> str:
    """The impression, and what was added since."""
    parts = []
    for section in report.sections:
        heading = codes.heading_of(section.name, section.code)
        if section.name == "impression" or (heading is not None and heading.value == "19005-8"):
            parts.append("\n".join(": ".join(filter(None, (one.label, one.text))) for one in section.entries))
    added = words_in(report.site.language)["addendum"]
    return "\n\n".join(filter(None, [*parts, *(f"{added}: {one.text}" for one in report.addenda)]))


def code_of(report: SignedReport) -> Json:
    """What kind of report it is: by its modality where that has a code, and that it is one of imaging."""
    title = codes.title_of(report.study.modalities)
    codings = [fhir.coding(title[0], title[1], title[2]), fhir.coding(*IMAGING_STUDY)]
    return {"coding": codings[title[0] == IMAGING_STUDY[0] :], "text": fhir.string(report.title) or title[2]}


def narrative(words: sheet.Sheet) -> str:
    """XHTML of the few elements that a Narrative may have (2.4.0)."""
    found = [f"<p><b>{escape(' '.join(filter(None, (one.words, one.detail))))}</b></p>" for one in words.banners]
    found.append(f"<h1>{escape(words.title)}</h1><p>{escape(words.patient)}</p>")
    for part in words.parts:
        lines = (": ".join(filter(None, (one.label, one.text))) for one in part.lines)
        heading = f"h{part.level + 1}"
        found.append(
            f"<{heading}>{escape(part.title)}</{heading}>" + "".join(f"<p>{_broken(one)}</p>" for one in lines)
        )
    for added in words.addenda:
        found.append(f"<h2>{escape(added.title)}</h2><p>{_broken(added.text)}</p><p>{escape(added.signature)}</p>")
    found += [f"<p>{_broken(one)}</p>" for one in (*words.criticals, *words.signatures)]
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{"".join(found)}</div>'


def _broken(text: str) -> str:
    return escape(text).replace("\n", "<br/>")
