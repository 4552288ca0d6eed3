"""The stream over the real engine and real files: what arrives is what rendering makes of the file, to the bit."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.viewer.engine.series import series_of
from viewer.dicom.decode import load_frame
from viewer.dicom.series import SeriesContent
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine
from viewer.rendering.render import render
from viewer.rendering.view import View

from .fakes import Browser


@pytest.fixture(scope="module")
def chest(shared_data: Path) -> SeriesContent:
    whole = series_of((shared_data / "series" / "ct_chest_lidc0314_jpegls").glob("*.dcm"))
    by_position = sorted(whole.instances, key=lambda file: file.index["shared"]["position"][2])
    return dataclasses.replace(whole, instances=tuple(by_position[100:124]))


@pytest.fixture
async def browser(chest: SeriesContent) -> AsyncIterator[Browser]:
    async def find(series: str, organization: str | None) -> SeriesContent:
        return chest

    engine = Engine(Budget.measure(frames=64 << 20), render_threads=2, decode_children=1)
    await engine.start()
    browser = Browser(engine, find)
    yield browser
    await browser.session.close()
    await engine.stop()


async def test_scrolling_ends_in_a_picture_that_is_exact_to_the_bit(browser: Browser, chest: SeriesContent) -> None:
    await browser.open(series=chest.series, zoom="native", window_center=40, window_width=400)
    opened = await browser.next_text("series.opened")
    assert opened["frames"] == 24
    for frame in range(1, 24):
        await browser.change(frame, frame=frame)
        await browser.until(lambda b, frame=frame: bool(b.frames) and b.headers[-1]["change"] == frame)
    await browser.until(lambda b: b.headers[-1]["exact"])

    header, payload = browser.frames[-1]
    view = View.from_json(header["view"])
    assert view.frame == 23
    series = await browser.session._engine.open(chest)
    expected = render(load_frame(series.place(view)[1]), view).pixels
    got = np.asarray(Image.open(io.BytesIO(payload)))
    assert np.array_equal(got, expected)
    assert hashlib.sha256(got.tobytes()).hexdigest() == header["sha256"]
    assert (header["rows"], header["columns"]) == got.shape


async def test_every_header_is_complete(browser: Browser, chest: SeriesContent) -> None:
    await browser.open(series=chest.series, size=[256, 256])
    await browser.until(lambda b: len(b.frames) == 2)
    lossy, exact = browser.headers
    told = {
        "type", "viewport", "index", "change", "media_type", "rows", "columns", "exact", "sampling", "source_lossy",
        "stamped", "renderer", "series_version", "view", "geometry", "timing_ms", "labels", "pixel_spacing",
        "pixel_spacing_source", "warnings", "stack", "frames", "depth", "placement", "graphics",
        "subtraction", "true_size",
    }  # fmt: skip
    assert set(lossy) == told
    assert set(exact) == told | {"sha256"}
    assert set(exact["timing_ms"]) == {"wait", "load", "render", "encode"}
