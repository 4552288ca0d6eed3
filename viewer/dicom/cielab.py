"""Recommended Display CIELab Value (PS3.3 C.10.7.1.1) to the sRGB of a screen."""

from __future__ import annotations

from collections.abc import Sequence

Rgb = tuple[int, int, int]

_WHITE = (0.9642, 1.0, 0.8249)
"""XYZ of D50, the white of the profile connection space."""
_TO_LINEAR = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)
"""XYZ under D50 to linear sRGB, whose own white is D65: the change of white (Bradford) is in it."""


def srgb(stored: Sequence[float]) -> Rgb | None:
    """Three stored words, 0..65535 each, as red, green, blue 0..255; None where they are no colour.

    L* 0..100 and a*, b* -128..127 are spread over the words. Colours that a screen cannot show are cut off at its limits.
    """
    if len(stored) != 3 or not all(0 <= value <= 65535 for value in stored):
        return None
    lightness = stored[0] * 100.0 / 65535.0
    a, b = (value * 255.0 / 65535.0 - 128.0 for value in stored[1:])
    height = (lightness + 16.0) / 116.0
    xyz = [
        white * _unfolded(share)
        for white, share in zip(_WHITE, (height + a / 500.0, height, height - b / 200.0), strict=True)
    ]
    red, green, blue = (_word(sum(m * x for m, x in zip(row, xyz, strict=True))) for row in _TO_LINEAR)
    return red, green, blue


def _unfolded(share: float) -> float:
    return share**3 if share > 6.0 / 29.0 else 3.0 * (6.0 / 29.0) ** 2 * (share - 4.0 / 29.0)


def _word(linear: float) -> int:
    """IEC 61966-2-1."""
    linear = min(max(linear, 0.0), 1.0)
    curved = 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1.0 / 2.4) - 0.055
    return int(curved * 255.0 + 0.5)
