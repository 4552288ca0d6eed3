"""The worklist page in a real browser: what presses most comes first, by keyboard from the list to the images, and it lives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.made import Made
from tests.browser.reporting.writing import take_in
from tests.browser.worklist.conftest import HEAD, Day
from tests.chromium import wait_for, wait_until

ROWS = "[...document.querySelectorAll('#rows tr')]"
NAMES = f"{ROWS}.map((row) => row.querySelector('.patient button').textContent)"


def at_worklist(page: Page, query: str = "") -> Page:
    page.goto(page.url.split("/")[0] + "//" + page.url.split("/")[2] + "/worklist/" + query)
    wait_for(page, "document.querySelector('#count').textContent.trim() !== ''")
    return page


@pytest.fixture(scope="module", autouse=True)
def ready(day: Day) -> int:
    """A real head CT that came without an order: its item, once it is ready."""
    day.archive.study(HEAD)
    return int(wait_until(lambda: [one["id"] for one in day.items() if one["status"] == "ready"], "a ready item")[0])


def status_of(day: Day, item: int) -> str:
    return next(str(one["status"]) for one in day.items() if one["id"] == item)


def leave(page: Page, day: Day, item: int) -> None:
    """Goes away from the images once their report is open: the page gives the item back."""
    wait_for(page, "window.farview?.features.report?.state === 'writing'")
    page.goto("about:blank")
    wait_until(lambda: status_of(day, item) == "ready", "given back", pause=page.wait_for_timeout)


def test_the_most_pressing_comes_first_and_says_why(browser_of: Callable[..., Page], day: Day) -> None:
    day.order("Calm^Carl", reading_class="ROUTINE")
    day.order("Stroke^Sarah", reading_class="STROKE")
    page = at_worklist(browser_of("alice"), "?tab=scheduled")
    names = page.evaluate(NAMES)
    assert names.index("Stroke, Sarah") < names.index("Calm, Carl")
    first = page.locator("#rows tr", has_text="Stroke, Sarah")
    assert first.locator(".class-mark").inner_text() == "STROKE"
    first.locator("button.score").click()
    assert "STROKE" in first.locator(".why").inner_text()


def test_enter_claims_and_opens_the_images(browser_of: Callable[..., Page], day: Day, ready: int) -> None:
    page = at_worklist(browser_of("alice"))
    page.locator("#q").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies/**report=1*")
    assert status_of(day, ready) == "claimed"
    (item,) = [one for one in day.items("anna") if one["id"] == ready]
    assert item["claimed_by"]["name"] == "alice"
    leave(page, day, ready)


def test_the_next_one_by_one_key(browser_of: Callable[..., Page], day: Day, ready: int) -> None:
    page = at_worklist(browser_of("anna"))
    page.keyboard.press("n")
    page.wait_for_url("**/studies/**report=1*")
    assert status_of(day, ready) == "claimed"
    other = at_worklist(browser_of("alice"))
    assert "anna" in other.locator("#rows").inner_text()
    other.keyboard.press("n")
    wait_for(other, "document.querySelector('#said').textContent.includes('Nothing waits')")
    leave(page, day, ready)


def test_what_another_holds_is_taken_over_with_a_reason(browser_of: Callable[..., Page], day: Day, ready: int) -> None:
    day.ask("anna", "POST", f"/api/worklist/{ready}/claim/", {})
    page = at_worklist(browser_of("alice"))
    page.locator("#rows .patient button").first.click()
    dialog = page.locator("dialog.asking[open]")
    assert "anna" in dialog.inner_text()
    dialog.locator("button[type=submit]").click()
    assert "needed" in dialog.locator("[role=alert]").inner_text()
    dialog.locator("textarea").fill("She went home.")
    dialog.locator("button[type=submit]").click()
    page.wait_for_url("**/studies/**report=1*")
    (item,) = [one for one in day.items("anna") if one["id"] == ready]
    assert item["claimed_by"]["name"] == "alice"
    leave(page, day, ready)


def test_a_report_on_what_another_reads_is_begun_with_a_reason(
    browser_of: Callable[..., Page], day: Day, tmp_path: Path
) -> None:
    made = Made(tmp_path, 790)
    take_in(day.archive, made.folder)

    def item() -> dict[str, Any]:
        found = [one for one in day.items() if one["study"] and one["study"]["study_instance_uid"] == made.study]
        return found[0] if found and found[0]["status"] in ("ready", "claimed") else {}

    number = wait_until(item, "a ready item")["id"]
    day.ask("anna", "POST", f"/api/worklist/{number}/claim/", {})
    page = browser_of("alice")
    page.goto(f"{day.server.url}/studies/{made.study}/?report=1")
    note = page.locator("#panel-report .note")
    note.get_by_text("anna is reading this examination").wait_for()
    note.get_by_role("button", name="Take it over…").click()
    dialog = page.locator("dialog.asking")
    dialog.locator("button[type=submit]").click()
    assert "needed" in dialog.locator("[role=alert]").inner_text()
    dialog.get_by_label("Reason").fill("She went home.")
    page.keyboard.press("Enter")
    wait_for(page, "farview.features.report.state === 'writing'")
    assert item()["claimed_by"]["name"] == "alice"
    page.goto("about:blank")
    wait_until(lambda: item()["status"] == "ready", "the page lets go of both", pause=page.wait_for_timeout)


def test_a_technologist_holds_a_study_and_lets_it_go(browser_of: Callable[..., Page], day: Day, ready: int) -> None:
    page = at_worklist(browser_of("tess"))
    page.locator("#rows .patient button").first.focus()
    page.keyboard.press("h")
    dialog = page.locator("dialog.asking[open]")
    dialog.locator("select").select_option("wrong_side")
    dialog.locator("textarea").fill("Marker says right.")
    dialog.locator("button[type=submit]").click()
    wait_until(lambda: status_of(day, ready) == "hold", "held", pause=page.wait_for_timeout)
    page.keyboard.press("4")
    wait_for(page, "document.querySelector('#rows').textContent.includes('wrong side')")
    assert "Marker says right." in page.locator("#rows").inner_text()
    page.locator("#rows .patient button").first.focus()
    page.keyboard.press("y")
    wait_until(lambda: status_of(day, ready) == "ready", "ready again", pause=page.wait_for_timeout)


def test_an_order_placed_by_hand_appears_on_another_screen(browser_of: Callable[..., Page], day: Day) -> None:
    reader = at_worklist(browser_of("alice"), "?tab=scheduled")
    page = at_worklist(browser_of("tess"))
    page.locator("#order").click()
    dialog = page.locator("dialog.asking[open]")
    dialog.get_by_label("Patient ID").fill("HAND-1")
    dialog.get_by_label("Patient name").fill("Hand^Hanna")
    dialog.get_by_label("Date of birth").fill("1980-02-29")
    dialog.get_by_label("Examination").fill("MR brain")
    dialog.get_by_label("Accession").fill("HAND-ACC")
    dialog.locator("button[type=submit]").click()
    dialog.wait_for(state="detached")
    wait_for(reader, f"{NAMES}.includes('Hand, Hanna')")
    assert page.locator("#said").inner_text() == "The order is placed."


def test_nothing_moves_under_the_hand(browser_of: Callable[..., Page], day: Day) -> None:
    page = at_worklist(browser_of("alice"), "?tab=scheduled")
    before = page.evaluate(NAMES)
    page.locator("#rows .patient button").first.focus()
    day.order("Late^Lena", reading_class="STROKE")
    wait_for(page, f"{NAMES}.includes('Late, Lena')")
    assert page.evaluate(NAMES) == [*before, "Late, Lena"], "a new row comes last, whatever its score"
    assert page.locator("#rows tr[data-marked]").count() == 1
    page.locator("#resort").click()
    wait_for(page, f"{NAMES}.indexOf('Late, Lena') < {len(before)}")


def test_a_filter_is_kept_and_shared(browser_of: Callable[..., Page], day: Day) -> None:
    day.order("Kept^Karl", reading_class="STROKE")
    page = at_worklist(browser_of("alice"), "?tab=scheduled")
    page.locator("#class").select_option("STROKE")
    wait_for(page, "location.search.includes('class=STROKE')")
    page.locator("#keep").click()
    dialog = page.locator("dialog.asking[open]")
    dialog.get_by_label("Name").fill("Strokes to come")
    dialog.get_by_label("For whom").select_option("default")
    dialog.locator("button[type=submit]").click()
    wait_for(page, "document.querySelector('#tabs').textContent.includes('Strokes to come')")
    other = at_worklist(browser_of("anna"))
    other.get_by_role("button", name="Strokes to come").click()
    wait_for(other, "location.search.includes('class=STROKE')")
    marks = "[...document.querySelectorAll('#rows .class-mark')].map((one) => one.textContent)"
    wait_for(other, f"{marks}.length && {marks}.every((one) => one === 'STROKE')")
    other.keyboard.press("f")
    shared = other.locator("dialog.filters .filter-row", has_text="Strokes to come")
    assert "shared by alice" in shared.inner_text()
    assert not shared.get_by_role("button").count(), "only its owner changes it"


def test_saved_filters_are_renamed_shared_and_deleted_in_one_place(browser_of: Callable[..., Page], day: Day) -> None:
    filters = "/api/worklist/filters/"
    for name in ("My heads", "My spines"):
        body = {"name": name, "query": {"tab": "scheduled", "body_part": name[3:-1].upper()}}
        day.ask("anna", "POST", filters, body, 201)
    page = at_worklist(browser_of("anna"))
    page.locator("#filters").click()
    dialog = page.locator("dialog.filters")
    row = dialog.locator(".filter-row", has_text="My heads")
    assert "Scheduled · HEAD" in row.inner_text()
    row.get_by_role("button", name="Change…").click()
    form = page.locator("dialog.asking[open]")
    form.get_by_label("Name").fill("My spines")
    form.locator("button[type=submit]").click()
    form.get_by_text("You have a filter of that name already.").wait_for()
    form.get_by_label("Name").fill("Heads of all")
    form.get_by_label("For whom").select_option("default")
    form.locator("button[type=submit]").click()
    row = dialog.locator(".filter-row", has_text="Heads of all")
    row.wait_for()
    assert "for everybody at" in row.inner_text()
    kept = {
        one["name"]: one["shared_with"] for one in day.ask("anna", "GET", filters)["filters"] if one["owner"]["mine"]
    }
    assert kept == {"Heads of all": "default", "My spines": None}
    dialog.get_by_role("button", name="Delete My spines").click()
    dialog.get_by_role("button", name="Put it back My spines").click()
    dialog.get_by_role("button", name="Delete My spines").wait_for()
    dialog.get_by_role("button", name="Delete Heads of all").click()
    dialog.get_by_role("button", name="Put it back Heads of all").wait_for()
    page.keyboard.press("Escape")
    tabs = page.locator("#tabs")
    tabs.get_by_role("button", name="My spines").wait_for()
    assert not tabs.get_by_role("button", name="Heads of all").count()
    mine = [one["name"] for one in day.ask("anna", "GET", filters)["filters"] if one["owner"]["mine"]]
    assert mine == ["My spines"]


def test_the_menu_of_a_row_is_walked_by_keys_and_stays_when_the_list_changes(
    browser_of: Callable[..., Page], day: Day
) -> None:
    day.order("Menu^Mona")
    page = at_worklist(browser_of("tess"), "?tab=scheduled")
    row = page.locator("#rows tr", has_text="Menu, Mona")
    row.locator(".patient button").focus()
    page.keyboard.press("m")
    items = row.locator("[role=menuitem]")
    words = items.all_inner_texts()
    assert len(words) > 1
    focused = "document.activeElement.querySelector('.what')?.textContent"
    assert page.evaluate(focused) in words[0]
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) in words[1]
    day.order("Meanwhile^Max")
    wait_for(page, f"{NAMES}.includes('Meanwhile, Max')")
    assert page.evaluate(focused) in words[1], "the hand stays where it was"
    page.keyboard.press("Escape")
    assert not items.first.is_visible()
    assert page.evaluate("document.activeElement.getAttribute('aria-haspopup')") == "menu"
    row.locator("[aria-haspopup]").click()
    page.locator("#q").click()
    assert not items.first.is_visible(), "a press elsewhere closes it"


def test_an_administrator_assigns(browser_of: Callable[..., Page], day: Day) -> None:
    item = day.order("Given^Gina")["item"]["id"]
    day.ask("boss", "GET", "/api/worklist/readers/")
    day.ask("boss", "POST", f"/api/worklist/{item}/assign/", {"to": "anna"})
    page = at_worklist(browser_of("anna"), "?tab=scheduled")
    assert "for anna" in page.locator("#rows tr", has_text="Given, Gina").inner_text()


def test_it_fits_a_phone(browser_of: Callable[..., Page]) -> None:
    page = at_worklist(browser_of("alice", width=390, height=844, has_touch=True))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    buttons = "[...document.querySelectorAll('#rows button, #search button')].filter((one) => one.offsetParent)"
    assert page.evaluate(f"{buttons}.filter((one) => one.offsetHeight < 44).length") == 0, "targets for fingers"
