"""Presets of volume pictures, and the tables made of them."""

from __future__ import annotations

import dataclasses
import gc

import numpy as np
import pytest
from numpy.typing import NDArray

from viewer.rendering import transfer
from viewer.rendering.bricks import bricks_of
from viewer.rendering.transfer import VOLUME_PRESETS, TransferTable, presets_for, table_of
from viewer.rendering.view import BadView
from viewer.rendering.volume import HOLE, FrameDescription, Volume, VolumeGeometry

CT_PRESETS = ("bone", "vessels", "soft tissue", "lung", "skin")


def volume_of(values: NDArray[np.generic], modality: str = "CT", unit: str = "HU", **more: float) -> Volume:
    description = FrameDescription(
        rows=values.shape[1], columns=values.shape[2], samples_per_pixel=1, photometric_interpretation="MONOCHROME2",
        bits_allocated=16, bits_stored=16, pixel_representation=1, modality=modality, unit=unit,
        sop_instance_uid="1.2.3", frame_number=1,
    )  # fmt: skip
    values.flags.writeable = False
    geometry = VolumeGeometry(values.shape, (0.0, 0.0, 0.0), ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0)))
    holes = bool((values == HOLE).any())
    return Volume("one", values, geometry, description, holes=holes, bricks=bricks_of(values), **more)


def noise(shape: tuple[int, int, int] = (17, 20, 33), low: int = -1000, high: int = 1500) -> NDArray[np.int16]:
    return np.random.default_rng(3).integers(low, high, shape).astype(np.int16)


def looked_up(table: TransferTable, value: float) -> NDArray[np.float32]:
    """Red, green, blue, opacity of a step."""
    place = np.floor((value - table.first) * table.scale + 0.5)
    extinction, *colour = table.colours[int(np.clip(place, 0, len(table.colours) - 1)), :4]
    return np.array([*colour, 1.0 - np.exp(-extinction)])


def test_a_ct_in_hounsfield_units_has_five_presets_and_everything_else_two() -> None:
    assert presets_for(volume_of(noise()).description) == CT_PRESETS
    for modality, unit in [("MR", ""), ("PT", "BQML"), ("CT", "")]:
        assert presets_for(volume_of(noise(), modality, unit).description) == ("surface", "brightest")


def test_a_preset_that_the_volume_is_not_offered_is_refused_by_naming_the_others() -> None:
    with pytest.raises(BadView, match="bone, vessels, soft tissue, lung, skin"):
        table_of("marble", volume_of(noise()), 1.0)
    with pytest.raises(BadView, match="surface, brightest"):
        table_of("bone", volume_of(noise(), "MR", ""), 1.0)


def test_colour_has_no_volume_picture() -> None:
    with pytest.raises(BadView, match="colour"):
        table_of("bone", dataclasses.replace(volume_of(noise()), bricks=None), 1.0)


@pytest.mark.parametrize("name", CT_PRESETS)
def test_points_of_a_preset_are_met_in_the_table(name: str) -> None:
    table = table_of(name, volume_of(noise()), 1.0)
    for value, opacity, colour in VOLUME_PRESETS[name].points:
        np.testing.assert_allclose(looked_up(table, value), [*colour, opacity], atol=0.004)
    assert looked_up(table, -5000.0)[3] == looked_up(table, VOLUME_PRESETS[name].points[0][0])[3]


@pytest.mark.parametrize("name", CT_PRESETS)
def test_two_half_steps_dim_as_much_as_a_whole_one(name: str) -> None:
    volume = volume_of(noise())
    whole, half = table_of(name, volume, 0.8), table_of(name, volume, 0.4)
    seen = half.colours[:, 0] > 0
    np.testing.assert_allclose(2 * half.colours[seen, 0], whole.colours[seen, 0], rtol=1e-6)


@pytest.mark.parametrize("name", CT_PRESETS)
def test_sums_of_a_table_give_the_mean_between_two_of_its_entries(name: str) -> None:
    colours = table_of(name, volume_of(noise()), 0.5).colours.astype(np.float64)
    for there, here in [(0, 4095), (1000, 1400), (2000, 2003), (7, 8)]:
        some = colours[there : here + 1]
        weights = np.ones(len(some))
        weights[[0, -1]] = 0.5
        extinction = (weights * some[:, 0]).sum()
        light = ((weights * some[:, 0])[:, None] * some[:, 1:4]).sum(axis=0)
        np.testing.assert_allclose(colours[here, 4:] - colours[there, 4:], [extinction, *light], rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("slope", [0.25, 2.0, -0.5])
def test_points_are_modality_values_whatever_is_stored(slope: float) -> None:
    plain = table_of("bone", volume_of(noise()), 1.0)
    stored = table_of("bone", volume_of(noise(), slope=slope, intercept=-24.0), 1.0)
    for value in (100.0, 250.0, 300.0, 500.0, 900.0, 3000.0):
        np.testing.assert_allclose(looked_up(stored, (value + 24.0) / slope), looked_up(plain, value), atol=0.003)
    assert stored.shading.edge == pytest.approx(plain.shading.edge / abs(slope))


def test_without_hounsfield_units_the_points_follow_the_brightness_of_the_volume() -> None:
    values = noise(low=0, high=50)
    values[4:12, 4:12, 4:12] = 800
    dim, bright = (table_of("surface", volume_of(values * n, "MR", ""), 1.0) for n in (1, 3))
    assert looked_up(dim, 10.0)[3] == looked_up(bright, 30.0)[3] == 0.0
    assert looked_up(dim, 800.0)[3] > 0.9
    np.testing.assert_allclose(looked_up(dim, 300.0), looked_up(bright, 900.0), atol=0.003)


@pytest.mark.parametrize("values", [np.full((9, 9, 9), HOLE, np.int16), np.full((9, 9, 9), np.nan, np.float32)])
def test_a_volume_of_holes_alone_has_a_table_that_shows_nothing(values: NDArray[np.generic]) -> None:
    table = table_of("surface", volume_of(values, "MR", ""), 1.0)
    assert table.leaps.min() > 0


def test_leaps_are_distances_to_the_nearest_brick_that_may_show_something() -> None:
    values = np.full((50, 41, 90), -1000, np.int16)
    for k, i, j in [(3, 3, 3), (30, 20, 85), (49, 40, 12)]:
        values[k, i, j] = 700
    table = table_of("bone", volume_of(values), 1.0)
    seen = np.argwhere(table.leaps == 0)
    everywhere = np.argwhere(table.leaps >= 0)
    distances = np.abs(everywhere[:, None] - seen[None]).max(axis=2).min(axis=1)
    np.testing.assert_array_equal(table.leaps.ravel(), distances)
    assert {(0, 0, 0), (3, 2, 10), (6, 5, 1)} <= {tuple(place) for place in seen.tolist()}


def test_a_sample_that_shows_something_always_begins_in_a_brick_that_may() -> None:
    values = noise((26, 31, 40), -1000, 260)
    values[:, :, 20:] = -1000
    table = table_of("bone", volume_of(values), 1.0)
    cells = np.lib.stride_tricks.sliding_window_view(values, (2, 2, 2)).max(axis=(3, 4, 5))
    for k, i, j in np.argwhere(cells > 220):
        assert table.leaps[k // 8, i // 8, j // 8] == 0
    assert table.leaps[:, :, 4].min() == 2


def test_leaps_are_found_once_for_what_is_seen_and_go_with_their_volume() -> None:
    volume = volume_of(noise())
    near, far, other = table_of("bone", volume, 0.5), table_of("bone", volume, 0.5005), table_of("lung", volume, 0.5)
    assert far.leaps is near.leaps
    assert not np.array_equal(far.colours, near.colours)
    assert other.leaps is not near.leaps
    assert table_of("bone", volume_of(noise()), 0.5).leaps is not near.leaps
    held = len(transfer._KEPT)
    del volume
    gc.collect()
    assert len(transfer._KEPT) < held
