"""Whether two files hold the same object: the same data set in the same syntax, whatever the meta information in front says
(PS3.10 7.1: it is made anew by whoever writes a file)."""

from __future__ import annotations

from pathlib import Path

from .errors import DicomError
from .header import opened
from .limits import Limits

_PIECE = 2**20


def same_data_set(one: Path, other: Path, limits: Limits) -> bool:
    """False also where one of them cannot be read."""
    try:
        beginnings = [_data_set(path, limits) for path in (one, other)]
        if beginnings[0][1:] != beginnings[1][1:]:
            return False
        with one.open("rb") as ours, other.open("rb") as theirs:
            ours.seek(beginnings[0][0])
            theirs.seek(beginnings[1][0])
            while piece := ours.read(_PIECE):
                if piece != theirs.read(_PIECE):
                    return False
            return True
    except (DicomError, OSError):
        return False


def _data_set(path: Path, limits: Limits) -> tuple[int, int, str]:
    """Where it begins, how long it is, and its transfer syntax."""
    with opened(path, limits) as header:
        return header.dataset_offset, header.file_size - header.dataset_offset, header.transfer_syntax_uid
