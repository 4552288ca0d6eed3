"""Small studies of their own, a report of each, and a page on which Alice writes it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Archive
from tests.browser.made import Made
from tests.browser.reporting.writing import Writer, take_in, writing
from tests.chromium import wait_for

NUMBERS = count(500)


@pytest.fixture
def made(archive: Archive, tmp_path: Path) -> Made:
    """A study of its own for each test."""
    made = Made(tmp_path, next(NUMBERS))
    take_in(archive, made.folder)
    return made


@pytest.fixture
def writer(archive: Archive, made: Made) -> Writer:
    return Writer(archive, made.study)


@pytest.fixture
def alone(browse: Callable[..., Page], writer: Writer) -> Page:
    """The report on its own page."""
    return writer.open(browse())


@pytest.fixture
def beside(browse: Callable[..., Page], archive: Archive, writer: Writer) -> Page:
    """The report beside its pictures."""
    return viewer(browse(width=1920, height=1080), archive, writer)


def viewer(page: Page, archive: Archive, writer: Writer, query: str = "?report=1") -> Page:
    page.goto(f"{archive.server.url}/studies/{writer.study}/{query}")
    wait_for(page, "window.farview?.viewports[0]?.exact", 60)
    return writing(page) if query else page
