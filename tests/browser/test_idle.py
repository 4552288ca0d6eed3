"""A page says that its session is about to end, and covers itself when it has ended."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import sign_in
from tests.chromium import chromium  # noqa: F401
from tests.live import LiveServer

IDLE_MINUTES = 0.25
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def live_server_process() -> Iterator[LiveServer]:
    with LiveServer(FARVIEW_IDLE_MINUTES=str(IDLE_MINUTES)) as server:
        yield server


@pytest.fixture
def page(chromium: Browser, live_server_process: LiveServer) -> Iterator[Page]:  # noqa: F811
    context = chromium.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    yield page
    context.close()
    assert not complaints, complaints


def test_who_does_nothing_is_warned_stays_by_one_act_and_is_signed_out_without_one(
    page: Page, live_server_process: LiveServer
) -> None:
    password, _ = live_server_process.user("alice", "radiologist")
    sign_in(page, live_server_process.url + "/", "alice", password)
    warning = page.get_by_role("dialog", name="Are you still there?")
    expect(warning).to_be_visible(timeout=PATIENCE_MS)
    expect(warning).to_contain_text("seconds you are signed out")
    page.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_be_hidden(timeout=PATIENCE_MS)
    assert page.request.get(f"{live_server_process.url}/accounts/session/").json()["signed_in"]
    over = page.get_by_role("dialog", name="You are signed out")
    expect(over).to_be_visible(timeout=PATIENCE_MS)
    expect(over).to_contain_text("What you wrote is kept.")
    assert not page.request.get(f"{live_server_process.url}/accounts/session/").json()["signed_in"]
    cover = page.evaluate("getComputedStyle(document.querySelector('dialog.over'), '::backdrop').backgroundColor")
    assert cover.startswith("rgb("), "nothing of the page is seen through it"
    page.get_by_role("button", name="Sign in again").click()
    page.fill("input[type=password]", password)
    page.fill("input[name=username]", "alice")
    page.keyboard.press("Enter")
    page.locator("#q").wait_for()


def test_in_the_administration_the_end_is_said_too_and_so_is_the_fixed_hour(
    page: Page, live_server_process: LiveServer
) -> None:
    password, _ = live_server_process.user("boss", "admin")
    page.goto(live_server_process.url + "/admin/")
    page.fill("input[name=username]", "boss")
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    warning = page.get_by_role("dialog", name="Are you still there?")
    expect(warning).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Stay signed in").click()
    expect(warning).to_be_hidden(timeout=PATIENCE_MS)
    key = next(one["value"] for one in page.context.cookies() if "session" in one["name"])
    end = Thread(target=live_server_process.manage, args=("shell", "-c", ENDS_SOON.format(key=key)))
    end.start()
    hour = page.get_by_role("dialog", name="Your session ends")
    over = page.get_by_role("dialog", name="You are signed out")
    busy_until(page, hour)
    end.join()
    expect(hour).to_contain_text("some hours after signing in")
    busy_until(page, over)
    expect(over).to_contain_text("Every session ends some hours after signing in.")
    assert not page.request.get(f"{live_server_process.url}/accounts/session/").json()["signed_in"]


def busy_until(page: Page, shown: Locator) -> None:
    """Somebody who moves the mouse all the while is not idle."""
    for number in range(PATIENCE_MS // 500):
        page.mouse.move(10 + number % 50, 10)
        page.wait_for_timeout(500)
        if shown.is_visible():
            return
    raise AssertionError("not shown")


ENDS_SOON = """
from datetime import timedelta; from django.utils import timezone; from django.contrib.sessions.backends.db import SessionStore
kept = SessionStore('{key}'); kept.set_expiry(timezone.now() + timedelta(seconds=20)); kept.save()
"""
