"""The database asked from the event loop: in a thread of a pool, never in the one thread that all others wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

from channels.db import database_sync_to_async

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


def database(work: Callable[Given, Answer]) -> Callable[Given, Awaitable[Answer]]:
    """`work` as a coroutine function; its connections are closed when they are old."""
    return database_sync_to_async(work, thread_sensitive=False)
