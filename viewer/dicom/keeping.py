"""How the values of a stack are kept in a volume: as 16-bit whole numbers wherever that loses nothing, else as floats."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from viewer.rendering.volume import HOLE, CellDescription, Cells, Storage, stored_range

from .decode import is_native
from .frames import FrameSource
from .luts import unpack_lut

_WHOLE = np.dtype(np.int16)
_FLOATS = np.dtype(np.float32)


def storage_of(frames: Sequence[FrameSource]) -> Storage | None:
    """None where frames of different kinds stand in one stack.

    Values are kept in modality units where these are whole numbers that fit into 16 bits for whatever the stored bits can
    say; else as stored values, where one slope and intercept hold for all; else as modality values in floating point.
    """
    if len({_kind(frame) for frame in frames}) > 1:
        return None
    if _is_colour(frames[0]):
        return Storage(_WHOLE, colour=True)
    if any(frame.instance.index["pixels"].get("floating") for frame in frames):
        return Storage(_FLOATS)
    tables = ["modality_lut" in frame.instance.index for frame in frames]
    if any(tables):
        fits = all(tables) and _largest_entry(frames) <= -HOLE - 1
        return Storage(_WHOLE if fits else _FLOATS)
    ranges = {_stored(frame) for frame in frames}
    scales = {frame.rescale for frame in frames}
    if {slope for slope, _ in scales} == {1.0} and all(
        intercept.is_integer() and low + intercept >= HOLE and high + intercept <= -HOLE - 1
        for _, intercept in scales
        for low, high in ranges
    ):
        return Storage(_WHOLE)
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if len(scales) > 1 or high - low > 0xFFFF:
        return Storage(_FLOATS)
    # Unsigned words are moved by one less than half their range: 0 is far more often a real value than 65,535.
    shift = 0 if high <= -HOLE - 1 else HOLE + 1
    slope, intercept = scales.pop()
    storage = Storage(_WHOLE, slope, intercept - shift * slope)
    fits = low + shift >= HOLE and storage.offset(intercept) == shift
    return storage if fits else Storage(_FLOATS)


def raw_cells(frames: Sequence[FrameSource], storage: Storage) -> list[Cells] | None:
    """How the bytes of each frame become values where they lie, None where that cannot be done for all of them."""
    if sys.byteorder != "little" or not all(map(_is_bare, frames)):
        return None
    return _cells(frames, storage, _described)


def decoded_cells(frames: Sequence[FrameSource], storage: Storage) -> list[Cells] | None:
    """The same for 16-bit values as a decoder gives them, whatever they were compressed with."""
    if not all(map(_is_words, frames)):
        return None
    return _cells(frames, storage, lambda frame: _at_the_low_end(_described(frame)))


def _cells(
    frames: Sequence[FrameSource], storage: Storage, describe: Callable[[FrameSource], CellDescription]
) -> list[Cells] | None:
    if storage.dtype != _WHOLE or storage.colour:
        return None
    known: dict[CellDescription, Cells] = {}
    found = []
    for frame in frames:
        described = describe(frame)
        if described not in known:
            known[described] = storage.cells(described)
        found.append(known[described])
    return found


def _at_the_low_end(described: CellDescription) -> CellDescription:
    return described._replace(high_bit=described.bits_stored - 1)


def _kind(frame: FrameSource) -> tuple[bool, bool]:
    """(colour, polarity turned)."""
    index = frame.instance.index
    inverse = index["pixels"]["photometric_interpretation"] == "MONOCHROME1" or bool(index.get("inverse"))
    return _is_colour(frame), inverse


def _is_colour(frame: FrameSource) -> bool:
    index = frame.instance.index
    return bool(index["pixels"]["samples_per_pixel"] != 1 or index.get("palette"))


def _largest_entry(frames: Sequence[FrameSource]) -> int:
    tables = {frame.digest: frame.instance.index["modality_lut"] for frame in frames}
    return max(int(unpack_lut(table).data.max()) for table in tables.values())


def _stored(frame: FrameSource) -> tuple[int, int]:
    pixels = frame.instance.index["pixels"]
    return stored_range(pixels["bits_stored"], bool(pixels["pixel_representation"]))


def _is_bare(frame: FrameSource) -> bool:
    """Uncompressed words of 16 bits, lowest byte first, without a Modality LUT."""
    pixels: dict[str, Any] = frame.instance.index["pixels"]
    return _is_words(frame) and is_native(pixels["transfer_syntax_uid"]) and pixels.get("little", True)


def _is_words(frame: FrameSource) -> bool:
    """16 bits a pixel, without a Modality LUT."""
    index = frame.instance.index
    return index["pixels"]["bits_allocated"] == 16 and "modality_lut" not in index


def _described(frame: FrameSource) -> CellDescription:
    index = frame.instance.index
    pixels, padding = index["pixels"], index.get("padding")
    return CellDescription(
        pixels["bits_stored"],
        pixels["high_bit"],
        bool(pixels["pixel_representation"]),
        frame.rescale[1],
        (padding[0], padding[1]) if padding else None,
    )
