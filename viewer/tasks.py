"""What other apps let the server do beside serving: coroutine functions that run until they are cancelled."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

Task = Callable[[], Coroutine[Any, Any, None]]

TASKS: list[Task] = []


def add(task: Task) -> None:
    """Called from the `ready` of an app; once for each task, however often that happens."""
    if task not in TASKS:
        TASKS.append(task)
