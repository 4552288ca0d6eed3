"""Clips, subtraction and time in a real browser: the hand's way to each, and the pixels that come of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Archive, painted, stage, still
from tests.chromium import wait_for
from tests.viewer.dicom.making import image_dataset, write

XA = "cine/XA_rubo_96f_jpeg.dcm"
TIMES, SLICES, SIDE = 5, 6, 48
STUDY = "1.2.826.0.1.3680043.10.1577.4711"


def told(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("farview.features.cine")
    return found


def at_rest(page: Page, archive: Archive) -> dict[str, Any]:
    """The header of the exact picture; it is on the canvas, and the server draws the same over HTTP."""
    header = still(page)
    have = painted(page)
    assert have["sha256"] == header["sha256"]
    answer = archive.get(f"/api/series/{header['view']['series']}/frame", view=json.dumps(header["view"]))
    assert answer.headers["Farview-Sha256"] == header["sha256"]
    return header


def press(page: Page, key: str, times: int = 1) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def test_a_mask_is_subtracted_chosen_and_moved_by_keys(opened: Callable[..., Page], archive: Archive) -> None:
    page = opened(XA, width=700, height=700)
    press(page, "ArrowDown", 12)
    plain = at_rest(page, archive)
    assert plain["subtraction"] is None
    page.keyboard.press("Shift+S")
    wait_for(page, "farview.viewports[0].lastHeader.subtraction")
    header = at_rest(page, archive)
    assert header["subtraction"] == {"frames": [0], "shift": [0, 0], "logarithmic": True}
    assert header["view"]["window_center"] == 0
    assert page.get_by_role("button", name="Subtract", exact=True).get_attribute("aria-pressed") == "true"

    width = header["view"]["window_width"]
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    page.mouse.down()
    page.mouse.move(middle["x"] + 10, middle["y"])
    page.mouse.up()
    wait_for(page, f"farview.viewports[0].lastHeader.view.window_width > {width}")
    assert at_rest(page, archive)["view"]["window_width"] < 1.3 * width  # it begins where the difference was

    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Control+Shift+ArrowUp")
    wait_for(page, "farview.viewports[0].lastHeader.subtraction.shift[1] === -0.1")
    moved = at_rest(page, archive)
    assert moved["subtraction"]["shift"] == [1, -0.1]
    assert moved["sha256"] != header["sha256"]
    assert moved["view"]["frame"] == 12  # the arrows did nothing else

    page.keyboard.press("Shift+K")
    wait_for(page, "farview.viewports[0].lastHeader.subtraction.frames[0] === 12")
    page.get_by_role("button", name="Move the mask left").click()
    wait_for(page, "farview.viewports[0].lastHeader.subtraction.shift[0] === 0")
    press(page, "ArrowDown", 3)
    wait_for(page, "farview.viewports[0].lastHeader.view.frame === 15")
    assert at_rest(page, archive)["subtraction"] == {"frames": [12], "shift": [0, -0.1], "logarithmic": True}

    page.keyboard.press("Shift+S")
    wait_for(page, "!farview.viewports[0].lastHeader.subtraction")
    header = at_rest(page, archive)
    assert header["view"]["mask"] is None
    assert (header["view"]["window_center"], header["view"]["window_width"]) == (
        plain["view"]["window_center"],
        plain["view"]["window_width"],
    )


def test_a_clip_is_never_slowed_and_says_what_it_dropped(opened: Callable[..., Page]) -> None:
    """OHIF/Viewers#2939. Frame Time is 33 ms: time decides which frame is due, however slow the pictures are."""
    page = opened(XA, width=700, height=700)
    page.get_by_role("button", name="Play or stop").last.click()
    wait_for(page, "farview.viewports[0].cine?.due > 5")
    begun = page.evaluate("[performance.now(), farview.viewports[0].cine.due]")
    page.wait_for_timeout(3000)
    ended = page.evaluate("[performance.now(), farview.viewports[0].cine.due]")
    elapsed = (ended[0] - begun[0]) / 1000
    assert (ended[1] - begun[1]) / elapsed == pytest.approx(
        1000 / 33, rel=0.25
    )  # a busy machine looks at its clock late
    page.keyboard.press(">")
    assert told(page)["wanted"] == pytest.approx(1.5 * 1000 / 33)
    assert page.evaluate("farview.viewports[0].cine !== null")  # it goes on
    page.keyboard.press("<")
    page.get_by_role("button", name="Back and forth").click()
    assert told(page)["sweep"]
    page.keyboard.press("c")
    last = told(page)["last"]
    assert f"of {last['due']} dropped" in page.locator(".cinebar").inner_text()
    assert page.locator(".cinebar .rate").inner_text() == "30.3/s"


@pytest.fixture(scope="module")
def perfusion(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Five times at six places; the picture says which."""
    folder = tmp_path_factory.mktemp("perfusion")
    for time in range(TIMES):
        for place in range(SLICES):
            pixels = np.full((SIDE, SIDE), 10, np.uint16)
            pixels[8 * place : 8 * place + 6, :] = 100
            pixels[:, 8 * time : 8 * time + 6] += 50
            made = image_dataset(
                pixels, StudyInstanceUID=STUDY, SeriesInstanceUID=f"{STUDY}.1", Modality="MR", PatientID="4711",
                PatientName="Perfusion^Anna", FrameOfReferenceUID=f"{STUDY}.9", TemporalPositionIdentifier=time + 1,
                ImagePositionPatient=[0, 0, -5 * place], ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[1, 1],
                InstanceNumber=time * SLICES + place + 1,
            )  # fmt: skip
            write(folder / f"{time}-{place}.dcm", made)
    archive.server.manage("ingest", Path(folder))
    return STUDY


def test_time_is_gone_through_at_one_place_by_keys_wheel_and_slider(
    perfusion: str, browse: Callable[..., Page], archive: Archive
) -> None:
    page = browse(width=1500, height=1100)
    page.goto(f"{archive.server.url}/studies/{perfusion}/")
    wait_for(page, "window.farview && farview.viewports[0]?.exact")
    page.evaluate("document.querySelector('.pane').focus()")

    def shows(time: int, place: int = 3) -> dict[str, Any]:
        wait_for(page, f"farview.viewports[0].lastHeader.view.stack === {time} && farview.viewports[0].exact")
        header = at_rest(page, archive)
        assert header["view"]["frame"] == place
        assert header["labels"]["temporal_position"] == str(time + 1)
        return header

    press(page, "ArrowDown", 3)
    window = shows(0)["view"]["window_width"]
    assert told(page)["times"] == TIMES
    press(page, "}", 2)
    header = shows(2)
    assert header["view"]["window_width"] == window  # times are compared under one window
    assert "time 3" in page.locator(".pane").first.locator(".corner.bottom-right").inner_text()
    page.keyboard.press("{")
    shows(1)
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    page.keyboard.down("Shift")
    page.mouse.wheel(0, 100)
    page.keyboard.up("Shift")
    shows(2)
    slider = page.get_by_role("slider", name="Through time at this place")
    slider.focus()
    page.keyboard.press("End")
    shows(4)
    assert slider.get_attribute("aria-valuetext") == "time 5 (5 of 5)"
    page.keyboard.press("}")
    shows(4)  # the last one stays


def test_time_plays_at_one_place(perfusion: str, browse: Callable[..., Page], archive: Archive) -> None:
    page = browse(width=900, height=800)
    page.goto(f"{archive.server.url}/studies/{perfusion}/")
    wait_for(page, "window.farview && farview.viewports[0]?.exact")
    page.locator("[data-menu=cine] > button").click()
    page.get_by_role("menuitem", name="Play through time").click()
    page.evaluate("window.seen = new Set()")
    wait_for(page, "seen.add(farview.viewports[0].lastHeader.view.stack) && seen.size === 5")
    assert page.evaluate("farview.viewports[0].lastHeader.view.frame") == 0
    page.locator(".pane").first.focus()
    page.keyboard.press("c")
    assert page.evaluate("farview.viewports[0].cine") is None


def test_the_bar_can_be_put_away(opened: Callable[..., Page]) -> None:
    page = opened(XA, width=700, height=700)
    assert page.locator(".cinebar").is_visible()
    page.locator("[data-menu=cine] > button").click()
    page.get_by_role("menuitemradio", name="Show the bar on clips").click()
    wait_for(page, "document.querySelector('.cinebar')?.hidden !== false")
    page.reload()
    wait_for(page, "window.farview && farview.viewports[0]?.exact")
    assert page.locator(".cinebar:visible").count() == 0
