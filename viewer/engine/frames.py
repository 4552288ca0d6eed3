"""Single frames: cached, from disk as they were decoded before, from an uncompressed file, or from a decode child."""

from __future__ import annotations

from functools import partial
from typing import Any

from numpy.typing import NDArray

from viewer.dicom.decode import decode, is_native
from viewer.dicom.errors import DicomError
from viewer.dicom.frames import FrameSource
from viewer.dicom.layout import Decoded
from viewer.dicom.pixels import read_encoded
from viewer.rendering.volume import Frame

from .cache import Cache
from .children import DecodeChild, DecodeChildren
from .errors import CannotDecode
from .series import FrameKey, key_of
from .store import DecodedStore
from .workers import Job, Priority, WorkerPool

FRAME_OVERHEAD = 4096
"""Bytes a cached frame takes beside its values."""


class Frames:
    """Decoded frames. Lives on the event loop; `pools` are given when the engine starts."""

    def __init__(self, limit: int, store: DecodedStore | None) -> None:
        self.cache: Cache[FrameKey, Frame] = Cache(limit, _size_of)
        self.store = store
        self.decoded = 0
        """Frames that decode children decoded."""

    def start(self, readers: WorkerPool[None], children: DecodeChildren) -> None:
        self._readers, self._children = readers, children

    async def load(self, source: FrameSource, priority: Priority) -> Frame:
        """The frame; callers for the same one share its loading. Raises CannotDecode."""
        key, start = key_of(source), partial(self._start, source)
        try:
            return await self.cache.load(key, start, priority)
        except _NotKept:
            return await self.cache.load(key, start, priority)

    def room(self, source: FrameSource) -> int:
        """How many frames like this one a single reader may have loaded ahead: a quarter of the cache."""
        layout = source.layout
        size = layout.rows * layout.columns * layout.samples_per_pixel * layout.dtype.itemsize
        return self.cache.limit // 4 // (size + FRAME_OVERHEAD)

    def _start(self, source: FrameSource, priority: Priority) -> Job[Any, Frame]:
        if self.store is not None and key_of(source) in self.store:
            return self._readers.submit(lambda _: self._restore(source), priority)
        if is_compressed(source):
            return self._children.submit(partial(self.decode, source), priority)
        return self._readers.submit(lambda _: read_frame(source), priority)

    def _restore(self, source: FrameSource) -> Frame:
        """A frame that was decoded before; in a read thread, so that it does not wait for those that are being decoded."""
        try:
            frame = self.kept(source)
        except DicomError as error:
            raise unreadable(error) from error
        if frame is None:
            raise _NotKept
        return frame

    def kept(self, source: FrameSource) -> Frame | None:
        """A compressed frame as it was decoded before; None where it has to be decoded again. In any thread."""
        if self.store is None:
            return None
        found = self.store.read(key_of(source), source.layout)
        return None if found is None else _frame(source, found)

    def kept_into(self, source: FrameSource, out: NDArray[Any]) -> bool:
        """The values of such a frame, 16 bits each, straight into `out`; False where it has to be decoded. In any thread."""
        return self.store is not None and self.store.read_into(key_of(source), out)

    def decode(self, source: FrameSource, child: DecodeChild) -> Frame:
        """A compressed frame; in the thread of a decode child."""
        try:
            found = self.kept(source)
            if found is not None:
                return found
            encoded = read_encoded(source)
        except (DicomError, OSError) as error:
            raise unreadable(error) from error
        layout = source.layout
        answer = child.decode(encoded, layout)
        if answer.values.shape != layout.shape:  # kernels trust it
            raise CannotDecode("This image cannot be decoded: the decoder answered with another shape.")
        self.decoded += 1
        decoded = Decoded(answer.values, answer.photometric_interpretation)
        if self.store is not None:
            self.store.keep(key_of(source), decoded)
        return _frame(source, decoded)


class _NotKept(Exception):
    """A decoded frame was not on disk any more, or was not what it should be; by now the store knows."""


def is_compressed(source: FrameSource) -> bool:
    """It is decoded by a decode child, under its limits."""
    return not is_native(str(source.instance.index["pixels"]["transfer_syntax_uid"]))


def read_frame(source: FrameSource) -> Frame:
    """A frame that is not compressed; in a read thread."""
    try:
        return _frame(source, decode(read_encoded(source), source.layout))
    except (DicomError, OSError) as error:
        raise unreadable(error) from error


def unreadable(error: DicomError | OSError) -> CannotDecode:
    """In words for the reader: what is wrong with the file, not where the server keeps it."""
    reason = (error.strerror or "its file cannot be used").lower() if isinstance(error, OSError) else str(error)
    return CannotDecode(f"This image cannot be read: {reason}.")


def _frame(source: FrameSource, decoded: Decoded) -> Frame:
    return Frame(decoded.values, decoded.photometric_interpretation, source.description())


def _size_of(frame: Frame) -> int:
    return frame.values.nbytes + FRAME_OVERHEAD
