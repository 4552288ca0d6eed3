"""Bytes of messages as characters: by MSH-18, by what the sender's row says, and never by a guess."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.messages.charsets import CODECS, codec_of, decoded, encoded, named_in
from reporting.messages.er7 import BadMessage

NAMES = {
    "UNICODE UTF-8": "Müller^Zoë 山田",
    "8859/1": "Müller^Zoë",
    "8859/15": "Œuvre^€",
    "8859/2": "Dvořák^Antonín",
    "8859/5": "Иванов",
    "8859/7": "Παπαδόπουλος",
    "ASCII": "Miller^Zoe",
    "GB 18030-2000": "张^三",
    "KS X 1001": "홍^길동",
    "BIG-5": "王^小明",
    "ISO IR87": "山田^太郎",
}


def message(name: str, text: str) -> str:
    return "|".join(["MSH", "^~\\&", *[""] * 15, name]) + f"\rPID|||1||{text}\r"


@pytest.mark.parametrize(("name", "text"), NAMES.items())
def test_a_message_reads_in_the_characters_that_it_names(name: str, text: str) -> None:
    raw = message(name, text).encode(CODECS[name])
    assert decoded(raw) == message(name, text)
    assert encoded(message(name, text), name) == raw


def test_without_a_name_the_senders_own_set_counts_and_else_utf8() -> None:
    assert "Müller" in decoded(message("", "Müller").encode("latin-1"), "8859/1")
    assert "Müller" in decoded(message("", "Müller").encode())
    with pytest.raises(BadMessage, match="MSH-18 names none"):
        decoded(message("", "Müller").encode("latin-1"))


def test_bytes_that_are_no_characters_of_the_named_set_are_refused_and_not_guessed_at() -> None:
    with pytest.raises(BadMessage, match="no character of UNICODE UTF-8"):
        decoded(message("UNICODE UTF-8", "Müller").encode("latin-1"))
    with pytest.raises(BadMessage, match="no character of ASCII"):
        decoded(message("ASCII", "Müller").encode())
    with pytest.raises(BadMessage, match="not known"):
        decoded(message("EBCDIC", "Miller").encode())


def test_of_several_sets_the_first_is_the_messages_own() -> None:
    assert named_in(message("8859/1~UNICODE UTF-8", "").encode()) == "8859/1"
    assert named_in(b"MSH|^~\\&|a") == ""


def test_what_a_set_cannot_say_is_said_and_not_replaced() -> None:
    with pytest.raises(ValueError, match=r"8859/1 has no character U\+0159"):
        encoded("Dvořák", "8859/1")


@given(st.binary(max_size=200), st.text(max_size=10))
def test_any_bytes_are_text_or_are_refused(data: bytes, default: str) -> None:
    for raw in (data, b"MSH|^~\\&|||||||||||||||||" + data):
        with contextlib.suppress(BadMessage):
            assert "\0" not in decoded(raw, default)


def test_names_of_sets_are_known_as_senders_write_them() -> None:
    assert {codec_of(one) for one in ("utf-8", "UTF8", "unicode  utf-8")} == {"utf-8"}
    assert codec_of("ISO-8859-1") == codec_of("8859/1")
