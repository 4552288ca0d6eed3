"""What is painted is what the server drew, to the bit, and it is there soon."""

from __future__ import annotations

import hashlib
import io
import json
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import CHEST, Archive, painted, still
from tests.chromium import wait_for


def http_picture(archive: Archive, header: dict) -> np.ndarray:
    answer = archive.get(
        f"/api/series/{header['view']['series']}/frame", view=json.dumps(header["view"]), media_type="image/png"
    )
    return np.asarray(Image.open(io.BytesIO(answer.content)))


@pytest.mark.parametrize("ratio", [1, 2])
def test_the_painted_ct_equals_its_hash_and_the_picture_over_http(
    opened: Callable[..., Page], archive: Archive, ratio: int
) -> None:
    page = opened(CHEST, device_scale_factor=ratio)
    have = painted(page)
    header = have["header"]
    assert have["grey"]
    assert have["levels"] > 100
    assert header["exact"]
    assert have["sha256"] == header["sha256"]
    assert hashlib.sha256(http_picture(archive, header).tobytes()).hexdigest() == header["sha256"]


def test_one_picture_pixel_lies_on_one_pixel_of_the_screen(opened: Callable[..., Page]) -> None:
    page = opened(CHEST, device_scale_factor=1.5)
    have = painted(page)
    assert [have["height"], have["width"]] == have["header"]["view"]["size"]
    assert have["onScreen"] == pytest.approx([have["width"], have["height"]], abs=0.1)


@pytest.mark.parametrize("clip", ["US_palette_10f_rle.dcm", "US_34f_ybr422_jpeg.dcm"])
def test_a_colour_clip_is_painted_without_a_shade_of_difference(
    opened: Callable[..., Page], archive: Archive, clip: str
) -> None:
    """OHIF/Viewers#4110: green YBR_FULL_422; OHIF/Viewers#4218: palettes."""
    page = opened(f"cine/{clip}")
    have = painted(page)
    assert not have["grey"]
    assert have["sha256"] == have["header"]["sha256"]
    assert http_picture(archive, have["header"]).shape[-1] == 3


def test_every_view_is_exact_after_a_rest(opened: Callable[..., Page], archive: Archive) -> None:
    page = opened(CHEST)
    for keys in ("End", "ArrowUp", "5", "r", "h", "i", "+", "+", "ArrowUp"):
        page.keyboard.press(keys)
    header = still(page)
    view = header["view"]
    assert (view["frame"], view["rotation"], view["flip_horizontal"], view["inverted"]) == (214, 90, True, True)
    have = painted(page)
    assert have["sha256"] == header["sha256"]
    assert hashlib.sha256(http_picture(archive, header).tobytes()).hexdigest() == header["sha256"]


def test_the_badge_is_green_only_for_the_exact_answer_to_the_newest_change(opened: Callable[..., Page]) -> None:
    """trame#880, trame-vtk#77: the last picture of a remote server was an old one."""
    page = opened(CHEST)
    badge = page.locator(".mark.stream").first
    assert badge.inner_text().strip() == "exact"
    after_change = page.evaluate(
        """() => {
          document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
          return [document.querySelector(".mark.stream").dataset.state, farview.viewports[0].exact];
        }"""
    )
    assert after_change == ["preview", False]
    still(page)
    assert badge.inner_text().strip() == "exact"


def test_a_moving_picture_on_a_large_pane_has_fewer_pixels_in_the_same_place(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    exact = painted(page)
    assert exact["header"]["rows"] * exact["header"]["columns"] > 2**20
    page.evaluate(
        """() => {
          window.moving = [];
          const look = () => {
            const { lastHeader, canvas } = farview.viewports[0];
            if (!lastHeader.exact) {
              const box = canvas.getBoundingClientRect();
              const onScreen = [box.width * devicePixelRatio, box.height * devicePixelRatio];
              window.moving.push([lastHeader.rows * lastHeader.columns, ...onScreen]);
            }
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    for _ in range(5):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(40)
    still(page)
    moving = page.evaluate("window.moving")
    assert moving
    assert max(pixels for pixels, *_ in moving) <= 2**20
    assert all(on_screen == exact["onScreen"] for _, *on_screen in moving)
    assert painted(page)["width"] == exact["width"]


def test_the_first_picture_is_there_soon(
    opened: Callable[..., Page], archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints the median; asserts nothing about time, for this machine may be busy."""
    page = opened(CHEST)
    times = []
    for _ in range(7):
        page.reload()
        wait_for(page, "window.farview && farview.viewports[0]?.exact")
        timing = page.evaluate("farview.viewports[0].timing")
        times.append(timing["painted"] - timing["sent"])
    assert len(times) == 7
    with capsys.disabled():
        print(
            f"\nfirst picture of the chest CT, opening to painted: {statistics.median(times):.0f} ms median of {len(times)}"
        )
