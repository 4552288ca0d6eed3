"""OHIF, another viewer, reads a study from our DICOMweb in a real browser: as a stack, and as planes through a volume.

It takes a minute: OHIF's pages are 46 MB, and a volume is drawn by software.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.chromium import ARGUMENTS, executable, wait_until
from tests.peers.conftest import Site, needed
from tests.peers.ohif import DIST, Ohif

SERIES = Path("series") / "mr_head_sag_HFDR"
DRAWN_BY_SOFTWARE = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
PATIENCE_S = 180.0

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def ohif(site: Site, shared_data: Path) -> Iterator[Ohif]:
    needed(DIST / "index.html", "nothing: OHIF comes by .ci/ohif.py")
    site.live.manage("ingest", shared_data / SERIES)
    with Ohif(site.live.port, site.token) as running:
        yield running


@pytest.fixture(scope="module")
def page(ohif: Ohif) -> Iterator[Page]:
    flags = [flag for flag in ARGUMENTS if flag != "--disable-gpu"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*flags, *DRAWN_BY_SOFTWARE])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(PATIENCE_S * 1000)
        yield page
        browser.close()


@pytest.fixture(scope="module")
def slices(shared_data: Path) -> list[pydicom.Dataset]:
    """Of the series, as OHIF orders them: by Instance Number."""
    read = [pydicom.dcmread(path) for path in (shared_data / SERIES).iterdir() if path.suffix == ".dcm"]
    return sorted(read, key=lambda image: int(image.InstanceNumber))


def pictures(page: Page) -> list[Picture]:
    """What stands in each viewport, in grey."""
    found = []
    for canvas in page.query_selector_all(".viewport-element canvas"):
        box = canvas.bounding_box()
        assert box is not None
        shot: Any = {name: box[name] for name in ("x", "y", "width", "height")}
        found.append(np.asarray(Image.open(io.BytesIO(page.screenshot(clip=shot))).convert("L")))
    return found


def has_structure(picture: Picture) -> bool:
    """Neither black nor flat nor noise: a good part is grey, and what lies side by side looks alike."""
    middle = picture[picture.shape[0] // 5 : -picture.shape[0] // 5].astype(float)
    grey = np.mean((middle > 25) & (middle < 230))
    return bool(grey > 0.08 and middle.std() > 15 and likeness(middle[:, 1:], middle[:, :-1]) > 0.9)


def likeness(one: NDArray[Any], other: NDArray[Any]) -> float:
    rows, columns = (min(sizes) for sizes in zip(one.shape, other.shape, strict=True))
    return float(np.corrcoef(one[:rows, :columns].ravel(), other[:rows, :columns].ravel())[0, 1])


def as_shown(image: pydicom.Dataset, picture: Picture) -> Picture:
    """The stored pixels fitted into a viewport by its height."""
    values = image.pixel_array.astype(float)
    scaled = np.clip(values / np.percentile(values, 99.5), 0, 1) * 255
    height = picture.shape[0]
    fitted = Image.fromarray(scaled.astype(np.uint8)).resize((height, height), Image.Resampling.BILINEAR)
    canvas = Image.new("L", (picture.shape[1], height))
    canvas.paste(fitted, ((picture.shape[1] - height) // 2, 0))
    return np.asarray(canvas)


def opened(page: Page, ohif: Ohif, study: str, more: str = "") -> None:
    page.goto(f"{ohif.url}/viewer?StudyInstanceUIDs={study}{more}")
    page.wait_for_selector(".viewport-element canvas")


def test_a_study_opens_as_a_stack_with_the_pixels_of_its_files(
    page: Page, ohif: Ohif, slices: list[pydicom.Dataset]
) -> None:
    opened(page, ohif, slices[0].StudyInstanceUID)
    page.get_by_text("Skip all").click()
    page.mouse.move(760, 420)
    for _ in range(len(slices) // 2):
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(60)

    def shown() -> int | None:
        """The number of the image that OHIF says it shows, when it is there."""
        [picture] = pictures(page)
        likenesses = [likeness(picture, as_shown(image, picture)) for image in slices]
        best = int(np.argmax(likenesses))
        written = (
            page.get_by_text(f"I: {slices[best].InstanceNumber}").count()
            or page.get_by_text(f"({best + 1}/{len(slices)})").count()
        )
        return best if has_structure(picture) and likenesses[best] > 0.8 and written else None

    wait_until(lambda: shown() is not None, "a slice of the series stands in the viewport", PATIENCE_S)
    best = shown()
    assert best is not None
    assert abs(best - len(slices) // 2) <= 6


def test_a_volume_is_cut_in_three_planes(page: Page, ohif: Ohif, slices: list[pydicom.Dataset], tmp_path: Path) -> None:
    opened(page, ohif, slices[0].StudyInstanceUID, "&hangingprotocolId=mpr")

    def three() -> bool:
        found = pictures(page)
        return len(found) == 3 and all(map(has_structure, found))

    wait_until(three, "three planes through the head", PATIENCE_S)
    axial, sagittal, coronal = pictures(page)
    assert likeness(axial, sagittal) < 0.8
    assert likeness(axial, coronal) < 0.8
    kept = Path(os.environ.get("FARVIEW_KEEP_PICTURES", tmp_path))
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(kept / "ohif.jpg", quality=85)


def test_nothing_that_ohif_asked_for_was_refused(ohif: Ohif) -> None:
    assert [asked for asked in ohif.asked if asked[2] not in (200, 204, 206, 304)] == []
    paths = " ".join(path for _, path, _ in ohif.asked)
    assert "/metadata" in paths
    assert "/frames/1" in paths
