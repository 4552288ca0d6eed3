"""Changes as encoded elements, in the character set and the encoding of the object they are laid into."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pydicom import config
from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_dataset

from .changes import Changes, Original
from .elements import Encoding
from .representations import TEXT


def fits(changes: Changes, terms: Sequence[str]) -> bool:
    """Whether every text of `changes` can be written in the character set of these terms of (0008,0005)."""
    texts = [*_texts(changes.attributes), *(text for one in changes.original for text in _texts(one.attributes))]
    if all(text.isascii() for text in texts):
        return True
    if not any(terms):
        return False
    codecs = convert_encodings(list(terms))
    return all(
        any(_encodes(part, codec) for codec in codecs) for text in texts for part in re.split(r"[\\^=\r\n\f\t]", text)
    )


def elements_of(values: Mapping[str, str | int], encoding: Encoding, terms: Sequence[str]) -> dict[int, bytes]:
    """Whole encoded elements by tag."""
    return {
        int(element.tag): _encoded(element, encoding, terms) for element in map(element_of, values, values.values())
    }


def sequences_of(
    sequences: Mapping[int, Iterable[Dataset]], encoding: Encoding, terms: Sequence[str]
) -> dict[int, list[bytes]]:
    """Whole encoded sequences by tag; nothing for one without items."""
    return {
        tag: [_encoded(DataElement(tag, "SQ", items), encoding, terms)] if items else []
        for tag, items in sequences.items()
    }


def items_of(originals: Iterable[Original], encoding: Encoding, terms: Sequence[str]) -> bytes:
    """Encoded items of an Original Attributes Sequence."""
    order = "little" if encoding.little else "big"
    start, end = (_delimiter(number, length, order) for number, length in ((0xE000, 0xFFFFFFFF), (0xE00D, 0)))
    out = bytearray()
    for original in originals:
        file = _file(encoding)
        write_dataset(file, item_of(original), convert_encodings(list(terms) or None))
        out += start + file.getvalue() + end
    return bytes(out)


def item_of(original: Original) -> Dataset:
    """One item of an Original Attributes Sequence (PS3.3 C.12.1.1.9)."""
    before = Dataset()
    for keyword, value in original.attributes.items():
        before.add(element_of(keyword, value))
    before.update(original.sequences or {})
    item = Dataset()
    item.add(element_of("AttributeModificationDateTime", original.modified_at))
    item.add(element_of("ModifyingSystem", original.modifying_system))
    item.add(element_of("SourceOfPreviousValues", original.source))
    item.add(element_of("ReasonForTheAttributeModification", original.reason))
    item.ModifiedAttributesSequence = [before]
    return item


def element_of(keyword: str, value: str | int) -> DataElement:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"{keyword} is no attribute")
    return DataElement(tag, dictionary_VR(tag), value, validation_mode=config.IGNORE)


def _texts(values: Mapping[str, str]) -> list[str]:
    return [value for keyword, value in values.items() if dictionary_VR(tag_for_keyword(keyword) or 0x00100010) in TEXT]


def _encodes(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _encoded(element: DataElement, encoding: Encoding, terms: Sequence[str]) -> bytes:
    file = _file(encoding)
    write_data_element(file, element, convert_encodings(list(terms) or None))
    return bytes(file.getvalue())


def _file(encoding: Encoding) -> DicomBytesIO:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = encoding.little, not encoding.explicit
    return file


def _delimiter(number: int, length: int, order: str) -> bytes:
    return (0xFFFE).to_bytes(2, order) + number.to_bytes(2, order) + length.to_bytes(4, order)  # type: ignore[arg-type]
