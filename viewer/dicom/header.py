"""Open a DICOM file (PS3.10) and walk its header: preamble, meta information, transfer syntax, data set."""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import tags, values
from .elements import EXPLICIT, IMPLICIT, VALUE_REPRESENTATIONS, Buffer, Dataset, Encoding, Fragments, Walker
from .errors import NotDicom, Refused
from .limits import Limits
from .text import unknown_terms

IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
EXPLICIT_BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = frozenset({"1.2.840.10008.1.2.1.99"})
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"

_SMALL = 2**20
_CHUNK = 2**20


@dataclass(slots=True)
class Header:
    """A walked file. Offsets are places in the file, or in the inflated data set where `deflated`."""

    meta: Dataset
    dataset: Dataset
    transfer_syntax_uid: str
    little: bool
    deflated: bool
    dataset_offset: int
    """Where the (deflated) data set begins in the file."""
    file_size: int
    fragments: Fragments | None
    warnings: list[str]


def looks_like_dicom(path: Path) -> bool:
    """Whether the first bytes are those of a DICOM file; says nothing about the rest."""
    try:
        with path.open("rb") as file:
            start = file.read(144)
    except OSError:
        return False
    return _start(start) is not None


@contextmanager
def opened(path: Path, limits: Limits, kept: frozenset[int] = tags.KEPT) -> Iterator[Header]:
    """The walked header, of which the tags in `kept` are remembered; its values can be asked for inside the `with` block.
    Raises NotDicom, Refused."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size > limits.max_object_bytes:
            raise Refused(f"the file is larger than {limits.max_object_bytes} bytes", "limit")
        file.seek(0)
        if size <= _SMALL:
            yield _walk(file.read(), limits, kept)
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield _walk(mapped, limits, kept)


def _walk(buffer: Buffer, limits: Limits, kept: frozenset[int]) -> Header:
    size = file_size = len(buffer)
    start = _start(buffer[:144])
    if start is None:
        raise NotDicom("not a DICOM file")
    walker = Walker(buffer, size, size, limits, kept=kept)
    meta, position = walker.meta(start, _sniffed(buffer[start : start + 8], EXPLICIT))
    syntax = values.uid(meta, tags.TRANSFER_SYNTAX_UID)
    if values.uid(meta, tags.MEDIA_STORAGE_SOP_CLASS_UID) == MEDIA_STORAGE_DIRECTORY:
        # Directories are often out of date or damaged; the files they name are found without them.
        nothing = Dataset(buffer, True, {})
        return Header(meta, nothing, syntax, True, False, position, file_size, None, walker.warnings)
    deflated = syntax in DEFLATED
    dataset_offset = position
    if deflated:
        buffer, size = _inflated(buffer, position, limits)
        walker = Walker(buffer, len(buffer), size, limits, kept=kept)
        position = 0
    named = _encoding(syntax)
    encoding = _sniffed(buffer[position : position + 8], named)
    if named is None:
        syntax = _name_of(encoding)
        walker.warnings.append("the file names no transfer syntax; it was told from the data")
    elif encoding != named:
        walker.warnings.append("the data set is not encoded as its transfer syntax says")
        if syntax in (IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN):
            syntax = _name_of(encoding)
    dataset = walker.dataset(position, encoding)
    unknown = unknown_terms(values.declare_charset(dataset))
    if unknown:
        walker.warnings.append("the character set is not known; names may be wrong")
    return Header(
        meta, dataset, syntax, encoding.little, deflated, dataset_offset, file_size, walker.fragments, walker.warnings
    )


def _start(head: bytes) -> int | None:
    """Where the meta information or, without one, the data set begins; None when this is no DICOM."""
    if head[128:132] == b"DICM":
        return 132
    if head[:4] == b"DICM":
        return 4
    if len(head) < 8:
        return None
    group, number = struct.unpack_from("<HH", head)
    explicit = head[4:6] in VALUE_REPRESENTATIONS
    if group in (0x0002, 0x0008) and number <= 0x0070:
        return 0 if explicit or struct.unpack_from("<I", head, 4)[0] <= 0x0200 else None
    if head[:3] in (b"\x00\x02\x00", b"\x00\x08\x00"):  # big endian
        return 0 if explicit else None
    return None


def _encoding(syntax: str) -> Encoding | None:
    if not syntax:
        return None
    return Encoding(explicit=syntax != IMPLICIT_LITTLE_ENDIAN, little=syntax != EXPLICIT_BIG_ENDIAN)


def _name_of(encoding: Encoding) -> str:
    if not encoding.explicit:
        return IMPLICIT_LITTLE_ENDIAN
    return EXPLICIT_LITTLE_ENDIAN if encoding.little else EXPLICIT_BIG_ENDIAN


def _sniffed(head: bytes, named: Encoding | None) -> Encoding:
    """The encoding that the first element shows; the named one where it shows none."""
    if len(head) < 8:
        return named or IMPLICIT
    if head[4:6] not in VALUE_REPRESENTATIONS:
        return IMPLICIT if named is None or named.little else named
    little = struct.unpack_from("<H", head)[0]
    big = struct.unpack_from(">H", head)[0]
    if named is not None and (named.little or big < little):
        return Encoding(explicit=True, little=named.little)
    return Encoding(explicit=True, little=little <= big)


def _inflated(buffer: Buffer, position: int, limits: Limits) -> tuple[bytes, int]:
    """The start of an inflated data set (as much as a header may take) and how long all of it is (PS3.5 A.5)."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    kept = bytearray()
    size = 0
    pending = b""
    while not inflater.eof:
        if not pending:
            pending = buffer[position : position + _CHUNK]
            position += len(pending)
        starved = not pending
        try:
            piece = inflater.decompress(pending, _CHUNK)
        except zlib.error:
            raise Refused("the deflated data set is damaged", "cut") from None
        if starved and not piece and not inflater.eof:
            raise Refused("cut short or damaged: the deflated data set has no end", "cut")
        pending = inflater.unconsumed_tail
        size += len(piece)
        if size > limits.max_inflated_bytes:
            raise Refused(f"the data set inflates to more than {limits.max_inflated_bytes} bytes", "limit")
        if len(kept) < limits.max_header_bytes:
            kept += piece
    return bytes(kept), size
