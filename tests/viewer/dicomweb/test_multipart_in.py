"""Multipart bodies: parts come back byte for byte, and no body does anything but come apart or be refused."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.dicomweb import multipart_in
from viewer.dicomweb.multipart_in import BadMultipart, Slice, media_type_of, parts

CONTENTS = st.lists(st.binary(max_size=300).filter(lambda data: b"--edge" not in data), min_size=1, max_size=5)


def body(contents: list[bytes], preamble: bytes = b"") -> bytes:
    head = b"Content-Type: application/dicom\r\nContent-Location: here\r\n\r\n"
    return preamble + b"".join(b"--edge\r\n" + head + one + b"\r\n" for one in contents) + b"--edge--"


def taken(data: bytes, most: int = 100) -> list[bytes]:
    file = io.BytesIO(data)
    return [Slice(file, part.offset, part.length).read() or b"" for part in parts(file, "edge", most)]


@given(CONTENTS, st.sampled_from([1, 2, 3, 7, 8, 64, 1 << 20]))
def test_parts_come_back_wherever_the_pieces_that_are_read_end(contents: list[bytes], chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multipart_in, "CHUNK", chunk)
        assert taken(body(contents, b"a preamble\r\n")) == contents


@given(CONTENTS, st.data())
def test_a_body_cut_anywhere_is_refused(contents: list[bytes], data: st.DataObject) -> None:
    whole = body(contents)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(BadMultipart):
        taken(whole[:cut])


@given(st.binary(max_size=400))
def test_anything_at_all_comes_apart_or_is_refused(data: bytes) -> None:
    for whole in (data, b"--edge" + data, b"--edge\r\n" + data + b"\r\n--edge--"):
        with contextlib.suppress(BadMultipart):
            taken(whole)


def test_more_parts_than_the_limit_are_refused() -> None:
    with pytest.raises(BadMultipart, match="more than 2 parts"):
        taken(body([b"1", b"2", b"3"]), most=2)


def test_a_boundary_may_be_longer_than_it_should_and_not_endless() -> None:
    for length in (73, 256):
        edge = "e" * length
        whole = body([b"one", b"two"]).replace(b"edge", edge.encode())
        assert [whole[part.offset : part.offset + part.length] for part in parts(io.BytesIO(whole), edge, 9)] == [
            b"one",
            b"two",
        ]
    with pytest.raises(BadMultipart, match="boundary"):
        list(parts(io.BytesIO(body([b"1"])), "e" * 257, 9))


def test_a_part_says_what_it_is_and_where_it_belongs() -> None:
    file = io.BytesIO(
        b"--edge\r\ncontent-type: image/jls; transfer-syntax=1.2.840.10008.1.2.4.80\r\n"
        b"Content-Location: a/b\r\n\r\nx\r\n--edge--"
    )
    (part,) = parts(file, "edge", 9)
    assert (part.media_type, part.parameters, part.location) == (
        "image/jls",
        {"transfer-syntax": "1.2.840.10008.1.2.4.80"},
        "a/b",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('multipart/related; type="a/b"; boundary=x', ("multipart/related", {"type": "a/b", "boundary": "x"})),
        ("Multipart/Related; Boundary=\"a b\"", ("multipart/related", {"boundary": "a b"})),
        ("", ("", {})),
    ],
)  # fmt: skip
def test_a_content_type_is_read(text: str, expected: tuple[str, dict[str, str]]) -> None:
    assert media_type_of(text) == expected
