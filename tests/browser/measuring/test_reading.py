"""One reading of a chest CT with its prior, from the list and back to it: by mouse, by keys alone, by fingers alone."""

from __future__ import annotations

import math
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.conftest import Archive, stage
from tests.browser.measuring.hand import MEASURING, drag, held, kept, on_page
from tests.chromium import wait_for
from viewer.phantom import facts

Point = tuple[float, float]
STILL = "farview.viewports.length && farview.viewports.every((one) => one.state === 'empty' || one.exact)"
CENTER, RADIUS = facts.NODULE.center, facts.NODULE.diameter / 2
ENDS = [(CENTER[0] + side * RADIUS, CENTER[1], CENTER[2]) for side in (-1, 1)]


class Hand(ABC):
    """What a reader does. Each hand goes its own way; none of them takes a way of another."""

    window: dict[str, object]

    def __init__(self, page: Page) -> None:
        self.page = page

    @abstractmethod
    def open(self, row: Locator) -> None: ...

    @abstractmethod
    def scroll(self, images: int) -> None: ...

    @abstractmethod
    def choose(self, menu: str, item: str, key: str) -> None:
        """Of a menu of the toolbar, or by the key that does the same."""

    @abstractmethod
    def line(self, start: Point, end: Point) -> None: ...

    @abstractmethod
    def back(self) -> None: ...


class Mouse(Hand):
    window = {"width": 1600, "height": 1000}

    def open(self, row: Locator) -> None:
        row.locator(".description").click()

    def scroll(self, images: int) -> None:
        middle = stage(self.page)
        self.page.mouse.move(middle["x"], middle["y"])
        for _ in range(abs(images)):
            self.page.mouse.wheel(0, math.copysign(120, images))

    def choose(self, menu: str, item: str, key: str) -> None:
        self.page.get_by_role("button", name=menu, exact=True).click()
        self.page.get_by_role("menu", name=menu).get_by_text(item, exact=True).click()

    def line(self, start: Point, end: Point) -> None:
        drag(self.page, start, end)

    def back(self) -> None:
        self.page.get_by_role("link", name="Study list").click()


class Keys(Hand):
    window = {"width": 1600, "height": 1000}

    def open(self, row: Locator) -> None:
        self.page.locator("#q").focus()  # where the list puts the caret by itself
        self.page.keyboard.type(row.locator(".accession").inner_text())
        self.page.locator("#rows tr").nth(1).wait_for(state="detached")
        for key in ("ArrowDown", "Enter"):
            self.page.keyboard.press(key)

    def scroll(self, images: int) -> None:
        for _ in range(abs(images)):
            self.page.keyboard.press("ArrowDown" if images > 0 else "ArrowUp")

    def choose(self, menu: str, item: str, key: str) -> None:
        self.page.keyboard.press(key)

    def line(self, start: Point, end: Point) -> None:
        """The first point is set in the middle, and taken to its place when the second has its own."""
        pane = stage(self.page)
        middle = (pane["x"], pane["y"])
        self.page.keyboard.press("Enter")
        self._walk(middle, end)
        self.page.keyboard.press("Enter")
        kept(self.page, 1)
        for key in ("Shift+D", "Escape", "Enter", "Shift+Enter"):
            self.page.keyboard.press(key)
        self._walk(middle, start)
        wait_for(self.page, f"{MEASURING}.marks[0].version === 2 && {MEASURING}.marks[0].state === 'kept'")

    def _walk(self, start: Point, end: Point) -> None:
        for axis, (less, more) in enumerate((("ArrowLeft", "ArrowRight"), ("ArrowUp", "ArrowDown"))):
            way = round(end[axis] - start[axis])
            arrow = more if way > 0 else less
            for key in ["Shift+" + arrow] * (abs(way) // 10) + [arrow] * (abs(way) % 10):
                self.page.keyboard.press(key)

    def back(self) -> None:
        self.page.keyboard.press("Escape")
        for _ in range(120):
            self.page.keyboard.press("Shift+Tab")
            if self.page.evaluate("document.activeElement?.getAttribute('href')") == "/":
                return self.page.keyboard.press("Enter")
        raise AssertionError("the way back is not reached by Tab")


class Fingers(Hand):
    window = {"width": 1180, "height": 820, "has_touch": True, "is_mobile": True}

    def open(self, row: Locator) -> None:
        row.locator(".description").tap()

    def scroll(self, images: int) -> None:
        """Three fingers go on until the image that is wanted is there."""
        middle, here = stage(self.page), "farview.viewports[0].wish.frame"
        wanted = self.page.evaluate(here) + images
        for _ in range(80):
            left = wanted - self.page.evaluate(here)
            if not left:
                return
            way = math.copysign(min(2 * abs(left), 200), left)  # at the least two pixels are an image
            self._touch(*([(middle["x"] + x, middle["y"] + y) for x in (-60, 0, 60)] for y in (-way / 2, 0, way / 2)))
        raise AssertionError(f"no {wanted}: {self.page.evaluate(here)}")

    def _touch(self, *moves: list[Point]) -> None:
        session = self.page.context.new_cdp_session(self.page)
        for number, points in enumerate(moves):
            fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
            kind = "touchMove" if number else "touchStart"
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
            self.page.wait_for_timeout(30)
        session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        session.detach()

    def choose(self, menu: str, item: str, key: str) -> None:
        self.page.get_by_role("button", name=menu, exact=True).tap()
        self.page.get_by_role("menu", name=menu).get_by_text(item, exact=True).tap()

    def line(self, start: Point, end: Point) -> None:
        parts = (0.0, 0.3, 0.6, 1.0)
        self._touch(*([(start[0] + (end[0] - start[0]) * p, start[1] + (end[1] - start[1]) * p)] for p in parts))

    def back(self) -> None:
        self.page.get_by_role("link", name="Study list").tap()


def picture(page: Page, name: str) -> None:
    """For a person to look at, when FARVIEW_PICTURES names a folder."""
    if folder := os.environ.get("FARVIEW_PICTURES"):
        page.wait_for_timeout(300)
        page.screenshot(path=Path(folder) / f"{name}.jpg", type="jpeg", quality=85)


@pytest.mark.parametrize("of", [Mouse, Keys, Fingers])
def test_a_chest_ct_is_read_with_its_prior(
    of: type[Hand], browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    clean(phantom)
    images_door = f"/api/studies/{phantom}/key-images/"
    for one in archive.get(images_door).json()["key_images"]:  # of another hand: the same picture is kept once
        archive.session.delete(f"{archive.server.url}{images_door}{one['uid']}/", timeout=60).raise_for_status()
    page = browse(**of.window)
    hand, called = of(page), of.__name__.lower()
    # From the list, where it hangs beside its prior.
    page.goto(archive.server.url + "/")
    row = page.locator("#rows tr", has_text="FV2026-0918")
    row.wait_for()
    hand.open(row)
    page.wait_for_url(f"**/studies/{phantom}/**")
    wait_for(page, f"window.farview && farview.layout.name === '1x2' && {STILL}", 60)
    assert page.evaluate("farview.features.hanging.studies")[0] == phantom
    assert page.locator(".whose").nth(1).inner_text() == "PRIOR 2026-01-16"
    # To the nodule; the prior goes along.
    geometry = page.evaluate("farview.viewports[0].opened.geometry")
    wanted = round((geometry["origin"][2] - CENTER[2]) / geometry["spacing"][0])
    hand.scroll(wanted - page.evaluate("farview.viewports[0].lastHeader.view.frame"))
    wait_for(page, f"{STILL} && farview.viewports[0].lastHeader.view.frame === {wanted}")
    heights = page.evaluate("farview.viewports.map((one) => one.lastHeader.geometry.top_left[2])")
    assert heights == pytest.approx([CENTER[2]] * 2, abs=geometry["spacing"][0])
    # It is measured, and kept.
    hand.choose("Measure", "Length", "d")
    hand.line(*(on_page(page, end) for end in ENDS))
    [mark] = kept(page, 1)
    assert mark["values"]["length"]["value"] == pytest.approx(facts.NODULE.diameter, abs=2.0), (
        "two pixels of the screen"
    )
    assert [one["uid"] for one in held(archive, phantom)] == [mark["uid"]]
    # So is the picture that shows it.
    hand.choose("Key images, link, print", "Mark as key image", "k")
    wait_for(page, f"{STILL} && farview.features.keyImages.images.length === 1")
    picture(page, f"reading-{called}")
    # Three planes through it, in which it lies where it was measured.
    hand.choose("Crosshair, three planes, linking", "Three planes with crosshair", "q")
    wait_for(page, f"farview.viewports.length === 4 && {STILL}", 90)
    wait_for(page, f"{MEASURING}.drawn[0].length === 1")
    planes = page.evaluate("farview.viewports.map((one) => one.lastHeader.view.plane)")
    assert {"coronal", "sagittal"} <= set(planes)
    picture(page, f"reading-{called}-planes")
    hand.choose("Crosshair, three planes, linking", "Back from three planes", "q")
    wait_for(page, f"farview.layout.name === '1x2' && {STILL}", 60)
    # And back to the list.
    hand.back()
    page.locator("#q").wait_for()
    assert len(archive.get(images_door).json()["key_images"]) == 1
