"""16-bit frames into their slices of a volume: read, converted and bricked in one call for many of them, each while it lies
in the processor's cache, and without the interpreter lock."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource
from viewer.rendering.bricks import BrickPart, take_slice
from viewer.rendering.compiled import compiled
from viewer.rendering.volume import Cells

from .errors import CannotDecode
from .frames import unreadable
from .reading import read_into

Values = NDArray[np.int16]
Stretch = tuple[int, int]
"""Offset and length in a file."""

THERE = -1
"""In place of a file: the bytes are in their slice already."""

_pread = numba.types.ExternalFunction(
    "pread", numba.types.intp(numba.types.int32, numba.types.voidptr, numba.types.uintp, numba.types.int64)
)
"""POSIX: descriptor, place, bytes, offset. The bytes read; 0 at the end of the file, -1 for a trouble."""


class NotRead(Exception):
    """One frame cannot be read: its number in the run, and why in words for the reader."""

    def __init__(self, number: int, why: CannotDecode) -> None:
        self.number, self.why = number, why


def read_run(sources: Sequence[FrameSource], values: Values, how: Cells, part: BrickPart) -> bool:
    """Uncompressed frames from their files into `values` (frames, rows, columns), the slices of `part`, converted as `how`
    says; `part` has their extremes then. True where some of it is no image. Raises NotRead."""
    files, offsets = np.empty(len(sources), np.int32), np.empty(len(sources), np.int64)
    with ExitStack() as opened:
        known: dict[Path, int] = {}
        for number, source in enumerate(sources):
            with _saying(number):
                offsets[number] = _offset(source, values[number].nbytes)
                if source.path not in known:
                    known[source.path] = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
                    opened.callback(os.close, known[source.path])
                files[number] = known[source.path]
        return _taken(values, how, files, offsets, part)


def take_run(values: Values, how: Cells, part: BrickPart) -> bool:
    """The same for frames whose bytes are in `values` already."""
    files = np.full(len(values), THERE, np.int32)
    return _taken(values, how, files, np.zeros(len(values), np.int64), part)


def warm() -> None:
    """Compile everything here, or load it from the cache."""
    take_run(np.zeros((1, 2, 2), np.int16), Cells(0, 0xFFFF, 0, 0, False, 0, 0, 0), BrickPart(0, 1, (1, 1)))


def _taken(values: Values, how: Cells, files: NDArray[np.int32], offsets: NDArray[np.int64], part: BrickPart) -> bool:
    low, high = (np.empty((part.least.shape[1], values.shape[2]), np.int16) for _ in range(2))
    done, holes = 0, False
    while done < len(values):
        done, found = _take(values, done, how, part.first, files, offsets, low, high, part.least, part.greatest)
        holes |= found
        if done < len(values):  # plain Python can say what is wrong; or it was a passing interruption
            with _saying(done):
                _read_whole(int(files[done]), int(offsets[done]), values[done])
            files[done] = THERE
    return holes


@compiled
def _take(
    values: Values,
    begin: int,
    how: Cells,
    first: int,
    files: NDArray[np.int32],
    offsets: NDArray[np.int64],
    low: Values,
    high: Values,
    least: Values,
    greatest: Values,
) -> tuple[int, bool]:
    """From frame `begin` of the run on: how many were taken when it ended or a file did not give what it should."""
    holes = False
    for number in range(begin, values.shape[0]):
        wanted = 2 * values[number].size
        if files[number] >= 0 and _pread(files[number], values[number].ctypes, wanted, offsets[number]) != wanted:
            return number, holes
        holes |= take_slice(
            values[number], how, first + number, first, first + values.shape[0], low, high, least, greatest
        )
    return values.shape[0], holes


@contextmanager
def _saying(number: int) -> Iterator[None]:
    try:
        yield
    except CannotDecode as error:
        raise NotRead(number, error) from error
    except (DicomError, OSError) as error:
        raise NotRead(number, unreadable(error)) from error


def _offset(source: FrameSource, size: int) -> int:
    ((offset, length),) = source.places
    if length != size:
        raise CannotDecode("This image cannot be read: it has another size than the others.")
    return offset


def _read_whole(descriptor: int, offset: int, out: Values) -> None:
    if not read_into(descriptor, offset, out):
        raise CannotDecode("This image cannot be read: the stored file is shorter than its index says.")
