"""An outlined data set written again, element by element (PS3.5 7.1): byte order, value representation, replaced elements."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from . import tags, text
from .elements import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, Buffer, Encoding
from .outline import Kind, Mark
from .representations import LONG, SIZES, TEXT, Creators, representation

ORIGINAL_ATTRIBUTES: Final = 0x04000561
UTF_8: Final = "ISO_IR 192"
PIECE: Final = 1 << 18

_BINARY = frozenset({"OB", "UN", "UI", *SIZES})
"""Padded with a zero byte, not with a space (PS3.5 6.2)."""


@dataclass(frozen=True, slots=True)
class Edits:
    """What is different at the top level."""

    elements: Mapping[int, Iterable[bytes]] = field(default_factory=dict)
    """Whole encoded elements by tag, in place of what is there or beside it; nothing in one: it is left out."""
    original: bytes = b""
    """Items behind those of the Original Attributes Sequence that is there."""
    in_utf_8: bool = False
    """All text is written in UTF-8."""


@dataclass(slots=True)
class _Level:
    """What elements of one data set or item say about those behind and within them."""

    signed: bool
    charset: tuple[str, ...]
    bits: int = 0
    creators: Creators = field(default_factory=dict)


@dataclass(slots=True)
class Emission:
    """`marks` of `buffer` in another encoding."""

    buffer: Buffer
    target: Encoding
    edits: Edits
    signed: bool
    """Pixel Representation (0028,0103) of the object."""
    charset: tuple[str, ...]

    def pieces(self, marks: Iterable[Mark]) -> Iterator[bytes]:
        """The data set. Each piece is an element, a part of one, or a delimiter."""
        levels = [_Level(self.signed, self.charset)]
        waiting = sorted(self.edits.elements)
        skipped_to = top = 0
        depth = 0
        for mark in marks:
            if mark.kind is Kind.SEQUENCE_END:
                depth -= 1
                if skipped_to and depth < skipped_to:
                    skipped_to = 0
                elif not skipped_to:
                    if depth == 0 and top == ORIGINAL_ATTRIBUTES:
                        yield self.edits.original
                    yield self._delimiter(SEQUENCE_END, 0)
                continue
            if depth == 0:
                top = mark.tag
                while waiting and waiting[0] <= top:
                    yield from self.edits.elements[waiting.pop(0)]
                if top in self.edits.elements or not top & 0xFFFF:
                    skipped_to = 1 if mark.kind is Kind.SEQUENCE else 0
                    depth += skipped_to
                    continue
            if mark.kind is Kind.SEQUENCE:
                depth += 1
            if not skipped_to:
                yield from self._mark(mark, levels)
        for tag in waiting:
            yield from self.edits.elements[tag]

    def _mark(self, mark: Mark, levels: list[_Level]) -> Iterator[bytes]:
        if mark.kind is Kind.ITEM:
            levels.append(replace(levels[-1], creators={}))
            yield self._delimiter(ITEM, UNDEFINED)
        elif mark.kind is Kind.ITEM_END:
            levels.pop()
            yield self._delimiter(ITEM_END, 0)
        elif mark.kind is Kind.SEQUENCE:
            yield self.head(mark.tag, "SQ", UNDEFINED)
        elif mark.kind is Kind.FRAGMENTS:
            yield self.head(mark.tag, mark.vr or "OB", UNDEFINED)
            yield from self._bytes(mark.offset, mark.length, 1)
        elif mark.tag & 0xFFFF:  # group lengths are retired, and would be wrong
            yield from self._element(mark, levels[-1])

    def _element(self, mark: Mark, level: _Level) -> Iterator[bytes]:
        vr = mark.vr or representation(mark.tag, mark.length, level.creators, signed=level.signed)
        self._learn(mark, level)
        if self.edits.in_utf_8 and (vr in TEXT or mark.tag == tags.SPECIFIC_CHARACTER_SET):
            value = self._in_utf_8(mark, level)
            padding = b" " * (len(value) % 2)
            yield self.head(mark.tag, vr, len(value + padding)) + value + padding
            return
        size = SIZES.get(vr, 1) if mark.little != self.target.little else 1
        if mark.tag == tags.PIXEL_DATA and size == 2 and level.bits > 16:
            size = level.bits // 8
        odd = mark.length % 2
        yield self.head(mark.tag, vr, mark.length + odd)
        yield from self._bytes(mark.offset, mark.length, size)
        if odd:
            yield b"\0" if vr in _BINARY else b" "

    def _learn(self, mark: Mark, level: _Level) -> None:
        """Remember what later elements depend on."""
        if mark.tag in (tags.PIXEL_REPRESENTATION, tags.BITS_ALLOCATED) and mark.length == 2:
            number = int.from_bytes(self._raw(mark), "little" if mark.little else "big")
            if mark.tag == tags.PIXEL_REPRESENTATION:
                level.signed = number == 1
            else:
                level.bits = number
        elif mark.tag == tags.SPECIFIC_CHARACTER_SET:
            level.charset = text.charset_of(
                [term.strip("\0 ") for term in self._raw(mark).decode("latin_1").split("\\")]
            )
        elif mark.tag >> 16 & 1 and 0x10 <= mark.tag & 0xFFFF <= 0xFF:
            creator = self._raw(mark).decode("latin_1").strip("\0 ")
            level.creators[mark.tag >> 16, mark.tag & 0xFF] = creator

    def _in_utf_8(self, mark: Mark, level: _Level) -> bytes:
        if mark.tag == tags.SPECIFIC_CHARACTER_SET:
            return UTF_8.encode()
        raw = self.buffer[mark.offset : mark.offset + mark.length]
        if raw.isascii() and b"\x1b" not in raw and level.charset[:1] != ("shift_jis",):
            return raw
        return text.decode(raw, level.charset, b"\r\n\f\t\\^=").encode()

    def _raw(self, mark: Mark) -> bytes:
        return self.buffer[mark.offset : mark.offset + min(mark.length, 1024)]

    def _bytes(self, offset: int, length: int, size: int) -> Iterator[bytes]:
        """Bytes of the buffer, numbers of `size` bytes turned round."""
        end = offset + length
        for start in range(offset, end, PIECE):
            piece = self.buffer[start : min(end, start + PIECE)]
            yield piece if size == 1 else turned(piece, size)

    def head(self, tag: int, vr: str, length: int) -> bytes:
        """Tag, value representation and length of an element."""
        return head(self.target, tag, vr, length)

    def _delimiter(self, number: int, length: int) -> bytes:
        return struct.pack("<HHI" if self.target.little else ">HHI", 0xFFFE, number, length)


def head(encoding: Encoding, tag: int, vr: str, length: int) -> bytes:
    """Tag, value representation and length of an element (PS3.5 7.1.2, 7.1.3)."""
    order = "<" if encoding.little else ">"
    if not encoding.explicit:
        return struct.pack(order + "HHI", tag >> 16, tag & 0xFFFF, length)
    if vr in LONG:
        return struct.pack(order + "HH2sHI", tag >> 16, tag & 0xFFFF, vr.encode(), 0, length)
    return struct.pack(order + "HH2sH", tag >> 16, tag & 0xFFFF, vr.encode(), length)


def turned(piece: bytes, size: int) -> bytes:
    """Numbers of `size` bytes in the other byte order; what is left over at the end stays."""
    whole = len(piece) - len(piece) % size
    return np.frombuffer(piece, f"u{size}", whole // size).byteswap().tobytes() + piece[whole:]
