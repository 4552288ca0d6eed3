"""Instances that come as DICOM JSON with their bulk data in parts beside it (PS3.18 10.5.1.2), made into DICOM files.

Pixel data go from the body into the file without being held; everything else of an instance is read into memory, bounded.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import UID, ExplicitVRLittleEndian

from viewer.dicom.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from viewer.dicomweb.multipart_in import BadMultipart, Part, Slice

METADATA_BYTES = 64 << 20
PIXEL_DATA = "7FE00010"
PIXELS = 0x7FE00010
UNKNOWN_LENGTH = 0xFFFFFFFF
ITEM, SEQUENCE_END = struct.pack("<HH", 0xFFFE, 0xE000), struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)

SYNTAXES = {
    "application/octet-stream": ExplicitVRLittleEndian,
    "image/jpeg": UID("1.2.840.10008.1.2.4.70"),
    "image/dicom-rle": UID("1.2.840.10008.1.2.5"),
    "image/x-dicom-rle": UID("1.2.840.10008.1.2.5"),
    "image/jls": UID("1.2.840.10008.1.2.4.80"),
    "image/x-jls": UID("1.2.840.10008.1.2.4.80"),
    "image/jp2": UID("1.2.840.10008.1.2.4.90"),
    "image/jpx": UID("1.2.840.10008.1.2.4.92"),
    "image/jphc": UID("1.2.840.10008.1.2.4.201"),
    "image/jxl": UID("1.2.840.10008.1.2.4.110"),
    "video/mpeg": UID("1.2.840.10008.1.2.4.100"),
    "video/mpeg2": UID("1.2.840.10008.1.2.4.100"),
    "video/mp4": UID("1.2.840.10008.1.2.4.102"),
}
"""Media types of bulk data and the transfer syntax that each has without a parameter (PS3.18 table 8.7.3-5)."""


class BadInstance(ValueError):
    """One instance cannot be made; the others can. `dataset` holds what is known of it."""

    def __init__(self, words: str, dataset: dict[str, Any]) -> None:
        super().__init__(words)
        self.dataset = dataset


def datasets(file: BinaryIO, part: Part) -> list[dict[str, Any]]:
    """The instances of the metadata part. Raises BadMultipart."""
    if part.length > METADATA_BYTES:
        raise BadMultipart(f"the metadata are longer than {METADATA_BYTES >> 20} MiB")
    try:
        said = json.loads(Slice(file, part.offset, part.length).read() or b"")
    except (ValueError, RecursionError):
        raise BadMultipart("the metadata are not JSON") from None
    found = said if isinstance(said, list) else [said]
    if not found or not all(isinstance(one, dict) for one in found):
        raise BadMultipart("the metadata are not an array of data sets")
    return found


def write(said: dict[str, Any], file: BinaryIO, bulk: Sequence[Part], path: Path) -> None:
    """One instance as a DICOM file at `path`. Raises BadInstance."""
    pixels = _pixel_parts(said, bulk)
    try:
        dataset = Dataset.from_json(
            {tag: value for tag, value in said.items() if tag.upper() != PIXEL_DATA},
            lambda tag, vr, uri: _read(file, bulk, uri),
        )
        syntax = _syntax(pixels)
        head, tail = _halves(dataset)
        with path.open("wb") as out:
            _write_head(out, head, _meta(dataset, syntax))
            if pixels:
                _write_pixels(out, file, pixels, str(said.get(PIXEL_DATA, {}).get("vr", "OW")), syntax)
            elif PIXEL_DATA in said and "InlineBinary" in said[PIXEL_DATA]:
                inline = Dataset.from_json({PIXEL_DATA: said[PIXEL_DATA]})
                _append(out, inline)
            _append(out, tail)
    except BadInstance:
        raise
    except (BadMultipart, ValueError, TypeError, KeyError, AttributeError, LookupError, struct.error) as problem:
        raise BadInstance(f"not a data set in the DICOM JSON model ({type(problem).__name__})", said) from None
    except RecursionError:
        raise BadInstance("its sequences are nested too deeply", said) from None


def _pixel_parts(said: dict[str, Any], bulk: Sequence[Part]) -> list[Part]:
    uri = (said.get(PIXEL_DATA) or {}).get("BulkDataURI", "")
    if not uri:
        return []
    found = _named(bulk, str(uri))
    if not found:
        raise BadInstance("its pixel data did not come with it", said)
    return found


def _named(bulk: Sequence[Part], uri: str) -> list[Part]:
    return [part for part in bulk if part.location == uri]


def _read(file: BinaryIO, bulk: Sequence[Part], uri: str) -> bytes:
    found = _named(bulk, uri)
    if len(found) != 1 or found[0].length > METADATA_BYTES:
        raise BadMultipart("bulk data are missing, named twice, or too long")
    data = Slice(file, found[0].offset, found[0].length).read() or b""
    return data + b"\0" * (len(data) % 2)


def _syntax(pixels: Sequence[Part]) -> UID:
    if not pixels:
        return ExplicitVRLittleEndian
    named = pixels[0].parameters.get("transfer-syntax", "").strip('" ')
    return UID(named) if named else SYNTAXES[pixels[0].media_type]


def _meta(dataset: Dataset, syntax: UID) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta


def _halves(dataset: Dataset) -> tuple[Dataset, Dataset]:
    """What stands before the pixel data, and what behind."""
    head, tail = Dataset(), Dataset()
    for element in dataset:
        (head if element.tag < PIXELS else tail).add(element)
    return head, tail


def _write_head(out: BinaryIO, head: Dataset, meta: FileMetaDataset) -> None:
    """Preamble, meta information, and the data set as Explicit VR Little Endian, which every syntax of encapsulated pixel data
    shares (PS3.5 A.4)."""
    target = DicomIO(out)
    target.is_little_endian, target.is_implicit_VR = True, False
    target.write(b"\0" * 128 + b"DICM")
    write_file_meta_info(target, meta, enforce_standard=True)
    write_dataset(target, head)


def _append(out: BinaryIO, dataset: Dataset) -> None:
    target = DicomIO(out)
    target.is_little_endian, target.is_implicit_VR = True, False
    write_dataset(target, dataset)


def _write_pixels(out: BinaryIO, file: BinaryIO, pixels: Sequence[Part], vr: str, syntax: UID) -> None:
    if not syntax.is_encapsulated:
        length = sum(part.length for part in pixels)
        if length + 1 >= UNKNOWN_LENGTH:
            raise ValueError("native pixel data are longer than an element may be")
        code = vr if vr in ("OB", "OW") else "OW"
        out.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, code.encode(), 0, length + length % 2))
        for part in pixels:
            _copy(file, part, out)
        out.write(b"\0" * (length % 2))
        return
    out.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, UNKNOWN_LENGTH) + ITEM + struct.pack("<I", 0))
    for part in pixels:
        out.write(ITEM + struct.pack("<I", part.length + part.length % 2))
        _copy(file, part, out)
        out.write(b"\0" * (part.length % 2))
    out.write(SEQUENCE_END)


def _copy(file: BinaryIO, part: Part, out: BinaryIO) -> None:
    shutil.copyfileobj(Slice(file, part.offset, part.length), out, 1 << 20)


def identity_of(said: dict[str, Any]) -> Iterator[str]:
    """SOP Class UID and SOP Instance UID as the metadata name them; empty where they do not."""
    for tag in ("00080016", "00080018"):
        values = (said.get(tag) or {}).get("Value") if isinstance(said.get(tag), dict) else None
        yield str(values[0]) if isinstance(values, list) and values else ""
