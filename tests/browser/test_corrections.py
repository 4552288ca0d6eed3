"""The page that puts a study right, as a technologist uses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.axe import grave
from tests.browser.conftest import Archive, sign_in
from tests.chromium import chromium  # noqa: F401
from tests.live import LiveServer
from tests.viewer.archive.objects import slices

STUDY = "1.2.3"


@pytest.fixture(scope="module")
def tess(
    live_server_process: LiveServer, archive: Archive, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str]:
    """Name and password; beside three series and another patient's study in the archive."""
    folder = tmp_path_factory.mktemp("corrected")
    for number in (4, 5, 6):
        slices(
            folder / str(number), 2, series=f"1.2.3.{number}", SeriesNumber=number, SeriesDescription=f"Series {number}"
        )
    other = {"PatientID": "P2", "PatientName": "Klein^Karl", "PatientBirthDate": "19400404", "PatientSex": "M"}
    slices(folder / "other", 1, "1.2.9", "1.2.9.1", **other)
    slices(folder / "half", 1, "1.2.8", "1.2.8.1", StudyDescription="Second half")
    live_server_process.manage("ingest", folder)
    return "tess", live_server_process.user("tess", "technologist")[0]


@pytest.fixture
def at(chromium: Browser, archive: Archive, tess: tuple[str, str]) -> Iterator[Callable[..., Page]]:  # noqa: F811
    contexts = []

    def open_page(width: int = 1200, height: int = 900, **options: str) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        sign_in(page, archive.server.url + "/", *tess)
        page.goto(f"{archive.server.url}/studies/{STUDY}/correct/")
        page.locator("#patient-acts button").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()


def reasoned(page: Page, go: str, reason: str = "The wrong line was chosen.") -> None:
    page.get_by_label("Why (needed)").fill(reason)
    page.get_by_role("dialog").get_by_role("button", name=go, exact=True).click()


def test_a_series_is_split_off_and_that_is_undone_by_keyboard(at: Callable[..., Page]) -> None:
    page = at()
    expect(page.locator("#series li")).to_have_count(3)
    split = page.get_by_role("button", name="Split off as a new study")
    expect(split).to_be_disabled()
    page.get_by_role("checkbox", name="Series 6").press("Space")
    split.press("Enter")
    reasoned(page, "Split off")
    expect(page.locator("#series li")).to_have_count(2)
    act = page.locator("#history li").first
    expect(act).to_contain_text("1 series moved to another study")
    expect(act).to_contain_text("The wrong line was chosen.")
    act.get_by_role("button").press("Enter")
    reasoned(page, "Undo", "It belongs there.")
    expect(page.locator("#series li")).to_have_count(3)


def test_wrong_patient_compares_them_and_needs_a_choice_and_a_reason(at: Callable[..., Page]) -> None:
    page = at()
    page.get_by_role("button", name="Wrong patient").click()
    dialog = page.get_by_role("dialog")
    page.get_by_label("Why (needed)").fill("The wrong line was chosen.")
    dialog.get_by_role("button", name="Give them to this patient").click()
    expect(dialog.get_by_role("alert")).to_contain_text("Choose a patient first.")
    dialog.get_by_role("searchbox").fill("klein")
    dialog.get_by_role("radio").check()
    expect(dialog.locator("tr.differs")).to_have_count(4)
    assert grave(page) == []
    dialog.get_by_role("button", name="Give them to this patient").click()
    expect(page.locator("#patient-name")).to_have_text("Klein, Karl")
    page.locator("#history li").first.get_by_role("button").click()
    reasoned(page, "Undo")
    expect(page.locator("#patient-name")).to_have_text("Doe, Jane")


def test_a_rejected_series_is_gone_until_it_is_taken_back(at: Callable[..., Page], archive: Archive) -> None:
    page = at()
    page.get_by_role("checkbox", name="Series 5").check()
    page.get_by_role("button", name="Reject").click()
    page.get_by_text("Patient safety: wrong patient, wrong side").click()
    reasoned(page, "Reject")
    expect(page.locator("#series li")).to_have_count(2)
    assert archive.get(f"/api/studies/{STUDY}/").json()["number_of_instances"] == 4
    page.locator("#history li").first.get_by_role("button").click()
    reasoned(page, "Undo")
    expect(page.locator("#series li")).to_have_count(3)


def test_a_study_is_merged_with_another_and_parted_again(at: Callable[..., Page], archive: Archive) -> None:
    page = at()
    page.get_by_role("button", name="Merge with another study").click()
    dialog = page.get_by_role("dialog")
    page.get_by_label("Why (needed)").fill("One examination under two numbers.")
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("Choose a study first.")
    dialog.get_by_role("radio", name="Second half").check()
    assert grave(page) == []
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("#no-series")).to_be_visible()
    assert archive.get("/api/studies/1.2.8/").json()["number_of_series"] == 4
    assert STUDY not in {one["study_instance_uid"] for one in archive.get("/api/studies/").json()["studies"]}
    page.locator("#history li").first.get_by_role("button").click()
    reasoned(page, "Undo")
    expect(page.locator("#series li")).to_have_count(3)


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [375, 1200])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(
    at: Callable[..., Page], scheme: str, width: int, tmp_path: Path
) -> None:
    page = at(width=width, color_scheme=scheme)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert grave(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_lists_and_the_images_lead_there_whoever_may_go(
    at: Callable[..., Page], archive: Archive, browse: Callable[..., Page]
) -> None:
    server, here = archive.server.url, f"**/studies/{STUDY}/correct/?organization=*"
    page = at()
    page.goto(f"{server}/?q={STUDY}")
    page.locator("#rows a").first.focus()
    page.keyboard.press("m")
    page.get_by_role("menuitem", name="Correct this study").press("Enter")
    page.wait_for_url(here)
    page.goto(f"{server}/studies/{STUDY}/")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Correct this study").click()
    page.wait_for_url(here)
    page.goto(f"{server}/worklist/?tab=open&q={STUDY}")
    page.locator("#rows tr", has_text="Doe, Jane").locator(".acts button").click()
    page.get_by_role("menuitem", name="Hold back").click()
    page.get_by_role("link", name="Correct the study").click()
    page.wait_for_url(here)
    reader = browse()  # a radiologist, who may not
    reader.goto(f"{server}/?q={STUDY}")
    reader.locator("#rows a").first.focus()
    reader.keyboard.press("m")
    reader.get_by_role("menuitem", name="Export").wait_for()
    assert reader.get_by_role("menuitem", name="Correct this study").count() == 0
    reader.goto(f"{server}/studies/{STUDY}/")
    reader.get_by_role("button", name="More", exact=True).click()
    reader.get_by_role("menuitem", name="Rotate left").wait_for()
    assert reader.get_by_role("menuitem", name="Correct this study").count() == 0
    reader.goto(f"{server}/worklist/?tab=open&q={STUDY}")
    reader.locator("#rows tr", has_text="Doe, Jane").locator(".acts button").click()
    reader.get_by_role("menuitem", name="Hold back").wait_for()
    assert reader.get_by_role("menuitem", name="Correct the study").count() == 0
