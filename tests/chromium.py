"""A real Chromium for tests: the one named in CHROMIUM, the system's, or Playwright's own."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
]


def executable() -> str | None:
    """Where a Chromium is; None leaves the choice to Playwright."""
    return next(
        (found for name in (os.environ.get("CHROMIUM", ""), *NAMES) if name and (found := shutil.which(name))), None
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module's tests. Not for longer: Playwright keeps an event loop running, which async tests need."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=ARGUMENTS)
        yield browser
        browser.close()


def wait_for(page: Page, expression: str, seconds: float = 20.0, *, argument: Any = None) -> Any:
    """The first true value of a JavaScript expression. Playwright's own waiting needs `eval`, which our pages forbid."""
    return wait_until(lambda: page.evaluate(expression, argument), expression, seconds, pause=page.wait_for_timeout)


def wait_until(
    look: Callable[[], Any],
    what: str = "",
    seconds: float = 20.0,
    pause: Callable[[float], None] = lambda milliseconds: time.sleep(milliseconds / 1000),
) -> Any:
    """The first true value of `look`."""
    end = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not true within {seconds:.0f} s: {what}")
        pause(20)
