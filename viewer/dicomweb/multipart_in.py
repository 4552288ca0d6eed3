"""A multipart body (RFC 2046, RFC 2387) as places in the file that it was spooled to: nothing is held in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import BinaryIO

CHUNK = 1 << 20
HEADER_BYTES = 16 * 1024
LONGEST_BOUNDARY = 256
"""RFC 2046 has 70 at most; Orthanc sends 73."""


class BadMultipart(ValueError):
    """The body is not what its Content-Type says."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what its header says, and where its content lies in the body."""

    media_type: str
    parameters: dict[str, str]
    location: str
    offset: int
    length: int


def media_type_of(text: str) -> tuple[str, dict[str, str]]:
    """A Content-Type as (type/subtype, parameters), names in lower case."""
    message = Message()
    message["Content-Type"] = text.replace("\r", " ").replace("\n", " ")
    said = message.get_params(failobj=[])
    return (said[0][0].lower() if said else ""), {name.lower(): str(value) for name, value in said[1:]}


def parts(file: BinaryIO, boundary: str, most: int) -> Iterator[Part]:
    """The parts of a body. Raises BadMultipart where it is cut short, has no parts, or more than `most`."""
    if not 0 < len(boundary) <= LONGEST_BOUNDARY or not boundary.isascii():
        raise BadMultipart("Content-Type names no usable boundary")
    mark = b"--" + boundary.encode()
    start, first = _found(file, mark, 0), True
    if start is None or (start > 0 and _at(file, start - 2, 2) != b"\r\n"):
        raise BadMultipart("the body does not begin with its boundary")
    at, count = start + len(mark), 0
    while True:
        ending = _at(file, at, 2)
        if ending == b"--":
            if first:
                raise BadMultipart("the body has no parts")
            return
        content, header = _header(file, at)
        end = _end_of(file, mark, content)
        count, first = count + 1, False
        if count > most:
            raise BadMultipart(f"more than {most:,} parts")
        yield _part(header, content, end - content)
        at = end + 2 + len(mark)


def _part(header: bytes, offset: int, length: int) -> Part:
    said = BytesParser().parsebytes(header, headersonly=True)
    if said.get("Content-Transfer-Encoding", "binary").strip().lower() not in ("binary", "8bit", "7bit"):
        raise BadMultipart("a part is encoded for transfer; parts are sent as they are")
    media_type, parameters = media_type_of(str(said.get("Content-Type", "application/octet-stream")))
    return Part(media_type, parameters, str(said.get("Content-Location", "")).strip(), offset, length)


def _header(file: BinaryIO, at: int) -> tuple[int, bytes]:
    """Where the content behind a boundary begins, and the header before it."""
    head = _at(file, at, HEADER_BYTES)
    line = head.find(b"\r\n")
    if line < 0 or head[:line].strip(b" \t"):
        raise BadMultipart("a boundary is not followed by a line's end")
    if head[line : line + 4] == b"\r\n\r\n":
        return at + line + 4, b""
    end = head.find(b"\r\n\r\n", line)
    if end < 0:
        raise BadMultipart("the header of a part has no end")
    return at + end + 4, head[line + 2 : end + 4]


def _end_of(file: BinaryIO, mark: bytes, content: int) -> int:
    """Where the content of a part ends: at the line's end before the next boundary. An empty part may have none of its own."""
    if _at(file, content, len(mark)) == mark:
        return content - 2
    end = _found(file, b"\r\n" + mark, content)
    if end is None:
        raise BadMultipart("the body is cut short: its last boundary is missing")
    return end


def _found(file: BinaryIO, wanted: bytes, start: int) -> int | None:
    file.seek(start)
    behind, at = b"", start
    while chunk := file.read(CHUNK):
        window = behind + chunk
        place = window.find(wanted)
        if place >= 0:
            return at - len(behind) + place
        at += len(chunk)
        behind = window[-(len(wanted) - 1) :]
    return None


def _at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


class Slice(io.RawIOBase):
    """A part's content as a file of its own; shares the body's position, so one is read at a time."""

    def __init__(self, file: BinaryIO, offset: int, length: int) -> None:
        self._file, self._offset, self._length, self._at = file, offset, length, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        self._file.seek(self._offset + self._at)
        data = self._file.read(min(len(view), self._length - self._at))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
