"""What readers choose for themselves: their keys on any screen, and two windows on the same study."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route

from tests.axe import grave
from tests.browser.conftest import CHEST, Archive
from tests.chromium import wait_for

RADIOGRAPH = "xray/MG_GH133_3062x2394.dcm"


@pytest.fixture
def as_delivered(archive: Archive) -> Iterator[None]:
    yield
    archive.session.put(f"{archive.server.url}/api/me/settings/", json={"keys": None}, timeout=30).raise_for_status()


def keys_dialog(page: Page) -> None:
    page.keyboard.press("F1")
    page.get_by_role("button", name="Change keys…").click()
    page.locator("dialog.keys-dialog").wait_for()


@pytest.mark.usefixtures("as_delivered")
def test_a_key_that_was_changed_is_changed_on_every_screen(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    keys_dialog(page)
    row = page.locator("dialog.keys-dialog tr", has_text="Rotate right")
    row.get_by_role("button", name="Add a key").click()
    with page.expect_response(lambda answer: "/api/me/settings/" in answer.url and answer.ok):
        page.keyboard.press("Shift+X")
    assert "Shift+X" in row.inner_text()
    row.get_by_role("button", name="Add a key").click()
    with page.expect_response(lambda answer: "/api/me/settings/" in answer.url and answer.ok):
        page.keyboard.press("c")
    assert "no longer" in page.locator("dialog.keys-dialog .told").inner_text()

    other = opened(CHEST)
    other.keyboard.press("Shift+X")
    wait_for(other, "farview.viewports[0].wish.rotation === 90")
    other.keyboard.press("c")
    wait_for(other, "farview.viewports[0].wish.rotation === 180")


@pytest.mark.usefixtures("as_delivered")
def test_escape_leaves_a_key_as_it_is_and_as_delivered_takes_all_back(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    keys_dialog(page)
    row = page.locator("dialog.keys-dialog tr", has_text="Rotate right")
    row.get_by_role("button", name="Add a key").click()
    page.keyboard.press("Escape")
    assert page.locator("dialog.keys-dialog").is_visible()
    assert row.locator(".key").all_inner_texts() == ["R"]
    row.get_by_role("button", name="R", exact=True).click()
    assert row.locator(".key").count() == 0
    page.get_by_role("button", name="As delivered").click()
    assert row.locator(".key").all_inner_texts() == ["R"]


def test_the_second_window_goes_where_the_first_one_goes(opened: Callable[..., Page], archive: Archive) -> None:
    other_study = archive.study(RADIOGRAPH).study_instance_uid
    page = opened(CHEST)
    page.keyboard.press("F1")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Second window").click()
    second = popup.value
    second.wait_for_url(page.url)
    page.goto(f"{archive.server.url}/studies/{other_study}/")
    second.wait_for_url(f"**/studies/{other_study}/**")


@pytest.mark.parametrize(
    ("language", "words", "stage"),
    [
        ("de", "Messen", "Aktuell"),
        ("es", "Medir", "Actual"),
        ("fr", "Mesurer", "Actuel"),
        ("zh-hans", "测量", "当前"),
    ],
)
def test_the_page_speaks_the_readers_language_and_still_fits(
    opened: Callable[..., Page], language: str, words: str, stage: str
) -> None:
    page = opened(CHEST, locale=language, extra_http_headers={"Accept-Language": language}, width=1200)
    assert page.locator("html").get_attribute("lang") == language
    assert page.get_by_role("button", name=words).count() >= 1
    assert stage in page.locator(".stagebox .stagename").inner_text()  # a word of the server's
    page.keyboard.press("F1")
    page.locator("#help").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(("width", "noted"), [(900, True), (2600, False)])
def test_a_display_that_is_too_small_for_diagnosis_says_so(
    browse: Callable[..., Page], archive: Archive, width: int, noted: bool
) -> None:
    """The server's page with the administrator's figure put in, as `FARVIEW_DIAGNOSTIC_PIXELS` would."""
    study = archive.study(CHEST).study_instance_uid
    page = browse(width=width, height=1600, screen={"width": width, "height": 1600})
    address = f"{archive.server.url}/studies/{study}/"
    page.route(address, _with_pixels)
    page.goto(address)
    wait_for(page, "window.farview")
    assert page.locator("#display-note").is_visible() is noted


def _with_pixels(route: Route) -> None:
    answer = route.fetch()
    headers = {
        name: value for name, value in answer.headers.items() if name not in ("content-length", "content-encoding")
    }
    text = answer.text().replace('data-diagnostic-pixels="0"', 'data-diagnostic-pixels="3000000"')
    route.fulfill(status=answer.status, headers=headers, body=text)


def test_a_picture_is_as_large_as_the_patient_where_the_screen_was_measured(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="True size").click()
    page.locator(".screen-size").get_by_role("slider").fill("400")
    page.get_by_role("button", name="It fits").click()
    wait_for(page, "document.querySelector('.panes').textContent.includes('(true size)')")
    page.keyboard.press("+")
    wait_for(page, "!document.querySelector('.panes').textContent.includes('(true size)')")


@pytest.mark.parametrize("size", [{"width": 1400, "height": 900}, {"width": 390, "height": 844, "has_touch": True}])
def test_axe_finds_nothing_in_the_viewer_with_its_panels_menus_and_dialogs(
    opened: Callable[..., Page], size: dict[str, Any]
) -> None:
    page = opened(CHEST, **size)
    assert grave(page) == []
    for name in page.locator("[role=tab]").evaluate_all("(tabs) => tabs.map(({ id }) => id)"):
        page.evaluate("(id) => document.getElementById(id).click()", name)
        page.locator(f"#{name.replace('tab-', 'panel-')}").wait_for()
        assert grave(page) == [], name
    page.get_by_role("button", name="More", exact=True).click()
    assert grave(page) == []
    page.get_by_role("menuitem", name="Measure this screen").click()
    assert grave(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("F1")
    page.locator("#help").wait_for()
    assert grave(page) == []
