"""JPEG (ISO 10918-1, all its processes that DICOM names) and JPEG-LS (ISO 14495-1)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from .errors import CannotDecode
from .layout import Decoded, FrameLayout
from .stored import clipped_values, shaped, stored_values

_LOSSLESS_FRAMES = frozenset({0xC3, 0xF7})
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a JPEG stream says of its picture before any of it is decoded."""

    marker: int
    precision: int
    rows: int
    columns: int
    components: tuple[int, ...]
    """Component identifiers."""
    jfif: bool
    adobe_transform: int | None


def decode_jpeg(encoded: bytes, layout: FrameLayout) -> Decoded:
    header = _checked(encoded, layout)
    colour = len(header.components) == 3
    try:
        # Naming the same space twice keeps the decoder from converting: stored values are wanted.
        values = (
            imagecodecs.jpeg8_decode(encoded, colorspace="YCBCR", outcolorspace="YCBCR")
            if colour
            else imagecodecs.jpeg8_decode(encoded)
        )
    except (RuntimeError, ValueError) as error:
        raise CannotDecode(f"the JPEG picture is damaged ({error})") from None
    values = shaped(np.asarray(values), layout)
    cells = stored_values(values, layout) if header.marker in _LOSSLESS_FRAMES else _lossy(values, layout)
    return Decoded(cells, _photometric(header, layout))


def decode_jpegls(encoded: bytes, layout: FrameLayout) -> Decoded:
    _checked(encoded, layout)
    try:
        values = imagecodecs.jpegls_decode(encoded)
    except (RuntimeError, ValueError) as error:
        raise CannotDecode(f"the JPEG-LS picture is damaged ({error})") from None
    photometric = "YBR_FULL" if layout.subsampled else layout.photometric_interpretation
    return Decoded(stored_values(shaped(np.asarray(values), layout), layout), photometric)


def stream_header(encoded: bytes) -> StreamHeader:
    """Read the markers up to the frame header. Raises CannotDecode where there is none."""
    if encoded[:2] != b"\xff\xd8":
        raise CannotDecode("the fragment holds no JPEG stream")
    position, jfif, transform = 2, False, None
    while position + 4 <= len(encoded):
        if encoded[position] != 0xFF:
            raise CannotDecode("the JPEG stream is damaged before its picture")
        marker = encoded[position + 1]
        if marker == 0xFF:
            position += 1
            continue
        if marker in _STANDALONE:
            position += 2
            continue
        length = struct.unpack_from(">H", encoded, position + 2)[0]
        body = encoded[position + 4 : position + 2 + length]
        if marker in _FRAMES:
            return _frame_header(marker, body, jfif, transform)
        jfif = jfif or (marker == 0xE0 and body[:5] == b"JFIF\0")
        if marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            transform = body[11]
        position += 2 + max(2, length)
    raise CannotDecode("the JPEG stream is cut short before its picture")


def _frame_header(marker: int, body: bytes, jfif: bool, transform: int | None) -> StreamHeader:
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise CannotDecode("the JPEG stream is cut short before its picture")
    precision, rows, columns, count = struct.unpack_from(">BHHB", body)
    return StreamHeader(marker, precision, rows, columns, tuple(body[6 : 6 + 3 * count : 3]), jfif, transform)


def _checked(encoded: bytes, layout: FrameLayout) -> StreamHeader:
    """The stream's own header, held against the file's before a decoder allocates by it."""
    header = stream_header(encoded)
    if (header.rows, header.columns) != (layout.rows, layout.columns):
        raise CannotDecode(
            f"the compressed picture is {header.rows} x {header.columns}, "
            f"the header says {layout.rows} x {layout.columns}"
        )
    if len(header.components) != layout.samples_per_pixel:
        raise CannotDecode(f"the compressed picture has {len(header.components)} components")
    if not 2 <= header.precision <= layout.bits_allocated:
        raise CannotDecode(f"the compressed picture has {header.precision} bits, {layout.bits_allocated} are allocated")
    # Within entropy-coded data FF is never followed by D9; writers pad behind it with whatever they had at hand.
    if encoded.rfind(b"\xff\xd9") < 0:
        raise CannotDecode("the JPEG stream is cut short")
    return header


def _lossy(values: NDArray[np.generic], layout: FrameLayout) -> NDArray[np.generic]:
    # A lossy stream of signed values carries their bit pattern (PS3.5 8.2.1): only the header gives it a sign.
    return stored_values(values, layout) if layout.pixel_representation else clipped_values(values, layout)


def _photometric(header: StreamHeader, layout: FrameLayout) -> str:
    """What the three components are: the stream's own word goes before the header's, which is often wrong."""
    named = layout.photometric_interpretation
    if layout.samples_per_pixel == 1:
        return named
    if header.marker in _LOSSLESS_FRAMES:
        return "RGB" if named == "RGB" else "YBR_FULL"
    if header.adobe_transform is not None:
        return "YBR_FULL" if header.adobe_transform == 1 else "RGB"
    if header.jfif:
        return "YBR_FULL"
    if header.components == (0x52, 0x47, 0x42):
        return "RGB"
    return "RGB" if named == "RGB" else "YBR_FULL"
