"""What a reader sees: our page in a real headless Chromium, with a real server, browser and server on the same cores.

A step is one event of the wheel or the mouse, from when the browser had it (`event.timeStamp`) to the animation frame in
which the page painted the first picture that counts it in; the page stood still before it. Sustained: an event with every
animation frame.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from benchmarks.served import Served, chest, taken_in, uncompressed
from benchmarks.timing import note, percentile, table
from tests.chromium import ARGUMENTS, executable, wait_for
from tests.links.proxy import Proxy
from tests.live import LiveServer, free_port

PAGE = {"width": 1400, "height": 900}
STEPS = 20
SUSTAINED = 3000
OPENINGS = 5
WHAT = {True: "JPEG-LS chest CT", False: "the phantom's uncompressed CT"}
HOME = (30, 0.020)
"""Mbit/s and seconds of the home link."""

WATCH = """() => {
  const pane = () => farview.viewports[0];
  let event = 0;
  for (const kind of ["wheel", "pointermove"]) addEventListener(kind, (one) => (event = one.timeStamp), true);
  const stage = () => document.querySelector(".pane .stage");
  const middle = () => {
    const box = stage().getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  const painted = (good) => new Promise((found) => {
    const look = () => {
      const { lastPainted, lastHeader } = pane();
      if (lastPainted && good(lastPainted, lastHeader)) found(lastPainted.at);
      else requestAnimationFrame(look);
    };
    look();
  });
  window.bench = {
    arm() {
      const { change } = pane().lastPainted;
      this.step = painted((one) => one.change > change).then((at) => at - event);
    },
    painted: (plane) => painted((one, header) => JSON.stringify(header.view.plane) === JSON.stringify(plane)),
    /** Pictures painted while every animation frame brings an event, and the longest time without one. */
    sustained(kind, milliseconds) {
      return new Promise((found) => {
        const [x, y] = middle();
        const begun = performance.now();
        const shown = new Set();
        const sizes = [];
        let [events, last, longest] = [0, begun, 0];
        const tick = () => {
          const now = performance.now();
          const { lastPainted, lastHeader } = pane();
          if (lastPainted.at > begun && !shown.has(lastPainted.index)) {
            longest = Math.max(longest, lastPainted.at - last);
            last = lastPainted.at;
            shown.add(lastPainted.index);
            sizes.push(lastHeader.rows * lastHeader.columns);
          }
          if (now - begun >= milliseconds) {
            const seconds = (now - begun) / 1000;
            sizes.sort((one, other) => one - other);
            found({ rate: shown.size / seconds, events: events / seconds, longest: Math.max(longest, now - last),
              pixels: sizes[sizes.length >> 1] ?? 0 });
            return;
          }
          events += 1;
          const there = { bubbles: true, cancelable: true, clientX: x, clientY: y };
          if (kind === "wheel") {
            const down = Math.floor(events / 80) % 2 === 0;
            stage().dispatchEvent(new WheelEvent("wheel", { ...there, deltaY: down ? 120 : -120 }));
          } else {
            const way = { clientX: x + 3 * events % 300, clientY: y + 40 * Math.sin(events / 20) };
            stage().dispatchEvent(new PointerEvent("pointermove", { ...there, ...way, pointerType: "mouse" }));
          }
          requestAnimationFrame(tick);
        };
        requestAnimationFrame(tick);
      });
    },
  };
}"""


def run() -> None:
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        near = free_port()
        # The page is asked for by way of the link too, and the server admits pages of its own addresses only.
        with LiveServer(Path(scratch) / "data", FARVIEW_PUBLIC_URL=f"http://127.0.0.1:{near}") as server:
            folder = chest()
            if folder is None:
                folder = Path(scratch) / "ct"
                uncompressed(folder)
            served = taken_in(server, folder)
            browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
            try:
                _at_the_desk(browser, served, server, near)
            finally:
                browser.close()


def _at_the_desk(browser: Browser, served: Served, server: LiveServer, near: int) -> None:
    cookies = _signed_in(browser, served)
    planes = [("first time", _planes(browser, served, cookies))]
    server.stop()
    server.start()
    planes.append(("server started anew, decoded frames kept", _planes(browser, served, cookies)))
    planes.append(("volume in memory", _planes(browser, served, cookies)))
    rows, memory = [], []
    with _page(browser, served, cookies) as page:
        session = page.context.browser.new_browser_cdp_session()  # type: ignore[union-attr]
        memory.append(("one CT slice", _renderer_memory(session)))
        _still(page)
        rows.append(_row("slice, wheel", page, _wheel, "wheel"))
        rows.append(_row("slice, window", page, _drag, "pointer"))
        for name, key in (("whole MIP, turning", "Rotating MIP"), ("volume picture, turning", "Bone")):
            page.get_by_role("button", name="Planes, slabs, volume").click()
            page.get_by_role("menuitemradio").filter(has_text=key).first.click()
            page.wait_for_timeout(300)
            _still(page)
            rows.append(_row(name, page, _drag, "pointer"))
        memory.append(("after all of this", _renderer_memory(session)))
    first, exact = _openings(browser, served, cookies)
    with Proxy(server.port, HOME[0], HOME[1], near) as proxy:
        home_first, home_bytes, home_rows = _from_home(browser, served, proxy)
    over = f"first picture, {HOME[0]} Mbit/s + {HOME[1] * 1000:.0f} ms"
    table(
        f"In Chromium, page of {PAGE['width']} x {PAGE['height']}, {WHAT[chest() is not None]} of {served.frames} slices",
        ("", "step to painted p50 / p95 ms", "pictures/s painted", "longest without ms", "pixels while moving"),
        [*rows, *home_rows],
    )
    table(
        "From navigation in an empty browser, ms",
        ("", "median", "slowest"),
        [
            *(
                (name, f"{statistics.median(taken):.0f}", f"{max(taken):.0f}")
                for name, taken in (("first picture", first), ("first exact picture", exact), (over, home_first))
            ),
            *((f"axial, coronal and sagittal painted in turn, {name}", f"{taken:.0f}", "") for name, taken in planes),
        ],
    )  # fmt: skip
    note(f"Over the link {home_bytes / 1000:.0f} kB come from navigation to the first exact picture, page and all.")
    note(
        "A step lasts from the browser's time stamp of the event, the page at rest, to the animation frame that paints the "
        "answer. Each figure of planes is one opening."
    )
    note(
        "Memory of the page's process, MB (its own / resident): "
        + "; ".join(f"{name} {own / 1e6:.0f} / {resident / 1e6:.0f}" for name, (own, resident) in memory)
        + "."
    )


def _signed_in(browser: Browser, served: Served, port: int | None = None) -> dict[str, Any]:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port or served.server.port}/")
    page.fill("input[name=username]", served.name)
    page.fill("input[type=password]", served.password)
    page.keyboard.press("Enter")
    page.locator("#q").wait_for()
    state: dict[str, Any] = context.storage_state()  # type: ignore[assignment]
    context.close()
    return state


@contextmanager
def _page(browser: Browser, served: Served, cookies: Any, port: int | None = None) -> Iterator[Page]:
    """The study in a browser that has nothing of it but the cookies; its first picture is painted."""
    context: BrowserContext = browser.new_context(viewport=PAGE, storage_state=cookies)  # type: ignore[arg-type]
    try:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{port or served.server.port}/studies/{served.study}/", wait_until="commit")
        wait_for(page, "window.farview?.viewports[0]?.timing.painted", 60)
        page.evaluate(WATCH)
        yield page
    finally:
        context.close()


def _still(page: Page) -> None:
    wait_for(page, "farview.viewports[0].exact", 60)


def _openings(
    browser: Browser, served: Served, cookies: Any, port: int | None = None
) -> tuple[list[float], list[float]]:
    """Milliseconds from navigation to the first picture and to the exact one; the first opening is not counted."""
    first, exact = [], []
    for _ in range(OPENINGS + 1):
        with _page(browser, served, cookies, port) as page:
            first.append(page.evaluate("farview.viewports[0].timing.painted"))
            _still(page)
            exact.append(page.evaluate("farview.viewports[0].lastPainted.at"))
    return first[1:], exact[1:]


def _planes(browser: Browser, served: Served, cookies: Any) -> float:
    """Milliseconds from navigation until all three planes of the patient were painted, one after the other in one pane."""
    with _page(browser, served, cookies) as page:
        at = 0.0
        for plane in ("axial", "coronal", "sagittal"):
            page.keyboard.press("x")
            at = float(page.evaluate(f"bench.painted('{plane}')"))
        return at


def _row(name: str, page: Page, step: Callable[[Page, int], None], kind: str) -> tuple[object, ...]:
    x, y = _middle(page)
    page.mouse.move(x, y)
    if kind == "pointer":
        page.mouse.down()
    taken = []
    for number in range(STEPS + 2):
        _still(page)
        page.evaluate("bench.arm()")
        step(page, number)
        taken.append(float(page.evaluate("bench.step")))
    _still(page)
    found = page.evaluate("([kind, time]) => bench.sustained(kind, time)", [kind, SUSTAINED])
    if kind == "pointer":
        page.mouse.up()
    _still(page)
    return (
        name,
        f"{percentile(taken[2:], 50):.0f} / {percentile(taken[2:], 95):.0f}",
        f"{found['rate']:.0f} of {found['events']:.0f}",
        f"{found['longest']:.0f}",
        f"{found['pixels'] / 1000:.0f} k",
    )


def _middle(page: Page) -> tuple[float, float]:
    box = page.locator(".pane .stage").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _wheel(page: Page, number: int) -> None:
    page.mouse.wheel(0, 120)


def _drag(page: Page, number: int) -> None:
    x, y = _middle(page)
    page.mouse.move(x + 4 * (number + 1), y + 10 * (number % 3))


def _from_home(browser: Browser, served: Served, proxy: Proxy) -> tuple[list[float], float, list[tuple[object, ...]]]:
    """First pictures from navigation, bytes both ways of the last one, and rows of moving."""
    cookies = _signed_in(browser, served, proxy.port)
    before = proxy.down.bytes
    first, _ = _openings(browser, served, cookies, proxy.port)
    size = (proxy.down.bytes - before) / (OPENINGS + 1)
    with _page(browser, served, cookies, proxy.port) as page:
        _still(page)
        link = f"over {HOME[0]} Mbit/s + {HOME[1] * 1000:.0f} ms"
        rows = [
            _row(f"slice, wheel, {link}", page, _wheel, "wheel"),
            _row(f"slice, window, {link}", page, _drag, "pointer"),
        ]
    return first, size, rows


def _renderer_memory(session: CDPSession) -> tuple[int, int]:
    """Bytes of the largest renderer process: its own, and all that is resident."""
    found = []
    for one in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        if one["type"] == "renderer":
            lines = Path(f"/proc/{one['id']}/status").read_text().splitlines()
            size = {
                line.split(":")[0]: int(line.split()[1]) * 1024
                for line in lines
                if line.startswith("Rss") or line.startswith("VmRSS")
            }
            found.append((size["RssAnon"], size["VmRSS"]))
    return max(found)
