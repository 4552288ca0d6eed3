"""How the pixels of one frame lie in its bytes (PS3.5 section 8, PS3.3 C.7.6.3). Light: decode children import it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FrameLayout:
    transfer_syntax_uid: str
    rows: int
    columns: int
    samples_per_pixel: int
    photometric_interpretation: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int
    planar_configuration: int = 0
    floating: bool = False
    """Float or Double Float Pixel Data."""
    little: bool = True
    swapped_bytes: bool = False
    """8-bit samples in words (OW) of a big endian file: each pair of bytes stands the other way round."""
    first_bit: int = 0
    """Bits of the encoded bytes that belong to the frame before: 1-bit frames need not begin at a byte."""
    inflated: tuple[int, int] | None = None
    """(offset, length) of the frame within a deflated data set, which is the encoded bytes then."""

    @property
    def subsampled(self) -> bool:
        """Native YBR_FULL_422: two pixels share their colour differences (PS3.3 C.7.6.3.1.2)."""
        return self.photometric_interpretation in ("YBR_FULL_422", "YBR_PARTIAL_422") and self.samples_per_pixel == 3

    @property
    def native_bits(self) -> int:
        """Bits of one frame when it is not compressed."""
        samples = 2 if self.subsampled else self.samples_per_pixel
        return self.rows * self.columns * samples * self.bits_allocated

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the decoded values."""
        return (self.rows, self.columns) if self.samples_per_pixel == 1 else (self.rows, self.columns, 3)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of the decoded values, in this machine's byte order."""
        if self.floating:
            return np.dtype(np.float32 if self.bits_allocated == 32 else np.float64)
        size = 8 if self.bits_allocated <= 8 else self.bits_allocated
        return np.dtype(f"{'int' if self.pixel_representation else 'uint'}{size}")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Stored values of one frame: (rows, columns), or (rows, columns, 3) in RGB or YBR_FULL."""

    values: NDArray[np.generic]
    photometric_interpretation: str
