"""RLE Lossless (PS3.5 annex G)."""

from __future__ import annotations

import struct
from itertools import pairwise

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from .errors import CannotDecode
from .layout import Decoded, FrameLayout
from .stored import stored_values


def decode_rle(encoded: bytes, layout: FrameLayout) -> Decoded:
    size = layout.bits_allocated // 8
    _check_header(encoded, layout.samples_per_pixel * size)
    pixels = layout.rows * layout.columns
    try:
        unpacked = imagecodecs.dicomrle_decode(encoded, f"<u{size}")
    except (RuntimeError, ValueError):
        raise CannotDecode("the RLE frame is damaged") from None
    whole = len(unpacked) // size * size
    cells: NDArray[np.generic] = np.frombuffer(unpacked, dtype=f"<u{size}", count=whole // size)
    if cells.size < pixels * layout.samples_per_pixel:
        raise CannotDecode("the RLE frame holds fewer pixels than the header says")
    cells = cells[: pixels * layout.samples_per_pixel]
    if layout.samples_per_pixel == 3:
        # Segments follow each other by sample: the planes of the picture, whatever the planar configuration says.
        cells = np.ascontiguousarray(np.moveaxis(cells.reshape(3, layout.rows, layout.columns), 0, 2))
    photometric = "YBR_FULL" if layout.subsampled else layout.photometric_interpretation
    return Decoded(stored_values(cells.reshape(layout.shape), layout), photometric)


def _check_header(encoded: bytes, segments: int) -> None:
    if len(encoded) < 64:
        raise CannotDecode("the RLE frame has no header")
    count, *offsets = struct.unpack_from("<16I", encoded)
    if count != segments:
        raise CannotDecode(f"the RLE frame has {count} segments, the header asks for {segments}")
    used = [*offsets[:count], len(encoded)]
    if used[0] < 64 or any(b <= a for a, b in pairwise(used)):
        raise CannotDecode("the segments of the RLE frame do not follow each other")
