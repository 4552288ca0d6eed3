"""Compressed pixels given uncompressed: decoded by the engine's children, a frame at a time as the client takes them."""

from __future__ import annotations

from collections.abc import Iterable

from viewer.api.frames import opened_series
from viewer.dicom.decode import DECODERS
from viewer.dicom.header import DEFLATED, EXPLICIT_LITTLE_ENDIAN
from viewer.dicom.rewriting import PIXELS_HERE, NativePixels, rewritten
from viewer.dicomweb.multipart_out import Bytes, later
from viewer.dicomweb.selecting import Leaving
from viewer.engine.engine import Engine, OpenSeries
from viewer.engine.errors import CannotDecode, CannotDraw
from viewer.engine.native import described, frame_bytes
from viewer.models import Instance
from viewer.rendering.view import BadView, View
from viewer.rendering.volume import Frame


def decodable(instance: Instance) -> bool:
    """Whether the pixels are compressed in a way that is understood here."""
    decoder = DECODERS.get(instance.transfer_syntax_uid)
    return bool(instance.number_of_frames and decoder is not None and not decoder.native)


class Decoding:
    """The frames of one object, decoded one by one."""

    def __init__(self, leaving: Leaving, engine: Engine, opened: OpenSeries) -> None:
        self._leaving, self._engine, self._opened = leaving, engine, opened

    @classmethod
    async def of(cls, leaving: Leaving) -> Decoding:
        return cls(leaving, *await opened_series(leaving.instance.series))

    async def frame(self, number: int) -> Frame:
        """Raises CannotDraw."""
        view = View(sop_instance_uid=self._leaving.instance.sop_instance_uid, frame_number=number)
        try:
            found = await self._engine.source(self._opened, view)
        except BadView:
            raise CannotDraw("cannot_decode", "The pixels of this object cannot be decoded.") from None
        if not isinstance(found, Frame):
            raise CannotDecode("The pixels of this object cannot be decoded.")
        return found

    async def pieces(self, numbers: Iterable[int]) -> Bytes:
        """The values of these frames (1-based), little endian."""
        for number in numbers:
            for piece in frame_bytes(await self.frame(number)):
                yield piece

    async def native(self) -> NativePixels:
        """What the pixel data of the whole object becomes. Raises CannotDraw."""
        return described(await self.frame(1), self._leaving.instance.number_of_frames)


async def object_bytes(leaving: Leaving, transfer_syntax_uid: str) -> Bytes:
    """The file of an object in a transfer syntax that it can be had in. Raises DicomError, OSError, CannotDraw."""
    decoding = pixels = None
    compressed = decodable(leaving.instance) and leaving.instance.transfer_syntax_uid not in DEFLATED
    if compressed and transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN:
        decoding = await Decoding.of(leaving)
        pixels = await decoding.native()
    whole = rewritten(leaving.path, transfer_syntax_uid=transfer_syntax_uid, changes=leaving.changes, pixels=pixels)
    async for piece in later(whole):
        if piece is PIXELS_HERE and decoding is not None:
            async for values in decoding.pieces(range(1, leaving.instance.number_of_frames + 1)):
                yield values
        else:
            yield piece
