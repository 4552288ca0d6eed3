"""MLLP blocks: however the stream is cut, the same messages come out; what is no stream of blocks is told from one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.messages.mllp import BadFraming, Blocks, TooLong, framed

plain = st.binary(max_size=200).map(lambda data: data.replace(b"\x0b", b"a").replace(b"\x1c", b"b"))


@given(st.lists(plain, max_size=6), st.data())
def test_messages_come_out_as_they_went_in_however_the_stream_is_cut(
    messages: list[bytes], data: st.DataObject
) -> None:
    stream = b"".join(map(framed, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    blocks, found = Blocks(1000), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += blocks.feed(stream[start:end])
    assert found == messages
    assert not blocks.begun


@given(st.binary(max_size=400))
def test_any_bytes_are_a_stream_or_are_refused(data: bytes) -> None:
    blocks = Blocks(100)
    try:
        for start in range(0, len(data), 7):
            assert all(len(message) <= 100 for message in blocks.feed(data[start : start + 7]))
    except BadFraming:
        pass


def test_line_ends_between_blocks_are_let_pass_and_nothing_else_is() -> None:
    assert Blocks(10).feed(b"\r\n\x0ba\x1c\r\n\x0bb\x1c\r") == [b"a", b"b"]
    with pytest.raises(BadFraming, match="outside"):
        Blocks(10).feed(b"GET / HTTP/1.1\r\n")


def test_a_message_past_the_bound_is_refused_before_all_of_it_is_here() -> None:
    blocks = Blocks(10)
    with pytest.raises(TooLong):
        blocks.feed(b"\x0b" + b"a" * 11)
    assert Blocks(10).feed(framed(b"a" * 10)) == [b"a" * 10]


@pytest.mark.parametrize("stream", [b"\x0ba\x1cb", b"\x0ba\x0bb\x1c\r", b"\x0ba\x1c\x1c\r"])
def test_a_block_that_ends_or_begins_wrongly_is_refused(stream: bytes) -> None:
    with pytest.raises(BadFraming):
        Blocks(10).feed(stream)


def test_what_holds_the_marks_of_a_block_is_not_sent() -> None:
    for mark in (b"\x0b", b"\x1c"):
        with pytest.raises(ValueError, match="marks"):
            framed(b"a" + mark)
