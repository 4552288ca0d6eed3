"""The bytes of one frame, read alone: a seek and a read, never the whole of a multi-frame file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .decode import decode, is_native
from .errors import CannotDecode

if TYPE_CHECKING:
    from .frames import FrameSource


def read_encoded(source: FrameSource) -> bytes:
    """The encoded bytes of one frame, its fragments joined. A deflated file has no frames until it is inflated: its whole
    deflated data set comes instead. Raises CannotDecode where the file is shorter than its index, OSError."""
    descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return b"".join(_read(descriptor, offset, length) for offset, length in source.places)
    finally:
        os.close(descriptor)


def read_native(source: FrameSource) -> NDArray[np.generic]:
    """Stored values of one frame of an uncompressed file, (rows, columns) or (rows, columns, 3)."""
    layout = source.layout
    if not is_native(layout.transfer_syntax_uid):
        raise CannotDecode(f"{layout.transfer_syntax_uid} is compressed")
    return decode(read_encoded(source), layout).values


def _read(descriptor: int, offset: int, length: int) -> bytes:
    pieces: list[bytes] = []
    while length:
        piece = os.pread(descriptor, length, offset)
        if not piece:
            raise CannotDecode("the stored file is shorter than its index says")
        pieces.append(piece)
        offset += len(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
