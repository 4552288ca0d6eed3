"""Segments over the pictures of a stream: with every frame while the hand moves, and exact when it rests."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.viewer.engine.series import series_of
from viewer.dicom.series import InstanceFile, SeriesContent
from viewer.engine.budget import Budget
from viewer.engine.engine import Engine

from .fakes import Browser


@pytest.fixture
async def browser(shared_data: Path) -> AsyncIterator[Browser]:
    derived = shared_data / "derived"
    scan, objects = series_of(derived.glob("ct3slice_0*.dcm")), series_of([derived / "seg_liver.dcm"]).instances

    async def find(series: str, organization: str | None) -> SeriesContent:
        return scan

    async def find_objects(series: str, organization: str, wanted: Collection[str] | None) -> list[InstanceFile]:
        return [file for file in objects if wanted is not None and file.index["sop"] in wanted]

    engine = Engine(Budget.measure(frames=64 << 20), render_threads=2, decode_children=1)
    await engine.start()
    browser = Browser(engine, find, find_objects=find_objects)
    yield browser
    await browser.session.close()
    await engine.stop()


def coloured(browser: Browser) -> Any:
    header, payload = browser.frames[-1]
    pixels = np.asarray(Image.open(io.BytesIO(payload)))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == header["sha256"]
    return pixels.ndim == 3 and (pixels[..., 0] != pixels[..., 1]).any()


async def test_segments_follow_the_pictures_and_go_when_they_are_taken_away(
    browser: Browser, shared_data: Path
) -> None:
    uid = series_of([shared_data / "derived" / "seg_liver.dcm"]).instances[0].index["sop"]
    await browser.open(size=[200, 200], segmentations=[{"sop_instance_uid": uid}])
    await browser.until(lambda b: bool(b.frames) and b.headers[-1]["exact"])
    assert coloured(browser)
    assert browser.headers[-1]["view"]["segmentations"] == [
        {"sop_instance_uid": uid, "segments": "all", "opacity": 0.4}
    ]
    await browser.change(1, plane="coronal")
    await browser.until(lambda b: b.headers[-1]["change"] == 1 and b.headers[-1]["exact"])
    assert coloured(browser)
    await browser.change(2, segmentations=None)
    await browser.until(lambda b: b.headers[-1]["change"] == 2 and b.headers[-1]["exact"])
    assert not coloured(browser)


async def test_an_object_that_is_not_there_leaves_the_picture_before(browser: Browser) -> None:
    await browser.open(size=[100, 100])
    await browser.until(lambda b: bool(b.frames) and b.headers[-1]["exact"])
    await browser.change(1, segmentations=[{"sop_instance_uid": "1.2.3"}])
    error = await browser.next_text("error")
    assert error["code"] == "bad_view"
    assert "segmentations: There is no such object" in error["message"]
    await browser.until(lambda b: b.headers[-1]["change"] == 1 and b.headers[-1]["exact"])
    assert browser.headers[-1]["view"]["segmentations"] == []


async def test_a_projection_is_refused_while_segments_are_shown(browser: Browser, shared_data: Path) -> None:
    uid = series_of([shared_data / "derived" / "seg_liver.dcm"]).instances[0].index["sop"]
    await browser.open(size=[100, 100], plane="coronal", segmentations=[{"sop_instance_uid": uid}])
    await browser.until(lambda b: bool(b.frames) and b.headers[-1]["exact"])
    await browser.change(1, projection="mip", slab_thickness="all")
    assert "not on projections" in (await browser.next_text("error"))["message"]


async def test_opening_with_an_object_that_is_not_there_opens_and_says_so(browser: Browser) -> None:
    await browser.open(size=[100, 100], segmentations=[{"sop_instance_uid": "1.2.3"}])
    assert (await browser.next_text("series.opened"))["frames"] == 3
    assert "There is no such object" in (await browser.next_text("error"))["message"]
    await browser.change(1, segmentations=[])
    await browser.until(lambda b: bool(b.frames) and b.headers[-1]["exact"])
