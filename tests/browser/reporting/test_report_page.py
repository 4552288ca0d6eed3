"""Where a report is written: beside its pictures, in a window of its own, alone; an earlier one beside; as it will be read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Archive, sign_in
from tests.browser.made import Made
from tests.browser.reporting.conftest import NUMBERS, viewer
from tests.browser.reporting.test_report_text import measure
from tests.browser.reporting.writing import Writer, area, at_end, links, saved, take_in, writing
from tests.chromium import wait_for

PRIOR = "The mass in the left lobe measures 12 mm. No effusion."


def elsewhere(page: Page) -> None:
    wait_for(page, "farview.features.report.elsewhere")


# --- beside the pictures


def test_the_key_opens_the_report_and_goes_back_to_it_and_escape_to_the_pictures(
    browse: Callable[..., Page], archive: Archive, made: Made
) -> None:
    page = browse(width=1920, height=1080)
    page.goto(f"{archive.server.url}/studies/{made.study}/")
    wait_for(page, "window.farview?.viewports[0]?.exact && farview.features.report?.ready", 60)
    page.keyboard.press("Shift+R")
    writing(page)
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
    page.keyboard.type("r")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    wait_for(page, "farview.viewports[0].lastHeader.view.frame === 1")
    page.keyboard.press("Shift+R")
    page.keyboard.type("s")
    assert page.evaluate("document.activeElement.value") == "rs"
    assert page.evaluate("farview.viewports[0].lastHeader.view.frame") == 1, "letters are letters while writing"


def test_whoever_touches_a_picture_means_the_picture_with_the_next_key(beside: Page) -> None:
    at_end(beside, "findings")
    beside.locator(".pane").first.click()
    beside.keyboard.press("i")
    wait_for(beside, "farview.viewports[0].wish.inverted")
    assert area(beside, "findings").input_value() == ""


def test_the_panel_is_as_wide_as_the_hand_wants_it_and_stays_so(beside: Page) -> None:
    edge = beside.get_by_role("separator", name="Width of the report")
    box = edge.bounding_box()
    assert box is not None
    beside.mouse.move(box["x"] + 2, box["y"] + 300)
    beside.mouse.down()
    beside.mouse.move(box["x"] - 150, box["y"] + 300, steps=4)
    beside.mouse.up()
    wide = int(edge.get_attribute("aria-valuenow") or 0)
    assert abs(wide - 790) < 6
    edge.focus()
    beside.keyboard.press("ArrowRight")
    assert int(edge.get_attribute("aria-valuenow") or 0) == wide - 32
    beside.reload()
    writing(beside)
    body = beside.locator(".side .body").bounding_box()
    assert body is not None
    assert abs(body["width"] - (wide - 32)) < 2


def test_a_key_in_the_pictures_inserts_the_newest_measurement_where_the_caret_was(
    beside: Page, archive: Archive, writer: Writer
) -> None:
    uid = measure(beside, archive, writer.study)
    at_end(beside, "impression")
    beside.keyboard.type("Nodule")
    beside.locator(".pane").first.click()
    beside.keyboard.press("F2")
    writer.holds("impression", f"Nodule [[measurement:{uid}|50.0 mm]]")
    beside.keyboard.press("i")
    wait_for(beside, "farview.viewports[0].wish.inverted")


# --- in a window of its own


def test_its_own_window_takes_the_words_along_shows_in_the_viewer_and_gives_them_back(
    beside: Page, archive: Archive, writer: Writer
) -> None:
    uid = measure(beside, archive, writer.study)
    at_end(beside, "findings")
    beside.keyboard.type("Begun beside")
    with beside.expect_popup() as popup:
        beside.get_by_role("button", name="Write in a window of its own").click()
    own = writing(popup.value)
    elsewhere(beside)
    assert "another window" in beside.locator("#panel-report").inner_text()
    expect(area(own, "findings")).to_have_value("Begun beside")
    at_end(own, "findings")
    own.keyboard.type(", gone on apart:")
    beside.locator(".pane").first.click()
    beside.keyboard.press("F2")
    wait_for(own, "document.querySelector('[data-field=findings] .mirror .chip')")
    writer.holds("findings", f"Begun beside, gone on apart: [[measurement:{uid}|50.0 mm]]")
    own.locator("[data-field=findings] .chip-button").click()
    wait_for(beside, "farview.viewports[0].exact && farview.viewports[0].lastHeader.view.window_width === 500")
    own.close(run_before_unload=True)
    writing(beside)
    assert links(beside, "findings") == [["measurement", "50.0 mm"]]
    at_end(beside, "findings")
    beside.keyboard.type(".")
    writer.holds("findings", f"Begun beside, gone on apart: [[measurement:{uid}|50.0 mm]].")


def test_the_words_come_back_to_the_panel_by_a_button(beside: Page, writer: Writer, archive: Archive) -> None:
    own = beside.context.new_page()
    own.goto(f"{archive.server.url}/reports/{writer.id}/")
    writing(own)
    elsewhere(beside)
    at_end(own, "findings")
    own.keyboard.type("Typed apart, not yet saved")
    beside.get_by_role("button", name="Write here again").click()
    writing(beside)
    expect(area(beside, "findings")).to_have_value("Typed apart, not yet saved")
    assert own.get_by_text("being written in another window").is_visible()
    own.get_by_role("button", name="Write here again").click()
    writing(own)
    elsewhere(beside)


def test_alone_a_link_opens_the_pictures_at_its_view(alone: Page, archive: Archive, writer: Writer) -> None:
    measure(alone, archive, writer.study)
    at_end(alone, "findings")
    alone.keyboard.press("F2")
    alone.locator("[data-field=findings] .chip-button").wait_for()
    with alone.expect_popup() as popup:
        alone.locator("[data-field=findings] .chip-button").click()
    pictures = popup.value
    wait_for(
        pictures, "window.farview?.viewports[0]?.exact && farview.viewports[0].lastHeader.view.window_width === 500", 60
    )
    assert pictures.evaluate("farview.viewports[0].lastHeader.view.sop_instance_uid") == f"{writer.study}.1.1"


# --- whose report


def test_another_patient_in_another_window_gets_another_colour_on_both(
    alone: Page, archive: Archive, tmp_path: Path
) -> None:
    assert alone.locator(".band h1").inner_text() == "Made, Mary"
    assert not alone.locator(".patient-letter").count()
    second = Made(tmp_path / "second", next(NUMBERS))
    take_in(archive, second.folder)
    other = alone.context.new_page()
    other.goto(f"{archive.server.url}/studies/{second.study}/")
    for page in (alone, other):
        page.locator(".patient-letter").wait_for()
    letters = {page.locator(".patient-letter").inner_text() for page in (alone, other)}
    tops = {
        page.locator(".band").evaluate("(band) => getComputedStyle(band).borderTopColor") for page in (alone, other)
    }
    assert letters == {"A", "B"}
    assert len(tops) == 2
    other.close(run_before_unload=True)
    expect(alone.locator(".patient-letter")).to_have_count(0)


# --- an earlier report, and the one to be


@pytest.fixture
def followed(archive: Archive, made: Made, tmp_path: Path) -> Writer:
    """A report of a patient who has a signed one of a year before."""
    earlier = Made(tmp_path / "earlier", next(NUMBERS))
    for path in earlier.folder.glob("*.dcm"):
        image = pydicom.dcmread(path)
        image.PatientID, image.StudyDate = f"MADE-{made.study.rsplit('.', 1)[1]}", "20230131"
        image.save_as(path)
    take_in(archive, earlier.folder)
    prior = Writer(archive, earlier.study)
    content = {"findings": PRIOR, "impression": "Mass."}
    prior.put({"based_on": prior.told["version"], "content": content}).raise_for_status()
    prior.release()
    body = {"password": archive.reader.password, "meaning": "final", "acknowledged": []}
    answer = prior.post("sign/", body)
    if answer.status_code == 422:
        body["acknowledged"] = [one["rule"] for one in answer.json()["problems"]]
        answer = prior.post("sign/", body)
    assert answer.status_code == 200, answer.text
    return Writer(archive, made.study)


def test_an_earlier_report_stands_beside_its_sections_and_can_be_compared(
    browse: Callable[..., Page], followed: Writer
) -> None:
    page = followed.open(browse(width=1500, height=900))
    choice = page.get_by_role("combobox", name="Earlier report beside")
    assert "2023-01-31" in choice.locator("option").nth(1).inner_text()
    choice.select_option(index=1)
    beside = page.locator("[data-section=findings] .prior-text")
    assert beside.inner_text() == PRIOR
    at_end(page, "findings")
    page.keyboard.type("The mass in the left lobe measures 15 mm. No effusion.")
    page.get_by_role("button", name="Compare").click()
    expect(beside.locator("del")).to_have_text("12")
    expect(beside.locator("ins")).to_have_text("15")
    left = beside.bounding_box()
    right = area(page, "findings").bounding_box()
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] <= right["x"], "side by side"
    column = page.locator(".beside")
    assert column.evaluate("(one) => one.scrollWidth <= one.clientWidth"), "nothing of the column beside is cut off"


def test_it_is_shown_as_it_will_be_read_with_what_was_typed_a_moment_ago(alone: Page, writer: Writer) -> None:
    at_end(alone, "findings")
    alone.keyboard.type('<img src=x onerror="window.struck=1"> Typed just now.')
    alone.get_by_role("button", name="As it will be read").click()
    sheet = alone.locator("dialog.preview .report-sheet")
    expect(sheet).to_contain_text("Typed just now.")
    expect(sheet).to_contain_text("<img src=x")
    assert not alone.evaluate("window.struck")
    alone.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    assert alone.evaluate("document.activeElement.tagName") != "BODY", "the focus is where it was"


# --- who may come, and what fits


@pytest.mark.parametrize("role", ["referrer", "technologist"])
def test_people_who_write_no_reports_see_no_page_and_no_panel(
    browse: Callable[..., Page], archive: Archive, writer: Writer, role: str
) -> None:
    name = f"{role}{writer.id}"
    password, _ = archive.server.user(name, role)
    page = browse()
    page.context.clear_cookies()
    page.goto(archive.server.url + "/")
    page.fill("input[name=username]", name)
    page.fill("input[type=password]", password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    answer = page.goto(f"{archive.server.url}/reports/{writer.id}/")
    assert answer is not None
    assert answer.status == 404
    if role == "technologist":
        page.goto(f"{archive.server.url}/studies/{writer.study}/")
        wait_for(page, "window.farview?.viewports[0]?.exact && farview.features.report?.ready", 60)
        page.wait_for_timeout(500)
        assert not page.locator("#tab-report").count()


def test_a_stranger_of_another_organization_gets_what_does_not_exist(
    browse: Callable[..., Page], archive: Archive, writer: Writer
) -> None:
    name = f"charlie{writer.id}"
    password, _ = archive.server.user(name, "radiologist", "elsewhere")
    page = browse()
    page.context.clear_cookies()
    sign_in(page, archive.server.url + "/", name, password)
    there = page.goto(f"{archive.server.url}/reports/{writer.id}/")
    nowhere = page.goto(f"{archive.server.url}/reports/999999/")
    assert there is not None
    assert nowhere is not None
    assert (there.status, nowhere.status) == (404, 404)


@pytest.mark.parametrize("width", [390, 360])
def test_a_phone_scrolls_down_and_never_sideways(browse: Callable[..., Page], writer: Writer, width: int) -> None:
    page = writer.open(browse(width=width, height=844, has_touch=True, is_mobile=True))
    at_end(page, "findings")
    page.keyboard.type("Averylongwordthatnevereverends" * 8)
    saved(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    viewer_page = viewer(browse(width=width, height=844), writer.archive, writer, query="")
    assert viewer_page.evaluate("document.documentElement.scrollWidth <= innerWidth")
