"""What other apps let the server do beside serving: coroutine functions that run until they are cancelled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

logger = logging.getLogger(__name__)

Task = Callable[[], Coroutine[Any, Any, None]]

TASKS: list[Task] = []


async def repeatedly(look: Callable[[], Awaitable[object]], seconds: float, what: str) -> None:
    """Look, rest, and look again until cancelled; a look that fails is written down and keeps no later one away. `what` is
    looked for, in words."""
    while True:
        try:
            await look()
        except Exception:
            logger.exception("cannot look for %s", what)
        await asyncio.sleep(seconds)


def add(task: Task) -> None:
    """Called from the `ready` of an app; once for each task, however often that happens."""
    if task not in TASKS:
        TASKS.append(task)
