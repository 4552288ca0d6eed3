"""A stored file as it leaves without the person: its attributes written anew, its pixels copied as they are."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pydicom
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from .anonymising import Anonymiser
from .changed_elements import element_of
from .changes import Changes
from .elements import EXPLICIT, UNDEFINED
from .emitting import head
from .errors import Refused
from .header import DEFLATED, EXPLICIT_LITTLE_ENDIAN
from .implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from .rewriting import (
    PIECE,
    PREAMBLE,
    rewritten,
    stays,
    web_syntax,
)

PIXELS: Final = ((0x7FE0, 0x0008), (0x7FE0, 0x0009), (0x7FE0, 0x0010))


@dataclass(slots=True)
class AnonymousCopy:
    """One object, opened: `pieces` is to be taken once and closes it."""

    dataset: Dataset
    attributes: bytes
    """The data set encoded."""
    transfer_syntax_uid: str
    file: BinaryIO
    pixels_at: int
    """Where the element of the pixels begins."""

    def pieces(self) -> Iterator[bytes]:
        """The whole file. Raises Refused for pixels that are cut short."""
        with self.file:
            yield PREAMBLE + self._meta() + self.attributes
            for start, length in _pixel_element(self.file, self.pixels_at):
                yield from _cut(self.file, start, length)

    def _meta(self) -> bytes:
        meta = Dataset()
        for keyword, value in {
            "MediaStorageSOPClassUID": str(self.dataset.get("SOPClassUID", "")),
            "MediaStorageSOPInstanceUID": str(self.dataset.get("SOPInstanceUID", "")),
            "TransferSyntaxUID": self.transfer_syntax_uid,
            "ImplementationClassUID": IMPLEMENTATION_CLASS_UID,
            "ImplementationVersionName": IMPLEMENTATION_VERSION_NAME,
        }.items():
            meta.add(element_of(keyword, value))
        body = head(EXPLICIT, 0x00020001, "OB", 2) + b"\0\1" + _encoded(meta)
        return head(EXPLICIT, 0x00020000, "UL", 4) + struct.pack("<I", len(body)) + body


def anonymous_copy(path: Path, transfer_syntax_uid: str, changes: Changes, anonymiser: Anonymiser) -> AnonymousCopy:
    """Raises DicomError, OSError, ValueError."""
    syntax = web_syntax(transfer_syntax_uid)
    syntax = EXPLICIT_LITTLE_ENDIAN if syntax in DEFLATED else syntax
    file = _plain(path, syntax, changes)
    try:
        dataset = pydicom.dcmread(file, force=True, stop_before_pixels=True)
        pixels_at = file.tell()
        anonymiser.applied(dataset)
        attributes = _encoded(dataset)
    except (TypeError, AttributeError, LookupError, NotImplementedError, struct.error) as problem:
        file.close()
        raise Refused("an attribute is not what it has to be") from problem
    except BaseException:
        file.close()
        raise
    return AnonymousCopy(dataset, attributes, syntax, file, pixels_at)


def _plain(path: Path, syntax: str, changes: Changes) -> BinaryIO:
    """The file in an explicit syntax: the stored one, or one in which it was written again."""
    if not changes and stays(path, syntax):
        return open(path, "rb")
    spooled: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - whoever takes the pieces closes it
    try:
        for piece in rewritten(path, transfer_syntax_uid=syntax, changes=changes):
            spooled.write(piece)
    except BaseException:
        spooled.close()
        raise
    spooled.seek(0)
    return spooled


def _encoded(dataset: Dataset) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write_dataset(file, dataset)
    return bytes(file.getvalue())


def _pixel_element(file: BinaryIO, start: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of what belongs to the pixel data element; nothing of what stands behind it."""
    begin = _read(file, start, 12)
    if not begin:
        return
    group, element, _, length = struct.unpack("<HHII", begin) if len(begin) == 12 else (0, 0, 0, 0)
    if (group, element) not in PIXELS:
        return
    if length != UNDEFINED:
        yield start, 12 + length
        return
    at = start + 12
    yield start, 12
    while True:
        item = _read(file, at, 8)
        if len(item) < 8:
            raise Refused("the pixel data are cut short")
        group, element, length = struct.unpack("<HHI", item)
        if (group, element) == (0xFFFE, 0xE0DD):
            yield at, 8
            return
        if (group, element) != (0xFFFE, 0xE000) or length == UNDEFINED:
            raise Refused("the pixel data are not in items")
        yield at, 8 + length
        at += 8 + length


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at, os.SEEK_SET)
    return file.read(length)


def _cut(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    file.seek(start, os.SEEK_SET)
    while length:
        piece = file.read(min(PIECE, length))
        if not piece:
            raise Refused("the pixel data are cut short")
        length -= len(piece)
        yield piece
