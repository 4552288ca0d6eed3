"""The kernels for many pixels at once against the plain one: equal to the last bit, whatever they pass over."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.viewer.rendering.ray_judge import noise, oblique, volume_of
from viewer.rendering import lanes, walking
from viewer.rendering.bricks import bricks_of
from viewer.rendering.projections import PROJECTIONS, Rays, plain, project
from viewer.rendering.volume import HOLE, Volume

pytestmark = pytest.mark.skipif(not lanes.AVAILABLE, reason="this processor has no vector registers")

SHAPES = [(40, 33, 70), (2, 40, 9), (30, 2, 2), (9, 17, 40), (70, 8, 3)]
WINDOWS = [(-math.inf, math.inf), (-160.0, 240.0), (0.0, math.inf), (-math.inf, 500.0)]
KINDS = [(np.int16, 0.0), (np.int16, 0.02), (np.int16, 0.9), (np.float32, 0.0), (np.float32, 0.3)]


def balls(shape: tuple[int, int, int], dtype: type, holes: float, seed: int) -> NDArray[np.generic]:
    """A volume in which most bricks can be passed over: a few bright balls in the dark, and holes."""
    random = np.random.default_rng(seed)
    values = np.full(shape, -1000.0)
    for _ in range(4):
        middle = random.random(3) * shape
        distance = np.sqrt(sum((at - centre) ** 2 for at, centre in zip(np.indices(shape), middle, strict=True)))
        values = np.maximum(values, random.integers(200, 3000) - 150.0 * distance)
    values = values.round().astype(dtype)
    values[random.random(shape) < holes] = HOLE if dtype is np.int16 else np.nan
    return values


def both(
    volume: Volume,
    rays: Rays,
    projection: str,
    size: tuple[int, int],
    floor: float = -math.inf,
    ceiling: float = math.inf,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """As drawn, and by the plain kernel."""
    drawn, expected = np.empty((2, *size), np.float32)
    project(volume, rays, projection, 0, size[0], drawn, floor, ceiling)
    samples = 1 if projection == "slice" else rays.samples
    number = PROJECTIONS[projection]
    limits = np.float32(floor), np.float32(ceiling)
    plain(volume.values, rays.packed, samples, number, volume.holes, *limits, 0, expected)
    return drawn, expected


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize(("dtype", "holes"), KINDS)
def test_a_lane_holds_what_the_plain_kernel_computes(projection: str, dtype: type, holes: float) -> None:
    for seed in range(60):
        random = np.random.default_rng(seed)
        shape = SHAPES[seed % len(SHAPES)]
        values = noise(shape, seed, dtype, holes) if seed % 2 else balls(shape, dtype, holes, seed)
        volume = volume_of(values, holes > 0.0)
        if seed % 3:
            volume = replace(volume, bricks=bricks_of(volume.values))
        size = int(random.integers(1, 40)), int(random.integers(1, 60))
        rays = oblique(seed, shape, size, int(random.integers(1, 140)), float(random.choice([0.3, 1.0, 2.0])))

        np.testing.assert_array_equal(*both(volume, rays, projection, size, *WINDOWS[seed % len(WINDOWS)]))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_on_the_grid_too_where_samples_fall_on_voxels_and_on_the_border(dtype: type) -> None:
    shape = (20, 21, 37)
    values = balls(shape, dtype, 0.0, 1)
    volume = replace(volume_of(values), bricks=bricks_of(values))
    axes = np.eye(3)
    for projection in PROJECTIONS:
        for turn in range(3):
            row, column, depth = (tuple(map(float, axis * 0.5)) for axis in np.roll(axes, turn, axis=0))
            rays = Rays((-1.0, -1.0, -1.0), row, column, depth, 90)
            np.testing.assert_array_equal(*both(volume, rays, projection, (48, 80)))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_slices_turned_about_an_axis_are_walked_down_and_hold_the_same(dtype: type) -> None:
    walked = 0
    for seed in range(120):
        random = np.random.default_rng(seed)
        shape = SHAPES[seed % len(SHAPES)]
        volume = volume_of(noise(shape, seed, dtype))
        size = int(random.integers(1, 90)), int(random.integers(1, 60))
        down, across, third = random.permutation(np.eye(3))
        angle = random.uniform(0.0, 2.0 * math.pi) if seed % 3 else random.integers(4) * math.pi / 2.0
        row = down * float(random.choice([-1.7, -1.0, -0.3, 0.2, 0.998, 1.0, 2.5]))
        column = (across * math.cos(angle) + third * math.sin(angle)) * random.uniform(0.2, 1.5)
        origin = (np.array(shape) - 1.0) / 2.0 - row * size[0] / 2.0 - column * size[1] / 2.0 + random.normal(size=3)
        rays = Rays(*(tuple(map(float, vector)) for vector in (origin, row, column)))
        walked += walking.axis_of(rays.packed) is not None

        np.testing.assert_array_equal(*both(volume, rays, "slice", size))
    assert walked > 40


def test_a_maximum_is_the_same_with_and_without_bricks() -> None:
    values = balls((60, 70, 80), np.int16, 0.0, 3)
    volume = volume_of(values)
    rays = oblique(3, values.shape, (64, 64), 120)
    for projection in ("mip", "minip"):
        with_bricks, _ = both(replace(volume, bricks=bricks_of(volume.values)), rays, projection, (64, 64))
        without, _ = both(volume, rays, projection, (64, 64))
        np.testing.assert_array_equal(with_bricks, without)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_pictures_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    values = balls((40, 50, 60), np.int16, 0.01, 4)
    volume = replace(volume_of(values, holes=True), bricks=bricks_of(values))
    rays = oblique(4, values.shape, (61, 45), 70)
    edges = np.linspace(0, 61, threads + 1).astype(int)
    for projection in PROJECTIONS:
        whole, _ = both(volume, rays, projection, (61, 45), -500.0, 900.0)
        picture = np.empty_like(whole)

        def draw(band: tuple[int, int], picture: NDArray[np.float32] = picture, projection: str = projection) -> None:
            project(volume, rays, projection, *band, picture[slice(*band)], -500.0, 900.0)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(draw, pairwise(edges)))
        np.testing.assert_array_equal(picture, whole)


def test_the_loads_of_the_last_voxel_stay_inside_the_volume() -> None:
    """Neighbours are loaded in pairs; the last pair must not reach past the end of the array."""
    memory = np.full(2 * 2 * 3 + 64, 30000, np.int16)
    values = memory[: 2 * 2 * 3].reshape(2, 2, 3)
    values[...] = 5
    rays = Rays((1.0, 1.0, 1.0), (0.25, 0.0, 0.0), (0.0, 0.0, 0.0625))

    drawn, expected = both(volume_of(values), rays, "slice", (2, 32))

    np.testing.assert_array_equal(drawn, expected)
    assert np.nanmax(drawn) == 5


OTHERS = {"haswell": "+avx2,+avx,+sse4.2,+bmi,+bmi2,+fma", "nehalem": "+sse4.2"}
"""Processors with registers of eight numbers, and with none that help: their names and features in LLVM."""


@pytest.mark.skipif(lanes.WIDTH < 16, reason="this processor cannot run the code of more than one kind")
@pytest.mark.parametrize("processor", OTHERS)
def test_other_processors_draw_the_same(processor: str, tmp_path: Path) -> None:
    values = balls((20, 30, 40), np.int16, 0.02, 5)
    volume = replace(volume_of(values, holes=True), bricks=bricks_of(values))
    rays = oblique(5, values.shape, (29, 35), 60)
    expected = [both(volume, rays, projection, (29, 35))[0] for projection in PROJECTIONS]
    np.savez(tmp_path / "asked.npz", values=values, rays=np.array([rays], object))
    environment = {**os.environ, "NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": OTHERS[processor]}

    command = [sys.executable, "-c", DRAWN_ELSEWHERE, str(tmp_path)]
    subprocess.run(command, env=environment, cwd=Path(__file__).parents[3], check=True)

    elsewhere = np.load(tmp_path / "drawn.npz")
    assert int(elsewhere["width"]) == (8 if processor == "haswell" else 0)
    np.testing.assert_array_equal(elsewhere["drawn"], expected)


DRAWN_ELSEWHERE = """
import sys
from dataclasses import replace
import numpy as np
from tests.viewer.rendering.ray_judge import volume_of
from viewer.rendering import lanes
from viewer.rendering.projections import PROJECTIONS, project
from viewer.rendering.bricks import bricks_of

asked = np.load(sys.argv[1] + "/asked.npz", allow_pickle=True)
(rays,) = asked["rays"]
volume = replace(volume_of(asked["values"], holes=True), bricks=bricks_of(asked["values"]))
drawn = np.empty((len(PROJECTIONS), 29, 35), np.float32)
for out, projection in zip(drawn, PROJECTIONS):
    project(volume, rays, projection, 0, 29, out)
np.savez(sys.argv[1] + "/drawn.npz", drawn=drawn, width=lanes.WIDTH if lanes.AVAILABLE else 0)
"""
