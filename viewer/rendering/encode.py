"""Pictures to bytes. A picture that is grey stays grey: one channel, never three equal ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Encoder:
    """A row of `ENCODERS`."""

    encode: Callable[[Pixels, int], bytes]
    """(pixels, quality 1..100) -> bytes; a lossless encoder takes no notice of the quality."""
    lossless: bool


def encode(pixels: Pixels, media_type: str, quality: int = 90) -> bytes:
    """(rows, columns) or (rows, columns, 3) 8-bit pixels as a file. Raises `ValueError` for a media type unknown here."""
    if media_type not in ENCODERS:
        raise ValueError(f"media type {media_type}: one of {', '.join(ENCODERS)} is needed")
    return ENCODERS[media_type].encode(pixels, min(max(quality, 1), 100))


def _png(pixels: Pixels, quality: int) -> bytes:
    return bytes(
        imagecodecs.png_encode(
            pixels, level=1, strategy=imagecodecs.PNG.STRATEGY.RLE, filter=imagecodecs.PNG.FILTER.SUB
        )
    )


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, level=quality))


def _webp(pixels: Pixels, quality: int) -> bytes:
    colour = pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)
    return bytes(imagecodecs.webp_encode(colour, level=quality, lossless=False, method=0))


ENCODERS: dict[str, Encoder] = {
    "image/png": Encoder(_png, lossless=True),
    "image/jpeg": Encoder(_jpeg, lossless=False),
    "image/webp": Encoder(_webp, lossless=False),
}
"""By media type."""
