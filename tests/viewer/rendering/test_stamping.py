"""Watermarks: legible on every ground, the same each time, grey stays grey, and what lies below still shows."""

from __future__ import annotations

import time

import numpy as np
import pytest

from viewer.rendering.stamping import SMALLEST, Stamp, stamped

STAMP = Stamp(("Dr. Example", "2026-11-22 \N{MIDDLE DOT} link 12"))
OTHER = Stamp(("Dr. Example", "2026-11-22 \N{MIDDLE DOT} link 13"))


def flat(value: int, rows: int = 512, columns: int = 512) -> np.ndarray:
    return np.full((rows, columns), value, np.uint8)


@pytest.mark.parametrize("ground", [0, 1, 60, 127, 128, 200, 254, 255])
def test_letters_can_be_told_from_every_ground(ground: int) -> None:
    away = np.abs(stamped(flat(ground), STAMP).astype(int) - ground)
    assert away.max() >= 28
    assert 0.01 < (away > 0).mean() < 0.15


def test_the_picture_itself_is_left_alone() -> None:
    picture = flat(100)
    stamped(picture, STAMP)
    assert (picture == 100).all()


def test_the_same_stamp_on_the_same_picture_is_the_same_and_another_link_is_not() -> None:
    picture = np.random.default_rng(7).integers(0, 256, (300, 417), np.uint8)
    assert stamped(picture, STAMP).tobytes() == stamped(picture.copy(), STAMP).tobytes()
    assert stamped(picture, STAMP).tobytes() != stamped(picture, OTHER).tobytes()


def test_grey_stays_grey_and_colour_is_drawn_into_by_channel() -> None:
    grey = np.random.default_rng(7).integers(0, 256, (256, 300), np.uint8)
    alone = stamped(grey, STAMP)
    assert alone.shape == grey.shape
    assert alone.dtype == np.uint8
    colour = stamped(np.dstack([grey] * 3), STAMP)
    assert all((colour[:, :, channel] == alone).all() for channel in range(3))


def test_what_is_brighter_below_a_letter_stays_brighter() -> None:
    for level in range(0, 255, 5):
        lower, upper = stamped(flat(level), STAMP).astype(int), stamped(flat(level + 1), STAMP).astype(int)
        assert (upper >= lower).all()
    bright, dark = stamped(flat(180), STAMP).astype(int), stamped(flat(80), STAMP).astype(int)
    assert (bright - dark).min() >= 75


@pytest.mark.parametrize("shape", [(1, 1), (SMALLEST, 4), (32, 32), (160, 120), (2048, 33), (1000, 1500)])
def test_pictures_of_every_size_are_stamped_throughout(shape: tuple[int, int]) -> None:
    result = stamped(flat(0, *shape), STAMP)
    assert result.shape == shape
    if min(shape) >= 32:
        quarters = [
            result[r : r + shape[0] // 2 + 1, c : c + shape[1] // 2 + 1]
            for r in (0, shape[0] // 2)
            for c in (0, shape[1] // 2)
        ]
        assert sum(bool(part.any()) for part in quarters) >= (4 if min(shape) >= 100 else 1)


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * 200, "\u5c71\u7530", "\u0645\u0631\u062d\u0628\u0627", "a\x00\n\u202eb", "\U0001f600"]
)
def test_whatever_somebody_is_called_there_are_letters(name: str) -> None:
    assert stamped(flat(0), Stamp((name, "2026-11-22"))).any()


def test_a_stamp_costs_little_beside_drawing() -> None:
    """0.1 ms on an idle core; the limit is wide, for the machine may be anybody's."""
    picture = flat(90)
    stamped(picture, STAMP)
    spent = []
    for _ in range(30):
        begun = time.perf_counter()
        stamped(picture, STAMP)
        spent.append(time.perf_counter() - begun)
    assert min(spent) < 0.0003
