"""Pictures of the CUDA kernels beside those of the CPU: the same bytes, of small volumes of every kind.

On a machine with a graphics processor they are drawn by it. Without one, `test_device_simulator` runs this file once more in
Numba's CUDA simulator, which executes the same kernels thread by thread.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.viewer.rendering.ray_judge import judge
from tests.viewer.rendering.standins import CUDA_STAND_IN, CupyStandIn
from viewer.rendering.bricks import bricks_of
from viewer.rendering.compositing import composite, step_of
from viewer.rendering.device import Device, find
from viewer.rendering.device_check import WINDOW, differences, waves
from viewer.rendering.device_cuda import Cuda
from viewer.rendering.grey import RAMP, SIGMOID, TABLE, Greyscale, shade
from viewer.rendering.projections import PROJECTIONS, Rays, project
from viewer.rendering.render import render
from viewer.rendering.transfer import presets_for, table_of
from viewer.rendering.view import View
from viewer.rendering.volume import HOLE, Volume

SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
SIZE = (9, 11)
RAYS = Rays((1.1, -2.2, -1.2), (0.21, 2.1, 0.16), (0.17, -0.19, 2.4), (0.83, 0.12, -0.1), samples=16)


def simulated() -> Cuda:
    from viewer.rendering import device_kernels

    # Blocks of two threads: the simulator's threads stand in each other's way, sixteen take thirty times as long.
    return Cuda(CupyStandIn(), CUDA_STAND_IN, device_kernels.kernels(), (2, 1))


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    found = find("on", open_processor=simulated) if SIMULATED else find("auto")
    if found is None:
        pytest.skip("no graphics processor here; the simulator draws these pictures in test_device_simulator")
    assert found.lost == ""
    yield found
    found.close()


def volume_of(dtype: type, holes: bool) -> Volume:
    """As the check's, with a hole or without; each kind under a key of its own."""
    random = np.random.default_rng(5)
    values = waves(dtype).values + random.integers(-30, 30, waves(dtype).values.shape).astype(dtype)
    empty = HOLE if dtype is np.int16 else math.nan
    values = values.astype(dtype)
    values[6:9, 8:12, 9:15] = empty if holes else 12
    if holes:
        values[random.random(values.shape) < 0.05] = empty
    values.flags.writeable = False
    bricks = bricks_of(values)
    return replace(waves(dtype), key=f"{dtype} {holes}", values=values, holes=holes, bricks=bricks)


def on_cpu(volume: Volume, rays: Rays, projection: str, sub: int, pipeline: Greyscale, *more: Any) -> NDArray[np.uint8]:
    values = np.empty((SIZE[0] * sub, SIZE[1] * sub), np.float32)
    project(volume, rays, projection, 0, SIZE[0] * sub, values, *more)
    picture = np.empty(SIZE, np.uint8)
    shade(values, sub, pipeline, picture)
    return picture


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize(("dtype", "holes"), [(np.int16, False), (np.int16, True), (np.float32, True)])
def test_projections_are_those_of_the_cpu(device: Device, projection: str, dtype: type, holes: bool) -> None:
    volume = volume_of(dtype, holes)
    ends = (-math.inf, math.inf) if projection in ("slice", "mean") else (-200.0, 300.0)
    there = device.sampled(volume, RAYS, projection, SIZE, 1, WINDOW, *ends)
    here = on_cpu(volume, RAYS, projection, 1, WINDOW, *ends)

    np.testing.assert_array_equal(there, here)
    assert len(np.unique(here)) > 10


@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize(("dtype", "holes"), [(np.int16, False), (np.float32, True)])
def test_projections_are_those_of_the_definition(device: Device, projection: str, dtype: type, holes: bool) -> None:
    volume = volume_of(dtype, holes)
    rays = replace(RAYS, samples=1) if projection == "slice" else RAYS
    there = device.sampled(volume, rays, projection, SIZE, 1, WINDOW, -math.inf, math.inf)
    expected, edges = judge(volume.values, rays, projection, SIZE)
    grey = np.clip(np.floor(((expected - 39.5) / 399.0 + 0.5) * 255.0 + 0.5), 0.0, 255.0)
    grey = np.where(np.isnan(expected), 0.0, grey)

    assert np.abs(there - grey)[~edges].max() <= 1.0
    assert np.mean(edges) < 0.2


@pytest.mark.parametrize(
    "pipeline",
    [
        WINDOW._replace(inverted=True, slope=2.5, intercept=-100.25),
        WINDOW._replace(curve=SIGMOID, center=40.0, width=400.0),
        WINDOW._replace(curve=TABLE, table=np.linspace(0.0, 255.0, 700), table_first=-400.0),
    ],
    ids=["inverted", "sigmoid", "table"],
)
def test_the_window_is_that_of_the_cpu(device: Device, pipeline: Greyscale) -> None:
    volume = volume_of(np.int16, True)
    there = device.sampled(volume, RAYS, "slice", SIZE, 1, pipeline, -math.inf, math.inf)

    np.testing.assert_allclose(
        there, on_cpu(volume, RAYS, "slice", 1, pipeline).astype(int), atol=pipeline.curve == SIGMOID
    )


def test_means_of_several_rays_are_those_of_the_cpu(device: Device) -> None:
    volume = volume_of(np.int16, True)
    halves = Rays(RAYS.origin, *(tuple(x / 2 for x in step) for step in (RAYS.row_step, RAYS.column_step)))
    there = device.sampled(volume, halves, "slice", SIZE, 2, WINDOW, -math.inf, math.inf)

    np.testing.assert_array_equal(there, on_cpu(volume, halves, "slice", 2, WINDOW))


def test_a_slice_on_the_grid_is_the_voxels_themselves(device: Device) -> None:
    volume = volume_of(np.int16, False)
    rays = Rays((4.0, 2.0, 3.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    window = WINDOW._replace(curve=RAMP, center=127.5, width=255.0, low=0.0, high=255.0)
    there = device.sampled(volume, rays, "slice", SIZE, 1, window, -math.inf, math.inf)

    np.testing.assert_array_equal(there, np.clip(volume.values[4, 2:11, 3:14], 0, 255))


def test_a_channel_of_a_colour_volume_is_drawn_on_its_own(device: Device) -> None:
    values = np.random.default_rng(1).integers(0, 256, (3, 5, 14, 15)).astype(np.int16)
    values.flags.writeable = False
    volume = replace(waves(np.int16), key="colour", values=values, holes=False, bricks=None)
    for channel in range(3):
        there = device.sampled(volume, RAYS, "mip", SIZE, 1, WINDOW, -math.inf, math.inf, channel)
        np.testing.assert_array_equal(there, on_cpu(volume, RAYS, "mip", 1, WINDOW, -math.inf, math.inf, channel))


@pytest.mark.parametrize(("dtype", "holes"), [(np.int16, False), (np.float32, True)])
@pytest.mark.parametrize("clip", [None, ((2.0, 3.0, 4.0), (14.0, 18.0, 21.0))])
def test_volume_pictures_are_those_of_the_cpu(device: Device, dtype: type, holes: bool, clip: Any) -> None:
    volume = volume_of(dtype, holes)
    table = table_of(presets_for(volume.description)[0], volume, step_of(volume, RAYS))
    here = np.empty((*SIZE, 3), np.uint8)
    composite(volume, RAYS, table, clip, 0, SIZE[0], here)
    there = device.lit(volume, RAYS, table, clip, SIZE)

    np.testing.assert_array_equal(there, here)
    assert len(np.unique(here)) > 10


@pytest.mark.parametrize("projection", ["slice", "mip", "volume"])
def test_the_engine_gets_the_same_picture_from_the_device(device: Device, projection: str) -> None:
    volume = volume_of(np.int16, True)
    preset = presets_for(volume.description)[0] if projection == "volume" else None
    thickness = None if projection == "slice" else "all"
    # Pixels as large as voxels take one ray each; as many as the simulator draws in a second or two.
    view = View(
        plane="coronal",
        projection=projection,
        size=SIZE,
        pixel_spacing=1.0,
        volume_preset=preset,
        slab_thickness=thickness,
    )
    here = render(volume, view)
    there = render(volume, view, device=device)

    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert (there.renderer, here.renderer) == ("cuda/1", "numba/1")
    assert there.warnings == here.warnings
    assert len(np.unique(here.pixels)) > 10


@pytest.mark.skipif(SIMULATED, reason="too many pixels for the simulator")
def test_the_check_at_start_finds_nothing_wrong(device: Device) -> None:
    assert differences(device) == ""
