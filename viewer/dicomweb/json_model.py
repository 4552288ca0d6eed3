"""A stored object in the DICOM JSON model (PS3.18 F), as it leaves: with corrections, without group lengths, in UTF-8.

Long binary values are left where they are and named by a BulkDataURI; a value that cannot be what its representation says is
given as text where the model allows that, else null.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from pydicom.datadict import dictionary_VR, tag_for_keyword

from viewer.dicom import tags, values
from viewer.dicom.changes import AS_STORED, Changes, Original
from viewer.dicom.elements import TRAILING_PADDING, UNDEFINED, Dataset, Element
from viewer.dicom.emitting import turned
from viewer.dicom.header import opened
from viewer.dicom.limits import Limits
from viewer.dicom.referring import REFERRING, referring_part, renamed, with_former
from viewer.dicom.representations import SIZES, TEXT, Creators, representation
from viewer.dicom.text import as_stored, decode, decode_name

Model = dict[str, Any]
"""Tag in eight hexadecimal digits -> {"vr", "Value" | "BulkDataURI" | "InlineBinary"}."""

LONGEST_INLINE: Final = 1024
"""Bytes of a binary value; longer ones are bulk data."""
AVAILABLE_TRANSFER_SYNTAX_UID: Final = 0x00083002
ORIGINAL_ATTRIBUTES: Final = 0x04000561
UTF_8: Final = "ISO_IR 192"
SAFE: Final = 2**53
"""Whole numbers up to here are themselves in every reader of JSON."""


class Everything(frozenset[int]):
    """All tags."""

    def __contains__(self, tag: object) -> bool:
        return True


def instance_model(path: Path, limits: Limits, bulk_uri: Callable[[str], str], changes: Changes = AS_STORED) -> Model:
    """All attributes of a stored file. `bulk_uri` gives the address of a bulk value by its path, as "00420011" or
    "00480105/1/00282000" (items count from 1). Raises NotDicom, Refused, OSError."""
    with opened(path, limits, Everything()) as header:
        values.declare_charset(header.dataset)
        model = _Conversion(bulk_uri).model(header.dataset)
        if changes and header.dataset.elements.keys() & REFERRING:
            references = renamed(referring_part(header, path), changes)
            changes = with_former(changes, references)
            for tag, items in references.after.items():
                model[f"{tag:08X}"] = {"vr": "SQ", "Value": [item.to_json_dict() for item in items]}
                if not items:
                    del model[f"{tag:08X}"]
    return changed(model, changes)


def changed(model: Model, changes: Changes) -> Model:
    """The model with corrections laid on, and what they replaced told (PS3.3 C.12.1.1.9.1)."""
    if not changes:
        return model
    model |= _of_keywords(changes.attributes)
    before = model.get(f"{ORIGINAL_ATTRIBUTES:08X}", {}).get("Value", [])
    after = [_original(one) for one in changes.original]
    if after:
        model[f"{ORIGINAL_ATTRIBUTES:08X}"] = {"vr": "SQ", "Value": [*before, *after]}
    return dict(sorted(model.items()))


def attribute(vr: str, found: Iterable[Any]) -> dict[str, Any]:
    """One attribute with the values of its model; None and "" are no value."""
    listed = [None if value == "" else value for value in found]
    while listed and listed[-1] is None:
        listed.pop()
    return {"vr": vr, "Value": listed} if listed else {"vr": vr}


def person_name(text: str) -> dict[str, str] | None:
    """A name by its component groups (PS3.18 F.2.2)."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), text.split("="), strict=False)
    return {group: part for group, part in groups if part} or None


def of_text(vr: str, text: str) -> dict[str, Any]:
    """An attribute from its value as text, several values parted by backslashes."""
    if vr in WHOLE_TEXT:
        return attribute(vr, [text])
    parts = [part.strip() for part in text.split("\\")]
    return attribute(vr, [FROM_TEXT.get(vr, str)(part) if part else None for part in parts])


def _of_keywords(attributes: Mapping[str, str]) -> Model:
    by_tag = {tag_for_keyword(keyword): value for keyword, value in attributes.items()}
    return {f"{tag:08X}": of_text(str(dictionary_VR(tag)), value) for tag, value in by_tag.items() if tag is not None}


def _original(one: Original) -> Model:
    said = _of_keywords(
        {
            "AttributeModificationDateTime": one.modified_at,
            "ModifyingSystem": one.modifying_system,
            "SourceOfPreviousValues": one.source,
            "ReasonForTheAttributeModification": one.reason,
        }
    )
    before = _of_keywords(one.attributes) | (one.sequences.to_json_dict() if one.sequences else {})
    return dict(sorted({"04000550": {"vr": "SQ", "Value": [before]}, **said}.items()))


def whole_number(text: str) -> int | str:
    """An IS as a number; what is none stays text."""
    try:
        number = float(text)
        return int(text) if not number.is_integer() or "." not in text else int(number)
    except (ValueError, OverflowError):
        return text


def decimal(text: str) -> int | float | str:
    """A DS as a number; what is none stays text."""
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(text) if text.lstrip("+-").isdigit() and len(text) < 17 else number


class _Conversion:
    """One walk through a data set and its items."""

    def __init__(self, bulk_uri: Callable[[str], str]) -> None:
        self._bulk_uri = bulk_uri

    def model(self, dataset: Dataset, path: str = "", *, signed: bool = False) -> Model:
        creators = _creators(dataset)
        if tags.PIXEL_REPRESENTATION in dataset:
            signed = values.integer(dataset, tags.PIXEL_REPRESENTATION) == 1
        found: Model = {}
        for tag in sorted(dataset.elements):
            if tag & 0xFFFF == 0 or tag == TRAILING_PADDING or (tag == tags.SPECIFIC_CHARACTER_SET and path):
                continue
            name = f"{tag:08X}"
            element = dataset.elements[tag]
            if element.items is not None:
                found[name] = self._sequence(dataset, tag, path + name, signed)
            else:
                found[name] = self._value(dataset, tag, element, path + name, creators, signed)
        if tags.SPECIFIC_CHARACTER_SET in dataset and not path:
            found[f"{tags.SPECIFIC_CHARACTER_SET:08X}"] = {"vr": "CS", "Value": [UTF_8]}
        return found

    def _sequence(self, dataset: Dataset, tag: int, path: str, signed: bool) -> dict[str, Any]:
        items = []
        for number, item in enumerate(dataset.items(tag), 1):
            if tags.SPECIFIC_CHARACTER_SET in item:
                values.declare_charset(item)
            items.append(self.model(item, f"{path}/{number}/", signed=signed))
        return {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}

    def _value(
        self, dataset: Dataset, tag: int, element: Element, path: str, creators: Creators, signed: bool
    ) -> dict[str, Any]:
        vr = element.vr
        if not vr or vr == "UN":
            vr = representation(tag, 0 if element.length == UNDEFINED else element.length, creators, signed=signed)
        if tag in PIXELS and element.length == UNDEFINED:
            return {"vr": "OB"} if "/" in path else {"vr": "OB", "BulkDataURI": self._bulk_uri(path)}
        if tag in PIXELS:
            return {"vr": vr, "BulkDataURI": self._bulk_uri(path)}
        if element.length == 0 or element.length == UNDEFINED:
            return {"vr": vr}
        if vr in BINARY and element.length > LONGEST_INLINE:
            return {"vr": vr, "BulkDataURI": self._bulk_uri(path)}
        raw = dataset.buffer[element.offset : element.offset + element.length]
        if vr in BYTES:
            ordered = raw if dataset.little else turned(raw, SIZES.get(vr, 1))
            return {"vr": vr, "InlineBinary": base64.b64encode(ordered).decode()}
        if vr in FORMATS:
            return attribute(vr, _numbers(raw, vr, dataset.little))
        return _text(vr, raw, dataset.charset)


def _creators(dataset: Dataset) -> Creators:
    """Who reserved which private elements (PS3.5 7.8.1)."""
    return {
        (tag >> 16, tag & 0xFFFF): values.text(dataset, tag)
        for tag in dataset.elements
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF
    }


def _text(vr: str, raw: bytes, charset: tuple[str, ...]) -> dict[str, Any]:
    if vr == "PN":
        names = decode(raw, charset, b"\r\n\f\t\\^=").split("\\")
        return attribute(vr, [person_name(decode_name(name.encode(), ("utf_8",))) for name in names])
    if vr in WHOLE_TEXT:
        return attribute(vr, [as_stored(raw, charset if vr in TEXT else ()).rstrip("\0 ")])
    return of_text(vr, decode(raw, charset if vr in TEXT else ()))


def _numbers(raw: bytes, vr: str, little: bool) -> list[Any]:
    size = SIZES[vr]
    order = "<" if little else ">"
    if vr == "AT":
        found = struct.unpack_from(f"{order}{len(raw) // 2}H", raw)
        return [f"{group:04X}{number:04X}" for group, number in zip(found[::2], found[1::2], strict=False)]
    unpacked = struct.unpack_from(f"{order}{len(raw) // size}{FORMATS[vr]}", raw)
    if vr in ("FL", "FD"):
        return [value if math.isfinite(value) else None for value in unpacked]
    return [value if -SAFE < value < SAFE else str(value) for value in unpacked]


PIXELS = frozenset({tags.PIXEL_DATA, tags.FLOAT_PIXEL_DATA, tags.DOUBLE_FLOAT_PIXEL_DATA})
BYTES = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d", "AT": "H"}
BINARY = BYTES | FORMATS.keys()
WHOLE_TEXT = frozenset({"LT", "ST", "UR", "UT"})
"""Of one value, in which a backslash is a letter."""
FROM_TEXT: dict[str, Callable[[str], Any]] = {"DS": decimal, "IS": whole_number, "PN": person_name}
