"""Pictures of volumes by the graphics processor beside the CPU's: the scan, the planes and the turns of `reformats`.

Needs a graphics processor and requirements-gpu.txt (`make gpu`); without one it says so and measures nothing. Times are from
the View to the finished 8-bit picture in the server's memory, without encoding.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from benchmarks import scan
from benchmarks.reformats import STEP, THICK, _ours, _view
from benchmarks.timing import alternately, ms, note, table, times
from viewer.rendering.device import Device, DeviceFailed, find
from viewer.rendering.render import render
from viewer.rendering.view import View

READERS = 8
TURNS = 30
KINDS: dict[str, Callable[[int], View]] = {
    "oblique slice": lambda turn: _view(turn),
    "slab MIP 20 mm, 27 samples": lambda turn: _view(turn, "mip", THICK),
    "slab MIP 75 mm, 101 samples": lambda turn: _view(turn, "mip", 100 * STEP),
    "slab mean 75 mm, 101 samples": lambda turn: _view(turn, "mean", 100 * STEP),
    "whole MIP": lambda turn: _view(turn, "mip", "all"),
    "volume picture, bone, shaded": lambda turn: _view(turn, "volume", "all"),
    "volume picture, soft tissue": lambda turn: _view(turn, "volume", "all").changed({"volume_preset": "soft tissue"}),
}


def run() -> None:
    """Each kind by the CPU and by the device in turns, then what the device's time is made of."""
    device = find("on")
    if device is None or device.lost:
        note(f"No graphics processor: {'' if device is None else device.lost}")
        return
    begun = time.perf_counter()
    device.warm()
    warmed = time.perf_counter() - begun
    if device.lost:
        note(device.lost)
        return
    threads = len(os.sched_getaffinity(0))
    counts = sorted({2, threads})
    rows = []
    apart = []
    for name, view_of in KINDS.items():
        contenders: dict[str, Callable[[int], object]] = {
            f"{count} threads": partial(_ours(view_of, None), count) for count in counts
        }
        contenders["device"] = partial(_picture, view_of, device)
        medians = alternately(contenders, TURNS, seconds=15.0)
        alone, together = (_rate(view_of, device, readers) for readers in (1, READERS))
        kernels = _kernel_ms(view_of, device)
        rows.append(
            (
                name,
                *(ms(medians[f"{count} threads"]) for count in counts),
                ms(medians["device"]),
                times(medians["device"], medians["2 threads"]),
                ms(kernels),
                round(alone),
                round(together),
            )
        )
        apart.append(f"{name} {_pixels_apart(view_of, device)}")
    table(
        f"{device.name}: pictures of 512 x 512 x 400 int16, 512 x 512 pixels, median ms",
        (
            "",
            *(f"CPU, {count} threads" for count in counts),
            "GPU",
            "against 2 threads",
            "kernels alone",
            "pictures/s, 1 reader",
            f"{READERS} readers",
        ),
        rows,
    )
    note(f"Pixels that differ from the CPU's, of {512 * 512} each: {', '.join(apart)}.")
    _costs(device, warmed)
    device.close()


def _picture(view_of: Callable[[int], View], device: Device, turn: int) -> None:
    drawn = render(scan.volume(), view_of(turn), device=device)
    if drawn.renderer != device.renderer:
        raise DeviceFailed(drawn.warnings[-1])


def _rate(view_of: Callable[[int], View], device: Device, readers: int, seconds: float = 1.0) -> float:
    """Pictures a second with so many who ask for the next as soon as they have one."""
    end = time.perf_counter() + seconds

    def reader(first: int) -> int:
        turn = 0
        while time.perf_counter() < end:
            _picture(view_of, device, (first * 17 + turn) % 300)
            turn += 1
        return turn

    begun = time.perf_counter()
    with ThreadPoolExecutor(readers) as pool:
        drawn = sum(pool.map(reader, range(readers)))
    return drawn / (time.perf_counter() - begun)


def _pixels_apart(view_of: Callable[[int], View], device: Device) -> int:
    def one(run: Callable[..., None]) -> int:
        here, there = render(scan.volume(), view_of(7), None, run), render(scan.volume(), view_of(7), device=device)
        return int((here.pixels != there.pixels).sum())

    return scan.on_threads(len(os.sched_getaffinity(0)), one)


@contextmanager
def _watched(processor: Any) -> Iterator[list[tuple[Any, Any]]]:
    """Events of the device before and after every kernel that is launched meanwhile."""
    cupy, launch, stream = processor._cupy, processor.launch, processor._stream
    events: list[tuple[Any, Any]] = []

    def between_events(*arguments: Any) -> None:
        before, after = cupy.cuda.Event(), cupy.cuda.Event()
        before.record(stream)
        launch(*arguments)
        after.record(stream)
        events.append((before, after))

    processor.launch = between_events
    try:
        yield events
    finally:
        del processor.launch


def _kernel_ms(view_of: Callable[[int], View], device: Device) -> float:
    """Median of the kernels of a picture, launch by launch. A kernel shorter than the launch of what follows it is measured
    with its gap."""
    processor: Any = device._processor
    spent = []
    for turn in range(12):
        with _watched(processor) as events:
            _picture(view_of, device, turn)
        spent.append(sum(processor._cupy.cuda.get_elapsed_time(*pair) for pair in events))
    return statistics.median(spent[2:])


def _costs(device: Device, warmed: float) -> None:
    """What a picture costs beside its kernels."""
    processor: Any = device._processor
    values = scan.volume().values
    tiny = partial(_picture, lambda turn: _view(turn, size=16), device)
    uploads, downloads, launches = [], [], []
    for _ in range(5):
        uploads.append(_timed(lambda: (processor.upload(values), processor._stream.synchronize())))
        held = processor.empty((512, 512), np.uint8)
        downloads.append(_timed(lambda held=held: processor.download(held)))
    for turn in range(50):
        launches.append(_timed(lambda turn=turn: tiny(turn)))
    upload = statistics.median(uploads)
    note(
        f"Compiling and checking at the start {warmed:.1f} s. Bringing the volume of {values.nbytes / 2**20:.0f} MiB to the "
        f"GPU {upload:.0f} ms ({values.nbytes / upload / 1e6:.1f} GB/s), fetching a picture of 256 kB "
        f"{statistics.median(downloads[1:]):.2f} ms, a picture of 16 x 16 pixels from View to bytes "
        f"{statistics.median(launches[5:]):.2f} ms."
    )


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
