"""A template in a real browser: taken in, tried out, put in use by another administrator, offered to readers."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.chromium import chromium  # noqa: F401
from tests.live import LiveServer

NAME = "CT Appendix (synthetic)"


@pytest.fixture
def administrate(chromium: Browser, live_server_process: LiveServer):  # noqa: F811
    """Makes pages on which a named administrator is signed in; what a page complains about fails the test."""
    contexts, complaints = [], []

    def signed_in(name: str) -> Page:
        password, _ = live_server_process.user(name, "admin")
        context = chromium.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(f"{live_server_process.url}/accounts/sign-in/?next=/admin/reporting/template/")
        page.fill("input[name=username]", name)
        page.fill("input[type=password]", password)
        page.keyboard.press("Enter")
        page.locator("#result_list").wait_for()
        return page

    yield signed_in
    for context in contexts:
        context.close()
    assert not complaints


def test_a_template_is_taken_in_tried_out_and_put_in_use(
    administrate, live_server_process: LiveServer, shared_data: Path
) -> None:
    page = administrate("anna")
    page.click("text=Take in templates")
    page.set_input_files("input[type=file]", shared_data / "mrrt" / "trex_style.html")
    page.click("input[value='Take in']")
    expect(page.locator(".outcome .said")).to_have_text("a new template")
    expect(page.locator(".notes").first).to_contain_text("is an address: taken as RID13173")
    page.click(f"text={NAME}, version 1")

    twin = page.locator("[data-field=cb_1_1_freetext]")
    expect(twin).to_be_hidden()
    page.get_by_role("checkbox", name="Other").check()
    expect(twin).to_be_visible()
    twin.locator("input").fill("Oral contrast")
    page.get_by_role("checkbox", name="Other").uncheck()
    expect(twin).to_be_hidden()
    page.get_by_role("checkbox", name="Other").check()
    page.click("input[value='Show the text']")
    expect(page.locator("#text")).to_contain_text("Oral contrast")
    page.screenshot()

    page.click(".breadcrumbs a:last-child")
    second = administrate("berta")
    page.click("input[name=activate]")
    expect(page.locator(".messagelist")).to_contain_text("another administrator has to look at it")
    second.goto(page.url)
    second.click("input[name=activate]")
    expect(second.locator(".messagelist")).to_contain_text("Version 1 is in use.")

    _, token = live_server_process.user("reader", "radiologist")
    offered = requests.get(
        f"{live_server_process.url}/api/templates/", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ).json()["templates"]
    assert NAME in {one["title"] for one in offered}
