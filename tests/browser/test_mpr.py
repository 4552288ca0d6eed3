"""Three planes at one key: the crosshair on a bead of the phantom, letters of a tilted head, turning, slabs, the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Page
from pydicom.uid import generate_uid

from tests.browser.conftest import CHEST, Archive, Study, stage, still
from tests.browser.scans import (
    ALL_EXACT,
    activate,
    copies,
    drawn,
    hang,
    linking,
    normal_of,
    on_pane,
    quiet,
    show,
    taken,
)
from tests.chromium import wait_for
from viewer.phantom import facts, studies

TILTED, PET = "series/ct_head_gantry_tilt_ge_jpll", "series/pet_body"
SUV_FACTOR = 2.945e-4
"""SUV by body weight of 1 Bq/ml in the PET, as shared/data/MANIFEST.md computes it."""
AXIAL, FOURTH, CORONAL, SAGITTAL = range(4)
PLANES = {AXIAL: "axial", CORONAL: "coronal", SAGITTAL: "sagittal"}


@pytest.fixture(scope="module")
def beads(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Study:
    study, folder = generate_uid(), tmp_path_factory.mktemp("beads")
    files = studies.write_ct(folder / "painted", shape=(168, 256, 256))
    copies(files, folder / "copies", study=study, frame_of_reference=generate_uid())
    return taken(archive, study, folder / "copies")


@pytest.fixture
def three(browse: Callable[..., Page], archive: Archive) -> Callable[..., Page]:
    """Opens a study and asks for three planes."""

    def planes(study: Study, **options: Any) -> Page:
        page = browse(**options)
        show(page, archive, study)
        hang(page, "One viewport", 0)
        page.keyboard.press("q")
        wait_for(page, f"farview.viewports.length === 4 && {ALL_EXACT}", 90)
        return page

    return planes


def blob(page: Page, pane: int, near: np.ndarray, radius: float = 14) -> np.ndarray:
    """[x, y] CSS px: the middle of what is bright on the canvas within `radius` of a place."""
    found = page.evaluate(
        """([pane, x, y, radius]) => {
          const { canvas } = farview.viewports[pane];
          const scale = canvas.width / canvas.clientWidth;
          const [left, top, side] = [x - radius, y - radius, 2 * radius].map((one) => Math.round(one * scale));
          const { data } = canvas.getContext("2d").getImageData(left, top, side, side);
          let [sum, atX, atY] = [0, 0, 0];
          for (let row = 0; row < side; row += 1) for (let column = 0; column < side; column += 1) {
            const grey = Math.max(0, data[4 * (row * side + column)] - 140);
            sum += grey; atX += grey * (column + 0.5); atY += grey * (row + 0.5);
          }
          return [(left + atX / sum) / scale, (top + atY / sum) / scale, sum];
        }""",
        [pane, float(near[0]), float(near[1]), radius],
    )
    assert found[2] > 0, "nothing bright there"
    return np.array(found[:2])


def millimetres(header: dict[str, Any], box: dict[str, float]) -> float:
    """mm of a CSS px."""
    return float(header["geometry"]["pixel_spacing"][1] * header["columns"] / box["width"])


def drag(page: Page, pane: int, selector: str, way: tuple[float, float]) -> None:
    handle = page.locator(".pane").nth(pane).locator(selector).first.bounding_box()
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + way[0], y + way[1], steps=6)
    page.mouse.up()
    quiet(page)


def letters(page: Page, pane: int) -> str:
    """Clockwise from the top."""
    one = page.locator(".pane").nth(pane)
    return " ".join(one.locator(f".letter.{side}").inner_text() for side in ("top", "right", "bottom", "left"))


def test_one_key_shows_three_planes_and_the_same_key_goes_back_to_what_was_there(
    browse: Callable[..., Page], archive: Archive, beads: Study
) -> None:
    page = browse()
    show(page, archive, beads)
    hang(page, "1 × 2", 0, 0)
    activate(page, 1)
    page.keyboard.press("x")
    page.keyboard.press("+")
    page.keyboard.press("2")
    quiet(page)
    seen = "farview.viewports.map(({ series, lastHeader: { view, sha256 } }) => ({ series, view, sha256 }))"
    before, layout = page.evaluate(seen), page.evaluate("farview.layout")
    page.keyboard.press("q")
    wait_for(page, f"farview.viewports.length === 4 && {ALL_EXACT}", 90)
    assert linking(page)["mpr"] == ["axial", "fourth", "coronal", "sagittal"]
    headers = quiet(page)
    for pane, name in PLANES.items():
        assert headers[pane]["view"]["plane"] == name
        assert headers[pane]["view"]["window_width"] == before[1]["view"]["window_width"], "the reader's window"
    assert page.locator("#panes").get_attribute("data-tool") == "crosshair"
    page.keyboard.press("q")
    wait_for(page, f"farview.viewports.length === 2 && {ALL_EXACT}", 60)
    quiet(page)
    assert page.evaluate("farview.layout") == layout
    assert page.evaluate(seen) == before, "the same Views, and the same bytes"
    assert page.locator("#panes").get_attribute("data-tool") == "window"
    assert page.locator("line.cross").count() == 0


@pytest.mark.parametrize("marker", facts.MARKERS[3:], ids=lambda marker: marker.name)
def test_the_crosshair_lands_on_the_bead_in_all_three_planes(
    three: Callable[..., Page], beads: Study, marker: facts.Marker
) -> None:
    page = three(beads)
    bead = np.array(marker.center)
    activate(page, AXIAL)
    page.keyboard.press("w")
    box = stage(page, AXIAL)
    header = still(page, AXIAL)
    away = (bead - np.array(header["view"]["center"])) @ np.array(header["depth"]["direction"])
    page.mouse.move(box["x"], box["y"])
    for _ in range(round(abs(away) / header["depth"]["step"])):
        page.mouse.wheel(0, 120 if away > 0 else -120)
    header = quiet(page)[AXIAL]
    corner = np.array([box["x"] - box["width"] / 2, box["y"] - box["height"] / 2])
    seen = blob(page, AXIAL, on_pane(header, bead, box))
    page.keyboard.press("j")
    page.mouse.click(*(corner + seen))
    headers = quiet(page)
    point = np.array(linking(page)["crosshair"]["point"])
    assert np.linalg.norm(point - bead) < 1.0 + header["depth"]["step"] / 2
    assert np.linalg.norm((point - bead)[:2]) < 1.0, "where it was clicked"
    for pane in (CORONAL, SAGITTAL):
        geometry, box = headers[pane]["geometry"], stage(page, pane)
        assert abs((bead - np.array(geometry["top_left"])) @ normal_of(geometry)) < 1.0, (
            "the plane goes through the bead"
        )
        lines = drawn(page, pane, "line.cross:not(.slab)")
        upright = next(one for one in lines if abs(one["x1"] - one["x2"]) < 0.5)
        level = next(one for one in lines if abs(one["y1"] - one["y2"]) < 0.5)
        crossing = np.array([upright["x1"], level["y1"]])
        bright = blob(page, pane, crossing, 10)
        off = (bright - crossing) * millimetres(headers[pane], box)
        assert np.all(np.abs(off) < [1.0, 1.0 + header["depth"]["step"] / 2]), (pane, off)


def test_the_lines_are_thin_have_the_colour_of_their_plane_and_leave_the_point_free(
    three: Callable[..., Page], beads: Study
) -> None:
    page = three(beads)
    headers = quiet(page)
    point = np.array(linking(page)["crosshair"]["point"])
    colours: dict[str, set[str]] = {}
    for pane, own in PLANES.items():
        box = stage(page, pane)
        at = on_pane(headers[pane], point, box)
        lines = drawn(page, pane, "line.cross")
        assert {one["plane"] for one in lines} == set(PLANES.values()) - {own}
        for line in lines:
            assert line["width"] <= 1.5
            colours.setdefault(line["plane"], set()).add(line["colour"])
            ends = [np.hypot(line[f"x{end}"] - at[0], line[f"y{end}"] - at[1]) for end in (1, 2)]
            assert min(ends) > 10, "the pixel of interest is never under a line"
    assert all(len(one) == 1 for one in colours.values())
    assert len(set.union(*colours.values())) == 3


def test_scrolling_one_plane_takes_the_crosshair_along(three: Callable[..., Page], beads: Study) -> None:
    page = three(beads)
    before = np.array(linking(page)["crosshair"]["point"])
    activate(page, CORONAL)
    for _ in range(10):
        page.keyboard.press("ArrowDown")
    headers = quiet(page)
    after = np.array(linking(page)["crosshair"]["point"])
    step = headers[CORONAL]["depth"]["step"]
    assert after - before == pytest.approx([0, 10 * step, 0], abs=1e-6)
    assert headers[SAGITTAL]["geometry"]["top_left"] == still(page, SAGITTAL)["geometry"]["top_left"]
    level = next(one for one in drawn(page, AXIAL, "line.cross") if one["plane"] == "coronal")
    assert level["y1"] == pytest.approx(on_pane(headers[AXIAL], after, stage(page, AXIAL))[1], abs=1)


def test_turning_the_crosshair_keeps_planes_square_and_through_the_point(
    three: Callable[..., Page], beads: Study
) -> None:
    page = three(beads)
    scale = [header["geometry"]["pixel_spacing"] for header in quiet(page)]
    drag(page, AXIAL, "[data-plane=coronal][data-handle=turn]", (0, -80))
    drag(page, CORONAL, "[data-plane=sagittal][data-handle=turn]", (60, 0))
    drag(page, SAGITTAL, "[data-plane=axial][data-handle=turn]", (0, 45))
    headers = quiet(page)
    point = np.array(linking(page)["crosshair"]["point"])
    normals = []
    for pane in PLANES:
        geometry = headers[pane]["geometry"]
        row, column = np.array(geometry["row"]), np.array(geometry["column"])
        assert [row @ row, column @ column, row @ column] == pytest.approx([1, 1, 0], abs=1e-6)
        assert abs((point - np.array(geometry["top_left"])) @ np.cross(row, column)) < 0.01
        assert geometry["pixel_spacing"] == pytest.approx(scale[pane], rel=1e-3), "the scale stays"
        normals.append(np.cross(row, column))
        assert (
            page.locator(".pane")
            .nth(pane)
            .locator(".corner.bottom-left")
            .inner_text()
            .splitlines()[-1]
            .startswith("Oblique")
        )
    for one, other in ((0, 1), (1, 2), (2, 0)):
        assert abs(normals[one] @ normals[other]) < 1e-4
    page.keyboard.press(" ")
    headers = quiet(page)
    assert [headers[pane]["view"]["plane"] for pane in PLANES] == list(PLANES.values()), (
        "reset makes all three straight"
    )
    assert linking(page)["crosshair"]["point"] == pytest.approx(point.tolist())


def test_a_line_follows_the_hand_that_turns_it(three: Callable[..., Page], beads: Study) -> None:
    page = three(beads)
    box = stage(page, AXIAL)
    at = on_pane(still(page, AXIAL), np.array(linking(page)["crosshair"]["point"]), box)
    handle = page.locator(".pane").nth(AXIAL).locator("[data-plane=coronal][data-handle=turn]").first.bounding_box()
    assert handle is not None
    start = np.array([handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2])
    middle = np.array([box["x"] - box["width"] / 2, box["y"] - box["height"] / 2]) + at
    far = start - middle
    angle = np.radians(25)
    turned = middle + np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ far
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*turned, steps=8)
    page.mouse.up()
    header = quiet(page)[CORONAL]
    assert header["view"]["plane"]["row"] == pytest.approx([np.cos(angle), np.sin(angle), 0], abs=0.01)
    line = next(one for one in drawn(page, AXIAL, "line.cross") if one["plane"] == "coronal")
    assert (line["y2"] - line["y1"]) / (line["x2"] - line["x1"]) == pytest.approx(np.tan(angle), abs=0.01)


def test_a_slab_is_opened_by_its_handle_and_says_its_thickness(three: Callable[..., Page], beads: Study) -> None:
    page = three(beads)
    box, header = stage(page, SAGITTAL), still(page, SAGITTAL)
    drag(page, SAGITTAL, "[data-plane=axial][data-handle=slab]", (0, 20))
    view = quiet(page)[AXIAL]["view"]
    assert view["projection"] == "mip"
    assert view["slab_thickness"] == pytest.approx(2 * 20 * millimetres(header, box), abs=1.0)
    words = f"{view['slab_thickness']:g} mm"
    assert page.locator(".pane").nth(SAGITTAL).locator(".cross-mm").all_text_contents() == [words]
    assert page.locator(".pane").nth(AXIAL).locator(".corner.bottom-left").inner_text().startswith(f"MIP {words}")
    edges = drawn(page, SAGITTAL, "line.slab")
    apart = abs(edges[0]["y1"] - edges[1]["y1"]) * millimetres(header, box)
    assert apart == pytest.approx(view["slab_thickness"], abs=0.5)


def test_three_planes_by_keys_alone(three: Callable[..., Page], beads: Study) -> None:
    page = three(beads)
    handle = page.locator(".pane").nth(AXIAL).locator("[data-plane=coronal][data-handle=turn][tabindex='0']")
    handle.focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowRight")
    header = quiet(page)[CORONAL]
    assert handle.get_attribute("aria-valuetext") == "15°"
    assert header["view"]["plane"]["row"] == pytest.approx(
        [np.cos(np.radians(15)), -np.sin(np.radians(15)), 0], abs=1e-6
    )
    slab = page.locator(".pane").nth(CORONAL).locator("[data-plane=sagittal][data-handle=slab]")
    slab.focus()
    for _ in range(2):
        page.keyboard.press("Shift+ArrowUp")
    assert quiet(page)[SAGITTAL]["view"]["slab_thickness"] == 10
    assert slab.get_attribute("aria-label") == "Thickness of the slab, mm"


def test_a_tilted_head_agrees_with_its_letters(browse: Callable[..., Page], archive: Archive) -> None:
    """cornerstone3D#227, Weasis#715: planes through a tilted gantry."""
    page = browse()
    show(page, archive, archive.study(TILTED))
    hang(page, "One viewport", 0)
    page.keyboard.press("q")
    wait_for(page, f"farview.viewports.length === 4 && {ALL_EXACT}", 90)
    assert [letters(page, pane) for pane in PLANES] == ["A L P R", "H L F R", "H P F A"]
    headers = quiet(page)
    for pane, way in ((AXIAL, [0, 0, 1]), (CORONAL, [0, 1, 0]), (SAGITTAL, [1, 0, 0])):
        assert abs(normal_of(headers[pane]["geometry"]) @ way) == pytest.approx(1, abs=1e-6), "not along the gantry"
    assert page.locator(".pane").nth(SAGITTAL).locator(".warnings summary").inner_text()


def test_what_makes_no_volume_says_so_and_stays(browse: Callable[..., Page], archive: Archive) -> None:
    page = browse()
    show(page, archive, archive.study("xray/MG_GH133_3062x2394.dcm"))
    before = page.evaluate("farview.layout")
    page.keyboard.press("q")
    assert page.locator(".passing").first.inner_text().startswith("This stack makes no volume: a single image")
    assert page.evaluate("farview.layout") == before


def test_images_that_come_later_are_marked_in_all_planes_and_taken_in_together(
    three: Callable[..., Page], archive: Archive, tmp_path: Path
) -> None:
    """OHIF#3647: three planes before all slices came must not be wrong."""
    study = generate_uid()
    files = copies((archive.shared / PET).glob("*.dcm"), tmp_path / "all", study=study)
    files.sort(key=lambda path: float(pydicom.dcmread(path, stop_before_pixels=True).ImagePositionPatient[2]))
    for part, some in (("first", files[:60]), ("later", files[60:])):
        (tmp_path / part).mkdir()
        for path in some:
            path.rename(tmp_path / part / path.name)
    page = three(taken(archive, study, tmp_path / "first"))
    before = quiet(page)
    shape = "farview.viewports.map((one) => one.opened.geometry.shape[0])"
    assert set(page.evaluate(shape)) == {60}
    archive.server.manage("ingest", tmp_path / "later")
    wait_for(page, "document.querySelectorAll('.pane .more:not([hidden])').length === 4", 30)
    assert [one["series_version"] for one in quiet(page)] == [one["series_version"] for one in before], (
        "marked, not mixed"
    )
    page.locator(".pane .more:visible").first.click()
    wait_for(page, f"{shape}.every((slices) => slices === 133) && {ALL_EXACT}", 60)
    after = quiet(page)
    assert page.locator(".pane .more:visible").count() == 0
    for pane in PLANES:
        assert after[pane]["series_version"] != before[pane]["series_version"]
        assert after[pane]["view"]["center"] == pytest.approx(before[pane]["view"]["center"]), "the same place"


def test_late_news_of_images_that_are_shown_already_marks_nothing(
    browse: Callable[..., Page], archive: Archive
) -> None:
    page = browse()
    page.add_init_script(
        """const Plain = WebSocket; globalThis.lines = [];
        globalThis.WebSocket = class extends Plain { constructor(...given) { super(...given); lines.push(this); } };"""
    )
    show(page, archive, archive.study(PET))
    shown = quiet(page)[0]
    version = int(shown["series_version"])
    hear = """([viewport, series, series_version]) => lines.find(({ url }) => url.endsWith("/ws/viewer/")).dispatchEvent(
        new MessageEvent("message", { data: JSON.stringify({ type: "series.changed", viewport, series, series_version }) }))"""
    marks = page.locator(".pane .more:visible")
    for told in (version, version - 1):
        page.evaluate(hear, [shown["viewport"], shown["view"]["series"], str(told)])
        assert marks.count() == 0
    page.evaluate(hear, [shown["viewport"], shown["view"]["series"], str(version + 1)])
    page.evaluate(hear, [shown["viewport"], shown["view"]["series"], str(version)])
    assert marks.count() == 1, "and older news takes no mark away"


def test_no_badge_says_exact_while_planes_are_turned(three: Callable[..., Page], beads: Study) -> None:
    page = three(beads)
    handle = page.locator(".pane").nth(AXIAL).locator("[data-handle=turn]").first.bounding_box()
    assert handle is not None
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.evaluate(
        """() => { globalThis.wrong = [];
          const look = () => { document.querySelectorAll(".pane").forEach((pane, at) => {
              const badge = pane.querySelector(".stream").dataset.state === "exact";
              if (badge && !farview.viewports[at].exact) globalThis.wrong.push(at);
            });
            if (!globalThis.enough) requestAnimationFrame(look); };
          requestAnimationFrame(look); }"""
    )
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(12):
        page.mouse.move(x + step, y - 5 * step)
        page.wait_for_timeout(30)
    page.mouse.up()
    quiet(page)
    page.evaluate("globalThis.enough = true")
    assert page.evaluate("globalThis.wrong") == []


# --- the 3D panel


def panel(page: Page) -> None:
    page.locator("#tab-volume").click()
    page.locator("#panel-volume h2").wait_for()


def test_a_clip_box_by_handles_sliders_and_around_the_crosshair(three: Callable[..., Page], beads: Study) -> None:
    page = three(beads)
    panel(page)
    activate(page, FOURTH)
    page.locator("#panel-volume").get_by_role("button", name="Bone", exact=True).click()
    wait_for(page, f"farview.viewports[{FOURTH}].lastHeader.view.projection === 'volume' && {ALL_EXACT}", 60)
    page.get_by_role("button", name="Handles on the picture").click()
    drag(page, FOURTH, "[data-handle=clip][data-axis='0'][data-side='0']", (50, 0))
    header = still(page, FOURTH)
    scan = facts.scan((168, 256, 256))
    low, high = np.sort(np.array(header["view"]["clip"]), axis=0)
    left = scan.origin[0] - scan.spacing[2] / 2
    assert low[0] - left == pytest.approx(50 * millimetres(header, stage(page, FOURTH)), abs=1.5)
    page.get_by_role("button", name="Box around the crosshair").click()
    quiet(page)
    low, high = np.sort(np.array(still(page, FOURTH)["view"]["clip"]), axis=0)
    point = np.array(linking(page)["crosshair"]["point"])
    assert (low + high) / 2 == pytest.approx(point, abs=0.01)
    assert high - low == pytest.approx([60, 60, 60])
    page.locator("#panel-volume").get_by_label("Side H").fill("20")
    quiet(page)
    assert np.max(np.array(still(page, FOURTH)["view"]["clip"])[:, 2]) == pytest.approx(20, abs=1)
    page.locator("#panel-volume").get_by_role("button", name="Whole volume", exact=True).click()
    assert quiet(page)[FOURTH]["view"]["clip"] is None


def test_a_window_on_a_volume_picture_says_that_it_does_nothing(three: Callable[..., Page], beads: Study) -> None:
    page = three(beads)
    panel(page)
    activate(page, FOURTH)
    page.locator("#panel-volume").get_by_role("button", name="Bone", exact=True).click()
    wait_for(page, f"farview.viewports[{FOURTH}].lastHeader.view.projection === 'volume' && {ALL_EXACT}", 60)
    said = page.locator(".pane").nth(FOURTH).locator(".passing")
    page.keyboard.press("2")
    assert said.inner_text().startswith("A volume picture has no window")


def test_the_slider_of_a_slab_says_its_millimetres(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    hang(page, "One viewport", 0)
    panel(page)
    slider = page.locator("#panel-volume").get_by_label("Slab")
    slider.fill("12.5")
    view = still(page)["view"]
    assert (view["projection"], view["slab_thickness"]) == ("mip", 12.5)
    assert slider.get_attribute("aria-valuetext") == "12.5 mm"
    slider.fill("0")
    assert still(page)["view"]["projection"] == "slice"


@pytest.fixture(scope="module")
def fused(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A PET, a CT of the same frame of reference (its body as HU), and the same CT in another one."""
    study, folder = generate_uid(), tmp_path_factory.mktemp("fused")
    files = sorted((archive.shared / PET).glob("*.dcm"))
    ct = "1.2.840.10008.5.1.4.1.1.2"

    def as_ct(number: int) -> Callable[[pydicom.Dataset], None]:
        def change(d: pydicom.Dataset) -> None:
            values = d.pixel_array * float(d.RescaleSlope)
            d.PixelData = np.where(values > 150, 30, -1000).astype("<i2").tobytes()
            d.SOPClassUID = d.file_meta.MediaStorageSOPClassUID = ct
            d.Modality, d.SeriesNumber, d.SeriesDescription = "CT", number, f"CT {number}"
            d.RescaleSlope, d.RescaleIntercept, d.PixelRepresentation = "1", "0", 1
            d.WindowCenter, d.WindowWidth = "40", "400"
            del d.Units

        return change

    def first(d: pydicom.Dataset) -> None:
        d.SeriesNumber = 1

    copies(files, folder / "pt", study=study, change=first)
    copies(files, folder / "ct", study=study, change=as_ct(2))
    copies(files[:20], folder / "elsewhere", study=study, frame_of_reference=generate_uid(), change=as_ct(3))
    return taken(archive, study, folder)


def test_pet_over_ct_with_its_own_window_colours_and_opacity(
    browse: Callable[..., Page], archive: Archive, fused: Study
) -> None:
    page = browse()
    show(page, archive, fused)
    by_number = {series["number"]: series["series_instance_uid"] for series in fused.series}
    tiles = page.locator(".tile")
    ct = next(at for at in range(tiles.count()) if "CT 2" in tiles.nth(at).inner_text())
    hang(page, "One viewport", ct)
    panel(page)
    page.locator("#panel-volume").get_by_label("Series").select_option(by_number[1])
    wait_for(page, "farview.viewports[0].lastHeader.view.fusion && farview.viewports[0].exact", 60)
    page.locator("#panel-volume").get_by_label("Opacity").fill("80")
    page.locator("#panel-volume").get_by_label("Colours").select_option("pet")
    view = still(page)["view"]
    assert (view["fusion"]["series"], view["fusion"]["opacity"], view["fusion"]["color_map"]) == (
        by_number[1],
        0.8,
        "pet",
    )
    told = page.evaluate("farview.features.volume.fusion")
    center, width = (view["fusion"][f"window_{name}"] for name in ("center", "width"))
    assert told["unit"] == "SUVbw"
    assert told["limits"] == pytest.approx(
        [(center - width / 2) * SUV_FACTOR, (center + width / 2) * SUV_FACTOR], rel=1e-3
    )
    assert "66.2" in page.locator("#panel-volume").inner_text(), "the weight that it was computed with"
    page.locator("#panel-volume").get_by_label("To").fill("8")
    page.keyboard.press("Enter")
    view = still(page)["view"]
    upper = view["fusion"]["window_center"] + view["fusion"]["window_width"] / 2
    assert upper * SUV_FACTOR == pytest.approx(8, rel=1e-3)
    before = view["window_width"], view["fusion"]["window_width"]
    page.get_by_role("button", name="Drag the overlay's window").click()
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    page.mouse.down()
    page.mouse.move(middle["x"] + 50, middle["y"], steps=4)
    page.mouse.up()
    view = still(page)["view"]
    assert view["window_width"] == before[0], "the picture's own window is left alone"
    assert view["fusion"]["window_width"] > before[1]
    assert any(line.startswith("PT 80 %") for line in page.locator(".corner.bottom-left").inner_text().splitlines())
    page.get_by_role("button", name="Take the overlay away").click()
    assert still(page)["view"]["fusion"] is None
    assert page.locator("#panes").get_attribute("data-tool") == "window"


def test_a_pet_tells_its_window_in_suv_and_what_it_was_computed_from(
    browse: Callable[..., Page], archive: Archive
) -> None:
    page = browse()
    show(page, archive, archive.study(PET))
    hang(page, "One viewport", 0)
    view = still(page)["view"]
    width, center = (f"{view[f'window_{name}'] * SUV_FACTOR:.3g}" for name in ("width", "center"))
    assert f"W {width} C {center} SUVbw" in page.locator(".corner.bottom-left").first.inner_text().splitlines()
    panel(page)
    assert "66.2" in page.locator("#panel-volume").inner_text()


def test_a_pet_without_a_weight_is_not_told_in_suv_and_says_why(
    browse: Callable[..., Page], archive: Archive, tmp_path: Path
) -> None:
    """cornerstone3D#163, OHIF/Viewers#3587: SUV with missing data."""

    def weightless(d: pydicom.Dataset) -> None:
        del d.PatientWeight

    study = generate_uid()
    copies(sorted((archive.shared / PET).glob("*.dcm"))[:12], tmp_path / "pt", study=study, change=weightless)
    page = browse()
    show(page, archive, taken(archive, study, tmp_path / "pt"))
    hang(page, "One viewport", 0)
    assert "BQML" in page.locator(".corner.bottom-left").first.inner_text()
    panel(page)
    assert re.search(r"No SUV: .*weight", page.locator("#panel-volume").inner_text(), re.IGNORECASE)


def test_a_series_of_another_frame_of_reference_is_refused_with_the_reason(
    browse: Callable[..., Page], archive: Archive, fused: Study
) -> None:
    page = browse()
    show(page, archive, fused)
    by_number = {series["number"]: series["series_instance_uid"] for series in fused.series}
    tiles = page.locator(".tile")
    ct = next(at for at in range(tiles.count()) if "CT 2" in tiles.nth(at).inner_text())
    hang(page, "One viewport", ct)
    panel(page)
    page.locator("#panel-volume").get_by_label("Series").select_option(by_number[3])
    page.locator("#panel-volume .quiet", has_text="another frame of reference").wait_for()
    assert still(page)["view"]["fusion"] is None
