from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from .fakes import Browser, FakeEngine


@pytest.fixture
async def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def browser(engine: FakeEngine) -> AsyncIterator[Browser]:
    """A browser that acknowledges. Every session leaves no task behind."""
    browser = Browser(engine)
    yield browser
    await browser.session.close()
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("viewport")] == []
