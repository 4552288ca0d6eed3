"""Two readers, one state, two cursors: what one does is done for the other, in two real browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute

from tests.browser import patients
from tests.browser.conftest import stage
from tests.chromium import chromium, wait_for, wait_until
from tests.live import LiveServer

__all__ = ["chromium"]

LIVE = "farview.features.live"
STILL = "farview.viewports.every((one) => one.exact || ['empty', 'withheld'].includes(one.state))"
GRANT = """
from accounts.models import User
from viewer.models import Grant, Study
study = Study.objects.get(study_instance_uid="{study}")
Grant.objects.create(study=study, user=User.objects.get(username="bob"), reason="referral")
"""


@dataclass
class Door:
    """Opens the study's page as somebody; what the page complains about fails the test."""

    server: LiveServer
    chromium: Browser
    passwords: dict[str, str]
    complaints: list[str]

    def open(self, name: str, *, live: Callable[[WebSocketRoute], None] | None = None, **options: Any) -> Page:
        context = self.chromium.new_context(**{"viewport": {"width": 1300, "height": 850}, **options})
        if live is not None:
            context.route_web_socket("**/ws/live/**", live)
        page = context.new_page()
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))
        sign_in(page, self.server.url, name, self.passwords[name])
        page.goto(f"{self.server.url}/studies/{patients.CT_NOW.uid}/")
        wait_for(page, "window.farview && farview.viewports[0]?.exact", 60)
        return page


def sign_in(page: Page, url: str, name: str, password: str) -> None:
    """Whoever it is: a referrer's first page is another than a radiologist's."""
    page.goto(f"{url}/accounts/sign-in/")
    page.fill("input[name=username]", name)
    page.fill("input[type=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda at: "sign-in" not in at)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("patients")
    patients.ct(folder, patients.CT_NOW, 30, 300.0)
    patients.ct(folder, patients.CT_BEFORE, 24, 250.0)
    with LiveServer() as server:
        server.manage("ingest", folder)
        yield server


@pytest.fixture(scope="module")
def passwords(server: LiveServer) -> dict[str, str]:
    found = {name: server.user(name)[0] for name in ("alice", "rita")}
    found["bob"] = server.user("bob", "referrer")[0]
    server.manage("shell", "-c", GRANT.format(study=patients.CT_NOW.uid))
    return found


@pytest.fixture
def door(server: LiveServer, chromium: Browser, passwords: dict[str, str]) -> Iterator[Door]:
    opened = Door(server, chromium, passwords, [])
    yield opened
    for context in list(chromium.contexts):
        context.close()
    assert not opened.complaints, opened.complaints


def together(one: Page, other: Page) -> None:
    """`one` begins, `other` is told and joins."""
    one.keyboard.press("Shift+J")
    wait_for(one, f"{LIVE}.inside")
    other.get_by_text("shows this study live.").wait_for()
    other.get_by_role("button", name="Join", exact=True).click()
    wait_for(other, f"{LIVE}.inside && {LIVE}.members.length === 2")
    wait_for(one, f"{LIVE}.members.length === 2")


def agreed(*pages: Page) -> list[dict[str, Any]]:
    """Nothing is under way any more, and all show the same, each exactly; the Views, without the size of each one's panes."""

    def same() -> bool:
        told = [page.evaluate(LIVE) for page in pages]
        quiet = all(one["pending"] == 0 for one in told) and all(page.evaluate(STILL) for page in pages)
        return (
            quiet and all(one["cells"] == told[0]["cells"] for one in told) and all(one == seen[0] for one in views())
        )

    def views() -> list[list[dict[str, Any]]]:
        seen[:] = [
            page.evaluate("farview.viewports.map(({ lastHeader: h }) => h && { ...h.view, size: null })")
            for page in pages
        ]
        return seen

    seen: list[list[dict[str, Any]]] = []
    wait_until(same, f"all agree: {seen}", 40, pause=pages[0].wait_for_timeout)
    return seen[0]


def wheel(page: Page, steps: int, pane: int = 0) -> None:
    middle = stage(page, pane)
    page.mouse.move(middle["x"], middle["y"])
    for _ in range(abs(steps)):
        page.mouse.wheel(0, 120 if steps > 0 else -120)


def patient_point(page: Page, pane: int, x: float, y: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    """LPS mm under a point of a pane, by the header of the frame on it."""
    header = page.evaluate(f"farview.viewports[{pane}].lastHeader")
    at, box = header["geometry"], stage(page, pane)
    column, row = x / box["width"] * header["columns"] - 0.5, y / box["height"] * header["rows"] - 0.5
    along = (
        np.array(at["row"]) * column * at["pixel_spacing"][1] + np.array(at["column"]) * row * at["pixel_spacing"][0]
    )
    return np.array(at["top_left"]) + along


def test_what_one_does_is_done_for_both_and_each_sees_where_the_other_points(door: Door) -> None:
    alice, rita = door.open("alice"), door.open("rita", viewport={"width": 1000, "height": 900})
    together(alice, rita)
    hung = agreed(alice, rita)
    first = hung[0]["frame"]

    wheel(alice, 3)
    assert agreed(alice, rita)[0]["frame"] == first + 3
    wheel(rita, 2)
    assert agreed(alice, rita)[0]["frame"] == first + 5
    rita.keyboard.press("2")
    agreed(alice, rita)
    alice.keyboard.press("i")
    assert agreed(alice, rita)[0]["inverted"] is True

    alice.keyboard.press("q")
    wait_for(rita, "farview.viewports.length === 4")
    planes = [view["plane"] for view in agreed(alice, rita)]
    assert {"axial", "coronal", "sagittal"} <= set(planes)
    crosses = [page.evaluate("farview.features.linking.crosshair.point") for page in (alice, rita)]
    assert crosses[0] == crosses[1]

    for page, other, pane, at in ((alice, rita, 2, (0.45, 0.4)), (rita, alice, 0, (0.6, 0.55))):
        box = stage(page, pane)
        x, y = at[0] * box["width"], at[1] * box["height"]
        page.mouse.move(box["x"] - box["width"] / 2 + x, box["y"] - box["height"] / 2 + y)
        drawn = wait_for(other, f"{LIVE}.cursors[{pane}][0]")
        here, there = patient_point(page, pane, x, y), patient_point(other, pane, drawn["x"], drawn["y"])
        assert np.allclose(here, there, atol=0.6), (here, there)
        name = other.locator(".pane").nth(pane).locator(".live-name")
        assert name.text_content() == ("alice" if page is alice else "rita")

    # No hand on another picture than the one it was on: Rita looks alone, and scrolls away from under Alice's hand.
    alice.mouse.move(stage(alice, 2)["x"], stage(alice, 2)["y"])
    wait_for(rita, f"{LIVE}.cursors[2].length === 1")
    rita.get_by_role("button", name="Steer together").click()
    wheel(rita, 4, 2)
    wait_for(rita, f"{LIVE}.cursors[2].length === 0")
    alice.get_by_text("rita, looking alone").wait_for()
    rita.get_by_role("button", name="Steer together").click()
    agreed(alice, rita)

    alice.keyboard.press("q")
    wait_for(rita, f"farview.viewports.length === {len(hung)}")
    agreed(alice, rita)
    rita.get_by_role("button", name="Leave", exact=True).click()
    alice.get_by_text("rita has left the session.").wait_for()
    wheel(alice, 1)
    alice.get_by_role("button", name="Live session").click()
    wait_for(rita, f"{LIVE}.members.length === 0")
    assert rita.locator(".live-band").is_hidden()


def test_both_wheel_at_once_the_line_breaks_and_they_show_the_same(door: Door) -> None:
    lines: list[WebSocketRoute] = []

    def carried(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        lines.append(line)
        line.on_message(server.send)
        server.on_message(line.send)

    alice, rita = door.open("alice"), door.open("rita", live=carried)
    together(alice, rita)
    for _ in range(6):
        wheel(alice, 2)
        wheel(rita, -1)
    agreed(alice, rita)

    lines[-1].close()
    rita.get_by_text("The live session is interrupted.").wait_for()
    wheel(alice, 3)
    wait_for(rita, f"{LIVE}.inside")
    agreed(alice, rita)
    assert alice.evaluate(f"{LIVE}.members.length") == 2, "and nobody is there twice"


def test_a_series_that_is_not_theirs_is_told_in_words_and_never_named(door: Door) -> None:
    alice = door.open("alice")
    heard: list[str] = []

    def listened(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        line.on_message(server.send)

        def back(message: str | bytes) -> None:
            heard.append(str(message))
            line.send(message)

        server.on_message(back)

    bob = door.open("bob", live=listened)
    wait_for(alice, "farview.viewports.length === 2 && farview.viewports.every((one) => one.exact)", 40)
    together(alice, bob)
    wait_for(bob, "farview.viewports[1]?.state === 'withheld'")
    bob.get_by_text("Others in the live session look at a series here that you may not see.").wait_for()
    prior = alice.evaluate("farview.viewports[1].series")
    assert prior
    assert not any(prior in one or str(patients.CT_BEFORE.uid) in one for one in heard)
    wheel(bob, 2)
    wait_until(
        lambda: len({page.evaluate("farview.viewports[0].lastHeader.view.frame") for page in (alice, bob)}) == 1,
        "the pane beside goes on with both",
        pause=bob.wait_for_timeout,
    )


def test_on_a_phone_a_finger_shows_where_it_is_while_it_is_down(door: Door, tmp_path: Path) -> None:
    alice = door.open("alice")
    phone = door.open("rita", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    together(alice, phone)
    agreed(alice, phone)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    middle = stage(phone)
    touch = phone.context.new_cdp_session(phone)
    finger = {"x": middle["x"], "y": middle["y"], "id": 1}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [finger]})
    wait_for(alice, f"{LIVE}.cursors[0].length === 1")
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    wait_for(alice, f"{LIVE}.cursors[0].length === 0")
