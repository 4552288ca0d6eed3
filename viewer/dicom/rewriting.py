"""A stored file as it leaves: as it is, in another encoding, or with corrections; the stored bytes never change.

Web services never give out Implicit VR Little Endian or Explicit VR Big Endian (PS3.18 8.7.3.5.2): such objects are written
again in Explicit VR Little Endian. What is written again has sequences of undefined length and no group lengths, so that it
leaves in one pass and in constant memory, however large the pixels are.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

import pydicom
from pydicom.dataelem import DataElement

from . import tags, text, values
from .changed_elements import element_of, elements_of, fits, item_of, items_of, sequences_of
from .changes import AS_STORED, Changes
from .elements import EXPLICIT, UNDEFINED, Buffer, Encoding
from .emitting import ORIGINAL_ATTRIBUTES, UTF_8, Edits, Emission, head
from .errors import CannotDecode
from .header import DEFLATED, EXPLICIT_BIG_ENDIAN, EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN, Header, opened
from .implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from .limits import Limits
from .outline import Outline, encoding_of
from .referring import REFERRING, Renamed, read_with_pydicom, referring_part, renamed, with_former

PIECE: Final = 1 << 18
PREAMBLE: Final = bytes(128) + b"DICM"

ENCODINGS: Final = {
    IMPLICIT_LITTLE_ENDIAN: Encoding(explicit=False, little=True),
    EXPLICIT_LITTLE_ENDIAN: Encoding(explicit=True, little=True),
    EXPLICIT_BIG_ENDIAN: Encoding(explicit=True, little=False),
}
_KEPT = frozenset(
    {
        tags.SPECIFIC_CHARACTER_SET,
        tags.SOP_CLASS_UID,
        tags.SOP_INSTANCE_UID,
        tags.PIXEL_REPRESENTATION,
        ORIGINAL_ATTRIBUTES,
        *REFERRING,
    }
)
_SEPARATE_OFFSETS = (0x7FE00001, 0x7FE00002, 0x7FE00003)
"""Extended Offset Table, its lengths, and the length of encapsulated pixels: nothing is encapsulated any more."""
_LIMITS = Limits()


PIXELS_HERE: Final = b"pixels"
"""This very object stands among the pieces where decoded frames are to go that are not at hand yet."""


@dataclass(frozen=True, slots=True)
class NativePixels:
    """Decoded pixel data that stands in place of the encapsulated one."""

    length: int
    """Of all frames together, in bytes."""
    vr: str
    """OB or OW."""
    attributes: Mapping[str, str | int] = field(default_factory=dict)
    """Of the Image Pixel module, as they are now: keyword -> value."""
    frames: Iterable[bytes] = (PIXELS_HERE,)


def web_syntax(transfer_syntax_uid: str) -> str:
    """What an object of this transfer syntax leaves as over the web, if nobody asks for another."""
    return _WEB.get(transfer_syntax_uid, transfer_syntax_uid)


_WEB = {IMPLICIT_LITTLE_ENDIAN: EXPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN: EXPLICIT_LITTLE_ENDIAN}


def rewritten(
    path: Path,
    *,
    transfer_syntax_uid: str | None = None,
    changes: Changes = AS_STORED,
    pixels: NativePixels | None = None,
) -> Iterator[bytes]:
    """The whole file (PS3.10 7) in pieces of about 256 KiB, the preamble zeroed; byte for byte as stored where nothing is to
    be different.

    `transfer_syntax_uid` None: as stored. Uncompressed and deflated objects can be had in each uncompressed syntax;
    encapsulated ones in the little endian ones where `pixels` are given. Raises CannotDecode for other wishes, Refused for
    a file that is damaged, OSError.
    """
    with opened(path, _LIMITS, _KEPT) as header:
        wanted = transfer_syntax_uid or header.transfer_syntax_uid
        if _stays(header, wanted, changes, pixels):
            yield from chain([bytes(128)], _from(header.meta.buffer, _prefix(header)))
            return
        target = _target(header, wanted, pixels)
        start = PREAMBLE + _meta(header, wanted, changes)
        references = _references(header, path, changes)
        changes = with_former(changes, references)
        with _plain(header) as (buffer, position):
            pieces = _data_set(header, buffer, position, target, changes, references, pixels)
            yield from _joined(chain([start], _deflated(pieces) if wanted in DEFLATED else pieces))


def length_as_stored(path: Path) -> int:
    """How many bytes `rewritten` gives of a file that leaves as it is stored. Raises NotDicom, Refused, OSError."""
    with opened(path, _LIMITS, _KEPT) as header:
        return 128 + header.file_size - _prefix(header)


def range_as_stored(path: Path, first: int, length: int) -> Iterator[bytes]:
    """`length` bytes from `first` on of a file that leaves as it is stored. Raises NotDicom, Refused, OSError."""
    with opened(path, _LIMITS, _KEPT) as header:
        buffer, behind = header.meta.buffer, first + length
        if first < 128:
            yield bytes(min(128, behind) - first)
            first = 128
        offset = _prefix(header) - 128
        for start in range(first, behind, PIECE):
            yield buffer[start + offset : min(start + PIECE, behind) + offset]


def stays(path: Path, transfer_syntax_uid: str) -> bool:
    """Whether `rewritten` gives the file of this transfer syntax as it is stored. Raises NotDicom, Refused, OSError."""
    with opened(path, _LIMITS, _KEPT) as header:
        return _stays(header, transfer_syntax_uid, AS_STORED, None)


def dataset_of(path: Path, changes: Changes = AS_STORED) -> pydicom.Dataset:
    """The attributes of an object as it leaves, without its pixel data. Raises NotDicom, Refused, OSError."""
    with opened(path, _LIMITS, _KEPT) as header:
        terms = values.declare_charset(header.dataset)
        dataset = read_with_pydicom(header, path)
    if changes:
        _laid_on(dataset, changes, terms)
    return dataset


def _laid_on(dataset: pydicom.Dataset, changes: Changes, terms: Sequence[str]) -> None:
    if not fits(changes, terms):
        dataset.decode()
        dataset.SpecificCharacterSet = UTF_8
    references = renamed(dataset, changes)
    changes = with_former(changes, references)
    for tag, sequence in references.after.items():
        if sequence:
            dataset[tag] = DataElement(tag, "SQ", sequence)
        else:
            del dataset[tag]
    for keyword, value in changes.attributes.items():
        dataset[keyword] = element_of(keyword, value)
    items = [item_of(original) for original in changes.original]
    if items:
        dataset.OriginalAttributesSequence = [*dataset.get("OriginalAttributesSequence", []), *items]


# --- as it is


def _stays(header: Header, wanted: str, changes: Changes, pixels: NativePixels | None) -> bool:
    """Nothing is to be different but the preamble."""
    named = values.uid(header.meta, tags.TRANSFER_SYNTAX_UID)
    return wanted == named == header.transfer_syntax_uid and not changes and pixels is None


def _prefix(header: Header) -> int:
    """Where "DICM" stands; only a file with meta information stays as it is, and that has a prefix or is older than it."""
    return 128 if header.meta.buffer[128:132] == b"DICM" else 0


def _from(buffer: Buffer, start: int) -> Iterator[bytes]:
    for position in range(start, len(buffer), PIECE):
        yield buffer[position : position + PIECE]


# --- written again


def _target(header: Header, wanted: str, pixels: NativePixels | None) -> Encoding:
    """How the data set is to be encoded. Raises CannotDecode."""
    stored = header.transfer_syntax_uid
    if wanted == stored:
        return EXPLICIT if header.deflated else ENCODINGS.get(stored, encoding_of(header.dataset))
    uncompressed = stored in ENCODINGS or header.deflated
    target = ENCODINGS.get(wanted)
    if target is not None and (uncompressed or (pixels is not None and target.little)):
        return target
    raise CannotDecode(f"an object stored in {stored} cannot be given in {wanted}")


@contextmanager
def _plain(header: Header) -> Iterator[tuple[Buffer, int]]:
    """The whole data set, not deflated, and where it begins."""
    if not header.deflated:
        yield header.dataset.buffer, header.dataset_offset
        return
    with tempfile.TemporaryFile() as file:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        for piece in _from(header.meta.buffer, header.dataset_offset):
            while piece and not inflater.eof:  # what follows the stream is padding
                file.write(inflater.decompress(piece, PIECE))
                piece = inflater.unconsumed_tail
        file.write(inflater.flush())
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped, 0


def _references(header: Header, path: Path, changes: Changes) -> Renamed:
    """What the object says otherwise of studies and series now."""
    if not changes or not header.dataset.elements.keys() & REFERRING:
        return Renamed()
    return renamed(referring_part(header, path), changes)


def _data_set(
    header: Header,
    buffer: Buffer,
    position: int,
    target: Encoding,
    changes: Changes,
    references: Renamed,
    pixels: NativePixels | None,
) -> Iterator[bytes]:
    source = EXPLICIT if header.deflated else encoding_of(header.dataset)
    dataset = header.dataset
    terms = values.declare_charset(dataset)
    signed = values.integer(dataset, tags.PIXEL_REPRESENTATION) == 1
    edits = _edits(header, target, changes, references, terms, pixels)
    emission = Emission(buffer, target, edits, signed, text.charset_of(terms))
    return emission.pieces(Outline(buffer, _LIMITS).marks(position, source))


def _edits(
    header: Header,
    target: Encoding,
    changes: Changes,
    references: Renamed,
    terms: list[str],
    pixels: NativePixels | None,
) -> Edits:
    in_utf_8 = not fits(changes, terms)
    attributes: dict[str, str | int] = dict(changes.attributes)
    if in_utf_8:
        terms = [UTF_8]
        attributes["SpecificCharacterSet"] = UTF_8
    elements: dict[int, Iterable[bytes]] = {
        tag: [encoded] for tag, encoded in elements_of(attributes, target, terms).items()
    }
    elements |= sequences_of(references.after, target, terms)
    original = items_of(changes.original, target, terms)
    held = header.dataset.elements.get(ORIGINAL_ATTRIBUTES)
    if original and (held is None or held.items is None):
        end = struct.pack("<HHI" if target.little else ">HHI", 0xFFFE, 0xE0DD, 0)
        elements[ORIGINAL_ATTRIBUTES] = [head(target, ORIGINAL_ATTRIBUTES, "SQ", UNDEFINED) + original + end]
        original = b""
    if pixels is not None:
        elements |= {tag: [] for tag in _SEPARATE_OFFSETS}
        elements |= {tag: [encoded] for tag, encoded in elements_of(pixels.attributes, target, terms).items()}
        elements[tags.PIXEL_DATA] = chain(
            [head(target, tags.PIXEL_DATA, pixels.vr, pixels.length + pixels.length % 2)],
            pixels.frames,
            [bytes(pixels.length % 2)],
        )
    return Edits(elements, original, in_utf_8)


def _meta(header: Header, transfer_syntax_uid: str, changes: Changes) -> bytes:
    """The file meta information (PS3.10 7.1), by us: what wrote the file, not what made the object."""
    sop_class = changes.attributes.get("SOPClassUID") or values.uid(header.dataset, tags.SOP_CLASS_UID)
    instance = changes.attributes.get("SOPInstanceUID") or values.uid(header.dataset, tags.SOP_INSTANCE_UID)
    elements = {
        0x00020001: ("OB", b"\0\1"),
        tags.MEDIA_STORAGE_SOP_CLASS_UID: ("UI", sop_class.encode()),
        tags.MEDIA_STORAGE_SOP_INSTANCE_UID: ("UI", instance.encode()),
        tags.TRANSFER_SYNTAX_UID: ("UI", transfer_syntax_uid.encode()),
        0x00020012: ("UI", IMPLEMENTATION_CLASS_UID.encode()),
        0x00020013: ("SH", IMPLEMENTATION_VERSION_NAME.encode()),
    }
    for tag, element in header.meta.elements.items():
        if tag > 0x00020013 and element.vr and element.vr != "SQ":
            elements[tag] = (element.vr, header.meta.raw(tag))
    body = b"".join(_element(tag, vr, value) for tag, (vr, value) in sorted(elements.items()))
    return head(EXPLICIT, 0x00020000, "UL", 4) + struct.pack("<I", len(body)) + body


def _element(tag: int, vr: str, value: bytes) -> bytes:
    value += b"" if len(value) % 2 == 0 else b" " if vr in ("SH", "AE") else b"\0"
    return head(EXPLICIT, tag, vr, len(value)) + value


def _deflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """PS3.5 A.5: one deflate stream, of an even length."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    size = 0
    for piece in pieces:
        packed = deflater.compress(piece)
        size += len(packed)
        yield packed
    end = deflater.flush()
    yield end + bytes((size + len(end)) % 2)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Small pieces together; large ones as they are."""
    out = bytearray()
    for piece in pieces:
        if piece is PIXELS_HERE:
            yield bytes(out)
            yield piece
            out.clear()
            continue
        out += piece
        if len(out) >= PIECE:
            yield bytes(out)
            out.clear()
    if out:
        yield bytes(out)
