"""Metadata of series, made once and kept compressed under `cache/`: derived and discardable.

A file is named for all that it was made from (objects, corrections, the address of this server, the code), so it is never out
of date; what nobody asks for goes when there is no more room.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from viewer.archive.ingest import limits
from viewer.dicom import referring, representations, text
from viewer.dicom.errors import DicomError
from viewer.dicomweb import json_model
from viewer.dicomweb.json_model import AVAILABLE_TRANSFER_SYNTAX_UID, Model, attribute, changed, instance_model
from viewer.dicomweb.selecting import Leaving

logger = logging.getLogger(__name__)

LIMIT = 1 << 30
"""Bytes of all files together."""
KEPT_FROM = 8
"""Objects of a series; of fewer it is made anew each time."""
PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Told:
    """Objects whose metadata is asked for, all of one series, and where this server is."""

    leaving: Sequence[Leaving]
    root: str
    """Scheme and host."""

    @property
    def name(self) -> str:
        """Of what is told and how: also the entity tag."""
        digest = hashlib.sha256(f"{_code()}\n{self.root}\n".encode())
        for one in self.leaving:
            digest.update(f"{one.address}\n{one.instance.blob_id}\n{one.changes!r}\n".encode())
        return digest.hexdigest()

    def models(self) -> Iterator[Model]:
        """One for each object. Reads files."""
        for one in self.leaving:
            yield model_of(one, self.root)

    def lines(self) -> Iterator[bytes]:
        """The models as JSON, a line each, from the kept file where there is one."""
        if len(self.leaving) < KEPT_FROM:
            for model in self.models():
                yield _line(model)
            return
        with self.kept() as packed, gzip.open(packed) as file:
            for line in file:
                if len(line) > BRACKET:
                    yield line.rstrip(b",\n")

    def kept(self) -> BinaryIO:
        """The file of a whole JSON array, compressed, open; made where it is not there. Raises OSError."""
        path = _folder() / f"{self.name}.json.gz"
        try:
            os.utime(path)
            return path.open("rb")
        except FileNotFoundError:
            return _written(path, map(_line, self.models()))


BRACKET = len("[\n")


def model_of(one: Leaving, root: str) -> Model:
    """Everything the file of one object says; of a file that cannot be read what its row says."""
    try:
        model = instance_model(one.path, limits(), lambda path: f"{root}{one.address}/bulkdata/{path}", one.changes)
    except (DicomError, OSError, RecursionError) as problem:
        logger.error("the attributes of an object cannot be read (%s)", type(problem).__name__)
        model = changed(_of_row(one), one.changes)
    return {**model, AVAILABLE: attribute("UI", [one.instance.transfer_syntax_uid])}


AVAILABLE = f"{AVAILABLE_TRANSFER_SYNTAX_UID:08X}"


def _of_row(one: Leaving) -> Model:
    instance, series = one.instance, one.instance.series
    said: dict[str, Any] = {
        "00080016": instance.sop_class_uid,
        "00080018": instance.sop_instance_uid,
        "0020000D": series.study.study_instance_uid,
        "0020000E": series.series_instance_uid,
    }
    return {tag: attribute("UI", [uid]) for tag, uid in said.items()}


def _line(model: Model) -> bytes:
    return json.dumps(model, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


def array(lines: Iterator[bytes]) -> Iterator[bytes]:
    """A JSON array, its elements one to a line."""
    before = b"[\n"
    for line in lines:
        yield before + line
        before = b",\n"
    yield b"\n]" if before == b",\n" else b"[]"


def _written(path: Path, lines: Iterator[bytes]) -> BinaryIO:
    temporary = path.with_name(f"{secrets.token_hex(8)}.part")
    try:
        with gzip.GzipFile(temporary, "wb", compresslevel=4, mtime=0) as file:
            for piece in array(lines):
                file.write(piece)
        opened = temporary.open("rb")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _make_room()
    return opened


def _make_room() -> None:
    """The files that were asked for longest ago go, until there is room; no error here spoils an answer."""
    try:
        with os.scandir(_folder()) as entries:
            found = sorted((state.st_mtime, state.st_size, entry.path) for entry in entries if (state := entry.stat()))
        spare = LIMIT - sum(size for _, size, _ in found)
        if shutil.disk_usage(_folder()).free < 2 * settings.FARVIEW_MIN_FREE_BYTES:
            spare = -LIMIT
        for _, size, path in found[:-1]:
            if spare >= 0:
                break
            Path(path).unlink(missing_ok=True)
            spare += size
    except OSError as problem:
        logger.warning("kept metadata could not be looked through: %s", problem.strerror)


def _folder() -> Path:
    folder = Path(settings.FARVIEW_CACHE_DIR) / "metadata"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


@cache
def _code() -> str:
    """A name for the code that makes models: what other code made is made again."""
    files = [Path(module.__file__ or "") for module in (json_model, referring, representations, text)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in (*files, Path(__file__)))).hexdigest()


@cache
def makers() -> ThreadPoolExecutor:
    """Threads in which headers are read: few, so that frames are drawn meanwhile."""
    return ThreadPoolExecutor(2, thread_name_prefix="metadata")
