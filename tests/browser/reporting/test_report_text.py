"""Text with links to evidence in it: typed, pasted, undone, composed, and always exactly what the server holds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Archive
from tests.browser.reporting.conftest import viewer
from tests.browser.reporting.writing import Writer, area, at_end, links, saved
from tests.chromium import wait_for

CHIP = "[[measurement:2.25.77/long|45.1 mm]]"
IMAGE = "[[key_image:2.25.78|image 2, series 1]]"
RAW = f"Mass of {CHIP} ({IMAGE}) in segment VI."
SHOWN = "Mass of 45.1 mm (image 2, series 1) in segment VI."


@pytest.fixture
def page(browse: Callable[..., Page], writer: Writer) -> Page:
    """A page whose findings hold two links."""
    told = writer.told
    writer.put({"based_on": told["version"], "content": {"findings": RAW}}).raise_for_status()
    writer.release()
    page = writer.open(browse(permissions=["clipboard-read", "clipboard-write"]))
    at_end(page, "findings")
    return page


def caret(page: Page, start: int, end: int | None = None) -> None:
    area(page, "findings").evaluate(
        "(area, [from, to]) => { area.focus(); area.setSelectionRange(from, to); }", [start, end or start]
    )


def test_a_text_shows_the_words_of_its_links_and_keeps_them_as_links(page: Page, writer: Writer) -> None:
    assert area(page, "findings").input_value() == SHOWN
    assert links(page, "findings") == [["measurement", "45.1 mm"], ["key_image", "image 2, series 1"]]
    page.keyboard.type(" Unchanged.")
    writer.holds("findings", f"{RAW} Unchanged.")


def test_the_mirror_behind_the_letters_breaks_its_lines_where_they_do(page: Page) -> None:
    page.keyboard.type(" The liver is of normal size and shape, its contour is smooth." * 6 + "\n\n- one\n- two")
    heights = area(page, "findings").evaluate(
        "(area) => [area.scrollHeight, area.clientHeight, area.parentElement.querySelector('.mirror').scrollHeight]"
    )
    assert max(heights) - min(heights) <= 1, heights


def test_changing_the_number_breaks_the_link_and_says_so(page: Page, writer: Writer) -> None:
    caret(page, 9, 10)
    page.keyboard.type("6")
    assert area(page, "findings").input_value().startswith("Mass of 46.1 mm")
    assert links(page, "findings") == [["key_image", "image 2, series 1"]]
    note = page.locator('[data-field="findings"] .unlinked-note')
    assert "no longer linked" in note.inner_text()
    assert page.locator('[data-field="findings"] .mirror .unlinked').inner_text() == "46.1 mm"
    writer.holds("findings", RAW.replace(CHIP, "46.1 mm"))
    note.get_by_role("button", name="Put the link back").click()
    writer.holds("findings", RAW)
    assert not note.count()


def test_undo_brings_a_broken_link_back_and_redo_takes_it_again(page: Page, writer: Writer) -> None:
    caret(page, 9, 10)
    page.keyboard.type("6")
    writer.holds("findings", RAW.replace(CHIP, "46.1 mm"))
    page.keyboard.press("Control+z")
    assert area(page, "findings").input_value() == SHOWN
    writer.holds("findings", RAW)
    page.keyboard.press("Control+Shift+z")
    writer.holds("findings", RAW.replace(CHIP, "46.1 mm"))


def test_a_link_is_deleted_as_a_whole_by_two_strokes(page: Page, writer: Writer) -> None:
    caret(page, len("Mass of 45.1 mm"))
    page.keyboard.press("Backspace")
    assert area(page, "findings").input_value() == SHOWN, "the first stroke chooses it"
    page.keyboard.press("Backspace")
    writer.holds("findings", RAW.replace(CHIP, ""))
    page.keyboard.press("Control+z")
    writer.holds("findings", RAW)
    caret(page, len("Mass of "))
    page.keyboard.press("Control+Delete")
    page.keyboard.press("Delete")
    writer.holds("findings", RAW.replace(CHIP, ""))


def test_what_is_cut_and_pasted_keeps_its_links_in_any_field(page: Page, writer: Writer) -> None:
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+x")
    writer.holds("findings", "")
    area(page, "impression").focus()
    page.keyboard.press("Control+v")
    writer.holds("impression", RAW)
    assert len(links(page, "impression")) == 2
    assert page.evaluate("navigator.clipboard.readText()") == SHOWN, "other programs get the words"


def test_a_stored_text_that_is_pasted_becomes_links_and_formatted_text_becomes_letters(
    page: Page, writer: Writer
) -> None:
    page.evaluate("(text) => navigator.clipboard.writeText(text)", f"See {IMAGE}.")
    area(page, "impression").focus()
    page.keyboard.press("Control+v")
    writer.holds("impression", f"See {IMAGE}.")
    page.evaluate(
        """() => navigator.clipboard.write([new ClipboardItem({
          "text/html": new Blob(["<b>bold</b> <img src=x>"], { type: "text/html" }),
          "text/plain": new Blob(["bold"], { type: "text/plain" }) })])"""
    )
    page.keyboard.press("Control+v")
    writer.holds("impression", f"See {IMAGE}.bold")
    assert page.locator("[data-field=impression] .text-field b, [data-field=impression] .text-field img").count() == 0


def test_a_link_written_out_letter_by_letter_is_one(page: Page, writer: Writer) -> None:
    area(page, "impression").focus()
    page.keyboard.type(f"x {CHIP}")
    assert area(page, "impression").input_value() == "x 45.1 mm"
    writer.holds("impression", f"x {CHIP}")


def test_composed_letters_beside_a_link_leave_it_alone(page: Page, writer: Writer) -> None:
    """As an input method does it: preedit text that changes, then what was meant."""
    caret(page, len("Mass of 45.1 mm"))
    hand = page.context.new_cdp_session(page)
    for preedit in ("に", "にほ", "にほん"):
        hand.send(
            "Input.imeSetComposition", {"text": preedit, "selectionStart": len(preedit), "selectionEnd": len(preedit)}
        )
    hand.send("Input.insertText", {"text": "日本"})
    assert area(page, "findings").input_value() == SHOWN.replace("45.1 mm", "45.1 mm日本")
    assert links(page, "findings")[0] == ["measurement", "45.1 mm"]
    writer.holds("findings", RAW.replace(CHIP, f"{CHIP}日本"))


def test_what_is_chosen_over_a_link_and_typed_over_is_gone_with_it(page: Page, writer: Writer) -> None:
    caret(page, 5, len("Mass of 45.1 mm ("))
    page.keyboard.type("in ")
    writer.holds("findings", f"Mass in {IMAGE}) in segment VI.")
    assert not page.locator('[data-field="findings"] .unlinked-note').count()


def test_surrogates_and_scripts_of_all_directions_stay_letter_by_letter(page: Page, writer: Writer) -> None:
    area(page, "impression").focus()
    text = "😀 è ü 日本 שלום \u202eabc <b>&amp; [ ] ]] [[ | \t."
    page.keyboard.insert_text(text)
    writer.holds("impression", text)


# --- the evidence itself


def measure(page: Page, archive: Archive, study: str) -> str:
    """A measurement that the server holds; its uid."""
    series = archive.get(f"/api/studies/{study}/").json()["series"][0]["series_instance_uid"]
    body = {
        "kind": "length",
        "label": "lesion",
        "series": series,
        "space": "patient",
        "points": [[10.0, 10.0, -2.0], [40.0, 50.0, -2.0]],
        "sop_instance_uid": f"{study}.1.1",
        "view": {"plane": "acquired", "sop_instance_uid": f"{study}.1.1", "window_center": 300, "window_width": 500},
    }
    answer = archive.session.post(f"{archive.server.url}/api/studies/{study}/measurements/", json=body, timeout=60)
    answer.raise_for_status()
    return str(answer.json()["uid"])


def test_the_newest_measurement_is_inserted_by_a_key_and_a_click_shows_its_view(
    browse: Callable[..., Page], archive: Archive, writer: Writer
) -> None:
    page = viewer(browse(width=1920, height=1080), archive, writer)
    uid = measure(page, archive, writer.study)
    area(page, "findings").focus()
    page.keyboard.type("Nodule of")
    page.keyboard.press("F2")
    wait_for(page, "document.querySelector('[data-field=findings] .mirror .chip')")
    page.keyboard.type(" in the left lobe.")
    writer.holds("findings", f"Nodule of [[measurement:{uid}|50.0 mm]] in the left lobe.")
    assert page.locator("[data-field=findings] .linked").inner_text().startswith("lesion: 50.0 mm")
    chip = page.locator("[data-field=findings] .mirror .chip")
    box = chip.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    wait_for(page, "farview.viewports[0].exact && farview.viewports[0].lastHeader.view.window_width === 500")
    assert page.evaluate("farview.viewports[0].lastHeader.view.sop_instance_uid") == f"{writer.study}.1.1"


def test_a_key_image_is_chosen_from_the_list_by_keys_alone(
    browse: Callable[..., Page], archive: Archive, writer: Writer
) -> None:
    page = viewer(browse(width=1920, height=1080), archive, writer)
    page.locator(".pane").first.click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("k")
    wait_for(page, "farview.features.keyImages.images.length === 1 && !farview.features.keyImages.marking")
    (uid,) = page.evaluate("farview.features.keyImages.images.map((one) => one.uid)")
    area(page, "impression").focus()
    page.keyboard.type("See")
    page.keyboard.press("F4")
    page.locator("dialog.picker .offer").first.wait_for()
    assert page.locator("dialog.picker .offer img").first.evaluate(
        "(image) => image.decode().then(() => image.naturalWidth > 0)"
    )
    page.keyboard.type("image")
    page.keyboard.press("Enter")
    writer.holds("impression", f"See [[key_image:{uid}|image 2, series 1]]")
    page.keyboard.type(".")
    writer.holds("impression", f"See [[key_image:{uid}|image 2, series 1]].")
    page.locator(".pane").first.click()
    page.keyboard.press("Home")
    wait_for(page, "farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === 0")
    area(page, "impression").focus()
    page.keyboard.press("Control+End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Alt+Enter")
    wait_for(page, "farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === 1")
    saved(page)


def test_a_measurement_that_changed_since_is_told_and_taken_by_a_press(
    browse: Callable[..., Page], archive: Archive, writer: Writer
) -> None:
    uid = measure(browse(), archive, writer.study)
    writer.put({"based_on": writer.told["version"], "content": {"findings": f"[[measurement:{uid}|49.0 mm]]"}})
    writer.release()
    page = writer.open(browse())
    take = page.get_by_role("button", name="measured now: 50.0 mm. Take it")
    take.click()
    writer.holds("findings", f"[[measurement:{uid}|50.0 mm]]")
    assert not take.count()


# --- macros


def test_macros_are_made_of_a_selection_put_in_changed_and_deleted_by_keys(alone: Page, writer: Writer) -> None:
    keys, findings = alone.keyboard, area(alone, "findings")
    findings.focus()
    keys.press("Shift+F7")
    wait_for(alone, "document.querySelector('#said').textContent.includes('Select the text')")
    keys.type("The heart is not enlarged.")
    keys.press("Control+a")
    keys.press("Shift+F7")
    form = alone.locator("dialog.asking")
    assert form.get_by_label("Text").input_value() == "The heart is not enlarged."
    assert not form.get_by_label("For whom").count(), "only who administers a site makes macros for it"
    keys.type("x y")
    keys.press("Enter")
    form.locator("[role=alert]", has_text="shortcut").wait_for()
    form.get_by_label("Shortcut").fill(".heart")
    keys.press("Enter")
    form.wait_for(state="detached")
    alone.locator("dialog.macros").wait_for(state="detached")
    wait_for(alone, "document.activeElement.closest('[data-field]')?.dataset.field === 'findings'")
    keys.press("Control+End")
    keys.type(" Again: .heart ")
    assert findings.input_value() == "The heart is not enlarged. Again: The heart is not enlarged.", (
        "at once, by typing"
    )

    keys.press("F7")
    dialog = alone.locator("dialog.macros")
    keys.type("enlarg")
    row = dialog.locator('[data-macro=".heart"]')
    assert dialog.locator(".macro-row").count() == 1
    row.get_by_role("button", name="Change… .heart").click()
    form.get_by_label("Shortcut").fill(".cor")
    form.get_by_label("Text").fill("Heart enlarged by [ ] cm.")
    form.get_by_role("button", name="Keep").click()
    row = dialog.locator('[data-macro=".cor"]')
    row.wait_for()
    assert not dialog.locator('[data-macro=".heart"]').count(), "renamed, not doubled"
    dialog.get_by_role("searchbox").focus()
    keys.press("ArrowDown")
    keys.press("Enter")
    dialog.wait_for(state="detached")
    keys.type("3")
    writer.holds("findings", "The heart is not enlarged. Again: The heart is not enlarged.Heart enlarged by 3 cm.")

    keys.press("F7")
    dialog.get_by_role("button", name="Delete .cor").click()
    dialog.get_by_role("button", name="Put it back .cor").wait_for()
    assert dialog.locator(".template-row").is_disabled()
    keys.press("Escape")
    keys.press("Control+End")
    keys.type(" .cor ")
    assert findings.input_value().endswith(" .cor "), "it stands for nothing any more"
    assert not writer.archive.get("/api/macros/").json()["macros"]
