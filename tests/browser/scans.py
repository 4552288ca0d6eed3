"""Studies made for one test module: copies of shared series and phantoms under UIDs of their own, so that no other test meets
them. And an independent idea of where images lie, by pydicom and numpy alone (PS3.3 C.7.6.2.1.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from playwright.sync_api import Page
from pydicom.uid import generate_uid

from tests.browser.conftest import Archive, Study
from tests.chromium import wait_for

Vector = NDArray[np.float64]
ALL_EXACT = "farview.viewports[0].exact && farview.viewports.every((one) => one.exact || one.state === 'empty')"


def copies(
    files: Iterable[Path],
    folder: Path,
    *,
    study: str,
    frame_of_reference: str | None = None,
    change: Callable[[pydicom.Dataset], None] = lambda d: None,
) -> list[Path]:
    """Copies of the files of one series as another series of `study`; the frame of reference stays unless one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    series = generate_uid()
    written = []
    for number, path in enumerate(sorted(files)):
        d = pydicom.dcmread(path)
        d.StudyInstanceUID, d.SeriesInstanceUID, d.SOPInstanceUID = study, series, generate_uid()
        d.file_meta.MediaStorageSOPInstanceUID = d.SOPInstanceUID
        d.PatientID, d.AccessionNumber, d.StudyID = f"copy-{study[-12:]}", study[-12:], study[-12:]
        if frame_of_reference is not None:
            d.FrameOfReferenceUID = frame_of_reference
        change(d)
        target = folder / f"{number:04d}.dcm"
        d.save_as(target)
        written.append(target)
    return written


def taken(archive: Archive, study: str, *folders: Path) -> Study:
    """The study after these folders were taken in."""
    for folder in folders:
        archive.server.manage("ingest", folder)
    row = archive.get(f"/api/studies/{study}/").json()
    return Study(study, row, row["series"])


class Images:
    """Where the images of a series lie, by their own headers."""

    def __init__(self, files: Iterable[Path]) -> None:
        headers = [pydicom.dcmread(path, stop_before_pixels=True) for path in files]
        self.by_uid = {str(d.SOPInstanceUID): d for d in headers}

    def __getitem__(self, uid: str) -> pydicom.Dataset:
        return self.by_uid[uid]

    def corners(self, uid: str) -> Vector:
        """(4, 3) LPS mm: the centres of the pixels at the corners of an image, in its order round."""
        d = self.by_uid[uid]
        position = np.array(d.ImagePositionPatient, float)
        cosines = np.array(d.ImageOrientationPatient, float)
        down, across = (float(one) for one in d.PixelSpacing)
        right = cosines[:3] * across * (d.Columns - 1)
        below = cosines[3:] * down * (d.Rows - 1)
        return np.array([position, position + right, position + right + below, position + below])

    def along(self, uid: str, normal: Vector) -> float:
        return float(np.array(self.by_uid[uid].ImagePositionPatient, float) @ normal)


def normal_of(geometry: dict[str, Any]) -> Vector:
    return np.cross(geometry["row"], geometry["column"])


def on_pane(header: dict[str, Any], point: Vector, box: dict[str, float]) -> Vector:
    """[x, y] CSS px in a pane of an LPS point, by the header of the painted frame."""
    geometry = header["geometry"]
    away = point - np.array(geometry["top_left"])
    column = away @ np.array(geometry["row"]) / geometry["pixel_spacing"][1]
    row = away @ np.array(geometry["column"]) / geometry["pixel_spacing"][0]
    return np.array([(column + 0.5) / header["columns"] * box["width"], (row + 0.5) / header["rows"] * box["height"]])


def show(page: Page, archive: Archive, study: Study) -> None:
    page.goto(f"{archive.server.url}/studies/{study.study_instance_uid}/")
    wait_for(page, f"window.farview && {ALL_EXACT}", 60)


def hang(page: Page, layout: str, *tiles: int | None) -> None:
    """A layout like "1 × 2", and which tile of the strip stands in each of its panes."""
    page.get_by_role("button", name="Layout", exact=True).click()
    page.get_by_role("menuitemradio", name=layout, exact=True).click()
    for pane, tile in enumerate(tiles):
        if tile is not None:
            activate(page, pane)
            page.locator(".tile").nth(tile).click()
    wait_for(page, ALL_EXACT, 60)
    activate(page, 0)


def activate(page: Page, pane: int) -> None:
    """By keys alone: a click would be one of the tool in hand."""
    here = page.evaluate("farview.layout.active")
    for _ in range(abs(pane - here)):
        page.keyboard.press("ArrowRight" if pane > here else "ArrowLeft")
    assert page.evaluate("farview.layout.active") == pane


def quiet(page: Page, seconds: float = 60.0) -> list[dict[str, Any]]:
    """Waits until every pane is exact; their headers."""
    wait_for(page, ALL_EXACT, seconds)
    page.wait_for_timeout(60)
    headers: list[dict[str, Any]] = page.evaluate("farview.viewports.map((one) => one.lastHeader)")
    return headers


def linking(page: Page) -> dict[str, Any]:
    told: dict[str, Any] = page.evaluate("farview.features.linking")
    return told


def drawn(page: Page, pane: int, selector: str) -> list[dict[str, Any]]:
    """Lines of the drawing over a pane, as they stand in the page: {x1, y1, x2, y2, plane, width, colour}."""
    found: list[dict[str, Any]] = page.evaluate(
        """([pane, selector]) => {
          const lines = document.querySelectorAll(".pane")[pane].querySelectorAll(`.layers ${selector}`);
          return [...lines].map((one) => {
            const { stroke, strokeWidth } = getComputedStyle(one);
            const ends = ["x1", "y1", "x2", "y2"].map((name) => [name, Number(one.getAttribute(name))]);
            const width = Number.parseFloat(strokeWidth);
            return { ...Object.fromEntries(ends), plane: one.dataset.plane, width, colour: stroke };
          });
        }""",
        [pane, selector],
    )
    return found
