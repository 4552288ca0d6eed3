"""What a person points at, as a stream of objects to take in: files, folders, zips, folders with a DICOMDIR.

Nothing outside of what was named is opened: symbolic links inside folders are not followed, a DICOMDIR's references are
not read at all (its files lie in the folder and are found there), and a zip's names are never used as paths.
"""

from __future__ import annotations

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from django.conf import settings

ZIP_START = b"PK\x03\x04"
EMPTY_ZIP = b"PK\x05\x06"
END_RECORD = b"PK\x05\x06"
END_RECORD_BYTES = 22
LONGEST_COMMENT = 65_535
DIRECTORY_BYTES_AN_ENTRY = 1024
"""Room for one name in a zip's directory, on average; more is refused before it is read."""

HEAD = 4096


@dataclass(frozen=True, slots=True)
class Source:
    """One object to take in. `alone`: it was named by itself, so that not being DICOM is a fault and not a neighbour."""

    name: str
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is not taken in, and why. `refused`: whoever sent it expects to hear of it."""

    name: str
    reason: str
    refused: bool = False


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """What a zip may hold, checked against what it claims before it is read and against what comes out."""

    entries: int
    total_bytes: int
    object_bytes: int

    @classmethod
    def of_settings(cls) -> ZipLimits:
        return cls(settings.FARVIEW_MAX_ZIP_ENTRIES, settings.FARVIEW_MAX_ZIP_BYTES, settings.FARVIEW_MAX_OBJECT_BYTES)


def walk(path: Path, limits: ZipLimits | None = None) -> Iterator[Source | Left]:
    """Everything under a path that a person named: the file itself, a folder's files in order of name, a zip's entries."""
    limits, name = limits or ZipLimits.of_settings(), _printable(str(path))
    try:
        named = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        yield Left(name, "there is no such file or folder", refused=True)
        return
    if named.is_dir():
        yield from _folder(named, name, limits)
    else:
        yield from _file(named, name, limits, alone=True)


def from_file(path: Path, name: str, limits: ZipLimits | None = None, alone: bool = True) -> Iterator[Source | Left]:
    """One file that came under another name (an upload): the file, or the entries of a zip."""
    return _file(path, name, limits or ZipLimits.of_settings(), alone)


def _folder(folder: Path, name: str, limits: ZipLimits) -> Iterator[Source | Left]:
    """Depth first, without recursion: folders may lie deeper than Python calls."""
    waiting: list[tuple[Path, str]] = [(folder, name)]
    while waiting:
        path, shown = waiting.pop()
        try:
            kind = path.lstat().st_mode
            inside = sorted(os.listdir(path), reverse=True) if stat.S_ISDIR(kind) else []
        except OSError as problem:
            yield Left(shown, f"cannot be read: {problem.strerror}", refused=True)
            continue
        if stat.S_ISREG(kind):
            yield from _file(path, shown, limits, alone=False)
        elif not stat.S_ISDIR(kind):
            yield Left(shown, NO_FILES.get(stat.S_IFMT(kind), "not a regular file"))
        for inner in inside:
            if inner.startswith("."):
                yield Left(f"{shown}/{_printable(inner)}", "hidden")
            else:
                waiting.append((path / inner, f"{shown}/{_printable(inner)}"))


NO_FILES = {stat.S_IFLNK: "symbolic links are not followed"}


def _file(path: Path, name: str, limits: ZipLimits, alone: bool) -> Iterator[Source | Left]:
    try:
        with open_plainly(path) as file:
            head, size = file.read(HEAD), os.fstat(file.fileno()).st_size
    except OSError as problem:
        yield Left(name, f"cannot be read: {problem.strerror or problem}", refused=True)
        return
    if size == 0:
        yield Left(name, "is empty", refused=alone)
    elif head[:4] in (ZIP_START, EMPTY_ZIP):
        yield from _zip(path, name, limits)
    elif not alone and not looks_like_dicom(head):
        yield Left(name, "not DICOM")
    else:
        yield Source(name, size, lambda: open_plainly(path), alone)


def open_plainly(path: Path) -> BinaryIO:
    """Open a regular file for reading; never a link put in its place meanwhile, never a pipe that would block."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("not a regular file")
    return os.fdopen(handle, "rb")


def looks_like_dicom(head: bytes) -> bool:
    """Could these first bytes begin a DICOM file? With preamble and prefix (PS3.10 7.1) or, as old scanners wrote them, with a
    data set's first element of group 0002 or 0008 in either byte order."""
    if head[128:132] == b"DICM":
        return True
    return len(head) >= 8 and head[:4] in _FIRST_ELEMENTS


_FIRST_ELEMENTS = frozenset(
    group.to_bytes(2, order) + element.to_bytes(2, order)  # type: ignore[arg-type]
    for order in ("little", "big")
    for group, elements in ((0x0002, (0x0000, 0x0001, 0x0002, 0x0010)), (0x0008, (*range(0x00, 0x30), 0x0060)))
    for element in elements
)


# --- zips


def _zip(path: Path, name: str, limits: ZipLimits) -> Iterator[Source | Left]:
    """A zip's entries, opened one at a time and in order."""
    claim = _refused_claim(path, limits)
    if claim:
        yield Left(name, claim, refused=True)
        return
    with open_plainly(path) as file:
        try:
            archive = zipfile.ZipFile(file)
        except ZIP_FAULTS as problem:
            yield Left(name, f"not a sound zip: {problem}", refused=True)
            return
        with archive:
            yield from _entries(archive, name, limits)


def _entries(archive: zipfile.ZipFile, name: str, limits: ZipLimits) -> Iterator[Source | Left]:
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if not entries:
        yield Left(name, "a zip without files", refused=True)
    elif len(entries) > limits.entries:
        yield Left(name, f"holds more than {limits.entries:,} files", refused=True)
    elif sum(entry.file_size for entry in entries) > limits.total_bytes:
        yield Left(name, f"unpacks to more than {limits.total_bytes:,} bytes", refused=True)
    else:
        for entry in sorted(entries, key=lambda entry: entry.filename):
            yield _entry(archive, entry, f"{name}: {_printable(entry.filename)}", limits)


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, limits: ZipLimits) -> Source | Left:
    parts = entry.filename.replace("\\", "/").split("/")
    if stat.S_ISLNK(entry.external_attr >> 16):
        return Left(name, "a link inside a zip", refused=True)
    if ".." in parts or parts[0] == "" or (len(parts[0]) == 2 and parts[0][1] == ":"):
        return Left(name, "its name points out of the zip", refused=True)
    if entry.flag_bits & 0x1:
        return Left(name, "is encrypted", refused=True)
    if any(part.startswith(".") for part in parts) or parts[0] == "__MACOSX":
        return Left(name, "hidden")
    if entry.file_size > limits.object_bytes:
        return Left(name, f"{entry.file_size:,} bytes are more than the limit of {limits.object_bytes:,}", refused=True)
    try:
        with archive.open(entry) as file:
            head = file.read(HEAD)
    except ZIP_FAULTS as problem:
        return Left(name, f"cannot be unpacked: {problem}", refused=True)
    if head[:4] in (ZIP_START, EMPTY_ZIP):
        return Left(name, "a zip inside a zip is not opened", refused=True)
    if not looks_like_dicom(head):
        return Left(name, "not DICOM")
    return Source(name, entry.file_size, lambda: cast(AbstractContextManager[BinaryIO], archive.open(entry)))


ZIP_FAULTS = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
)
"""What zipfile and its decompressors raise over a damaged or unsupported entry."""


def _refused_claim(path: Path, limits: ZipLimits) -> str | None:
    """What the end record claims, before zipfile reads the whole directory into memory."""
    with open_plainly(path) as file:
        size = os.fstat(file.fileno()).st_size
        file.seek(max(0, size - LONGEST_COMMENT - END_RECORD_BYTES))
        tail = file.read()
        at = tail.rfind(END_RECORD)
        if at < 0 or len(tail) - at < END_RECORD_BYTES:
            return "not a sound zip: it ends too early"
        entries = int.from_bytes(tail[at + 10 : at + 12], "little")
        directory = int.from_bytes(tail[at + 12 : at + 16], "little")
        locator = tail[at - 20 : at] if at >= 20 else b""
        if locator[:4] == b"PK\x06\x07":
            file.seek(min(int.from_bytes(locator[8:16], "little"), size))
            record = file.read(56)
            if record[:4] != b"PK\x06\x06" or len(record) < 56:
                return "not a sound zip: its end record is damaged"
            entries = int.from_bytes(record[32:40], "little")
            directory = int.from_bytes(record[40:48], "little")
    if entries > limits.entries:
        return f"holds more than {limits.entries:,} files"
    if directory > min(size, max(1 << 20, limits.entries * DIRECTORY_BYTES_AN_ENTRY)):
        return "not a sound zip: its directory is too large"
    return None


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:300]
