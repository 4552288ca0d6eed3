"""The scan that volume benchmarks work on: the phantom's chest and abdomen, 400 slices of 512 x 512, uncompressed."""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from viewer.dicom.frames import frame_sources
from viewer.dicom.read import read_instance
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.dicom.stacks import Stack, build_stacks
from viewer.engine.assembling import load_volume
from viewer.engine.bands import Bands
from viewer.engine.workers import WorkerPool
from viewer.phantom.studies import write_ct
from viewer.rendering.volume import Volume

SHAPE = (400, 512, 512)
T = TypeVar("T")


@cache
def files() -> list[Path]:
    """Written once and kept in the temporary folder: painting them takes half a minute."""
    folder = Path(tempfile.gettempdir()) / "farview-benchmark-scan"
    found = sorted(folder.rglob("*.dcm"))
    if len(found) != SHAPE[0]:
        print(f"Painting a scan of {SHAPE[0]} slices in {folder}", flush=True)
        found = sorted(write_ct(folder, shape=SHAPE))
    return found


@cache
def content() -> SeriesContent:
    """As a door hands it to the engine."""
    return content_of(files())


def content_of(paths: Iterable[Path]) -> SeriesContent:
    """Files of one series as a door hands them to the engine."""
    instances = tuple(
        InstanceFile(path, hashlib.sha256(str(path).encode()).hexdigest(), read_instance(path).index) for path in paths
    )
    return SeriesContent(str(instances[0].index.get("series", "1.2")), "bench", "1", instances)


@cache
def stack() -> Stack:
    (found,) = build_stacks(frame for instance in content().instances for frame in frame_sources(instance))
    return found


@cache
def volume() -> Volume:
    return load_volume(stack())


def on_threads(threads: int, work: Callable[[Callable[..., None]], T]) -> T:
    """`work(run)` in a render thread of a pool of `threads`, as the server does it."""

    async def main() -> T:
        pool: WorkerPool[Any] = WorkerPool("bench", threads, lambda: None)
        bands = Bands(pool)
        try:
            return await pool.submit(lambda state: work(bands.run)).future
        finally:
            pool.stop()
            await asyncio.to_thread(pool.join)

    return asyncio.run(main())
