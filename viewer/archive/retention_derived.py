"""Decoded frames of stored objects as they lie under `cache/decoded/`: how much there is of some objects, and away with it.

The server that made them finds a missing one missing and makes it again (`viewer.engine.store`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from django.conf import settings


class Derived:
    """Frames by the SHA-256 of the object that they were decoded from; the folder of a digest is looked through once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: dict[str, dict[str, list[tuple[str, int]]]] = {}

    def of(self, digests: Collection[str]) -> tuple[int, int]:
        """How many of these objects have frames there, and the bytes of these."""
        held = [found for digest in digests if (found := self._frames(digest))]
        return len(held), sum(size for found in held for _, size in found)

    def remove(self, digests: Collection[str]) -> int:
        """Away with the frames of these objects; how many bytes that were."""
        gone = 0
        for digest in digests:
            for name, size in self._frames(digest):
                with contextlib.suppress(FileNotFoundError):
                    (self._folder / digest[:2] / name).unlink()
                    gone += size
            self._parts.get(digest[:2], {}).pop(digest, None)
        return gone

    def _frames(self, digest: str) -> list[tuple[str, int]]:
        if digest[:2] not in self._parts:
            part: dict[str, list[tuple[str, int]]] = {}
            for name, size in _files(self._folder / digest[:2]):
                part.setdefault(name.partition("-")[0], []).append((name, size))
            self._parts[digest[:2]] = part
        return self._parts[digest[:2]].get(digest, [])


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    yield entry.name, entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return


def derived() -> Derived:
    """As the folder is now."""
    return Derived(Path(settings.FARVIEW_CACHE_DIR) / "decoded")


def forget_metadata() -> None:
    """Kept metadata say what objects say of themselves, and their names do not tell of which: all of it is made again."""
    for path in (Path(settings.FARVIEW_CACHE_DIR) / "metadata").glob("*.json.gz"):
        path.unlink(missing_ok=True)
