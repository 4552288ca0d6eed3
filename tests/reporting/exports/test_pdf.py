"""The PDF form: PDF/A and PDF/UA, every script in embedded fonts, the same bytes each time, inert whatever a report says."""

from __future__ import annotations

import io
import re
import struct
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from reporting.exports import EXPORTS, glyphs, pdf
from tests.reporting.exports import made, preflight

EVERY = made.every_report()


def read(data: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(data), strict=True)


def words_of(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in read(data).pages)


def flat(text: str) -> str:
    return re.sub(r"\s+", "", text)


# --- an independent reading of the rules of PDF/A-2 (ISO 19005-2) and PDF/UA-1 (ISO 14289-1) that a page of text meets


def broken_rules(data: bytes) -> list[str]:
    reader = read(data)
    root: Any = reader.trailer["/Root"]
    found = []
    xmp = root["/Metadata"].get_object().get_data().decode("utf-8")
    for rule, wanted in {
        "6.6.4 part": r"<pdfaid:part>2</pdfaid:part>",
        "6.6.4 conformance": r"<pdfaid:conformance>A</pdfaid:conformance>",
        "UA 5": r"<pdfuaid:part>1</pdfuaid:part>",
        "UA 7.1 title": r"<dc:title>",
    }.items():
        if not re.search(wanted, xmp):
            found.append(rule)
    if not data.startswith(b"%PDF-1.7\n%") or min(data[10:14]) < 128:
        found.append("6.1.2 header")
    if "/ID" not in reader.trailer or "/Encrypt" in reader.trailer:
        found.append("6.1.3 trailer")
    intents = [one.get_object() for one in root.get("/OutputIntents", [])]
    profiles = [one["/DestOutputProfile"].get_object().get_data() for one in intents if one.get("/S") == "/GTS_PDFA1"]
    if len(profiles) != 1 or profiles[0][36:40] != b"acsp":
        found.append("6.2.3 output intent")
    if not root.get("/MarkInfo", {}).get("/Marked") or "/StructTreeRoot" not in root:
        found.append("6.7.2 tagged")
    if not root.get("/Lang"):
        found.append("6.7.4 language")
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle"):
        found.append("UA 7.1 shows its title")
    if {"/AA", "/OpenAction", "/AcroForm", "/Names"} & set(root) and "/JavaScript" in str(root.get("/Names", "")):
        found.append("6.5.1 actions")
    for one in everything(reader):
        found += broken_by(one)
    return found


def broken_by(one: DictionaryObject) -> list[str]:
    found = []
    kind, subtype = one.get("/Type"), one.get("/Subtype")
    if one.get("/S") in ("/JavaScript", "/Launch", "/URI", "/GoToR", "/SubmitForm", "/ImportData"):
        found.append(f"an action {one['/S']}")
    if "/EF" in one or subtype in ("/FileAttachment", "/RichMedia", "/Movie", "/Sound"):
        found.append("an attachment")
    if kind == "/Font" and subtype in ("/Type0", "/TrueType", "/Type1") and "/ToUnicode" not in one:
        found.append("6.2.11.7 a font without its characters")
    if kind == "/FontDescriptor" and not {"/FontFile", "/FontFile2", "/FontFile3"} & set(one):
        found.append("6.2.11.4 a font is not embedded")
    if subtype == "/Image" and (one.get("/Interpolate") is True or "/Alternates" in one or "/OPI" in one):
        found.append("6.2.8 images")
    if one.get("/S") == "/Figure" and not one.get("/Alt"):
        found.append("UA 7.3 a figure without words")
    if one.get("/Filter") == "/LZWDecode":
        found.append("6.1.7 LZW")
    return found


def everything(reader: PdfReader) -> list[DictionaryObject]:
    """Every dictionary of the file."""
    seen: set[int] = set()
    found: list[DictionaryObject] = []
    wanted: list[Any] = [reader.trailer]
    while wanted:
        one = wanted.pop()
        if isinstance(one, IndirectObject):
            if one.idnum in seen:
                continue
            seen.add(one.idnum)
            one = one.get_object()
        if isinstance(one, DictionaryObject):
            found.append(one)
            wanted += [one.raw_get(key) for key in one]
        elif isinstance(one, ArrayObject):
            wanted += list(one)
    return found


@pytest.mark.parametrize("name", EVERY)
def test_every_report_keeps_the_rules_of_its_standards(name: str) -> None:
    assert broken_rules(EXPORTS["pdf"].make(EVERY[name])) == []


def test_the_reading_of_the_rules_sees_a_file_that_breaks_them() -> None:
    plain = pdf.make(made.report(), ("1.7",))
    assert "6.2.3 output intent" in broken_rules(plain)
    assert "6.6.4 part" in broken_rules(plain)


@preflight.needed
def test_preflight_finds_no_fault_in_the_same_pages_as_pdf_a_1b(tmp_path: Path) -> None:
    names = (
        "final",
        "many pictures",
        "in Japanese",
        "in Arabic",
        "in Korean",
        "in Hebrew",
        "hostile: typst",
        "hostile: emoji",
    )
    files: list[Path] = []
    for name in names:
        files.append(tmp_path / f"{len(files)}.pdf")
        files[-1].write_bytes(pdf.make(EVERY[name], ("a-1b",)))
    said = preflight.told(files)
    assert said.count("is a valid PDF/A-1b file") == len(names), said


@preflight.needed
def test_preflight_tells_a_plain_pdf_from_pdf_a(tmp_path: Path) -> None:
    (tmp_path / "plain.pdf").write_bytes(pdf.make(made.report(), ("1.4",)))
    assert "is not a valid PDF/A-1b file" in preflight.told([tmp_path / "plain.pdf"])


# --- what it says


def test_who_signed_when_and_in_what_meaning_stands_in_it() -> None:
    said = flat(words_of(pdf.make(made.cosigned())))
    assert flat("Signed electronically: Rita Rossi, Resident (author), 2024-02-03 09:15:30 CET (UTC+01:00)") in said
    assert (
        flat("Signed electronically: Alice Adler, Radiologist (co-signer), 2024-02-03 10:15:30 CET (UTC+01:00)") in said
    )


def test_the_letterhead_is_on_it_and_patient_and_page_number_on_every_page() -> None:
    long = made.saying("A line of findings.\n" * 60)
    report = replace(made.report(), sections=long.sections)
    pages = [page.extract_text() for page in read(pdf.make(report)).pages]
    assert len(pages) > 2
    assert "Harbour Hospital" in pages[0]
    assert "Department of Radiology" in pages[0]
    assert "20457 Hamburg" in pages[0]
    for number, text in enumerate(pages, 1):
        assert "Roe, Jane M · HH-12345 · 1970-01-31" in text
        assert f"Page {number} / {len(pages)}" in text


@pytest.mark.parametrize("name", made.SCRIPTS)
def test_every_script_can_be_read_out_of_it_and_has_its_glyphs(name: str) -> None:
    report = made.in_script(name)
    said = flat(words_of(pdf.make(report)))
    assert "[U+" not in said
    if name not in ("Arabic", "Hebrew"):  # pypdf gives these in the order in which they are drawn
        assert flat(made.SCRIPTS[name][1]) in said


def test_a_character_that_no_font_has_is_printed_as_its_number() -> None:
    said = flat(words_of(pdf.make(made.saying("brain \U0001f9e0 and \U0002a6d0"))))
    assert "brain[U+1F9E0]and[U+2A6D0]" in said


def test_pictures_are_in_it_losslessly_and_only_the_frozen_ones() -> None:
    report = made.many_pictures()
    images = [image for page in read(pdf.make(report)).pages for image in page.images]
    assert sorted(image.image.size for image in images if image.image) == [(128, 96)] * 3
    from PIL import Image

    wanted = {Image.open(io.BytesIO(one.png)).convert("L").tobytes() for one in report.pictures}
    assert {image.image.convert("L").tobytes() for image in images if image.image} == wanted


# --- that it stays what it is


def test_the_same_report_is_the_same_bytes_and_its_dates_are_those_of_the_signature() -> None:
    first, again = pdf.make(made.many_pictures()), pdf.make(made.many_pictures())
    assert first == again
    told = read(first).metadata
    assert told is not None
    assert told.creation_date == made.AT
    assert told.title == "CT head"
    assert told.author == "Alice Adler"


def test_typst_syntax_in_every_field_is_printed_and_never_read() -> None:
    text = made.HOSTILE["typst"]
    data = pdf.make(made.saying(text))
    said = flat(words_of(data))
    assert said.count(flat('#read("/etc/passwd")')) > 10
    assert "root:" not in said
    assert broken_rules(data) == []


characters = st.characters(exclude_categories=["Cs"])


@settings(max_examples=30, deadline=None)
@given(st.text(characters, max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    data = pdf.make(made.saying(text))
    assert broken_rules(data) == []


def test_nothing_is_lost_of_a_text_that_only_its_marks_are_spelled_out_of() -> None:
    assert glyphs.drawable("ne\u0301 \u0627\u0301x") == "né ا[U+0301]x"
    assert glyphs.drawable("ab\U0001f9e0\n") == "ab[U+1F9E0]\n"
    assert glyphs.drawable("हिन्दी") == "हिन्दी"
    assert glyphs.plainest("हि") == "ह[U+093F]"


def test_what_the_fonts_cover_is_what_their_maps_say(tmp_path: Path) -> None:
    known = frozenset().union(*glyphs.fonts())
    for text in (words for _, words, _ in made.SCRIPTS.values()):
        assert {ord(one) for one in text} <= known
    assert 0x1F9E0 not in known
    assert 0xAC00 + 11171 in known
    # a font of two characters, made by hand: formats 4 and 12
    four = struct.pack(">HHHHHHH", 4, 32, 0, 4, 4, 1, 0) + struct.pack(
        ">HHHHHHHHH", 66, 0xFFFF, 0, 65, 0xFFFF, 1, 1, 0, 0
    )
    twelve = struct.pack(">HHIIIIII", 12, 0, 28, 0, 1, 0x1F600, 0x1F601, 5)
    table = struct.pack(">HHHHIHHI", 0, 2, 3, 1, 20, 3, 10, 20 + len(four)) + four + twelve
    font = struct.pack(">IHHHH4sIII", 0x10000, 1, 0, 0, 0, b"cmap", 0, 28, len(table)) + table
    assert glyphs.code_points(font) == {65, 66, 0x1F600, 0x1F601}


def test_it_is_made_in_memory_and_leaves_nothing_behind_where_a_server_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "there is no such folder"))
    assert pdf.make(made.many_pictures()).startswith(b"%PDF")


@pytest.mark.skipif(
    subprocess.run(["which", "pdftotext"], capture_output=True).returncode != 0, reason="no poppler here"
)
@pytest.mark.parametrize("name", ["Arabic", "Hebrew"])
def test_what_runs_from_right_to_left_reads_in_its_own_order(name: str, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf.make(made.in_script(name)))
    said = subprocess.run(["pdftotext", str(tmp_path / "report.pdf"), "-"], capture_output=True, check=True).stdout
    first = made.SCRIPTS[name][1].split()[0]
    assert first in said.decode()
