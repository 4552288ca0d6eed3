"""How studies hang for a reader: protocol, stages, priors beside the current study, mammograms back to back, layouts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocket

from tests.browser import patients
from tests.browser.conftest import Archive, sign_in
from tests.chromium import wait_for

STILL = (
    "window.farview && farview.viewports.length && farview.viewports.every((one) => one.state === 'empty' || one.exact)"
)
HANGING = "farview.features.hanging"


@pytest.fixture(scope="module")
def people(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    folder = tmp_path_factory.mktemp("hanging")
    patients.write_all(folder)
    for part in ("1", "2"):
        archive.server.manage("ingest", folder / part)
    return archive


@pytest.fixture
def hung(browse: Callable[..., Page], people: Archive) -> Callable[..., Page]:
    """Opens a study and waits until every viewport stands still."""

    def open_study(study: patients.Study, page: Page | None = None, **options: Any) -> Page:
        page = page or browse(**{"width": 1600, "height": 1000, **options})
        page.goto(f"{people.server.url}/studies/{study.uid}/")
        wait_for(page, STILL)
        return page

    return open_study


def overlays(page: Page) -> list[dict[str, str]]:
    """Of every pane: whose study it says it is, its mark, name and accession."""
    found: list[dict[str, str]] = page.evaluate(
        """() => [...document.querySelectorAll(".panes .pane")].map((pane) => ({
          study: pane.querySelector(".overlay").dataset.study ?? "",
          mark: pane.querySelector(".whose").textContent,
          left: pane.querySelector(".corner.top-left").innerText,
          right: pane.querySelector(".corner.top-right").innerText,
        }))"""
    )
    return found


def test_a_study_opens_beside_its_prior_and_the_prior_cannot_be_mistaken(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    assert page.evaluate(f"[farview.layout.name, {HANGING}.studies]") == [
        "1x2", [str(patients.CT_NOW.uid), str(patients.CT_BEFORE.uid)],
    ]  # fmt: skip
    now, before = overlays(page)
    assert (now["study"], now["mark"]) == ("current", "")
    assert (before["study"], before["mark"]) == ("prior", "PRIOR 2026-01-16")
    assert "H-CT-2" in now["right"]
    assert "H-CT-1" in before["right"]
    assert "Hanging, Hans" in now["left"]
    assert "Hanging, Hans" in before["left"]
    for _ in range(2):  # texts: minimal, none
        page.keyboard.press("a")
    marks = page.evaluate("""[...document.querySelectorAll(".pane")].map((pane) => [".whose", ".top-left .rank0"]
      .map((one) => pane.querySelector(one).offsetParent !== null && pane.querySelector(one).innerText))""")
    assert marks == [[False, False], ["PRIOR 2026-01-16", "Hanging, Hans"]], (
        "the prior says whose it is also without texts"
    )
    page.keyboard.press("a")


def test_the_first_picture_waits_for_nothing_else(browse: Callable[..., Page], people: Archive) -> None:
    """OHIF/Viewers#3480: the first image came after 13 to 35 s."""
    page = browse(width=1600, height=1000)
    asked: list[str] = []
    said: list[str] = []

    def listen(socket: WebSocket) -> None:
        if "viewer" in socket.url:
            socket.on("framesent", lambda text: said.append("open" if "series.open" in str(text) else ""))
            socket.on("framereceived", lambda data: said.append("picture" if isinstance(data, bytes) else ""))

    page.on("websocket", listen)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{people.server.url}/studies/{patients.CT_NOW.uid}/")
    wait_for(page, STILL)
    assert not [one for one in asked if "/api/" in one and "thumbnail" not in one and "hanging" in one]
    order = [one for one in said if one]
    assert order[:2] == ["open", "picture"], "the second viewport is opened after the first picture"
    assert order.count("open") == 2


def test_scrolling_is_linked_where_the_protocol_says_so(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    wait_for(page, "farview.features.linking.scroll")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    wait_for(page, f"{STILL} && farview.viewports[0].lastHeader.view.frame === 3")
    assert page.evaluate("farview.viewports[1].lastHeader.view.frame") == 3, (
        "both are 5 mm apart, from their first images on"
    )
    page.keyboard.press(".")
    wait_for(page, f"{STILL} && !farview.features.linking.scroll")


def test_stages_come_and_go_by_key_and_are_named(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    stages = page.evaluate(f"{HANGING}.stages")
    assert stages[:3] == ["With prior", "Current", "Soft tissue and lung"]
    assert page.locator(".stagename").inner_text() == f"1/{len(stages)} With prior"
    page.keyboard.press(".")
    wait_for(page, f"{STILL} && farview.layout.name === '1x1'")
    page.keyboard.press(".")
    wait_for(page, f"{STILL} && farview.layout.name === '1x2'")
    windows = page.evaluate(
        "farview.viewports.map(({ lastHeader: { view } }) => [view.window_center, view.window_width])"
    )
    assert windows == [[40, 400], [-600, 1500]]
    assert page.locator(".stagename").inner_text() == f"3/{len(stages)} Soft tissue and lung"
    for _ in range(3):
        page.keyboard.press(",")
    wait_for(page, f"{STILL} && {HANGING}.stage === {len(stages) - 1}")


def test_current_beside_prior_at_one_key_and_back(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    page.keyboard.press("Shift+P")
    wait_for(page, f"{STILL} && farview.layout.name === '1x1'")
    page.keyboard.press("Shift+P")
    wait_for(page, f"{STILL} && farview.layout.name === '1x2'")
    page.keyboard.press(".")
    wait_for(page, f"{STILL} && farview.layout.name === '1x1'")
    page.keyboard.press("2")
    wait_for(page, STILL)
    window = page.evaluate("farview.viewports[0].lastHeader.view.window_width")
    page.keyboard.press("Shift+P")
    wait_for(page, f"{STILL} && {HANGING}.comparing")
    assert page.evaluate(f"{HANGING}.studies[1]") == str(patients.CT_BEFORE.uid)
    assert page.evaluate("farview.viewports.map((one) => one.lastHeader.view.window_width)") == [window, window]
    page.keyboard.press("Shift+P")
    wait_for(page, f"{STILL} && farview.layout.name === '1x1' && !{HANGING}.comparing")


def test_priors_are_folded_in_the_strip_and_dragged_from_there(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    page.keyboard.press(".")
    wait_for(page, f"{STILL} && farview.layout.name === '1x1'")
    fold = page.locator(".fold")
    assert fold.count() == 1
    assert fold.inner_text().split("\n") == ["2026-01-16", "8 months before", "CT chest"]
    assert page.locator(".besides .tile:visible").count() == 0
    fold.click()
    tile = page.locator(".besides .tile:visible")
    assert tile.count() == 1
    page.keyboard.press("Escape")
    assert tile.count() == 1, "Escape closes menus, not the strip"
    tile.drag_to(page.locator(".pane").first)
    wait_for(page, f"{STILL} && {HANGING}.studies[0] === '{patients.CT_BEFORE.uid}'")
    assert overlays(page)[0]["mark"] == "PRIOR 2026-01-16"
    assert tile.get_attribute("aria-current") == "true"
    page.keyboard.press("PageDown")
    page.wait_for_timeout(200)
    assert page.evaluate(f"{HANGING}.studies[0]") == str(patients.CT_BEFORE.uid), (
        "the next series is one of the same study"
    )


def test_a_study_of_somebody_else_under_the_same_number_is_said_and_never_laid_beside(
    hung: Callable[..., Page],
) -> None:
    page = hung(patients.CT_NOW)
    refused = page.locator(".refused")
    assert refused.count() == 1
    assert "Not taken as prior" in refused.inner_text()
    assert "another patient's name: Other Otto instead of Hanging Hans" in refused.inner_text()
    assert str(patients.CT_OF_ANOTHER.uid) not in page.evaluate(f"JSON.stringify({HANGING})")
    page = hung(patients.CT_OF_ANOTHER, page)
    assert page.locator(".fold").count() == 0
    assert page.locator(".refused").count() == 2
    page.keyboard.press("Shift+P")
    assert "No prior to compare with" in page.locator(".passing").inner_text()


def edge_brightness(page: Page, viewport: int, side: str) -> float:
    """Mean grey of the outermost columns of a pane, at half its height."""
    value: float = page.evaluate(
        """([index, side]) => {
          const { canvas } = farview.viewports[index];
          const left = side === "left" ? 1 : canvas.width - 5;
          const { data } = canvas.getContext("2d").getImageData(left, Math.round(canvas.height / 2) - 4, 4, 8);
          let sum = 0;
          for (let at = 0; at < data.length; at += 4) sum += data[at];
          return sum / (data.length / 4);
        }""",
        [viewport, side],
    )
    return value


def letter(page: Page, viewport: int, side: str) -> str:
    return page.locator(".pane").nth(viewport).locator(f".letter.{side}").inner_text()


def test_mammograms_hang_with_their_chest_walls_back_to_back(hung: Callable[..., Page]) -> None:
    page = hung(patients.MG_NOW)
    assert page.evaluate("farview.layout.name") == "2x2"
    for number, (wall, away, top) in enumerate(
        [("right", "left", "R"), ("left", "right", "L"), ("right", "left", "HR"), ("left", "right", "HL")]
    ):
        assert (letter(page, number, wall), letter(page, number, away), letter(page, number, "top")) == ("P", "A", top)
        assert edge_brightness(page, number, wall) > 150, "tissue reaches the edge where the walls meet"
        assert edge_brightness(page, number, away) < 10


def test_cc_hangs_over_the_prior_cc_though_that_was_stored_upside_down(hung: Callable[..., Page]) -> None:
    page = hung(patients.MG_NOW)
    page.keyboard.press(".")
    wait_for(page, f"{STILL} && {HANGING}.stage === 1")
    assert [one["mark"] for one in overlays(page)] == ["", "", "PRIOR 2024-08-15", "PRIOR 2024-08-15"]
    for number, (wall, top) in enumerate([("right", "R"), ("left", "L")] * 2):
        assert (letter(page, number, wall), letter(page, number, "top")) == ("P", top)
        assert edge_brightness(page, number, wall) > 150
    # the walls still meet in a pane of another size, and after the reader turned it and reset
    page.set_viewport_size({"width": 1300, "height": 900})
    page.wait_for_timeout(400)
    wait_for(page, STILL)
    assert edge_brightness(page, 2, "right") > 150
    page.keyboard.press("h")
    wait_for(page, STILL)
    page.keyboard.press(" ")
    wait_for(page, STILL)
    assert edge_brightness(page, 0, "right") > 150
    assert letter(page, 0, "right") == "P"


def test_a_layout_is_picked_in_a_grid_by_mouse_and_by_keys(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    page.get_by_role("button", name="Layout", exact=True).click()
    page.get_by_role("menuitemradio", name="3 × 4").hover()
    assert page.locator(".picker .cell[data-in]").count() == 12
    page.get_by_role("menuitemradio", name="3 × 4").click()
    assert page.locator(".pane").count() == 12
    page.get_by_role("button", name="Layout", exact=True).press("Enter")
    for key in ("ArrowDown", "ArrowLeft", "ArrowLeft", "Enter"):  # from 3 x 4
        page.keyboard.press(key)
    assert page.evaluate("farview.layout.name") == "4x2"


def test_sixteen_viewports_of_one_series_are_opened_a_few_at_a_time(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    page.get_by_role("button", name="Layout", exact=True).click()
    page.get_by_role("menuitemradio", name="4 × 4").click()
    for number in range(2, 16):
        page.locator(".strip .tile").first.drag_to(page.locator(".pane").nth(number))
    wait_for(page, f"{STILL} && farview.viewports.every((one) => one.state === 'shown')")
    waiting = """() => new Promise((done) => {
      const most = { opening: 0 };
      const look = () => {
        const busy = farview.viewports.filter((one) => one.timing.asked && !one.timing.painted).length;
        most.opening = Math.max(most.opening, busy);
        if (farview.viewports.length === 16 && farview.viewports.every((one) => one.exact)) done(most.opening);
        else requestAnimationFrame(look);
      };
      look();
    })"""
    page.keyboard.press("Shift+P")  # the current one alone, and back to all sixteen
    wait_for(page, f"{STILL} && farview.layout.name === '1x1'")
    page.keyboard.press("Shift+P")
    assert page.evaluate(waiting) <= 3
    page.locator(".pane .stage").nth(5).dblclick()
    wait_for(page, "farview.layout.maximised && farview.viewports[5].exact")
    assert page.locator(".pane:visible").count() == 1


def test_another_protocol_is_remembered_for_studies_of_this_kind(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW)
    page.get_by_role("button", name="Layout", exact=True).click()
    with page.expect_response("**/api/me/settings/"):
        page.get_by_role("menuitem", name="Default").click()
    wait_for(page, f"{STILL} && {HANGING}.protocol.name === 'Default'")
    page = hung(patients.CT_NOW, page)
    assert page.evaluate(f"[{HANGING}.protocol.name, {HANGING}.protocol.chosen]") == ["Default", True]
    page.get_by_role("button", name="Layout", exact=True).click()
    page.get_by_role("menuitem", name="The one that suits best").click()
    wait_for(page, f"{STILL} && {HANGING}.protocol.name === 'CT chest'")
    page = hung(patients.CT_NOW, page)
    assert page.evaluate(f"[{HANGING}.protocol.name, {HANGING}.protocol.chosen]") == ["CT chest", False]


def test_on_a_phone_every_viewport_is_a_page(hung: Callable[..., Page]) -> None:
    page = hung(patients.CT_NOW, width=390, height=844, has_touch=True)
    assert page.evaluate("farview.layout.name") == "1x1"
    assert page.evaluate(f"{HANGING}.stages.slice(0, 2)") == ["With prior, 1 of 2", "With prior, 2 of 2"]
    page.locator(".stagebox button").nth(1).tap()
    wait_for(page, f"{STILL} && {HANGING}.stage === 1")
    assert overlays(page)[0]["mark"] == "PRIOR 2026-01-16"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_administrator_saves_the_layout_and_the_next_study_of_the_kind_hangs_by_it(
    chromium: Browser, people: Archive, hung: Callable[..., Page], tmp_path: Path
) -> None:
    name, password = "hanging-boss", "a-long-enough-password-1"
    arguments = ("add_user", name, "--role", "radiologist", "--role", "admin", "--password-stdin")
    people.server.manage(*arguments, input=password)
    context = chromium.new_context(viewport={"width": 1600, "height": 1000})
    page = context.new_page()
    sign_in(page, people.server.url + "/", name, password)
    page.goto(f"{people.server.url}/studies/{patients.MG_NOW.uid}/")
    wait_for(page, STILL)
    page.keyboard.press(".")
    wait_for(page, f"{STILL} && {HANGING}.stage === 1")
    page.get_by_role("button", name="Layout", exact=True).click()
    page.get_by_role("menuitem", name="Save this layout").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Part of the body").fill("nose tip")
    dialog.get_by_role("button", name="Save").click()
    problem = dialog.locator(".wrong li").first
    problem.wait_for()
    assert "'nose tip' is no part of the body known here" in problem.inner_text()
    dialog.get_by_label("Part of the body").fill("breast")
    dialog.get_by_label("Name of the protocol").fill("Ours")
    dialog.get_by_label("Name of this stage").fill("CC, now and before")
    dialog.get_by_role("button", name="Save").click()
    wait_for(page, f"{HANGING}.protocol.name === 'Ours'")
    page.reload()
    wait_for(page, STILL)
    assert page.evaluate(f"[{HANGING}.protocol.name, {HANGING}.stages, farview.layout.name]") == [
        "Ours", ["CC, now and before"], "2x2",
    ]  # fmt: skip
    assert [one["mark"] for one in overlays(page)] == ["", "", "PRIOR 2024-08-15", "PRIOR 2024-08-15"]
    sides = page.evaluate(
        "farview.viewports.map(({ lastHeader: { labels } }) => labels.laterality + labels.view_position)"
    )
    assert sides == ["RCC", "LCC", "RCC", "LCC"]
    page.get_by_role("button", name="Layout", exact=True).click()
    page.get_by_role("menuitem", name="One viewport").or_(
        page.get_by_role("menuitemradio", name="One viewport")
    ).click()
    wait_for(page, STILL)
    page.get_by_role("button", name="Layout", exact=True).click()
    page.get_by_role("menuitem", name="Save this layout").click()
    dialog.get_by_label("Save as").select_option(label="A stage more of “Ours” (1)")
    assert dialog.get_by_label("Name of the protocol").is_hidden(), "it keeps its name, and for which studies it is"
    dialog.get_by_label("Name of this stage").fill("One alone")
    dialog.get_by_role("button", name="Save").click()
    wait_for(page, f"{HANGING}.stages?.length === 2")
    assert page.evaluate(f"[{HANGING}.protocol.name, {HANGING}.stages]") == [
        "Ours",
        ["CC, now and before", "One alone"],
    ]
    context.close()
    reader = hung(patients.MG_NOW)
    reader.get_by_role("button", name="Layout", exact=True).click()
    assert reader.get_by_role("menuitem", name="Save this layout").count() == 0, "not for those who administer nothing"
