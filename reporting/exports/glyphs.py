"""Which characters the shipped fonts can draw. PDF/A forbids a text with a missing glyph, so what none of them has is named."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
FAMILIES = (
    *("Noto Sans", "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Thai", "Noto Sans Devanagari"),
    *("Noto Sans Armenian", "Noto Sans Georgian", "Noto Sans CJK KR", "Droid Sans Fallback", "Noto Sans Math"),
)
"""In the order in which a character is looked for."""


def drawable(text: str) -> str:
    """The text with each character that no font has as its number, as in [U+1F9E0]: nothing is lost or invisible."""
    return "".join(map(_spelled, _clusters(_composed(text))))


def _clusters(text: str) -> Iterator[str]:
    """Each character with the marks that sit on it: those are drawn from one font."""
    start = 0
    for place, one in enumerate(text):
        if place and not unicodedata.category(one).startswith("M"):
            yield text[start:place]
            start = place
    if text:
        yield text[start:]


def _spelled(cluster: str) -> str:
    if cluster in "\n\t ":
        return cluster
    with_first = [font for font in fonts() if ord(cluster[0]) in font]
    if any(font.issuperset(map(ord, cluster)) for font in with_first):
        return cluster
    return (cluster[0] if with_first else _named(cluster[0])) + "".join(map(_named, cluster[1:]))


def plainest(text: str) -> str:
    """The same with every mark that joins, turns or accents named as well: for texts that no font can shape."""
    simple = ("L", "N", "P", "S", "Zs")
    return "".join(
        one if one == "\n" or unicodedata.category(one).startswith(simple) else _named(one) for one in drawable(text)
    )


def barest(text: str) -> str:
    """Letters, digits and signs of ASCII and Latin-1 alone, every other character as its number: what always can be set."""
    return "".join(
        one if one == "\n" or " " <= one <= "~" or "\xa1" <= one <= "\xff" else _named(one) for one in plainest(text)
    )


def _composed(text: str) -> str:
    """Letters with their accents in one where there is such a character; without marks that only rule how text is drawn."""
    return "".join(one for one in unicodedata.normalize("NFC", text) if not _unseen(one))


def _unseen(one: str) -> bool:
    """Joiners, direction marks, variation selectors and the like: the page has its own directions."""
    return unicodedata.category(one) == "Cf" or "\ufe00" <= one <= "\ufe0f" or "\U000e0100" <= one <= "\U000e01ef"


def _named(one: str) -> str:
    return f"[U+{ord(one):04X}]"


@lru_cache
def fonts() -> tuple[frozenset[int], ...]:
    """Of each font the code points that it maps to a glyph."""
    return tuple(frozenset(code_points(path.read_bytes())) for path in sorted(FONTS.glob("*.[to]tf")))


def code_points(font: bytes) -> set[int]:
    """Of a font's cmap table: its subtables of formats 4 and 12 (OpenType, cmap)."""
    (count,) = struct.unpack_from(">H", font, 4)
    tables = {font[12 + 16 * i : 16 + 16 * i]: struct.unpack_from(">I", font, 20 + 16 * i)[0] for i in range(count)}
    cmap = tables[b"cmap"]
    (subtables,) = struct.unpack_from(">H", font, cmap + 2)
    found: set[int] = set()
    for place in {struct.unpack_from(">I", font, cmap + 8 + 8 * i)[0] for i in range(subtables)}:
        at = cmap + place
        (form,) = struct.unpack_from(">H", font, at)
        if form == 12:
            found |= _segmented_coverage(font, at)
        elif form == 4:
            found |= _segments(font, at)
    return found


def _segmented_coverage(font: bytes, at: int) -> set[int]:
    (groups,) = struct.unpack_from(">I", font, at + 12)
    found: set[int] = set()
    for group in range(groups):
        first, last, _ = struct.unpack_from(">III", font, at + 16 + 12 * group)
        found.update(range(first, last + 1))
    return found


def _segments(font: bytes, at: int) -> set[int]:
    """Format 4: ranges with a delta, or with an offset into a list of glyphs, where 0 is none."""
    count = struct.unpack_from(">H", font, at + 6)[0] // 2
    ends = struct.unpack_from(f">{count}H", font, at + 14)
    starts = struct.unpack_from(f">{count}H", font, at + 16 + 2 * count)
    deltas = struct.unpack_from(f">{count}H", font, at + 16 + 4 * count)
    offsets_at = at + 16 + 6 * count
    offsets = struct.unpack_from(f">{count}H", font, offsets_at)
    found: set[int] = set()
    for i, (first, last, delta, offset) in enumerate(zip(starts, ends, deltas, offsets, strict=True)):
        for code in range(first, last + 1):
            if offset:
                (glyph,) = struct.unpack_from(">H", font, offsets_at + 2 * i + offset + 2 * (code - first))
            else:
                glyph = (code + delta) & 0xFFFF
            if glyph and code != 0xFFFF:
                found.add(code)
    return found
