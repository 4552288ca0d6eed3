"""One viewport at work: the newest wish is drawn, never more than the client can take, exactly once it is still."""

from __future__ import annotations

import asyncio

import pytest

from viewer.streaming import viewport

from .fakes import FRAMES, SERIES, UNDECODABLE, Browser, FakeEngine, settle


@pytest.fixture
def never_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what moves: no machine is so slow that a picture comes to rest meanwhile."""
    monkeypatch.setattr(viewport, "REST", 3600.0)


async def test_opening_answers_with_what_was_opened_and_a_first_picture(browser: Browser) -> None:
    await browser.open(frame=5)
    opened = await browser.next_text("series.opened")
    assert (opened["viewport"], opened["frames"], opened["series_version"]) == ("a", FRAMES, "v1")
    assert opened["view"]["frame"] == 5
    await browser.until(lambda b: bool(b.frames))
    header = browser.headers[0]
    assert (header["type"], header["viewport"], header["index"], header["change"]) == ("frame", "a", 1, 0)
    assert not header["exact"]
    assert header["view"]["window_center"] == 40
    assert set(header["timing_ms"]) == {"wait", "load", "render", "encode"}


async def test_a_still_picture_is_sent_again_without_loss_and_then_nothing_more(browser: Browser) -> None:
    await browser.open(frame=5)
    await browser.until(lambda b: len(b.frames) == 2)
    lossy, exact = browser.headers
    assert (lossy["exact"], exact["exact"]) == (False, True)
    assert exact["view"] == lossy["view"]
    assert exact["change"] == lossy["change"]
    await settle(0.3)
    assert len(browser.frames) == 2


async def test_only_pictures_of_a_moving_hand_are_bounded_in_pixels(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=5, size=[2048, 2048])
    await browser.until(lambda b: len(b.frames) == 2)  # the first one, lossy, and the exact one
    await browser.change(1, frame=6)
    await browser.until(lambda b: len(b.frames) == 4)
    assert engine.most[1::2] == [None, None]
    assert engine.most[2] == viewport.MOVING_PIXELS


@pytest.mark.usefixtures("never_still")
async def test_wishes_that_are_overtaken_are_never_drawn(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    engine.gate.clear()
    for n in range(1, 51):
        await browser.change(n, frame=n)
        await settle(0.001)
    engine.gate.set()
    await browser.until(lambda b: b.headers[-1]["change"] == 50)
    await settle()
    assert engine.frames[:3] == [0, 1, 50]
    assert browser.headers[-1]["view"]["frame"] == 50


@pytest.mark.usefixtures("never_still")
async def test_changes_add_up_although_only_the_newest_is_drawn(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.change(1, window_center=10, window_width=20)
    await browser.change(2, frame=7)
    await browser.change(3, inverted=True)
    await browser.until(lambda b: b.headers[-1]["change"] == 3)
    view = browser.headers[-1]["view"]
    assert (view["window_center"], view["frame"], view["inverted"]) == (10, 7, True)


async def test_indexes_count_up_and_changes_never_go_back(browser: Browser) -> None:
    await browser.open(frame=0)
    for n in range(1, 40):
        await browser.change(n, frame=n)
        await settle(0.002)
    await browser.until(lambda b: b.headers[-1]["exact"])
    indexes = [h["index"] for h in browser.headers]
    changes = [h["change"] for h in browser.headers]
    assert indexes == list(range(1, len(indexes) + 1))
    assert changes == sorted(changes)
    assert changes[-1] == 39


async def test_a_client_that_acknowledges_nothing_gets_two_frames_and_no_more(engine: FakeEngine) -> None:
    browser = Browser(engine, acknowledge=False)
    await browser.open(frame=0)
    for n in range(1, 60):
        await browser.change(n, frame=n)
        await settle(0.005)
    await settle(0.4)
    assert len(browser.frames) == 2
    await browser.open(frame=3)
    await settle(0.3)
    assert len(browser.frames) == 2
    await browser.session.close()


@pytest.mark.usefixtures("never_still")
async def test_an_acknowledgement_brings_the_newest_picture(engine: FakeEngine) -> None:
    browser = Browser(engine, acknowledge=False)
    await browser.open(frame=0)
    for n in range(1, 20):
        await browser.change(n, frame=n)
        await settle(0.002)
    assert len(browser.frames) == 2
    await browser.shown(1)
    await browser.until(lambda b: len(b.frames) == 3)
    assert browser.headers[-1]["view"]["frame"] == 19
    await browser.session.close()


async def test_the_exact_picture_waits_for_credit(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewport, "REST", 0.5)
    browser = Browser(engine, acknowledge=False)
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.change(1, frame=1)
    await browser.until(lambda b: len(b.frames) == 2)
    await settle(0.7)
    assert not any(h["exact"] for h in browser.headers)
    await browser.shown(2)
    await browser.until(lambda b: b.headers[-1]["exact"])
    assert browser.headers[-1]["change"] == 1
    await browser.session.close()


async def test_an_exact_picture_that_is_overtaken_is_not_sent(browser: Browser, engine: FakeEngine) -> None:
    engine.exact_gate.clear()
    await browser.open(frame=0)
    async with asyncio.timeout(5):
        while not any(exact for _, exact in engine.drawn):
            await settle()
    await browser.change(1, frame=1)
    engine.exact_gate.set()
    await browser.until(lambda b: len(b.frames) == 3)
    assert [(h["exact"], h["change"]) for h in browser.headers] == [(False, 0), (False, 1), (True, 1)]


@pytest.mark.usefixtures("never_still")
async def test_pictures_flow_while_the_hand_never_rests(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=0)
    for n in range(1, 60):
        await browser.change(n, frame=n % FRAMES)
        await settle(0.005)
    assert len(browser.frames) > 10


@pytest.mark.usefixtures("never_still")
async def test_large_frames_wait_for_the_bytes_on_their_way(engine: FakeEngine) -> None:
    engine.size = 700_000
    browser = Browser(engine, acknowledge=False)
    await browser.open(frame=0)
    await browser.change(1, frame=1)
    await settle(0.3)
    assert len(browser.frames) == 1
    await browser.change(2, frame=2)
    await settle()
    await browser.shown(1)
    await browser.until(lambda b: len(b.frames) == 2)
    assert browser.headers[-1]["change"] == 2
    await browser.session.close()


async def test_a_bad_change_leaves_the_view_as_it_was(browser: Browser) -> None:
    await browser.open(frame=4)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.change(1, frame=FRAMES)
    await browser.change(2, window_width="wide")
    await browser.change(3, no_such_field=1)
    await browser.change(4, series="9.9")
    await browser.until(lambda b: sum(t["type"] == "error" for t in b.texts) == 4)
    errors = [t for t in browser.texts if t["type"] == "error"]
    assert {(e["code"], e["viewport"]) for e in errors} == {("bad_view", "a")}
    await browser.change(5, inverted=True)
    await browser.until(lambda b: b.headers[-1]["change"] == 5)
    assert browser.headers[-1]["view"]["frame"] == 4


async def test_a_view_that_only_the_drawing_finds_bad_falls_back(browser: Browser) -> None:
    await browser.open(frame=4)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.change(1, preset="none")
    assert (await browser.next_text("error"))["code"] == "bad_view"
    await browser.until(lambda b: b.headers[-1]["change"] == 1 and b.headers[-1]["exact"])
    await browser.change(2, frame=5)
    await browser.until(lambda b: b.headers[-1]["change"] == 2)
    assert browser.headers[-1]["view"]["preset"] is None


async def test_a_frame_that_cannot_be_decoded_is_named_and_the_stream_goes_on(browser: Browser) -> None:
    await browser.open(frame=4)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.change(1, frame=UNDECODABLE)
    error = await browser.next_text("error")
    assert (error["code"], error["viewport"], error["frame"], error["change"]) == ("cannot_decode", "a", UNDECODABLE, 1)
    await browser.change(2, frame=14)
    await browser.until(lambda b: b.headers[-1]["change"] == 2)


async def test_a_series_whose_first_picture_cannot_be_decoded_opens_all_the_same(browser: Browser) -> None:
    await browser.open(frame=UNDECODABLE)
    await browser.next_text("error")
    assert [t["type"] for t in browser.texts] == ["series.opened", "error"]
    await browser.change(1, frame=0)
    await browser.until(lambda b: bool(b.frames))


async def test_an_index_of_a_frame_that_was_never_sent_is_refused(browser: Browser) -> None:
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.send("view.change", viewport="a", change=1, index=99, view={"frame": 1})
    assert (await browser.next_text("error"))["code"] == "bad_message"


async def test_a_change_made_on_a_picture_of_the_former_series_changes_nothing(browser: Browser) -> None:
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 2)
    await browser.open(frame=50)
    await browser.send("view.change", viewport="a", change=1, index=2, view={"frame": 1})
    await browser.until(lambda b: b.headers[-1]["change"] == 1)
    assert browser.headers[-1]["view"]["frame"] == 50


@pytest.mark.usefixtures("never_still")
async def test_opening_again_replaces_and_goes_on_counting(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    engine.gate.clear()
    await browser.change(1, frame=1)
    await settle()
    await browser.open(frame=9)
    assert engine.cancelled == 1
    engine.gate.set()
    await browser.until(lambda b: len(b.frames) == 2)
    assert [(h["index"], h["view"]["frame"]) for h in browser.headers] == [(1, 0), (2, 9)]


async def test_a_change_that_comes_while_the_series_is_opened_counts(engine: FakeEngine) -> None:
    browser = Browser(engine)
    await browser.open(frame=0)
    await browser.change(1, frame=8)
    await browser.until(lambda b: bool(b.frames))
    assert (browser.headers[0]["change"], browser.headers[0]["view"]["frame"]) == (1, 8)
    await browser.session.close()


@pytest.mark.usefixtures("never_still")
async def test_the_window_of_the_first_picture_stays_while_scrolling(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.change(1, frame=1)
    await browser.until(lambda b: b.headers[-1]["change"] == 1)
    assert engine.drawn[-1][0].window_center == 40


@pytest.mark.usefixtures("never_still")
async def test_neighbours_are_loaded_in_the_direction_of_scrolling(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=10)
    await browser.until(lambda b: len(b.frames) == 1)
    for change, frame in enumerate((11, 12, 11), 1):
        await browser.change(change, frame=frame)
        await browser.until(lambda b, change=change: b.headers[-1]["change"] == change)
    assert engine.steps == [(10, 1), (11, 1), (12, 1), (11, -1)]


@pytest.mark.usefixtures("never_still")
async def test_nothing_is_sent_after_the_viewport_is_closed(browser: Browser, engine: FakeEngine) -> None:
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    engine.gate.clear()
    await browser.change(1, frame=1)
    await settle()
    await browser.send("viewport.close", viewport="a")
    engine.gate.set()
    await settle(0.3)
    assert len(browser.frames) == 1
    assert engine.left == 1


@pytest.mark.usefixtures("never_still")
async def test_a_browser_that_does_not_read_holds_one_message_per_viewport(engine: FakeEngine) -> None:
    browser = Browser(engine)
    await browser.open(frame=0)
    await browser.until(lambda b: len(b.frames) == 1)
    browser.reads.clear()
    for n in range(1, 200):
        await browser.change(n, frame=n % FRAMES)
        await settle(0.0005)
    assert len(engine.drawn) <= 3
    browser.reads.set()
    await browser.until(lambda b: b.headers[-1]["change"] == 199)
    await browser.session.close()


async def test_viewports_are_drawn_independently(browser: Browser) -> None:
    await browser.open("left", frame=1)
    await browser.open("right", frame=2)
    await browser.until(lambda b: len(b.frames) == 4)
    assert {(h["viewport"], h["view"]["frame"]) for h in browser.headers} == {("left", 1), ("right", 2)}
    assert SERIES in {h["view"]["series"] for h in browser.headers}


async def test_a_frame_that_takes_long_does_not_hold_up_the_others(browser: Browser, engine: FakeEngine) -> None:
    engine.slow = {20}
    await browser.open(frame=19)
    await browser.until(lambda b: len(b.frames) == 1)
    await browser.change(1, frame=20)
    await settle()
    await browser.change(2, frame=21)
    await browser.until(lambda b: b.headers[-1]["change"] == 2)
    assert 20 not in engine.frames


async def test_a_series_whose_first_frame_takes_long_can_be_scrolled(browser: Browser, engine: FakeEngine) -> None:
    engine.slow = {0}
    await browser.open(frame=0)
    await settle()
    await browser.change(1, frame=1)
    await browser.until(lambda b: bool(b.frames))
    assert browser.headers[0]["view"]["frame"] == 1
    assert browser.texts[0]["type"] == "series.opened"
