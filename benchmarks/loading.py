"""400 uncompressed files to a volume in memory, files in the page cache: beside reading their bytes, pydicom and SimpleITK."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable

import numpy as np
import pydicom

from benchmarks import scan
from benchmarks.timing import alternately, ms, table, times
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine
from viewer.rendering.view import View

Work = Callable[[int], object]


def run() -> None:
    """Ours is the engine's whole way from an open series to a volume that can be drawn, bricks included."""
    contenders: dict[str, Work] = {"reading the bytes, 1 thread": _raw, "Farview engine": _ours}
    contenders["pydicom, 1 thread"] = _pydicom
    simpleitk = _simpleitk()
    if simpleitk is not None:
        contenders["SimpleITK ImageSeriesReader"] = simpleitk
    medians = alternately(contenders, 20, seconds=60.0, warm=1)
    ours = medians["Farview engine"]
    rows = [
        (name, ms(taken), "" if name.startswith("Farview") else times(ours, taken)) for name, taken in medians.items()
    ]
    table("Loading 400 uncompressed slices of 512 x 512, warm, median ms", ("", "ms", "Farview against it"), rows)


def _raw(turn: int) -> float:
    target = np.empty(scan.SHAPE, np.int16)
    target.fill(0)  # its pages are there, as they are in a cache that has run for a while
    places = [instance.index["pixels"]["offset"] for instance in scan.content().instances]
    size = target[0].nbytes
    begun = time.perf_counter()
    for number, path in enumerate(scan.files()):
        descriptor = os.open(path, os.O_RDONLY)
        os.preadv(descriptor, [target[number].view(np.uint8).reshape(-1)[:size]], places[number])
        os.close(descriptor)
    return (time.perf_counter() - begun) * 1000


def _ours(turn: int) -> float:
    async def load() -> float:
        engine = Engine(Budget.measure())
        await engine.start()
        try:
            series = await engine.open(scan.content())
            begun = time.perf_counter()
            await engine.load(series, View.from_json({"plane": "coronal"}))
            return (time.perf_counter() - begun) * 1000
        finally:
            await engine.stop()

    return asyncio.run(load())


def _pydicom(turn: int) -> None:
    read = [pydicom.dcmread(path) for path in scan.files()]
    read.sort(key=lambda one: -float(one.ImagePositionPatient[2]))
    np.stack([one.pixel_array for one in read])


def _simpleitk() -> Work | None:
    try:
        import SimpleITK as sitk
    except ImportError:
        return None

    def read(turn: int) -> None:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames([str(path) for path in scan.files()])
        reader.Execute()

    return read
