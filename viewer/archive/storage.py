"""Bytes on disk, by content: `blob/<2 hex>/<sha256>`, written so that what was acknowledged survives a loss of power.

The order is always: write a temporary file on the same file system, fsync it, rename it to its name, fsync the folder. Only
then may a row speak of it. Nothing in a path comes from a file or a sender.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

CHUNK = 1 << 20
ROOM_IS_MEASURED_EVERY = 64 << 20
TEMPORARY_IS_YOUNG_S = 5.0
ROW_IS_ON_ITS_WAY_S = 300.0
ORPHAN_IS_YOUNG_S = 6 * 3600.0
READING = ".reading"
FULL = {errno.ENOSPC, errno.EDQUOT}
SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class StorageFull(Exception):
    """There is no room for more; nothing of the object was kept. Sending it again later works once there is room."""


class InUse(Exception):
    """Bytes cannot be taken away now: somebody reads them all."""


class TooLarge(Exception):
    """The object is larger than the limit it came under."""


@dataclass(slots=True)
class Received:
    """Bytes in a temporary file of this store, not yet durable. `handle` stays open and locked: the sweep leaves it alone."""

    path: Path
    handle: int
    sha256: str
    size: int


class Incoming:
    """An object on its way into a store: a temporary file, written and hashed piece by piece."""

    __slots__ = ("_digest", "_limit", "_measured", "_store", "_unnamed", "size")

    def __init__(self, store: BlobStore, path: Path, handle: int, limit: int) -> None:
        self._store = store
        self._unnamed = Received(path, handle, "", 0)
        self._digest = hashlib.sha256()
        self._limit = limit
        self._measured = 0
        self.size = 0

    def write(self, chunk: bytes | memoryview) -> None:
        """Raises TooLarge and StorageFull; the object is to be discarded then."""
        self.size += len(chunk)
        if self.size > self._limit:
            raise TooLarge(f"more than the limit of {self._limit:,} bytes")
        with _full_is_said():
            if self.size - self._measured >= ROOM_IS_MEASURED_EVERY:
                self._store.check_room()
                self._measured = self.size
            self._digest.update(chunk)
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._unnamed.handle, view) :]

    def received(self) -> Received:
        """All of it has come."""
        self._unnamed.sha256, self._unnamed.size = self._digest.hexdigest(), self.size
        return self._unnamed

    def discard(self) -> None:
        self._store.discard(self._unnamed)


class BlobStore:
    """Content-addressed files under `root`. Cheap to make; threads and processes may use one folder side by side."""

    def __init__(self, root: Path, *, min_free_bytes: int = 0, min_free_fraction: float = 0.0) -> None:
        self.root = root
        self.incoming = root / ".incoming"
        self._min_free_bytes = min_free_bytes
        self._min_free_fraction = min_free_fraction

    # --- coming in

    def check_room(self, wanted: int = 0) -> None:
        """Raise StorageFull when `wanted` more bytes would leave less than the reserve."""
        state = os.statvfs(self.root)
        reserve = max(self._min_free_bytes, int(self._min_free_fraction * state.f_blocks * state.f_frsize))
        if state.f_bavail * state.f_frsize - wanted < reserve:
            raise StorageFull(f"the archive's disk is nearly full: {reserve >> 20} MiB are kept free")

    def receive(self, source: BinaryIO | Iterable[bytes], *, limit: int, expected: int = 0) -> Received:
        """Stream `source` into a temporary file, hashing on the way.

        Raises TooLarge past `limit` bytes and StorageFull where there is no room; nothing is left behind then.
        """
        incoming = self.begin(limit=limit, expected=expected)
        try:
            for chunk in _chunks(source):
                incoming.write(chunk)
        except BaseException:
            incoming.discard()
            raise
        return incoming.received()

    def begin(self, *, limit: int, expected: int = 0) -> Incoming:
        """A temporary file for an object whose bytes are brought piece by piece. Raises as `receive` does."""
        if expected > limit:
            raise TooLarge(f"{expected:,} bytes are more than the limit of {limit:,}")
        with _full_is_said():
            self.incoming.mkdir(mode=0o700, exist_ok=True)
            self.check_room(expected)
            path = self.incoming / secrets.token_hex(16)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            incoming = Incoming(self, path, handle, limit)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
            except BaseException:
                incoming.discard()
                raise
        return incoming

    def discard(self, received: Received) -> None:
        """Forget bytes that are not wanted. Harmless after `keep`."""
        received.path.unlink(missing_ok=True)
        if received.handle >= 0:
            os.close(received.handle)
            received.handle = -1

    # --- becoming durable

    def keep(self, received: Received) -> Path:
        """Make one object durable under its name; returns when it would survive a loss of power."""
        place = self.place(received)
        self.settle([place.parent])
        return place

    def place(self, received: Received) -> Path:
        """fsync the bytes, then rename them to their name. The folder is still to be settled.

        Bytes that are already there are replaced by these equal and freshly hashed ones, which mends a damaged copy.
        """
        target = self.path(received.sha256)
        with _full_is_said():
            os.fchmod(received.handle, 0o440)
            os.fsync(received.handle)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            os.replace(received.path, target)
        os.close(received.handle)
        received.handle = -1
        return target

    def settle(self, folders: Iterable[Path]) -> None:
        """fsync folders, so that the names in them survive a loss of power; and the root, where another process may just
        have made one of them."""
        with _full_is_said():
            for folder in sorted({self.root, *folders}):
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """From before bytes are placed until their rows are committed: meanwhile no sweep takes them for orphans."""
        with self._lock(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """From reading rows to reading the last of the bytes that they name: meanwhile none are taken away."""
        with self._lock(fcntl.LOCK_SH, READING):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """For whoever takes bytes away that no row needs any more, for moments: nobody is between placing bytes and recording
        them. Raises InUse while somebody relies on all of them (`unchanged`)."""
        with self._lock(fcntl.LOCK_EX | fcntl.LOCK_NB, READING), self._lock(fcntl.LOCK_EX):
            yield

    # --- at rest

    def path(self, sha256: str) -> Path:
        """Where these bytes are, or would be. Raises ValueError for anything but 64 lower-case hex digits."""
        if not SHA256.match(sha256):
            raise ValueError("not a SHA-256 in hexadecimal")
        return self.root / sha256[:2] / sha256

    def damage(self, sha256: str, size: int) -> str | None:
        """Re-read and re-hash stored bytes: None when they are sound, else what is wrong."""
        try:
            with open(self.path(sha256), "rb") as file:
                found = os.fstat(file.fileno()).st_size
                if found != size:
                    return f"has {found:,} bytes instead of {size:,}"
                if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    return "its bytes have changed"
        except FileNotFoundError:
            return "is missing"
        except OSError as problem:
            return f"cannot be read ({problem.strerror})"
        return None

    # --- keeping house

    def sweep_temporaries(self) -> int:
        """Remove what processes that died left half written; returns how many."""
        return sum(_remove_if_abandoned(path) for path in _files(self.incoming))

    def sweep_orphans(
        self, known: Callable[[list[str]], set[str]], older_than_s: float = ORPHAN_IS_YOUNG_S
    ) -> list[str]:
        """Remove bytes that became durable but never got a row; returns their digests.

        `known` answers which of some digests have rows. Where more than a few in a hundred have none, the rows are what is
        missing (another database, a restore under way), and nothing is removed: RuntimeError says so.
        """
        old = time.time() - older_than_s
        stored = [p for folder in self._shards() for p in _files(folder) if SHA256.match(p.name)]
        suspects = [p for p in stored if _modified(p) < old]
        orphans = [p for batch in _batches(suspects, 500) for p in _without_row(batch, known)]
        if len(orphans) > max(20, len(stored) // 20):
            raise RuntimeError(f"{len(orphans)} of {len(stored)} stored files have no row; none was removed")
        return [p.name for p in orphans if self._remove_orphan(p, known, old)]

    def digests(self) -> Iterator[list[str]]:
        """Of all that is stored, as the files lie there; some at a time."""
        for folder in self._shards():
            yield [path.name for path in _files(folder) if SHA256.match(path.name)]

    def is_settled(self, sha256: str) -> bool:
        """Whether a file is there and not so young that its row may still be on its way."""
        return _modified(self.path(sha256)) < time.time() - ROW_IS_ON_ITS_WAY_S

    def _remove_orphan(self, path: Path, known: Callable[[list[str]], set[str]], old: float) -> bool:
        with self._lock(fcntl.LOCK_EX):
            if known([path.name]) or _modified(path) >= old:
                return False
            path.unlink(missing_ok=True)
            return True

    def _shards(self) -> list[Path]:
        return [self.root / f"{n:02x}" for n in range(256) if (self.root / f"{n:02x}").is_dir()]

    @contextlib.contextmanager
    def _lock(self, kind: int, name: str = ".lock") -> Iterator[None]:
        handle = os.open(self.root / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(handle, kind)
            except BlockingIOError:
                raise InUse("the stored files are being read") from None
            yield
        finally:
            os.close(handle)


def blob_store() -> BlobStore:
    """The store that the settings name."""
    return BlobStore(
        Path(settings.FARVIEW_BLOB_DIR),
        min_free_bytes=settings.FARVIEW_MIN_FREE_BYTES,
        min_free_fraction=settings.FARVIEW_MIN_FREE_FRACTION,
    )


@contextlib.contextmanager
def _full_is_said() -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno in FULL:
            raise StorageFull("the archive's disk is full") from problem
        raise


def _chunks(source: BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    read = getattr(source, "read", None)
    return iter(lambda: read(CHUNK), b"") if read is not None else iter(source)


def _files(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from (Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False))
    except FileNotFoundError:
        return


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()


def _remove_if_abandoned(path: Path) -> bool:
    """Whoever still writes a temporary file holds its lock; a process that died holds none."""
    if _modified(path) > time.time() - TEMPORARY_IS_YOUNG_S:
        return False
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _batches(paths: list[Path], size: int) -> Iterator[list[Path]]:
    return (paths[start : start + size] for start in range(0, len(paths), size))


def _without_row(paths: list[Path], known: Callable[[list[str]], set[str]]) -> list[Path]:
    with_row = known([p.name for p in paths])
    return [p for p in paths if p.name not in with_row]
