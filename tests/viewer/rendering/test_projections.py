"""Samples along rays: against the definition in 64 bits, and where the answer is known without one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.viewer.rendering.ray_judge import judge, noise, oblique, volume_of
from viewer.rendering.projections import PROJECTIONS, Rays, project
from viewer.rendering.volume import HOLE, Volume

AXIAL = Rays((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def drawn(
    volume: Volume,
    rays: Rays,
    projection: str = "slice",
    size: tuple[int, int] = (21, 37),
    floor: float = -math.inf,
    ceiling: float = math.inf,
    channel: int | None = None,
) -> NDArray[np.float32]:
    out = np.empty(size, np.float32)
    project(volume, rays, projection, 0, size[0], out, floor, ceiling, channel)
    return out


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize(("dtype", "holes"), [(np.int16, 0.0), (np.int16, 0.2), (np.float32, 0.0), (np.float32, 0.2)])
def test_every_projection_is_what_the_definition_says(projection: str, dtype: type, holes: float) -> None:
    for seed, shape in enumerate([(12, 20, 31), (2, 40, 9), (30, 2, 2), (25, 33, 28), (7, 19, 64)]):
        values = noise(shape, seed, dtype, holes)
        rays = oblique(seed, shape, (21, 37), 1 if projection == "slice" else 17)
        expected, edges = judge(values, rays, projection, (21, 37))
        found = drawn(volume_of(values, holes > 0.0), rays, projection)

        assert np.mean(edges) < 0.1
        assert np.isfinite(expected).any()
        np.testing.assert_array_equal(np.isnan(found)[~edges], np.isnan(expected)[~edges])
        np.testing.assert_allclose(found[~edges], expected[~edges], rtol=0, atol=1.0 if holes else 0.1)


def test_a_plane_on_the_grid_holds_the_voxels_themselves() -> None:
    values = noise((9, 11, 13), 1)
    volume = volume_of(values)

    np.testing.assert_array_equal(drawn(volume, Rays((4, 0, 0), (0, 1, 0), (0, 0, 1)), size=(11, 13)), values[4])
    np.testing.assert_array_equal(drawn(volume, Rays((8, 5, 0), (-1, 0, 0), (0, 0, 1)), size=(9, 13)), values[::-1, 5])
    np.testing.assert_array_equal(drawn(volume, Rays((0, 0, 12), (1, 0, 0), (0, 1, 0)), size=(9, 11)), values[:, :, 12])


def test_projections_along_an_axis_are_those_of_the_voxels() -> None:
    values = noise((9, 11, 13), 2)
    volume = volume_of(values)
    rays = Rays((0, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 0), samples=11)

    np.testing.assert_array_equal(drawn(volume, rays, "mip", (9, 13)), values.max(axis=1))
    np.testing.assert_array_equal(drawn(volume, rays, "minip", (9, 13)), values.min(axis=1))
    np.testing.assert_allclose(drawn(volume, rays, "mean", (9, 13)), values.mean(axis=1), rtol=1e-6)


def test_a_volume_reaches_half_a_voxel_beyond_its_outer_centres_and_no_further() -> None:
    volume = volume_of(np.full((2, 2, 2), 7, np.int16))
    rays = Rays((0.0, 0.0, -0.75), (0.0, 1.0, 0.0), (0.0, 0.0, 0.25))

    line = drawn(volume, rays, size=(1, 11))[0]

    np.testing.assert_array_equal(line, [math.nan, 7, 7, 7, 7, 7, 7, 7, 7, 7, math.nan])


def test_background_is_no_value_and_weighs_nothing_in_a_mean() -> None:
    volume = volume_of(np.full((4, 4, 4), 100, np.int16))
    rays = Rays((-10.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), samples=30)

    for projection in ("mip", "minip", "mean"):
        np.testing.assert_array_equal(drawn(volume, rays, projection, (4, 4)), 100)
    beside = Rays((-10.0, 9.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), samples=30)
    assert np.isnan(drawn(volume, beside, "mip", (4, 4))).all()


def test_a_gap_is_not_drawn_and_does_not_reach_into_what_is_beside_it() -> None:
    values = np.full((5, 4, 4), 50, np.int16)
    values[2] = HOLE
    volume = volume_of(values, holes=True)
    down = Rays((0.0, 0.0, 0.0), (0.25, 0.0, 0.0), (0.0, 0.0, 1.0))

    column = drawn(volume, down, size=(17, 4))[:, 0]

    np.testing.assert_array_equal(column[[0, 4, 5, 7]], 50)
    assert math.isnan(column[8])
    np.testing.assert_array_equal(column[[9, 11, 12, 16]], 50)


@pytest.mark.parametrize("projection", ["mip", "minip"])
def test_floor_and_ceiling_move_results_between_them_and_nothing_else(projection: str) -> None:
    values = noise((20, 24, 28), 3)
    rays = oblique(5, values.shape, (30, 30), 25)
    volume = volume_of(values)

    clamped = drawn(volume, rays, projection, (30, 30), -100.0, 1500.0)

    np.testing.assert_array_equal(clamped, np.clip(drawn(volume, rays, projection, (30, 30)), -100.0, 1500.0))


def test_each_channel_of_a_colour_volume_is_drawn_by_itself() -> None:
    values = np.stack([noise((4, 5, 6), seed) for seed in range(3)])
    volume = volume_of(values)
    for channel in range(3):
        np.testing.assert_array_equal(drawn(volume, AXIAL, size=(5, 6), channel=channel), values[channel, 0])


def test_rows_do_not_depend_on_the_band_they_are_drawn_in() -> None:
    values = noise((20, 24, 28), 4)
    volume = volume_of(values)
    rays = oblique(6, values.shape, (23, 41), 9)
    for projection in PROJECTIONS:
        whole = drawn(volume, rays, projection, (23, 41))
        for first, end in [(0, 1), (1, 6), (6, 22), (22, 23)]:
            band = np.empty((end - first, 41), np.float32)
            project(volume, rays, projection, first, end, band)
            np.testing.assert_array_equal(band, whole[first:end])
