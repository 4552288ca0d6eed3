"""Fields of a template on the page: every type, by keyboard alone, with what is hidden, needed, filled and measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Archive
from tests.browser.made import Made
from tests.browser.reporting.test_report_text import measure
from tests.browser.reporting.writing import Writer, area, at_end, field, put_in_use, saved
from tests.chromium import wait_for

SIDES = [{"value": "L", "label": "left", "codes": []}, {"value": "R", "label": "right", "codes": []}]
MANY = [{"value": str(number), "label": f"grade {number}", "codes": []} for number in range(8)]
NEEDED = {"required": True, "completion": "PROHIBIT"}
SCHEMA = {
    "title": "Test of fields",
    "language": "en",
    "sections": [
        {"id": "clinical", "title": "Clinical information", "level": 1, "required": False, "code": None, "fields": [
            field("clinical", "merge", label="Clinical information", merge="study.description"),
        ]},
        {"id": "findings", "title": "Findings", "level": 1, "required": True,
         "code": {"value": "59776-5", "scheme": "LN", "meaning": "Findings"}, "fields": [
            field("lungs", default="Lungs clear. Size [ ] mm, side ***."),
            field("size", "number", units="mm", minimum=0, maximum=200),
            field("side", "selection", options=SIDES, **NEEDED),
            field("why", "text", show_if={"field": "side", "op": "=", "value": "R"}),
            field("grade", "selection", options=MANY),
            field("signs", "selection", options=SIDES, multiple=True),
            field("seen_on", "date"),
            field("seen_at", "time"),
            field("contrast", "checkbox"),
            field("device", "text", suggestions=["Scanner one", "Scanner two"]),
        ]},
        {"id": "impression", "title": "Impression", "level": 1, "required": True,
         "code": {"value": "19005-8", "scheme": "LN", "meaning": "Impression"}, "fields": [
            field("impression", label="Impression", **NEEDED),
        ]},
    ],
}  # fmt: skip


@pytest.fixture
def writer(archive: Archive, made: Made) -> Writer:
    return Writer(archive, made.study, put_in_use(archive, SCHEMA, "test-of-fields"))


def row(page: Page, name: str) -> Any:
    return page.locator(f'[data-field="{name}"]')


def focused(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.closest('[data-field]')?.dataset.field ?? ''")
    return found


def test_every_type_is_filled_by_keyboard_and_held_as_what_it_is(alone: Page, writer: Writer) -> None:
    keys = alone.keyboard
    row(alone, "size").locator("input").focus()
    keys.type("12,5")
    keys.press("F8")
    assert focused(alone) == "side"
    keys.press("ArrowDown")
    keys.press("F8")
    assert focused(alone) == "why", "what the choice has brought into sight comes next"
    keys.type("operated")
    keys.press("F8")
    keys.type("grade 6")
    keys.press("F8")
    keys.press("Space")
    keys.press("Tab")
    keys.press("Space")
    keys.press("F8")
    keys.type("01312024")
    keys.press("F8")
    keys.type("0215PM")
    keys.press("F8")
    keys.press("Space")
    keys.press("F8")
    keys.type("Scanner one")
    keys.press("Shift+F8")
    assert focused(alone) == "contrast"
    writer.holds("device", "Scanner one")
    held = writer.content
    names = ("size", "side", "why", "grade", "signs", "seen_on", "seen_at", "contrast")
    assert {name: held.get(name) for name in names} == {
        **{"size": 12.5, "side": "R", "why": "operated", "grade": "6", "signs": ["L", "R"]},
        **{"seen_on": "2024-01-31", "seen_at": "14:15", "contrast": True},
    }
    assert writer.told["fills"]["size"] == "touched"


def test_a_field_comes_and_goes_with_what_it_depends_on_and_keeps_its_words(alone: Page, writer: Writer) -> None:
    assert not row(alone, "why").is_visible()
    row(alone, "side").get_by_label("right").check()
    assert row(alone, "why").is_visible()
    area(alone, "why").fill("because")
    row(alone, "side").get_by_label("left").check()
    assert not row(alone, "why").is_visible()
    row(alone, "side").get_by_label("right").check()
    assert area(alone, "why").input_value() == "because"
    writer.holds("why", "because")


def test_how_a_field_was_filled_is_shown_and_remembered(alone: Page, writer: Writer) -> None:
    told = writer.told
    assert told["fills"] == {"clinical": "merged", "lungs": "default"}
    assert area(alone, "clinical").input_value() == "Chest"
    head = alone.locator('[data-section="clinical"] .fill')
    assert head.inner_text() == "from the record"
    assert row(alone, "lungs").locator(".fill").inner_text() == "template text"
    row(alone, "lungs").locator(".fill").click()
    assert not row(alone, "lungs").locator(".fill").is_visible(), "it was read: nobody need be reminded"
    at_end(alone, "clinical")
    alone.keyboard.type(" pain")
    writer.holds("clinical", "Chest pain")
    assert not head.is_visible()
    saved(alone)
    assert writer.told["fills"] == {"clinical": "touched", "lungs": "touched"}


def test_a_number_that_is_none_or_out_of_range_is_said_at_once(alone: Page, writer: Writer) -> None:
    entry = row(alone, "size").locator("input")
    entry.fill("twelve")
    assert "no number" in row(alone, "size").locator(".about").inner_text()
    assert "size" not in writer.content
    entry.fill("500")
    assert "Outside 0 to 200" in row(alone, "size").locator(".about").inner_text()
    writer.holds("size", 500)
    entry.fill("12 mm")
    writer.holds("size", 12)
    entry.fill("")
    writer.holds("size", None)


def test_places_that_wait_are_gone_through_by_key_and_typing_fills_them(alone: Page, writer: Writer) -> None:
    alone.locator("#report-text").evaluate("(sheet) => sheet.querySelector('textarea').focus()")
    keys = alone.keyboard
    assert alone.get_by_role("button", name="Next place to fill: 3 left").is_visible()
    keys.press("F9")
    keys.type("12")
    keys.press("F9")
    keys.type("left")
    writer.holds("lungs", "Lungs clear. Size 12 mm, side left.")
    keys.press("F9")
    assert focused(alone) == "side"
    keys.press("ArrowUp")
    keys.press("F9")
    assert focused(alone) == "impression"
    keys.press("Shift+F9")
    assert focused(alone) == "impression", "nothing else waits"
    keys.type("Done.")
    assert alone.get_by_role("button", name="Nothing waits to be filled").is_visible()
    assert row(alone, "lungs").locator(".mirror .place").count() == 0


def test_a_measurement_goes_into_a_number_in_the_fields_unit(alone: Page, archive: Archive, writer: Writer) -> None:
    measure(alone, archive, writer.study)
    row(alone, "size").locator("input").focus()
    alone.keyboard.press("F2")
    writer.holds("size", 50)
    assert row(alone, "size").locator(".fill").inner_text() == "measured"
    assert writer.told["fills"]["size"] == "measured"


def test_the_choice_of_one_can_be_taken_back(alone: Page, writer: Writer) -> None:
    row(alone, "side").get_by_label("left").check()
    writer.holds("side", "L")
    alone.keyboard.press("Delete")
    writer.holds("side", "")


def test_screen_readers_hear_names_units_and_what_is_needed(alone: Page) -> None:
    assert alone.get_by_role("textbox", name="Impression").get_attribute("aria-required") == "true"
    assert alone.get_by_role("textbox", name="Size").count() == 1
    assert alone.get_by_role("radiogroup", name="Side").count() == 1
    assert alone.get_by_role("group", name="Signs").count() == 1
    assert alone.get_by_role("combobox", name="Grade").count() == 1
    assert alone.get_by_role("checkbox", name="Contrast").count() == 1
    assert alone.get_by_role("heading", name="Findings", level=2).count() == 1


def test_a_macro_is_written_out_after_its_shortcut_and_undo_leaves_the_shortcut(
    browse: Callable[..., Page], archive: Archive, writer: Writer
) -> None:
    for shortcut, text in ((".nl", "Liver normal, {.sz}."), (".sz", "size [ ] cm, ***")):
        body = {"shortcut": shortcut, "text": text}
        archive.session.post(f"{archive.server.url}/api/macros/", json=body, timeout=30).raise_for_status()
    page = writer.open(browse())
    page.wait_for_load_state("networkidle")
    at_end(page, "impression")
    page.keyboard.type("First .nl ")
    page.keyboard.type("14")
    writer.holds("impression", "First Liver normal, size 14 cm, ***.")
    page.keyboard.press("F9")
    page.keyboard.type("smooth")
    writer.holds("impression", "First Liver normal, size 14 cm, smooth.")
    page.keyboard.press("Control+End")
    page.keyboard.type(" x.nl y .sz ")
    assert area(page, "impression").input_value().endswith(" x.nl y size [ ] cm, ***"), "only a word of its own"
    page.keyboard.press("Control+z")
    assert area(page, "impression").input_value().endswith(" x.nl y .sz")
    page.keyboard.press("Control+End")
    page.keyboard.type(" z")
    writer.holds("impression", "First Liver normal, size 14 cm, smooth. x.nl y .sz z")


def test_another_template_keeps_what_fits_and_lists_what_does_not(alone: Page, writer: Writer) -> None:
    at_end(alone, "impression")
    alone.keyboard.type("Stays.")
    row(alone, "size").locator("input").fill("7")
    alone.locator(".template-name").click()
    dialog = alone.locator("dialog.templates")
    assert "in use" in dialog.locator("[aria-current=true]").inner_text()
    dialog.get_by_role("searchbox").fill("free")
    dialog.locator(".template-row", has_text="Free text").click()
    wait_for(alone, "document.querySelector('.template-name').textContent.includes('Free text')")
    assert area(alone, "impression").input_value() == "Stays."
    left = alone.locator('[data-notice="left-over"]')
    left.locator("summary").click()
    assert "7" in left.inner_text()
    at_end(alone, "findings")
    alone.keyboard.type("Goes on.")
    value = area(alone, "findings").input_value()
    assert value.endswith("Goes on.")
    writer.holds("findings", value)
    assert writer.told["template"]["identifier"] == "free-text"
