"""The page's memory does not grow with the study: scrolled from end to end, three times, by what its own process holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import patients
from tests.browser.conftest import CHEST, Archive, still
from tests.chromium import wait_for
from viewer.phantom.write import Study

MOST_GROWN = 30_000_000
LONG = Study("memory-ct", patients.HANS, "20260920", "101500", "M-CT-1", "1", "CT of 3000 slices")
ROUND = """async (turns) => {
  const [first] = farview.viewports;
  const press = (key) => document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const painted = new Set();
  press("Home");
  for (let turn = 0; turn < turns; turn += 1) {
    for (let step = Math.ceil(first.frames / turns); step > 0; step -= 1) press("ArrowDown");
    const caughtUp = () => farview.viewports[0].lastHeader.view.frame === farview.viewports[0].wish.frame;
    let waits = turn % 8 ? 1 : 600;
    do await new Promise(requestAnimationFrame);
    while ((waits -= 1) > 0 && !caughtUp());
    painted.add(farview.viewports[0].lastHeader.view.frame);
  }
  return painted.size;
}"""
"""From end to end; how many images were seen on the way."""


@pytest.fixture(scope="module")
def long(archive: Archive, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("long")
    patients.ct(folder, LONG, 3000, 7500.0)
    archive.server.manage("ingest", folder)
    return str(LONG.uid)


def held(browser: Browser, page: Page) -> int:
    """Bytes that the largest renderer has for itself, after its rubbish was taken out."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    session.detach()
    processes = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    lines = [Path(f"/proc/{one['id']}/status").read_text() for one in processes if one["type"] == "renderer"]
    return max(int(text.split("RssAnon:")[1].split()[0]) * 1024 for text in lines)


def test_a_long_study_takes_no_more_memory_than_a_short_one(
    chromium: Browser, browse: Callable[..., Page], archive: Archive, long: str
) -> None:
    """OHIF/Viewers#3229, OHIF/Viewers#4151, VolView#475: out of memory with 2,500 slices; OHIF/Viewers#5171,
    OHIF/Viewers#3941: a phone's page crashed."""
    desktop, phone = browse(), browse(width=390, height=844, has_touch=True)
    chest = archive.study(CHEST).study_instance_uid
    for page, study, frames in ((desktop, chest, 217), (desktop, long, 3000), (phone, long, 3000)):
        page.goto(f"{archive.server.url}/studies/{study}/")
        wait_for(page, f"window.farview?.viewports[0]?.exact && farview.viewports[0].frames === {frames}", 60)
        page.evaluate(ROUND, 60)  # what every page takes once: compiled code, buffers of pictures
        still(page)
        before = held(chromium, page)
        seen = [page.evaluate(ROUND, 216) for _ in range(3)]
        page.keyboard.press("End")
        wait_for(page, f"farview.viewports[0].exact && farview.viewports[0].lastHeader.view.frame === {frames - 1}")
        assert min(seen) > 25, "it was scrolled"
        assert held(chromium, page) - before < MOST_GROWN, (study, frames)
        page.goto("about:blank")  # what it holds is not the next one's
