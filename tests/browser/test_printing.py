"""Pages of paper: the picture drawn anew, everything on it where it lies, patient and study on every page."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Archive, still
from tests.browser.made import Made
from tests.browser.test_key_images import at_study, marked
from tests.chromium import wait_for

NUMBERS = count(500)


@pytest.fixture
def page(browse: Callable[..., Page], archive: Archive, tmp_path: Path) -> Page:
    made = Made(tmp_path, next(NUMBERS))
    archive.server.manage("ingest", made.folder)
    return at_study(browse(), archive, made.study)


def sheet(page: Page, kind: str | None = None) -> None:
    page.keyboard.press("Shift+I")
    dialog = page.locator("dialog.printing")
    dialog.wait_for()
    if kind:
        dialog.locator(f"input[value={kind}]").check()
    wait_for(page, "!document.querySelector('dialog.printing .primary').disabled")


def pages_of(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


COMPARED = """async () => {
  const image = document.querySelector(".printed .replica img");
  await image.decode();
  const { canvas } = farview.viewports[0];
  const [width, height] = [canvas.width, canvas.height];
  const pixels = (source) => {
    const glass = Object.assign(document.createElement("canvas"), { width, height });
    const context = glass.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, width, height);
    return context.getImageData(0, 0, width, height).data;
  };
  const [a, b] = [pixels(image), pixels(canvas)];
  let sum = 0;
  for (let at = 0; at < a.length; at += 4) sum += Math.abs(a[at] - b[at]);
  return { apart: sum / (a.length / 4), natural: image.naturalWidth, width };
}"""


def test_a_print_shows_the_picture_the_patient_and_that_it_is_not_for_diagnosis(
    opened: Callable[..., Page],
) -> None:
    page = opened("series/mr_head_sag_HFDR")
    page.keyboard.press("l")
    page.keyboard.press("+")
    still(page)
    sheet(page)
    told = page.evaluate(COMPARED)
    assert told["natural"] >= told["width"], "as many pixels as on the screen, or more"
    assert told["apart"] < 2, "the same part of the patient, drawn anew"
    words = page.locator(".printed .paper").text_content() or ""
    assert "Rorden" in words
    assert "Not for diagnosis" in words
    assert "not true size" in words
    assert "Page 1 of 1" in words
    pdf = page.pdf(prefer_css_page_size=True)
    assert pages_of(pdf) == 1
    width, height = map(float, re.search(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", pdf).groups())  # type: ignore[union-attr]
    assert width > height, "a wide pane is printed on a wide page"
    page.keyboard.press("Escape")
    page.locator(".printed").wait_for(state="detached")


def test_the_scale_bar_on_paper_is_as_long_as_it_says(page: Page) -> None:
    sheet(page)
    page.emulate_media(media="print")
    seen = page.evaluate(
        """() => {
          const width = (selector) => document.querySelector(`.printed ${selector}`).getBoundingClientRect().width;
          const label = document.querySelector(".printed .ruler span").textContent;
          return { bar: width(".ruler svg"), frame: width(".frame"), label, header: farview.viewports[0].lastHeader };
        }"""
    )
    across = seen["header"]["geometry"]["pixel_spacing"][1] * seen["header"]["columns"]  # mm in the whole frame
    number, unit = seen["label"].split(",")[0].split()
    millimetres = float(number) * {"mm": 1, "cm": 10}[unit]
    assert seen["bar"] / seen["frame"] * across == pytest.approx(millimetres, rel=0.03)


def test_drawings_are_printed_where_they_lie_and_can_be_left_out(page: Page) -> None:
    page.evaluate(
        """() => {
          const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
          const { width, height } = document.querySelector(".stage").getBoundingClientRect();
          const parts = { x1: width / 4, x2: width / 2, y1: height / 2, y2: height / 2, id: "drawn" };
          for (const [name, value] of Object.entries(parts)) line.setAttribute(name, value);
          document.querySelector(".layers").append(line);
        }"""
    )
    sheet(page)
    page.emulate_media(media="print")
    part = page.evaluate(
        """() => {
          const box = (selector) => document.querySelector(`.printed ${selector}`).getBoundingClientRect();
          const [line, frame] = [box("#drawn"), box(".frame")];
          return [(line.left - frame.left) / frame.width, line.width / frame.width, (line.top - frame.top) / frame.height];
        }"""
    )
    assert part == pytest.approx([0.25, 0.25, 0.5], abs=0.01)
    page.emulate_media(media="screen")
    page.locator("dialog.printing input[value=drawings]").uncheck()
    wait_for(page, "!document.querySelector('.printed #drawn')")


def test_a_sheet_is_laid_out_as_the_desk_is(page: Page) -> None:
    page.get_by_role("button", name="Layout").click()
    page.get_by_role("menuitemradio", name="1 × 2").click()
    page.locator(".tile").first.drag_to(page.locator(".pane").nth(1))
    wait_for(page, "farview.viewports[1].exact && farview.viewports[0].exact")
    sheet(page, "layout")
    wait_for(page, "document.querySelectorAll('.printed .replica').length === 2")
    page.emulate_media(media="print")
    left, right = page.evaluate(
        "[...document.querySelectorAll('.printed .frame')].map((one) => one.getBoundingClientRect().toJSON())"
    )
    assert right["left"] >= left["right"]
    assert right["top"] == pytest.approx(left["top"], abs=1)
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 1


def test_key_images_fill_pages_and_the_patient_is_on_every_one(page: Page) -> None:
    for number in range(5):
        page.keyboard.press("k")
        marked(page, number + 1)
        page.keyboard.press("ArrowDown")
        still(page)
    sheet(page, "keys")
    wait_for(page, "document.querySelectorAll('.printed .paper').length === 2")
    heads = page.locator(".printed .paper header strong").all_text_contents()
    assert heads == ["Made, Mary", "Made, Mary"]
    assert page.locator(".printed .paper").nth(0).locator("figure").count() == 4
    assert "Page 2 of 2" in (page.locator(".printed .paper").nth(1).text_content() or "")
    assert pages_of(page.pdf(prefer_css_page_size=True)) == 2


def test_a_picture_that_cannot_be_had_is_not_printed(page: Page) -> None:
    page.route("**/frame?*", lambda route: route.fulfill(status=422, json={"detail": "The file is cut off."}))
    page.keyboard.press("Shift+I")
    page.locator("dialog.printing [role=status]", has_text="The file is cut off.").wait_for()
    assert page.locator("dialog.printing .primary").is_disabled()
