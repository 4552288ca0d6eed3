"""Uncompressed pixels (PS3.5 8.1, 8.2), also out of a deflated data set (A.5)."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from .errors import CannotDecode
from .layout import Decoded, FrameLayout
from .stored import stored_values

_CHUNK = 2**20


def decode_native(encoded: bytes, layout: FrameLayout) -> Decoded:
    if len(encoded) * 8 < layout.first_bit + layout.native_bits:
        raise CannotDecode("the file holds fewer bytes than the frame needs")
    if layout.bits_allocated == 1:
        return Decoded(_bits(encoded, layout), layout.photometric_interpretation)
    data = encoded
    if layout.swapped_bytes:
        data = np.frombuffer(encoded, dtype=">u2").astype("<u2").tobytes()
    data = data[layout.first_bit // 8 :][: layout.native_bits // 8] if layout.first_bit else data
    kind = "f" if layout.floating else "u"
    cells = np.frombuffer(
        data,
        dtype=f"{'<' if layout.little else '>'}{kind}{layout.bits_allocated // 8}",
        count=layout.native_bits // layout.bits_allocated,
    )
    if not layout.little:
        cells = cells.astype(cells.dtype.newbyteorder("="))
    if layout.subsampled:
        cells = _upsampled(cells, layout)
    elif layout.samples_per_pixel == 3:
        if layout.planar_configuration:
            cells = np.moveaxis(cells.reshape(3, layout.rows, layout.columns), 0, 2)
        cells = np.ascontiguousarray(cells).reshape(layout.shape)
    photometric = "YBR_FULL" if layout.subsampled else layout.photometric_interpretation
    return Decoded(stored_values(cells.reshape(layout.shape), layout), photometric)


def decode_deflated(encoded: bytes, layout: FrameLayout) -> Decoded:
    """A frame of a deflated data set: inflated up to its last byte, and only its own bytes are kept."""
    if layout.inflated is None:
        raise CannotDecode("nothing says where the frame lies in the inflated data set")
    start, length = layout.inflated
    return decode_native(inflated_range(encoded, start, length), layout)


def decode_deflated_frame(encoded: bytes, layout: FrameLayout) -> Decoded:
    """Deflated Image Frame Compression (PS3.5 A.4.13): each frame is a deflate stream of its own."""
    return decode_native(inflated_range(encoded, 0, (layout.native_bits + 7) // 8), layout)


def inflated_range(encoded: bytes, start: int, length: int) -> bytes:
    """`length` bytes from `start` of what `encoded` inflates to, never more than that in memory."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    kept = bytearray()
    position = 0
    pending = encoded
    try:
        while position < start + length:
            piece = inflater.decompress(pending, _CHUNK)
            pending = inflater.unconsumed_tail
            if not piece:
                break
            low, high = max(0, start - position), min(len(piece), start + length - position)
            if low < high:
                kept += piece[low:high]
            position += len(piece)
    except zlib.error:
        raise CannotDecode("the deflated pixels are damaged") from None
    if len(kept) < length:
        raise CannotDecode("the deflated pixels are cut short")
    return bytes(kept)


def _bits(encoded: bytes, layout: FrameLayout) -> NDArray[np.generic]:
    """Single bits, the first in the lowest place of a byte; frames follow each other without a gap."""
    bits = np.unpackbits(np.frombuffer(encoded, dtype=np.uint8), bitorder="little")
    return bits[layout.first_bit : layout.first_bit + layout.native_bits].reshape(layout.shape)


def _upsampled(cells: NDArray[np.generic], layout: FrameLayout) -> NDArray[np.generic]:
    """Y Y Cb Cr for each two pixels to Y Cb Cr for each: the colour difference stands for both (PS3.3 C.7.6.3.1.2)."""
    pairs = cells.reshape(layout.rows, layout.columns // 2, 4)
    full = np.empty((layout.rows, layout.columns // 2, 2, 3), dtype=cells.dtype)
    full[..., 0] = pairs[..., :2]
    full[..., 1] = pairs[..., 2:3]
    full[..., 2] = pairs[..., 3:4]
    return full.reshape(layout.shape)
