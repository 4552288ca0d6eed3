"""The pure JavaScript modules, in Chromium itself: one case here for each `test(...)` of the files beside this one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SITE = "http://farview.localhost"  # where pages have cryptography, as over HTTPS
FOLDERS = {"static": ROOT / "static", "tests": HERE, "reporting": ROOT / "tests" / "reporting"}
EMPTY = "<!doctype html><meta charset=utf-8><title>tests</title>"


def cases() -> list[tuple[str, str]]:
    """(file, name of the test) as the files say."""
    return [
        (path.name, name)
        for path in sorted(HERE.glob("*.test.js"))
        for name in re.findall(r'^test\("((?:[^"\\]|\\.)*)"', path.read_text(), re.MULTILINE)
    ]


def serve(route: Route) -> None:
    folder, _, name = route.request.url.removeprefix(f"{SITE}/").partition("/")
    path = FOLDERS.get(folder, HERE) / name
    if not name:
        route.fulfill(body=EMPTY, content_type="text/html")
    elif path.is_file():
        route.fulfill(body=path.read_text(), content_type="text/javascript")
    else:
        route.fulfill(status=404, body="no such file")


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Page:
    page = chromium.new_page()
    page.route(f"{SITE}/**", serve)
    return page


@pytest.fixture(scope="module")
def results(page: Page) -> dict[str, dict[str, str]]:
    """What every file's tests say, each file in a page of its own."""
    found = {}
    for file in sorted({file for file, _ in cases()}):
        page.goto(f"{SITE}/")
        found[file] = page.evaluate(
            "async (file) => { await import(`/tests/${file}`); return (await import('/tests/harness.js')).run(); }",
            file,
        )
    return found


@pytest.mark.parametrize(("file", "name"), cases(), ids=lambda value: value.removesuffix(".test.js"))
def test_javascript(results: dict[str, dict[str, str]], file: str, name: str) -> None:
    assert name in results[file], f"{file} did not run it"
    assert not results[file][name], results[file][name]


def test_every_test_of_a_file_is_a_case(results: dict[str, dict[str, str]]) -> None:
    assert {(file, name) for file, told in results.items() for name in told} == set(cases())
