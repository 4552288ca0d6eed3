"""Lookup tables of a file (PS3.3 C.11.1.1, C.11.2.1.1, C.7.6.3.1.5, C.7.9.2), and how an index keeps them."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from viewer.rendering.volume import LookupTable

from . import tags, values
from .elements import Dataset
from .errors import DicomError
from .limits import Limits

PALETTE_TAGS = (
    (tags.RED_PALETTE_DESCRIPTOR, tags.RED_PALETTE_DATA, tags.SEGMENTED_RED_PALETTE_DATA),
    (tags.GREEN_PALETTE_DESCRIPTOR, tags.GREEN_PALETTE_DATA, tags.SEGMENTED_GREEN_PALETTE_DATA),
    (tags.BLUE_PALETTE_DESCRIPTOR, tags.BLUE_PALETTE_DATA, tags.SEGMENTED_BLUE_PALETTE_DATA),
)


def read_lut(item: Dataset, *, signed: bool, limits: Limits) -> LookupTable | None:
    """One item of a Modality or VOI LUT Sequence; None where it is no table. `signed`: its inputs can be negative."""
    described = _descriptor(item, tags.LUT_DESCRIPTOR, signed=signed)
    if described is None:
        return None
    count, first, bits = described
    data = _entries(item.raw(tags.LUT_DATA), min(count, limits.max_lut_entries), bits, item.little)
    if data is None:
        return None
    return LookupTable(first, data, _honest_bits(data, bits), values.text(item, tags.LUT_EXPLANATION)[:64])


def read_palette(dataset: Dataset, *, signed: bool) -> tuple[list[LookupTable], list[str]]:
    """The red, green and blue tables of a PALETTE COLOR image, and warnings. Raises DicomError where there are none."""
    tables: list[LookupTable] = []
    for descriptor, plain, segmented in PALETTE_TAGS:
        described = _descriptor(dataset, descriptor, signed=signed)
        if described is None:
            raise DicomError("a palette without a descriptor", "malformed")
        count, first, bits = described
        data = _entries(dataset.raw(plain), count, bits, dataset.little)
        if data is None and segmented in dataset:
            data = _expanded(dataset.raw(segmented), count, bits, dataset.little)
        if data is None:
            raise DicomError("a palette without entries", "malformed")
        tables.append(LookupTable(first, data, _honest_bits(data, bits)))
    warnings: list[str] = []
    if all(table.bits > 8 and int(table.data.max()) <= 0xFF for table in tables) and any(t.data.any() for t in tables):
        warnings.append("the palette claims 16 bits and holds 8")
        tables = [LookupTable(table.first_value_mapped, table.data, 8) for table in tables]
    widest = max(table.bits for table in tables)
    if any(table.bits != widest for table in tables):
        tables = [LookupTable(table.first_value_mapped, table.data, widest) for table in tables]
    return tables, warnings


def pack_lut(table: LookupTable) -> dict[str, Any]:
    """A table as JSON for the index."""
    packed = base64.b64encode(zlib.compress(table.data.astype("<u2").tobytes(), 6)).decode("ascii")
    return {"first": table.first_value_mapped, "bits": table.bits, "data": packed, "explanation": table.explanation}


def unpack_lut(packed: dict[str, Any]) -> LookupTable:
    data = np.frombuffer(zlib.decompress(base64.b64decode(packed["data"])), dtype="<u2").astype(np.uint16)
    return LookupTable(packed["first"], data, packed["bits"], packed["explanation"])


def _descriptor(dataset: Dataset, tag: int, *, signed: bool) -> tuple[int, int, int] | None:
    """(number of entries, first value mapped, bits of an entry). 0 entries stands for 65,536."""
    raw = dataset.raw(tag)
    if len(raw) < 6:
        return None
    order = "<" if dataset.little else ">"
    count, first, bits = struct.unpack_from(order + "HHH", raw)
    if first > 0x7FFF and (signed or dataset.vr(tag) == "SS"):
        first -= 0x10000
    return count or 0x10000, first, bits if 1 <= bits <= 16 else 16


def _entries(raw: bytes, count: int, bits: int, little: bool) -> NDArray[np.uint16] | None:
    """Entries as words; tables of 8 bits may also be packed two to a word (PS3.3 C.7.6.3.1.5)."""
    if len(raw) < 2:
        return None
    raw = raw[: min(len(raw) // 2, count) * 2]
    words = np.frombuffer(raw, dtype="<u2" if little else ">u2")
    if bits <= 8 and len(raw) < count * 2:
        data = words.astype("<u2").view(np.uint8).astype(np.uint16)
    else:
        data = words.astype(np.uint16)
    return data[:count]


def _honest_bits(data: NDArray[np.uint16], bits: int) -> int:
    """The bits that the entries really take, where they take more than the descriptor says."""
    return max(bits, int(data.max()).bit_length())


def _expanded(raw: bytes, count: int, bits: int, little: bool) -> NDArray[np.uint16] | None:
    """A segmented palette (PS3.3 C.7.9.2): discrete, linear and indirect segments, never more entries than described."""
    kind = "u1" if bits <= 8 else "<u2" if little else ">u2"
    words = np.frombuffer(raw[: len(raw) // 2 * 2], dtype=kind).tolist()
    table: list[int] = []
    _expand(words, 0, len(words), count, table, copied=False, width=1 if bits > 8 else 2)
    return np.array(table[:count], dtype=np.uint16) if table else None


def _expand(
    words: list[int], at: int, segments: int, count: int, table: list[int], *, copied: bool, width: int
) -> None:
    """Append the entries of up to `segments` segments from word `at` on. `width`: words of half an indirect offset."""
    done = 0
    while at + 1 < len(words) and len(table) < count and done < segments:
        kind, length = words[at], words[at + 1]
        done += 1
        if kind == 0:
            table.extend(words[at + 2 : at + 2 + length])
            at += 2 + length
        elif kind == 1:
            if not table or at + 2 >= len(words):
                return
            start, end = table[-1], words[at + 2]
            table.extend(_rounded(start + (end - start) * step / length) for step in range(1, length + 1))
            at += 3
        elif kind == 2 and not copied:
            halves = words[at + 2 : at + 2 + 2 * width]
            if len(halves) < 2 * width:
                return
            base = 256 if width == 2 else 65536
            offset = sum(half * base**place for place, half in enumerate(halves))
            # The offset counts bytes from the start of the table (C.7.9.2.3); a copy does not copy copies.
            _expand(words, offset if width == 2 else offset // 2, length, count, table, copied=True, width=width)
            at += 2 + 2 * width
        else:
            return


def _rounded(value: float) -> int:
    return int(value + 0.5)
