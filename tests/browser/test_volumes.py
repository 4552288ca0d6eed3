"""The same real CT as a volume: other planes, slabs, turning, volume pictures, and the words that go with them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import CHEST, painted, stage, still
from tests.chromium import wait_for

TILTED = "series/ct_head_gantry_tilt_ge_jpll"
RADIOGRAPH = "xray/MG_GH133_3062x2394.dcm"


def menu(page: Page) -> Locator:
    """Opens the menu of planes, slabs and volumes."""
    page.get_by_role("button", name="Planes, slabs, volume").click()
    return page.get_by_role("menu", name="Planes, slabs, volume")


def choose(page: Page, name: str, seconds: float = 60.0) -> dict:
    """Chooses from that menu and waits for the exact picture; its header."""
    menu(page).get_by_role("menuitemradio", name=re.compile(f"^{name}")).click()
    wait_for(page, "farview.viewports[0].exact", seconds)
    return still(page)


def corner(page: Page) -> list[str]:
    return page.locator(".corner.bottom-left").inner_text().splitlines()


def letters(page: Page) -> str:
    """Clockwise from the top."""
    return " ".join(page.locator(f".letter.{side}").inner_text() for side in ("top", "right", "bottom", "left"))


def dot(one: list[float], other: list[float]) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_another_plane_is_a_reformat_with_its_own_words_and_letters(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    header = choose(page, "Coronal")
    assert header["sampling"] == "reformatted"
    assert letters(page) == "H L F R"
    assert corner(page)[-1] == f"Coronal {header['depth']['index'] + 1}/512"
    have = painted(page)
    assert have["sha256"] == header["sha256"]
    assert "place 257 of 512" in str(page.locator(".slider").first.get_attribute("aria-valuetext"))
    choose(page, "Sagittal")
    assert letters(page) == "H P F A"
    assert page.locator(".ruler").inner_text().strip() == "5 cm", "millimetres of a volume need no remark"


def test_the_wheel_goes_along_the_normal_and_the_way_back_finds_the_image(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    for _ in range(40):
        page.mouse.wheel(0, 120)
    wait_for(page, "farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === 40")
    before = choose(page, "Coronal")
    page.mouse.move(middle["x"], middle["y"])
    for _ in range(25):
        page.mouse.wheel(0, 120)
    after = still(page)
    assert after["depth"]["index"] == before["depth"]["index"] + 25
    moved = [b - a for a, b in zip(before["view"]["center"], after["view"]["center"], strict=True)]
    assert dot(moved, after["depth"]["direction"]) == pytest.approx(25 * after["depth"]["step"])
    page.keyboard.press("End")
    wait_for(page, "farview.viewports[0].lastHeader.depth.index === 511 && farview.viewports[0].exact")
    assert choose(page, "As acquired")["view"]["frame"] == 40
    assert choose(page, "Coronal")["depth"]["index"] == 511, "each direction keeps its place"


def test_a_slab_by_keys_and_by_menu(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    page.keyboard.press("]")
    wait_for(page, "farview.viewports[0].lastHeader.view.projection === 'mip' && farview.viewports[0].exact", 60)
    header = still(page)
    assert (header["view"]["plane"], header["view"]["slab_thickness"]) == ("acquired", 5)
    assert corner(page)[0] == "MIP 5 mm"
    assert choose(page, "20 mm")["view"]["slab_thickness"] == 20
    page.keyboard.press("y")
    assert still(page)["view"]["projection"] == "minip"
    page.keyboard.press("x")
    view = still(page)["view"]
    assert (view["plane"], view["projection"], view["slab_thickness"]) == ("axial", "minip", 20)
    assert choose(page, "Slice")["view"]["projection"] == "slice"


def test_a_rotating_mip_follows_the_hand_and_gives_back_what_it_took(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    before = still(page)["view"]
    header = choose(page, "Rotating MIP")
    assert (header["view"]["plane"], header["view"]["slab_thickness"]) == ("coronal", "all")
    assert corner(page)[0] == "MIP of the whole volume"
    assert header["view"]["window_center"] == 480, "bone is the brightest in a body"
    assert page.locator(".slider").first.is_hidden()
    scale = header["geometry"]["pixel_spacing"]
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    page.mouse.down()
    page.mouse.move(middle["x"] + 225, middle["y"], steps=5)
    page.mouse.up()
    turned = still(page)
    assert letters(page) == "H A F P", "a quarter turn: the front went to the right"
    assert turned["geometry"]["pixel_spacing"] == pytest.approx(scale)
    page.mouse.wheel(0, -120)
    assert still(page)["geometry"]["pixel_spacing"][0] < scale[0], "the wheel goes nearer"
    page.keyboard.press("c")
    wait_for(page, "farview.viewports[0].cine?.due > 2")
    page.keyboard.press("c")
    page.keyboard.press(" ")
    assert still(page)["view"]["plane"] == "coronal"
    after = choose(page, "As acquired")["view"]
    for field in ("window_center", "window_width", "frame", "projection"):
        assert after[field] == before[field], field
    assert page.locator("#panes").get_attribute("data-tool") == "window"


def test_a_volume_picture_beside_slices_keeps_its_tool_to_itself(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    tool = page.locator("#panes")
    page.get_by_role("button", name="Layout").click()
    page.get_by_role("menuitemradio", name="1 × 2").click()
    page.locator(".pane").nth(1).locator(".stage").click(position={"x": 90, "y": 300})
    page.locator(".tile").first.click()
    wait_for(page, "farview.viewports[1].exact", 60)
    menu(page).get_by_role("menuitemradio", name="Rotating MIP").click()
    assert tool.get_attribute("data-tool") == "turn"
    page.keyboard.press("ArrowLeft")
    assert tool.get_attribute("data-tool") == "window", "a drag on the slices does what it did"
    page.keyboard.press("ArrowRight")
    assert tool.get_attribute("data-tool") == "turn"
    page.keyboard.press("w")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    assert tool.get_attribute("data-tool") == "window", "what the reader chose stays"
    wait_for(page, "farview.viewports[1].exact", 60)


def test_cancel_takes_the_picture_and_the_tool_back(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    before = still(page)["view"]
    menu(page).get_by_role("menuitemradio", name="Bone").click()
    assert page.locator("#panes").get_attribute("data-tool") == "turn"
    page.evaluate("document.querySelector('.loading button').click()")
    after = still(page)["view"]
    assert [after[field] for field in ("plane", "projection", "frame")] == [
        before[field] for field in ("plane", "projection", "frame")
    ]
    assert page.locator("#panes").get_attribute("data-tool") == "window"


def test_reset_stays_at_the_place(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    choose(page, "Coronal")
    page.keyboard.press("Home")
    wait_for(page, "farview.viewports[0].lastHeader.depth.index === 0 && farview.viewports[0].exact")
    place = page.locator(".corner.bottom-right").get_by_text("Loc A").inner_text()
    page.keyboard.press("+")
    assert still(page)["view"]["zoom"] > 1
    page.keyboard.press(" ")
    header = still(page)
    assert (header["view"]["zoom"], header["depth"]["index"]) == (1, 0)
    assert page.locator(".corner.bottom-right").get_by_text("Loc A").inner_text() == place


def test_a_volume_picture_is_coloured_and_named(opened: Callable[..., Page]) -> None:
    page = opened(CHEST, width=420, height=420)
    header = choose(page, "Bone")
    assert (header["view"]["projection"], header["view"]["volume_preset"]) == ("volume", "bone")
    assert corner(page)[0] == "Volume, bone"
    have = painted(page)
    assert not have["grey"]
    assert have["sha256"] == header["sha256"]
    items = menu(page).get_by_role("menuitemradio")
    assert items.filter(has_text="Bone").get_attribute("aria-checked") == "true"
    page.keyboard.press("Escape")


def test_a_turned_slice_is_an_oblique_one_through_the_same_point(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    center = choose(page, "Axial")["view"]["center"]
    page.keyboard.press("u")
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    page.mouse.down()
    page.mouse.move(middle["x"], middle["y"] - 60, steps=4)
    page.mouse.up()
    header = still(page)
    assert header["view"]["center"] == pytest.approx(center)
    assert header["view"]["plane"]["row"] == pytest.approx([1, 0, 0])
    assert header["view"]["plane"]["column"][2] != 0
    assert re.fullmatch(r"Oblique \d+/\d+", corner(page)[-1])


def test_the_menu_is_walked_by_keys_alone(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    page.get_by_role("button", name="Planes, slabs, volume").focus()
    page.keyboard.press("Enter")
    assert page.locator(".choice:focus .what").inner_text() == "As acquired"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for(page, "farview.viewports[0].lastHeader.view.plane === 'coronal' && farview.viewports[0].exact", 60)


def test_what_is_shown_has_a_name_without_its_tick(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    assert menu(page).get_by_role("menuitemradio", name="As acquired", exact=True, checked=True).count() == 1


def test_the_words_of_four_small_panes_are_whole(opened: Callable[..., Page]) -> None:
    page = opened(CHEST, width=390, height=844)
    choose(page, "Coronal")
    page.evaluate("document.querySelector('[data-menu=layout] > .tool').click()")
    page.evaluate("document.querySelector('.picker [data-row=\\'2\\'][data-column=\\'2\\']').click()")
    wait_for(page, "farview.viewports[0].exact && farview.viewports[0].canvas.clientWidth < 200", 30)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".pane .bottom-left div")].filter((one) => one.scrollWidth > one.clientWidth)
          .map((one) => one.textContent)"""
    )
    assert cut == []


def test_a_tilted_stack_says_what_was_done_to_it(opened: Callable[..., Page]) -> None:
    page = opened(TILTED)
    choose(page, "Sagittal")
    page.locator(".warnings summary").click()
    assert re.search(r"tilt|lean", page.locator(".warnings ul").inner_text())


def test_what_makes_no_volume_says_why(opened: Callable[..., Page]) -> None:
    page = opened(RADIOGRAPH)
    said = menu(page).inner_text()
    assert said.startswith("This stack makes no volume")
    assert len(said.splitlines()) > 1
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    assert "makes no volume" in page.locator(".passing").inner_text()


@pytest.mark.parametrize("width", [390, 360])
def test_every_tool_is_in_reach_on_a_phone(opened: Callable[..., Page], width: int) -> None:
    page = opened(CHEST, width=width, height=780, has_touch=True, is_mobile=True)
    boxes = page.evaluate(
        """() => [...document.querySelectorAll(".toolbar .tool")].filter((one) => one.offsetParent).map((one) => {
          one.scrollIntoView();
          const { left, right } = one.getBoundingClientRect();
          return [one.ariaLabel, left, right];
        })"""
    )
    assert {"Turn", "More"} <= {name for name, _, _ in boxes}
    assert all(left >= -0.5 and right <= width + 0.5 for _, left, right in boxes), boxes
    page.evaluate("document.querySelector('.toolbar').scrollTo(0, 0)")
    page.get_by_role("button", name="More").click()
    assert page.get_by_role("menu", name="More").get_by_text("Reset the view").is_visible()
