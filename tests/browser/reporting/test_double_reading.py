"""Two radiologists read an examination at their own pages, then one of them writes its report beside both reads."""

from __future__ import annotations

from collections.abc import Callable

import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Archive, Reader, sign_in
from tests.browser.made import Made
from tests.browser.reporting.people import people
from tests.browser.reporting.test_report_acts import notice, picture, sign, written
from tests.browser.reporting.writing import area, writing

READ_TWICE = (
    "from reporting.models import ReadingItem; from reporting.worklist.items import item_for_study;"
    "from viewer.models import Study; study = Study.objects.get(study_instance_uid='{}');"
    "item = item_for_study(study).pk;"
    "ReadingItem.objects.filter(pk=item).update(double_reading=True, status='ready'); print(item)"
)


def of_study(page: Page, archive: Archive, study: str, reader: Reader) -> Page:
    """The report page of a study, begun in plain sections by a program of its reader."""
    reports, who = f"{archive.server.url}/api/reports/", {"Authorization": f"Bearer {reader.token}"}
    body = {"study": study, "template": "free-text"}
    begun = requests.post(reports, json=body, headers=who, timeout=60)
    begun.raise_for_status()
    number = begun.json()["id"]
    requests.post(f"{reports}{number}/lock/", json={"action": "release"}, headers=who, timeout=60).raise_for_status()
    page.goto(f"{archive.server.url}/reports/{number}/")
    return writing(page)


def test_two_read_apart_and_the_report_follows_from_both(
    browse: Callable[..., Page], chromium: Browser, archive: Archive, made: Made
) -> None:
    item = archive.server.manage("shell", "-c", READ_TWICE.format(made.study)).stdout.split()[-1]
    alice = of_study(browse(width=1500, height=950), archive, made.study, archive.reader)
    assert "Nobody sees what you write or mark" in notice(alice, "apart").inner_text()
    written(alice, "The lungs are clear.", "A nodule on the left.")
    picture(alice, "double-first")
    sign(alice, archive.reader.password)
    writing(alice, "reading")
    assert alice.locator(".report-state").inner_text() == "Read, one of two"

    (dora,) = people(archive.server, {"dora": ("radiologist",)}).values()
    context = chromium.new_context(viewport={"width": 1500, "height": 950})
    page = context.new_page()
    sign_in(page, archive.server.url + "/", dora.name, dora.password)
    of_study(page, archive, made.study, dora)
    assert (area(page, "findings").input_value(), area(page, "impression").input_value()) == ("", "")
    written(page, "The lungs are clear.", "Normal chest.")
    sign(page, dora.password)
    writing(page, "reading")
    context.close()

    alice.goto(f"{archive.server.url}/worklist/")
    expect(alice.locator(f'tr[data-id="{item}"]')).to_contain_text("report of two reads")
    report = of_study(alice, archive, made.study, archive.reader)
    assert (area(report, "findings").input_value(), area(report, "impression").input_value()) == (
        "The lungs are clear.",
        "",
    )
    said = notice(report, "apart")
    assert "where they differ the field is empty" in said.inner_text()
    said.get_by_role("button", name=f"Read by {dora.name}").click()
    expect(report.locator(".prior-text", has_text="Normal chest.")).to_be_visible()
    picture(report, "double-report")
