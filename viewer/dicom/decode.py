"""Encoded bytes of one frame to stored values. Imported by decode children: numpy and codecs, nothing that parses files.

`DECODERS`, at the foot, is the one place for a transfer syntax.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import CannotDecode
from .jpeg import decode_jpeg, decode_jpegls
from .jpeg2000 import decode_htj2k, decode_jpeg2000
from .layout import Decoded, FrameLayout
from .native import decode_deflated, decode_deflated_frame, decode_native
from .rle import decode_rle

if TYPE_CHECKING:
    from viewer.rendering.volume import Frame

    from .frames import FrameSource

__all__ = ["DECODERS", "Decoded", "Decoder", "decode", "is_native", "load_frame"]


@dataclass(frozen=True, slots=True)
class Decoder:
    name: str
    native: bool
    """Uncompressed: may be read where no memory or time limit stands guard."""
    decode: Callable[[bytes, FrameLayout], Decoded]


def decode(encoded: bytes, layout: FrameLayout) -> Decoded:
    """Stored values of one frame in `layout.shape`, sign and bits as the header says. Raises CannotDecode."""
    decoder = DECODERS.get(layout.transfer_syntax_uid)
    if decoder is None:
        raise CannotDecode(f"transfer syntax {layout.transfer_syntax_uid} is not known")
    try:
        decoded = decoder.decode(encoded, layout)
    except MemoryError:
        raise CannotDecode("the frame takes more memory than there is") from None
    if decoded.photometric_interpretation in ("YBR_RCT", "YBR_ICT"):
        # Names of transforms within JPEG 2000: where no codestream undid one, none was done.
        return Decoded(decoded.values, "RGB")
    return decoded


def is_native(transfer_syntax_uid: str) -> bool:
    decoder = DECODERS.get(transfer_syntax_uid)
    return decoder is not None and decoder.native


def load_frame(source: FrameSource) -> Frame:
    """Read, decode and describe one frame in this process: for tools and tests, the server decodes in children."""
    from viewer.rendering.volume import Frame

    from .pixels import read_encoded

    decoded = decode(read_encoded(source), source.layout)
    return Frame(decoded.values, decoded.photometric_interpretation, source.description())


DECODERS: dict[str, Decoder] = {
    "1.2.840.10008.1.2": Decoder("Implicit VR Little Endian", True, decode_native),
    "1.2.840.10008.1.2.1": Decoder("Explicit VR Little Endian", True, decode_native),
    "1.2.840.10008.1.2.2": Decoder("Explicit VR Big Endian", True, decode_native),
    "1.2.840.10008.1.2.1.99": Decoder("Deflated Explicit VR Little Endian", False, decode_deflated),
    "1.2.840.10008.1.2.8.1": Decoder("Deflated Image Frame Compression", False, decode_deflated_frame),
    "1.2.840.10008.1.2.5": Decoder("RLE Lossless", False, decode_rle),
    "1.2.840.10008.1.2.4.50": Decoder("JPEG Baseline (Process 1)", False, decode_jpeg),
    "1.2.840.10008.1.2.4.51": Decoder("JPEG Extended (Process 2 and 4)", False, decode_jpeg),
    "1.2.840.10008.1.2.4.53": Decoder("JPEG Spectral Selection (Process 6 and 8)", False, decode_jpeg),
    "1.2.840.10008.1.2.4.55": Decoder("JPEG Full Progression (Process 10 and 12)", False, decode_jpeg),
    "1.2.840.10008.1.2.4.57": Decoder("JPEG Lossless (Process 14)", False, decode_jpeg),
    "1.2.840.10008.1.2.4.70": Decoder("JPEG Lossless, First-Order Prediction", False, decode_jpeg),
    "1.2.840.10008.1.2.4.80": Decoder("JPEG-LS Lossless", False, decode_jpegls),
    "1.2.840.10008.1.2.4.81": Decoder("JPEG-LS Near-Lossless", False, decode_jpegls),
    "1.2.840.10008.1.2.4.90": Decoder("JPEG 2000 (Lossless Only)", False, decode_jpeg2000),
    "1.2.840.10008.1.2.4.91": Decoder("JPEG 2000", False, decode_jpeg2000),
    "1.2.840.10008.1.2.4.201": Decoder("High-Throughput JPEG 2000 (Lossless Only)", False, decode_htj2k),
    "1.2.840.10008.1.2.4.202": Decoder("High-Throughput JPEG 2000, RPCL (Lossless Only)", False, decode_htj2k),
    "1.2.840.10008.1.2.4.203": Decoder("High-Throughput JPEG 2000", False, decode_htj2k),
}
