"""Colour: stored samples to 8-bit RGB (PS3.3 C.7.6.3.1.2 and .5), and colour maps for grey pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compiled import compiled
from .volume import Frame, LookupTable, Palette

Rgb = NDArray[np.uint8]


def is_colour(frame: Frame) -> bool:
    return frame.values.ndim == 3 or frame.description.palette is not None


def to_rgb(frame: Frame) -> Rgb:
    """(rows, columns, 3) 8-bit RGB of a colour frame, C-contiguous; the frame's own array where that is what it holds.

    Raises `ValueError` for a photometric interpretation that decoding should have turned into RGB or YBR_FULL.
    """
    palette = frame.description.palette
    if palette is not None and frame.values.ndim == 2:
        return _through_palette(frame.values, palette)
    samples = _to_8_bits(frame.values, frame.description.bits_stored)
    if frame.photometric_interpretation == "RGB":
        return samples
    if frame.photometric_interpretation not in ("YBR_FULL", "YBR_FULL_422"):
        raise ValueError(f"{frame.photometric_interpretation} is no colour that is drawn here")
    flat = samples.reshape(-1)
    flat.flags.writeable = False  # one type for the compiler, as in `drawing`
    picture = np.empty(samples.shape, np.uint8)
    ybr_to_rgb(flat, picture.reshape(-1))
    return picture


def _to_8_bits(samples: NDArray[np.generic], bits: int) -> Rgb:
    if samples.dtype != np.uint8:
        scaled = samples.astype(np.float64) * 255.0 / float(2**bits - 1)
        samples = np.floor(np.clip(scaled, 0.0, 255.0) + 0.5).astype(np.uint8)
    return np.ascontiguousarray(samples, dtype=np.uint8)


@compiled
def ybr_to_rgb(samples: NDArray[np.uint8], picture: NDArray[np.uint8]) -> None:
    """YBR_FULL to RGB over flat arrays of triples: the inverse of the equations of C.7.6.3.1.2, floor(x + 0.5), 0..255.

    The factors are those of the exact inverse (0.344136... = 0.114 x 1.772 / 0.587), not rounded to four digits.
    """
    for i in range(samples.size // 3):
        luminance = np.float64(samples[3 * i])
        blue = np.float64(samples[3 * i + 1]) - 128.0
        red = np.float64(samples[3 * i + 2]) - 128.0
        r = luminance + 1.402 * red + 0.5
        g = luminance - (0.114 * 1.772 / 0.587) * blue - (0.299 * 1.402 / 0.587) * red + 0.5
        b = luminance + 1.772 * blue + 0.5
        picture[3 * i] = np.uint8(np.int32(min(max(r, 0.0), 255.0)))
        picture[3 * i + 1] = np.uint8(np.int32(min(max(g, 0.0), 255.0)))
        picture[3 * i + 2] = np.uint8(np.int32(min(max(b, 0.0), 255.0)))


def _through_palette(values: NDArray[np.generic], palette: Palette) -> Rgb:
    """Indices below the first entry take the first, those past the end the last (C.7.6.3.1.5)."""
    tables = (palette.red, palette.green, palette.blue)
    first = palette.red.first_value_mapped
    size = max(table.data.size for table in tables)
    colours = np.stack([_entries_8_bits(table, size) for table in tables], axis=1)
    picture = np.empty((*values.shape, 3), np.uint8)
    indices = np.clip(values.astype(np.int64) - first, 0, size - 1).astype(np.uint16)
    map_colours(indices.reshape(-1), colours, picture.reshape(-1))
    return picture


def _entries_8_bits(table: LookupTable, size: int) -> NDArray[np.uint8]:
    entries = table.data[np.minimum(np.arange(size), table.data.size - 1)]
    return np.asarray(np.floor(entries * 255.0 / float(2**table.bits - 1) + 0.5).astype(np.uint8))


@compiled
def map_colours(indices: NDArray[np.generic], colours: Rgb, picture: NDArray[np.uint8]) -> None:
    """`picture` (flat triples) = `colours[index]` for every index of a flat array."""
    for i in range(indices.size):
        index = indices[i]
        picture[3 * i] = colours[index, 0]
        picture[3 * i + 1] = colours[index, 1]
        picture[3 * i + 2] = colours[index, 2]


def coloured(grey: NDArray[np.uint8], name: str) -> Rgb:
    """A grey picture through a colour map. Background stays black, because every map begins with black."""
    picture = np.empty((*grey.shape, 3), np.uint8)
    map_colours(grey.reshape(-1), COLOR_MAPS[name], picture.reshape(-1))
    return picture


def _lines(*channels: dict[int, int]) -> Rgb:
    """256 colours; each channel is straight lines through {grey level: value}, rounded down."""
    values = [np.interp(np.arange(256), list(points), list(points.values())) for points in channels]
    # A little is added so that a whole number that came out a hair short is not floored to the one below.
    return np.ascontiguousarray(np.floor(np.stack(values, axis=1) + 1e-9).astype(np.uint8))


GREY = "grey"
"""The colour map that leaves a picture grey, with one channel."""

COLOR_MAPS: dict[str, Rgb] = {
    GREY: _lines({0: 0, 255: 255}, {0: 0, 255: 255}, {0: 0, 255: 255}),
    "hot_iron": _lines({0: 0, 127: 254, 128: 255}, {128: 0, 254: 252, 255: 255}, {191: 0, 254: 252, 255: 255}),
    "pet": _lines(
        {63: 0, 192: 255},
        {0: 0, 63: 128, 128: 0, 255: 255},
        {0: 0, 1: 1, 128: 255, 129: 252, 192: 0, 255: 255},
    ),
    "rainbow": _lines(
        {144: 0, 200: 255},
        {32: 0, 88: 255, 200: 255, 255: 0},
        {0: 0, 32: 255, 88: 255, 144: 0},
    ),
}
"""Name -> 256 colours, the first of them black. Hot iron and PET are the palettes of PS3.6 Annex B."""
