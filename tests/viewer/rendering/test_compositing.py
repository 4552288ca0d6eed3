"""Volume pictures: against the definition in 64 bits, and where the answer is known without one."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.viewer.rendering.test_transfer import noise, volume_of
from viewer.rendering import lanes, packets, shading
from viewer.rendering.compositing import ClipBox, composite, describe, step_of
from viewer.rendering.projections import Rays
from viewer.rendering.transfer import TransferTable, table_of
from viewer.rendering.volume import HOLE, Volume, VolumeGeometry

Float = NDArray[np.float64]
Steps = tuple[tuple[float, float, float], ...]

SQUARE: Steps = ((0.0, 0.0, -1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))
FLAT: Steps = ((0.0, 0.0, -2.5), (0.0, 0.75, 0.0), (0.75, 0.0, 0.0))
LEANING: Steps = ((0.0, 0.6, -1.5), (0.0, 0.9, 0.0), (0.8, 0.0, 0.0))
EVEN = 0.8
"""Light on what has no surface."""
MIST = 1 / 64
"""What dims a step less has no surface."""
KEY, HALF = np.array([-0.42, -0.56, -0.714]), np.array([-0.227, -0.302, -0.926])


def smooth(shape: tuple[int, int, int], seed: int = 1) -> NDArray[np.int16]:
    """Lumps of all densities in air."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    values = np.full(shape, -1000.0)
    for _ in range(9):
        center, radius, peak = rng.uniform(0, shape), rng.uniform(3, 9), rng.uniform(400, 2400)
        values += peak * np.exp(-((places - center) ** 2).sum(axis=-1) / radius**2)
    return (values + rng.normal(0, 15, shape)).astype(np.int16)


def placed(values: NDArray[np.generic], steps: Steps = SQUARE, **more: float) -> Volume:
    volume = volume_of(values, **more)
    geometry = VolumeGeometry(volume.geometry.shape, (-20.0, 15.0, 100.0), steps)  # type: ignore[arg-type]
    return dataclasses.replace(volume, geometry=geometry)


def around(volume: Volume, size: tuple[int, int], yaw: float = 30.0, pitch: float = 20.0, step: float = 0.7) -> Rays:
    """Through the whole volume, seen from the front, turned."""
    y, p = math.radians(yaw), math.radians(pitch)
    right = np.array([math.cos(y), math.sin(y), 0.0])
    away = np.array([-math.sin(y) * math.cos(p), math.cos(y) * math.cos(p), -math.sin(p)])
    down = np.cross(away, right)
    shape = np.array(volume.geometry.shape)
    corners = [volume.geometry.point(tuple(shape * np.array(corner) - 0.5)) for corner in np.ndindex(2, 2, 2)]
    middle = np.mean(corners, axis=0)
    reach = [np.abs((np.array(corners) - middle) @ axis).max() for axis in (right, down, away)]
    pixel = max(2 * reach[0] / size[1], 2 * reach[1] / size[0])
    samples = math.ceil(2 * reach[2] / step) + 1
    first = (
        middle - right * pixel * (size[1] - 1) / 2 - down * pixel * (size[0] - 1) / 2 - away * step * (samples - 1) / 2
    )
    back = volume.geometry.to_voxels
    return Rays(
        tuple(back @ np.append(first, 1.0)),
        *(tuple(back[:, :3] @ direction) for direction in (down * pixel, right * pixel, away * step)),
        samples,
    )


def drawn(
    volume: Volume,
    rays: Rays,
    preset: str | TransferTable = "bone",
    clip: ClipBox | None = None,
    size: tuple[int, int] = (40, 50),
) -> NDArray[np.uint8]:
    table = table_of(preset, volume, step_of(volume, rays)) if isinstance(preset, str) else preset
    picture = np.full((*size, 3), 77, np.uint8)
    composite(volume, rays, table, clip, 0, size[0], picture)
    return picture


# --- the definition


def judged(
    volume: Volume, rays: Rays, table: TransferTable, clip: ClipBox | None = None, size: tuple[int, int] = (40, 50)
) -> tuple[Float, NDArray[np.bool_]]:
    """The picture before rounding, and pixels of which rounding may decide whether a sample lies in the volume."""
    rows, columns = np.meshgrid(np.arange(size[0]), np.arange(size[1]), indexing="ij")
    light, clear = np.zeros((*size, 3)), np.ones(size)
    fragile = np.zeros(size, bool)
    before = np.full(size, np.nan)
    forth = volume.geometry.to_patient
    axes = [forth[:, :3] @ np.array(step) for step in (rays.column_step, rays.row_step, rays.depth_step)]
    screen = np.array([axis / np.linalg.norm(axis) for axis in axes])
    shape = np.array(volume.values.shape)
    for sample in range(rays.samples):
        place = (
            np.array(rays.origin)
            + rows[..., None] * np.array(rays.row_step)
            + columns[..., None] * np.array(rays.column_step)
            + sample * np.array(rays.depth_step)
        )
        margin = np.minimum(place + 0.5, shape - 0.5 - place).min(axis=-1)
        if clip is not None:
            mm = place @ forth[:, :3].T + forth[:, 3]
            margin = np.minimum(margin, np.minimum(mm - clip[0], np.array(clip[1]) - mm).min(axis=-1))
        fragile |= np.abs(margin) < 1e-3
        value, _ = interpolated(volume, np.clip(place, 0, shape - 1))
        value[margin < 0] = np.nan
        # From the last sample to this one; the surface between them is lit as it lies half way.
        middle = np.clip(place - np.array(rays.depth_step) / 2, 0, shape - 1)
        _, gradient = interpolated(volume, middle, value)
        colour, extinction = between(table, np.where(np.isnan(before), value, before), value)
        gradient[extinction < MIST] = 0.0
        opacity = 1.0 - np.exp(-extinction)
        before = value
        lit, glint = shaded(volume, table, gradient, screen)
        left = 1.0 - table.shading.haze * sample / max(rays.samples - 1, 1)
        weight = (clear * opacity)[..., None]
        light += weight * (colour * lit[..., None] + glint[..., None]) * left
        clear *= 1.0 - opacity
    return np.minimum(light, 1.0) * 255.0, fragile


def between(table: TransferTable, before: Float, after: Float) -> tuple[Float, Float]:
    """Mean colour and extinction over the entries from one value to another; nothing for NaN."""
    real = np.isfinite(after)
    there, here = (
        np.clip(np.floor((np.nan_to_num(value) - table.first) * table.scale + 0.5), 0, len(table.colours) - 1).astype(
            int
        )
        for value in (before, after)
    )
    colours = table.colours.astype(np.float64)
    same = here == there
    sums = np.where(same[..., None], colours[here, :4], colours[here, 4:] - colours[there, 4:])
    extinction = np.where(same, sums[..., 0], sums[..., 0] / np.where(same, 1, here - there))
    extinction = np.where(real, extinction, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nan_to_num(sums[..., 1:] / sums[..., :1])
    return np.where(same[..., None], sums[..., 1:], mean), extinction


def interpolated(volume: Volume, place: Float, instead: Float | None = None) -> tuple[Float, Float]:
    """Values at the places, NaN where hardly any voxel is real; and their gradient in units per mm, with holes taken to
    hold `instead`."""
    values = volume.values.astype(np.float64)
    values[volume.values == HOLE] = np.nan
    shape = np.array(values.shape)
    base = np.minimum(place.astype(int), shape - 2)
    part = place - base
    total, share = np.zeros(place.shape[:-1]), np.zeros(place.shape[:-1])
    corners = list(np.ndindex(2, 2, 2))
    weights = [np.prod(np.where(corner, part, 1 - part), axis=-1) for corner in corners]
    for corner, weight in zip(corners, weights, strict=True):
        voxel = values[tuple(np.moveaxis(base + corner, -1, 0))]
        total += np.where(np.isnan(voxel), 0, voxel * weight)
        share += np.where(np.isnan(voxel), 0, weight)
    value = np.where(share >= 1 / 256, total / np.maximum(share, 1e-9), np.nan)
    slopes = np.zeros(place.shape)
    instead = value if instead is None else instead
    for axis in range(3):
        step = np.eye(3, dtype=int)[axis]
        for corner, weight in zip(corners, weights, strict=True):
            beside = [np.clip(base + corner + side * step, 0, shape - 1) for side in (-1, 1)]
            before, after = (values[tuple(np.moveaxis(index, -1, 0))] for index in beside)
            before, after = (np.where(np.isnan(voxel), instead, voxel) for voxel in (before, after))
            slopes[..., axis] += weight * (after - before) / 2
    return value, slopes @ volume.geometry.to_voxels[:, :3]


def shaded(volume: Volume, table: TransferTable, gradient: Float, screen: Float) -> tuple[Float, Float]:
    shading = table.shading
    gradient = np.nan_to_num(gradient) @ screen.T
    steep = np.linalg.norm(gradient, axis=-1)
    normal = gradient / (steep + 1e-6)[..., None]
    normal = np.where(normal[..., 2:] > 0, -normal, normal)
    facing = 0.45 * -normal[..., 2] + 0.55 * np.maximum(normal @ KEY, 0)
    surface = steep / (steep + shading.edge)
    lit = EVEN + (shading.ambient + shading.diffuse * facing - EVEN) * surface
    return lit, shading.specular * np.maximum(normal @ HALF, 0) ** 16 * surface


def pocked(values: NDArray[np.int16]) -> NDArray[np.int16]:
    values[np.random.default_rng(5).random(values.shape) < 0.1] = HOLE
    return values


@pytest.mark.parametrize("preset", ["bone", "soft tissue", "lung"])
@pytest.mark.parametrize(
    "volume",
    [
        pytest.param(placed(smooth((24, 30, 41))), id="square"),
        pytest.param(placed(smooth((14, 33, 30), 2), FLAT), id="flat voxels"),
        pytest.param(placed(smooth((20, 30, 33), 3), LEANING), id="leaning"),
        pytest.param(placed(pocked(smooth((20, 30, 33), 4)), FLAT), id="holes"),
        pytest.param(placed(smooth((20, 30, 33), 5).astype(np.float32) / 2, slope=2.0), id="floats"),
        pytest.param(placed(noise((2, 2, 3), -700, 700)), id="hardly any voxels"),
    ],
)
def test_a_picture_is_what_the_definition_says(volume: Volume, preset: str) -> None:
    rays = around(volume, (40, 50))
    table = table_of(preset, volume, step_of(volume, rays))
    expected, fragile = judged(volume, rays, table)
    found = drawn(volume, rays, table)

    assert fragile.mean() < 0.1
    assert expected.max() > 30
    assert np.abs(found - expected)[~fragile].max() < 2.0
    assert np.abs(found - expected)[~fragile].mean() < 0.4


def test_inside_a_clip_box_a_picture_is_what_the_definition_says() -> None:
    volume = placed(smooth((24, 30, 41)), LEANING)
    rays = around(volume, (40, 50))
    table = table_of("soft tissue", volume, step_of(volume, rays))
    middle = np.array(volume.geometry.point((12.0, 15.0, 20.0)))
    clip = (tuple(np.subtract(middle, (9.0, 4.0, 11.0))), tuple(np.add(middle, (7.0, 12.0, 8.0))))
    expected, fragile = judged(volume, rays, table, clip)  # type: ignore[arg-type]
    found = drawn(volume, rays, table, clip)  # type: ignore[arg-type]

    assert fragile.mean() < 0.1
    assert expected.max() > 30
    assert np.abs(found - expected)[~fragile].max() < 2.0
    assert not np.array_equal(found, drawn(volume, rays, table))


# --- known answers


def test_even_tissue_shines_by_its_colour_opacity_and_depth() -> None:
    volume = placed(np.full((10, 10, 10), 50, np.int16))
    front = Rays((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), samples=10)
    table = table_of("soft tissue", volume, 1.0)
    extinction, *colour = table.colours[int((50 - table.first) * table.scale + 0.5), :4].tolist()
    opacity = 1.0 - math.exp(-extinction)
    weights = opacity * (1 - opacity) ** np.arange(10) * (1 - table.shading.haze * np.arange(10) / 9)

    found = drawn(volume, front, table, size=(10, 10))

    np.testing.assert_array_equal(
        found, np.broadcast_to(np.floor(np.array(colour) * EVEN * weights.sum() * 255 + 0.5), found.shape)
    )


def test_air_and_what_is_beside_the_volume_are_black() -> None:
    air = placed(np.full((10, 10, 10), -1000, np.int16))
    assert not drawn(air, around(air, (40, 50)), "skin").any()
    dense = placed(np.full((10, 10, 10), 1000, np.int16))
    past = Rays((20.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), samples=10)
    assert not drawn(dense, past, "skin").any()
    away = Rays((0.0, 20.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.0, 1.0, 0.0), samples=10)
    assert not drawn(dense, away, "skin").any()


def test_a_ball_in_flat_leaning_voxels_looks_round() -> None:
    shape, steps = (40, 60, 60), LEANING
    volume = placed(np.zeros(shape, np.int16), steps)
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    mm = places @ volume.geometry.to_patient[:, :3].T
    distance = np.linalg.norm(mm - mm[20, 30, 30], axis=-1)
    volume = placed(np.clip((15.0 - distance) * 400 + 300, -1000, 1000).astype(np.int16), steps)
    rays = around(volume, (90, 90), yaw=40, pitch=25)

    shown = drawn(volume, rays, "bone", size=(90, 90)).max(axis=2) > 20

    pixel = float(np.linalg.norm(volume.geometry.to_patient[:, :3] @ np.array(rays.column_step)))
    assert shown.any(axis=0).sum() * pixel == pytest.approx(30.0, abs=2 * pixel)
    assert shown.any(axis=1).sum() * pixel == pytest.approx(30.0, abs=2 * pixel)
    assert shown.sum() * pixel**2 == pytest.approx(math.pi * 15**2, rel=0.03)


def test_light_comes_from_above_on_the_left() -> None:
    distance = np.linalg.norm(np.stack(np.meshgrid(*[np.arange(40) - 19.5] * 3, indexing="ij")), axis=0)
    volume = placed(np.clip((14.0 - distance) * 300 + 300, -1000, 1200).astype(np.int16))
    picture = drawn(volume, around(volume, (60, 60), 0.0, 0.0), "bone", size=(60, 60)).sum(axis=2)
    upper_left, upper_right, lower_right = picture[23, 23], picture[23, 36], picture[36, 36]

    assert upper_left > upper_right > lower_right > 0


def test_a_box_around_everything_changes_nothing_and_an_empty_one_shows_nothing() -> None:
    volume = placed(smooth((24, 30, 41)))
    rays = around(volume, (40, 50))
    everything = ((-1e3, -1e3, -1e3), (1e3, 1e3, 1e3))
    np.testing.assert_array_equal(drawn(volume, rays, clip=everything), drawn(volume, rays))
    assert not drawn(volume, rays, clip=((500.0,) * 3, (600.0,) * 3)).any()


# --- what saves time changes nothing


@pytest.mark.skipif(not lanes.AVAILABLE, reason="this processor draws pixel by pixel")
@pytest.mark.parametrize("preset", ["bone", "soft tissue", "lung", "skin"])
@pytest.mark.parametrize(
    "volume",
    [
        pytest.param(placed(smooth((40, 70, 81))), id="square"),
        pytest.param(placed(smooth((14, 33, 30), 2), FLAT), id="flat voxels"),
        pytest.param(placed(smooth((40, 50, 73), 3), LEANING), id="leaning"),
        pytest.param(placed(pocked(smooth((20, 50, 73), 4)), FLAT), id="holes"),
        pytest.param(placed(pocked(smooth((20, 50, 73), 4)).astype(np.float32), FLAT, slope=0.5), id="floats"),
        pytest.param(placed(noise((2, 2, 3), -700, 700)), id="hardly any voxels"),
    ],
)
def test_many_rays_at_once_give_the_very_bytes_of_one_at_a_time(volume: Volume, preset: str) -> None:
    for yaw, pitch, step, size in [
        (30.0, 20.0, 0.7, (40, 50)),
        (0.0, 0.0, 0.75, (33, 19)),
        (200.0, -70.0, 0.2, (9, 8)),
    ]:
        rays = around(volume, size, yaw, pitch, step)
        table = table_of(preset, volume, step_of(volume, rays))
        low, high = volume.geometry.point((1.0, 2.0, 3.0)), volume.geometry.point((9.0, 30.0, 70.0))
        for clip in (None, (tuple(np.minimum(low, high)), tuple(np.maximum(low, high)))):
            numbers = describe(volume, rays, table, clip)  # type: ignore[arg-type]
            arrays = volume.values, volume.holes, table.colours, table.leaps, numbers
            pictures = np.full((2, *size, 3), 77, np.uint8)
            shading.composite_rows(*arrays, 1, size[0], pictures[0])
            packets.composite_rows(*arrays, 1, size[0], pictures[1])
            np.testing.assert_array_equal(pictures[1], pictures[0])


@pytest.mark.parametrize("preset", ["bone", "lung", "skin"])
def test_passing_over_bricks_changes_no_byte(preset: str) -> None:
    values = np.full((60, 70, 90), -1000, np.int16)
    values[5:29, 10:40, 41:82] = smooth((24, 30, 41))
    volume = placed(values, FLAT)
    rays = around(volume, (40, 50))
    table = table_of(preset, volume, step_of(volume, rays))
    everywhere = dataclasses.replace(table, leaps=np.zeros_like(table.leaps))

    assert table.leaps.max() >= 3
    np.testing.assert_array_equal(drawn(volume, rays, table), drawn(volume, rays, everywhere))


def test_rows_do_not_depend_on_the_band_they_are_drawn_in() -> None:
    volume = placed(smooth((24, 30, 41)), LEANING)
    rays = around(volume, (41, 53))
    table = table_of("soft tissue", volume, step_of(volume, rays))
    whole = drawn(volume, rays, table, size=(41, 53))
    for first, end in [(0, 1), (1, 7), (7, 40), (40, 41)]:
        band = np.empty((end - first, 53, 3), np.uint8)
        composite(volume, rays, table, None, first, end, band)
        np.testing.assert_array_equal(band, whole[first:end])
