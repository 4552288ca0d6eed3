"""Volumes: loaded once for all who wait, told about, given up when nobody waits, and kept within their bytes."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.viewer.dicom.making import image_file
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.engine import raw
from viewer.engine.assembling import load_volume
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine
from viewer.engine.errors import CannotDecode, CannotDraw
from viewer.engine.filling import Filling
from viewer.engine.store import DecodedStore
from viewer.engine.workers import Priority
from viewer.rendering import bricks, storing
from viewer.rendering.device import DeviceFailed
from viewer.rendering.render import RENDERER
from viewer.rendering.view import BadView, Fusion, View
from viewer.rendering.volume import Volume

from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CORONAL = View(plane="coronal")
SLICES, ROWS, COLUMNS = 20, 24, 32
NBYTES = SLICES * ROWS * COLUMNS * 2


def scan(folder: Path, seed: int = 0, **attributes: object) -> SeriesContent:
    """Uncompressed CT slices of noise, 2 mm apart."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(seed)
    for number in range(SLICES):
        image_file(
            folder / f"{number:02}.dcm",
            random.integers(-1000, 2000, (ROWS, COLUMNS)).astype(np.int16),
            **{
                "SeriesInstanceUID": f"1.2.{seed}",
                "SOPInstanceUID": f"1.2.{seed}.{number}",
                "InstanceNumber": number,
                "ImagePositionPatient": [0, 0, -2.0 * number],
                "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
                "PixelSpacing": [1, 1],
                "FrameOfReferenceUID": "1.2.99",
                **attributes,
            },
        )
    return series_of(folder.glob("*.dcm"), version=str(seed))


@pytest.fixture
def small(tmp_path: Path) -> SeriesContent:
    return scan(tmp_path)


async def volume_of(engine: Engine, content: SeriesContent) -> Volume:
    series = await engine.open(content)
    source = await engine.source(series, CORONAL)
    assert isinstance(source, Volume)
    return source


async def test_files_read_in_parallel_make_the_volume_that_one_reader_makes(
    engine: Engine, small: SeriesContent
) -> None:
    series = await engine.open(small)
    loaded, alone = await volume_of(engine, small), load_volume(series.stacks[0])
    assert np.array_equal(loaded.values, alone.values)
    assert loaded.values.dtype == np.int16
    assert loaded.bricks is not None
    assert alone.bricks is not None
    assert np.array_equal(loaded.bricks.greatest, alone.bricks.greatest)
    assert (loaded.key, loaded.geometry.shape) == (alone.key, (SLICES, ROWS, COLUMNS))


async def test_compressed_frames_make_the_same_volume(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    loaded, alone = await volume_of(engine, chest), load_volume(series.stacks[0])
    assert np.array_equal(loaded.values, alone.values)
    assert loaded.bricks is not None
    assert alone.bricks is not None
    assert np.array_equal(loaded.bricks.least, alone.bricks.least)
    assert np.array_equal(loaded.bricks.greatest, alone.bricks.greatest)
    assert loaded.holes == alone.holes


async def test_after_the_start_no_load_waits_for_a_compiler(
    engine: Engine, small: SeriesContent, chest: SeriesContent
) -> None:
    kernels: tuple[Any, ...] = (raw._take, bricks._brick_whole, storing.convert)
    before = [len(kernel.signatures) for kernel in kernels]
    assert before == [1, 1, 1]
    engine.volumes.cache.clear()
    for content in (small, chest):
        await volume_of(engine, content)
    assert [len(kernel.signatures) for kernel in kernels] == before


@pytest.mark.parametrize(
    "attributes",
    [
        {"RescaleSlope": 0.5, "RescaleIntercept": -10},
        {"PixelPaddingValue": 0, "PixelRepresentation": 1},
        {"BitsStored": 12, "HighBit": 11},
        {"BitsStored": 12, "HighBit": 13},
    ],
)
async def test_values_of_every_kind_are_what_the_plain_way_makes_of_them(
    engine: Engine, tmp_path: Path, attributes: dict[str, object]
) -> None:
    content = scan(tmp_path, 7, **attributes)
    series = await engine.open(dataclasses.replace(content, version=str(attributes)))
    loaded, alone = await engine.source(series, CORONAL), load_volume(series.stacks[0])
    assert isinstance(loaded, Volume)
    assert np.array_equal(loaded.values, alone.values, equal_nan=loaded.values.dtype.kind == "f")
    assert (loaded.slope, loaded.intercept, loaded.holes) == (alone.slope, alone.intercept, alone.holes)


async def test_readers_of_one_volume_share_its_load_and_all_hear_of_its_progress(
    engine: Engine, small: SeriesContent
) -> None:
    engine.volumes.cache.clear()
    series = await engine.open(small)
    before = engine.volumes.loads.done
    heard: list[list[tuple[int, int]]] = [[], [], []]
    await asyncio.gather(
        *(engine.load(series, CORONAL, progress=lambda done, total, to=to: to.append((done, total))) for to in heard)
    )
    assert engine.volumes.loads.done == before + 1
    assert heard[0] == heard[1] == heard[2]
    assert heard[0][-1] == (SLICES, SLICES)
    assert [done for done, _ in heard[0]] == sorted({done for done, _ in heard[0]})
    assert engine.resident(series, CORONAL)


@contextmanager
def held_decoding(engine: Engine, children: int) -> Iterator[threading.Event]:
    """No frame is decoded until the event is set."""
    go = threading.Event()
    for _ in range(children):
        engine.children.submit(lambda child: go.wait(20), Priority.INTERACTIVE)
    try:
        yield go
    finally:
        go.set()


async def test_a_volume_nobody_waits_for_any_more_is_given_up(engine: Engine, chest: SeriesContent) -> None:
    engine.volumes.cache.clear()
    engine.frames.cache.clear()
    series = await engine.open(chest)
    decoded, cancelled = engine.frames.decoded, engine.volumes.loads.cancelled
    with held_decoding(engine, 2):
        readers = [asyncio.create_task(engine.load(series, CORONAL)) for _ in range(2)]
        await asyncio.sleep(0.05)
        readers[0].cancel()
        await asyncio.sleep(0.01)
        assert engine.volumes.loads.cancelled == cancelled
        readers[1].cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await asyncio.sleep(0.01)
        assert engine.volumes.loads.cancelled == cancelled + 1
    assert not engine.resident(series, CORONAL)
    await engine.load(series, View(frame=0))
    assert engine.frames.decoded == decoded + 1
    assert engine.volumes.cache.reserved == 0
    await engine.load(series, CORONAL)


async def test_an_engine_that_stops_gives_up_what_it_loads(chest: SeriesContent) -> None:
    engine = Engine(Budget.measure(frames=1 << 20), decode_children=1)
    await engine.start()
    series = await engine.open(chest)
    with held_decoding(engine, 1) as go:
        reader = asyncio.create_task(engine.load(series, CORONAL))
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(engine.stop())
        await asyncio.wait({reader}, timeout=5)
        go.set()
        await asyncio.wait_for(stopping, 10)
    assert reader.cancelled()
    assert engine.volumes.cache.reserved == 0


async def test_a_single_picture_is_drawn_before_the_rest_of_a_volume(engine: Engine, chest: SeriesContent) -> None:
    engine.volumes.cache.clear()
    engine.frames.cache.clear()
    series = await engine.open(chest)
    order: list[str] = []
    with held_decoding(engine, 2):
        volume = asyncio.create_task(engine.load(series, CORONAL, progress=lambda done, total: order.append(f"{done}")))
        await asyncio.sleep(0.05)
        picture = asyncio.create_task(engine.load(series, View(frame=20)))
        picture.add_done_callback(lambda _: order.append("picture"))
        await asyncio.sleep(0.01)
    await asyncio.gather(volume, picture)
    assert order.index("picture") <= 4


async def test_frames_that_were_decoded_for_the_stack_are_not_decoded_for_the_volume(
    engine: Engine, chest: SeriesContent
) -> None:
    engine.volumes.cache.clear()
    series = await engine.open(chest)
    for frame in range(24):
        await engine.load(series, View(frame=frame))
    decoded = engine.frames.decoded
    await engine.load(series, CORONAL)
    assert engine.frames.decoded == decoded


async def test_a_series_that_would_fill_the_cache_stays_a_stack(small: SeriesContent) -> None:
    engine = Engine(Budget.measure(frames=1 << 20, volumes=2 * NBYTES - 1), render_threads=1, decode_children=1)
    await engine.start()
    try:
        series = await engine.open(small)
        with pytest.raises(CannotDraw, match="image by image") as refused:
            await engine.load(series, CORONAL)
        assert refused.value.code == "too_large"
        assert (await engine.draw(series, View(frame=3))).payload
    finally:
        await engine.stop()


async def test_the_volume_least_recently_used_makes_room(tmp_path: Path) -> None:
    engine = Engine(Budget.measure(frames=1 << 20, volumes=int(2.5 * NBYTES)), render_threads=2, decode_children=1)
    await engine.start()
    try:
        contents = [scan(tmp_path / str(seed), seed) for seed in (1, 2, 3)]
        series = [await engine.open(content) for content in contents]
        await engine.load(series[0], CORONAL)
        await engine.load(series[1], CORONAL)
        await engine.load(series[0], CORONAL)
        await engine.load(series[2], CORONAL)
        assert [engine.resident(one, CORONAL) for one in series] == [True, False, True]
        assert engine.volumes.cache.used <= engine.volumes.cache.limit
        # Loads at once wait for one another's memory.
        await asyncio.gather(*(engine.load(one, CORONAL) for one in series))
        assert engine.volumes.cache.used <= engine.volumes.cache.limit
        assert engine.volumes.cache.reserved == 0
    finally:
        await engine.stop()


async def test_a_damaged_image_is_named(engine: Engine, small: SeriesContent, tmp_path: Path) -> None:
    cut = tmp_path / "cut.dcm"
    cut.write_bytes(small.instances[4].path.read_bytes()[:-100])
    damaged = InstanceFile(cut, "4" * 64, small.instances[4].index)
    files = (*small.instances[:4], damaged, *small.instances[5:])
    series = await engine.open(dataclasses.replace(small, version="cut", instances=files))
    with pytest.raises(CannotDecode, match=f"image 5 of {SLICES}"):
        await engine.load(series, CORONAL)
    assert engine.volumes.cache.reserved == 0


async def test_a_file_that_went_away_is_named_and_every_other_was_closed(
    engine: Engine, small: SeriesContent, tmp_path: Path
) -> None:
    gone = InstanceFile(tmp_path / "gone.dcm", "5" * 64, small.instances[7].index)
    files = (*small.instances[:7], gone, *small.instances[8:])
    series = await engine.open(dataclasses.replace(small, version="gone", instances=files))
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(CannotDecode, match=f"image 8 of {SLICES} is missing.*no such file"):
        await engine.load(series, CORONAL)
    assert len(os.listdir("/proc/self/fd")) == before


async def test_slices_with_intercepts_of_their_own_are_each_converted_by_theirs(engine: Engine, tmp_path: Path) -> None:
    bits = {"BitsStored": 12, "HighBit": 11}
    one, other = (scan(tmp_path / str(own), 9, RescaleIntercept=own, **bits) for own in (0, -100))
    instances = [(other if number % 3 else one).instances[number] for number in range(SLICES)]
    series = await engine.open(dataclasses.replace(one, version="intercepts", instances=tuple(instances)))
    loaded, alone = await engine.source(series, CORONAL), load_volume(series.stacks[0])
    assert isinstance(loaded, Volume)
    assert loaded.bricks is not None
    assert alone.bricks is not None
    np.testing.assert_array_equal(loaded.values, alone.values)
    np.testing.assert_array_equal(loaded.bricks.least, alone.bricks.least)
    assert len({cells.offset for cells in series.volume_plan(0, "stack").raw() or ()}) == 2


async def test_what_makes_no_volume_says_why(engine: Engine, small: SeriesContent) -> None:
    series = await engine.open(dataclasses.replace(small, version="one", instances=small.instances[:1]))
    with pytest.raises(BadView, match="single image"):
        await engine.load(series, CORONAL)
    opened = series.opened(View())
    assert (opened["geometry"], opened["projections"], opened["planes"]) == (None, ["slice"], ["acquired"])
    assert opened["geometry_reason"] == "a single image"


async def test_the_client_is_told_where_the_volume_lies(engine: Engine, small: SeriesContent) -> None:
    geometry = (await engine.open(small)).opened(View())["geometry"]
    assert geometry["shape"] == [SLICES, ROWS, COLUMNS]
    assert geometry["spacing"] == pytest.approx([2, 1, 1])
    assert geometry["steps"] == [[0, 0, -2], [0, 1, 0], [1, 0, 0]]
    assert (geometry["origin"], geometry["frame_of_reference_uid"]) == ([0, 0, 0], "1.2.99")
    assert geometry["corrections"] == []


async def test_a_fused_view_loads_both_series_as_one(engine: Engine, tmp_path: Path) -> None:
    below, above = [await engine.open(scan(tmp_path / str(seed), seed)) for seed in (11, 12)]
    view = View(fusion=Fusion(series=above.series))
    heard: list[tuple[int, int]] = []
    with pytest.raises(BadView, match="fusion"):
        await engine.load(below, view)
    await engine.load(below, view, progress=lambda done, total: heard.append((done, total)), fused=above)
    assert heard[-1] == (2 * SLICES, 2 * SLICES)
    assert engine.resident(below, view, fused=above)


async def test_nothing_holds_on_to_a_load_that_failed(engine: Engine, small: SeriesContent) -> None:
    plan = (await engine.open(small)).volume_plan(0, "plane")
    lost = dataclasses.replace(
        plan,
        frames=tuple(
            dataclasses.replace(source, instance=dataclasses.replace(source.instance, path=Path("/nowhere")))
            for source in plan.frames
        ),
    )
    filling = Filling(lost, engine.frames, engine.readers, engine.children, engine.volumes._reserved(lost), print)
    with pytest.raises(CannotDecode, match="image 1"):
        await filling.future
    assert filling._values.size == 0


async def test_a_second_opening_decodes_nothing_but_what_is_bent_even_after_a_restart(
    chest: SeriesContent, tmp_path: Path
) -> None:
    values = []
    for decoded in (24, 1, 0):
        engine = Engine(Budget.measure(frames=1 << 20), decode_children=2, store=DecodedStore(tmp_path, 1 << 30))
        await engine.start()
        try:
            series = await engine.open(chest)
            if len(values) == 2:  # single frames come from there as well
                for frame in range(24):
                    await engine.load(series, View(frame=frame))
            volume = await engine.source(series, CORONAL)
            assert engine.frames.decoded == decoded
            values.append(volume.values)
        finally:
            await engine.stop()
        if len(values) == 1:
            path = next(path for path in tmp_path.rglob("*") if path.is_file())
            path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert np.array_equal(values[0], values[1])
    assert np.array_equal(values[0], values[2])


async def test_the_exact_picture_of_what_was_just_drawn_is_not_drawn_again(
    engine: Engine, chest: SeriesContent
) -> None:
    series = await engine.open(chest)
    view = View(projection="mip", slab_thickness="all", plane="coronal", size=(200, 200))
    moving = await engine.draw(series, view, "image/jpeg")
    reused = engine.counters.reused
    still = await engine.draw(series, view, "image/png", reuse=moving.picture)
    assert engine.counters.reused == reused + 1
    assert still.picture is moving.picture
    assert still.header["timing_ms"]["render"] == moving.header["timing_ms"]["render"]
    anew = await engine.draw(series, view, "image/png")
    assert (still.payload, still.header["sha256"]) == (anew.payload, anew.header["sha256"])
    assert still.header["exact"] is True


@pytest.mark.parametrize("change", [{"size": (201, 200)}, {"frame": 4, "plane": "acquired"}, {"rotation": 90}])
async def test_another_picture_is_never_taken_for_the_one_that_is_asked_for(
    engine: Engine, chest: SeriesContent, change: dict[str, object]
) -> None:
    series = await engine.open(chest)
    view = View(plane="coronal", size=(200, 200))
    drawn = await engine.draw(series, view)
    other = dataclasses.replace(view, **change)
    again = await engine.draw(series, other, "image/png", reuse=drawn.picture)
    assert again.payload == (await engine.draw(series, other, "image/png")).payload


async def test_neither_a_reduced_picture_nor_one_of_another_version_is_taken_for_it(
    engine: Engine, small: SeriesContent
) -> None:
    series = await engine.open(small)
    later = await engine.open(dataclasses.replace(small, version="later", instances=small.instances[:10]))
    view = View(plane="coronal", size=(200, 200))
    for drawn in (await engine.draw(series, view, most=1000), await engine.draw(later, view)):
        again = await engine.draw(series, view, "image/png", reuse=drawn.picture)
        assert again.payload == (await engine.draw(series, view, "image/png")).payload


@pytest.mark.parametrize("projection", ["slice", "mip", "mean", "volume"])
async def test_the_same_bytes_come_from_any_number_of_threads(chest: SeriesContent, projection: str) -> None:
    view = View(plane="coronal", projection=projection, slab_thickness=20.0, size=(150, 170))
    payloads = set()
    for threads in (1, 3):
        engine = Engine(Budget.measure(frames=1 << 20), render_threads=threads, decode_children=1)
        await engine.start()
        try:
            payloads.add((await engine.draw(await engine.open(chest), view, "image/png")).payload)
        finally:
            await engine.stop()
    assert len(payloads) == 1


class Device:
    """Stands for a graphics processor: draws all pictures in one grey, until it `fails`."""

    name, lost, renderer, volumes = "a stand-in", "", "cuda/1", None

    def __init__(self) -> None:
        self.fails = self.warmed = self.closed = False

    def warm(self) -> None:
        self.warmed = True

    def close(self) -> None:
        self.closed = True

    def sampled(
        self, volume: Volume, rays: object, projection: str, size: tuple[int, int], *more: object
    ) -> np.ndarray:
        if self.fails:
            raise DeviceFailed("The graphics processor is out of memory.")
        return np.full(size, 77, np.uint8)


async def test_a_device_draws_volumes_until_it_fails_and_then_the_processor_does_with_a_note(
    small: SeriesContent,
) -> None:
    device = Device()
    engine = Engine(Budget.measure(frames=1 << 20), decode_children=1, find_device=lambda: device)  # type: ignore[arg-type,return-value]
    await engine.start()
    assert device.warmed
    series = await engine.open(small)
    view = View(plane="coronal", size=(40, 40))
    by_device = await engine.draw(series, view, "image/png")
    assert by_device.header["renderer"] == "cuda/1"
    frame = await engine.draw(series, View(frame=1))
    assert frame.header["renderer"] == RENDERER
    device.fails = True
    by_processor = await engine.draw(series, view, "image/png")
    assert by_processor.header["renderer"] == RENDERER
    assert "The graphics processor is out of memory." in " ".join(by_processor.header["warnings"])
    assert engine.counters.pictures == {("cuda/1", "volume"): 1, (RENDERER, "volume"): 1, (RENDERER, "frame"): 1}
    await engine.stop()
    assert device.closed
