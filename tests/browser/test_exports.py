"""Taking a study away, from the list and from the images: the dialog says what leaves, and the browser gets it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Page, expect

from tests.axe import grave
from tests.browser.conftest import Archive, still

STUDY = "series/mr_head_sag_HFDR"


@pytest.fixture
def dialog(opened: Callable[..., Page]) -> Page:
    page = opened(STUDY)
    still(page)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Export").click()
    page.locator("dialog[data-act=export]").wait_for()
    return page


def downloaded(page: Page, folder: Path) -> Path:
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("button", name="Download").click()
    expect(page.locator("dialog[data-act=export]")).to_have_count(0)
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_the_dicom_files_come_with_a_dicomdir(dialog: Page, tmp_path: Path) -> None:
    assert grave(dialog) == []
    dialog.screenshot(path=tmp_path / "dialog.png")
    with zipfile.ZipFile(downloaded(dialog, tmp_path)) as archive:
        assert "DICOMDIR" in archive.namelist()


def test_an_anonymised_copy_has_no_uid_of_the_study_in_its_name(dialog: Page, tmp_path: Path) -> None:
    dialog.locator("input[value=anonymised]").check()
    path = downloaded(dialog, tmp_path)
    assert path.name == "anonymised.zip"
    assert zipfile.is_zipfile(path)


def test_the_picture_and_the_stack_as_they_are_shown(dialog: Page, tmp_path: Path) -> None:
    dialog.locator("input[value=picture]").check()
    assert downloaded(dialog, tmp_path).read_bytes()[:4] == b"\x89PNG"
    frames = dialog.evaluate("farview.viewports[0].stackFrames ?? farview.viewports[0].frames")
    dialog.get_by_role("button", name="More", exact=True).click()
    dialog.get_by_role("menuitem", name="Export").click()
    dialog.locator("input[value=video]").check()
    video = cv2.VideoCapture(str(downloaded(dialog, tmp_path)))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == frames


SLOW = """() => {
  const fetched = window.fetch;
  window.fetch = (address, options) => {
    if (!String(address).includes("video.mp4")) return fetched(address, options);
    window.left = options.signal;
    const lines = new ReadableStream({
      start: (sink) => sink.enqueue(new TextEncoder().encode('{"done": 3, "total": 9}\\n')),
    });
    return Promise.resolve(new Response(lines));
  };
}"""


def test_a_video_tells_how_far_it_is_and_is_given_up_where_nobody_wants_it_any_more(dialog: Page) -> None:
    dialog.evaluate(SLOW)
    dialog.locator("input[value=video]").check()
    dialog.get_by_role("button", name="Download").click()
    expect(dialog.get_by_role("progressbar")).to_have_attribute("value", "3")
    expect(dialog.locator("dialog .far")).to_have_text("3 of 9")
    assert grave(dialog) == []
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog.locator("dialog[data-act=export]")).to_have_count(0)
    assert dialog.evaluate("window.left.aborted")


def test_the_list_offers_it_for_each_study(browse: Callable[..., Page], archive: Archive, tmp_path: Path) -> None:
    archive.study(STUDY)
    page = browse()
    page.goto(archive.server.url)
    page.locator("#rows a").first.focus()
    page.keyboard.press("m")
    page.get_by_role("menuitem", name="Export").press("Enter")
    page.locator("dialog[data-act=export]").wait_for()
    page.screenshot(path=tmp_path / "list.png")
    with zipfile.ZipFile(downloaded(page, tmp_path)) as made:
        assert "DICOMDIR" in made.namelist()
