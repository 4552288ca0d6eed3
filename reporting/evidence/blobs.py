"""Bytes that reporting keeps for ever, in the store of the archive: durable before a row names them."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.archive.storage import blob_store
from viewer.models import Blob

LONGEST = 256 * 2**20


@dataclass(frozen=True, slots=True)
class Kept:
    """Durable bytes without a row yet. A sweep leaves bytes alone that are younger than some hours."""

    sha256: str
    size: int

    def row(self) -> Blob:
        """The row, made inside the caller's transaction."""
        return Blob.objects.get_or_create(sha256=self.sha256, defaults={"size": self.size})[0]


def keep(data: bytes) -> Kept:
    """Make `data` durable. Not inside a transaction: it waits for the disk. Raises StorageFull."""
    store = blob_store()
    received = store.receive([data], limit=LONGEST, expected=len(data))
    try:
        store.keep(received)
    finally:
        store.discard(received)
    return Kept(received.sha256, received.size)


def bytes_of(blob: Blob) -> bytes:
    """Raises OSError."""
    return blob_store().path(blob.sha256).read_bytes()
