"""A watermark over pictures for people outside: whom they were shown to, drawn over and over in faint letters.

Light letters with a dark edge, both half transparent, so that they can be read on air and on bone alike, and what lies under
them still shows. The same values of a picture become the same values everywhere in a letter, whatever their channel: grey
stays grey. Pure: the same picture and the same stamp give the same bytes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.uint8]
Places = NDArray[np.intp]

STRENGTH = 0.22
"""Of a letter, towards white; of its edge, towards black."""
ANGLE = 20
SMALLEST, LARGEST, PART = 9, 48, 32
"""Height of letters in pixels: a 32nd of the shorter side, within limits."""
CHARACTERS = 32
"""Of one line."""
BACKGROUND, EDGE, LETTER = 0, 1, 2
INK = 128

_drawing = Lock()
"""Fonts are no thing for several threads at once."""
_brighter = np.round(np.arange(256) + (255 - np.arange(256)) * STRENGTH).astype(np.uint8)
_darker = np.round(np.arange(256) * (1 - STRENGTH)).astype(np.uint8)
FONTS: list[Path] = []
"""Font files in the order in which a character is looked for; without any, Latin letters alone are drawn."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is drawn into every picture of somebody's."""

    lines: tuple[str, ...]


def use_fonts(paths: Sequence[Path]) -> None:
    """Draw with these from now on."""
    FONTS[:] = paths
    _font.cache_clear()
    _places.cache_clear()


def stamped(pixels: Pixels, stamp: Stamp) -> Pixels:
    """A copy of (rows, columns) or (rows, columns, 3) 8-bit pixels with the stamp drawn into it."""
    rows, columns = pixels.shape[:2]
    copy = np.array(pixels, order="C")
    flat = copy.reshape(rows * columns, -1) if copy.ndim == 3 else copy.reshape(-1)
    for places, tone in zip(_places(stamp, rows, columns), (_darker, _brighter), strict=True):
        flat[places] = tone[flat[places]]
    return copy


@lru_cache(maxsize=8)
def _places(stamp: Stamp, rows: int, columns: int) -> tuple[Places, Places]:
    """Which pixels of a picture of this size are edges, and which letters."""
    with _drawing:
        tile = _tile(stamp, min(LARGEST, max(SMALLEST, round(min(rows, columns) / PART))))
    high, wide = tile.shape
    down, across = -(-rows // high), -(-columns // wide) + 1
    row = np.tile(tile, (1, across))
    # every other row begins half a tile later, so that no strip of the picture is free of letters
    sheet = np.vstack([row[:, (wide // 2) * (i % 2) :][:, :columns] for i in range(down)])[:rows]
    return np.flatnonzero(sheet == EDGE), np.flatnonzero(sheet == LETTER)


def _tile(stamp: Stamp, size: int) -> Pixels:
    """One copy of the text, turned, with room about it: BACKGROUND, EDGE or LETTER of each pixel."""
    lines = [_drawn(line, size) for line in stamp.lines]
    width = max(line.width for line in lines)
    text = Image.new("L", (width + 2, sum(line.height for line in lines) + 2))
    top = 1
    for line in lines:
        text.paste(line, (1 + (width - line.width) // 2, top))
        top += line.height
    turned = text.rotate(ANGLE, resample=Image.Resampling.BILINEAR, expand=True)
    ink = np.pad(np.asarray(turned) >= INK, (size // 2, size))
    about = np.zeros_like(ink)
    about[1:, 1:] |= ink[:-1, :-1]
    about[:-1, :-1] |= ink[1:, 1:]
    return np.where(ink, LETTER, np.where(about, EDGE, BACKGROUND)).astype(np.uint8)


def _drawn(line: str, size: int) -> Image.Image:
    """One line of text, each run of characters in the first font that has them."""
    shown = line if len(line) <= CHARACTERS else line[: CHARACTERS - 1] + "\u2026"
    runs = _runs("".join(one if one.isprintable() else " " for one in shown) or " ", size)
    height = round(size * 1.4)
    drawn = Image.new("L", (max(1, sum(round(font.getlength(text)) for text, font in runs) + 2), height))
    pen, left = ImageDraw.Draw(drawn), 1
    for text, font in runs:
        pen.text((left, height * 0.78), text, fill=255, font=font, anchor="ls")
        left += round(font.getlength(text))
    return drawn


Font = Any
"""An `ImageFont.FreeTypeFont`."""


def _runs(line: str, size: int) -> list[tuple[str, Font]]:
    runs: list[tuple[str, Font]] = []
    for one in line:
        last = runs[-1][1] if runs else None
        joins = last is not None and (unicodedata.combining(one) or one == " " or _has(last, one))
        font = last if joins and last is not None else _font_of(one, size)
        if font is last and runs:
            runs[-1] = (runs[-1][0] + one, font)
        else:
            runs.append((one, font))
    return runs


def _font_of(one: str, size: int) -> Font:
    fonts = [_font(str(path), size) for path in FONTS] or [_font("", size)]
    return next((font for font in fonts if _has(font, one)), fonts[0])


@lru_cache(maxsize=64)
def _font(path: str, size: int) -> Font:
    if path:
        return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)  # noqa: S101 - with a size it is one
    return found


def _has(font: Font, one: str) -> bool:
    """Whether a font has a character: what it lacks is drawn as it draws a code that is no character."""
    return one == " " or bytes(font.getmask(one)) != bytes(font.getmask("\uffff"))
