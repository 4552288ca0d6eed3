"""Measuring by mouse, finger and keys in a real browser: lengths judged by what the phantom is, and what becomes of them when
the line breaks, when another reader is quicker, and while the picture is not exact yet."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute

from tests.browser.conftest import CHEST, Archive, sign_in, stage, still
from tests.browser.measuring.hand import (
    BEADS,
    MEASURING,
    WITHIN,
    bead,
    drag,
    drawn,
    frame_at,
    held,
    kept,
    marks,
    measured,
    opened_at,
    plane_at,
)
from tests.chromium import wait_for, wait_until
from tests.live import LiveServer
from viewer.phantom import facts

# --- lengths


def test_beads_200_mm_apart_measure_so_on_axial_and_stay_after_a_reload(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    """OHIF/Viewers#2322: measurements lost at reload."""
    page = opened_at(browse, archive, clean(phantom))
    frame_at(page, BEADS["A"][2])
    mark = measured(page, "d", bead(page, "A"), bead(page, "B"))
    length = mark["values"]["length"]
    assert length["value"] == pytest.approx(facts.distance(BEADS["A"], BEADS["B"]), abs=WITHIN)
    assert (length["unit"], length["source"]) == ("mm", "Pixel Spacing")
    for point, name in zip(mark["points"], "AB", strict=True):
        assert math.dist(point, BEADS[name]) < 1.5
    page.reload()
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    [again] = kept(page, 1)
    assert (again["uid"], again["points"], again["values"]) == (mark["uid"], mark["points"], mark["values"])
    page.get_by_role("tab", name="Measurements").click()
    page.locator(".measures .go").click()
    wait_for(page, f"farview.viewports[0].exact && {MEASURING}.drawn[0].length === 1")
    assert drawn(page)[0]["words"] == [f"{length['value']:.1f} mm"]
    assert page.locator(".measures .go").inner_text().startswith(f"{length['value']:.1f} mm")


def test_beads_measure_the_same_on_coronal_and_the_line_crosses_axial_images_dashed(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    plane_at(page, "Coronal", 1, BEADS["A"][1])
    mark = measured(page, "d", bead(page, "A"), bead(page, "D"))
    assert mark["values"]["length"]["value"] == pytest.approx(facts.distance(BEADS["A"], BEADS["D"]), abs=WITHIN)
    oblique = measured(page, "d", bead(page, "E"), bead(page, "F"))
    assert oblique["values"]["length"]["value"] == pytest.approx(50.0, abs=WITHIN)
    assert [one["solid"] for one in drawn(page)] == [True, True]
    page.mouse.wheel(0, 120)
    wait_for(page, f"farview.viewports[0].exact && {MEASURING}.drawn[0].length === 0")
    page.get_by_role("button", name="Planes, slabs, volume").click()
    page.get_by_role("menuitemradio", name="As acquired", exact=True).click()
    frame_at(page, 15.0)
    assert [(one["uid"], one["solid"]) for one in drawn(page)] == [(mark["uid"], False), (oblique["uid"], False)]
    assert page.locator("[data-layer=measuring] .is-crossing").count() == 2
    frame_at(page, 60.0)
    assert [one["uid"] for one in drawn(page)] == [mark["uid"]], "E to F does not reach up here"


def test_a_measurement_is_drawn_on_its_own_image_in_every_plane_through_it_and_in_no_volume_picture(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    frame_at(page, BEADS["A"][2])
    mark = measured(page, "d", bead(page, "A"), bead(page, "B"))
    for way in (120, -240, 120):
        page.mouse.wheel(0, way)
        page.wait_for_timeout(50)
    page.mouse.wheel(0, 120)
    wait_for(page, f"farview.viewports[0].exact && {MEASURING}.drawn[0].length === 0")
    assert page.locator("[data-layer=measuring] .mark").count() == 0
    plane_at(page, "Coronal", 1, BEADS["A"][1])
    [seen] = drawn(page)
    assert (seen["uid"], seen["solid"]) == (mark["uid"], True)
    for point, name in zip(seen["points"], "AB", strict=True):
        x, y = bead(page, name)
        box = page.locator(".pane .stage").first.bounding_box()
        assert box is not None
        assert math.hypot(point["x"] + box["x"] - x, point["y"] + box["y"] - y) < 3
    page.get_by_role("button", name="Planes, slabs, volume").click()
    page.get_by_role("menuitemradio", name="Rotating MIP").click()
    wait_for(page, "farview.viewports[0].exact && farview.viewports[0].lastHeader.view.slab_thickness === 'all'", 90)
    assert drawn(page) == []


def test_numbers_are_there_while_the_hand_draws(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    frame_at(page, BEADS["A"][2])
    a, b = bead(page, "A"), bead(page, "B")
    page.keyboard.press("d")
    drag(page, a, b, up=False)
    live = wait_for(page, f"{MEASURING}.draft?.values.length?.value")
    wait_until(
        lambda: abs(page.evaluate(f"{MEASURING}.draft.values.length.value") - 200) < WITHIN,
        f"{live} mm while drawing",
        pause=page.wait_for_timeout,
    )
    assert held(archive, phantom) == [], "nothing is kept before the hand lets go"
    page.keyboard.press("Escape")
    page.mouse.up()
    page.wait_for_timeout(300)
    assert marks(page) == []


def exact_frames(message: str | bytes) -> bool:
    if isinstance(message, str):
        return False
    (length,) = struct.unpack(">I", message[:4])
    return bool(json.loads(message[4 : 4 + length])["exact"])


def test_end_points_wait_for_the_exact_picture(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    held_back: list[str | bytes] = []
    gate = {"open": True}

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        gate["send"] = socket.send

        def pass_on(message: str | bytes) -> None:
            if not gate["open"] and exact_frames(message):
                held_back.append(message)
            else:
                socket.send(message)

        server.on_message(pass_on)
        socket.on_message(server.send)

    page = browse()
    page.route_web_socket("**/ws/viewer/", between)
    page.goto(f"{archive.server.url}/studies/{clean(phantom)}/")
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    gate["open"] = False
    page.keyboard.press("+")
    wait_for(page, "!farview.viewports[0].exact && farview.viewports[0].lastHeader.view.zoom > 1")
    middle = stage(page)
    page.keyboard.press("d")
    drag(page, (middle["x"] - 60, middle["y"]), (middle["x"] + 60, middle["y"]))
    wait_until(lambda: held_back, "the exact frame", pause=page.wait_for_timeout)
    assert page.evaluate(f"{MEASURING}.waiting") == 1
    assert drawn(page)[0]["words"][-1] == "waits for the exact picture"
    assert held(archive, phantom) == []
    gate["open"] = True
    for message in held_back:
        gate["send"](message)  # type: ignore[operator]
    [mark] = kept(page, 1)
    assert mark["view"]["zoom"] == pytest.approx(1.25)
    assert page.evaluate(f"{MEASURING}.waiting") == 0


def test_what_waits_for_the_exact_picture_is_not_lost_at_a_reload(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    gate = {"open": True}

    def between(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: socket.send(message) if gate["open"] or not exact_frames(message) else None)
        socket.on_message(server.send)

    page = browse()
    page.route_web_socket("**/ws/viewer/", between)
    page.goto(f"{archive.server.url}/studies/{clean(phantom)}/")
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    home = page.evaluate("farview.viewports[0].lastHeader.view.frame")
    gate["open"] = False
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    wait_for(page, f"!farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === {home + 2}")
    middle = stage(page)
    page.keyboard.press("d")
    drag(page, (middle["x"] - 60, middle["y"]), (middle["x"] + 60, middle["y"]))
    wait_for(page, f"{MEASURING}.waiting === 1")
    [line] = drawn(page)
    gate["open"] = True
    page.reload()
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    wait_for(page, f"{MEASURING}.waiting === 1")
    assert held(archive, phantom) == [], "another picture is on the glass: it goes on waiting"
    assert drawn(page) == []
    page.get_by_role("tab", name="Measurements").click()
    page.locator("[data-waits]").get_by_role("button", name="Go there").click()
    [mark] = kept(page, 1)
    assert mark["view"]["frame"] == home + 2
    assert page.evaluate(f"{MEASURING}.waiting") == 0
    still(page)
    [now] = drawn(page)
    assert now["words"][0].endswith("mm")
    assert line["uid"] != now["uid"]
    page.reload()
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    kept(page, 1)
    assert page.evaluate(f"{MEASURING}.waiting") == 0, "and it comes once"


# --- changing


def test_handles_lines_and_words_are_moved_and_undone(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    middle = stage(page)
    (x, y) = middle["x"], middle["y"]
    mark = measured(page, "d", (x - 80, y), (x + 80, y))
    drag(page, (x + 80, y), (x + 80, y - 60))
    wait_for(page, f"{MEASURING}.marks[0].version === 2 && {MEASURING}.marks[0].state === 'kept'")
    [longer] = marks(page)
    assert longer["points"][0] == pytest.approx(mark["points"][0])
    scale = mark["values"]["length"]["value"] / 160
    assert longer["values"]["length"]["value"] == pytest.approx(math.hypot(160, 60) * scale, rel=1e-3)
    page.keyboard.press("Shift+D")
    drag(page, (x, y - 30), (x + 40, y + 10))
    wait_for(page, f"{MEASURING}.marks[0].version === 3 && {MEASURING}.marks[0].state === 'kept'")
    [moved] = marks(page)
    assert moved["values"]["length"]["value"] == pytest.approx(longer["values"]["length"]["value"], abs=1e-3)
    assert moved["points"][0][0] == pytest.approx(longer["points"][0][0] + 40 * scale, abs=0.01)
    box = drawn(page)[0]["box"]
    words = (box["x"] + middle["x"] - middle["width"] / 2 + 10, box["y"] + middle["y"] - middle["height"] / 2 + 10)
    drag(page, words, (words[0] - 30, words[1] + 120))
    assert drawn(page)[0]["box"]["y"] == pytest.approx(box["y"] + 120, abs=1)
    assert page.locator("[data-layer=measuring] .leader").count() == 1
    for want in (longer, mark):
        page.keyboard.press("Control+z")
        wait_for(page, f"{MEASURING}.marks[0].version > 3 && {MEASURING}.marks[0].state === 'kept'")
        wait_until(lambda want=want: marks(page)[0]["points"] == want["points"], "undone", pause=page.wait_for_timeout)
    page.keyboard.press("Control+z")
    wait_for(page, f"{MEASURING}.marks.length === 0")
    wait_until(lambda: not held(archive, phantom), "deleted at the server", pause=page.wait_for_timeout)
    for _ in range(3):
        page.keyboard.press("Control+y")
    wait_until(
        lambda: [one["points"] for one in held(archive, phantom)] == [moved["points"]],
        "redone at the server",
        pause=page.wait_for_timeout,
    )
    assert kept(page, 1)[0]["points"] == moved["points"]


def test_backspace_deletes_and_undo_brings_it_back(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    middle = stage(page)
    mark = measured(page, "e", (middle["x"] - 40, middle["y"] - 30), (middle["x"] + 40, middle["y"] + 30))
    page.keyboard.press("Backspace")
    wait_until(lambda: not held(archive, phantom), "deleted", pause=page.wait_for_timeout)
    assert drawn(page) == []
    page.keyboard.press("Control+z")
    [back] = kept(page, 1)
    assert (back["uid"], back["values"]) == (mark["uid"], mark["values"])


def test_a_window_drag_over_a_line_moves_no_line(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    middle = stage(page)
    (x, y) = middle["x"], middle["y"]
    mark = measured(page, "d", (x - 80, y), (x + 80, y))
    page.keyboard.press("w")
    page.keyboard.press("Escape")
    before = still(page)["view"]["window_width"]
    drag(page, (x, y), (x + 60, y))
    assert still(page)["view"]["window_width"] > before
    page.wait_for_timeout(300)
    assert marks(page)[0]["points"] == mark["points"]


def test_by_keys_alone(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    spacing = still(page)["geometry"]["pixel_spacing"][1]
    for key in ("d", "Enter", *["Shift+ArrowRight"] * 10, *["ArrowRight"] * 3, "Enter"):
        page.keyboard.press(key)
    [mark] = kept(page, 1)
    ratio = page.evaluate("devicePixelRatio")
    assert mark["values"]["length"]["value"] == pytest.approx(103 * spacing * ratio, abs=0.01)
    for key in ("Shift+D", "Escape", "Enter", "Shift+Enter", "Shift+Enter", *["Shift+ArrowRight"] * 2):
        page.keyboard.press(key)
    wait_for(page, f"{MEASURING}.marks[0].version === 2 && {MEASURING}.marks[0].state === 'kept'")
    assert marks(page)[0]["values"]["length"]["value"] == pytest.approx(123 * spacing * ratio, abs=0.01)
    page.keyboard.press("Delete")
    wait_until(lambda: not held(archive, phantom), "deleted", pause=page.wait_for_timeout)
    wait_for(page, "document.getElementById('spoken').textContent.startsWith('Deleted')")


# --- two readers, and a server that is away


def test_two_readers_see_each_others_measurements_within_a_second(
    chromium: Browser,
    browse: Callable[..., Page],
    archive: Archive,
    live_server_process: LiveServer,
    phantom: str,
    clean: Callable[[str], str],
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    password, _ = live_server_process.user("second", "radiologist")
    context = chromium.new_context(viewport={"width": 1200, "height": 800})
    other = context.new_page()
    try:
        sign_in(other, archive.server.url + "/", "second", password)
        other.goto(f"{archive.server.url}/studies/{phantom}/")
        wait_for(other, "window.farview?.viewports[0]?.exact", 60)
        middle = stage(page)
        mark = measured(page, "d", (middle["x"] - 80, middle["y"]), (middle["x"] + 80, middle["y"]))
        wait_for(other, f"{MEASURING}.drawn[0].length === 1", 2)
        [seen] = marks(other)
        assert (seen["uid"], seen["author"], seen["values"]) == (mark["uid"], "alice", mark["values"])
        other.get_by_role("tab", name="Measurements").click()
        other.get_by_role("textbox", name="Name of this measurement").fill("by the second")
        other.keyboard.press("Enter")
        wait_for(page, f"{MEASURING}.marks[0].label === 'by the second'", 2)
        page.keyboard.press("Control+z")
        said = page.locator(".pane[data-active] .passing")
        said.wait_for()
        assert "somebody else has changed the measurement" in said.inner_text()
        assert held(archive, phantom)[0]["label"] == "by the second"
    finally:
        context.close()


def test_what_cannot_be_saved_is_said_and_kept_over_a_reload_and_sent_when_the_server_is_back(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    page.get_by_role("tab", name="Measurements").click()
    page.route(
        "**/measurements/**", lambda route: route.abort() if route.request.method != "GET" else route.continue_()
    )
    middle = stage(page)
    page.keyboard.press("d")
    drag(page, (middle["x"] - 80, middle["y"]), (middle["x"] + 80, middle["y"]))
    wait_for(page, f"{MEASURING}.marks[0]?.state === 'waiting'")
    assert "Not saved yet" in page.locator("#panel-measurements").inner_text()
    assert page.locator("[data-layer=measuring] .is-waiting").count() == 1
    assert held(archive, phantom) == []
    page.unroute_all()
    page.reload()
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    kept(page, 1)
    assert len(held(archive, phantom)) == 1
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('farview.mark.'))") == []


def test_a_refusal_is_in_danger_state_with_the_reason_and_a_way_on(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom))
    refusal = json.dumps({"detail": "slices are missing here"})
    page.route(
        "**/measurements/**",
        lambda route: (
            route.fulfill(status=422, content_type="application/json", body=refusal)
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    middle = stage(page)
    page.keyboard.press("d")
    drag(page, (middle["x"] - 80, middle["y"]), (middle["x"] + 80, middle["y"]))
    wait_for(page, f"{MEASURING}.marks[0]?.state === 'failed'")
    panel = page.locator("#panel-measurements")
    assert "Not saved: slices are missing here" in panel.inner_text()
    assert page.locator("[data-layer=measuring] .is-failed").count() == 1
    page.unroute_all()
    panel.get_by_role("button", name="Try again").click()
    kept(page, 1)
    assert len(held(archive, phantom)) == 1


# --- touch, lens


def swipe(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """One finger from one place of the page to another."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", start)
    for part in (0.2, 0.5, 0.8, 1.0):
        touch("touchMove", (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part))
        page.wait_for_timeout(40)
    touch("touchEnd")


def test_a_finger_measures_on_a_phone(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom), width=390, height=844, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Measure", exact=True).tap()
    page.get_by_role("menuitemradio", name="Length").tap()
    middle = stage(page)
    (x, y) = middle["x"], middle["y"]
    swipe(page, (x - 100, y), (x + 80, y + 60))
    [mark] = kept(page, 1)
    scale = mark["values"]["length"]["value"] / math.hypot(180, 60)
    assert 0.2 < scale < 5
    swipe(page, (x + 80 + 12, y + 60 + 10), (x + 92, y + 110))
    wait_for(page, f"{MEASURING}.marks[0].version === 2 && {MEASURING}.marks[0].state === 'kept'")
    assert marks(page)[0]["values"]["length"]["value"] == pytest.approx(math.hypot(180, 100) * scale, rel=0.02)
    radius = page.evaluate("getComputedStyle(document.querySelector('[data-layer=measuring] .handle')).r")
    assert radius == "8px"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_second_finger_gives_up_what_the_first_began(
    browse: Callable[..., Page], archive: Archive, phantom: str, clean: Callable[[str], str]
) -> None:
    page = opened_at(browse, archive, clean(phantom), width=390, height=844, has_touch=True, is_mobile=True)
    page.get_by_role("button", name="Measure", exact=True).tap()
    page.get_by_role("menuitemradio", name="Length").tap()
    middle = stage(page)
    session = page.context.new_cdp_session(page)
    (x, y) = middle["x"], middle["y"]
    steps: list[tuple[str, list[tuple[float, float]]]] = [
        ("touchStart", [(x, y)]),
        ("touchMove", [(x - 20, y)]),
        ("touchStart", [(x - 20, y), (x + 60, y)]),
        ("touchMove", [(x - 40, y), (x + 80, y)]),
        ("touchMove", [(x - 60, y), (x + 100, y)]),
        ("touchEnd", []),
    ]
    for kind, fingers in steps:
        touches = [{"x": a, "y": b, "id": n} for n, (a, b) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
        page.wait_for_timeout(50)
    assert still(page)["view"]["zoom"] > 1.2
    assert (marks(page), page.evaluate(f"{MEASURING}.draft")) == ([], None)


def test_the_lens_only_enlarges_what_was_painted_and_says_so(opened: Callable[..., Page]) -> None:
    page = opened(CHEST)
    page.keyboard.press("Shift+M")
    middle = stage(page)
    drag(page, (middle["x"], middle["y"]), (middle["x"] + 30, middle["y"] + 20), up=False)
    lens = page.locator(".lens")
    assert lens.inner_text() == "enlarged 2×"
    invented = page.evaluate(
        """() => {
      const lens = document.querySelector(".lens canvas");
      const { canvas } = farview.viewports[0];
      const reds = (one) => one.getContext("2d").getImageData(0, 0, one.width, one.height).data.filter((_, at) => !(at % 4));
      const greys = (one) => new Set(reds(one));
      const painted = greys(canvas);
      return [...greys(lens)].filter((grey) => !painted.has(grey));
    }"""
    )
    assert invented == []
    page.mouse.up()
    assert lens.count() == 0
