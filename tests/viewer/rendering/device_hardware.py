"""What only a graphics processor can show: run by `make gpu`, on a machine that has one. Here nothing is skipped: without one
every test fails. (The suite collects files named test_*; `test_device_pictures` and `test_device_simulator` are its share.)
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.viewer.rendering.frames import noise
from tests.viewer.rendering.small_volumes import VOLUMES, volume, with_holes
from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.dicom.stacks import build_stacks
from viewer.engine.assembling import load_volume
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine
from viewer.engine.metrics import exposition
from viewer.phantom.studies import write_ct
from viewer.rendering.device import Device, DeviceFailed, find
from viewer.rendering.device_check import differences
from viewer.rendering.render import Picture, render
from viewer.rendering.transfer import presets_for
from viewer.rendering.view import View
from viewer.rendering.volume import Volume

OBLIQUE = {"row": (0.8, 0.6, 0.0), "column": (-0.36, 0.48, 0.8)}
PLANES: dict[str, Any] = {"axial": "axial", "coronal": "coronal", "sagittal": "sagittal", "oblique": OBLIQUE}
PROJECTIONS = ("slice", "mip", "minip", "mean", "volume")
WINDOW = {"window_center": 300.0, "window_width": 2600.0}
ODD = [131, 203]
"""Whole blocks of threads on neither side."""
MEGABYTES = 1 << 20


@pytest.fixture(scope="module")
def device() -> Iterator[Device]:
    found = find("on")
    assert found is not None
    assert found.lost == ""
    found.warm()
    assert found.lost == "", "the check at the start"
    yield found
    found.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[InstanceFile, ...]:
    """The phantom's CT as a series comes to the engine."""
    paths = write_ct(tmp_path_factory.mktemp("chest"), shape=(48, 160, 160))
    return tuple(InstanceFile(path, path.name, read_instance(path).index) for path in paths)


@pytest.fixture(scope="module")
def chest(files: tuple[InstanceFile, ...]) -> Volume:
    (stack,) = build_stacks(frame for file in files for frame in frame_sources(file))
    return load_volume(stack)


def asked(plane: str, projection: str, **more: Any) -> View:
    wanted: dict[str, Any] = {"plane": PLANES[plane], "projection": projection, "size": ODD}
    if projection == "volume":
        wanted |= {"slab_thickness": "all"}
    else:
        wanted |= WINDOW | {"slab_thickness": 0.0 if projection == "slice" else 6.5}
    return View.from_json(wanted | more)


def both(drawn: Volume, view: View, device: Device, **more: Any) -> tuple[Picture, Picture]:
    """(by the device, by the CPU)."""
    there, here = render(drawn, view, device=device, **more), render(drawn, view, **more)
    assert (there.renderer, here.renderer) == (device.renderer, "numba/1"), there.warnings
    return there, here


def assert_same(drawn: Volume, view: View, device: Device, **more: Any) -> None:
    there, here = both(drawn, view, device, **more)
    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert len(np.unique(here.pixels)) > 8, "nothing to compare"


@pytest.mark.parametrize(
    ("kind", "projection"),
    [(kind, one) for kind in VOLUMES for one in PROJECTIONS if (kind, one) != ("colour", "volume")],
)
@pytest.mark.parametrize("plane", PLANES)
def test_every_picture_of_every_kind_of_volume_is_that_of_the_cpu(
    device: Device, kind: str, plane: str, projection: str
) -> None:
    assert_same(VOLUMES[kind], asked(plane, projection), device)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("projection", PROJECTIONS)
@pytest.mark.parametrize("size", [[512, 512], [1, 700], [48, 40]])
def test_pictures_of_a_phantom_are_those_of_the_cpu_at_any_size(
    device: Device, chest: Volume, plane: str, projection: str, size: list[int]
) -> None:
    window = {} if projection == "volume" else {"window_center": 40.0, "window_width": 400.0}
    there, here = both(chest, asked(plane, projection, size=size, **window), device)

    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert size[0] == 1 or len(np.unique(here.pixels)) > 8


@pytest.mark.parametrize("preset", ["bone", "vessels", "soft tissue", "lung", "skin"])
def test_every_preset_of_a_volume_picture_is_that_of_the_cpu(device: Device, chest: Volume, preset: str) -> None:
    assert preset in presets_for(chest.description)
    center = np.array(chest.geometry.point((24.0, 80.0, 80.0)))
    for more in ({}, {"clip": [(center - 70.0).tolist(), np.add(center, (90.0, 60.0, 80.0)).tolist()]}):
        assert_same(chest, asked("oblique", "volume", volume_preset=preset, **more), device)


def test_a_sigmoid_is_within_a_grey_level(device: Device, chest: Volume) -> None:
    there, here = both(chest, asked("oblique", "mip", voi_lut_function="SIGMOID"), device)
    apart = np.abs(there.pixels.astype(int) - here.pixels)

    assert apart.max() <= 1
    assert (apart > 0).mean() < 0.001
    assert len(np.unique(here.pixels)) > 100


def test_whole_projections_of_a_noisy_volume_are_those_of_the_cpu_from_every_side(device: Device) -> None:
    values = noise((70, 230, 190))
    for number, kept in enumerate((values, with_holes(values, 0.02), values.astype(np.float32) / np.float32(7))):
        drawn = replace(volume(kept, ((0.1, 0.0, -1.3), (0.0, 0.8, 0.0), (0.7, 0.0, 0.0))), key=f"noise {number}")
        for turn in range(6):
            angle = 0.55 * turn
            row = (float(np.cos(angle)), 0.0, float(np.sin(angle)))
            view = asked("axial", PROJECTIONS[1 + turn % 4])
            assert_same(
                drawn, replace(view, plane=(row, (0.0, 1.0, 0.0)), slab_thickness="all", size=(300, 333)), device
            )


def test_one_series_over_another_is_that_of_the_cpu(device: Device, chest: Volume) -> None:
    over = volume(
        noise((12, 40, 40)),
        ((0.0, 0.0, -20.0), (0.0, 10.0, 0.0), (10.0, 0.0, 0.0)),
        tuple(float(x) for x in chest.geometry.point((0, 0, 0))),  # type: ignore[arg-type]
        frame_of_reference_uid=chest.geometry.frame_of_reference_uid,
    )
    fusion = {"series": "1.2.9", "opacity": 0.6, "window_center": 500, "window_width": 900}
    assert_same(chest, asked("oblique", "slice", fusion=fusion), device, fused=over)


def test_a_picture_has_the_same_bytes_every_time(device: Device, chest: Volume) -> None:
    views = [asked("oblique", projection) for projection in PROJECTIONS]
    first = [render(chest, view, device=device).pixels.tobytes() for view in views]
    for _ in range(20):
        assert [render(chest, view, device=device).pixels.tobytes() for view in views] == first


def test_many_readers_at_once_get_their_own_pictures(device: Device, chest: Volume) -> None:
    drawn = [chest, VOLUMES["holes"], VOLUMES["floats"], VOLUMES["turned"]]
    wishes = [
        (of, asked("oblique", PROJECTIONS[(turn + number) % 5], rotation=90 * (turn % 4)))
        for turn in range(40)
        for number, of in enumerate(drawn)
    ]
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(lambda wish: render(*wish, device=device), wishes))
    expected: dict[Any, NDArray[np.uint8]] = {}
    for (of, view), picture in zip(wishes, pictures, strict=True):
        if (of.key, view) not in expected:
            expected[of.key, view] = render(of, view).pixels
        assert picture.renderer == device.renderer
        np.testing.assert_array_equal(picture.pixels, expected[of.key, view])


def test_readers_of_the_engine_get_pictures_by_the_device_and_the_metrics_say_so(
    files: tuple[InstanceFile, ...], chest: Volume
) -> None:
    views = [asked("oblique", PROJECTIONS[turn % 5], rotation=90 * (turn % 4)) for turn in range(20)]

    async def read() -> tuple[list[Any], str]:
        engine = Engine(Budget.measure(frames=1 << 20), decode_children=1, find_device=lambda: find("on"))
        await engine.start()
        try:
            series = await engine.open(SeriesContent("1.2.3", "hospital", "1", files))
            drawn = await asyncio.gather(*(engine.draw(series, view, "image/png") for view in views))
            return drawn, exposition(engine)
        finally:
            await engine.stop()

    drawn, told = asyncio.run(read())
    for view, picture in zip(views, drawn, strict=True):
        assert picture.header["renderer"] == "cuda/1", picture.header["warnings"]
        np.testing.assert_array_equal(imagecodecs.png_decode(picture.payload), render(chest, view).pixels)
    lines = told.splitlines()
    assert "farview_gpu 1" in lines
    (held,) = (line.split()[-1] for line in lines if line.startswith('farview_cache_bytes{cache="gpu"}'))
    checked = MEGABYTES  # what the check at the start has left there, at most
    assert chest.values.nbytes <= float(held) < chest.values.nbytes + checked
    assert f'farview_pictures_total{{renderer="cuda/1",source="volume"}} {len(views)}' in lines


# --- its memory


def free() -> int:
    """Bytes of the device that nobody has, once all that was given back is back."""
    import cupy

    cupy.cuda.runtime.deviceSynchronize()
    return int(cupy.cuda.runtime.memGetInfo()[0])


def large(number: int) -> Volume:
    """256 MB of whole numbers, each volume with its own."""
    values = np.full((256, 512, 1024), 100 * number, np.int16)
    values[::2] += 50
    return replace(volume(np.zeros((2, 2, 2), np.int16)), key=f"large {number}", **_of(values))


def _of(values: NDArray[np.int16]) -> dict[str, Any]:
    values.flags.writeable = False
    like = volume(np.zeros((2, 2, 2), np.int16))
    return {"values": values, "geometry": replace(like.geometry, shape=values.shape), "bricks": None}


@pytest.fixture
def small_device() -> Iterator[Callable[[int], Device]]:
    """A device of its own with so many bytes for volumes."""
    opened: list[Device] = []

    def make(limit: int = 0) -> Device:
        found = find("on", limit)
        assert found is not None
        assert found.lost == ""
        opened.append(found)
        return found

    yield make
    for found in opened:
        found.close()


@pytest.fixture
def taken() -> Iterator[Callable[[int], None]]:
    """Takes the memory of the device until so many bytes are left, as another program on it would."""
    import cupy

    held: list[int] = []

    def take(left: int) -> None:
        held.append(cupy.cuda.runtime.malloc(free() - left))

    yield take
    for pointer in held:
        cupy.cuda.runtime.free(pointer)


def test_volumes_stay_within_their_limit_and_the_memory_comes_back(small_device: Callable[[int], Device]) -> None:
    find_one = small_device(600 * MEGABYTES)
    render(VOLUMES["holes"], asked("axial", "mip"), device=find_one)
    before = free()
    for number in range(6):
        drawn = large(number)
        assert_same_greys(drawn, find_one)
        assert before - free() <= 610 * MEGABYTES
    volumes = find_one.volumes
    assert volumes is not None
    assert (len(volumes), volumes.counts.evicted) == (2, 5)  # the small one left as well
    find_one.close()
    assert before - free() <= 16 * MEGABYTES


def assert_same_greys(drawn: Volume, device: Device) -> None:
    view = asked("coronal", "slice", size=[60, 80])
    there, here = both(drawn, view, device)
    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert here.pixels.any()


def test_out_of_memory_forgets_other_volumes_and_draws(
    small_device: Callable[[int], Device], taken: Callable[[int], None]
) -> None:
    device = small_device(1 << 40)
    assert_same_greys(large(1), device)
    taken(100 * MEGABYTES)
    assert_same_greys(large(2), device)
    assert device.volumes is not None
    assert (len(device.volumes), device.volumes.counts.evicted) == (1, 1)
    assert not device.lost


def test_without_memory_the_cpu_draws_with_a_note_and_the_device_draws_again_when_there_is_some(
    small_device: Callable[[int], Device],
) -> None:
    import cupy

    device = small_device(1 << 40)
    assert_same_greys(VOLUMES["floats"], device)
    drawn, view = large(3), asked("coronal", "slice", size=[60, 80])
    occupied = cupy.cuda.runtime.malloc(free() - 64 * MEGABYTES)
    try:
        picture = render(drawn, view, device=device)
    finally:
        cupy.cuda.runtime.free(occupied)

    assert picture.renderer == "numba/1"
    assert picture.warnings[-1] == "The graphics processor is out of memory."
    np.testing.assert_array_equal(picture.pixels, render(drawn, view).pixels)
    assert not device.lost
    assert_same_greys(drawn, device)


def test_pictures_leave_nothing_behind(device: Device, chest: Volume) -> None:
    views = [asked("oblique", projection, size=[700, 900]) for projection in PROJECTIONS]
    for view in views:
        render(chest, view, device=device)
    before = free()
    for _ in range(50):
        for view in views:
            render(chest, view, device=device)
    assert free() == before


# --- its life


def test_the_check_at_the_start_finds_nothing_wrong_and_a_second_device_draws_after_the_first_closed(
    small_device: Callable[[int], Device],
) -> None:
    for _ in range(2):
        device = small_device(0)
        assert differences(device) == ""
        assert device.name.startswith(("NVIDIA", "Tesla", "Quadro", "GeForce"))
        device.close()
        with pytest.raises(DeviceFailed):
            differences(device)


BROKEN = """
import numpy as np
from numba import cuda
from viewer.rendering.device import find
from viewer.rendering.device_check import waves
from viewer.rendering.render import render
from viewer.rendering.view import View

device = find("on")
assert device.lost == "", device.lost
device.warm()
assert device.lost == "", device.lost
drawn, view = waves(np.int16), View(plane="axial", size=(20, 20))
assert render(drawn, view, device=device).renderer == device.renderer

@cuda.jit
def astray(values, *more):
    values[cuda.grid(1) + (1 << 40)] = 1

sound = device._processor.launch
device._processor.launch = lambda kernel, size, *arguments: astray[1, 32, device._processor._launch_stream](
    device._processor.empty((4,), np.float32))
for _ in range(2):
    picture = render(drawn, view, device=device)
    assert picture.renderer == "numba/1", picture.renderer
    assert picture.warnings[-1].startswith("The graphics processor failed ("), picture.warnings
    assert picture.pixels.tobytes() == render(drawn, view).pixels.tobytes()
device._processor.launch = sound
assert render(drawn, view, device=device).renderer == "numba/1"  # the context is spoilt for good
device.close()
print("drawn by the CPU")
"""


def test_after_an_error_of_the_driver_the_cpu_draws_every_picture_and_the_process_ends_well() -> None:
    root = Path(__file__).resolve().parents[3]
    found = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=120, cwd=root)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.strip() == "drawn by the CPU"
