"""A hand that measures: places on the picture, what is drawn over it, and what the server holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from playwright.sync_api import Page

from tests.browser.conftest import Archive, stage, still
from tests.chromium import wait_for
from viewer.phantom import facts

SHAPE = (168, 256, 256)
"""Of the phantom here: 2.5 mm slices, 1.5 mm pixels."""
BEADS = {marker.name: marker.center for marker in facts.MARKERS}
WITHIN = 0.3
"""mm; a CSS pixel of these pictures is about half a millimetre."""

MEASURING = "farview.features.measuring"
Marks = list[dict[str, Any]]


# --- what is there


def door(study: str, uid: str = "") -> str:
    return f"/api/studies/{study}/measurements/" + (f"{uid}/" if uid else "")


def held(archive: Archive, study: str) -> Marks:
    """What the server holds."""
    found: Marks = archive.get(door(study)).json()["measurements"]
    return found


def opened_at(browse: Callable[..., Page], archive: Archive, study: str, **options: Any) -> Page:
    page = browse(**options)
    page.goto(f"{archive.server.url}/studies/{study}/")
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    return page


OWN = f"{MEASURING}.marks.filter((one) => one.study === document.body.dataset.study)"
"""Of the page's study, without those of a prior beside it."""


def marks(page: Page) -> Marks:
    found: Marks = page.evaluate(OWN)
    return found


def kept(page: Page, count: int) -> Marks:
    """Waits until so many are there and the server has acknowledged all of them."""
    wait_for(page, f"{OWN}.length === {count} && {OWN}.every((one) => one.state === 'kept')")
    return marks(page)


def drawn(page: Page, viewport: int = 0) -> list[dict[str, Any]]:
    """What is drawn over a picture."""
    found: list[dict[str, Any]] = page.evaluate(f"{MEASURING}.drawn[{viewport}]")
    return found


# --- places


def on_page(page: Page, point: tuple[float, float, float], viewport: int = 0) -> tuple[float, float]:
    """CSS pixels of the page under which an LPS point lies, by the header of the painted frame."""
    header = page.evaluate(f"farview.viewports[{viewport}].lastHeader")
    geometry = header["geometry"]
    away = np.asarray(point) - np.asarray(geometry["top_left"])
    column = away @ np.asarray(geometry["row"]) / geometry["pixel_spacing"][1]
    row = away @ np.asarray(geometry["column"]) / geometry["pixel_spacing"][0]
    box = page.locator(".pane canvas.picture").nth(viewport).bounding_box()
    assert box is not None
    return (
        box["x"] + (column + 0.5) / header["columns"] * box["width"],
        box["y"] + (row + 0.5) / header["rows"] * box["height"],
    )


BRIGHT = """([x, y, reach]) => {
  const { canvas } = farview.viewports[0];
  const box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  const [left, top] = [Math.round((x - box.left - reach) * scale), Math.round((y - box.top - reach) * scale)];
  const side = Math.round(2 * reach * scale);
  const { data } = canvas.getContext("2d").getImageData(left, top, side, side);
  let [sum, across, down] = [0, 0, 0];
  for (let row = 0; row < side; row += 1) for (let column = 0; column < side; column += 1) {
    const grey = data[4 * (row * side + column)];
    const weight = grey > 100 ? grey : 0;
    sum += weight; across += weight * (column + 0.5); down += weight * (row + 0.5);
  }
  return [box.left + (left + across / sum) / scale, box.top + (top + down / sum) / scale, sum];
}"""


def bead(page: Page, name: str) -> tuple[float, float]:
    """Where a bead is seen: the middle of what is bright in the painted picture, near where it should be."""
    x, y = on_page(page, BEADS[name])
    seen = page.evaluate(BRIGHT, [x, y, 12])
    assert seen[2] > 1000, f"bead {name} is not seen"
    return seen[0], seen[1]


def frame_at(page: Page, z: float) -> None:
    """Scrolls to the axial image at a place."""
    geometry = page.evaluate("farview.viewports[0].opened.geometry")
    wanted = round((geometry["origin"][2] - z) / geometry["spacing"][0])
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    wait_for(page, "Number.isInteger(farview.viewports[0].lastHeader.view.frame)")  # a plane's picture may still stand
    now = page.evaluate("farview.viewports[0].lastHeader.view.frame")
    for _ in range(abs(wanted - now)):
        page.mouse.wheel(0, math.copysign(120, wanted - now))
    wait_for(page, f"farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === {wanted}", 60)


def plane_at(page: Page, name: str, axis: int, place: float) -> None:
    """Another plane through the volume, at a place along its normal."""
    page.get_by_role("button", name="Planes, slabs, volume").click()
    page.get_by_role("menuitemradio", name=name, exact=True).click()
    wait_for(page, f"farview.viewports[0].exact && farview.viewports[0].lastHeader.view.plane === '{name.lower()}'", 90)
    header = still(page)
    step = header["depth"]["step"] * header["depth"]["direction"][axis]
    middle = stage(page)
    page.mouse.move(middle["x"], middle["y"])
    far = round((place - header["geometry"]["top_left"][axis]) / step)
    for _ in range(abs(far)):
        page.mouse.wheel(0, math.copysign(120, far))
    wanted = header["depth"]["index"] + far
    wait_for(page, f"farview.viewports[0].exact && farview.viewports[0].lastHeader.depth.index === {wanted}", 60)


def drag(page: Page, *points: tuple[float, float], up: bool = True) -> None:
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=5)
    if up:
        page.mouse.up()


def measured(page: Page, key: str, *points: tuple[float, float]) -> dict[str, Any]:
    """Draws with the tool of a key; what the server keeps of it."""
    before = len(marks(page))
    page.keyboard.press(key)
    drag(page, *points)
    return kept(page, before + 1)[-1]
