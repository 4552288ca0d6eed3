"""Signed reports to export: one of each state, with pictures and numbers, in many scripts, and with hostile texts."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image

from reporting.exports.document import (
    Addendum,
    Code,
    Critical,
    Entry,
    OrderFacts,
    PatientFacts,
    Picture,
    Section,
    Signature,
    SignedReport,
    Site,
    SourceImage,
    StudyFacts,
)

AT = datetime(2024, 2, 3, 9, 15, 30, tzinfo=UTC)
STUDY, SERIES, IMAGE = "1.2.826.0.1.3680043.8.498.1", "1.2.826.0.1.3680043.8.498.1.2", "1.2.826.0.1.3680043.8.498.1.2.3"
PRIOR = "1.2.826.0.1.3680043.8.498.9"
CT, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1"

SITE = Site(
    name="default",
    title="Harbour Hospital",
    letterhead="Department of Radiology\nHead: Prof. A. Adler",
    address="Quay 1\n20457 Hamburg\n+49 40 123456",
    footer="Questions: radiology@harbour.example",
    time_zone="Europe/Berlin",
)
PATIENT = PatientFacts("Roe^Jane^M", "HH-12345", "HARBOUR", "19700131", "F")
STUDY_FACTS = StudyFacts(
    STUDY, "A-1001", "7", "20240203", "081500", "+0100", "CT head", ("CT",), "Harbour Hospital", "Brandt^Bob^^Dr"
)
ORDER = OrderFacts(
    "P-77",
    "F-88",
    "CTHEAD",
    "99HARBOUR",
    "CT of the head",
    "Fall, headache. Bleeding?",
    AT - timedelta(hours=3),
    "R-77",
)
FINDINGS = Code("59776-5", "LN", "Findings")
IMPRESSION = Code("19005-8", "LN", "Impression")
LENGTH = Code("410668003", "SCT", "Length")


def signature(meaning: str = "verified", minutes: int = 0, version: int = 4, **other: Any) -> Signature:
    told = {"name": "Alice Adler", "username": "alice", "role": "radiologist"} | other
    mac = hashlib.sha256(f"{meaning}{version}".encode()).hexdigest()
    return Signature(meaning=meaning, at=AT + timedelta(minutes=minutes), version=version, mac=mac, **told)


def picture(position: int = 1, **other: Any) -> Picture:
    """A grey ramp with one measured line on it."""
    pixels = (np.add.outer(np.arange(96), np.arange(128)) * position % 256).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    line = {
        "uid": f"2.25.{position}",
        "kind": "line",
        "label": "Haematoma",
        "values": {"length": {"value": 12.04, "unit": "mm", "source": "pixel spacing"}},
        "drawings": [{"graphic": "POLYLINE", "points": [[20.0, 30.0], [60.0, 55.5]]}],
        "words": {"text": "Haematoma\n12.0 mm", "at": [60.0, 55.5]},
    }
    told: dict[str, Any] = {
        "kind": "key_image",
        "uid": f"2.25.100{position}",
        "caption": f"image {11 + position}, series 3",
        "view": {"series": SERIES, "sop_instance_uid": IMAGE, "frame_number": 1},
        "renderer": "farview-cpu 1",
        "series_instance_uid": SERIES,
        "sources": (SourceImage(CT, IMAGE, SERIES),),
        "measurements": (line,),
    } | other
    return Picture(
        position=position,
        png=file.getvalue(),
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        rows=96,
        columns=128,
        **told,
    )


def report(**other: Any) -> SignedReport:
    """A final one; `other` replaces fields."""
    told: dict[str, Any] = {
        "report_id": 17,
        "uid": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
        "version": 4,
        "state": "final",
        "title": "CT head",
        "language": "en",
        "template_identifier": "free-text",
        "site": SITE,
        "patient": PATIENT,
        "study": STUDY_FACTS,
        "order": ORDER,
        "sections": (
            Section(
                "findings",
                "Findings",
                FINDINGS,
                (
                    Entry("", "Left temporal haematoma, 12.0 mm.\nNo midline shift.", "findings", pictures=(1,)),
                    Entry("Size", "12 mm", "size", (LENGTH,), 12.0, "mm"),
                ),
            ),
            Section("impression", "Impression", IMPRESSION, (Entry("", "Left temporal haematoma.", "impression"),)),
        ),
        "pictures": (picture(),),
        "signatures": (signature(),),
        "first_signed_at": AT,
        "study_series": {SERIES: ((CT, IMAGE), (CT, f"{IMAGE}.1"))},
    }
    return SignedReport(**(told | other))


RESIDENT: dict[str, Any] = {"name": "Rita Rossi", "username": "rita", "role": "resident"}


def preliminary() -> SignedReport:
    return report(state="preliminary", version=2, signatures=(signature("author", version=2),))


def pending_cosign() -> SignedReport:
    return report(state="pending_cosign", version=2, signatures=(signature("author", version=2, **RESIDENT),))


def cosigned() -> SignedReport:
    signed = (signature("author", -60, 2, **RESIDENT), signature("co-signer", 0, 4))
    return report(signatures=signed, predecessors=("2.25.11",))


def appended() -> SignedReport:
    added = Addendum("Compared with 2023: new.\nSeen with Dr. Brandt.", signature("addendum", 90, 5))
    return report(state="appended", version=5, addenda=(added,), predecessors=("2.25.11",))


def corrected() -> SignedReport:
    return report(
        state="corrected",
        version=6,
        reason="The side was wrong.",
        reason_code="error",
        signatures=(signature("correction", 120, 6),),
        predecessors=("2.25.12", "2.25.11"),
    )


def entered_in_error() -> SignedReport:
    signed = (signature(), signature("entered in error", 200, 7))
    return report(state="entered_in_error", version=7, reason="Written for another patient.", signatures=signed)


def cancelled() -> SignedReport:
    signed = (signature("cancelled", 30, 3, name="Bo Boss", username="boss", role="admin"),)
    return report(state="cancelled", version=3, reason="Ordered twice.", signatures=signed)


def critical(closed: bool = False) -> SignedReport:
    told = AT + timedelta(minutes=20) if closed else None
    one = Critical(
        "Acute haematoma", "minutes", AT, "Dr. Brandt, ward 3" if closed else "", "phone", closed, told, told
    )
    return report(criticals=(one,))


def many_pictures() -> SignedReport:
    """One of a volume, one of a frame, one of a prior that looks different today."""
    stack = tuple(SourceImage(CT, f"{IMAGE}.{number}", SERIES) for number in range(40))
    frames = (SourceImage(ENHANCED_CT, f"{PRIOR}.2.1", f"{PRIOR}.2", (3, 5), PRIOR),)
    pictures = (
        picture(1, sources=stack, kind="measurement"),
        picture(2, sources=(SourceImage(CT, IMAGE, SERIES),), measurements=()),
        picture(3, sources=frames, draws_the_same=False, series_instance_uid=f"{PRIOR}.2"),
    )
    entry = Entry("", "Mass in three views.", "findings", pictures=(3, 1, 2))
    return report(pictures=pictures, sections=(Section("findings", "Findings", FINDINGS, (entry,)),))


SCRIPTS = {
    "Chinese": ("Wang^XiaoDong=王^小东=", "左颞叶血肿，12毫米。", "zh-hans"),
    "Japanese": ("Yamada^Tarou=山田^太郎=やまだ^たろう", "左側頭部に血腫、12 mm。", "en"),
    "Arabic": ("قباني^لنزار", "ورم دموي صدغي أيسر، ١٢ مم.", "fr"),
    "Cyrillic": ("Люкceмбypг^Анна", "Гематома слева, 12 мм.", "de"),
    "Korean": ("Hong^Gildong=洪^吉洞=홍^길동", "좌측 측두엽 혈종, 12 mm.", "es"),
    "Greek": ("Διονυσιος^Ελένη", "Αιμάτωμα αριστερά.", "en"),
    "Hebrew": ("שרון^דבורה", "המטומה שמאלית.", "en"),
    "Latin": ("Müller-Đorđević^Łucja", "Hämatom links, Größe 12 mm ± 0,5 µm².", "de"),
}


def in_script(name: str) -> SignedReport:
    person, text, language = SCRIPTS[name]
    sections = (Section("findings", text[:12], FINDINGS, (Entry("", text, "findings", pictures=(1,)),)),)
    site = replace(SITE, language=language, title=text, letterhead=text)
    return report(
        patient=replace(PATIENT, name=person), sections=sections, site=site, title=text[:20], language=language
    )


HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;",
    "typst": '#read("/etc/passwd") $x^2$ *b* _i_ `raw` @ref <label> #{import "@preview/x:1.0.0": y} \\u{41} //c /*',
    "hl7": "a|b^c~d\\e&f\rMSH|^~\\&|evil\r\nPID|||1\\.br\\",
    "controls": "nul\0 bell\a esc\x1b[31m vt\x0b fs\x1c del\x7f c1\x85 sep\u2028 end\uffff \ufffe",
    "surrogates": "half \ud83d of a pair",
    "bidi": "\u202eevil\u202c \u2066x\u2069 \u200b\u200d\ufeff",
    "backslashes": "\\" * 70 + "=^=^" * 9,
    "long": "word " * 800,
    "unbroken": "x" * 3000,
    "emoji": "👩🏽‍⚕️🧠 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ﷽ 🇩🇪",
    "spaces": "  \t indented\n\n\n   ",
}


def saying(text: str) -> SignedReport:
    """One that holds `text` in every field that holds a text at all."""
    signed = replace(signature(), name=text, username=text, role=text, meaning=text)
    code = Code(text, text, text)
    line = {"label": text, "words": {"text": text, "at": [3.0, 4.0]}, "values": {text: {"value": 1.0, "unit": text}}}
    shown = replace(picture(), caption=text, renderer=text, measurements=(line, *picture().measurements))
    entries = (
        Entry("", text, text, pictures=(1,)),
        Entry(text, text, "size", (code,), 12.5, text),
        Entry("Size", "12 mm", "size", (LENGTH,), 12.0, "mm"),
    )
    return report(
        title=text,
        language=text[:16],
        template_identifier=text,
        state="appended",
        site=Site(text, text, text, text, text, text, text),
        patient=PatientFacts(text, text, text, text, text),
        study=replace(
            STUDY_FACTS,
            accession_number=text,
            study_id=text,
            date=text,
            time=text,
            timezone_offset=text,
            description=text,
            modalities=(text,),
            institution=text,
            referring_physician=text,
        ),
        order=OrderFacts(text, text, text, text, text, text, AT, text),
        sections=(Section(text, text, code, entries), Section("impression", text, IMPRESSION, entries[:1])),
        pictures=(shown,),
        signatures=(signed,),
        addenda=(Addendum(text, signed),),
        criticals=(Critical(text, text, AT, text, text, False, None, None),),
        reason=text,
        reason_code=text,
    )


PLAIN = (Section("findings", "Findings", None, (Entry("", "Normal.", "findings"),)),)


def sectioned() -> SignedReport:
    """Findings by side, under one heading and its code."""
    sides = (
        Section(f"{side}-knee", f"{side.capitalize()} knee", FINDINGS, (Entry("Menisci", said, side),), 2, "findings")
        for side, said in (("left", "A tear of the posterior horn."), ("right", "Intact."))
    )
    impression = Section("impression", "Impression", IMPRESSION, (Entry("", "Left meniscal tear.", "impression"),))
    return report(sections=(Section("findings", "Findings", FINDINGS, ()), *sides, impression), pictures=())


REPORTS: dict[str, Callable[[], SignedReport]] = {
    "preliminary": preliminary,
    "pending co-sign": pending_cosign,
    "final": report,
    "co-signed": cosigned,
    "appended": appended,
    "corrected": corrected,
    "entered in error": entered_in_error,
    "cancelled": cancelled,
    "critical open": critical,
    "critical closed": lambda: critical(closed=True),
    "many pictures": many_pictures,
    "by side": sectioned,
    "without order, pictures or numbers": lambda: report(order=None, pictures=(), sections=PLAIN),
}


def every_report() -> dict[str, SignedReport]:
    made = {name: make() for name, make in REPORTS.items()}
    made |= {f"in {script}": in_script(script) for script in SCRIPTS}
    return made | {f"hostile: {kind}": saying(text) for kind, text in HOSTILE.items()}
