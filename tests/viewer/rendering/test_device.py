"""A graphics processor that fails in every way: there is always a note, and never a picture that was not drawn."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.viewer.rendering.standins import CUDA_STAND_IN, CupyStandIn, OutOfMemoryError
from viewer.rendering import device as devices
from viewer.rendering.device import Device, DeviceFailed, find
from viewer.rendering.device_check import WINDOW, waves
from viewer.rendering.device_cuda import Cuda
from viewer.rendering.device_memory import HeldVolumes, TooLargeForDevice
from viewer.rendering.projections import Rays
from viewer.rendering.render import render
from viewer.rendering.view import View
from viewer.rendering.volume import Volume

AXIAL = Rays((0.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
VOXELS = np.arange(2 * 4 * 4, dtype=np.int16).reshape(2, 4, 4)


def launches(kernels: dict[str, Callable[..., None]]) -> dict[str, Any]:
    """Kernels as `Cuda` takes them: kernel[blocks, threads, stream](arguments)."""

    class Kernel:
        def __init__(self, work: Callable[..., None]) -> None:
            self.work = work

        def __getitem__(self, configuration: tuple[Any, ...]) -> Callable[..., None]:
            return self.work

    return {name: Kernel(work) for name, work in kernels.items()}


def fill(*arguments: Any) -> None:
    """In place of `finish`: every pixel is the first voxel that `project` left."""
    arguments[-1][...] = arguments[0].flat[0]


def first_voxel(values: NDArray[Any], *arguments: Any) -> None:
    arguments[-1][...] = values.flat[0]


def cuda(cupy: CupyStandIn, **kernels: Callable[..., None]) -> Cuda:
    return Cuda(cupy, CUDA_STAND_IN, launches({"project": first_voxel, "finish": fill, **kernels}), (16, 16))


@pytest.fixture
def opened() -> Iterator[Callable[..., Device]]:
    """Devices over stand-ins, closed at the end."""
    made: list[Device] = []

    def make(processor: Cuda, limit: int = 0) -> Device:
        device = Device(lambda: processor, limit)
        made.append(device)
        device.open()
        return device

    yield make
    for device in made:
        device.close()


def volume(first: int, key: str, values: NDArray[np.int16] = VOXELS) -> Volume:
    values = values.copy()
    values.flat[0] = first
    return replace(waves(np.int16), key=key, values=values)


def draw(device: Device, drawn: Volume, size: tuple[int, int] = (4, 4)) -> NDArray[np.uint8]:
    return device.sampled(drawn, AXIAL, "slice", size, 1, WINDOW, -np.inf, np.inf)


def test_what_was_drawn_comes_back_and_stays(opened: Callable[..., Device]) -> None:
    cupy = CupyStandIn()
    device = opened(cuda(cupy))
    first = draw(device, volume(7, "a"))
    second = draw(device, volume(9, "b"))

    assert (first == 7).all()
    assert (second == 9).all()
    assert device.name == "Stand-in"
    assert cupy.log.count("pinned 16") == 1  # the landing place is made once
    assert cupy.log.count("synchronize") == 2


def test_nothing_but_volumes_stays_on_the_device(opened: Callable[..., Device]) -> None:
    cupy = CupyStandIn()
    device = opened(cuda(cupy))
    for _ in range(3):
        draw(device, volume(7, "a"))
        draw(device, volume(7, "b"))
    assert device.volumes is not None
    assert (device.volumes.counts.misses, device.volumes.counts.hits) == (2, 4)
    assert cupy.used == device.volumes.used == 2 * VOXELS.nbytes


def test_off_looks_for_no_device() -> None:
    def never() -> Any:
        raise AssertionError("looked for one")

    assert find("off", open_processor=never) is None


def missing() -> Any:
    raise ModuleNotFoundError("No module named 'cupy'")


def test_auto_is_content_without_a_device(caplog: pytest.LogCaptureFixture) -> None:
    assert find("auto", open_processor=missing) is None
    assert caplog.text == ""


def test_auto_says_why_a_device_that_was_prepared_for_is_not_found(caplog: pytest.LogCaptureFixture) -> None:
    def no_driver() -> Any:
        raise RuntimeError("the driver shows no graphics processor")

    assert find("auto", open_processor=no_driver) is None
    assert "the driver shows no graphics processor" in caplog.text


def test_on_without_a_device_says_so_with_every_picture(caplog: pytest.LogCaptureFixture) -> None:
    device = find("on", open_processor=missing)

    assert device is not None
    assert "No module named 'cupy'" in caplog.text
    for _ in range(2):
        with pytest.raises(DeviceFailed, match="There is no graphics processor to draw with"):
            draw(device, volume(1, "a"))
    device.warm()
    device.close()


def test_without_the_packages_the_real_one_is_not_found() -> None:
    pytest.importorskip("numba.cuda")
    found = find("auto")
    if found is not None:  # this machine has one
        assert found.name
        found.close()


def test_a_device_out_of_memory_forgets_its_volumes_and_tries_again(opened: Callable[..., Device]) -> None:
    cupy = CupyStandIn(memory=3000)
    device = opened(cuda(cupy), limit=1 << 20)
    large = np.zeros((2, 20, 20), np.int16)
    for number in range(6):
        assert (draw(device, volume(number, str(number), large)) == number).all()
    assert device.volumes is not None
    assert len(device.volumes) == 1
    assert device.volumes.counts.evicted == 5
    assert not device.lost


def test_a_device_that_stays_out_of_memory_fails_this_picture_and_draws_the_next(opened: Callable[..., Device]) -> None:
    device = opened(cuda(CupyStandIn(memory=1 << 12)), limit=1 << 20)
    for _ in range(2):
        with pytest.raises(DeviceFailed, match="out of memory"):
            draw(device, volume(1, "large", np.zeros((2, 40, 40), np.int16)))
    assert (draw(device, volume(5, "small")) == 5).all()
    assert not device.lost


@pytest.mark.parametrize(("attribute", "said"), [("status", "CUDARuntimeError"), ("code", "CudaAPIError")])
def test_out_of_memory_is_known_by_its_number_too(attribute: str, said: str) -> None:
    processor = cuda(CupyStandIn())
    error = type(said, (RuntimeError,), {attribute: 2})()
    other = type(said, (RuntimeError,), {attribute: 700})()

    assert processor.is_out_of_memory(error)
    assert processor.is_out_of_memory(OutOfMemoryError())
    assert not processor.is_out_of_memory(other)
    assert not processor.is_out_of_memory(MemoryError())


def test_a_volume_beyond_the_limit_is_not_brought_to_the_device(opened: Callable[..., Device]) -> None:
    device = opened(cuda(CupyStandIn()), limit=VOXELS.nbytes)
    with pytest.raises(DeviceFailed, match="takes more memory"):
        draw(device, volume(1, "large", np.zeros((2, 8, 8), np.int16)))
    assert (draw(device, volume(5, "a")) == 5).all()


def test_any_other_failure_is_the_last(opened: Callable[..., Device], caplog: pytest.LogCaptureFixture) -> None:
    called: list[int] = []

    def broken(*arguments: Any) -> None:
        called.append(1)
        raise RuntimeError("an illegal memory access was encountered")

    device = opened(cuda(CupyStandIn(), finish=broken))
    for _ in range(2):
        with pytest.raises(DeviceFailed, match=r"failed \(RuntimeError\)"):
            draw(device, volume(1, "a"))
    assert len(called) == 1
    assert "illegal memory access" in caplog.text
    assert "until the server is started anew" in caplog.text


def test_a_device_that_does_not_answer_is_given_up(
    opened: Callable[..., Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()
    device = opened(cuda(CupyStandIn(), finish=lambda *arguments: answers.wait(10)))
    monkeypatch.setattr(device, "_seconds", 0.05)

    with pytest.raises(DeviceFailed, match="does not answer"):
        draw(device, volume(1, "a"))
    with pytest.raises(DeviceFailed, match="does not answer"):
        draw(device, volume(2, "b"))
    answers.set()


def test_a_device_that_draws_otherwise_than_the_cpu_is_given_up(
    opened: Callable[..., Device], caplog: pytest.LogCaptureFixture
) -> None:
    device = opened(cuda(CupyStandIn()))
    device.warm()

    assert "draws otherwise than the CPU (slice of int16 by 2" in caplog.text
    with pytest.raises(DeviceFailed, match="draws otherwise"):
        draw(device, volume(1, "a"))


def test_many_threads_draw_one_after_the_other_in_one_thread(opened: Callable[..., Device]) -> None:
    inside: list[int] = []
    most: list[int] = []
    threads: set[str] = set()

    def finish(*arguments: Any) -> None:
        inside.append(1)
        most.append(len(inside))
        threads.add(threading.current_thread().name)
        fill(*arguments)
        inside.pop()

    device = opened(cuda(CupyStandIn(), finish=finish))
    with ThreadPoolExecutor(8) as pool:
        pictures = list(pool.map(lambda number: draw(device, volume(number, str(number))), range(64)))
    assert [int(picture[0, 0]) for picture in pictures] == list(range(64))
    assert max(most) == 1
    assert threads == {"device"}


def test_a_closed_device_draws_nothing_and_holds_nothing(opened: Callable[..., Device]) -> None:
    cupy = CupyStandIn()
    device = opened(cuda(cupy))
    draw(device, volume(1, "a"))
    device.close()
    device.close()
    assert cupy.used == 0
    with pytest.raises(DeviceFailed):
        draw(device, volume(1, "a"))


def test_a_picture_that_the_device_cannot_draw_is_the_cpus_with_a_note(opened: Callable[..., Device]) -> None:
    view = View(plane="axial", size=(20, 20))
    drawn = waves(np.int16)
    device = opened(cuda(CupyStandIn()), limit=1)
    picture = render(drawn, view, device=device)

    np.testing.assert_array_equal(picture.pixels, render(drawn, view).pixels)
    assert picture.renderer == "numba/1"
    assert picture.warnings == ("This volume takes more memory than the graphics processor has for volumes.",)
    assert picture.pixels.any()


def test_a_volume_leaves_when_room_is_needed_the_one_not_looked_at_for_longest_first() -> None:
    released: list[int] = []
    uploads: list[int] = []
    held = HeldVolumes(100, lambda array: uploads.append(array[0]) or array, lambda: released.append(1))
    arrays = {key: np.full(40, number, np.uint8) for number, key in enumerate("abcd")}
    held.get("a", arrays["a"])
    held.get("b", arrays["b"])
    held.get("a", arrays["a"])
    held.get("c", arrays["c"])  # b leaves
    held.get("a", arrays["a"])

    assert uploads == [0, 1, 2]
    assert (held.used, len(held), held.counts.evicted, len(released)) == (80, 2, 1, 1)
    with pytest.raises(TooLargeForDevice):
        held.get("e", np.zeros(101, np.uint8))
    assert len(held) == 2
    held.clear()
    assert (held.used, len(held)) == (0, 0)


def test_an_upload_that_fails_leaves_nothing_behind() -> None:
    def refuse(array: NDArray[Any]) -> Any:
        raise OutOfMemoryError

    held = HeldVolumes(100, refuse, lambda: None)
    with pytest.raises(OutOfMemoryError):
        held.get("a", np.zeros(10, np.uint8))
    assert (held.used, len(held)) == (0, 0)


def test_how_long_pictures_may_take_is_short_once_the_kernels_are_compiled(
    opened: Callable[..., Device], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    device = opened(cuda(CupyStandIn()))
    assert device._seconds == devices.WARM_SECONDS
    monkeypatch.setattr(devices, "differences", lambda device: "")
    with caplog.at_level(logging.ERROR):
        device.warm()
    assert device._seconds == devices.DRAW_SECONDS
    assert not device.lost
    assert caplog.text == ""


def test_what_only_a_graphics_processor_can_show_still_loads_and_is_what_make_gpu_runs() -> None:
    hardware = importlib.import_module("tests.viewer.rendering.device_hardware")
    assert sum(name.startswith("test_") for name in vars(hardware)) >= 15
    root = Path(__file__).resolve().parents[3]
    assert str(Path(hardware.__file__ or "").relative_to(root)) in (root / "Makefile").read_text()
