"""Objects that are no pictures, in the page: listed, read, gone through, chosen, laid over; nothing in them can act."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from playwright.sync_api import Locator, Page
from pydicom.uid import generate_uid

from tests.browser.conftest import Archive, fitted, painted, still
from tests.browser.made import HOSTILE, MP4, SIDE, Made
from tests.chromium import wait_for

SEG = ("derived/seg_liver.dcm", "derived/ct3slice_01.dcm", "derived/ct3slice_02.dcm", "derived/ct3slice_03.dcm")


@pytest.fixture(scope="module")
def made(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A study with one object of each kind, in the archive."""
    made = Made(tmp_path_factory.mktemp("made"), 1)
    made.key_objects([4, 1, 3])
    for write in (made.report, made.dose, made.pdf, made.state, made.video, made.plan):
        write()
    archive.server.manage("ingest", made.folder)
    return made


@pytest.fixture
def page(browse: Callable[..., Page], archive: Archive, made: Made) -> Page:
    return opened_at(browse(), archive, made.study)


def opened_at(page: Page, archive: Archive, study: str) -> Page:
    """The study with its panel of objects open and its first exact picture."""
    page.goto(f"{archive.server.url}/studies/{study}/")
    wait_for(page, "window.farview && farview.features.objects.state === 'ready' && farview.viewports[0].exact")
    page.locator("#tab-objects").click()
    fitted(page)
    return page


def panel(page: Page) -> Locator:
    return page.locator("#panel-objects")


def row(page: Page, words: str) -> Locator:
    return panel(page).locator(".object-list > li", has_text=words)


def shown(page: Page) -> str:
    return str(still(page)["view"]["sop_instance_uid"])


def nothing_struck(page: Page) -> bool:
    return page.evaluate("window.struck === undefined && !document.querySelector('img[src=x]')")


# --- the list


def test_every_object_is_listed_with_what_it_is_or_why_it_cannot_be_shown(page: Page) -> None:
    kinds = panel(page).locator(".object-list > li").all_inner_texts()
    found = [next(line for line in text.splitlines() if "," in line or line.startswith("Object")) for text in kinds]
    assert [line.split(",")[0] for line in found] == [
        *("Structured report", "Dose report", "PDF document", "Key object selection", "Presentation state"),
        *("Video", "Object"),
    ]
    assert all("2024-02-01 11:30" in text for text in kinds if "Video" not in text)
    plan = row(page, "Cannot be shown")
    assert plan.count() == 1
    assert "RT plan" in plan.inner_text() or "plan" in plan.inner_text().lower()
    assert plan.locator("button").count() == 0
    assert page.locator("#tab-objects .count").inner_text() == "7"


def test_a_study_of_pictures_alone_says_so(opened: Callable[..., Page]) -> None:
    page = opened("series/mr_head_sag_HFDR")
    page.locator("#tab-objects").click()
    assert "pictures only" in panel(page).inner_text()
    assert page.locator("#tab-objects .count").inner_text() == ""


def test_a_list_that_does_not_come_says_why_and_can_be_asked_for_again(
    browse: Callable[..., Page], archive: Archive, made: Made
) -> None:
    page = browse()
    doors = "**/api/studies/*/objects/*"
    page.route(doors, lambda route: route.fulfill(status=503, json={"detail": "The database cannot be used now."}))
    page.goto(f"{archive.server.url}/studies/{made.study}/")
    wait_for(page, "window.farview && farview.features.objects.state === 'failed'")
    page.locator("#tab-objects").click()
    assert "The database cannot be used now." in panel(page).get_by_role("alert").inner_text()
    page.unroute(doors)
    panel(page).get_by_role("button", name="Try again").click()
    wait_for(page, "farview.features.objects.objects.length === 7")
    assert panel(page).get_by_role("alert").count() == 0


# --- reports


def test_a_report_is_read_as_a_tree_and_its_text_stays_text(page: Page) -> None:
    row(page, "Structured report").locator("button.object").click()
    tree = panel(page).locator(".report-tree")
    tree.wait_for()
    said = tree.inner_text()
    assert "Doe, Ann" in said.replace("^", ", ") or "Ann" in said
    assert "Length" in said
    assert "12.5 mm" in said
    assert tree.locator(".value.text").first.inner_text() == HOSTILE.replace("\u202e", "").strip()
    assert panel(page).locator("h2").inner_text() == "Imaging Measurement Report"
    assert nothing_struck(page)
    folded = tree.locator("details").first
    folded.locator("summary").first.click()
    assert not tree.get_by_text("12.5 mm").is_visible()
    panel(page).get_by_role("button", name="Unfold all").click()
    assert tree.get_by_text("12.5 mm").is_visible()


def test_a_reference_in_a_report_leads_to_its_picture(page: Page, made: Made) -> None:
    assert shown(page) == made.images[0]
    row(page, "Structured report").locator("button.object").click()
    panel(page).get_by_role("button", name="Show image").click()
    wait_for(page, "farview.viewports[0].lastHeader.view.frame === 4")
    assert shown(page) == made.images[4]
    panel(page).get_by_role("button", name="Open wide").click()
    dialog = page.locator("dialog.object-view")
    assert "Made, Mary" in dialog.inner_text()
    assert "12.5 mm" in dialog.inner_text()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    panel(page).get_by_role("button", name="All objects").click()
    assert page.evaluate("document.activeElement.classList.contains('object')"), "the hand is back where it was"


def test_a_dose_report_is_a_table(page: Page) -> None:
    row(page, "Dose report").locator("button.object").click()
    table = panel(page).locator("table.events")
    table.wait_for()
    assert panel(page).locator("table.dose").first.inner_text().split("\t") == [
        "CT Dose Length Product Total",
        "312.7 mGy.cm",
    ]
    heads = table.locator("thead th").all_inner_texts()
    cells = table.locator("tbody td").all_inner_texts()
    assert dict(zip(heads, cells, strict=True)) == {
        "Protocol": "Thorax routine",
        "Mean CTDIvol": "8.21 mGy",
        "DLP": "312.7 mGy.cm",
    }


def test_a_report_that_cannot_be_read_says_why(page: Page) -> None:
    page.route("**/document/*", lambda route: route.fulfill(status=422, json={"detail": "The file is cut off."}))
    row(page, "Structured report").locator("button.object").click()
    alert = panel(page).get_by_role("alert")
    alert.wait_for()
    assert "The file is cut off." in alert.inner_text()
    panel(page).get_by_role("button", name="All objects").click()
    assert row(page, "Dose report").is_visible()


def test_the_tile_of_a_report_opens_it_and_leaves_the_picture(page: Page, made: Made) -> None:
    tile = page.locator(".tile.undrawn", has_text="SR").first
    wait_for(page, "document.querySelectorAll('.tile.document').length > 1")
    assert "not shown" not in tile.inner_text()
    assert "open" in tile.inner_text()
    tile.click()
    panel(page).locator("h2", has_text="Report").wait_for()
    assert shown(page) == made.images[0]


def test_a_study_of_a_report_alone_opens_it_from_the_pane(browse: Callable[..., Page], archive: Archive) -> None:
    study = archive.study("derived/sr_basic_text.dcm")
    page = browse()
    page.goto(f"{archive.server.url}/studies/{study.study_instance_uid}/")
    notice = page.locator(".pane .notice", has=page.get_by_role("button", name="Open"))
    notice.wait_for()
    assert "Structured report" in notice.inner_text()
    assert "cannot be shown" not in notice.inner_text()
    notice.get_by_role("button", name="Open").click()
    panel(page).locator("h2").first.wait_for()


# --- a PDF and a video


def test_a_pdf_is_shown_by_the_browser_in_a_frame_that_can_do_nothing(page: Page, archive: Archive) -> None:
    answers: list[dict[str, Any]] = []
    page.on("response", lambda answer: "/pdf/" in answer.url and answers.append(answer.headers))
    row(page, "PDF document").locator("button.object").click()
    dialog = page.locator("dialog.object-view")
    assert dialog.locator("h2").inner_text() == "Letter"
    address = dialog.locator("iframe").get_attribute("src").partition("#")[0]
    assert address.endswith("/pdf/?organization=default")
    page.wait_for_timeout(500)
    assert answers[0]["content-type"] == "application/pdf"
    policy = archive.get(address).headers["Content-Security-Policy"]
    assert policy.startswith("sandbox;"), "the browser's own viewer stands outside of it, what is in the file inside"
    assert dialog.get_by_role("link", name="Download").get_attribute("download") == "document.pdf"
    dialog.get_by_role("button", name="Close").click()
    page.locator("iframe").wait_for(state="detached")


def test_a_video_is_the_browsers_own_player_and_one_that_it_cannot_play_says_so(page: Page) -> None:
    row(page, "Video").locator("button.object").click()
    dialog = page.locator("dialog.object-view")
    alert = dialog.get_by_role("alert")
    alert.wait_for()
    assert "cannot play" in alert.inner_text()
    assert "/video/" in dialog.get_by_role("link", name="Download").get_attribute("href")


RECORD = """async () => {
  const type = "video/mp4;codecs=avc1.42E01E";
  if (!MediaRecorder.isTypeSupported(type)) return null;
  const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 240 });
  const ink = canvas.getContext("2d");
  const recorder = new MediaRecorder(canvas.captureStream(25), { mimeType: type });
  const parts = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  recorder.start();
  for (let turn = 0; turn < 25; turn += 1) {
    ink.fillStyle = `hsl(${turn * 14} 90% 50%)`;
    ink.fillRect(0, 0, 320, 240);
    await new Promise((done) => setTimeout(done, 40));
  }
  await new Promise((done) => { recorder.addEventListener("stop", done); recorder.stop(); });
  const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""
"""A second of moving colours in H.264, as this browser encodes it; null where it has no such encoder."""


def test_a_video_in_h264_plays(browse: Callable[..., Page], archive: Archive, tmp_path: Path) -> None:
    """A real stream, encoded by the browser of the test and put into a DICOM object; one without the codec says so."""
    page = browse()
    page.goto(archive.server.url)
    recorded = page.evaluate(RECORD)
    made = Made(tmp_path, 2)
    made.video(base64.b64decode(recorded) if recorded else MP4)
    archive.server.manage("ingest", tmp_path)
    page.goto(f"{archive.server.url}/studies/{made.study}/")
    wait_for(page, "window.farview && farview.features.objects.state === 'ready'")
    page.locator("#tab-objects").click()
    row(page, "Video").locator("button.object").click()
    if recorded is None:
        page.locator("dialog.object-view").get_by_role("alert").wait_for()
        return
    wait_for(page, "document.querySelector('dialog video')?.readyState >= 2")
    sizes = page.evaluate(
        "[document.querySelector('dialog video').videoWidth, document.querySelector('dialog video').videoHeight]"
    )
    assert sizes == [320, 240]
    page.evaluate("document.querySelector('dialog video').play()")
    wait_for(page, "document.querySelector('dialog video').currentTime > 0.3")


# --- a key object selection as a filter


def test_scrolling_goes_through_what_is_selected_in_its_order_and_through_all_again(page: Page, made: Made) -> None:
    row(page, "Key object selection").get_by_role("button", name="Go through these").click()
    wait_for(page, "farview.features.objects.filter")
    seen = [shown(page)]
    page.locator(".pane").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        seen.append(shown(page))
    assert seen == [made.images[place] for place in (4, 1, 3, 3)]
    page.keyboard.press("ArrowUp")
    assert shown(page) == made.images[1]
    page.locator(".pane .stage").first.hover()
    page.mouse.wheel(0, 120)
    assert shown(page) == made.images[3]
    page.keyboard.press("Home")
    assert shown(page) == made.images[4]
    assert "1 of 3 images selected" in panel(page).locator(".filtering").inner_text()
    assert page.locator(".tile:visible").count() == 1, "series without a selected image leave the strip"
    panel(page).locator(".filtering").get_by_role("button", name="Show everything").click()
    page.locator(".pane").first.focus()
    page.keyboard.press("ArrowDown")
    assert shown(page) == made.images[5]
    assert page.locator(".tile:visible").count() > 1
    assert page.evaluate("farview.features.objects.filter") is None


# --- presentation states


def test_a_presentation_state_is_chosen_drawn_and_taken_off(page: Page, made: Made) -> None:
    """OHIF/Viewers#4106: states were ignored."""
    page.locator(".pane").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert shown(page) == made.images[2]
    before = fitted(page)
    page.keyboard.press("Home")
    assert shown(page) == made.images[0]
    panel(page).get_by_label("BRIGHT").check()
    wait_for(page, "farview.viewports[0].lastHeader.view.presentation_state && farview.viewports[0].exact")
    assert shown(page) == made.images[2], "it is about that image"
    after = painted(page)
    assert after["sha256"] == after["header"]["sha256"]
    assert after["sha256"] != before["sha256"]
    shapes = page.evaluate(GRAPHICS)
    line, circle = (one for one in shapes if one["name"] in ("path", "circle"))
    size = shapes[0]["pixel"]
    # From the middle of the 16th pixel to that of the 48th, counted from 1: 32 pixels long.
    assert line["width"] == pytest.approx(32 * size, rel=0.02)
    assert circle["width"] == pytest.approx(16 * size, rel=0.02)
    assert circle["x"] == pytest.approx(shapes[0]["left"] + 32 * size, abs=size)
    text = page.locator(".layers .graphic text").text_content()
    assert HOSTILE.strip() in (text or "") or HOSTILE[:40] in (text or "")
    assert nothing_struck(page)
    panel(page).get_by_label("As stored").check()
    wait_for(page, "!farview.viewports[0].lastHeader.view.presentation_state && farview.viewports[0].exact")
    assert painted(page)["sha256"] == before["sha256"]
    assert page.locator(".layers .graphic").count() == 0


GRAPHICS = f"""() => {{
  const stage = document.querySelector(".stage").getBoundingClientRect();
  const pixel = Math.min(stage.width, stage.height) / {SIDE};
  const left = (stage.width - pixel * {SIDE}) / 2;
  return [...document.querySelectorAll(".layers .graphic > .line")].map((one) => {{
    const box = one.getBBox();
    return {{ name: one.tagName, width: box.width, height: box.height, x: box.x + box.width / 2, pixel, left }};
  }});
}}"""


def test_states_are_chosen_by_keys_alone(page: Page) -> None:
    stored = panel(page).get_by_label("As stored")
    stored.focus()
    before = still(page)["view"]
    page.keyboard.press("ArrowDown")
    wait_for(page, "farview.viewports[0].lastHeader.view.presentation_state && farview.viewports[0].exact")
    assert panel(page).get_by_label("BRIGHT").is_checked()
    assert page.evaluate("document.activeElement.type") == "radio", "the hand stays where it is"
    page.keyboard.press("ArrowUp")
    wait_for(page, "!farview.viewports[0].lastHeader.view.presentation_state && farview.viewports[0].exact")
    assert still(page)["view"]["zoom"] == before["zoom"]


def test_the_menu_of_the_toolbar_holds_states_and_the_list(page: Page) -> None:
    page.locator("#tab-objects").click()
    page.keyboard.press("End")
    still(page)
    page.get_by_role("button", name="Objects, presentation states").click()
    menu = page.locator("[data-menu=objects] [role=menu]")
    assert menu.get_by_role("menuitemradio", name="BRIGHT").count() == 1
    menu.get_by_role("menuitem", name="All objects of this study").click()
    assert panel(page).is_visible()


# --- segmentations


def test_segments_lie_over_the_picture_with_their_legend(opened: Callable[..., Page]) -> None:
    page = opened(*SEG)
    page.locator(".tile", has_text="CT").first.click()
    page.locator("#tab-objects").click()
    bare = fitted(page)
    assert bare["grey"]
    box = panel(page).locator(".segmentation")
    box.get_by_label("Over the picture").check()
    wait_for(page, "farview.viewports[0].lastHeader.view.segmentations.length === 1 && farview.viewports[0].exact")
    over = painted(page)
    assert not over["grey"]
    box.locator(".legend li").first.wait_for()
    legend = box.locator(".legend li").all_inner_texts()
    assert legend == ["Liver"]
    box.locator("input[type=range]").fill("100")
    wait_for(page, "farview.viewports[0].wish.segmentations[0].opacity === 1 && farview.viewports[0].exact")
    assert painted(page)["sha256"] != over["sha256"]
    box.locator(".legend input").first.click()
    wait_for(page, "!farview.viewports[0].wish.segmentations?.length && farview.viewports[0].exact")
    assert painted(page)["sha256"] == bare["sha256"]


def test_a_segment_leads_to_where_it_is_largest(opened: Callable[..., Page], archive: Archive) -> None:
    page = opened(SEG[1], *SEG[2:], SEG[0])
    page.locator("#tab-objects").click()
    box = panel(page).locator(".segmentation")
    box.get_by_label("Over the picture").check()
    seg = pydicom.dcmread(archive.shared / SEG[0])
    sizes = [int(mask.sum()) for mask in seg.pixel_array]
    most = seg.PerFrameFunctionalGroupsSequence[sizes.index(max(sizes))]
    z = float(most.PlanePositionSequence[0].ImagePositionPatient[2])
    page.locator(".pane").first.focus()
    for key in ("Home", "End"):
        page.keyboard.press(key)
        if abs(still(page)["geometry"]["top_left"][2] - z) > 0.1:
            break
    assert abs(still(page)["geometry"]["top_left"][2] - z) > 0.1
    box.get_by_role("button", name="Go to where Liver is largest").click()
    wait_for(page, f"Math.abs(farview.viewports[0].lastHeader.geometry.top_left[2] - {z}) < 0.1")


def test_a_segmentation_is_shown_over_the_series_it_was_made_on(opened: Callable[..., Page]) -> None:
    page = opened(*SEG)
    page.locator(".tile", has_text="SEG").first.click()
    still(page)
    page.locator("#tab-objects").click()
    panel(page).get_by_role("button", name="Show it over CT").click()
    wait_for(page, "farview.viewports[0].lastHeader?.view.segmentations.length === 1 && farview.viewports[0].exact")
    assert not painted(page)["grey"]


def test_a_segmentation_of_a_prior_lies_over_the_prior(
    opened: Callable[..., Page], archive: Archive, tmp_path: Path
) -> None:
    """A study of today of the same patient; the study with the segmentation is the one to compare with."""
    study, series = generate_uid(), generate_uid()
    for name in SEG[1:]:
        dataset = pydicom.dcmread(archive.shared / name)
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.StudyDate, dataset.AccessionNumber = "20300101", "TODAY"
        dataset.save_as(tmp_path / f"{dataset.SOPInstanceUID}.dcm")
    page = opened(*SEG)
    archive.server.manage("ingest", tmp_path)
    page.goto(f"{archive.server.url}/studies/{study}/")
    wait_for(page, "window.farview && farview.viewports[1]?.exact")
    page.locator("#tab-objects").click()
    panel(page).get_by_text("This study holds pictures only").wait_for()
    page.locator("canvas").nth(1).click()
    panel(page).get_by_text("which the active viewport shows").wait_for()
    panel(page).get_by_label("Over the picture").check()
    wait_for(page, "farview.viewports[1].lastHeader.view.segmentations.length === 1 && farview.viewports[1].exact")
    assert page.evaluate("farview.viewports[1].wish.segmentations.length") == 1
    assert not page.evaluate("farview.viewports[0].wish.segmentations?.length")


# --- small screens


def test_objects_are_reached_on_a_phone(browse: Callable[..., Page], archive: Archive, made: Made) -> None:
    page = browse(width=390, height=844, has_touch=True, is_mobile=True)
    page.goto(f"{archive.server.url}/studies/{made.study}/")
    wait_for(page, "window.farview && farview.features.objects.state === 'ready' && farview.viewports[0].exact")
    page.get_by_role("button", name="Objects, presentation states").tap()
    page.get_by_role("menuitem", name="All objects of this study").tap()
    row(page, "Structured report").locator("button.object").tap()
    panel(page).locator(".report-tree").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    sheet, tools = panel(page).locator("xpath=../..").bounding_box(), page.locator("#toolbar").bounding_box()
    assert sheet
    assert tools
    assert sheet["y"] + sheet["height"] <= tools["y"], "nothing of the panel lies under the tools"
    page.locator("#tab-objects").tap()
    assert panel(page).is_hidden()
