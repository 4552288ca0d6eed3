"""The study list and the upload page, as people use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import CHEST, Archive, sign_in
from tests.chromium import chromium, wait_for  # noqa: F401

HEAD = "series/ct_head_gantry_tilt_ge_jpll"
JAPANESE = "charset/chrH31.dcm"


@pytest.fixture
def filled(archive: Archive) -> Archive:
    for name in (CHEST, HEAD, JAPANESE):
        archive.study(name)
    return archive


def patients(page: Page) -> list[str]:
    return page.locator("#rows tr:visible th").all_inner_texts()


def listed(browse: Callable[..., Page], archive: Archive, query: str = "", **options: object) -> Page:
    page = browse(**options)
    page.goto(f"{archive.server.url}/{query}")
    page.locator("#rows tr, #empty-search:not([hidden])").first.wait_for()
    return page


def test_the_list_shows_who_what_and_when(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled)
    row = page.locator("#rows tr", has_text="LIDC-IDRI-0314")
    text = row.inner_text()
    for part in ("2000-01-01", "CT", "217"):
        assert part in text
    picture = row.locator("img")
    picture.scroll_into_view_if_needed()
    wait_for(page, "[...document.querySelectorAll('#rows img')].some((one) => one.complete && one.naturalWidth > 0)")


def test_a_search_narrows_the_list_and_lives_in_the_address(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled)
    page.locator("#q").press_sequentially("LIDC-IDRI", delay=10)
    expect(page.locator("#rows tr")).to_have_count(1)
    assert "q=LIDC-IDRI" in page.url
    page.reload()
    expect(page.locator("#rows tr")).to_have_count(1)
    assert page.locator("#q").input_value() == "LIDC-IDRI"
    page.locator("#q").fill("nobody at all")
    page.locator("#empty-search").wait_for()
    page.locator("#clear-too").click()
    wait_for(page, "document.querySelectorAll('#rows tr').length > 1")
    page.go_back()
    page.locator("#empty-search").wait_for()


def test_an_ideographic_name_stands_first_and_is_found_in_either_script(
    browse: Callable[..., Page], filled: Archive
) -> None:
    for words in ("山田", "yamada"):
        page = listed(browse, filled, f"?q={words}")
        assert patients(page)[0].startswith("山田 太郎 (Yamada, Tarou)")


def test_headings_sort_and_say_so(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled)
    page.get_by_role("columnheader", name="Images").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Images")).to_have_attribute("aria-sort", "descending")
    wait_for(page, "document.querySelector('#rows .images').textContent === '217'")
    assert "sort=-instances" in page.url


def test_arrows_walk_and_enter_opens(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled, "?q=LIDC-IDRI-0314")
    page.locator("#q").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/studies/"))
    wait_for(page, "window.farview && farview.viewports[0]?.exact")


def test_a_study_that_arrives_is_announced_and_moves_nothing(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled)
    page.wait_for_timeout(1500)  # the news line stands
    before = patients(page)
    filled.study("charset/chrGreek.dcm")
    fresh = page.locator("#fresh")
    fresh.wait_for()
    assert patients(page) == before
    assert "1 new study" in fresh.inner_text()
    fresh.click()
    wait_for(page, "document.querySelectorAll('#rows tr[data-marked]').length === 1")


def test_the_list_is_cards_on_a_phone(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled, width=390, height=844, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert any("LIDC" in text or "No name" in text for text in patients(page))
    assert page.locator("#sort-choice").is_visible()


def test_files_are_taken_in_refused_and_linked(browse: Callable[..., Page], filled: Archive, tmp_path: Path) -> None:
    note = tmp_path / "letter.txt"
    note.write_text("Dear colleague")
    page = browse()
    page.goto(f"{filled.server.url}/upload/")
    files = [
        filled.shared / "charset" / "chrArab.dcm",
        filled.shared / "charset" / "chrH31.dcm",
        filled.shared / "malformed" / "oob_monochrome_46341.dcm",
        note,
    ]
    page.locator("#files").set_input_files(files)
    expect(page.locator("#work-title")).to_have_text("Done", timeout=60_000)
    figures = page.locator("#figures").inner_text()
    assert "1 stored" in figures
    assert "1 already there" in figures
    refused = page.locator("#refused").inner_text()
    assert "oob_monochrome_46341.dcm" in refused
    assert "letter.txt" in refused
    reason = page.locator("#refused tr", has_text="oob_monochrome").locator("td").nth(2).inner_text()
    assert len(reason) > 10
    link = page.locator("#studies a", has_text="قباني")
    link.click()
    wait_for(page, "window.farview && farview.viewports[0]?.exact")


def test_a_folder_can_be_chosen_and_a_drop_walks_folders(browse: Callable[..., Page], filled: Archive) -> None:
    page = browse()
    page.goto(f"{filled.server.url}/upload/")
    assert page.locator("#folder").get_attribute("webkitdirectory") is not None
    found = page.evaluate(
        """async () => {
          const main = document.querySelector("script[src*='upload/main']").src;
          const { dropped, worthSending } = await import(main.replace("main.js", "files.js"));
          const file = (name) => ({ isFile: true, name, file: (done) => done(new File(["x"], name)) });
          const folder = (name, ...inside) => ({ isFile: false, name, createReader: () => {
            const parts = [inside.slice(0, 1), inside.slice(1), []];
            return { readEntries: (done) => done(parts.shift()) };
          } });
          const tree = folder("CD", file("DICOMDIR"), folder("A", file("1"), file("2")), file(".DS_Store"));
          const paths = [];
          for await (const one of dropped({ items: [{ kind: "file", webkitGetAsEntry: () => tree }, { kind: "string" }] })) {
            if (worthSending(one)) paths.push(one.path);
          }
          return paths;
        }"""
    )
    assert found == ["CD/DICOMDIR", "CD/A/1", "CD/A/2"]


def test_an_upload_that_is_cut_off_can_be_tried_again(browse: Callable[..., Page], filled: Archive) -> None:
    page = browse()
    page.goto(f"{filled.server.url}/upload/")
    failing = {"left": 1}

    def perhaps(route) -> None:  # type: ignore[no-untyped-def]
        if failing["left"]:
            failing["left"] -= 1
            route.fulfill(status=500, json={"detail": "the disk said no"})
        else:
            route.continue_()

    page.route("**/api/uploads/**", perhaps)
    page.locator("#files").set_input_files([filled.shared / "charset" / "chrHbrw.dcm"])
    expect(page.locator("#retry")).to_be_visible(timeout=30_000)
    assert "the disk said no" in page.locator("#refused").inner_text()
    page.locator("#retry").click()
    expect(page.locator("#studies a")).to_have_count(1, timeout=30_000)
    assert page.locator("#refusals").is_hidden()


def test_light_or_dark_is_the_readers_choice_and_stays(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Switch to dark").click()
    dark = page.evaluate(ground)
    assert dark != light
    page.goto(f"{filled.server.url}/upload/")
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Switch to light").click()
    assert page.evaluate(ground) == light
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(ground) == dark, "the system's wish counts again"


def test_a_server_out_of_reach_is_said_and_what_is_shown_is_kept(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled)
    shown = patients(page)
    page.route("**/api/studies/**", lambda route: route.abort())
    page.locator("#q").fill("somebody")
    expect(page.locator("#failure")).to_contain_text("The server cannot be reached. What is shown is kept.")
    assert patients(page) == shown
    page.unroute("**/api/studies/**")
    page.locator("#again").click()
    page.locator("#empty-search").wait_for()
    assert page.locator("#failure").is_hidden()


def test_who_administers_sees_from_a_studys_menu_who_looked(
    chromium: Browser,  # noqa: F811
    filled: Archive,
) -> None:
    server, password = filled.server, "a warden's long password"
    roles = ("--role", "radiologist", "--role", "admin")
    server.manage("add_user", "warden", *roles, "--password-stdin", input=password)
    with chromium.new_context() as context:
        page = context.new_page()
        sign_in(page, server.url + "/?q=LIDC-IDRI-0314", "warden", password)
        page.locator("#rows .acts button").first.click()
        page.get_by_role("menuitem", name="Who looked").click()
        page.wait_for_url("**/who-looked/**")
        expect(page.locator("#content")).to_contain_text("alice")


def test_who_administers_nothing_is_offered_no_record(browse: Callable[..., Page], filled: Archive) -> None:
    page = listed(browse, filled)
    page.locator("#rows .acts button").first.click()
    expect(page.get_by_role("menuitem", name="Share by a link")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Who looked")).to_have_count(0)
