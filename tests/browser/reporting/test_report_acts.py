"""What is done with a report beside writing it: added to, returned, co-signed, corrected, withdrawn; and critical results."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser.conftest import Archive, sign_in
from tests.browser.reporting.people import people
from tests.browser.reporting.writing import Writer, area, at_end, saved, writing
from tests.chromium import wait_for

FINDINGS = "The lungs are clear. No effusion."
IMPRESSION = "Normal chest."


def picture(page: Page, name: str) -> None:
    """For a person to look at, when FARVIEW_PICTURES names a folder."""
    if folder := os.environ.get("FARVIEW_PICTURES"):
        page.wait_for_timeout(400)
        page.screenshot(path=Path(folder) / f"acts-{name}.jpg", type="jpeg", quality=82)


@dataclass(frozen=True)
class Person:
    """Somebody beside Alice, with a browser of their own."""

    name: str
    password: str
    page: Page


@pytest.fixture
def person(chromium: Browser, archive: Archive, writer: Writer) -> Iterator[Callable[..., Person]]:
    """Signs a new person of some roles in."""
    contexts = []

    def of(name: str, *roles: str) -> Person:
        (made,) = people(archive.server, {f"{name}{writer.id}": roles}).values()
        context = chromium.new_context(viewport={"width": 1400, "height": 900})
        contexts.append(context)
        page = context.new_page()
        sign_in(page, archive.server.url + "/", made.name, made.password)
        return Person(made.name, made.password, page)

    yield of
    for context in contexts:
        context.close()


def notice(page: Page, name: str) -> Locator:
    return page.locator(f'[data-notice="{name}"]')


def act(page: Page, name: str, label: str, **typed: str) -> Locator:
    """Fills the dialog of an act and sends it. The page offers it once."""
    page.locator(f'button[data-act="{name}"]').click()
    return send(page, label, **typed)


def send(page: Page, label: str, **typed: str) -> Locator:
    dialog = page.locator("dialog.asking")
    for name, value in typed.items():
        control = dialog.locator(f'[name="{name}"]')
        if control.first.get_attribute("type") == "radio":
            dialog.locator(f'[name="{name}"][value="{value}"]').check()
        else:
            control.fill(value)
    dialog.get_by_role("button", name=label, exact=True).click()
    return dialog


def sign(page: Page, password: str, *, grade: str = "") -> None:
    """Ctrl+Enter, everything that the checks say acknowledged, the password, Enter."""
    page.keyboard.press("Control+Enter")
    dialog = page.locator("dialog.signing")
    dialog.wait_for()
    for box in dialog.locator("[name=acknowledged]").all():
        box.check()
    if grade:
        dialog.locator(f'[name=discrepancy][value="{grade}"]').check()
    dialog.locator("input[type=password]").fill(password)
    page.keyboard.press("Enter")
    dialog.wait_for(state="detached")


def written(page: Page, findings: str = FINDINGS, impression: str = IMPRESSION) -> None:
    for name, text in (("findings", findings), ("impression", impression)):
        at_end(page, name)
        page.keyboard.type(text)
    saved(page)


def finished(writer: Writer, password: str, findings: str = FINDINGS) -> None:
    """Alice's program writes and signs it."""
    content = {"findings": findings, "impression": IMPRESSION}
    writer.put({"based_on": writer.told["version"], "content": content}).raise_for_status()
    rules = [one["rule"] for one in writer.archive.get(f"/api/reports/{writer.id}/checks/").json()["problems"]]
    body = {"password": password, "meaning": "final", "acknowledged": rules}
    writer.post("sign/", body).raise_for_status()


@pytest.fixture
def signed(browse: Callable[..., Page], archive: Archive, writer: Writer) -> Page:
    """The page of a report that Alice signed."""
    finished(writer, archive.reader.password)
    return reading(browse(), writer)


def reading(page: Page, writer: Writer) -> Page:
    page.goto(f"{writer.archive.server.url}/reports/{writer.id}/")
    writing(page, "reading")
    page.locator(".report-sheet .signed-report").wait_for()
    return page


# --- the acts


def test_an_addendum_is_added_under_a_text_that_stays(signed: Page, writer: Writer, archive: Archive) -> None:
    before = writer.told["content"]
    text = "Compared with 2019: unchanged."
    dialog = act(signed, "addendum", "Sign the addendum", text=text, password="not mine")
    dialog.get_by_text("This is not your password").wait_for()
    assert dialog.locator("textarea").input_value() == text, "what was typed is not lost by a refusal"
    picture(signed, "addendum-refused")
    signed.keyboard.press("Escape")
    signed.locator('button[data-act="addendum"]').click()
    assert dialog.locator("textarea").input_value() == text, "nor by closing the dialog"
    assert dialog.locator("input[type=password]").input_value() == ""
    send(signed, "Sign the addendum", password=archive.reader.password)
    sheet = signed.locator(".report-sheet", has_text=text)
    sheet.wait_for()
    assert FINDINGS in sheet.inner_text()
    assert signed.locator(".report-state").inner_text() == "Final, with addendum"
    assert writer.told["content"] == before
    signed.locator(".report-history summary").click()
    rows = signed.locator(".versions li")
    rows.first.wait_for()
    assert [one.get_attribute("data-kind") for one in rows.all()] == ["final", "addendum"]
    hashes = [one["hash"][:12] for one in archive.get(f"/api/reports/{writer.id}/versions/").json()["versions"]]
    assert hashes[-1] in rows.last.inner_text()
    signed.get_by_role("button", name="Compare its pictures").click()
    signed.get_by_text("No pictures were signed with this text").wait_for()
    picture(signed, "addendum")


def test_a_resident_submits_an_attending_returns_the_resident_mends_and_the_attending_co_signs(
    browse: Callable[..., Page], person: Callable[..., Person], writer: Writer, archive: Archive
) -> None:
    rita = person("rita", "resident")
    writer.open(rita.page)
    written(rita.page)
    sign(rita.page, rita.password)
    writing(rita.page, "reading")
    assert "It waits for an attending's co-signature" in notice(rita.page, "waiting").inner_text()
    assert not rita.page.locator("[data-act=return], [data-act=addendum]").count()

    alice = writer.open(browse())
    assert f"{rita.name} wrote it" in notice(alice, "waiting").inner_text()
    picture(alice, "pending")
    act(alice, "return", "Return it")
    alice.get_by_text("This is needed: What is to be mended").wait_for()
    send(alice, "Return it", comment="Say something of the heart, please.")
    writing(alice, "reading")
    told = writer.told
    assert told["state"] == "returned"
    assert told["lock"]["by"] is None, "who returned it does not hold it"

    back = notice(rita.page, "returned")
    back.wait_for()
    assert "alice returned it" in back.inner_text()
    assert "Say something of the heart, please." in back.inner_text()
    back.get_by_role("button", name="Write on").click()
    writing(rita.page)
    assert "Say something of the heart" in notice(rita.page, "returned").inner_text()
    at_end(rita.page, "findings")
    rita.page.keyboard.type(" The heart is normal.")
    saved(rita.page)
    picture(rita.page, "returned")
    sign(rita.page, rita.password)
    writing(rita.page, "reading")

    alice = writer.open(alice)
    at_end(alice, "impression")
    alice.keyboard.type(" No follow-up.")
    saved(alice)
    sign(alice, archive.reader.password, grade="minor")
    writing(alice, "reading")
    told = writer.told
    assert told["state"] == "final"
    assert [(one["name"], one["meaning"]) for one in told["signatures"] if one["meaning"] != "returned"][-2:] == [
        (rita.name, "author"),
        ("alice", "co-signer"),
    ]
    assert told["content"]["findings"] == f"{FINDINGS} The heart is normal."
    assert told["content"]["impression"] == f"{IMPRESSION} No follow-up."
    wait_for(rita.page, "document.querySelector('.report-state').dataset.state === 'final'")


def test_a_correction_is_written_while_readers_still_get_the_signed_text(
    signed: Page, writer: Writer, archive: Archive
) -> None:
    act(signed, "correct", "Write the correction", reason="The side was wrong.")
    signed.get_by_text("This is needed: Kind").wait_for()
    send(signed, "Write the correction", reason_code="error")
    writing(signed)
    band = notice(signed, "correction")
    assert "Readers still get the signed text" in band.inner_text()
    assert "The side was wrong." in band.inner_text()
    assert signed.locator(".report-state").inner_text() == "Correction, not signed"
    at_end(signed, "findings")
    signed.keyboard.type(" A granuloma on the right.")
    saved(signed)
    read = archive.get(f"/api/reports/{writer.id}/export/html").text
    assert "granuloma" not in read
    band.get_by_role("button", name="What it changes").click()
    changes = signed.locator("dialog", has_text="Changed since the signed text")
    changes.locator("ins").first.wait_for()
    assert "granuloma" in changes.inner_text()
    picture(signed, "correction")
    signed.keyboard.press("Escape")
    area(signed, "findings").focus()
    signed.keyboard.press("Control+Enter")
    dialog = signed.locator("dialog.signing")
    dialog.locator(".meaning strong", has_text="Correction").wait_for()
    signed.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    area(signed, "findings").focus()
    sign(signed, archive.reader.password)
    writing(signed, "reading")
    assert signed.locator(".report-state").inner_text() == "Corrected"
    assert not notice(signed, "correction").count()
    assert "granuloma" in archive.get(f"/api/reports/{writer.id}/export/html").text


def test_a_correction_is_given_up(signed: Page, writer: Writer) -> None:
    act(signed, "correct", "Write the correction", reason="Perhaps.", reason_code="content")
    writing(signed)
    at_end(signed, "findings")
    signed.keyboard.type(" Not this.")
    saved(signed)
    act(signed, "abandon", "Give it up")
    writing(signed, "reading")
    assert writer.content["findings"] == FINDINGS
    assert signed.locator(".report-state").inner_text() == "Final"


def test_entered_in_error_needs_a_second_person_and_both_states_are_said(
    signed: Page, person: Callable[..., Person], writer: Writer, archive: Archive
) -> None:
    act(signed, "request_error", "Ask for it", reason="Of another patient.", password=archive.reader.password)
    asked = notice(signed, "wrong")
    asked.get_by_text("A second person has to confirm it").wait_for()
    assert not signed.locator("[data-act=confirm_error]").count(), "not the same person"
    assert writer.told["state"] == "final"
    carol = person("carol", "radiologist")
    page = reading(carol.page, writer)
    assert "alice asked on" in notice(page, "wrong").inner_text()
    picture(page, "accused")
    act(page, "confirm_error", "Confirm", password=carol.password)
    notice(page, "wrong").get_by_text("this report does not hold").wait_for()
    assert writer.told["state"] == "entered_in_error"
    wait_for(signed, "document.querySelector('.report-state').dataset.state === 'entered_in_error'")
    assert "Of another patient." in notice(signed, "wrong").inner_text()
    assert not signed.locator(".reading-acts [data-act], [data-command=critical]").count()


def test_who_asked_for_it_takes_it_back(signed: Page, archive: Archive) -> None:
    act(signed, "request_error", "Ask for it", reason="A slip.", password=archive.reader.password)
    notice(signed, "wrong").wait_for()
    act(signed, "withdraw_error", "Take it back")
    notice(signed, "wrong").wait_for(state="detached")
    signed.locator('.reading-acts [data-act="request_error"]').wait_for()


def test_an_administrator_who_reads_too_cancels_a_report(person: Callable[..., Person], writer: Writer) -> None:
    boss = person("boss", "radiologist", "admin")
    page = writer.open(boss.page)
    written(page)
    act(page, "cancel", "Cancel the report", reason="Ordered twice.")
    writing(page, "reading")
    assert writer.told["state"] == "cancelled"
    assert page.locator(".report-state").inner_text() == "Cancelled"


# --- macros of a site


def test_who_administers_the_site_makes_a_macro_for_everybody_and_others_only_use_it(
    person: Callable[..., Person], browse: Callable[..., Page], writer: Writer
) -> None:
    boss = person("boss", "radiologist", "admin")
    page = writer.open(boss.page)
    at_end(page, "findings")
    page.keyboard.press("F7")
    page.locator("dialog.macros").get_by_role("button", name="New macro…").click()
    form = page.locator("dialog.asking")
    form.get_by_label("Shortcut").fill(f".all{writer.id}")
    form.get_by_label("Text").fill("For everybody.")
    form.get_by_label("For whom").select_option("default")
    form.get_by_role("button", name="Keep").click()
    row = page.locator(f'dialog.macros [data-macro=".all{writer.id}"]')
    row.wait_for()
    page.keyboard.press("Escape")
    page.goto("about:blank")

    alice = writer.open(browse())
    at_end(alice, "findings")
    alice.keyboard.press("F7")
    row = alice.locator(f'dialog.macros [data-macro=".all{writer.id}"]')
    assert "of default" in row.inner_text()
    assert row.get_by_role("button").count() == 1, "to be put in; to be changed by whoever administers"
    alice.keyboard.type(f".all{writer.id}")
    alice.keyboard.press("Enter")
    writer.holds("findings", "For everybody.")


# --- critical results


def result_of(writer: Writer) -> dict[str, Any]:
    [found] = writer.archive.get(f"/api/reports/{writer.id}/critical/").json()["results"]
    return dict(found)


def test_a_critical_word_is_recorded_from_its_line_told_read_back_and_closed(
    alone: Page, writer: Writer, archive: Archive
) -> None:
    written(alone, "Lungs expanded. Large tension pneumothorax on the left. No effusion.", "Tension pneumothorax.")
    line = alone.locator('.beside [data-rule="critical"]')
    line.get_by_role("button", name="Record the communication…").click()
    dialog = alone.locator("dialog.asking")
    assert dialog.locator("[name=finding]").input_value() == "Large tension pneumothorax on the left."
    picture(alone, "critical-record")
    send(alone, "Record it", category="minutes")
    banner = alone.locator(".critical-result")
    banner.wait_for()
    assert "has to be read back by" in banner.inner_text()
    assert banner.get_by_role("button").all_inner_texts() == ["Write down a try…"]
    line.wait_for(state="detached")

    banner.get_by_role("button", name="Write down a try…").click()
    typed = {"recipient": "Dr Gray", "recipient_role": "Ward 4", "outcome": "no_answer", "note": "Rang twice"}
    send(alone, "Write it down", **typed)
    banner.get_by_text("Dr Gray, Ward 4, by phone: no answer. Rang twice").wait_for()
    assert not result_of(writer)["read_back"]

    banner.get_by_role("button", name="Write down a try…").click()
    dialog.get_by_label("Read back").check()
    send(alone, "Write it down", outcome="left_message")
    dialog.get_by_text("only somebody who was reached can read it back").wait_for()
    assert dialog.locator("[name=recipient]").input_value() == "Dr Gray"
    send(alone, "Write it down", outcome="reached")
    banner.get_by_text("read back by Dr Gray").wait_for()
    picture(alone, "critical-read-back")

    area(alone, "impression").focus()
    sign(alone, archive.reader.password)
    writing(alone, "reading")
    banner.get_by_role("button", name="Close it").wait_for()
    picture(alone, "critical-signed")
    banner.get_by_role("button", name="Close it").click()
    banner.wait_for(state="detached")
    closed = alone.locator(".critical-closed")
    assert "Critical results, closed: 1" in closed.inner_text()
    told = result_of(writer)
    assert told["closed_by"] == "alice"
    assert told["read_back"]
    assert [one["outcome"] for one in told["attempts"]] == ["no_answer", "reached"]


def test_an_overdue_critical_result_is_red_and_says_so_on_every_open_page(signed: Page, writer: Writer) -> None:
    body = {"finding": "Bleeding in the brain", "category": "minutes", "found_at": "2024-05-01T10:00:00+00:00"}
    writer.post("critical/", body).raise_for_status()
    banner = signed.locator(".critical-result.danger")
    banner.wait_for()
    assert "OVERDUE by" in banner.inner_text()
    signed.set_viewport_size({"width": 390, "height": 844})
    assert signed.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scroll on a phone"
    signed.locator('[data-act="request_error"]').click()
    signed.locator("dialog").wait_for()  # It opens once the server said how this reader signs.
    assert signed.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth")
    picture(signed, "phone-dialog")
    signed.keyboard.press("Escape")
    # The server looks for what is overdue every 10 s.
    banner.locator(".critical-clock", has_text="Escalated").wait_for(timeout=30_000)
    assert "escalated, nobody had read it back" in banner.locator(".tries").inner_text()
    assert signed.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(signed, "overdue")


def test_a_critical_result_is_recorded_beside_the_pictures_by_keys_alone(beside: Page, writer: Writer) -> None:
    at_end(beside, "findings")
    beside.keyboard.press("Shift+F4")
    wait_for(beside, "document.querySelector('dialog[open]')?.contains(document.activeElement)")
    beside.keyboard.type("Free air under the diaphragm")
    beside.keyboard.press("Tab")
    beside.keyboard.press("Space")
    beside.keyboard.press("Enter")
    beside.locator(".critical-result", has_text="Free air under the diaphragm").wait_for()
    assert result_of(writer)["category"] == "minutes"
    picture(beside, "panel")
