"""From files to pictures: one frame is enough for the first one, and every picture is what rendering says it is."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import io
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from viewer.dicom.decode import load_frame
from viewer.dicom.frames import frame_sources
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.engine.budget import Budget
from viewer.engine.engine import MAX_WAITING, Engine
from viewer.engine.errors import Busy, CannotDecode, CannotDraw
from viewer.engine.store import DecodedStore
from viewer.engine.workers import Priority
from viewer.rendering.render import RENDERER, render
from viewer.rendering.view import BadView, View

from .series import series_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

PNG, JPEG = "image/png", "image/jpeg"


def pixels(payload: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(payload)))


async def test_the_first_picture_needs_one_frame_of_the_series(engine: Engine, chest: SeriesContent) -> None:
    engine.frames.cache.clear()
    series = await engine.open(chest)
    await engine.draw(series, View(size=(512, 512)))
    assert len(engine.frames.cache) == 1


async def test_an_exact_picture_is_what_rendering_alone_makes_of_the_file(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    view = View(frame=7, zoom="native", window_center=40.0, window_width=400.0)
    drawn = await engine.draw(series, view, PNG)
    placed, source = series.place(view)
    expected = render(load_frame(source), placed).pixels
    assert np.array_equal(pixels(drawn.payload), expected)
    assert drawn.header["sha256"] == hashlib.sha256(expected.tobytes()).hexdigest()
    assert drawn.header["exact"] is True


async def test_the_header_says_everything_about_the_picture(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    header = (await engine.draw(series, View(frame=3, size=(300, 400)))).header
    assert (header["media_type"], header["rows"], header["columns"], header["exact"]) == (JPEG, 300, 400, False)
    assert (header["sampling"], header["stamped"], header["renderer"]) == ("reduced", False, RENDERER)
    assert (header["series_version"], header["stack"], header["frames"]) == ("1", 0, 24)
    assert header["source_lossy"] is None
    assert "sha256" not in header
    assert set(header["geometry"]) == {"top_left", "row", "column", "pixel_spacing"}
    assert header["pixel_spacing_source"] == "Pixel Spacing"
    assert header["labels"]["instance_number"]
    assert set(header["timing_ms"]) == {"load", "render", "encode"}
    view = header["view"]
    assert (view["series"], view["organization"], view["frame"]) == (chest.series, "default", 3)
    assert view["sop_instance_uid"] == series.stacks[0].frames[3].sop_instance_uid
    assert view["window_center"] is not None


async def test_a_resolved_view_is_the_address_of_its_picture(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    first = await engine.draw(series, View(frame=5, size=(200, 200)), PNG)
    again = await engine.draw(series, View.from_json(first.header["view"]), PNG)
    assert again.payload == first.payload
    assert again.header["view"] == first.header["view"]


async def test_a_view_that_names_an_instance_finds_it_whatever_the_place(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    source = series.stacks[0].frames[11]
    placed, _ = series.place(View(sop_instance_uid=source.sop_instance_uid, frame_number=1, frame=2))
    assert placed.frame == 11


@pytest.mark.parametrize(
    "view",
    [
        View(frame=24),
        View(stack=1),
        View(sop_instance_uid="1.2.3"),
        View(frame_number=2),
        View(preset="no such preset"),
    ],
)
async def test_a_view_of_what_is_not_there_is_refused(engine: Engine, chest: SeriesContent, view: View) -> None:
    series = await engine.open(chest)
    with pytest.raises(BadView):
        await engine.draw(series, view)


async def test_a_media_type_nobody_can_write_is_refused(engine: Engine, chest: SeriesContent) -> None:
    with pytest.raises(BadView, match="media_type"):
        await engine.draw(await engine.open(chest), View(), "image/bmp")


async def test_a_series_is_opened_once_for_each_version(engine: Engine, chest: SeriesContent) -> None:
    later = dataclasses.replace(chest, version="2", instances=chest.instances[:3])
    opened = await asyncio.gather(engine.open(chest), engine.open(chest), engine.open(later))
    assert opened[0] is opened[1]
    assert len(opened[2].stacks[0].frames) == 3
    elsewhere = await engine.open(dataclasses.replace(chest, organization="elsewhere"))
    assert elsewhere.organization == "elsewhere"


async def test_readers_of_one_frame_share_its_decoding(engine: Engine, chest: SeriesContent) -> None:
    engine.frames.cache.clear()
    series = await engine.open(chest)
    views = [View(frame=9, window_center=float(n), window_width=100.0) for n in range(8)]
    drawn = await asyncio.gather(*(engine.draw(series, view) for view in views))
    assert len({d.payload for d in drawn}) == 8
    assert len(engine.frames.cache) == 1


async def test_neighbours_are_there_before_the_reader_comes(engine: Engine, chest: SeriesContent) -> None:
    engine.frames.cache.clear()
    series = await engine.open(chest)
    engine.prefetch(series, View(frame=10), -1, reader="a")
    frames = series.stacks[0].frames
    async with asyncio.timeout(20):
        while not all((frames[n].digest, 1) in engine.frames.cache for n in range(10)):
            await asyncio.sleep(0.01)
    engine.leave("a")


async def test_a_reader_who_leaves_stops_what_was_loaded_ahead(engine: Engine, chest: SeriesContent) -> None:
    engine.frames.cache.clear()
    series = await engine.open(chest)
    engine.prefetch(series, View(frame=0), 1, reader="a")
    await asyncio.sleep(0)
    engine.leave("a")
    await asyncio.sleep(0.3)
    assert len(engine.frames.cache) <= 2


async def test_the_thumbnail_is_a_small_jpeg_of_the_middle(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    thumbnail = await engine.thumbnail(series, 0)
    assert thumbnail[:2] == b"\xff\xd8"
    assert pixels(thumbnail).shape == (160, 160)
    with pytest.raises(BadView):
        await engine.thumbnail(series, 5)


async def test_what_the_client_is_told_when_it_opens(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    view = await engine.resolve(series, View(size=(100, 100)))
    opened = series.opened(view)
    assert (opened["frames"], opened["unit"], opened["series_version"]) == (24, "HU", "1")
    assert opened["view"]["window_center"] == view.window_center
    assert {"lung", "bone"} <= {preset["name"] for preset in opened["presets"]}
    assert opened["stacks"][0]["kind"] == "spatial"
    assert (opened["geometry"] is None) == (opened["geometry_reason"] is not None)


async def test_damage_is_told_and_the_frames_beside_it_are_drawn(
    engine: Engine, chest: SeriesContent, tmp_path: Path
) -> None:
    good, bad = chest.instances[0], chest.instances[1]
    data = bytearray(bad.path.read_bytes())
    ((offset, length),) = frame_sources(bad)[0].places
    data[offset : offset + length] = bytes(length)
    broken = tmp_path / "broken"
    broken.write_bytes(data)
    damaged = InstanceFile(broken, "0" * 64, bad.index)
    series = await engine.open(dataclasses.replace(chest, version="damaged", instances=(good, damaged)))
    with pytest.raises(CannotDecode):
        await engine.draw(series, View(sop_instance_uid=str(bad.index["sop"]), frame_number=1))
    await engine.draw(series, View(sop_instance_uid=str(good.index["sop"]), frame_number=1))


async def test_a_file_that_is_gone_is_told(engine: Engine, chest: SeriesContent, tmp_path: Path) -> None:
    lost = InstanceFile(tmp_path / "nowhere", "1" * 64, chest.instances[0].index)
    series = await engine.open(dataclasses.replace(chest, version="lost", instances=(lost,)))
    with pytest.raises(CannotDecode, match="cannot be read"):
        await engine.draw(series, View())


async def test_a_series_without_images_says_what_it_holds(engine: Engine, shared_data: Path) -> None:
    series = await engine.open(series_of([shared_data / "derived" / "sr_basic_text.dcm"]))
    with pytest.raises(CannotDraw) as refused:
        await engine.draw(series, View())
    assert refused.value.code == "cannot_decode"
    assert refused.value.message


async def test_an_uncompressed_frame_is_read_without_a_decode_child(
    engine: Engine, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine.children, "submit", None)
    series = await engine.open(series_of([shared_data / "derived" / "ct3slice_01.dcm"]))
    assert (await engine.draw(series, View(), PNG)).header["exact"]


async def test_too_many_waiting_pictures_are_answered_busy(chest: SeriesContent) -> None:
    engine = Engine(Budget.measure(frames=64 << 20), render_threads=1, decode_children=1)
    await engine.start()
    try:
        series = await engine.open(chest)
        await engine.draw(series, View())
        hold = asyncio.Event()
        loop = asyncio.get_running_loop()
        engine.renderers.submit(lambda _: asyncio.run_coroutine_threadsafe(hold.wait(), loop).result())
        waiting = [asyncio.create_task(engine.draw(series, View())) for _ in range(MAX_WAITING + 5)]
        await asyncio.sleep(0)
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        assert all(isinstance(task.exception(), Busy) for task in done)
        hold.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(result, Busy) for result in results) <= 6
    finally:
        await engine.stop()


async def test_a_cancelled_picture_is_not_drawn(engine: Engine, chest: SeriesContent) -> None:
    series = await engine.open(chest)
    tasks = [asyncio.create_task(engine.draw(series, View(frame=1), priority=Priority.PREFETCH)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert engine.renderers.waiting == 0


@pytest.mark.parametrize("damage", ["cut", "gone"])
async def test_a_frame_decoded_before_does_not_wait_for_those_that_are_being_decoded(
    chest: SeriesContent, tmp_path: Path, damage: str
) -> None:
    engine = Engine(Budget.measure(frames=64 << 20), decode_children=1, store=DecodedStore(tmp_path, 1 << 30))
    await engine.start()
    held = threading.Event()
    try:
        assert engine.store is not None
        series = await engine.open(chest)
        await engine.load(series, View(frame=3))
        engine.store.settle()
        engine.frames.cache.clear()
        engine.children.submit(lambda child: held.wait(20), Priority.INTERACTIVE)
        await asyncio.wait_for(engine.draw(series, View(frame=3)), 10)
        assert engine.frames.decoded == 1

        engine.frames.cache.clear()
        path = next(path for path in tmp_path.rglob("*") if path.is_file())
        path.write_bytes(path.read_bytes()[:-7]) if damage == "cut" else path.unlink()
        drawn = asyncio.create_task(engine.draw(series, View(frame=3)))
        await asyncio.sleep(0.05)
        held.set()
        await drawn
        assert engine.frames.decoded == 2
    finally:
        held.set()
        await engine.stop()
