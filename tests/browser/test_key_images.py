"""Key images and links: what a reader keeps of a picture is that very picture, wherever it is seen again."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Route

from tests.browser.conftest import CHEST, Archive, fitted, painted, sign_in, still
from tests.browser.made import HOSTILE, Made
from tests.chromium import wait_for

NUMBERS = count(100)


@pytest.fixture
def made(archive: Archive, tmp_path: Path) -> Made:
    """A study of its own for each test."""
    made = Made(tmp_path, next(NUMBERS))
    archive.server.manage("ingest", made.folder)
    return made


@pytest.fixture
def page(browse: Callable[..., Page], archive: Archive, made: Made) -> Page:
    return at_study(browse(), archive, made.study)


def at_study(page: Page, archive: Archive, study: str) -> Page:
    page.goto(f"{archive.server.url}/studies/{study}/")
    wait_for(page, "window.farview && farview.features.keyImages.state === 'ready' && farview.viewports[0].exact")
    return page


def kept(archive: Archive, study: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = archive.get(f"/api/studies/{study}/key-images/").json()["key_images"]
    return found


def marked(page: Page, how_many: int) -> None:
    wait_for(page, f"farview.features.keyImages.images.length === {how_many} && !farview.features.keyImages.marking")


def open_panel(page: Page) -> None:
    page.locator("#tab-key-images").click()
    fitted(page)


def faces(page: Page) -> Any:
    return page.locator("#panel-key-images .key-face")


# --- marking


def test_one_key_keeps_the_very_picture(opened: Callable[..., Page], archive: Archive) -> None:
    page = opened(CHEST)
    study = archive.study(CHEST).study_instance_uid
    wait_for(page, "farview.features.keyImages.state === 'ready'")
    before = len(kept(archive, study))
    page.keyboard.press("2")
    for _ in range(5):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("h")
    still(page)
    on_glass = painted(page)
    page.keyboard.press("k")
    marked(page, before + 1)
    last = kept(archive, study)[-1]
    assert last["sha256"] == on_glass["sha256"]
    assert last["view"]["frame"] == 5
    assert last["view"]["flip_horizontal"] is True
    drawn = np.asarray(Image.open(io.BytesIO(archive.get(last["picture"]).content)))
    assert hashlib.sha256(drawn.tobytes()).hexdigest() == on_glass["sha256"], "another program gets the same pixels"
    assert archive.get(last["thumbnail"]).headers["Content-Type"] == "image/jpeg"
    assert page.locator(".mark.key").is_visible()
    assert page.locator(".mark.key").inner_text() == "key image"
    assert page.locator("#tab-key-images .count").inner_text() == str(before + 1)


def test_a_key_pressed_on_a_preview_waits_for_the_exact_picture(page: Page, archive: Archive, made: Made) -> None:
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    marked(page, 1)
    (one,) = kept(archive, made.study)
    assert one["sop_instance_uid"] == made.images[2]
    assert painted(page)["sha256"] == one["sha256"]


def test_what_was_asked_for_is_marked_though_the_hand_went_on(page: Page, archive: Archive, made: Made) -> None:
    page.keyboard.press("End")
    page.keyboard.press("k")
    page.keyboard.press("Home")
    marked(page, 1)
    (one,) = kept(archive, made.study)
    assert one["sop_instance_uid"] == made.images[5]


def test_the_same_picture_is_no_second_key_image(page: Page, archive: Archive, made: Made) -> None:
    page.keyboard.press("k")
    marked(page, 1)
    page.keyboard.press("k")
    page.locator(".remark", has_text="already").wait_for()
    assert len(kept(archive, made.study)) == 1


def test_the_star_stands_on_that_picture_alone(page: Page) -> None:
    page.keyboard.press("k")
    marked(page, 1)
    star = page.locator(".mark.key")
    assert star.is_visible()
    page.keyboard.press("ArrowDown")
    still(page)
    assert star.is_hidden()
    page.keyboard.press("ArrowUp")
    still(page)
    assert star.is_visible()
    page.keyboard.press("i")
    still(page)
    assert star.is_hidden(), "the same image, inverted, is another picture"


FLASHES = """() => {
  window.flashes = [];
  const pane = document.querySelector(".pane");
  new MutationObserver(() => flashes.push([pane.hasAttribute("data-flash"), performance.now()]))
    .observe(pane, { attributes: true, attributeFilter: ["data-flash"] });
}"""


@pytest.mark.parametrize(("motion", "flashes"), [("no-preference", [True, False]), ("reduce", [])])
def test_the_border_flashes_for_a_moment_and_not_where_motion_is_unwanted(
    browse: Callable[..., Page], archive: Archive, made: Made, motion: str, flashes: list[bool]
) -> None:
    page = at_study(browse(reduced_motion=motion), archive, made.study)
    page.evaluate(FLASHES)
    page.keyboard.press("k")
    marked(page, 1)
    page.wait_for_timeout(300)
    assert [on for on, _ in page.evaluate("flashes")] == flashes


def test_a_refusal_is_said_and_nothing_is_kept(page: Page, archive: Archive, made: Made) -> None:
    page.route("**/key-images/*", lambda route: refuse(route))
    page.keyboard.press("k")
    page.locator(".remark", has_text="Not marked: The server is busy.").wait_for()
    assert kept(archive, made.study) == []
    page.unroute("**/key-images/*")
    page.keyboard.press("k")
    marked(page, 1)


def refuse(route: Route) -> None:
    if route.request.method == "POST":
        route.fulfill(status=503, json={"detail": "The server is busy."})
    else:
        route.continue_()


# --- the strip


def test_a_click_shows_it_again_exactly_as_it_was(page: Page, archive: Archive, made: Made) -> None:
    open_panel(page)
    page.locator(".pane").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("r")
    page.keyboard.press("+")
    still(page)
    page.keyboard.press("k")
    marked(page, 1)
    (one,) = kept(archive, made.study)
    for key in ("End", "i", "h", "="):
        page.keyboard.press(key)
    still(page)
    assert painted(page)["sha256"] != one["sha256"]
    assert "Image 2" in faces(page).inner_text()
    assert "alice" in faces(page).inner_text()
    faces(page).click()
    wait_for(page, "farview.viewports[0].lastHeader?.view.frame === 1 && farview.viewports[0].exact")
    assert painted(page)["sha256"] == one["sha256"]
    assert page.locator(".mark.key").is_visible()


def test_a_plane_through_the_volume_is_a_key_image_too(page: Page, archive: Archive, made: Made) -> None:
    open_panel(page)
    page.locator(".pane").first.focus()
    page.keyboard.press("x")
    page.keyboard.press("x")
    wait_for(page, "farview.viewports[0].lastHeader.view.plane === 'coronal' && farview.viewports[0].exact")
    page.keyboard.press("k")
    marked(page, 1)
    (one,) = kept(archive, made.study)
    assert one["sop_instance_uid"] == ""
    assert "Coronal" in faces(page).inner_text()
    page.keyboard.press("x")
    page.keyboard.press("x")
    still(page)
    faces(page).click()
    wait_for(page, "farview.viewports[0].lastHeader?.view.plane === 'coronal' && farview.viewports[0].exact")
    assert painted(page)["sha256"] == one["sha256"]


def test_deleting_can_be_undone(page: Page, archive: Archive, made: Made) -> None:
    open_panel(page)
    assert "Nothing is marked" in page.locator("#panel-key-images").inner_text()
    page.get_by_role("button", name="Mark this picture", exact=True).click()
    marked(page, 1)
    digest = kept(archive, made.study)[0]["sha256"]
    page.get_by_role("button", name="Delete Image 1 from the key images").click()
    marked(page, 0)
    assert kept(archive, made.study) == []
    page.get_by_role("button", name="Undo", exact=True).click()
    marked(page, 1)
    assert kept(archive, made.study)[0]["sha256"] == digest
    assert page.get_by_role("button", name="Undo", exact=True).count() == 0


def test_two_readers_see_each_others_key_images_at_once(
    page: Page, browse: Callable[..., Page], archive: Archive, made: Made
) -> None:
    other = at_study(browse(), archive, made.study)
    page.keyboard.press("k")
    marked(other, 1)
    assert other.locator(".mark.key").is_visible(), "the same picture is on the other's glass"
    open_panel(page)
    page.get_by_role("button", name="Delete Image 1").click()
    marked(other, 0)
    assert other.locator(".mark.key").is_hidden()


def test_notes_of_others_are_text(page: Page, archive: Archive, made: Made) -> None:
    body = {"series": made.series, "view": {"frame": 3}, "note": HOSTILE}
    answer = archive.session.post(f"{archive.server.url}/api/studies/{made.study}/key-images/", json=body, timeout=60)
    assert answer.status_code == 201
    marked(page, 1)
    open_panel(page)
    assert faces(page).locator(".told").text_content() == HOSTILE
    assert page.evaluate("window.struck === undefined && !document.querySelector('img[src=x]')")


def test_a_note_is_written_and_changed_in_the_panel(page: Page, archive: Archive, made: Made) -> None:
    page.keyboard.press("k")
    marked(page, 1)
    open_panel(page)
    page.get_by_role("button", name="Write a note on Image 1").click()
    field = page.get_by_role("textbox", name="Note on Image 1")
    assert field.evaluate("(one) => one === document.activeElement")
    page.keyboard.type("nodule, k is no command here")
    page.keyboard.press("Enter")
    page.locator("#panel-key-images .told", has_text="nodule").wait_for()
    assert kept(archive, made.study)[0]["note"] == "nodule, k is no command here"
    page.get_by_role("button", name="Change the note of Image 1").click()
    page.keyboard.press("End")
    page.keyboard.type("!")
    page.keyboard.press("Escape")
    assert field.count() == 0
    assert faces(page).locator(".told").inner_text() == "nodule, k is no command here", "it was left as it was"


def test_who_writes_on_a_note_that_changed_meanwhile_loses_nothing(page: Page, archive: Archive, made: Made) -> None:
    page.keyboard.press("k")
    marked(page, 1)
    open_panel(page)
    page.get_by_role("button", name="Write a note on Image 1").click()
    page.keyboard.type("mine")
    (one,) = kept(archive, made.study)
    door = f"{archive.server.url}/api/studies/{made.study}/key-images/{one['uid']}/"
    archive.session.put(door, json={"version": one["version"], "note": "theirs"}, timeout=60).raise_for_status()
    wait_for(page, "document.querySelector('.note-of-key textarea')?.value === 'mine'")
    page.wait_for_timeout(1200)  # the news has come, and the list was drawn anew under the hand
    page.keyboard.type(" too")
    page.keyboard.press("Enter")
    page.locator("#panel-key-images [role=alert]", has_text="theirs").wait_for()
    assert kept(archive, made.study)[0]["note"] == "theirs"
    page.get_by_role("textbox", name="Note on Image 1").press("Enter")
    wait_for(page, "!document.querySelector('.note-of-key')")
    assert kept(archive, made.study)[0]["note"] == "mine too"


def test_a_strip_that_does_not_come_says_why_and_can_be_asked_for_again(
    browse: Callable[..., Page], archive: Archive, made: Made
) -> None:
    page = browse()
    page.route("**/key-images/*", lambda route: route.fulfill(status=503, json={"detail": "Try again later."}))
    page.goto(f"{archive.server.url}/studies/{made.study}/")
    wait_for(page, "window.farview && farview.features.keyImages.state === 'failed'")
    page.locator("#tab-key-images").click()
    assert "Try again later." in page.locator("#panel-key-images [role=alert]").inner_text()
    page.unroute("**/key-images/*")
    page.get_by_role("button", name="Try again").click()
    wait_for(page, "farview.features.keyImages.state === 'ready'")
    assert "Nothing is marked" in page.locator("#panel-key-images").inner_text()


# --- links


@pytest.fixture
def with_clipboard(browse: Callable[..., Page], archive: Archive, made: Made) -> Page:
    page = browse()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=archive.server.url)
    return at_study(page, archive, made.study)


def copied(page: Page) -> str:
    page.get_by_role("button", name="Key images, link, print").click()
    page.get_by_role("menuitem", name="Copy a link to this picture").click()
    page.locator(".remark", has_text="clipboard").wait_for()
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_link_opens_exactly_that_picture_first(
    with_clipboard: Page, browse: Callable[..., Page], archive: Archive, made: Made
) -> None:
    page = with_clipboard
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "r", "i", "+"):
        page.keyboard.press(key)
    still(page)
    on_glass = painted(page)
    address = copied(page)
    assert address.startswith(f"{archive.server.url}/studies/{made.study}/?")
    other = browse()
    other.goto(address)
    wait_for(other, "window.farview && farview.viewports[0]?.exact")
    assert painted(other)["sha256"] == on_glass["sha256"]
    assert other.evaluate("farview.viewports[0].lastPainted.index") <= 2, "nothing else was on the glass before"
    larger = browse(width=1000, height=1100)
    larger.goto(address)
    wait_for(larger, "window.farview && farview.viewports[0]?.exact")
    view = still(larger)["view"]
    assert (view["frame"], view["rotation"], view["inverted"]) == (3, 90, True)
    assert painted(larger)["sha256"] != on_glass["sha256"], "its size is that of its own pane"


def test_a_link_to_what_is_not_in_the_study_says_so(browse: Callable[..., Page], archive: Archive, made: Made) -> None:
    page = browse()
    page.goto(f'{archive.server.url}/studies/{made.study}/?view={{"series":"1.2.3.4.5"}}')
    wait_for(page, "window.farview && farview.viewports[0]?.exact")
    assert "not here" in page.locator(".passing").first.inner_text()


def test_a_link_is_of_use_to_those_alone_who_may_see_the_study(
    with_clipboard: Page, chromium: Browser, archive: Archive, made: Made
) -> None:
    address = copied(with_clipboard)
    archive.server.manage(
        "add_user", "bob-who-manages", "--role", "admin", "--password-stdin", input="a-long-password-1"
    )
    archive.server.manage(
        *("add_user", "charlie-elsewhere", "--role", "radiologist", "--organization", "elsewhere", "--password-stdin"),
        input="a-long-password-2",
    )
    for name, password in (("bob-who-manages", "a-long-password-1"), ("charlie-elsewhere", "a-long-password-2")):
        context = chromium.new_context()
        page = context.new_page()
        sign_in(page, archive.server.url + "/", name, password)
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 404, name
        assert "Made" not in page.content()
        context.close()


def test_where_the_clipboard_is_shut_the_link_stands_in_a_field(
    browse: Callable[..., Page], archive: Archive, made: Made
) -> None:
    page = browse()
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error('no'))")
    at_study(page, archive, made.study)
    page.get_by_role("button", name="Key images, link, print").click()
    page.get_by_role("menuitem", name="Copy a link to this picture").click()
    field = page.locator("dialog.link-box input")
    assert f"/studies/{made.study}/?" in field.input_value()
    assert page.evaluate("document.activeElement.selectionEnd") == len(field.input_value())
    page.keyboard.press("Escape")
    field.wait_for(state="detached")
