"""The DICOM forms: TID 2000, its rejection note, the encapsulated PDF. Judged by dciodvfy, highdicom and DCMTK."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import warnings
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import highdicom
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes as dictionary

from reporting.exports import EXPORTS, identifiers, pdf, sr
from reporting.exports.dicom_subject import Flags, NoSuchForm, refuse_impossible
from reporting.exports.document import Code, Entry, Section, SignedReport
from tests.reporting.exports import made
from tests.viewer.objects.validator import DCIODVFY, needs_validator

EVERY = made.every_report()
WITH_OBJECT = [name for name, report in EVERY.items() if report.state != "cancelled"]
WITH_SR = [name for name in WITH_OBJECT if EVERY[name].state != "entered_in_error"]


def read(data: bytes) -> pydicom.FileDataset:
    return pydicom.dcmread(io.BytesIO(data))


def sr_of(report: SignedReport) -> pydicom.FileDataset:
    return read(EXPORTS["sr"].make(report))


def walk(item: Dataset) -> list[Dataset]:
    return [one for child in item.get("ContentSequence", []) for one in (child, *walk(child))]


def concept(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].get("CodeValue")) if "ConceptNameCodeSequence" in item else ""


def limited(report: SignedReport) -> SignedReport:
    """With identity that fits its value representations: identity is never cut, not even to be valid."""
    patient, study = report.patient, report.study
    return replace(
        report,
        patient=replace(patient, patient_id=patient.patient_id[:64]),
        study=replace(study, accession_number=study.accession_number[:16]),
    )


def errors_in(path: Path) -> list[str]:
    """Errors of dciodvfy but those of texts that it counts in bytes where the standard (PS3.5 6.2) counts characters."""
    said = subprocess.run([str(DCIODVFY), str(path)], capture_output=True, text=True, errors="replace", check=False)
    lines = (said.stdout + said.stderr).splitlines()
    assert any("EnhancedSR" in line or "KeyObject" in line or "EncapsulatedPDF" in line for line in lines), lines
    errors = [line for line in lines if line.startswith("Error")]
    real = [line for line in errors if not ("Length invalid" in line and not line.isascii())]
    summary = "Error - Dicom dataset contains invalid data values for Value Representations"
    return [line for line in real if line != summary] if len(real) < len(errors) else real


# --- judges


@needs_validator
@pytest.mark.parametrize("kind", ["sr", "dicom-pdf"])
@pytest.mark.parametrize("name", WITH_OBJECT)
def test_dciodvfy_finds_no_error(name: str, kind: str, tmp_path: Path) -> None:
    if kind == "dicom-pdf" and name not in WITH_SR:
        pytest.skip("a withdrawn report has no document")
    (tmp_path / "object.dcm").write_bytes(EXPORTS[kind].make(limited(EVERY[name])))
    assert errors_in(tmp_path / "object.dcm") == []


@pytest.mark.parametrize("name", WITH_SR)
def test_highdicom_reads_it_as_an_enhanced_sr(name: str) -> None:
    (root,) = highdicom_of(EVERY[name])
    assert root.name.value in {code.value for code in titles()}
    assert len(root.ContentSequence.find(dictionary.DCM.LanguageOfContentItemAndDescendants)) == 1


def highdicom_of(report: SignedReport) -> Any:
    """Its reader warns of texts that have more bytes, not characters, than they may have characters."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The value length", UserWarning)
        return highdicom.sr.EnhancedSR.from_dataset(sr_of(limited(report))).content


def titles() -> list[pydicom.sr.coding.Code]:
    group = dictionary.cid7000
    return [getattr(group, name) for name in group.dir()]


@pytest.mark.skipif(shutil.which("dsr2html") is None, reason="DCMTK is not installed (Debian: dcmtk)")
@pytest.mark.parametrize("name", WITH_OBJECT)
def test_dcmtk_renders_it_with_its_text(name: str, tmp_path: Path) -> None:
    report = limited(EVERY[name])
    (tmp_path / "object.dcm").write_bytes(EXPORTS["sr"].make(report))
    page = tmp_path / "page.html"
    done = subprocess.run(
        ["dsr2html", str(tmp_path / "object.dcm"), str(page)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if line.startswith(("E:", "F:"))] == []
    if name in ("final", "appended", "corrected"):
        assert "Left temporal haematoma" in page.read_text(encoding="utf-8", errors="replace")


characters = st.characters(exclude_categories=["Cs"])


@settings(max_examples=40, deadline=None)
@given(st.text(characters, max_size=40))
def test_no_text_breaks_it(text: str) -> None:
    highdicom_of(made.saying(text))
    d = sr_of(limited(made.saying(text)))
    assert [one.TextValue for one in walk(d) if one.ValueType == "TEXT" and not one.TextValue] == []
    assert d.SpecificCharacterSet == "ISO_IR 192"


# --- what it says


def test_a_final_report_is_complete_verified_and_final_by_its_signer_at_the_time_of_the_signature() -> None:
    d = sr_of(made.report())
    assert (d.CompletionFlag, d.VerificationFlag, d.PreliminaryFlag) == ("COMPLETE", "VERIFIED", "FINAL")
    (observer,) = d.VerifyingObserverSequence
    assert observer.VerifyingObserverName == "Adler^Alice"
    assert observer.VerificationDateTime == "20240203101530+0100"
    assert observer.VerifyingOrganization == "Harbour Hospital"
    assert observer.VerifyingObserverIdentificationCodeSequence[0].CodeValue == "alice"
    assert (d.ContentDate, d.ContentTime, d.TimezoneOffsetFromUTC) == ("20240203", "101530", "+0100")


@pytest.mark.parametrize("make", [made.preliminary, made.pending_cosign])
def test_a_preliminary_report_is_unverified(make: object) -> None:
    d = sr_of(make())  # type: ignore[operator]
    assert (d.CompletionFlag, d.VerificationFlag, d.PreliminaryFlag) == ("COMPLETE", "UNVERIFIED", "PRELIMINARY")
    assert "VerifyingObserverSequence" not in d


def test_a_resident_is_the_author_and_the_attending_verifies() -> None:
    d = sr_of(made.cosigned())
    assert [one.PersonName for one in d.AuthorObserverSequence] == ["Rossi^Rita"]
    assert [one.VerifyingObserverName for one in d.VerifyingObserverSequence] == ["Adler^Alice"]
    assert sr_of(made.pending_cosign()).AuthorObserverSequence[0].PersonName == "Rossi^Rita"


@pytest.mark.parametrize("flags", [Flags("PARTIAL", "VERIFIED", "FINAL"), Flags("COMPLETE", "VERIFIED", "PRELIMINARY")])
def test_verified_is_refused_for_what_is_partial_or_preliminary(flags: Flags) -> None:
    with pytest.raises(NoSuchForm):
        refuse_impossible(flags)


@pytest.mark.parametrize("state", ["draft", "returned", "cancelled"])
def test_a_report_that_nobody_stands_for_has_no_object(state: str) -> None:
    for kind in ("sr", "dicom-pdf"):
        with pytest.raises(NoSuchForm):
            EXPORTS[kind].make(made.report(state=state))


def test_its_tree_is_that_of_template_2000() -> None:
    d = sr_of(made.report())
    assert d.ContentTemplateSequence[0].TemplateIdentifier == "2000"
    assert concept(d) == "25045-6"
    order = [(one.RelationshipType, one.ValueType, concept(one)) for one in d.ContentSequence]
    assert order == [
        ("HAS CONCEPT MOD", "CODE", "121058"),
        ("HAS CONCEPT MOD", "CODE", "122142"),
        ("HAS CONCEPT MOD", "CODE", "121049"),
        ("HAS OBS CONTEXT", "CODE", "121005"),
        ("HAS OBS CONTEXT", "PNAME", "121008"),
        ("HAS OBS CONTEXT", "TEXT", "121009"),
        ("HAS OBS CONTEXT", "CODE", "121010"),
        ("HAS OBS CONTEXT", "UIDREF", "121018"),
        ("HAS OBS CONTEXT", "TEXT", "121020"),
        ("HAS OBS CONTEXT", "TEXT", "121021"),
        ("HAS OBS CONTEXT", "TEXT", "121022"),
        ("CONTAINS", "CONTAINER", "59776-5"),
        ("CONTAINS", "CONTAINER", "19005-8"),
        ("CONTAINS", "CONTAINER", "55113-5"),
    ]
    elements = {code.value for group in (dictionary.cid7002,) for code in (getattr(group, one) for one in group.dir())}
    for section in d.ContentSequence[-3:]:
        for line in section.ContentSequence:
            assert (line.RelationshipType, line.ValueType) == ("CONTAINS", "TEXT")
            assert concept(line) in elements
            for source in line.get("ContentSequence", []):
                assert source.RelationshipType == "INFERRED FROM"
                assert source.ValueType in ("IMAGE", "NUM")


def test_what_stands_under_a_heading_is_in_its_container_with_its_own_title() -> None:
    root = sr_of(made.sectioned())
    held = {concept(one): one for one in root.ContentSequence if one.ValueType == "CONTAINER"}
    assert list(held) == ["59776-5", "19005-8"]
    texts = [one.TextValue for one in held["59776-5"].ContentSequence]
    assert texts == ["Left knee: Menisci: A tear of the posterior horn.", "Right knee: Menisci: Intact."]


def test_a_coded_number_is_a_num_with_its_unit_beside_the_words() -> None:
    findings = next(one for one in sr_of(made.report()).ContentSequence if concept(one) == "59776-5")
    words, size = findings.ContentSequence
    assert words.TextValue == "Left temporal haematoma, 12.0 mm.\nNo midline shift."
    assert size.TextValue == "Size: 12 mm"
    (number,) = size.ContentSequence
    assert concept(number) == "410668003"
    value = number.MeasuredValueSequence[0]
    assert (value.NumericValue, value.MeasurementUnitsCodeSequence[0].CodeValue) == (12, "mm")
    assert words.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == made.IMAGE
    assert concept(words.ContentSequence[0]) == "121080"


def test_everything_that_is_referenced_or_was_read_is_in_the_evidence_once() -> None:
    d = sr_of(made.many_pictures())
    listed = [
        (study.StudyInstanceUID, series.SeriesInstanceUID, one.ReferencedSOPInstanceUID)
        for study in d.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    ]
    assert len(listed) == len(set(listed))
    uids = {uid for _, _, uid in listed}
    named = {one.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for one in walk(d) if one.ValueType == "IMAGE"}
    assert named <= uids
    assert uids == named | {made.IMAGE, f"{made.IMAGE}.1"}
    assert (made.PRIOR, f"{made.PRIOR}.2", f"{made.PRIOR}.2.1") in listed
    frames = [one.ReferencedSOPSequence[0] for one in walk(d) if one.ValueType == "IMAGE"]
    assert [3, 5] in [list(one.ReferencedFrameNumber) for one in frames if "ReferencedFrameNumber" in one]


def test_it_names_the_request_that_it_answers() -> None:
    (request,) = sr_of(made.report()).ReferencedRequestSequence
    assert request.AccessionNumber == "A-1001"
    assert request.PlacerOrderNumberImagingServiceRequest == "P-77"
    assert request.RequestedProcedureCodeSequence[0].CodeValue == "CTHEAD"
    assert "ReferencedRequestSequence" not in sr_of(made.report(order=None))


def test_a_later_version_is_another_object_of_the_same_series_that_names_its_predecessors() -> None:
    first, later = sr_of(made.report()), sr_of(replace(made.corrected(), predecessors=(sr_uid(4), sr_uid(2))))
    assert first.SOPInstanceUID == sr_uid(4) != later.SOPInstanceUID
    assert first.SeriesInstanceUID == later.SeriesInstanceUID
    (study,) = later.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    assert series.SeriesInstanceUID == first.SeriesInstanceUID
    assert [one.ReferencedSOPInstanceUID for one in series.ReferencedSOPSequence] == [sr_uid(4), sr_uid(2)]
    assert series.ReferencedSOPSequence[0].ReferencedSOPClassUID == first.SOPClassUID


def sr_uid(version: int) -> str:
    return identifiers.report_object(made.report().uid, version)


def test_an_addendum_is_a_section_by_its_own_observer_and_the_text_stays() -> None:
    d = sr_of(made.appended())
    base = [one.TextValue for one in walk(sr_of(made.report())) if one.ValueType == "TEXT"]
    now = [one.TextValue for one in walk(d) if one.ValueType == "TEXT"]
    assert now[: len(base)] == base
    added = d.ContentSequence[-1]
    assert concept(added) == "55107-7"
    assert added.ContentSequence[1].PersonName == "Adler^Alice"
    assert any(
        one.get("TextValue") == "Compared with 2023: new.\nSeen with Dr. Brandt." for one in added.ContentSequence
    )
    assert d.VerifyingObserverSequence[-1].VerificationDateTime == "20240203114530+0100"


def test_one_entered_in_error_is_a_note_that_rejects_what_was_written() -> None:
    note = sr_of(made.entered_in_error())
    assert note.SOPClassUID.name == "Key Object Selection Document Storage"
    assert concept(note) == "113037"
    named = [one.ReferencedSOPSequence[0] for one in note.ContentSequence if one.ValueType == "COMPOSITE"]
    assert [one.ReferencedSOPInstanceUID for one in named] == [sr_uid(4)]
    evidence = note.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert evidence.SeriesInstanceUID == sr_of(made.report()).SeriesInstanceUID
    assert "Written for another patient." in note.ContentSequence[2].TextValue


@pytest.mark.parametrize("name", made.SCRIPTS)
def test_names_of_every_script_keep_their_groups(name: str) -> None:
    d = sr_of(made.in_script(name))
    assert str(d.PatientName).rstrip("=") == made.SCRIPTS[name][0].rstrip("=")
    assert made.SCRIPTS[name][1] in [one.get("TextValue") for one in walk(d)]


def test_it_is_the_same_bytes_each_time() -> None:
    assert EXPORTS["sr"].make(made.many_pictures()) == EXPORTS["sr"].make(made.many_pictures())
    assert EXPORTS["dicom-pdf"].make(made.report()) == EXPORTS["dicom-pdf"].make(made.report())


def test_the_wrapped_pdf_is_the_pdf() -> None:
    report = made.report()
    d = read(EXPORTS["dicom-pdf"].make(report))
    document = d.EncapsulatedDocument[: d.EncapsulatedDocumentLength]
    assert document == pdf.make(report)
    assert d.MIMETypeOfEncapsulatedDocument == "application/pdf"
    assert (d.VerificationFlag, d.Modality, d.BurnedInAnnotation) == ("VERIFIED", "DOC", "YES")
    assert {one.ReferencedSOPInstanceUID for one in d.SourceInstanceSequence} == {made.IMAGE, f"{made.IMAGE}.1"}
    assert d.StudyInstanceUID == made.STUDY
    assert d.SOPInstanceUID == identifiers.document_object(report.uid, report.version)


def test_a_long_code_and_a_unit_that_is_none_do_not_break_it() -> None:
    odd = Entry("Size", "12", "size", (Code("123456789012345678", "SCT", "A" * 90),), 12.0, "mm")
    bad = replace(odd, units="furlongs per\nfortnight and a half")
    endless = replace(odd, number=float("inf"))
    sections = (Section("findings", "Findings", made.FINDINGS, (odd, bad, endless)),)
    numbers = [one for one in walk(sr_of(made.report(sections=sections, pictures=()))) if one.ValueType == "NUM"]
    assert len(numbers) == 1
    assert numbers[0].ConceptNameCodeSequence[0].LongCodeValue == "123456789012345678"


def test_dates_that_are_none_are_left_empty() -> None:
    study = replace(made.STUDY_FACTS, date="20241399", time="9:15", timezone_offset="CET")
    d = sr_of(made.report(study=study, patient=replace(made.PATIENT, birth_date="19700000", sex="?")))
    assert (d.StudyDate, d.StudyTime, d.PatientBirthDate, d.PatientSex) == ("", "", "", "")
    assert re.fullmatch(r"\d{14}[+-]\d{4}", d.VerifyingObserverSequence[0].VerificationDateTime)
    assert datetime.strptime(d.VerifyingObserverSequence[0].VerificationDateTime, "%Y%m%d%H%M%S%z") == made.AT
    assert sr.MEDIA_TYPE == "application/dicom"
