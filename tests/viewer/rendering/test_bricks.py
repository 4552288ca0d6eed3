"""Bricks hold the extremes of what is in them, of a finished volume and of slices that come in runs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from viewer.engine.raw import take_run
from viewer.rendering.bricks import GrowingBricks, bricks_of
from viewer.rendering.storing import convert
from viewer.rendering.volume import HOLE, CellDescription, Cells, Storage

RANDOM = np.random.default_rng(1976)
CT = Storage(np.dtype(np.int16)).cells(CellDescription(12, 11, False, -1024.0, None))
PADDED = Storage(np.dtype(np.int16)).cells(CellDescription(12, 13, True, 7.0, (-2000, 300)))


def judge(values: np.ndarray, size: int, extreme: Callable[[np.ndarray], float], nothing: float) -> np.ndarray:
    """Voxel by voxel, as the definition says."""
    hole = (values == HOLE) if values.dtype == np.int16 else np.isnan(values)
    found = np.empty(tuple(-(-side // size) for side in values.shape), values.dtype)
    for brick in np.ndindex(found.shape):
        box = tuple(slice(size * b, size * b + size + 1) for b in brick)
        real = values[box][~hole[box]]
        found[brick] = extreme(real) if real.size else nothing
    return found


@pytest.mark.parametrize("kind", [np.int16, np.float32])
@pytest.mark.parametrize("shape", [(2, 2, 2), (8, 16, 9), (41, 19, 70), (7, 65, 33)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_bricks_hold_the_extremes_of_what_a_sample_in_them_may_touch(
    kind: type, shape: tuple[int, int, int], share: float
) -> None:
    values = RANDOM.integers(-32767, 32768, shape).astype(kind)
    hole = HOLE if kind == np.int16 else np.nan
    values[RANDOM.random(shape) < share] = hole
    values[: shape[0] // 2, : shape[1] // 2, :8] = hole
    values.flags.writeable = False
    bricks = bricks_of(values)
    lowest, highest = (32767, HOLE) if kind == np.int16 else (np.inf, -np.inf)
    np.testing.assert_array_equal(bricks.least, judge(values, 8, np.min, lowest))
    np.testing.assert_array_equal(bricks.greatest, judge(values, 8, np.max, highest))
    np.testing.assert_array_equal(bricks.coarse_least, judge(values, 32, np.min, lowest))
    np.testing.assert_array_equal(bricks.coarse_greatest, judge(values, 32, np.max, highest))


def test_bands_in_any_order_give_the_same() -> None:
    def backwards(work: Callable[[int, int], None], count: int) -> None:
        for number in reversed(range(count)):
            work(number, number + 1)

    values = RANDOM.integers(-1000, 1000, (30, 12, 20)).astype(np.int16)
    one, other = bricks_of(values), bricks_of(values, backwards)
    np.testing.assert_array_equal(one.least, other.least)
    np.testing.assert_array_equal(one.coarse_greatest, other.coarse_greatest)


@pytest.mark.parametrize("how", [CT, PADDED])
@pytest.mark.parametrize("shape", [(1, 2, 2), (41, 19, 70), (17, 65, 33), (24, 16, 17)])
def test_slices_converted_in_runs_of_any_length_make_the_bricks_of_the_whole(
    how: Cells, shape: tuple[int, int, int]
) -> None:
    words = RANDOM.integers(-32768, 32768, shape).astype(np.int16)
    converted = words.copy()
    holes = convert(converted.reshape(-1), how)
    cuts = [0, *sorted(RANDOM.choice(np.arange(1, shape[0]), min(6, shape[0] - 1), replace=False)), shape[0]]
    runs = list(pairwise(cuts))
    RANDOM.shuffle(runs)
    growing, found = GrowingBricks(shape), False
    for first, end in runs:
        assert growing.finished() is None
        part = growing.part(int(first), int(end - first))
        found |= take_run(words[first:end], how, part)
        growing.add(part)
    bricks, expected = growing.finished(), bricks_of(converted)
    assert bricks is not None
    np.testing.assert_array_equal(words, converted)
    assert (found, (words == HOLE).any()) == (holes, holes)
    for name in ("least", "greatest", "coarse_least", "coarse_greatest"):
        np.testing.assert_array_equal(getattr(bricks, name), getattr(expected, name))
