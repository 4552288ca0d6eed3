"""A study is opened in an emergency: a plain, loud page, a red band over the study, a notice for the administrator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Archive, sign_in
from tests.chromium import wait_for

MR = "series/mr_head_sag_HFDR"
REASON = "unconscious in the emergency room"


def page_of(chromium: Browser, archive: Archive, name: str, role: str) -> Page:
    password, _ = archive.server.user(name, role)
    page = chromium.new_context(viewport={"width": 1200, "height": 800}, locale="en-GB").new_page()
    sign_in(page, archive.server.url + "/", name, password)
    return page


@pytest.fixture(scope="module")
def referrer(chromium: Browser, archive: Archive) -> Iterator[Page]:
    page = page_of(chromium, archive, "bob", "referrer")
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def administrator(chromium: Browser, archive: Archive) -> Iterator[Page]:
    page = page_of(chromium, archive, "boss", "admin")
    yield page
    page.context.close()


def test_it_is_opened_with_a_reason_and_everybody_who_must_sees_it(
    archive: Archive, referrer: Page, administrator: Page
) -> None:
    uid = archive.study(MR).study_instance_uid
    administrator.goto(archive.server.url + "/")
    referrer.get_by_role("link", name="Emergency").click()
    expect(referrer.get_by_text("Only where somebody's health depends on it.")).to_be_visible()
    asked = referrer.get_by_role("button", name="Open in an emergency")
    asked.click()
    expect(referrer.get_by_role("alert")).to_contain_text("Give the accession number and the Patient ID")
    referrer.get_by_label("Study Instance UID").fill(f"{uid}.9")
    asked.click()
    expect(referrer.get_by_role("alert")).to_contain_text("Say why")
    referrer.get_by_label("Reason").fill(REASON)
    asked.click()
    expect(referrer.get_by_role("alert")).to_contain_text("No study has exactly these numbers")
    referrer.get_by_label("Study Instance UID").fill(uid)
    asked.click()
    band = referrer.locator("#emergency-band")
    expect(band).to_contain_text(REASON, timeout=30_000)  # the viewer page of a cold browser
    assert band.bounding_box()["height"] >= 24  # type: ignore[index]
    wait_for(referrer, "window.farview && farview.viewports[0]?.exact")
    notice = administrator.locator(".emergency-notice")
    expect(notice).to_contain_text("A study was opened in an emergency")
    notice.get_by_role("link").click()
    expect(administrator.get_by_text(REASON)).to_be_visible()


def test_a_reader_is_offered_nothing_of_it_and_sees_no_band(browse: object, archive: Archive) -> None:
    page = browse()  # type: ignore[operator]
    page.goto(f"{archive.server.url}/studies/{archive.study(MR).study_instance_uid}/")
    wait_for(page, "window.farview && farview.viewports[0]?.exact")
    assert page.locator("#emergency-band").count() == 0
    page.goto(archive.server.url + "/")
    assert page.get_by_role("link", name="Emergency").count() == 0
