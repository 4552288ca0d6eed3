"""Media types of frames by transfer syntax (PS3.18 8.7.3.3, tables 8.7.3-2 to 8.7.3-5)."""

from __future__ import annotations

from typing import Final

from viewer.dicom.header import EXPLICIT_LITTLE_ENDIAN

DICOM: Final = "application/dicom"
OCTETS: Final = "application/octet-stream"
ENCAPSULATED: Final = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.53": "image/jpeg",
    "1.2.840.10008.1.2.4.55": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.110": "image/jxl",
    "1.2.840.10008.1.2.4.111": "image/jxl",
    "1.2.840.10008.1.2.4.112": "image/jxl",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.8.1": "application/x-deflate",
    **{f"1.2.840.10008.1.2.4.{number}": "video/mpeg2" for number in ("100", "100.1", "101", "101.1")},
    **{
        f"1.2.840.10008.1.2.4.{number}{part}": "video/mp4"
        for number in (102, 103, 104, 105, 106)
        for part in ("", ".1")
    },
    "1.2.840.10008.1.2.4.107": "video/H265",
    "1.2.840.10008.1.2.4.108": "video/H265",
}
"""What the bytes of one frame are; of a video, of all its frames."""
OTHER_NAMES: Final = {
    "image/x-dicom-rle": "image/dicom-rle",
    "image/x-jls": "image/jls",
    "image/dicom+jpeg": "image/jpeg",
    "image/dicom+rle": "image/dicom-rle",
    "image/dicom+jpeg-ls": "image/jls",
    "image/dicom+jp2": "image/jp2",
    "video/mpeg": "video/mpeg2",
    "video/h265": "video/H265",
}
"""As earlier editions of PS3.18 and clients call them."""


def type_of(transfer_syntax_uid: str) -> str:
    """What the stored bytes of a frame are; uncompressed ones are octets."""
    return ENCAPSULATED.get(transfer_syntax_uid, OCTETS)


def named(media_type: str, transfer_syntax_uid: str) -> str:
    """A media type with what it is encoded in. Octets that say nothing are Explicit VR Little Endian."""
    if media_type == OCTETS and transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN:
        return OCTETS
    return f"{media_type};transfer-syntax={transfer_syntax_uid}"
