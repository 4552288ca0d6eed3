"""The page of a report whose images turn out to be another patient's, while it is written and after it was signed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from tests.axe import grave
from tests.browser.conftest import Archive
from tests.browser.reporting.people import people
from tests.browser.reporting.writing import Writer, at_end, saved, take_in, writing
from tests.viewer.archive.objects import slices

TEXT = "The lungs are clear."
REASON = "The wrong line was chosen."


@pytest.fixture(scope="module")
def tess(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> requests.Session:
    """A technologist, and another patient in the archive."""
    folder = tmp_path_factory.mktemp("other")
    stated = {"PatientID": "P2", "PatientName": "Klein^Karl", "PatientBirthDate": "19400404", "PatientSex": "M"}
    slices(folder, 1, "1.2.9", "1.2.9.1", **stated)
    take_in(archive, folder)
    session = requests.Session()
    (made,) = people(archive.server, {"tess": ["technologist"]}).values()
    session.headers["Authorization"] = f"Bearer {made.token}"
    return session


@pytest.fixture
def give_to_karl(tess: requests.Session, writer: Writer) -> Callable[[], int]:
    def give() -> int:
        address = f"{writer.archive.server.url}/api/studies/{writer.study}/corrections/"
        answer = tess.post(address, json={"act": "patient", "patient_id": "P2", "reason": REASON}, timeout=60)
        assert answer.status_code == 201, answer.text
        return int(answer.json()["correction"]["id"])

    return give


def notice(page: Page) -> Locator:
    return page.locator('[data-notice="images-corrected"]')


def test_a_draft_goes_on_once_its_writer_says_whose_it_is(
    alone: Page, writer: Writer, give_to_karl: Callable[[], int]
) -> None:
    at_end(alone, "findings").type(TEXT)
    saved(alone)
    give_to_karl()
    at_end(alone, "findings").type(" More.")
    alone.locator('[data-notice="saving"]').wait_for()
    assert writer.content["findings"] == TEXT, "nothing was kept for the wrong patient"
    alone.reload()
    writing(alone)
    expect(notice(alone)).to_contain_text("The images of this report were corrected after this was written")
    expect(notice(alone)).to_contain_text(REASON)
    assert grave(alone) == []
    notice(alone).get_by_role("button", name="The text is about Klein, Karl: go on").click()
    notice(alone).wait_for(state="detached")
    writing(alone)
    at_end(alone, "impression").type("Normal.")
    writer.holds("impression", "Normal.")
    assert writer.content["findings"] == f"{TEXT} More.", "what was typed meanwhile is there, too"


def test_a_signed_report_says_that_its_images_were_corrected_and_how_to_go_on(
    browse: Callable[..., Page], archive: Archive, writer: Writer, give_to_karl: Callable[[], int], tmp_path: Path
) -> None:
    content: dict[str, Any] = {"findings": TEXT, "impression": "Normal chest."}
    writer.put({"based_on": writer.told["version"], "content": content}).raise_for_status()
    rules = [one["rule"] for one in archive.get(f"/api/reports/{writer.id}/checks/").json()["problems"]]
    said = {"password": archive.reader.password, "meaning": "final", "acknowledged": rules}
    writer.post("sign/", said).raise_for_status()
    give_to_karl()
    page = browse()
    page.goto(f"{archive.server.url}/reports/{writer.id}/")
    writing(page, "reading")
    expect(notice(page)).to_contain_text("The images of this report were corrected after it was signed")
    expect(notice(page)).to_contain_text("Klein, Karl")
    expect(page.locator(".report-sheet")).to_contain_text("corrected after it was signed")
    expect(notice(page).get_by_role("button", name="Entered in error")).to_be_visible()
    page.screenshot(path=tmp_path / "held.png")
    assert grave(page) == []
    page.goto(f"{archive.server.url}/worklist/?tab=held")
    expect(page.locator("#rows tr").first).to_contain_text("wrong patient")
    page.goto(f"{archive.server.url}/reports/{writer.id}/")
    notice(page).get_by_role("button", name="Correct").click()
    dialog = page.get_by_role("dialog")
    dialog.locator('[name="reason_code"][value="error"]').check()
    dialog.locator('[name="reason"]').fill("It is Karl Klein's.")
    dialog.get_by_role("button", name="Write the correction").click()
    writing(page)
