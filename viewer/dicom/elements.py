"""Walk the elements of a data set (PS3.5 section 7) without trusting a single length in it.

Every length is held against what is there before anything is read, nesting has a limit, and only the elements of
`tags.KEPT` are remembered, by place: a value is cut out of the buffer when somebody asks for it.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pydicom.datadict import DicomDictionary

from .errors import Refused
from .limits import Limits
from .tags import DOUBLE_FLOAT_PIXEL_DATA, FLOAT_PIXEL_DATA, KEPT, PIXEL_DATA, written

Buffer = bytes | mmap.mmap

UNDEFINED: Final = 0xFFFFFFFF
_LATE_GROUP: Final = 0x2000
"""From here on groups come behind all that describes an image, and next to the pixels."""
_LONGEST: Final = 2**22
ITEM: Final = 0xE000
ITEM_END: Final = 0xE00D
SEQUENCE_END: Final = 0xE0DD
DELIMITER_GROUP: Final = 0xFFFE
TRAILING_PADDING: Final = 0xFFFCFFFC
PIXELS = frozenset({PIXEL_DATA, FLOAT_PIXEL_DATA, DOUBLE_FLOAT_PIXEL_DATA})

_SHORT = b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split()
_LONG = b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split()
VALUE_REPRESENTATIONS = {name: name.decode() for name in _SHORT + _LONG}
_IS_LONG = frozenset(name.decode() for name in _LONG)
SEQUENCE_TAGS = frozenset(tag for tag, entry in DicomDictionary.items() if entry[0] == "SQ")
"""In implicit VR only the dictionary knows that a value of known length is a sequence."""


class Encoding(NamedTuple):
    explicit: bool
    little: bool


IMPLICIT = Encoding(explicit=False, little=True)
EXPLICIT = Encoding(explicit=True, little=True)


class Element(NamedTuple):
    vr: str
    """Empty in implicit VR."""
    offset: int
    length: int
    items: list[Dataset] | None


@dataclass(slots=True)
class Dataset:
    """The kept elements of one data set or item, by tag."""

    buffer: Buffer
    little: bool
    elements: dict[int, Element]
    charset: tuple[str, ...] = ()
    ends_with_whole_group: bool = False
    """The data set runs to the late groups, and the old group lengths (gggg,0000) say that nothing of the last is missing."""

    def raw(self, tag: int) -> bytes:
        """The bytes of a value, 4 MiB of it at most; nothing that is read here is longer."""
        element = self.elements.get(tag)
        if element is None or element.items is not None or element.length == UNDEFINED:
            return b""
        return self.buffer[element.offset : element.offset + min(element.length, _LONGEST)]

    def vr(self, tag: int) -> str:
        element = self.elements.get(tag)
        return element.vr if element else ""

    def items(self, tag: int) -> list[Dataset]:
        """Items of a sequence; text in them is in this data set's character set."""
        element = self.elements.get(tag)
        items = (element.items or []) if element else []
        for item in items:
            item.charset = item.charset or self.charset
        return items

    def __contains__(self, tag: int) -> bool:
        return tag in self.elements


Fragments = list[tuple[int, int]]
"""(offset, length) of each item of an encapsulated pixel data element, the offset table first."""


@dataclass(slots=True)
class Walker:
    """One pass over `buffer[:end]`; `size` is what the data set has in all, more than `end` where it was not kept."""

    buffer: Buffer
    end: int
    size: int
    limits: Limits
    fragments: Fragments | None = None
    warnings: list[str] = field(default_factory=list)
    walked: int = 0
    kept_items: int = 0
    group_end: int = 0
    """Where the group of the last top-level element ends by its group length."""
    last_group: int = 0
    kept: frozenset[int] = KEPT
    """The tags that are remembered."""

    def dataset(self, position: int, encoding: Encoding) -> Dataset:
        """The whole data set from `position` on. Raises Refused."""
        elements, position = self._elements(position, self.size, encoding, 0, in_item=False)
        whole = self.group_end == position and self.last_group >= _LATE_GROUP
        return Dataset(self.buffer, encoding.little, elements, ends_with_whole_group=whole)

    def meta(self, position: int, encoding: Encoding) -> tuple[Dataset, int]:
        """The file meta information: elements of group 0002 only, whatever its group length says."""
        group = struct.Struct("<H")
        elements: dict[int, Element] = {}
        while self.size - position >= 8 and group.unpack_from(self.buffer, position)[0] == 2:
            tag, element, position = self._element(position, self.size, encoding, 0)
            elements[tag] = element
        return Dataset(self.buffer, True, elements), position

    def _elements(
        self, position: int, end: int, encoding: Encoding, depth: int, *, in_item: bool
    ) -> tuple[dict[int, Element], int]:
        kept: dict[int, Element] = {}
        previous = 0
        while position < end:
            if in_item and self._delimiter(position, end, encoding) == ITEM_END:
                return kept, position + 8
            try:
                tag, element, position = self._element(position, end, encoding, depth)
            except Refused as refused:
                if depth or not self._may_end_here(kept, position, refused):
                    raise
                return kept, end
            if tag == TRAILING_PADDING and depth == 0:
                return kept, end
            if depth == 0 and tag >> 16 != previous >> 16:
                self.group_end = self._group_end(tag, element, encoding)
                self.last_group = tag >> 16
            if tag in self.kept:
                if tag <= previous and tag in kept:
                    self._warn(f"element {written(tag)} is there twice")
                else:
                    kept[tag] = element
            previous = tag
        if in_item:
            raise self._cut("an item has no end", end)
        return kept, position

    def _group_end(self, tag: int, element: Element, encoding: Encoding) -> int:
        if tag & 0xFFFF or element.length != 4 or element.offset + 4 > self.end:
            return 0
        order = "<" if encoding.little else ">"
        length: int = struct.unpack_from(order + "I", self.buffer, element.offset)[0]
        return element.offset + 4 + length

    def _may_end_here(self, kept: dict[int, Element], position: int, refused: Refused) -> bool:
        """Behind the pixels some writers leave zeros or rubbish; a well-formed element that is cut short is neither."""
        if PIXEL_DATA not in kept or position > self.end:
            return False
        if not any(self.buffer[position : min(self.end, position + 2**20)]):
            return True
        if refused.code == "cut":
            return False
        self._warn("what follows the pixel data is not DICOM and was left out")
        return True

    def _element(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[int, Element, int]:
        self.walked += 1
        if self.walked > self.limits.max_elements:
            raise Refused(f"more than {self.limits.max_elements} elements", "limit")
        if end - position < 8:
            raise self._cut("the file ends inside an element", position)
        if position + 8 > self.end:
            raise Refused("the header is too large", "limit")
        order = "<" if encoding.little else ">"
        start = position + 8
        if encoding.explicit:
            group, number, name, length = struct.unpack_from(order + "HH2sH", self.buffer, position)
            vr = VALUE_REPRESENTATIONS.get(name, "")
            if not vr and group == DELIMITER_GROUP:
                return 0, Element("", start, 0, None), start  # a delimiter where lengths are known: nothing ends here
            if not vr and name.isalpha() and name.isupper():
                vr = "UN"  # one that is younger than this table: always of the long form (PS3.5 7.1.2)
            if not vr:
                raise Refused(f"element {written(group << 16 | number)} has no value representation", "malformed")
            if vr in _IS_LONG:
                if min(end, self.end) - position < 12:
                    raise self._cut("the file ends inside an element", position)
                length = struct.unpack_from(order + "I", self.buffer, start)[0]
                start += 4
        else:
            group, number, length = struct.unpack_from(order + "HHI", self.buffer, position)
            vr = ""
        tag: int = group << 16 | number
        if length == UNDEFINED:
            return self._undefined(tag, vr, start, end, encoding, depth)
        if length > end - start:
            raise self._cut(f"element {written(tag)} claims {length} bytes and {end - start} are left", start)
        items = None
        if vr == "SQ" or (tag in SEQUENCE_TAGS and vr in ("", "UN") and length):
            # A sequence that was carried as UN is implicit VR little endian inside (PS3.5 6.2.2, note 2).
            items, _ = self._items(tag, start, start + length, encoding if vr != "UN" else IMPLICIT, depth)
        elif start + length > self.end and tag not in PIXELS and tag in self.kept:
            raise Refused(f"element {written(tag)} lies too far behind the start", "limit")
        return tag, Element(vr, start, length, items), start + length

    def _undefined(
        self, tag: int, vr: str, start: int, end: int, encoding: Encoding, depth: int
    ) -> tuple[int, Element, int]:
        if tag == PIXEL_DATA:
            fragments, position = self._fragments(start, end, encoding)
            if depth == 0:
                self.fragments = fragments
            return tag, Element(vr, start, UNDEFINED, None), position
        if vr not in ("", "SQ", "UN"):
            raise Refused(f"element {written(tag)} has no length", "malformed")
        items, position = self._items(tag, start, end, encoding if vr != "UN" else IMPLICIT, depth, open_ended=True)
        return tag, Element("SQ", start, position - start, items), position

    def _items(
        self, tag: int, position: int, end: int, encoding: Encoding, depth: int, *, open_ended: bool = False
    ) -> tuple[list[Dataset], int]:
        if depth >= self.limits.max_sequence_depth:
            raise Refused(f"sequences nest deeper than {self.limits.max_sequence_depth}", "limit")
        header = struct.Struct("<HHI" if encoding.little else ">HHI")
        items: list[Dataset] = []
        keep = tag in self.kept
        while position < end:
            if min(end, self.end) - position < 8:
                raise self._cut("the file ends inside a sequence", position)
            group, number, length = header.unpack_from(self.buffer, position)
            position += 8
            if group != DELIMITER_GROUP or number not in (ITEM, SEQUENCE_END):
                raise Refused(f"sequence {written(tag)} holds something that is no item", "malformed")
            self.walked += 1
            if number == SEQUENCE_END:
                if open_ended:
                    return items, position
                continue
            inside = self._encoding_inside(position, end, encoding)
            if length == UNDEFINED:
                elements, position = self._elements(position, end, inside, depth + 1, in_item=True)
            elif length > end - position:
                raise self._cut(f"an item of {written(tag)} claims {length} bytes, {end - position} are left", position)
            else:
                elements, _ = self._elements(position, position + length, inside, depth + 1, in_item=False)
                position += length
            if keep:
                self.kept_items += 1
                if self.kept_items > self.limits.max_items:
                    raise Refused(f"more than {self.limits.max_items} items", "limit")
                items.append(Dataset(self.buffer, encoding.little, elements))
        if open_ended:
            raise self._cut(f"sequence {written(tag)} has no end", position)
        return items, position

    def _fragments(self, position: int, end: int, encoding: Encoding) -> tuple[Fragments, int]:
        """Items of encapsulated pixel data (PS3.5 A.4). Their lengths lead, so that bytes of a codestream which look like
        a delimiter are not taken for one."""
        header = struct.Struct("<HHI" if encoding.little else ">HHI")
        found: Fragments = []
        while True:
            if min(end, self.end) - position < 8:
                raise self._cut("the pixel data has no end", position)
            group, number, length = header.unpack_from(self.buffer, position)
            position += 8
            if group == DELIMITER_GROUP and number == SEQUENCE_END:
                return found, position
            if group != DELIMITER_GROUP or number != ITEM or length == UNDEFINED:
                raise Refused("the pixel data holds something that is no fragment", "malformed")
            if length > end - position:
                raise self._cut(f"a fragment of the pixel data claims {length} bytes", position)
            self.walked += 1
            if self.walked > self.limits.max_elements:
                raise Refused(f"more than {self.limits.max_elements} fragments", "limit")
            found.append((position, length))
            position += length

    def _encoding_inside(self, position: int, end: int, encoding: Encoding) -> Encoding:
        """The encoding of an item: some writers copy private sequences as they found them, in the other VR encoding."""
        if not encoding.little or min(end, self.end) - position < 8:
            return encoding
        group, name, length = struct.unpack_from("<H2x2s", self.buffer, position) + struct.unpack_from(
            "<I", self.buffer, position + 4
        )
        if encoding.explicit:
            implicit = group != DELIMITER_GROUP and not name.isalpha() and length <= end - position - 8
            return IMPLICIT if implicit else encoding
        return EXPLICIT if name in VALUE_REPRESENTATIONS and length > end - position - 8 else encoding

    def _delimiter(self, position: int, end: int, encoding: Encoding) -> int:
        if min(end, self.end) - position < 8:
            return 0
        group, number = struct.unpack_from("<HH" if encoding.little else ">HH", self.buffer, position)
        return number if group == DELIMITER_GROUP else 0

    def _cut(self, what: str, position: int) -> Refused:
        if position >= self.end < self.size:
            return Refused("the header is too large", "limit")
        return Refused(f"cut short or damaged: {what}", "cut")

    def _warn(self, text: str) -> None:
        if text not in self.warnings and len(self.warnings) < 20:
            self.warnings.append(text)
