"""axe-core looks at every page and dialog of reporting, dark and light; none of them is wider than a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pydicom
import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.axe import grave
from tests.browser.conftest import Archive, sign_in
from tests.browser.made import Made
from tests.browser.reporting.people import people
from tests.browser.reporting.writing import Writer, at_end, saved, take_in, writing
from tests.browser.worklist.conftest import Day
from tests.chromium import wait_for
from tests.live import LiveServer

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
NUMBERS = count(700)
REFERRER = "R-77"
KNOWN = (
    "from accounts.models import *; from reporting.models import *;"
    "ReferrerIdentity.objects.create(organization=Organization.objects.get(name='default'),"
    f" user=User.objects.get(username='bob'), identifier='{REFERRER}')"
)


@pytest.fixture(scope="module")
def day(shared_data: Path) -> Iterator[Day]:
    with LiveServer(FARVIEW_ARRIVAL_QUIET_SECONDS="1") as server:
        roles = {
            "alice": ["radiologist"],
            "rita": ["resident"],
            "tess": ["technologist"],
            "boss": ["admin", "radiologist"],
            "bob": ["referrer"],
        }
        known = people(server, roles)
        server.manage("shell", "-c", KNOWN)
        yield Day(server, Archive(server, shared_data, known["alice"]), known)


@pytest.fixture
def browser_of(chromium: Browser, day: Day) -> Iterator[Callable[[str], Page]]:
    contexts: list[BrowserContext] = []

    def page_of(who: str) -> Page:
        # Without motion: what fades has the contrast of neither state.
        contexts.append(chromium.new_context(viewport=DESKTOP, reduced_motion="reduce", has_touch=True))
        page = contexts[-1].new_page()
        sign_in(page, day.server.url + "/", who, day.people[who].password)
        return page

    yield page_of
    for context in contexts:
        context.close()


class Look:
    """Collects what is wrong with a page in each of its states."""

    def __init__(self, page: Page, fades: int = 0) -> None:
        """`fades`: how many ms the page's own colours take to change, whatever the reader prefers."""
        self.page, self.fades = page, fades
        self.found: list[str] = []

    def at(self, what: str) -> None:
        """Dark and light on a desk, and as wide as a phone."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.page.wait_for_timeout(self.fades)
            self.found += [f"{what}, {scheme}: {one}" for one in grave(self.page)]
        self.page.set_viewport_size(PHONE)
        wide = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        inside = self.page.evaluate(
            """[...document.querySelectorAll("dialog[open]")].flatMap((one) => {
                 const { left, right } = one.getBoundingClientRect();
                 return one.scrollWidth > one.clientWidth || left < 0 || right > innerWidth ? [one.className] : [];
               })"""
        )
        self.found += [f"{what}: {wide} px wider than a phone"] if wide > 0 else []
        self.found += [f"{what}: the dialog {one} is wider than a phone" for one in inside]
        self.page.set_viewport_size(DESKTOP)

    def dialog(self, what: str, open_it: Callable[[], Any]) -> None:
        open_it()
        self.page.locator("dialog[open]").last.wait_for()
        self.at(what)
        self.page.keyboard.press("Escape")

    def is_clean(self) -> None:
        assert not self.found, "\n".join(self.found)


@pytest.fixture
def written(day: Day, tmp_path: Path) -> Writer:
    """A report of a study that was ordered by Bob, half written."""
    made = Made(tmp_path, next(NUMBERS))
    name = f"MADE-{made.study.rsplit('.', 1)[1]}"
    patient = {"patient_id": name, "name": "Made^Mary", "birth_date": "", "sex": ""}
    body = {"patient": patient, "accession_number": f"A{name}", "study_instance_uid": made.study, "modality": "CT"}
    more = {"procedure_text": "CT chest", "reason": "Cough.", "referring_identifier": REFERRER}
    day.ask("tess", "POST", "/api/orders/", {**body, **more}, 201)
    for path in made.folder.glob("*.dcm"):
        image = pydicom.dcmread(path)
        image.AccessionNumber = body["accession_number"]
        image.save_as(path)
    take_in(day.archive, made.folder)
    writer = Writer(day.archive, made.study)
    content = {"findings": "Large tension pneumothorax on the left. Size [ ] cm.", "impression": "No pneumothorax."}
    writer.put({"based_on": writer.told["version"], "content": content}).raise_for_status()
    writer.release()
    return writer


def finished(day: Day, writer: Writer) -> None:
    content = {"findings": "The lungs are clear.", "impression": "Normal chest."}
    writer.put({"based_on": writer.told["version"], "content": content}).raise_for_status()
    rules = [one["rule"] for one in writer.archive.get(f"/api/reports/{writer.id}/checks/").json()["problems"]]
    signature = {"password": day.people["alice"].password, "meaning": "final", "acknowledged": rules}
    writer.post("sign/", signature).raise_for_status()


def test_the_worklist_and_what_is_asked_there(browser_of: Callable[[str], Page], day: Day) -> None:
    for name in ("STROKE", "STAT", "URGENT", "ROUTINE"):
        day.order(f"{name.title()}^Sam", reading_class=name)
    body = {"name": "Strokes", "query": {"class": "STROKE"}}
    day.ask("tess", "POST", "/api/worklist/filters/", body, 201)
    page = browser_of("tess")
    page.goto(f"{day.server.url}/worklist/?tab=scheduled")
    page.locator("#rows tr").nth(3).wait_for()
    look = Look(page)
    look.at("worklist")
    page.locator("#rows .score").first.click()
    look.at("why")
    page.locator("#rows [aria-haspopup]").first.click()
    look.at("menu of a row")
    page.keyboard.press("Escape")
    look.dialog("keys", lambda: page.keyboard.press("?"))
    look.dialog("new order", lambda: page.locator("#order").click())
    look.dialog("keep a filter", lambda: page.locator("#keep").click())
    look.dialog("filters", lambda: page.locator("#filters").click())
    for act in ("Correct the order", "Change class"):
        page.locator("#rows [aria-haspopup]").first.click()
        look.dialog(act, lambda act=act: page.get_by_role("menuitem", name=act).click())
    page.goto(f"{day.server.url}/worklist/?tab=mine")
    page.locator("#empty").wait_for()
    look.at("nothing to read")
    look.is_clean()


def test_a_report_that_is_written_and_its_dialogs(browser_of: Callable[[str], Page], day: Day, written: Writer) -> None:
    macro = {"shortcut": ".nl", "text": "Normal."}
    day.ask("alice", "POST", "/api/macros/", macro, 201)
    page = written.open(browser_of("alice"))
    page.locator(".checks .check").first.wait_for()
    look = Look(page)
    look.at("draft")
    at_end(page, "findings")
    for key, what in (
        ("F7", "macros"),
        ("F4", "evidence"),
        ("Shift+F4", "critical result"),
        ("Control+Enter", "signing"),
    ):
        look.dialog(what, lambda key=key: page.keyboard.press(key))
        page.locator("dialog").wait_for(state="detached")
        at_end(page, "findings")
    page.keyboard.press("F7")
    look.dialog("new macro", lambda: page.get_by_role("button", name="New macro…").click())
    page.keyboard.press("Escape")
    look.dialog("templates", lambda: page.locator(".template-name").click())
    look.dialog("keys", lambda: page.locator("[data-command=keys]").click())
    page.locator("[data-command=preview]").click()
    page.locator("dialog.preview .signed-report").wait_for()
    look.at("preview")
    look.is_clean()


def test_a_report_that_another_writes(browser_of: Callable[[str], Page], day: Day, written: Writer) -> None:
    written.open(browser_of("alice"))
    page = browser_of("boss")
    page.goto(f"{day.server.url}/reports/{written.id}/")
    writing(page, "locked")
    look = Look(page)
    look.at("locked")
    look.dialog("take it over", lambda: page.get_by_role("button", name="Take it over…").click())
    look.dialog("cancel", lambda: page.locator("[data-act=cancel]").click())
    look.is_clean()


def test_a_signed_report_and_what_is_done_with_it(browser_of: Callable[[str], Page], day: Day, written: Writer) -> None:
    finished(day, written)
    body = {"finding": "Bleeding", "category": "minutes", "found_at": "2024-05-01T10:00:00+00:00"}
    written.post("critical/", body).raise_for_status()
    page = browser_of("alice")
    page.goto(f"{day.server.url}/reports/{written.id}/")
    writing(page, "reading")
    page.locator(".report-sheet .signed-report").wait_for()
    page.locator(".report-history summary").click()
    page.locator(".versions li").first.wait_for()
    look = Look(page)
    look.at("signed")
    for act in ("addendum", "correct", "request_error"):
        look.dialog(act, lambda act=act: page.locator(f"[data-act={act}]").click())
    look.dialog("a try", lambda: page.get_by_role("button", name="Write down a try…").click())
    page.locator("[data-act=correct]").click()
    page.locator("[name=reason_code][value=error]").check()
    page.locator("[name=reason]").fill("A slip.")
    page.get_by_role("button", name="Write the correction").click()
    writing(page)
    look.at("correction")
    at_end(page, "findings")
    page.keyboard.type(" More.")
    saved(page)
    look.dialog("what it changes", lambda: page.get_by_role("button", name="What it changes").click())
    look.is_clean()


def test_the_results_of_a_referring_doctor(browser_of: Callable[[str], Page], day: Day, written: Writer) -> None:
    finished(day, written)
    page = browser_of("bob")
    page.goto(f"{day.server.url}/results/")
    look = Look(page)
    look.at("results")
    page.locator(f'a[href="/results/{written.id}/"]').click()
    page.locator(".signed-report").wait_for()
    look.at("one result")
    page.goto(f"{day.server.url}/results/?q=nobody")
    look.at("no result")
    look.is_clean()


def test_the_administration_of_templates(browser_of: Callable[[str], Page], day: Day) -> None:
    page = browser_of("boss")
    page.goto(f"{day.server.url}/admin/reporting/template/")
    look = Look(page, fades=300)
    look.at("templates")
    page.locator("#result_list tbody th a").first.click()
    page.locator("#content").wait_for()
    look.at("one template")
    page.locator("#content th a").first.click()
    wait_for(page, "document.querySelector('.templates-facts')")
    look.at("a version")
    page.goto(f"{day.server.url}/admin/reporting/template/")
    page.click("text=Take in templates")
    look.at("taking in")
    look.is_clean()
