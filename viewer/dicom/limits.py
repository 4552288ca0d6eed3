"""How much one file may ask for. Every limit is checked before anything of that size is allocated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    max_object_bytes: int = 4 * 2**30
    max_pixels: int = 2**28
    """Rows x columns x samples of one frame."""
    max_frames: int = 100_000
    max_sequence_depth: int = 64
    max_inflated_bytes: int = 2**30
    """Of a deflated data set, pixels included."""
    max_elements: int = 1_000_000
    """Elements walked in one file, those inside sequences included: bounds the time a hostile header can take."""
    max_items: int = 500_000
    """Items remembered of sequences that matter: bounds the memory."""
    max_header_bytes: int = 64 * 2**20
    """Of an inflated data set that is kept to be walked; pixel data beyond it is counted, not kept."""
    max_lut_entries: int = 2**16
