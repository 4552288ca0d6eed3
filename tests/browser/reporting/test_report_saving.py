"""Whatever fails while a report is written, its words are not lost: server, browser, line, session, lock, another writer."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import requests
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Archive, sign_in
from tests.browser.reporting.writing import Writer, area, at_end, saved, writing
from tests.chromium import wait_for

MOST = 2.0
"""Seconds of typing that may be missing on the server."""


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("farview.report")
    return found


def notice(page: Page, name: str) -> Any:
    return page.locator(f'[data-notice="{name}"]')


def on_the_disk(page: Page) -> str:
    """All that the journal of reports holds in this browser, as whoever finds the browser reads it."""
    return str(
        page.evaluate(
            """() => new Promise((done) => {
              indexedDB.open("farview-reports").onsuccess = ({ target }) => {
                const rows = target.result.transaction("typed").objectStore("typed").getAll();
                rows.onsuccess = () => done(JSON.stringify(rows.result));
              };
            })"""
        )
    )


def test_typing_on_and_on_is_on_the_server_within_two_seconds(alone: Page, writer: Writer) -> None:
    at_end(alone, "findings")
    typed: list[tuple[float, int]] = []
    text = ""
    late: list[float] = []
    end = time.monotonic() + 9
    while time.monotonic() < end:
        alone.keyboard.type("word ", delay=30)
        text += "word "
        typed.append((time.monotonic(), len(text)))
        held = len(writer.content.get("findings") or "")
        now = time.monotonic()
        late.append(max([now - at for at, length in typed if length > held], default=0.0))
    assert max(late) < MOST + 1.0, "a second more for this test's own questions on a busy machine"
    writer.holds("findings", text)


def test_a_server_killed_in_mid_typing_costs_no_letter(alone: Page, writer: Writer, archive: Archive) -> None:
    """SIGKILL to the whole group while keys are being pressed; typing goes on; the server comes back."""
    at_end(alone, "findings")
    before = "Nodule in the left upper lobe. "
    alone.keyboard.type(before, delay=20)
    saved(alone)
    during = "It is spiculated and measures 12 mm. "
    alone.keyboard.type(during[:18], delay=15)
    archive.server.kill()
    alone.keyboard.type(during[18:], delay=15)
    wait_for(alone, "farview.report.saving === 'offline'")
    told = notice(alone, "saving").inner_text()
    assert "kept in this browser" in told
    assert "Not saved yet" in alone.locator(".kept").inner_text()
    archive.server.start()
    held = writer.content.get("findings", "")
    assert held.startswith(before), "what was typed more than two seconds before the end was on the server"
    saved(alone)
    writer.holds("findings", before + during)
    assert not notice(alone, "saving").count()


def test_a_browser_killed_while_the_server_is_away_brings_the_words_back(
    alone: Page, writer: Writer, archive: Archive
) -> None:
    at_end(alone, "findings")
    alone.keyboard.type("Saved words.")
    saved(alone)
    archive.server.kill()
    alone.keyboard.type(" Unsaved words.")
    area(alone, "impression").focus()
    alone.keyboard.type("Unsaved impression.")
    wait_for(alone, "farview.report.saving === 'offline'")
    assert "Unsaved" not in on_the_disk(alone), "what is kept is sealed"
    context = alone.context
    alone.close()
    archive.server.start()
    page = context.new_page()
    writer.open(page)  # at once, though the window that died still holds the lock
    told = notice(page, "recovered")
    told.wait_for()
    assert "Findings, Impression" in told.inner_text()
    told.locator("summary").click()
    assert "Unsaved words." in told.locator("ins").first.inner_text()
    writer.holds("findings", "Saved words. Unsaved words.")
    writer.holds("impression", "Unsaved impression.")
    assert area(page, "findings").input_value() == "Saved words. Unsaved words."
    page.reload()
    writing(page)
    assert not notice(page, "recovered").count(), "what is saved is not recovered again"


def test_what_was_recovered_can_be_left_out(alone: Page, writer: Writer, archive: Archive) -> None:
    at_end(alone, "findings")
    alone.keyboard.type("Kept.")
    saved(alone)
    archive.server.kill()
    alone.keyboard.type(" Not wanted.")
    wait_for(alone, "farview.report.saving === 'offline'")
    context = alone.context
    alone.close()
    archive.server.start()
    page = writer.open(context.new_page())
    notice(page, "recovered").get_by_role("button", name="Without it").click()
    writer.holds("findings", "Kept.")
    assert area(page, "findings").input_value() == "Kept."


def test_the_last_words_before_a_window_is_closed_are_sent(alone: Page, writer: Writer) -> None:
    at_end(alone, "findings")
    saved(alone)
    alone.keyboard.type("Last words")
    alone.close(run_before_unload=True)
    writer.holds("findings", "Last words")


def test_the_same_window_goes_on_after_a_reload_and_a_closed_one_lets_go(alone: Page, writer: Writer) -> None:
    at_end(alone, "findings")
    alone.keyboard.type("a")
    saved(alone)
    alone.reload()
    writing(alone)
    alone.goto("about:blank")
    for _ in range(50):
        if writer.told["lock"]["by"] is None:
            break
        time.sleep(0.1)
    assert writer.told["lock"]["by"] is None


def test_signed_out_in_the_middle_goes_on_after_signing_in_in_another_tab(
    alone: Page, writer: Writer, archive: Archive
) -> None:
    at_end(alone, "findings")
    alone.keyboard.type("Before. ")
    saved(alone)
    context = alone.context
    cookies = [one for one in context.cookies() if "session" in one["name"]]
    assert cookies
    context.clear_cookies()
    alone.keyboard.type("While signed out. ")
    wait_for(alone, "farview.report.saving === 'signed-out'")
    with context.expect_page() as opened:
        notice(alone, "saving").get_by_role("button", name="Sign in").click()
    alone.bring_to_front()
    at_end(alone, "findings")
    alone.keyboard.type("Still typing. ")
    other = opened.value
    other.fill("input[name=username]", archive.reader.name)
    other.fill("input[type=password]", archive.reader.password)
    with other.expect_event("close"):
        other.keyboard.press("Enter")
    wait_for(alone, "farview.report.saving === 'saved'", 15)
    alone.bring_to_front()
    writer.holds("findings", "Before. While signed out. Still typing. ")


def test_being_asked_again_in_another_tab_gives_a_new_key_and_costs_no_word(
    alone: Page, writer: Writer, archive: Archive
) -> None:
    def key() -> str:
        return next(one["value"] for one in alone.context.cookies() if "session" in one["name"])

    at_end(alone, "findings")
    alone.keyboard.type("Before. ")
    saved(alone)
    before = key()
    archive.server.kill()
    alone.keyboard.type("While nobody listened. ")
    wait_for(alone, "farview.report.saving === 'offline'")
    archive.server.start()
    other = alone.context.new_page()
    other.goto(f"{archive.server.url}/accounts/confirm/?next=/accounts/sessions/")
    other.fill("input[type=password]", archive.reader.password)
    other.keyboard.press("Enter")
    other.wait_for_url(f"{archive.server.url}/accounts/sessions/")
    assert key() != before
    alone.bring_to_front()
    alone.reload()
    writing(alone)
    at_end(alone, "findings")
    alone.keyboard.type("After. ")
    saved(alone)
    writer.holds("findings", "Before. While nobody listened. After. ")


def test_another_person_who_signs_in_does_not_send_my_words(
    browse: Callable[..., Page], archive: Archive, writer: Writer
) -> None:
    password, _ = archive.server.user(f"rita{writer.id}", "resident")
    page = writer.open(browse())
    at_end(page, "findings")
    page.keyboard.type("Mine.")
    saved(page)
    page.context.clear_cookies()
    page.keyboard.type(" Unsent.")
    wait_for(page, "farview.report.saving === 'signed-out'")
    hers = page.context.new_page()
    sign_in(hers, archive.server.url + "/", f"rita{writer.id}", password)
    page.wait_for_timeout(4500)
    assert state(page)["saving"] == "signed-out"
    assert writer.content["findings"] == "Mine."
    kept = on_the_disk(hers)
    assert archive.reader.name in kept, "the words are still there for whoever wrote them"
    assert "Unsent" not in kept
    page.close()
    hers.context.clear_cookies()
    sign_in(hers, archive.server.url + "/", archive.reader.name, archive.reader.password)
    mine = writer.open(hers)
    notice(mine, "recovered").wait_for()
    writer.holds("findings", "Mine. Unsent.")


# --- two writers


def from_elsewhere(writer: Writer, content: dict[str, Any], page: Page) -> None:
    """The same person's program saves, with the token of the page: only the version is old then."""
    token = page.evaluate("Object.entries(localStorage).find(([name]) => name.startsWith('farview.report-lock.'))[1]")
    told = writer.told
    writer.put({"based_on": told["version"], "content": content, "token": token}).raise_for_status()


def test_a_change_of_another_field_is_taken_over_and_said(alone: Page, writer: Writer) -> None:
    at_end(alone, "findings")
    alone.keyboard.type("Mine.")
    saved(alone)
    from_elsewhere(writer, {"impression": "Theirs."}, alone)
    alone.keyboard.type(" More.")
    writer.holds("findings", "Mine. More.")
    assert writer.content["impression"] == "Theirs."
    assert "Impression" in notice(alone, "taken").inner_text()
    assert area(alone, "impression").input_value() == "Theirs."


def test_two_texts_for_one_field_are_shown_with_their_difference_and_both_can_stay(alone: Page, writer: Writer) -> None:
    at_end(alone, "findings")
    alone.keyboard.type("A cyst.")
    saved(alone)
    from_elsewhere(writer, {"findings": "A cyst on the left."}, alone)
    alone.keyboard.type(" No stone.")
    dialog = alone.locator("dialog.clash")
    dialog.wait_for()
    assert dialog.locator("[data-side=mine] ins").inner_text().strip() == "No stone."
    assert "on the left" in dialog.locator("[data-side=theirs] ins").inner_text()
    assert dialog.get_by_role("button", name="Keep this").is_disabled()
    alone.keyboard.press("Escape")
    assert dialog.is_visible(), "it cannot be put off by mistake"
    assert writer.content["findings"] == "A cyst on the left."
    dialog.locator("[data-side=both] input").check()
    dialog.get_by_role("button", name="Keep this").click()
    writer.holds("findings", "A cyst. No stone.\nA cyst on the left.")
    assert area(alone, "findings").input_value() == "A cyst. No stone.\nA cyst on the left."


def test_who_holds_it_is_seen_and_taking_it_over_needs_a_reason_and_is_told(
    browse: Callable[..., Page], chromium: Browser, archive: Archive, writer: Writer
) -> None:
    name = f"carol{writer.id}"
    password, _ = archive.server.user(name, "radiologist")
    mine = writer.open(browse())
    at_end(mine, "findings")
    mine.keyboard.type("Alice wrote this.")
    saved(mine)
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    theirs = context.new_page()
    sign_in(theirs, archive.server.url + "/", name, password)
    theirs.goto(f"{archive.server.url}/reports/{writer.id}/")
    writing(theirs, "locked")
    told = notice(theirs, "lock")
    assert "alice is writing this report" in told.inner_text()
    assert area(theirs, "findings").input_value() == "Alice wrote this."
    assert area(theirs, "findings").evaluate("(area) => area.readOnly")
    told.get_by_role("button", name="Take it over").click()
    dialog = theirs.locator("dialog", has_text="Take the report over from alice")
    dialog.get_by_role("button", name="Take it over").click()
    assert dialog.is_visible(), "not without a reason"
    dialog.get_by_label("Reason").fill("She was called away")
    dialog.get_by_role("button", name="Take it over").click()
    writing(theirs)
    at_end(theirs, "findings")
    theirs.keyboard.type(" Carol went on.")
    writer.holds("findings", "Alice wrote this. Carol went on.")

    at_end(mine, "findings")
    mine.keyboard.type(" Alice did not know.")
    writing(mine, "locked")
    assert "taken from you" in notice(mine, "lock").inner_text()
    assert name in notice(mine, "lock").inner_text()
    assert "kept in this browser" in notice(mine, "lock").inner_text()
    assert area(mine, "findings").evaluate("(area) => area.readOnly")
    assert writer.content["findings"] == "Alice wrote this. Carol went on."
    context.close()


def test_another_patient_is_stopped_at_the_door(alone: Page, writer: Writer, archive: Archive) -> None:
    """A page whose band says another patient than the report is about saves nothing."""

    def as_another(route: Any) -> None:
        body = route.request.post_data_json
        body["context"]["patient_id"] = "SOMEBODY ELSE"
        route.continue_(post_data=body)

    alone.route(
        "**/api/reports/*/", lambda route: as_another(route) if route.request.method == "PUT" else route.continue_()
    )
    at_end(alone, "findings")
    alone.keyboard.type("For the wrong one.")
    wait_for(alone, "farview.report.saving === 'wrong-patient'")
    assert "another patient" in alone.locator(".kept").inner_text()
    assert not writer.content.get("findings")


def test_every_save_names_patient_accession_and_study(alone: Page, writer: Writer) -> None:
    at_end(alone, "findings")
    with alone.expect_request(lambda one: one.method == "PUT") as sent:
        alone.keyboard.type("x")
    body = sent.value.post_data_json
    told = writer.told["context"]
    assert body["context"] == {name: told[name] for name in ("study", "patient_id", "accession_number")}
    assert body["token"]


def test_no_report_is_opened_by_merely_looking_at_pictures(
    browse: Callable[..., Page], archive: Archive, made: Any
) -> None:
    page = browse()
    page.goto(f"{archive.server.url}/studies/{made.study}/")
    wait_for(page, "window.farview?.viewports[0]?.exact && farview.features.report?.ready", 60)
    page.locator("#tab-report").click()
    page.get_by_role("button", name="Write the report").wait_for()
    answer: requests.Response = archive.session.get(
        f"{archive.server.url}/api/reports/", params={"study": made.study}, timeout=30
    )
    assert answer.json()["reports"] == []
    page.keyboard.press("Escape")
    page.locator(".pane").first.click()
    page.keyboard.press("Shift+R")
    writing(page)
