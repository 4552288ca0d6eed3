"""HL7 v2 text: what is written reads back as it was, and nothing that is written can begin a segment of its own."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.messages import er7

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(anything, anything, anything)
def test_any_text_reads_back_as_it_was_written(one: str, other: str, formatted: str) -> None:
    message = er7.encode(
        [
            ("MSH", {3: one, 9: ("ORU", "R01", "ORU_R01")}),
            ("PID", {3: [(one, "", "", (other, "1.2", "ISO")), (other or "x",)]}),
            ("OBX", {1: "1", 5: er7.Formatted(formatted)}),
        ]
    )
    assert message.count("\r") == 3
    assert not set(message) & {"\n", "\x0b", "\x1c", "\0"}
    read = er7.parse(message)
    assert [segment.name for segment in read.segments] == ["MSH", "PID", "OBX"]
    lines = formatted.replace("\r\n", "\n").replace("\r", "\n")
    assert read.first("OBX").text(5) == lines
    assert read.header.text(3) == one.replace("\r\n", "\n").replace("\r", "\n").replace("\n", " ")
    assert read.first("PID").text(3, 4, 1) == other.replace("\r\n", "\n").replace("\r", "\n").replace("\n", " ")
    assert read.first("PID").text(3, 4, 2) == "1.2"


@given(st.text(max_size=80))
def test_reading_a_hostile_message_gives_a_message_or_says_why_not(text: str) -> None:
    for message in (text, "MSH|^~\\&|" + text, "MSH" + text):
        with contextlib.suppress(er7.BadMessage):
            for segment in er7.parse(message).segments:
                [segment.text(number, component) for number in range(1, 20) for component in (1, 2)]


@given(st.binary(max_size=80))
def test_bytes_in_any_character_set_become_text(data: bytes) -> None:
    assert isinstance(er7.decoded(data), str)
    assert isinstance(er7.decoded(b"MSH|^~\\&|a|b|c|d|||ORM^O01|1|P|2.5.1||||||8859/1\r" + data), str)


def test_the_separators_are_those_that_the_message_names() -> None:
    read = er7.parse("MSH#:!%@#APP#SITE\nPID###1%S%2:x!9##Roe:Ann")
    assert read.header.raw(1) == "#"
    assert read.first("PID").text(3) == "1:2"
    assert read.first("PID").text(3, repetition=2) == "9"
    assert er7.dicom_name(read.first("PID").components(5)) == "Roe^Ann"


def test_escapes_of_formatting_and_of_codes_are_read_and_what_is_none_is_kept() -> None:
    assert er7.unescape("a\\.br\\b\\.sp2\\c\\H\\d\\N\\") == "a\nb\ncd"
    assert er7.unescape("\\XE4\\ \\XC3A4\\") == "ä ä"
    assert er7.unescape("C:\\temp\\scan") == "C:\\temp\\scan"


def test_a_message_in_latin_1_is_read_as_such_with_or_without_saying_so() -> None:
    said = "MSH|^~\\&|a|b|c|d|||ORM^O01|1|P|2.3||||||8859/1\rPID|||1||Müller"
    assert "Müller" in er7.decoded(said.encode("latin-1"))
    assert "Müller" in er7.decoded(said.replace("8859/1", "").encode("latin-1"))
    assert "Müller" in er7.decoded(said.replace("8859/1", "").encode())


def test_a_name_keeps_its_groups_and_the_order_of_its_parts() -> None:
    written = er7.encode([("MSH", {}), ("PID", {5: er7.person_name("Yamada^Tarou^^Dr^MD=山田^太郎=やまだ^たろう")})])
    name = er7.parse(written).first("PID")
    assert name.raw(5) == "Yamada^Tarou^^MD^Dr^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P"
    assert er7.dicom_name(name.components(5)) == "Yamada^Tarou^^Dr^MD"


@pytest.mark.parametrize("text", ["", "PID|1", "MSH", "MSH|^", "MSH|^^~&|", "MSHA^~\\&A", "MSH|^~\\&|a\rpid|1"])
def test_what_is_no_message_is_refused_in_words(text: str) -> None:
    with pytest.raises(er7.BadMessage):
        er7.parse(text)
