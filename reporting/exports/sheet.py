"""A signed report as it is read on paper or on a page: every line in words, in order. HTML and PDF show the same sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reporting.exports import written
from reporting.exports.document import Addendum, Critical, Entry, Picture, Section, Signature, SignedReport
from reporting.exports.words import tag_of, words_in

SHORT = 16
"""Characters of a digest in its short form."""


@dataclass(frozen=True, slots=True)
class Banner:
    kind: str
    """error, warning or plain."""
    words: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    text: str
    pictures: tuple[int, ...] = ()
    """Numbers of the pictures that it points to, from 1."""


@dataclass(frozen=True, slots=True)
class Part:
    title: str
    lines: tuple[Line, ...]
    """None: the heading of the parts under it."""
    level: int = 1


@dataclass(frozen=True, slots=True)
class Figure:
    number: int
    picture: Picture
    title: str
    caption: str
    values: tuple[str, ...]
    origin: str
    """Digest and renderer."""
    note: str


@dataclass(frozen=True, slots=True)
class Added:
    title: str
    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class Sheet:
    language: str
    """Of the fixed words; `text_language` is that of what the reader wrote."""
    text_language: str
    site: str
    letterhead: str
    address: str
    footer: str
    title: str
    patient: str
    """Name and number: what stands on every page."""
    banners: tuple[Banner, ...]
    facts: tuple[Line, ...]
    parts: tuple[Part, ...]
    figures_title: str
    figures: tuple[Figure, ...]
    criticals_title: str
    criticals: tuple[str, ...]
    addenda: tuple[Added, ...]
    signatures_title: str
    signatures: tuple[str, ...]
    identity: str
    """Which report in which version."""
    page: str


def sheet_of(report: SignedReport) -> Sheet:
    words = words_in(report.site.language)
    numbers = {picture.position: number for number, picture in enumerate(report.pictures, 1)}
    name = written.person_name(report.patient.name, words["no_name"])
    return Sheet(
        language=tag_of(report.site.language),
        text_language=written.language_tag(report.language),
        site=report.site.title or report.site.name,
        letterhead=report.site.letterhead,
        address=report.site.address,
        footer=report.site.footer,
        title=report.title or words["examination"],
        patient=" · ".join(filter(None, (name, report.patient.patient_id, written.day(report.patient.birth_date)))),
        banners=tuple(_banners(report, words)),
        facts=tuple(_facts(report, words, name)),
        parts=tuple(_part(section, numbers) for section in report.sections if _has_text(section)),
        figures_title=words["pictures"],
        figures=tuple(_figure(number, picture, words) for number, picture in enumerate(report.pictures, 1)),
        criticals_title=words["criticals"],
        criticals=tuple(_critical(one, report, words) for one in report.criticals),
        addenda=tuple(_added(one, report, words) for one in report.addenda),
        signatures_title=words["signatures"],
        signatures=tuple(signed_by(one, report) for one in report.signatures),
        identity=f"{words['version']} {report.version} · {report.uid}",
        page=words["page"],
    )


def banner_of(report: SignedReport) -> Banner:
    """What kind of report this is."""
    words = words_in(report.site.language)
    kinds = {"entered_in_error": "error", "cancelled": "error", "final": "plain", "appended": "plain"}
    state = "preliminary" if report.state == "returned" else report.state
    reason = f"{words['reason']}: {report.reason}" if report.reason else ""
    return Banner(kinds.get(state, "warning"), words.get(state, words["draft"]), reason)


def signed_by(signature: Signature, report: SignedReport) -> str:
    """Printed name, role, meaning, date and time with zone (21 CFR 11.50), and the seal of that version."""
    words = words_in(report.site.language)
    role = words.get(f"role_{signature.role.casefold()}", signature.role)
    who = ", ".join(filter(None, (signature.name or signature.username, role)))
    meaning = words.get(f"meaning_{signature.meaning}") or words.get(signature.meaning, signature.meaning)
    when = written.moment(signature.at, report.site.time_zone)
    version = f"{words['version']} {signature.version}"
    seal = f" · {signature.mac[:SHORT]}" if signature.mac else ""
    return f"{words['signed']}: {who} ({meaning}), {when} · {version}{seal}"


def _banners(report: SignedReport, words: dict[str, str]) -> list[Banner]:
    found = [banner_of(report)]
    if report.images_corrected_at is not None:
        at = written.moment(report.images_corrected_at, report.site.time_zone)
        found.append(Banner("error", words["images_corrected"], at))
    for one in report.criticals:
        if one.closed_at is None and report.state not in ("entered_in_error", "cancelled"):
            kind, key = ("warning", "critical_heard") if one.read_back else ("error", "critical_open")
            found.append(Banner(kind, words[key], one.finding))
    return found


def _facts(report: SignedReport, words: dict[str, str], name: str) -> list[Line]:
    patient, study, order = report.patient, report.study, report.order
    at = " ".join(filter(None, (written.day(study.date), written.clock(study.time), study.timezone_offset)))
    numbers = (order.placer_order_number, order.filler_order_number) if order else ()
    procedure = (order.procedure_text if order else "") or study.description
    found = {
        "patient": name,
        "patient_id": " / ".join(filter(None, (patient.patient_id, patient.issuer_of_patient_id))),
        "birth_date": written.day(patient.birth_date),
        "sex": words.get(f"sex_{patient.sex}", patient.sex),
        "examination": " · ".join(filter(None, (procedure, ", ".join(study.modalities)))),
        "examined_at": at,
        "accession": study.accession_number,
        "order": " / ".join(filter(None, numbers)),
        "referrer": written.person_name(study.referring_physician),
        "institution": study.institution,
        "question": order.reason if order else "",
    }
    return [Line(words[key], value) for key, value in found.items() if value.strip()]


def _has_text(section: Section) -> bool:
    return not section.entries or any(entry.text.strip() for entry in section.entries)


def _part(section: Section, numbers: dict[int, int]) -> Part:
    lines = tuple(_line(entry, numbers) for entry in section.entries if entry.text.strip())
    return Part(section.title, lines, min(section.level, 4))


def _line(entry: Entry, numbers: dict[int, int]) -> Line:
    return Line(entry.label, entry.text, tuple(numbers[one] for one in entry.pictures if one in numbers))


def _figure(number: int, picture: Picture, words: dict[str, str]) -> Figure:
    return Figure(
        number=number,
        picture=picture,
        title=f"{words['picture']} {number}",
        caption=picture.caption,
        values=tuple(filter(None, map(measured, picture.measurements))),
        origin=f"SHA-256 {picture.sha256[:SHORT]} · {words['drawn_by']} {picture.renderer}" if picture.sha256 else "",
        note=_note(picture, words),
    )


def _note(picture: Picture, words: dict[str, str]) -> str:
    if picture.withdrawn:
        return words["withdrawn"]
    return words["differs"] if picture.draws_the_same is False else ""


def measured(measurement: Mapping[str, Any]) -> str:
    """A measurement in words: its label and its numbers, as they stood beside it."""
    words = measurement.get("words")
    said = str(words.get("text") or "") if isinstance(words, Mapping) else ""
    return ": ".join(filter(None, said.split("\n"))) or str(measurement.get("label") or "")


def _critical(one: Critical, report: SignedReport, words: dict[str, str]) -> str:
    zone = report.site.time_zone
    told = " · ".join(filter(None, (one.recipient, one.method)))
    return "; ".join(
        filter(
            None,
            (
                f"{one.finding} ({words.get(one.category, one.category)})",
                f"{words['found_at']} {written.moment(one.found_at, zone)}",
                f"{words['told_to']} {told}" if told else "",
                words["read_back" if one.read_back else "not_read_back"],
                f"{words['acknowledged_at']} {written.moment(one.acknowledged_at, zone)}"
                if one.acknowledged_at
                else "",
                f"{words['closed_at']} {written.moment(one.closed_at, zone)}" if one.closed_at else "",
            ),
        )
    )


def _added(one: Addendum, report: SignedReport, words: dict[str, str]) -> Added:
    return Added(
        f"{words['addendum']}, {written.moment(one.signature.at, report.site.time_zone)}",
        one.text,
        signed_by(one.signature, report),
    )
