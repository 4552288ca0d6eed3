"""Recommended colours (PS3.3 C.10.7.1.1) against colours whose CIELab values under D50 are known."""

from __future__ import annotations

import pytest

from viewer.dicom.cielab import srgb


def stored(lightness: float, a: float, b: float) -> list[int]:
    """As a file holds it: L* 0..100 and a*, b* -128..127, each over 16 bits."""
    return [round(lightness * 65535 / 100), *(round((one + 128) * 65535 / 255) for one in (a, b))]


@pytest.mark.parametrize(
    ("lab", "rgb"),
    [
        ((0, 0, 0), (0, 0, 0)),
        ((100, 0, 0), (255, 255, 255)),
        ((53.585, 0, 0), (128, 128, 128)),
        ((54.292, 80.812, 69.885), (255, 0, 0)),
        ((87.820, -79.287, 80.990), (0, 255, 0)),
        ((29.568, 68.299, -112.029), (0, 0, 255)),
        ((97.607, -15.753, 93.389), (255, 255, 0)),
        ((90.665, -50.665, -14.962), (0, 255, 255)),
        ((60.169, 93.551, -60.499), (255, 0, 255)),
    ],
)
def test_a_known_colour_comes_out_as_a_screen_shows_it(
    lab: tuple[float, float, float], rgb: tuple[int, int, int]
) -> None:
    found = srgb(stored(*lab))
    assert found is not None
    assert max(abs(have - want) for have, want in zip(found, rgb, strict=True)) <= 1


def test_no_colour_is_neutral_at_8080() -> None:
    """The words of a neutral grey: a* and b* are 0 at 8080 hexadecimal."""
    assert stored(50, 0, 0)[1:] == [0x8080, 0x8080]
    assert srgb([32768, 0x8080, 0x8080]) == (119, 119, 119)


@pytest.mark.parametrize("words", [[], [1, 2], [1, 2, 3, 4], [-1, 0, 0], [65536, 0, 0]])
def test_what_is_no_colour_is_none(words: list[int]) -> None:
    assert srgb(words) is None
