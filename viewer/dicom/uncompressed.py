"""The pixels of one frame as little endian bytes (PS3.5 8.1.1, 8.2), as they lie in an uncompressed file or as decoded."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .emitting import PIECE, turned
from .errors import CannotDecode
from .frames import FrameSource
from .layout import FrameLayout
from .pixels import read_encoded


def stored_bytes(source: FrameSource) -> Iterator[bytes]:
    """Of a frame of an uncompressed file, in pieces; single bits begin with the first byte. Raises CannotDecode, OSError."""
    layout = source.layout
    if layout.swapped_bytes or layout.first_bit:
        yield _moved(read_encoded(source), layout)
        return
    size = 1 if layout.little else max(1, layout.bits_allocated // 8)
    for piece in encoded_bytes(source):
        yield piece if size == 1 else turned(piece, size)


def encoded_bytes(source: FrameSource) -> Iterator[bytes]:
    """Of a frame as they are in the file, its fragments joined, in pieces. Raises CannotDecode, OSError."""
    descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        for offset, length in source.places:
            for start in range(offset, offset + length, PIECE):
                wanted = min(PIECE, offset + length - start)
                piece = os.pread(descriptor, wanted, start)
                if len(piece) < wanted:
                    raise CannotDecode("the stored file is shorter than its index says")
                yield piece
    finally:
        os.close(descriptor)


def decoded_bytes(values: NDArray[np.generic], *, single_bits: bool = False) -> Iterator[bytes]:
    """Of decoded values: colours by pixel, single bits eight to a byte."""
    if single_bits:
        yield np.packbits(values.reshape(-1).astype(np.uint8), bitorder="little").tobytes()
        return
    whole = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data
    for start in range(0, len(whole), PIECE):
        yield bytes(whole[start : start + PIECE])


def _moved(encoded: bytes, layout: FrameLayout) -> bytes:
    data = turned(encoded, 2) if layout.swapped_bytes else encoded
    if layout.first_bit % 8 == 0 and layout.native_bits % 8 == 0:
        start = layout.first_bit // 8
        return data[start : start + layout.native_bits // 8]
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    return np.packbits(bits[layout.first_bit :][: layout.native_bits], bitorder="little").tobytes()
