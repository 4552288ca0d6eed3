"""Where everything of a data set lies, as one flat list: what it is written again from, piece by piece."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from .elements import TRAILING_PADDING, UNDEFINED, Buffer, Dataset, Element, Encoding, Walker
from .errors import Refused
from .limits import Limits


class Kind(IntEnum):
    ELEMENT = 0
    FRAGMENTS = 1
    """Encapsulated pixel data (PS3.5 A.4), its last delimiter included."""
    SEQUENCE = 2
    SEQUENCE_END = 3
    ITEM = 4
    ITEM_END = 5


class Mark(NamedTuple):
    """One place in a data set. `offset` and `length` are the value's in the buffer; of ends they mean nothing."""

    kind: Kind
    tag: int
    vr: str
    """As the file says; empty in implicit VR."""
    little: bool
    offset: int
    length: int


class Outline(Walker):
    """A walk that remembers all places; a mark takes 24 bytes, so that an object of 100,000 frames has one, too."""

    def __init__(self, buffer: Buffer, limits: Limits) -> None:
        super().__init__(buffer, len(buffer), len(buffer), limits, kept=frozenset())
        self._marks = array("Q")

    def marks(self, position: int, encoding: Encoding) -> Iterator[Mark]:
        """Of the data set that begins at `position`. Raises Refused."""
        self.dataset(position, encoding)
        marks = self._marks
        for at in range(0, len(marks), 3):
            word = marks[at]
            vr = bytes((word >> 48 & 0xFF, word >> 40 & 0xFF)).decode() if word >> 40 & 0xFF else ""
            yield Mark(
                _KINDS[word >> 32 & 7], word & 0xFFFFFFFF, vr, bool(word >> 35 & 1), marks[at + 1], marks[at + 2]
            )

    def _element(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[int, Element, int]:
        at = len(self._marks)
        self._mark(Kind.ELEMENT)
        try:
            tag, element, after = super()._element(position, end, encoding, depth)
        except Refused:
            del self._marks[at:]
            raise
        if not tag or (tag == TRAILING_PADDING and depth == 0):
            del self._marks[at:]
        elif element.items is not None:
            self._marks[at] = _word(Kind.SEQUENCE, tag, element.vr, encoding.little)
            self._mark(Kind.SEQUENCE_END)
        else:
            open_ended = element.length == UNDEFINED
            kind = Kind.FRAGMENTS if open_ended else Kind.ELEMENT
            self._marks[at] = _word(kind, tag, element.vr, encoding.little)
            self._marks[at + 1] = element.offset
            self._marks[at + 2] = after - element.offset if open_ended else element.length
        return tag, element, after

    def _elements(
        self, position: int, end: int, encoding: Encoding, depth: int, *, in_item: bool
    ) -> tuple[dict[int, Element], int]:
        if depth == 0:
            return super()._elements(position, end, encoding, depth, in_item=in_item)
        self._mark(Kind.ITEM)
        found = super()._elements(position, end, encoding, depth, in_item=in_item)
        self._mark(Kind.ITEM_END)
        return found

    def _mark(self, kind: Kind) -> None:
        self._marks.extend((_word(kind, 0, "", True), 0, 0))


def encoding_of(dataset: Dataset) -> Encoding:
    """How a walked data set is encoded: by an element that it keeps. An open sequence is known as one in either encoding."""
    explicit = any(element.vr for element in dataset.elements.values() if element.items is None)
    return Encoding(explicit, dataset.little)


_KINDS = list(Kind)


def _word(kind: Kind, tag: int, vr: str, little: bool) -> int:
    name = vr.encode()
    return (name[0] << 48 | name[1] << 40 if name else 0) | little << 35 | kind << 32 | tag
