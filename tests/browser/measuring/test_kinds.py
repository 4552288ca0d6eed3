"""Every kind of measurement in a real browser, on files of several modalities, judged from the files; and the list."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Archive, stage, still
from tests.browser.measuring.hand import (
    MEASURING,
    SHAPE,
    WITHIN,
    door,
    drag,
    drawn,
    frame_at,
    held,
    kept,
    marks,
    measured,
    on_page,
    opened_at,
)
from tests.chromium import wait_for, wait_until
from viewer.phantom import facts

PET = "series/pet_body"
ULTRASOUND = "syntax_nema/US1_UNC.dcm"
RADIOGRAPH = "syntax_nema/RG3_J2KR.dcm"


# --- other kinds


def test_every_kind_is_drawn_and_kept(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom), width=1600, height=1000)
    middle = stage(page)

    def at(x: float, y: float) -> tuple[float, float]:
        return middle["x"] + x, middle["y"] + y

    def click(x: float, y: float) -> None:
        page.mouse.move(*at(x, y))
        page.mouse.down()
        page.mouse.up()

    page.keyboard.press("b")
    drag(page, at(-300, -200), at(-200, -200))
    click(-250, -180)
    both = kept(page, 1)[-1]["values"]
    assert both["long"]["value"] / both["short"]["value"] == pytest.approx(2.5, rel=0.01)
    page.keyboard.press("g")
    drag(page, at(-300, 0), at(-200, 0))
    click(-200, -100)
    assert kept(page, 2)[-1]["values"]["angle"]["value"] == pytest.approx(90, abs=0.1)
    page.keyboard.press("Shift+G")
    drag(page, at(-300, 100), at(-200, 100))
    drag(page, at(-200, 250), at(-300, 250 - 100 * math.tan(math.radians(30))))
    assert kept(page, 3)[-1]["values"]["angle"]["value"] == pytest.approx(30, abs=0.1)
    ellipse = measured(page, "e", at(0, -250), at(120, -170))
    assert ellipse["values"]["area"]["value"] == pytest.approx(
        math.pi * 60 * 40 * (both["long"]["value"] / 100) ** 2, rel=0.01
    )
    rectangle = measured(page, "Shift+E", at(200, -250), at(300, -200))
    assert rectangle["values"]["area"]["value"] == pytest.approx(5000 * (both["long"]["value"] / 100) ** 2, rel=0.01)
    ring = [at(250 + 50 * math.cos(n / 8), 50 * math.sin(n / 8)) for n in range(51)]
    page.keyboard.press("f")
    drag(page, *ring)
    freehand = kept(page, 6)[-1]
    assert freehand["values"]["area"]["value"] == pytest.approx(
        math.pi * 2500 * (both["long"]["value"] / 100) ** 2, rel=0.02
    )
    page.keyboard.press("p")
    click(0, 0)
    assert kept(page, 7)[-1]["values"]["value"]["unit"] == "HU"
    page.keyboard.press("n")
    drag(page, at(100, 150), at(160, 200))
    page.keyboard.type("here <b>&</b>")
    page.keyboard.press("Enter")
    assert kept(page, 8)[-1]["label"] == "here <b>&</b>"
    page.keyboard.press("Shift+N")
    click(0, 250)
    page.keyboard.type("a text")
    page.keyboard.press("Enter")
    assert {one["kind"] for one in kept(page, 9)} == {
        *("bidirectional", "angle", "cobb", "ellipse", "rectangle", "freehand", "probe", "arrow", "text"),
    }
    for one in drawn(page):
        if one["box"] and one["kind"] != "text":
            for point in one["handles"]:
                inside = 0 < point["x"] - one["box"]["x"] < one["box"]["width"]
                assert not (inside and 0 < point["y"] - one["box"]["y"] < one["box"]["height"]), one["kind"]


def test_lines_are_as_thin_at_any_zoom_and_the_numbers_stay(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    middle = stage(page)
    mark = measured(page, "d", (middle["x"] - 40, middle["y"]), (middle["x"] + 40, middle["y"]))
    width = "getComputedStyle(document.querySelector('[data-layer=measuring] .stroke')).strokeWidth"
    assert page.evaluate(width) == "1.5px"
    for _ in range(4):
        page.keyboard.press("+")
    still(page)
    assert page.evaluate(width) == "1.5px"
    a, b = drawn(page)[0]["points"]
    assert b["x"] - a["x"] == pytest.approx(80 * 1.25**4, abs=0.5)
    assert marks(page)[0]["values"] == mark["values"]


def region(page: Page) -> dict[str, Any]:
    """A rectangle around the middle of the picture."""
    middle = stage(page)
    box = measured(page, "Shift+E", (middle["x"] - 60, middle["y"] - 50), (middle["x"] + 60, middle["y"] + 50))
    return box


def test_a_region_on_pet_is_in_the_files_own_values(
    opened: Callable[..., Page], archive: Archive, clean: Callable[[str], str], shared_data: Path
) -> None:
    study = archive.study(PET)
    page = opened(PET)
    clean(study.study_instance_uid)
    page.reload()
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    mark = region(page)
    file = next(
        d
        for path in (shared_data / PET).glob("*.dcm")
        if (d := pydicom.dcmread(path)).SOPInstanceUID == mark["sop_instance_uid"]
    )
    origin, spacing = np.asarray(file.ImagePositionPatient, float), np.asarray(file.PixelSpacing, float)
    first, last = sorted([(np.asarray(point)[:2] - origin[:2]) / spacing[::-1] for point in mark["points"]], key=sum)
    columns = slice(math.ceil(first[0]), math.floor(last[0]) + 1)
    rows = slice(math.ceil(first[1]), math.floor(last[1]) + 1)
    inside = file.pixel_array[rows, columns].astype(float) * float(file.RescaleSlope)
    assert mark["values"]["n"]["value"] == inside.size
    assert mark["values"]["mean"]["value"] == pytest.approx(inside.mean(), rel=1e-6)
    assert mark["values"]["max"]["value"] == pytest.approx(inside.max(), rel=1e-6)
    assert mark["values"]["mean"]["unit"]


def test_a_region_on_ultrasound_has_no_millimetres_without_a_source(
    opened: Callable[..., Page], archive: Archive, clean: Callable[[str], str], shared_data: Path
) -> None:
    """OHIF/Viewers#5556: wrong length in US."""
    study = archive.study(ULTRASOUND)
    clean(study.study_instance_uid)
    page = opened(ULTRASOUND)
    mark = region(page)
    assert mark["space"] == "image"
    file = pydicom.dcmread(shared_data / ULTRASOUND)
    known = "PixelSpacing" in file or "SequenceOfUltrasoundRegions" in file
    assert mark["values"]["area"]["unit"] == ("mm²" if known else "px²")
    assert drawn(page)[0]["uid"] == mark["uid"]
    words = str(page.locator("[data-layer=measuring] .words").first.text_content())
    assert known or ("mm" not in words and "px²" in words)


def test_an_image_without_millimetres_is_calibrated_by_whom_it_says(
    opened: Callable[..., Page], archive: Archive, clean: Callable[[str], str]
) -> None:
    study = archive.study(ULTRASOUND)
    clean(study.study_instance_uid)
    page = opened(ULTRASOUND)
    middle = stage(page)
    (x, y) = middle["x"], middle["y"]
    line = measured(page, "d", (x - 100, y + 40), (x + 100, y + 40))
    if line["values"]["length"]["unit"] != "px":
        pytest.skip("this file has millimetres of its own")
    page.keyboard.press("Shift+C")
    drag(page, (x - 100, y - 40), (x + 100, y - 40))
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    kept(page, 2)
    wait_for(page, f"{MEASURING}.marks.find((one) => one.kind === 'length').values.length.unit === 'mm'")
    length = next(one for one in marks(page) if one["kind"] == "length")["values"]["length"]
    assert length["value"] == pytest.approx(50, abs=0.5)
    assert length["source"] == "calibrated by alice"
    page.keyboard.press("d")
    drag(page, (x - 100, y + 80), (x + 100, y + 80), up=False)
    wait_for(page, f"Math.abs({MEASURING}.draft?.values.length?.value - 50) < 0.5")
    drawing = page.evaluate(f"{MEASURING}.draft.values.length")
    assert (drawing["unit"], drawing["source"]) == ("mm", "calibrated by alice"), "also while the hand draws"
    page.mouse.up()


def test_a_radiograph_says_where_its_millimetres_lie(
    opened: Callable[..., Page], archive: Archive, clean: Callable[[str], str], shared_data: Path
) -> None:
    study = archive.study(RADIOGRAPH)
    clean(study.study_instance_uid)
    page = opened(RADIOGRAPH)
    mark = region(page)
    file = pydicom.dcmread(shared_data / RADIOGRAPH, stop_before_pixels=True)
    area = mark["values"]["area"]
    if "PixelSpacing" not in file and "ImagerPixelSpacing" not in file:
        assert area["unit"] == "px²"
    else:
        assert area["unit"] == "mm²"
        assert "Pixel Spacing" in area["source"]
    assert mark["values"]["n"]["value"] > 0


# --- words and lists


def test_the_source_of_each_number_is_shown_under_the_pointer(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    middle = stage(page)
    measured(page, "d", (middle["x"] - 80, middle["y"]), (middle["x"] + 80, middle["y"]))
    page.mouse.move(middle["x"], middle["y"] + 1)
    card = page.locator(".mark-card")
    card.wait_for()
    assert "Pixel Spacing" in card.inner_text()
    assert "alice" in card.inner_text()
    page.mouse.move(middle["x"], middle["y"] + 200)
    assert card.count() == 0


def test_the_list_says_what_to_do_and_what_there_is_and_takes_names(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    page.get_by_role("tab", name="Measurements").click()
    panel = page.locator("#panel-measurements")
    assert "Nothing is measured in this study yet" in panel.inner_text()
    middle = stage(page)
    mark = measured(page, "d", (middle["x"] - 80, middle["y"]), (middle["x"] + 80, middle["y"]))
    assert page.locator("#tab-measurements .count").inner_text() == "1"
    frame = mark["view"]["frame"]
    assert f"Length, Image {frame + 1}" in panel.inner_text()
    panel.get_by_role("textbox", name="Name of this measurement").fill("Aorta")
    page.keyboard.press("Enter")
    wait_until(lambda: held(archive, phantom)[0]["label"] == "Aorta", "named", pause=page.wait_for_timeout)
    page.locator(".pane .stage").first.click(position={"x": 200, "y": 200}, button="middle")
    page.keyboard.press("End")
    wait_for(page, f"farview.viewports[0].exact && {MEASURING}.drawn[0].length === 0")
    panel.locator(".go").click()
    wait_for(page, f"farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === {frame}")
    assert drawn(page)[0]["words"][0] == "Aorta"


def test_a_measurement_of_the_prior_is_carried_on_with_its_change(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    whole = archive.get(f"/api/studies/{phantom}/").json()
    prior = next(one["study_instance_uid"] for one in whole["priors"])
    clean(prior)
    [series] = archive.get(f"/api/studies/{prior}/").json()["series"]
    series = series["series_instance_uid"]
    center = np.asarray(facts.PRIOR_NODULE.center)
    z = facts.scan(SHAPE).origin[2] - round((facts.scan(SHAPE).origin[2] - center[2]) / 2.5) * 2.5
    body = {
        "kind": "length",
        "label": "Nodule",
        "series": series,
        "space": "patient",
        "points": [[center[0] - 3, center[1], z], [center[0] + 3, center[1], z]],
        "view": {"plane": "axial", "center": [0, 0, z]},
    }
    answer = archive.session.post(archive.server.url + door(prior), json=body, timeout=120)
    assert answer.status_code == 201, answer.text
    page = opened_at(browse, archive, clean(phantom))
    page.get_by_role("tab", name="Measurements").click()
    panel = page.locator("#panel-measurements")
    wait_until(lambda: "Nodule: 6.0 mm" in panel.inner_text(), "the earlier one", pause=page.wait_for_timeout)
    panel.get_by_role("button", name="Carry on").click()
    frame_at(page, facts.NODULE.center[2])
    x, y, zz = facts.NODULE.center
    drag(page, on_page(page, (x - 5, y, zz)), on_page(page, (x + 5, y, zz)))
    [mark] = kept(page, 1)
    assert mark["label"] == "Nodule"
    assert mark["previous"]["change"]["length"]["absolute"] == pytest.approx(4.0, abs=WITHIN)
    assert "+4.0 mm, +67 %" in panel.inner_text()
    assert panel.get_by_role("button", name="Carry on").count() == 0


def test_what_is_drawn_on_the_prior_is_kept_with_the_prior(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    whole = archive.get(f"/api/studies/{phantom}/").json()
    prior = clean(next(one["study_instance_uid"] for one in whole["priors"] if "CT" in one["modalities"]))
    [series] = [one for one in archive.get(f"/api/studies/{prior}/").json()["series"] if one["modality"] == "CT"]
    page = opened_at(browse, archive, clean(phantom))
    beside = f"farview.viewports.findIndex((one) => one.series === '{series['series_instance_uid']}')"
    number = int(page.evaluate(beside))
    assert number > 0, "the prior hangs beside the present study"
    wait_for(page, f"farview.viewports[{number}].exact", 60)
    middle = stage(page, number)
    page.keyboard.press("d")
    drag(page, (middle["x"] - 50, middle["y"]), (middle["x"] + 50, middle["y"]))
    wait_until(lambda: len(held(archive, prior)) == 1, "kept with the prior", pause=page.wait_for_timeout)
    assert held(archive, phantom) == []
    assert [len(drawn(page, pane)) for pane in (0, number)] == [0, 1]


def test_erase_deletes_what_is_clicked_and_nothing_else(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    middle = stage(page)
    (x, y) = middle["x"], middle["y"]
    measured(page, "d", (x - 60, y - 60), (x + 60, y - 60))
    stays = measured(page, "d", (x - 60, y + 60), (x + 60, y + 60))
    page.get_by_role("button", name="Measure", exact=True).click()
    page.get_by_role("menuitemradio", name="Erase").click()
    for at in ((x, y), (x, y - 60)):
        page.mouse.click(*at)
    wait_until(lambda: len(held(archive, phantom)) == 1, "erased", pause=page.wait_for_timeout)
    assert [one["uid"] for one in kept(page, 1)] == [stays["uid"]]
