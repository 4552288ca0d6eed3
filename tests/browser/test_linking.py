"""Panes that know of each other: reference lines, scrolling by position in the patient, by offset and by number, one crosshair.
Judged by the headers of the files, not by what the server says of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from pydicom.uid import generate_uid

from tests.browser.conftest import Archive, Study, stage
from tests.browser.scans import Images, activate, copies, drawn, hang, linking, normal_of, on_pane, quiet, show, taken
from tests.chromium import wait_for

TILTED, SAGITTAL = "series/ct_head_gantry_tilt_ge_jpll", "series/mr_head_sag_HFDR"


@pytest.fixture(scope="module")
def tilted(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Images]:
    study, folder = generate_uid(), tmp_path_factory.mktemp("tilted")
    files = copies((archive.shared / TILTED).glob("*.dcm"), folder, study=study)
    return taken(archive, study, folder), Images(files)


@pytest.fixture(scope="module")
def twice(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Images]:
    """One head in three series: as it is; every second image; and all of them in another frame of reference, 30 mm aside."""
    study, folder = generate_uid(), tmp_path_factory.mktemp("twice")
    files = sorted((archive.shared / SAGITTAL).glob("*.dcm"))

    def named(number: int, name: str) -> Callable[..., None]:
        def change(d) -> None:
            d.SeriesNumber, d.SeriesDescription = number, name

        return change

    def aside(d) -> None:
        named(3, "aside")(d)
        d.ImagePositionPatient = [float(d.ImagePositionPatient[0]) + 30, *d.ImagePositionPatient[1:]]

    written = [
        *copies(files, folder / "1", study=study, change=named(1, "whole")),
        *copies(files[::2], folder / "2", study=study, change=named(2, "thinned out")),
        *copies(files, folder / "3", study=study, frame_of_reference=generate_uid(), change=aside),
    ]
    return taken(archive, study, folder), Images(written)


def uid_of(page: Page, pane: int) -> str:
    uid: str = page.evaluate(f"farview.viewports[{pane}].lastHeader.view.sop_instance_uid")
    return uid


def wheel(page: Page, pane: int, steps: int) -> None:
    middle = stage(page, pane)
    page.mouse.move(middle["x"], middle["y"])
    for _ in range(abs(steps)):
        page.mouse.wheel(0, 120 if steps > 0 else -120)
    quiet(page)


# --- reference lines


def test_the_reference_line_of_a_tilted_image_lies_where_its_header_says(
    browse: Callable[..., Page], archive: Archive, tilted: tuple[Study, Images]
) -> None:
    study, images = tilted
    page = browse()
    show(page, archive, study)
    hang(page, "1 × 2", 0, 0)
    activate(page, 1)
    for _ in range(3):
        page.keyboard.press("x")
        quiet(page)
    activate(page, 0)
    wheel(page, 0, 11)
    for wheel_on in (0, 7):
        wheel(page, 0, wheel_on)
        header = quiet(page)[1]
        assert header["view"]["plane"] == "sagittal"
        box = stage(page, 1)
        corners = images.corners(uid_of(page, 0))
        normal = normal_of(header["geometry"])
        off = (corners - np.array(header["geometry"]["top_left"])) @ normal
        expected = []
        for one, other in ((0, 1), (1, 2), (2, 3), (3, 0)):
            if (off[one] > 0) != (off[other] > 0):
                part = off[one] / (off[one] - off[other])
                expected.append(on_pane(header, corners[one] + part * (corners[other] - corners[one]), box))
        [line] = drawn(page, 1, "line.reference.now")
        have = sorted([[line["x1"], line["y1"]], [line["x2"], line["y2"]]])
        want = sorted(point.tolist() for point in expected)
        assert np.allclose(have, want, atol=0.6), (have, want)
        slope = np.degrees(np.arctan2(abs(line["y2"] - line["y1"]), abs(line["x2"] - line["x1"])))
        assert slope == pytest.approx(18.5, abs=0.1), "the gantry's tilt"
        assert line["width"] <= 1.5


def test_the_first_and_last_image_are_thin_lines(
    browse: Callable[..., Page], archive: Archive, tilted: tuple[Study, Images]
) -> None:
    study, images = tilted
    page = browse()
    show(page, archive, study)
    hang(page, "1 × 2", 0, 0)
    activate(page, 1)
    for _ in range(3):
        page.keyboard.press("x")
        quiet(page)
    activate(page, 0)
    wheel(page, 0, 5)
    header, box = quiet(page)[1], stage(page, 1)
    uids = sorted(images.by_uid, key=lambda uid: float(images[uid].ImagePositionPatient[2]))
    for kind, uid in (("last", uids[0]), ("first", uids[-1])):
        [line] = drawn(page, 1, f"line.reference.{kind}")
        assert line["width"] <= 1
        corners = [on_pane(header, corner, box) for corner in images.corners(uid)]
        front, back = (corners[0] + corners[1]) / 2, (corners[2] + corners[3]) / 2
        have = sorted([[line["x1"], line["y1"]], [line["x2"], line["y2"]]])
        assert np.allclose(have, sorted([front.tolist(), back.tolist()]), atol=1), kind


def test_no_line_is_drawn_across_frames_of_reference(
    browse: Callable[..., Page], archive: Archive, twice: tuple[Study, Images]
) -> None:
    page = browse()
    show(page, archive, twice[0])
    hang(page, "1 × 2", 0, 1)
    activate(page, 1)
    page.keyboard.press("x")
    quiet(page)
    activate(page, 0)
    wait_for(page, "document.querySelectorAll('.pane')[1].querySelectorAll('line.reference').length === 3")
    page.keyboard.press("o")
    wait_for(page, "!document.querySelector('line.reference')")
    page.keyboard.press("o")
    activate(page, 1)
    page.locator(".tile").nth(2).click()
    quiet(page)
    page.keyboard.press("x")
    quiet(page)
    activate(page, 0)
    page.wait_for_timeout(200)
    assert drawn(page, 1, "line.reference") == []
    assert drawn(page, 0, "line.reference") == []


# --- linked scrolling


def test_linked_panes_stay_at_the_same_place_whatever_their_spacing(
    browse: Callable[..., Page], archive: Archive, twice: tuple[Study, Images]
) -> None:
    study, images = twice
    page = browse()
    show(page, archive, study)
    hang(page, "1 × 2", 0, 1)
    page.keyboard.press("Shift+L")
    assert linking(page)["bonds"] == ["", "position"]
    normal = np.array([1.0, 0, 0])
    for steps in (3, 8, 9, -6):
        wheel(page, 0, steps)
        places = [images.along(uid_of(page, pane), normal) for pane in (0, 1)]
        assert abs(places[0] - places[1]) <= 4.8 + 0.01, "half of the 9.6 mm between its images, at most"
    wheel(page, 0, -50)
    wheel(page, 0, 16)
    assert [images.along(uid_of(page, pane), normal) for pane in (0, 1)] == pytest.approx(
        [images.along(uid_of(page, 0), normal)] * 2, abs=0.01
    )
    marks = page.locator(".mark.linked .word").all_inner_texts()
    assert marks == ["linked", "linked"]


def test_either_pane_leads_and_nothing_goes_round(
    browse: Callable[..., Page], archive: Archive, twice: tuple[Study, Images]
) -> None:
    study, images = twice
    page = browse()
    show(page, archive, study)
    hang(page, "1 × 2", 0, 1)
    page.keyboard.press("Shift+L")
    wheel(page, 0, 12)
    before = page.evaluate("farview.viewports.map((one) => one.counts.received)")
    wheel(page, 1, 3)
    normal = np.array([1.0, 0, 0])
    here, there = (images.along(uid_of(page, pane), normal) for pane in (0, 1))
    assert here == pytest.approx(there, abs=0.01), "every thinned-out place has an image in the whole series"
    page.wait_for_timeout(600)
    after = page.evaluate("farview.viewports.map((one) => one.counts.received)")
    assert max(after[0] - before[0], after[1] - before[1]) <= 8, "a picture or two for each step, and then rest"


def test_across_frames_of_reference_the_offset_is_kept_and_called_one(
    browse: Callable[..., Page], archive: Archive, twice: tuple[Study, Images]
) -> None:
    study, images = twice
    page = browse()
    show(page, archive, study)
    hang(page, "1 × 2", 0, 2)
    wheel(page, 0, 10)
    activate(page, 1)
    wheel(page, 1, 14)
    normal = np.array([1.0, 0, 0])
    kept = images.along(uid_of(page, 1), normal) - images.along(uid_of(page, 0), normal)
    activate(page, 0)
    page.keyboard.press("Shift+L")
    for steps in (5, -9, 7):
        wheel(page, 0, steps)
        apart = images.along(uid_of(page, 1), normal) - images.along(uid_of(page, 0), normal)
        assert apart == pytest.approx(kept, abs=0.01)
    mark = page.locator(".pane").nth(1).locator(".mark.linked")
    assert "by offset, not registered" in mark.inner_text()
    assert "no registration" in str(mark.get_attribute("title"))
    page.keyboard.press("Shift+L")
    at = uid_of(page, 1)
    wheel(page, 0, 3)
    assert uid_of(page, 1) == at, "unlinked"
    assert page.locator(".mark.linked:visible").count() == 0


def test_panes_without_positions_go_by_number_and_say_so(browse: Callable[..., Page], archive: Archive) -> None:
    study = archive.study("cine/XA_rubo_96f_jpeg.dcm")
    page = browse()
    show(page, archive, study)
    hang(page, "1 × 2", 0, 0)
    page.keyboard.press("Shift+L")
    wheel(page, 0, 9)
    wait_for(page, "farview.viewports.every((one) => one.lastHeader.view.frame === 9)")
    assert page.locator(".pane").nth(1).locator(".mark.linked").inner_text() == "linked by image number"


def area(header: dict[str, Any]) -> list[float]:
    """y and z of the middle of a picture, and mm across."""
    geometry = header["geometry"]
    down, across = (np.array(geometry["pixel_spacing"]) * [header["rows"] - 1, header["columns"] - 1]) / 2
    middle = np.array(geometry["top_left"]) + across * np.array(geometry["row"]) + down * np.array(geometry["column"])
    return [*middle[1:], geometry["pixel_spacing"][1] * header["columns"]]


def test_rotation_and_flips_go_together_when_asked_and_differences_stay(
    browse: Callable[..., Page], archive: Archive, twice: tuple[Study, Images]
) -> None:
    page = browse()
    show(page, archive, twice[0])
    hang(page, "1 × 2", 0, 1)
    activate(page, 1)
    page.keyboard.press("h")
    activate(page, 0)
    page.get_by_role("button", name="Crosshair, three planes, linking").click()
    page.get_by_role("menuitemradio", name="Rotation and flips").or_(
        page.get_by_role("menuitem", name="Rotation and flips")
    ).click()
    quiet(page)
    before = [letters(page, pane) for pane in (0, 1)]
    page.keyboard.press("r")
    quiet(page)
    # A quarter to the right on the screen, in both: what was on the left is on top now.
    assert [letters(page, pane) for pane in (0, 1)] == [[one[3], *one[:3]] for one in before]
    page.keyboard.press("v")
    views = [one["view"] for one in quiet(page)]
    assert [(one["rotation"], one["flip_horizontal"], one["flip_vertical"]) for one in views] == [
        (90, False, True),
        (270, True, True),
    ]


def letters(page: Page, pane: int) -> list[str]:
    """Clockwise from the top."""
    one = page.locator(".pane").nth(pane)
    return [one.locator(f".letter.{side}").inner_text() for side in ("top", "right", "bottom", "left")]


def test_zoom_and_window_go_together_when_asked(
    browse: Callable[..., Page], archive: Archive, twice: tuple[Study, Images]
) -> None:
    page = browse()
    show(page, archive, twice[0])
    hang(page, "1 × 2", 0, 1)
    for name in ("Zoom and pan", "Window"):
        page.get_by_role("button", name="Crosshair, three planes, linking").click()
        page.get_by_role("menuitemradio", name=name, exact=True).click()
    middle = stage(page, 0)
    page.mouse.move(middle["x"], middle["y"])
    page.mouse.down(button="middle")
    page.mouse.move(middle["x"] + 30, middle["y"] - 50, steps=4)
    page.mouse.up(button="middle")
    page.keyboard.press("+")
    page.keyboard.press("w")
    page.mouse.move(middle["x"], middle["y"])
    page.mouse.down()
    page.mouse.move(middle["x"] + 60, middle["y"] - 30, steps=4)
    page.mouse.up()
    first, second = quiet(page)
    assert first["view"]["zoom"] > 1
    seen = [area(first), area(second)]
    assert np.allclose(seen[0], seen[1], atol=0.05), "as many millimetres across, about the same point"
    for field in ("window_center", "window_width"):
        assert first["view"][field] == second["view"][field]


# --- crosshair


def test_the_crosshair_takes_every_pane_of_its_frame_of_reference_along_and_no_other(
    browse: Callable[..., Page], archive: Archive, twice: tuple[Study, Images]
) -> None:
    study, images = twice
    page = browse()
    show(page, archive, study)
    hang(page, "1 × 3", 0, 1, 2)
    activate(page, 1)
    page.keyboard.press("x")
    quiet(page)
    other = uid_of(page, 2)
    activate(page, 0)
    wheel(page, 0, 20)
    page.keyboard.press("j")
    box = stage(page, 0)
    page.mouse.click(box["x"] + 40, box["y"] - 60)
    headers = quiet(page)
    point = np.array(linking(page)["crosshair"]["point"])
    assert on_pane(headers[0], point, box) == pytest.approx([box["width"] / 2 + 40, box["height"] / 2 - 60], abs=1)
    axial = headers[1]["geometry"]
    assert abs((point - np.array(axial["top_left"])) @ normal_of(axial)) < 0.01
    assert images.along(uid_of(page, 0), np.array([1.0, 0, 0])) == pytest.approx(point[0], abs=0.01)
    assert uid_of(page, 2) == other
    assert drawn(page, 2, "line") == []
    page.keyboard.press("j")
    wait_for(page, "!document.querySelector('line.cross')")
    assert page.locator("#panes").get_attribute("data-tool") == "window", "what was in hand before is given back"
