"""Which fragments of encapsulated pixel data make which frame (PS3.5 A.4)."""

from __future__ import annotations

import struct
from itertools import pairwise

from . import tags
from .elements import Buffer, Dataset, Fragments

Places = list[list[int]]
"""For each frame its fragments, flat: [offset, length, offset, length, ...], places in the file."""

_RLE = "1.2.840.10008.1.2.5"


def frame_places(
    buffer: Buffer, dataset: Dataset, fragments: Fragments, frames: int, syntax: str, *, little: bool = True
) -> Places:
    """The fragments of each frame. Fewer or more frames than asked for where the file holds so many."""
    if not fragments:
        return []
    table, body = fragments[0], [fragment for fragment in fragments[1:] if fragment[1] > 0]
    if not body:
        return []
    if frames == 1:
        return [_flat(body)]
    if len(body) == frames:
        return [_flat([fragment]) for fragment in body]
    first = body[0][0] - 8
    for offsets in (_extended(dataset, little), _basic(buffer, table, little)):
        places = _by_offsets(body, offsets, first)
        if places:
            return places
    return _by_starts(buffer, body, syntax)


def _flat(fragments: Fragments) -> list[int]:
    return [number for fragment in fragments for number in fragment]


def _extended(dataset: Dataset, little: bool) -> list[int]:
    raw = dataset.raw(tags.EXTENDED_OFFSET_TABLE)
    return list(struct.unpack_from(f"{'<' if little else '>'}{len(raw) // 8}Q", raw))


def _basic(buffer: Buffer, table: tuple[int, int], little: bool) -> list[int]:
    offset, length = table
    return list(struct.unpack_from(f"{'<' if little else '>'}{length // 4}I", buffer, offset))


def _by_offsets(body: Fragments, offsets: list[int], first: int) -> Places:
    """Frames as an offset table parts them; none where the table does not point at fragments, rising."""
    if len(offsets) < 2 or offsets[0] != 0:
        return []
    starts = {offset - 8 - first: index for index, (offset, _) in enumerate(body)}
    try:
        marks = [starts[offset] for offset in offsets]
    except KeyError:
        return []
    if any(b <= a for a, b in pairwise(marks)):
        return []
    return [_flat(body[a:b]) for a, b in zip(marks, [*marks[1:], len(body)], strict=True)]


def _by_starts(buffer: Buffer, body: Fragments, syntax: str) -> Places:
    """Without a usable table a frame begins where a fragment begins as a codestream does."""
    marks = [
        index for index, (offset, length) in enumerate(body) if _begins(buffer[offset : offset + 8], length, syntax)
    ]
    if not marks or marks[0] != 0:
        return []
    return [_flat(body[a:b]) for a, b in zip(marks, [*marks[1:], len(body)], strict=True)]


def _begins(head: bytes, length: int, syntax: str) -> bool:
    if syntax == _RLE:
        if len(head) < 8 or length < 64:
            return False
        segments, start = struct.unpack("<II", head)
        return bool(1 <= segments <= 15 and start == 64)
    return head.startswith((b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "))
