"""A reader shares a study by a link, somebody without an account looks at it in their browser, and the reader ends it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.axe import grave
from tests.browser.conftest import Archive, painted, still
from tests.chromium import wait_for

STUDY = "series/mr_head_sag_HFDR"
RECIPIENT = "Dr. Outside"


@pytest.fixture
def outside(chromium: Browser) -> Iterator[Page]:
    """A browser in which nobody is signed in. What the page complains about fails the test."""
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert not complaints, complaints


def share(page: Page, *, pin: bool = False) -> tuple[str, str]:
    """Fills the dialog that is open; (address, PIN) as it tells them."""
    form = page.locator("dialog[data-act=share]")
    form.get_by_label("For whom").fill(RECIPIENT)
    if pin:
        form.get_by_text("Ask for a PIN").click()
    assert grave(page) == []
    form.get_by_role("button", name="Make the link").click()
    made = page.locator("dialog[data-act=shared]")
    made.wait_for()
    assert grave(page) == []
    assert made.locator("img.qr").evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    return made.locator("input.address").input_value(), made.locator(".pin").inner_text() if pin else ""


def test_from_the_viewer_to_somebody_outside_and_back(
    opened: Callable[..., Page], outside: Page, archive: Archive, tmp_path: Path
) -> None:
    page = opened(STUDY)
    bare = still(page)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Share by a link").click()
    address, pin = share(page, pin=True)
    page.screenshot(path=tmp_path / "made.png")

    outside.goto(address)
    assert grave(outside) == []
    outside.screenshot(path=tmp_path / "door.png")
    outside.get_by_label("PIN").fill("wrong")
    outside.keyboard.press("Enter")
    outside.get_by_role("alert").wait_for()
    outside.get_by_label("PIN").fill(pin)
    outside.keyboard.press("Enter")
    outside.wait_for_url("**/studies/**")
    wait_for(outside, "window.farview && farview.viewports[0]?.exact")
    seen = painted(outside)
    outside.screenshot(path=tmp_path / "outside.png")
    assert seen["header"]["stamped"] is True
    assert bare["stamped"] is False
    assert seen["sha256"] == seen["header"]["sha256"]
    assert seen["grey"]
    outside.keyboard.press("ArrowDown")
    wait_for(outside, "farview.viewports[0].lastHeader.view.frame !== 0 && farview.viewports[0].exact")
    assert outside.evaluate("farview.viewports[0].lastHeader.stamped")
    expect(outside.get_by_role("link", name="Study list")).to_have_count(0)
    assert grave(outside) == []

    # the maker's page says who came, and one key ends it
    page.goto(f"{archive.server.url}/shares/")
    card = page.locator("[data-link]").first
    expect(card).to_contain_text(RECIPIENT)
    expect(card).to_contain_text("used 1 time")
    assert grave(page) == []
    page.screenshot(path=tmp_path / "shares.png")
    card.focus()
    page.keyboard.press("Delete")
    page.locator("dialog").get_by_role("button", name="Withdraw").click()
    begun = time.monotonic()
    expect(outside.locator("#line")).to_contain_text("The link by which you came has ended", timeout=8000)
    assert time.monotonic() - begun < 6
    frames = outside.evaluate("farview.viewports[0].counts")
    outside.keyboard.press("ArrowDown")
    outside.wait_for_timeout(500)
    assert outside.evaluate("farview.viewports[0].counts") == frames, "no picture came after it"
    outside.reload()
    assert not re.search("/studies/", outside.url) or outside.locator("canvas").count() == 0
    outside.goto(address)
    expect(outside.locator("h1")).to_have_text("This link opens nothing")
    assert grave(outside) == []


def test_from_the_list_without_a_pin_one_button_comes_in(
    browse: Callable[..., Page], outside: Page, archive: Archive
) -> None:
    archive.study(STUDY)
    page = browse()
    page.goto(archive.server.url)
    page.locator("#rows a").first.focus()
    page.keyboard.press("m")
    page.get_by_role("menuitem", name="Share by a link").press("Enter")
    address, _ = share(page)
    outside.goto(address)
    outside.get_by_role("button", name="Look at it").click()
    outside.wait_for_url("**/studies/**")
    wait_for(outside, "window.farview && farview.viewports[0]?.exact")
    outside.get_by_role("button", name="Leave").click()
    expect(outside.locator("input[name=username]")).to_be_visible()
    assert outside.evaluate("fetch('/api/me/').then(({ status }) => status)") == 401


def test_a_reader_who_opens_a_link_of_their_own_is_asked(browse: Callable[..., Page], archive: Archive) -> None:
    study = archive.study(STUDY)
    made = archive.session.post(
        f"{archive.server.url}/api/studies/{study.study_instance_uid}/share-links/", json={"recipient": RECIPIENT}
    ).json()
    page = browse()
    page.goto(made["address"])
    assert grave(page) == []
    page.get_by_role("link", name="Look at it as yourself").click()
    page.wait_for_url("**/studies/**")
    wait_for(page, "window.farview && farview.viewports[0]?.exact")
    assert page.evaluate("farview.viewports[0].lastHeader.stamped") is False
