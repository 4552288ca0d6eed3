"""JPEG 2000 (ISO 15444-1) and High-Throughput JPEG 2000 (ISO 15444-15)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from .errors import CannotDecode
from .layout import Decoded, FrameLayout
from .stored import clipped_values, shaped, stored_values

_REVERSIBLE = frozenset(
    {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"},
)


@dataclass(frozen=True, slots=True)
class Codestream:
    """Of the SIZ and COD segments (ISO 15444-1 A.5.1, A.6.1)."""

    rows: int
    columns: int
    components: int
    precision: int
    signed: bool
    colour_transform: bool


def decode_jpeg2000(encoded: bytes, layout: FrameLayout) -> Decoded:
    return _decoded(encoded, layout, high_throughput=False)


def decode_htj2k(encoded: bytes, layout: FrameLayout) -> Decoded:
    return _decoded(encoded, layout, high_throughput=True)


def _decoded(encoded: bytes, layout: FrameLayout, *, high_throughput: bool) -> Decoded:
    stream, start = _checked(encoded, layout)
    codestream = encoded[start:] if start else encoded
    if high_throughput:
        try:
            values = np.asarray(imagecodecs.htj2k_decode(codestream))
        except (RuntimeError, ValueError):
            # A plain codestream under the newer name, or a form of block coding that only the general decoder knows.
            values = _by_openjpeg(codestream)
    else:
        values = _by_openjpeg(codestream)
    return Decoded(_stored(shaped(values, layout), stream, layout), _photometric(stream, layout))


def _by_openjpeg(codestream: bytes) -> NDArray[np.generic]:
    try:
        return np.asarray(imagecodecs.jpeg2k_decode(codestream))
    except (RuntimeError, ValueError) as error:
        raise CannotDecode(f"the JPEG 2000 picture is damaged ({error})") from None


def _stored(values: NDArray[np.generic], stream: Codestream, layout: FrameLayout) -> NDArray[np.generic]:
    """The codestream has a sign and precision of its own. A signed one holds the stored values, which loss may carry a
    little out of range; an unsigned one may hold the bit pattern of signed values, or more bits than the stored ones."""
    if layout.transfer_syntax_uid in _REVERSIBLE:
        return stored_values(values, layout)
    if stream.signed or not layout.pixel_representation:
        return clipped_values(values, layout)
    return stored_values(values, layout)


def codestream_header(encoded: bytes) -> tuple[Codestream, int]:
    """The header of the codestream, and where in the bytes it begins: some writers wrap it in a JP2 file."""
    start = 0
    if not encoded.startswith(b"\xff\x4f\xff\x51"):
        start = encoded.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0 or len(encoded) < start + 44:
        raise CannotDecode("the fragment holds no JPEG 2000 codestream")
    width, height, left, top = struct.unpack_from(">4I", encoded, start + 8)
    components = struct.unpack_from(">H", encoded, start + 40)[0]
    depth = encoded[start + 42]
    return (
        Codestream(
            rows=height - top,
            columns=width - left,
            components=components,
            precision=(depth & 0x7F) + 1,
            signed=bool(depth & 0x80),
            colour_transform=_colour_transform(encoded, start + 4),
        ),
        start,
    )


def _colour_transform(encoded: bytes, position: int) -> bool:
    """Walk the segments of the main header to COD; its multiple component transformation mixes the first three."""
    marker = 0xFF51
    position -= 2
    while position + 4 <= len(encoded):
        marker, length = struct.unpack_from(">HH", encoded, position)
        if marker == 0xFF52 and position + 9 <= len(encoded):
            return encoded[position + 8] == 1
        if marker == 0xFF90 or length < 2:
            break
        position += 2 + length
    raise CannotDecode("the JPEG 2000 codestream is damaged before its picture")


def _checked(encoded: bytes, layout: FrameLayout) -> tuple[Codestream, int]:
    """The codestream's own header, held against the file's before a decoder allocates by it."""
    stream, start = codestream_header(encoded)
    if (stream.rows, stream.columns) != (layout.rows, layout.columns):
        raise CannotDecode(
            f"the compressed picture is {stream.rows} x {stream.columns}, "
            f"the header says {layout.rows} x {layout.columns}"
        )
    if stream.components != layout.samples_per_pixel:
        raise CannotDecode(f"the compressed picture has {stream.components} components")
    if stream.precision > layout.bits_allocated:
        raise CannotDecode(f"the compressed picture has {stream.precision} bits, {layout.bits_allocated} are allocated")
    if encoded.rfind(b"\xff\xd9") < start:
        raise CannotDecode("the JPEG 2000 codestream is cut short")
    return stream, start


def _photometric(stream: Codestream, layout: FrameLayout) -> str:
    """The component transform is undone while decoding: YBR_RCT and YBR_ICT come as RGB (PS3.5 8.2.4)."""
    named = layout.photometric_interpretation
    if layout.samples_per_pixel == 1:
        return named
    if stream.colour_transform or named in ("RGB", "YBR_RCT", "YBR_ICT"):
        return "RGB"
    return "YBR_FULL"
