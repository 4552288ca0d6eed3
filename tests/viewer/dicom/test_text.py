"""Names and texts by character set."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.dicom.read import read_instance
from viewer.dicom.text import charset_of, decode, decode_name, fold


def test_every_name_of_the_shared_character_sets_is_right(shared_data: Path) -> None:
    known = json.loads((shared_data / "manifest.json").read_text())["items"]
    files = sorted((shared_data / "charset").iterdir())
    assert len(files) == 9
    for path in files:
        assert read_instance(path).patient.name == known[f"charset/{path.name}"]["name"], path.name


def test_names_agree_with_pydicom_over_all_shared_files(shared_data: Path) -> None:
    for folder in ("charset", "cine", "colour", "derived", "windows", "xray", "enhanced"):
        for path in sorted((shared_data / folder).iterdir()):
            theirs = str(pydicom.dcmread(path, force=True, specific_tags=["PatientName"]).get("PatientName", ""))
            assert read_instance(path).patient.name == theirs.rstrip("^= "), path.name


@pytest.mark.parametrize(
    ("terms", "raw", "name"),
    [
        ([""], b"Doe^Jane", "Doe^Jane"),
        (["ISO_IR 100"], "Müller^Jürgen".encode("latin_1"), "Müller^Jürgen"),
        (["ISO-IR 100"], "Müller".encode("latin_1"), "Müller"),
        (["ISO_IR 192"], "Łukasz^Żółć".encode(), "Łukasz^Żółć"),
        (["ISO_IR 144"], "Люксембург".encode("iso8859_5"), "Люксембург"),
        (["ISO_IR 166"], "สมชาย".encode("tis_620"), "สมชาย"),
        (["GBK"], "王^小东".encode("gbk"), "王^小东"),
        (
            ["", "ISO 2022 IR 58"],
            b"Zhang^XiaoDong=\x1b$)A" + "张^".encode("gb2312")[:2] + b"^\x1b$)A\xd0\xa1\xb6\xab",
            "",
        ),
        (["", "ISO 2022 IR 100"], b"Buc^J\x1b-A\xe9r\xf4me", "Buc^Jérôme"),
        (["nonsense"], "Müller".encode(), "Müller"),
        ([""], "Müller".encode(), "Müller"),
        ([""], "Müller".encode("latin_1"), "Müller"),
    ],
)
def test_names_by_character_set(terms: list[str], raw: bytes, name: str) -> None:
    assert decode_name(raw, charset_of(terms)) == (name or "Zhang^XiaoDong=张^小东")


def test_a_backslash_inside_a_two_byte_character_parts_nothing() -> None:
    assert decode("構".encode("gb18030"), ("gb18030",)) == "構"
    assert decode("ソ".encode("shift_jis"), ("shift_jis",)) == "ソ"


@pytest.mark.parametrize("raw", [b"a\0b\x07c", b"  Doe^Jane^^^ \0", b"=\xff\xfe", b"\x1b", b"\x1b$B", b"\x1b$)C\xff"])
def test_nothing_that_is_no_character_survives(raw: bytes) -> None:
    for terms in ([""], ["ISO_IR 192"], ["", "ISO 2022 IR 87"], ["", "ISO 2022 IR 149"]):
        assert decode_name(raw, charset_of(terms)).isprintable()


@given(
    st.binary(max_size=60), st.sampled_from(["", "ISO_IR 192", "GB18030", "ISO_IR 13", "ISO 2022 IR 149", "ISO_IR 100"])
)
def test_no_bytes_break_the_reading_of_text(raw: bytes, term: str) -> None:
    assert "\0" not in decode(raw, charset_of([term]))


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Müller^Jürgen", "muller jurgen"),
        ("Yamada^Tarou=山田^太郎", "yamada tarou 山田 太郎"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("홍^길동", "홍 길동"),
        ("ダ", "ダ"),
        ("  a ^  b", "a b"),
    ],
)
def test_folding_for_search(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded
