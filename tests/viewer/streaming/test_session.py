"""One connection: what it answers, what it refuses, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import json

import pytest

from viewer.streaming.rate import RateMeter
from viewer.streaming.session import MAX_VIEWPORTS, Ambiguous

from .fakes import SERIES, Browser, FakeEngine, FakeSeries, settle


async def test_hello_is_answered_with_protocol_and_build(browser: Browser) -> None:
    await browser.send("hello", protocol=1)
    assert browser.texts == [{"type": "hello", "protocol": 1, "build": "abc"}]


async def test_a_series_that_is_not_there_and_one_that_may_not_be_seen_look_the_same(browser: Browser) -> None:
    await browser.open(series="9.9.9")
    error = await browser.next_text("error")
    assert error == {"type": "error", "code": "not_found", "message": "There is no such series.", "viewport": "a"}


async def test_a_viewport_that_failed_to_open_takes_no_changes(browser: Browser) -> None:
    await browser.open(series="9.9.9")
    await browser.next_text("error")
    await settle()
    browser.texts.clear()
    await browser.change(1, frame=1)
    assert (await browser.next_text("error"))["code"] == "bad_message"


async def test_a_series_of_several_organizations_asks_which_one(engine: FakeEngine) -> None:
    async def find(series: str, organization: str | None) -> FakeSeries:
        if organization is None:
            raise Ambiguous(["north", "south"])
        return FakeSeries(organization=organization)

    browser = Browser(engine, find)
    await browser.open()
    error = await browser.next_text("error")
    assert error["code"] == "bad_view"
    assert "north, south" in error["message"]
    await browser.open(organization="south")
    await browser.until(lambda b: bool(b.frames))
    assert browser.headers[0]["view"]["organization"] == "south"
    await browser.session.close()


async def test_changes_to_a_viewport_nobody_opened_are_refused(browser: Browser) -> None:
    await browser.change(1, viewport="nowhere", frame=1)
    assert (await browser.next_text("error"))["viewport"] == "nowhere"
    browser.texts.clear()
    await browser.shown(1, "nowhere")
    await browser.send("viewport.close", viewport="nowhere")
    assert browser.texts == []


async def test_a_connection_has_so_many_viewports_and_no_more(browser: Browser) -> None:
    for n in range(MAX_VIEWPORTS):
        await browser.open(f"v{n}")
    await browser.open("one too many")
    assert (await browser.next_text("error"))["code"] == "bad_message"
    await browser.send("viewport.close", viewport="v0")
    browser.texts.clear()
    await browser.open("one too many")
    await browser.until(lambda b: any(h["viewport"] == "one too many" for h in b.headers))


async def test_closing_and_opening_again_under_one_name_gives_no_new_credit(engine: FakeEngine) -> None:
    browser = Browser(engine, acknowledge=False)
    for _ in range(10):
        await browser.open(frame=0)
        await settle()
        await browser.send("viewport.close", viewport="a")
    await browser.open(frame=0)
    await settle()
    assert len(browser.frames) == 2
    await browser.shown(2)
    await browser.until(lambda b: len(b.frames) == 3)
    assert browser.headers[-1]["index"] == 3
    await browser.session.close()


async def test_images_that_come_later_are_announced_where_the_series_is_shown(browser: Browser) -> None:
    await browser.open("a")
    await browser.until(lambda b: bool(b.frames))
    browser.texts.clear()
    await browser.session.series_changed("9.9")
    await browser.session.series_changed(SERIES, series_version="v2")
    assert browser.texts == [{"type": "series.changed", "viewport": "a", "series": SERIES, "series_version": "v2"}]


async def test_after_images_were_withdrawn_no_further_picture_leaves_until_the_series_is_opened_again(
    browser: Browser,
) -> None:
    await browser.open("a")
    await browser.until(lambda b: bool(b.frames))
    browser.texts.clear()
    sent = len(browser.frames)
    await browser.session.series_changed(SERIES, series_version="v2", withdrawn=True)
    assert [(text["type"], text.get("code")) for text in browser.texts] == [
        ("series.changed", None),
        ("error", "not_found"),
    ]
    await browser.change(9, "a", frame=3)
    await settle()
    assert (len(browser.frames), browser.texts[-1]["code"]) == (sent, "bad_message")
    await browser.open("a")
    await browser.until(lambda b: len(b.frames) > sent)
    await browser.session.close()


async def test_late_news_of_images_that_are_shown_already_is_not_told(engine: FakeEngine) -> None:
    async def find(series: str, organization: str | None) -> FakeSeries:
        return FakeSeries(series, version="9")

    browser = Browser(engine, find)
    await browser.open("a")
    await browser.until(lambda b: bool(b.frames))
    browser.texts.clear()
    for version in ("8", "9", "10"):
        await browser.session.series_changed(SERIES, series_version=version)
    assert [text["series_version"] for text in browser.texts] == ["10"]
    await browser.session.close()


async def test_images_that_come_while_a_series_is_opened_are_announced_after_it(engine: FakeEngine) -> None:
    gate = asyncio.Event()

    async def find(series: str, organization: str | None) -> FakeSeries:
        await gate.wait()
        return FakeSeries(series, version="9")

    browser = Browser(engine, find)
    await browser.open("a")
    await settle()
    await browser.session.series_changed(SERIES, series_version="10")
    assert browser.texts == []
    gate.set()
    await browser.until(lambda b: len(b.texts) == 2)
    assert [text["type"] for text in browser.texts] == ["series.opened", "series.changed"]
    await browser.session.close()


async def test_too_many_messages_close_the_connection(engine: FakeEngine) -> None:
    now = [0.0]
    browser = Browser(engine, meter=RateMeter({"merged": 5, "other": 2}, clock=lambda: now[0]))
    await browser.send("hello", protocol=1)
    await browser.send("hello", protocol=1)
    now[0] = 0.5
    await browser.send("hello", protocol=1)
    assert browser.closed is None
    await browser.send("hello", protocol=1)
    assert browser.closed == 1008
    browser.texts.clear()
    await browser.send("hello", protocol=1)
    assert browser.texts == []


async def test_what_is_no_message_counts_too(engine: FakeEngine) -> None:
    browser = Browser(engine, meter=RateMeter({"merged": 5, "other": 2}, clock=lambda: 0.0))
    for _ in range(3):
        await browser.session.receive("nonsense")
    assert len(browser.texts) == 2
    assert browser.closed == 1008


async def test_changes_have_a_far_larger_allowance(engine: FakeEngine) -> None:
    browser = Browser(engine, clock=lambda: 0.0, acknowledge=False)
    await browser.open()
    await settle()
    for n in range(4000):
        await browser.change(n, frame=n % 100)
    assert browser.closed is None
    for n in range(1100):
        await browser.change(n, frame=n % 100)
    assert browser.closed == 1008


@pytest.mark.parametrize("text", ["x" * 70_000, json.dumps("é" * 40_000, ensure_ascii=False)])
async def test_a_message_that_is_too_long_ends_the_connection(engine: FakeEngine, text: str) -> None:
    browser = Browser(engine)
    await browser.session.receive(text)
    assert browser.closed == 1009


async def test_nothing_is_sent_after_the_session_is_closed(browser: Browser, engine: FakeEngine) -> None:
    for name in "abcd":
        await browser.open(name)
    await browser.until(lambda b: len(b.frames) >= 4)
    engine.gate.clear()
    for name in "abcd":
        await browser.change(1, viewport=name, frame=1)
    await settle()
    await browser.session.close()
    count = len(browser.frames)
    engine.gate.set()
    await settle(0.3)
    assert len(browser.frames) == count
