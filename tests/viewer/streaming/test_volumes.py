"""Views of a volume: how far loading is, what lies over it, small while it moves, and what is measured on it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from viewer.streaming import viewport
from viewer.streaming.viewport import MEASURABLE

from .fakes import HUGE, OVERLAY, SERIES, Browser, FakeEngine, settle

MIP: dict[str, Any] = {"plane": "coronal", "projection": "mip", "slab_thickness": "all", "size": [1024, 1024]}
FUSION = {"fusion": {"series": OVERLAY}}


@pytest.fixture
def never_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewport, "REST", 3600.0)


def words(browser: Browser, kind: str) -> list[dict[str, Any]]:
    return [text for text in browser.texts if text["type"] == kind]


async def until(ready: Any) -> None:
    async with asyncio.timeout(5):
        while not ready():
            await settle(0.001)


# --- loading


async def test_a_volume_that_loads_says_what_was_opened_and_how_far_it_is(
    browser: Browser, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewport, "PATIENCE", 0.01)
    await browser.open(**MIP)
    await browser.next_text("series.opened")
    await until(lambda: engine.tell)
    for done in range(1, 61):
        engine.tell[0](done, 60)
        await settle(0.01)
    told = words(browser, "series.progress")
    assert 2 <= len(told) <= 6
    assert [word["done"] for word in told] == sorted({word["done"] for word in told})
    assert {key: value for key, value in told[0].items() if key != "done"} == {
        "type": "series.progress",
        "viewport": "a",
        "series": SERIES,
        "stage": "loading",
        "total": 60,
    }
    assert not browser.frames
    engine.volume.set()
    await browser.until(lambda b: bool(b.frames))


async def test_changes_that_come_while_a_volume_loads_do_not_begin_it_anew(
    browser: Browser, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewport, "PATIENCE", 0.01)
    monkeypatch.setattr(viewport, "LOOK_AGAIN", 0.005)
    await browser.open(**MIP)
    await browser.next_text("series.opened")
    for n in range(1, 30):
        await browser.change(n, rotation=90 * (n % 4))
        await settle(0.005)
    assert engine.loads_begun == 1
    engine.volume.set()
    await browser.until(lambda b: bool(b.frames) and b.headers[-1]["change"] == 29)


async def test_a_volume_that_nobody_waits_for_any_more_is_not_loaded(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(**MIP)
    await until(lambda: engine.loads)
    await browser.change(1, plane="acquired", projection="slice", slab_thickness=0)
    await browser.until(lambda b: bool(b.frames))
    assert engine.loads == 0
    await browser.change(2, plane="axial")
    await until(lambda: engine.loads)
    await browser.send("viewport.close", viewport="a")
    await until(lambda: not engine.loads)


async def test_what_is_too_large_for_a_volume_leaves_the_reader_with_the_stack(browser: Browser) -> None:
    await browser.open(series=HUGE, frame=5)
    await browser.until(lambda b: bool(b.frames))
    await browser.change(1, plane="coronal")
    assert (await browser.next_text("error"))["code"] == "too_large"
    await browser.until(lambda b: b.headers[-1]["change"] == 1)
    assert browser.headers[-1]["view"]["plane"] == "acquired"
    await browser.change(2, frame=6)
    await browser.until(lambda b: b.headers[-1]["change"] == 2)
    assert browser.headers[-1]["view"]["frame"] == 6


# --- moving


@pytest.mark.usefixtures("never_still")
async def test_a_heavy_picture_is_small_while_it_moves(browser: Browser, engine: FakeEngine) -> None:
    engine.volume.set()
    engine.render_seconds_per_pixel = 1e-6
    await browser.open(**MIP)
    for n in range(1, 12):
        await browser.until(lambda b: bool(b.frames))
        await browser.change(n, rotation=90 * (n % 4))
        await browser.until(lambda b, n=n: b.headers[-1]["change"] == n)
    last = browser.headers[-1]
    assert last["rows"] * last["columns"] * engine.render_seconds_per_pixel <= viewport.DRAWING
    assert not last["exact"]


async def test_at_rest_it_is_drawn_whole(browser: Browser, engine: FakeEngine) -> None:
    engine.volume.set()
    engine.render_seconds_per_pixel = 1e-6
    await browser.open(**MIP)
    await browser.until(lambda b: bool(b.frames) and b.headers[-1]["exact"])
    assert browser.headers[0]["rows"] < 1024
    assert (browser.headers[-1]["rows"], engine.most[-1]) == (1024, None)


async def test_what_was_drawn_is_offered_to_the_exact_picture(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=5)
    await browser.until(lambda b: len(b.frames) == 2)
    assert [pixels is not None for pixels in engine.reused] == [False, True]


async def test_the_hand_does_not_wait_for_an_exact_picture(browser: Browser, engine: FakeEngine) -> None:
    engine.exact_gate.clear()
    await browser.open(frame=0)
    await until(lambda: any(exact for _, exact in engine.drawn))
    await browser.change(1, frame=1)
    await browser.until(lambda b: b.headers[-1]["change"] == 1)
    assert engine.cancelled == 1


# --- fusion


async def test_what_lies_over_a_series_is_opened_once(engine: FakeEngine) -> None:
    from . import fakes

    asked: list[tuple[str, str | None]] = []

    async def find(series: str, organization: str | None) -> fakes.FakeSeries:
        asked.append((series, organization))
        return fakes.FakeSeries(series)

    engine.volume.set()
    browser = Browser(engine, find)
    await browser.open(**FUSION)
    await browser.until(lambda b: len(b.frames) == 2)
    await browser.change(1, fusion={"opacity": 0.2})
    await browser.until(lambda b: b.headers[-1]["change"] == 1)
    assert asked == [(SERIES, None), (OVERLAY, "default")]
    assert set(engine.fused) == {OVERLAY}
    await browser.session.close()


async def test_nothing_is_laid_over_that_the_reader_may_not_see(browser: Browser, engine: FakeEngine) -> None:
    engine.volume.set()
    await browser.open(frame=3)
    await browser.until(lambda b: len(b.frames) == 2)
    await browser.change(1, fusion={"series": "9.9.9"})
    error = await browser.next_text("error")
    assert (error["code"], error["message"]) == ("bad_view", "fusion: There is no such series.")
    await browser.until(lambda b: b.headers[-1]["change"] == 1)
    assert browser.headers[-1]["view"]["fusion"] is None
    assert set(engine.fused) == {None}


# --- measuring


async def measured(browser: Browser, index: int, kind: str = "length") -> dict[str, Any]:
    browser.texts.clear()
    await browser.send("measure", viewport="a", index=index, id="m1", kind=kind, points=[[1, 2], [3, 4]])
    await browser.until(lambda b: bool(b.texts))
    return browser.texts[0]


async def test_a_measurement_is_taken_on_the_frame_it_names(browser: Browser) -> None:
    await browser.open(frame=5)
    await browser.until(lambda b: len(b.frames) == 2)
    await browser.change(1, frame=6)
    await browser.until(lambda b: b.headers[-1]["change"] == 1)
    assert await measured(browser, 2) == {
        "type": "measure.result",
        "viewport": "a",
        "id": "m1",
        "kind": "length",
        "values": {"frame": 5},
        "points": [[1.0, 2.0], [3.0, 4.0]],
        "notes": [],
    }
    assert (await measured(browser, 3))["values"] == {"frame": 6}


async def test_what_cannot_be_measured_is_said_under_its_name(browser: Browser) -> None:
    await browser.open(frame=5)
    await browser.until(lambda b: bool(b.frames))
    answer = await measured(browser, 1, kind="taste")
    assert (answer["type"], answer["code"], answer["id"]) == ("error", "cannot_measure", "m1")


@pytest.mark.usefixtures("never_still")
async def test_only_the_last_frames_can_be_measured_on(browser: Browser) -> None:
    await browser.open(frame=5)
    await browser.until(lambda b: bool(b.frames))
    for n in range(1, MEASURABLE + 1):
        await browser.change(n, frame=n % 10)
        await browser.until(lambda b, n=n: b.headers[-1]["change"] == n)
    assert (await measured(browser, 1))["code"] == "bad_message"
    assert (await measured(browser, 2))["type"] == "measure.result"
    assert (await measured(browser, 999))["code"] == "bad_message"


async def test_there_is_nothing_to_measure_where_nothing_was_opened(browser: Browser) -> None:
    assert (await measured(browser, 1))["code"] == "bad_message"
