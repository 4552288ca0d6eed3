"""Video objects (PS3.5 8.2.5 to 8.2.8): the stream in the fragments of the pixel data, and whether a browser plays it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .syntaxes import VIDEO

Places = list[tuple[int, int]]
"""(offset, length) in the file, in order."""

_TRANSPORT_PACKET = 188


def places_of(index: Mapping[str, Any]) -> Places:
    """Where the bytes of the stream lie in the file of an instance of this index."""
    flat = [number for frame in index.get("pixels", {}).get("fragments", ()) for number in frame]
    return list(zip(flat[::2], flat[1::2], strict=True))


def reason_not_played(path: Path, places: Places, transfer_syntax_uid: str) -> str | None:
    """Why browsers do not play it; None where they do. Raises OSError."""
    name = VIDEO.get(transfer_syntax_uid, "")
    if name != "H.264":
        return f"{name or 'unknown'} video: browsers do not play it"
    head = b"".join(cut(path, places, 0, 4 * _TRANSPORT_PACKET))
    if head[4:8] == b"ftyp":
        return None
    if head[:1] == b"G" and head[_TRANSPORT_PACKET : _TRANSPORT_PACKET + 1] == b"G":
        return "H.264 video in an MPEG-2 transport stream: browsers do not play it"
    if head[:4] == b"\0\0\0\1" or head[:3] == b"\0\0\1":
        return "H.264 video without a container: browsers do not play it"
    return "the object holds no H.264 video that is known here"


def length_of(places: Places) -> int:
    return sum(length for _, length in places)


def cut(path: Path, places: Places, start: int, length: int, chunk: int = 1 << 18) -> Iterator[bytes]:
    """`length` bytes of the stream from `start` on, in pieces."""
    with path.open("rb") as file:
        for offset, size in places:
            if start >= size:
                start -= size
                continue
            file.seek(offset + start)
            left = min(size - start, length)
            while left > 0:
                piece = file.read(min(chunk, left))
                if not piece:
                    return
                yield piece
                left -= len(piece)
                length -= len(piece)
            if length <= 0:
                return
            start = 0
