"""Series to volumes in memory, files in the page cache.

400 uncompressed files beside reading their bytes, pydicom and SimpleITK; and a compressed series opened for the first and
for the second time, beside the same series uncompressed.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray

from benchmarks import scan
from benchmarks.served import chest, uncompressed
from benchmarks.timing import alternately, ms, note, table, times
from viewer.dicom.series import SeriesContent
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine
from viewer.engine.store import DecodedStore
from viewer.rendering.view import View

Work = Callable[[int], object]


SETTLE = 4.0
"""Seconds in which an engine that just started finishes starting: its decode children read their modules on the same cores."""
ROOM = 1 << 34
"""Bytes that the store of decoded frames may take: more than is needed."""


def run() -> None:
    _beside_peers()
    _second_opening()


def _beside_peers() -> None:
    """Ours is the engine's whole way from an open series to a volume that can be drawn, bricks included."""
    with asyncio.Runner() as runner:
        engine = runner.run(_started())
        contenders: dict[str, Work] = {
            "reading the bytes, 1 thread, fresh memory": lambda turn: _raw(_fresh()),
            "reading the bytes, 1 thread, memory in use": lambda turn: _raw(np.ones(scan.SHAPE, np.int16)),
            "Farview engine, fresh memory": lambda turn: runner.run(_anew(engine, scan.content())),
        }
        contenders["pydicom, 1 thread"] = _pydicom
        simpleitk = _simpleitk()
        if simpleitk is not None:
            contenders["SimpleITK ImageSeriesReader"] = simpleitk
        medians = alternately(contenders, 20, seconds=60.0, warm=1)
        runner.run(engine.stop())
    ours = medians["Farview engine, fresh memory"]
    rows = [
        (name, ms(taken), "" if name.startswith("Farview") else times(ours, taken)) for name, taken in medians.items()
    ]
    table("Loading 400 uncompressed slices of 512 x 512, warm, median ms", ("", "ms", "Farview against it"), rows)


def _fresh() -> NDArray[np.int16]:
    """Room for a volume, to be given page by page, out of pages that were in use a moment ago: a virtual machine hands back
    to its host what is free for some seconds, and pages that come from there come many times as slowly."""
    np.ones(scan.SHAPE, np.int16)
    return np.empty(scan.SHAPE, np.int16)


def _raw(target: NDArray[np.int16]) -> float:
    """Into memory that the system has yet to give page by page, as a new volume's has to be, or into pages that are there."""
    places = [instance.index["pixels"]["offset"] for instance in scan.content().instances]
    size = target[0].nbytes
    begun = time.perf_counter()
    for number, path in enumerate(scan.files()):
        descriptor = os.open(path, os.O_RDONLY)
        os.preadv(descriptor, [target[number].view(np.uint8).reshape(-1)[:size]], places[number])
        os.close(descriptor)
    return (time.perf_counter() - begun) * 1000


async def _started(store: DecodedStore | None = None) -> Engine:
    engine = Engine(Budget.measure(), store=store)
    await engine.start()
    await asyncio.sleep(SETTLE)
    return engine


async def _anew(engine: Engine, content: SeriesContent) -> float:
    """Milliseconds from an open series to a volume, of which the engine holds nothing."""
    engine.volumes.cache.clear()
    series = await engine.open(content)
    _fresh()
    begun = time.perf_counter()
    await engine.load(series, View.from_json({"plane": "coronal"}))
    return (time.perf_counter() - begun) * 1000


def _loaded(content: SeriesContent, store: DecodedStore | None = None) -> float:
    """The same in an engine that was started for it."""

    async def load() -> float:
        engine = await _started(store)
        try:
            return await _anew(engine, content)
        finally:
            await engine.stop()

    return asyncio.run(load())


def _second_opening() -> None:
    """Each time in an engine of its own: nothing is left in memory, only the files of decoded frames."""
    real = chest()
    if real is None:
        print("No second opening: no real compressed CT below FARVIEW_TEST_DATA")
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        compressed = scan.content_of(sorted(real.glob("*.dcm")))
        plain = scan.content_of(uncompressed(folder / "plain", len(compressed.instances)))
        kept = []

        def first(turn: int) -> float:
            store = DecodedStore(folder / f"decoded{turn}", ROOM)
            taken = _loaded(compressed, store)
            store.settle()
            kept.append(store.counts.written)
            return taken

        def second(turn: int) -> float:
            return _loaded(compressed, DecodedStore(folder / f"decoded{turn}", ROOM))

        medians = alternately(
            {
                "compressed, first time": first,
                "compressed, second time": second,
                "uncompressed": lambda turn: _loaded(plain),
            },
            7,
            seconds=60.0,
            warm=1,
        )
    plainly = medians["uncompressed"]
    table(
        f"Opening {len(compressed.instances)} JPEG-LS slices of 512 x 512 as a volume, median ms",
        ("", "ms", "of the time of the uncompressed"),
        [(name, ms(taken), f"{taken / plainly:.1f}x") for name, taken in medians.items()],
    )
    note(f"A new engine each time; the second time only the files of {min(kept)} decoded frames were kept.")


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
