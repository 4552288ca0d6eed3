"""An object as it comes by C-STORE, written to a file of the store with the header that makes it a DICOM file (PS3.10 7.1)."""

from __future__ import annotations

import struct

from viewer.archive.storage import Incoming, Received, StorageFull, TooLarge, blob_store
from viewer.dicom.implementation import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from viewer.dimse.storing_batches import batches

"""Never another: the same object sent again next year is to be the same bytes."""


class ArrivingFile:
    """Takes pieces of a data set in turn. What goes wrong is kept in `problem` and the rest is passed over, so that the peer
    gets its answer when all has come."""

    def __init__(self, *, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, limit: int) -> None:
        self.name = ""
        self.problem: Exception | None = None
        self._incoming: Incoming | None = None
        batches().comes(self)
        try:
            self._incoming = blob_store().begin(limit=limit)
        except (StorageFull, OSError) as problem:
            self.problem = problem
        self.write(file_header(sop_class_uid, sop_instance_uid, transfer_syntax_uid))

    def write(self, piece: bytes | memoryview) -> None:
        if self._incoming is None:
            return
        try:
            self._incoming.write(piece)
        except (StorageFull, TooLarge, OSError) as problem:
            self.problem = problem
            self.close()

    @property
    def file(self) -> ArrivingFile:
        """pynetdicom means the file below a temporary one, and flushes it."""
        return self

    def flush(self) -> None:
        """Every piece is written at once."""

    def received(self) -> Received:
        """All of it has come, without a problem; whoever asks now owns it."""
        assert self._incoming is not None  # noqa: S101 - there would be a problem
        incoming, self._incoming = self._incoming, None
        return incoming.received()

    def close(self) -> None:
        """Forget what has come, unless somebody took it."""
        batches().came(self)
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.discard()


def file_header(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Preamble, prefix and meta information (PS3.10 7.1), explicit VR little endian.

    Nothing in it tells who sent the object, or when: the same object from another sender is the same bytes. The record has
    the sender.
    """
    elements = (
        _element(0x0001, b"OB", b"\0\1"),
        _element(0x0002, b"UI", _uid(sop_class_uid)),
        _element(0x0003, b"UI", _uid(sop_instance_uid)),
        _element(0x0010, b"UI", _uid(transfer_syntax_uid)),
        _element(0x0012, b"UI", _uid(IMPLEMENTATION_CLASS_UID)),
        _element(0x0013, b"SH", _even(IMPLEMENTATION_VERSION_NAME.encode("ascii"), b" ")),
    )
    meta = b"".join(elements)
    return bytes(128) + b"DICM" + _element(0x0000, b"UL", struct.pack("<I", len(meta))) + meta


def _element(number: int, vr: bytes, value: bytes) -> bytes:
    length = struct.pack("<HI", 0, len(value)) if vr == b"OB" else struct.pack("<H", len(value))
    return struct.pack("<HH", 0x0002, number) + vr + length + value


def _uid(text: str) -> bytes:
    return _even(text.encode("ascii", "replace"), b"\0")


def _even(value: bytes, padding: bytes) -> bytes:
    return value + padding if len(value) % 2 else value
