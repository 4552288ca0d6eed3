"""A signed report as an HL7 v2.5.1 message ORU^R01 (chapter 7), in the way of IHE RAD-128.

One OBX for each section and each coded number, one that names the study, and where it is asked for one with the PDF.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reporting.exports import dicom_values as fit
from reporting.exports import identifiers, pdf, sheet, written
from reporting.exports import sr_codes as codes
from reporting.exports.cleaning import cleaned, line
from reporting.exports.document import Code, Entry, Section, Signature, SignedReport, headed
from reporting.messages import er7
from reporting.messages.er7 import Formatted, Value

MEDIA_TYPE = "application/hl7-v2; charset=utf-8"
VERSION = "2.5.1"
APPLICATION = "FARVIEW"
OWN = "99FARVIEW"
LONGEST_ST, LONGEST_FT = 199, 60_000
"""Characters of data types ST and FT (2.A.75, 2.A.31), with some left for escape sequences."""

STATUS: dict[str, tuple[str, str]] = {
    "preliminary": ("P", "P"),
    "pending_cosign": ("P", "P"),
    "returned": ("P", "P"),
    "final": ("F", "F"),
    "appended": ("F", "F"),
    "corrected": ("C", "C"),
    "cancelled": ("X", "X"),
    "entered_in_error": ("", "W"),
}
"""OBR-25 (table 0123) and OBX-11 (table 0085)."""

DICOM_STUDY: tuple[str, ...] = ("113014", "DICOM Study", "DCM")
REPORT: tuple[str, ...] = ("18748-4", "Diagnostic imaging study", "LN")

Segments = list[tuple[str, dict[int, Value]]]


@dataclass(frozen=True, slots=True)
class Observation:
    """One OBX: its value in its data type."""

    kind: str
    code: tuple[str, ...]
    value: Value
    units: tuple[str, ...] = ()
    status: str = ""
    by: Signature | None = None


def make(report: SignedReport, document: bool = False) -> bytes:
    """The message in UTF-8. With `document` the PDF is in it."""
    report = cleaned(report)
    return er7.encode(segments(report, document)).encode("utf-8")


def segments(report: SignedReport, document: bool = False) -> Segments:
    whole, each = status_of(report)
    found: Segments = [("MSH", _header(report)), ("PID", _patient(report)), ("PV1", _visit(report))]
    found += [("ORC", _order(report)), ("OBR", _request(report, whole))]
    if report.reason.strip():
        found.append(("NTE", {1: "1", 2: "L", 3: Formatted(report.reason)}))
    seen: dict[tuple[str, ...], int] = {}
    for number, one in enumerate(_observations(report, document), 1):
        seen[one.code] = seen.get(one.code, 0) + 1
        found.append(("OBX", _observation(report, one, number, seen[one.code], one.status or each)))
    return found


def status_of(report: SignedReport) -> tuple[str, str]:
    if report.state == "appended" and report.site.appended_as_correction:
        return "C", "F"
    return STATUS.get(report.state, ("P", "P"))


# --- who and what about


def _header(report: SignedReport) -> dict[int, Value]:
    return {
        3: APPLICATION,
        4: _designator(report.site.name),
        7: _moment(_newest(report).at, report) if _all(report) else "",
        9: ("ORU", "R01", "ORU_R01"),
        10: identifiers.control_id(report.uid, report.version),
        11: "P",
        12: VERSION,
        18: "UNICODE UTF-8",
    }


def _patient(report: SignedReport) -> dict[int, Value]:
    patient = report.patient
    names = er7.person_name(fit.person(patient.name)) or [("", "", "", "", "", "", "U")]
    return {
        1: "1",
        3: [(_st(patient.patient_id), "", "", _designator(patient.issuer_of_patient_id), "PI")],
        5: names,
        7: fit.date(patient.birth_date),
        8: patient.sex if patient.sex in ("M", "F", "O") else "U",
    }


def _designator(name: str) -> tuple[str, ...]:
    """HD: a namespace of at most 20 characters, else a local identifier (2.A.33). Never cut: it tells people apart."""
    words = _st(name)
    return (words,) if len(er7.escape(words)) <= 20 else ("", words, "L")


def _visit(report: SignedReport) -> dict[int, Value]:
    return {1: "1", 2: "U", 8: _referrer(report)}


def _referrer(report: SignedReport) -> Value:
    identifier = report.order.referring_identifier if report.order else ""
    name = fit.person(report.study.referring_physician)
    return er7.person(name, _st(identifier)) if name or identifier else ""


def _numbers(report: SignedReport) -> tuple[str, str]:
    """Placer and filler order number; what nobody numbered goes by its accession number, or by the report's own."""
    order = report.order
    filler = (order.filler_order_number if order else "") or report.study.accession_number or report.uid
    return _st(order.placer_order_number if order else ""), _st(filler)


def _order(report: SignedReport) -> dict[int, Value]:
    placer, filler = _numbers(report)
    return {1: "RE", 2: placer, 3: filler, 5: "CA" if report.state == "cancelled" else "CM", 12: _referrer(report)}


def _request(report: SignedReport, status: str) -> dict[int, Value]:
    placer, filler = _numbers(report)
    order, study = report.order, report.study
    signers = [_interpreter(one, report) for one in _verifying(report)]
    assistants = [_interpreter(one, report) for one in report.signatures if one.meaning == "author"]
    return {
        1: "1",
        2: placer,
        3: filler,
        4: _procedure(report),
        7: _examined(report),
        16: _referrer(report),
        18: _st(study.accession_number),
        22: _moment(_newest(report).at, report) if _all(report) else "",
        24: "RAD",
        25: status,
        31: [("", _st(order.reason))] if order and order.reason.strip() else "",
        32: signers[-1] if signers else "",
        33: list(assistants) if signers else "",
    }


def _procedure(report: SignedReport) -> Value:
    order = report.order
    words = (order.procedure_text if order else "") or report.study.description or report.title
    if order is not None and order.procedure_code.strip():
        return _st(order.procedure_code), _st(words), _st(order.procedure_code_system) or "L"
    return "18748-4", _st(words) or REPORT[1], "LN"


def _examined(report: SignedReport) -> str:
    day, time = fit.date(report.study.date), fit.time(report.study.time)
    if not day:
        return ""
    zone = report.study.timezone_offset if fit.zone(report.study.timezone_offset) else ""
    clock = time.partition(".")[0]
    return f"{day}{clock}{zone}" if len(clock) in (4, 6) else day


def _all(report: SignedReport) -> list[Signature]:
    return sorted((*report.signatures, *(one.signature for one in report.addenda)), key=lambda one: one.at)


def _newest(report: SignedReport) -> Signature:
    return _all(report)[-1]


def _verifying(report: SignedReport) -> list[Signature]:
    meanings = ("verified", "co-signer", "correction", "addendum")
    return [one for one in _all(report) if one.meaning in meanings]


def _person(one: Signature) -> tuple[er7.Component, ...]:
    return er7.person(fit.spoken(one.name or one.username), _st(one.username))


def _interpreter(one: Signature, report: SignedReport) -> tuple[er7.Component, ...]:
    """NDL: a person as CNN in one component, and when."""
    identifier, family, given = (str(part) for part in _person(one)[:3])
    return (identifier, family, given), _moment(one.at, report)


# --- what it says


def _observations(report: SignedReport, document: bool) -> Iterator[Observation]:
    yield Observation("HD", DICOM_STUDY, report.study.study_instance_uid, status="O")
    kind = sheet.sheet_of(report)
    yield from _texts(("REPORT", "Kind of report", OWN), "\n".join(_words_of(one) for one in kind.banners))
    for under_one_code in headed(report.sections):
        yield from _section(under_one_code)
    if kind.figures:
        said = (f"{one.title}: {one.caption}. {one.origin} {one.note}".strip() for one in kind.figures)
        yield from _texts((codes.KEY_IMAGES[0], "Key images", "LN"), "\n".join(said))
    if kind.criticals:
        yield from _texts((codes.CRITICAL[0], codes.CRITICAL[2], "LN"), "\n".join(kind.criticals))
    for added, printed in zip(report.addenda, kind.addenda, strict=True):
        words = f"{added.text}\n{printed.signature}"
        yield from _texts(("55107-7", "Addendum", "LN"), words, _addendum_status(report), added.signature)
    yield from _texts(("SIGNATURES", "Signatures", OWN), "\n".join(kind.signatures))
    if document:
        data = base64.b64encode(pdf.make(report)).decode()
        yield Observation("ED", (*REPORT,), (APPLICATION, "application", "pdf", "Base64", data))


def _words_of(banner: sheet.Banner) -> str:
    return ": ".join(filter(None, (banner.words, banner.detail)))


def _addendum_status(report: SignedReport) -> str:
    return "C" if report.site.appended_as_correction and report.state == "appended" else ""


def _section(sections: Sequence[Section]) -> Iterator[Observation]:
    """A section, with those under it as paragraphs that begin with their titles."""
    section, lines = sections[0], list[str]()
    heading = codes.heading_of(section.name, section.code)
    code = _coded(heading or Code(line(section.name)[:20] or "SECTION", OWN, section.title), section.title)
    for part in sections:
        said = [": ".join(filter(None, (one.label.strip(), one.text))) for one in part.entries if one.text.strip()]
        lines += [f"{part.title}:", *said] if part is not section and said else said
    yield from _texts(code, "\n".join(lines))
    for entry in (entry for part in sections for entry in part.entries):
        yield from _number(entry)


def _number(entry: Entry) -> Iterator[Observation]:
    """A number that a code says the meaning of, with its unit (UCUM)."""
    if entry.number is None or not math.isfinite(entry.number) or not entry.codes:
        return
    unit = entry.units.strip()
    units = (unit, unit, "UCUM") if re.fullmatch(r"[!-~]{1,40}", unit) else ()
    yield Observation("NM", _coded(entry.codes[0], entry.label), _decimal(entry.number), units)


def _decimal(number: float) -> str:
    """NM: digits, never an exponent (2.A.47)."""
    return f"{number:.6f}".rstrip("0").rstrip(".")[:16]


def _coded(code: Code, otherwise: str) -> tuple[str, ...]:
    return _st(code.value) or "TEXT", _st(code.meaning or otherwise), _st(code.scheme) or OWN


def _texts(code: tuple[str, ...], words: str, status: str = "", by: Signature | None = None) -> Iterator[Observation]:
    """A text, in as many FT as it needs."""
    for start in range(0, len(words), LONGEST_FT // 6):
        part = words[start : start + LONGEST_FT // 6]
        if part.strip():
            yield Observation("FT", code, Formatted(part), status=status, by=by)


def _observation(report: SignedReport, one: Observation, number: int, again: int, status: str) -> dict[int, Value]:
    signed = one.by or (_newest(report) if _all(report) else None)
    return {
        1: str(number),
        2: one.kind,
        3: one.code,
        4: str(again),
        5: one.value,
        6: one.units,
        11: status,
        14: _examined(report),
        16: [_person(signed)] if signed and status not in ("O",) else "",
        19: _moment(signed.at, report) if signed and status not in ("O",) else "",
    }


def _st(text: str) -> str:
    """As much of a text as fits, escaped, into an ST."""
    words = line(text)[:LONGEST_ST]
    while len(er7.escape(words)) > LONGEST_ST:
        words = words[:-1]
    return words


def _moment(at: datetime, report: SignedReport) -> str:
    zone = fit.zone(report.study.timezone_offset)
    here = at.astimezone(zone) if zone else written.local(at, report.site.time_zone)
    return f"{here:%Y%m%d%H%M%S}{fit.offset_of(here)}"
