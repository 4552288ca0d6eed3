"""Mammograms: an image counts as viewed only when exact pictures at full size have covered it, and a reload forgets nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import CHEST, Archive, still
from tests.chromium import wait_for, wait_until

MAMMOGRAM = "xray/MG_GH133_3062x2394.dcm"
VIEWED = "farview.features.viewed"


@pytest.fixture
def page(opened: Callable[..., Page], archive: Archive) -> Page:
    page = opened(MAMMOGRAM)
    wait_for(page, f"{VIEWED}.images.length === 1")
    return page


def covered(page: Page) -> float:
    return float(page.evaluate(f"{VIEWED}.images[0].covered"))


def kept(archive: Archive) -> dict[str, Any]:
    study = archive.study(MAMMOGRAM).study_instance_uid
    found: dict[str, Any] = archive.get(f"/api/studies/{study}/viewed/").json()
    return found


def judged(header: dict[str, Any], seen: np.ndarray) -> None:
    """Marks the pixels of the image whose centres lie in an exact picture that is no smaller than the image."""
    if not header["exact"] or header["sampling"] not in ("native", "enlarged"):
        return
    first, across, down = (np.array(header["placement"][name]) for name in ("first", "across", "down"))
    far = first + across * (header["columns"] - 1) + down * (header["rows"] - 1)
    half = (np.abs(across) + np.abs(down)) / 2
    low, high = np.minimum(first, far) - half, np.maximum(first, far) + half
    rows, columns = np.arange(seen.shape[0]), np.arange(seen.shape[1])
    seen[np.ix_((rows >= low[1]) & (rows <= high[1]), (columns >= low[0]) & (columns <= high[0]))] = True


def test_only_what_was_exact_and_at_full_size_counts_and_a_reload_forgets_nothing(page: Page, archive: Archive) -> None:
    mark = page.locator(".mark.viewed")
    assert (covered(page), mark.inner_text()) == (0, "viewed 0 %"), "a reduced picture shows nothing wholly"
    image = kept(archive)["images"][0]
    seen = np.zeros((image["rows"], image["columns"]), bool)
    page.keyboard.press("0")
    judged(still(page), seen)
    assert 0 < covered(page) < 1
    assert covered(page) == pytest.approx(seen.mean(), abs=1e-9)
    assert mark.inner_text() == f"viewed {int(seen.mean() * 100)} %"
    page.keyboard.press("r")
    page.keyboard.press("h")
    judged(still(page), seen)
    assert covered(page) == pytest.approx(seen.mean(), abs=1e-9), "turned and flipped it is the same part"
    before = covered(page)
    wait_until(lambda: kept(archive)["images"][0]["covered"] == pytest.approx(before), pause=page.wait_for_timeout)
    page.reload()
    wait_for(page, f"window.farview?.viewports[0]?.exact && {VIEWED}.images[0]?.covered")
    assert covered(page) == pytest.approx(before)
    for _ in range(40):
        if covered(page) >= 1:
            break
        page.keyboard.press("Shift+w")
        page.wait_for_timeout(50)
        judged(still(page), seen)
        assert covered(page) == pytest.approx(seen.mean(), abs=1e-9)
    assert seen.all()
    assert mark.inner_text() == "viewed"
    wait_until(lambda: kept(archive)["complete"], pause=page.wait_for_timeout)
    page.keyboard.press("Shift+w")
    page.locator(".remark", has_text="All mammograms of this study were seen").wait_for()


def test_the_panel_lists_what_is_left_and_leads_there(page: Page) -> None:
    page.get_by_role("tab", name="Viewed at full size").click()
    row = page.locator(".viewed-images li button")
    assert row.count() == 1
    assert row.locator(".number").inner_text().endswith("%")


def test_other_images_bear_no_such_mark(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    assert page.locator(".mark.viewed").count() == 0
    assert page.get_by_role("tab", name="Viewed at full size").count() == 0
