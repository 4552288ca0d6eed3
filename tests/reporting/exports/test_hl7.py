"""The HL7 form: ORU^R01 v2.5.1, statuses as tabled, every text escaped. Judged by hl7apy."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from hl7apy.consts import VALIDATION_LEVEL  # type: ignore[import-untyped]
from hl7apy.parser import parse_message  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.exports import EXPORTS, hl7, pdf
from reporting.exports.document import Code, Entry, Section, SignedReport
from reporting.messages import er7
from tests.reporting.exports import made

EVERY = made.every_report()


def message_of(report: SignedReport, document: bool = False) -> er7.Message:
    return er7.parse(hl7.make(report, document).decode("utf-8"))


def judged(data: bytes) -> None:
    """By hl7apy: tolerant as it is, strict with the formatted texts short (it gives FT the length of ST)."""
    text = data.decode("utf-8")
    assert parse_message(text, find_groups=True).validate()
    short = []
    for line in text.rstrip("\r").split("\r"):
        fields = line.split("|")
        if fields[0] == "OBX" and fields[2] == "FT":
            fields[5] = fields[5][:3].replace("\\", "") or "x"
        if fields[0] == "NTE":
            fields[3] = "x"
        short.append("|".join(fields))
    strict = parse_message("\r".join(short) + "\r", find_groups=True, validation_level=VALIDATION_LEVEL.STRICT)
    assert strict.validate()


@pytest.mark.parametrize("name", EVERY)
def test_hl7apy_finds_every_report_valid(name: str) -> None:
    judged(EXPORTS["hl7"].make(EVERY[name]))


@settings(max_examples=30, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    data = hl7.make(made.saying(text))
    judged(data)
    names = [segment.name for segment in er7.parse(data.decode()).segments]
    assert names[:6] == ["MSH", "PID", "PV1", "ORC", "OBR", "NTE"] or names[:5] == ["MSH", "PID", "PV1", "ORC", "OBR"]
    assert set(names[5:]) <= {"NTE", "OBX"}


STATUSES: dict[str, tuple[Callable[[], SignedReport], str, str]] = {
    "preliminary": (made.preliminary, "P", "P"),
    "pending co-sign": (made.pending_cosign, "P", "P"),
    "final": (made.report, "F", "F"),
    "appended": (made.appended, "F", "F"),
    "corrected": (made.corrected, "C", "C"),
    "cancelled": (made.cancelled, "X", "X"),
    "entered in error": (made.entered_in_error, "", "W"),
}


@pytest.mark.parametrize("name", STATUSES)
def test_its_state_reads_as_tabled(name: str) -> None:
    make, whole, each = STATUSES[name]
    message = message_of(make())
    assert message.first("OBR").text(25) == whole
    results = [one for one in message.all("OBX") if one.text(11) != "O"]
    assert {one.text(11) for one in results} == {each}


def test_a_site_may_have_addenda_sent_as_corrections() -> None:
    report = made.appended()
    message = message_of(replace(report, site=replace(report.site, appended_as_correction=True)))
    assert message.first("OBR").text(25) == "C"
    (added,) = [one for one in message.all("OBX") if one.text(3) == "55107-7"]
    assert added.text(11) == "C"


def test_the_text_of_a_section_reads_back_as_it_was_written() -> None:
    text = "a|b^c~d&e\\f\n\n  Größe ≥ 12 mm, 左"
    sections = (Section("findings", "Findings", made.FINDINGS, (Entry("", text, "findings"),)),)
    (findings,) = [one for one in message_of(made.report(sections=sections)).all("OBX") if one.text(3) == "59776-5"]
    assert findings.text(2) == "FT"
    assert findings.text(5) == text


def test_what_stands_under_a_heading_goes_by_its_code_and_keeps_its_title() -> None:
    (findings,) = [one for one in message_of(made.sectioned()).all("OBX") if one.text(3) == "59776-5"]
    said = "Left knee:\nMenisci: A tear of the posterior horn.\nRight knee:\nMenisci: Intact."
    assert findings.text(5) == said


def test_a_very_long_text_comes_in_several_parts_that_make_it_again() -> None:
    text = "".join(f"{number}&" for number in range(9000))
    sections = (Section("findings", "Findings", made.FINDINGS, (Entry("", text, "findings"),)),)
    data = hl7.make(made.report(sections=sections))
    parts = [one for one in er7.parse(data.decode()).all("OBX") if one.text(3) == "59776-5"]
    assert "".join(one.text(5) for one in parts) == text
    assert [one.text(4) for one in parts] == [str(number) for number in range(1, len(parts) + 1)]
    assert all(len(one.raw(5)) <= 65_536 for one in parts)


def test_a_coded_number_is_a_number_in_ucum() -> None:
    (size,) = [one for one in message_of(made.report()).all("OBX") if one.text(2) == "NM"]
    assert (size.text(3), size.text(3, 3), size.text(5), size.text(6), size.text(6, 3)) == (
        *("410668003", "SCT", "12", "mm", "UCUM"),
    )
    odd = Entry("n", "0", "n", (Code("1", "LN", "n"),), 1e-7, "not a unit at all")
    sections = (Section("findings", "Findings", made.FINDINGS, (odd, replace(odd, number=float("nan")))),)
    numbers = [one for one in message_of(made.report(sections=sections)).all("OBX") if one.text(2) == "NM"]
    assert [(one.text(5), one.text(6)) for one in numbers] == [("0", "")]


def test_it_names_study_order_patient_and_people() -> None:
    message = message_of(made.cosigned())
    study = next(message.all("OBX"))
    assert (study.text(2), study.text(3), study.text(3, 3), study.text(5)) == ("HD", "113014", "DCM", made.STUDY)
    assert study.text(11) == "O"
    request, patient = message.first("OBR"), message.first("PID")
    assert (request.text(2), request.text(3), request.text(4), request.text(18)) == ("P-77", "F-88", "CTHEAD", "A-1001")
    assert (patient.text(3), patient.text(3, 4), patient.text(5), patient.text(5, 2)) == (
        *("HH-12345", "HARBOUR", "Roe", "Jane"),
    )
    assert (request.text(16), request.text(16, 2), request.text(16, 6)) == ("R-77", "Brandt", "Dr")
    assert (request.text(32, 1, 1), request.text(32, 1, 2), request.text(33, 1, 2)) == ("alice", "Adler", "Rossi")
    assert request.text(32, 2) == "20240203101530+0100"
    assert request.text(7) == "20240203081500+0100"
    assert message.header.text(18) == "UNICODE UTF-8"


@pytest.mark.parametrize("name", made.SCRIPTS)
def test_names_keep_the_groups_of_their_scripts(name: str) -> None:
    patient = message_of(made.in_script(name)).first("PID")
    groups = [group for group in made.SCRIPTS[name][0].split("=") if group]
    assert len(patient.repetitions(5)) == len(groups)
    for number, group in enumerate(groups, 1):
        assert patient.text(5, repetition=number) == group.split("^")[0]


def test_signatures_addenda_and_open_critical_results_stand_in_it() -> None:
    texts = {one.text(3): one.text(5) for one in message_of(made.appended()).all("OBX")}
    assert "Alice Adler, Radiologist (verified), 2024-02-03 10:15:30 CET" in texts["SIGNATURES"]
    assert texts["55107-7"].startswith("Compared with 2023: new.\nSeen with Dr. Brandt.\nSigned electronically:")
    texts = {one.text(3): one.text(5) for one in message_of(made.critical()).all("OBX")}
    assert "nobody has confirmed yet" in texts["REPORT"]
    assert message_of(made.corrected()).first("NTE").text(3) == "The side was wrong."


def test_the_pdf_goes_with_it_where_it_is_asked_for() -> None:
    report = made.report()
    assert not [one for one in message_of(report).all("OBX") if one.text(2) == "ED"]
    data = hl7.make(report, document=True)
    assert parse_message(data.decode(), find_groups=True).validate()
    (document,) = [one for one in er7.parse(data.decode()).all("OBX") if one.text(2) == "ED"]
    assert [document.text(5, part) for part in (2, 3, 4)] == ["application", "pdf", "Base64"]
    assert base64.b64decode(document.text(5, 5), validate=True) == pdf.make(report)


def test_the_same_report_is_the_same_message_and_its_control_id_is_short() -> None:
    assert hl7.make(made.many_pictures()) == hl7.make(made.many_pictures())
    first, later = message_of(made.report()).header.text(10), message_of(made.corrected()).header.text(10)
    assert first != later
    assert len(first) <= 20


def test_an_order_that_nobody_numbered_goes_by_the_accession_number_or_the_reports_own() -> None:
    assert message_of(made.report(order=None)).first("ORC").text(3) == "A-1001"
    bare = made.report(order=None, study=replace(made.STUDY_FACTS, accession_number=""))
    assert message_of(bare).first("OBR").text(3) == bare.uid
    assert message_of(bare).first("OBR").text(4) == "18748-4"
