"""Compressed pixels as the native pixel data of a whole object (PS3.5 8.1.1), one frame after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from viewer.dicom.decode import DECODERS
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource, frame_sources
from viewer.dicom.header import DEFLATED
from viewer.dicom.read import read_instance
from viewer.dicom.rewriting import NativePixels
from viewer.dicom.series import InstanceFile
from viewer.dicom.uncompressed import decoded_bytes
from viewer.rendering.volume import Frame

from .children import DecodeChild
from .errors import CannotDecode, CannotDraw
from .frames import Frames, unreadable

LONGEST = 0xFFFFFFFE
"""Of a value, in bytes (PS3.5 7.1.1)."""


def can_be_native(transfer_syntax_uid: str) -> bool:
    """Whether pixels that are encapsulated in this syntax are understood here."""
    decoder = DECODERS.get(transfer_syntax_uid)
    return decoder is not None and not decoder.native and transfer_syntax_uid not in DEFLATED


def described(first: Frame, frames: int) -> NativePixels:
    """What the pixel data of an object becomes, by its first frame. Raises CannotDraw."""
    bits = 1 if first.description.bits_allocated == 1 else first.values.dtype.itemsize * 8
    length = first.values.size * bits // 8
    if frames > 1 and first.values.size * bits % 8:
        raise CannotDecode("The single bits of these frames do not end at whole bytes.")
    length *= frames
    if length > LONGEST:
        raise CannotDraw("too_large", "Uncompressed, the pixels of this object are more than one value may hold.")
    attributes: dict[str, str | int] = {"PhotometricInterpretation": first.photometric_interpretation}
    if first.values.ndim == 3:
        attributes["PlanarConfiguration"] = 0
    return NativePixels(length, "OB" if bits <= 8 else "OW", attributes)


def frame_bytes(frame: Frame) -> Iterator[bytes]:
    """Its values, little endian."""
    return decoded_bytes(frame.values, single_bits=frame.description.bits_allocated == 1)


def decompressed(path: Path, child: DecodeChild) -> NativePixels:
    """The pixels of the object in a file, decoded by `child` while they are written. Raises CannotDraw, also on the way."""
    try:
        sources = frame_sources(InstanceFile(path, "", read_instance(path).index))
    except (DicomError, OSError) as problem:
        raise unreadable(problem) from problem
    if not sources:
        raise CannotDecode("This object has no pixels that are understood here.")
    decode = partial(Frames(0, None).decode, child=child)
    first = decode(sources[0])
    return replace(described(first, len(sources)), frames=_each(first, sources[1:], decode))


def _each(first: Frame, others: Sequence[FrameSource], decode: partial[Frame]) -> Iterator[bytes]:
    yield from frame_bytes(first)
    for source in others:
        frame = decode(source)
        if (frame.values.shape, frame.values.dtype) != (first.values.shape, first.values.dtype):
            raise CannotDecode("The frames of this object are not of one kind.")
        yield from frame_bytes(frame)
