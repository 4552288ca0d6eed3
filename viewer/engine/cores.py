"""Which core a thread runs on (decision 0022)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import count


def one_each() -> Callable[[], None]:
    """A function that keeps the thread which calls it on a core of its own: the first caller on the first core of this
    process, the next one on the next, round and round. Does nothing where the system has no such thing."""
    if not hasattr(os, "sched_setaffinity"):
        return lambda: None
    cores, numbers = sorted(os.sched_getaffinity(0)), count()

    def settle() -> None:
        with suppress(OSError):  # the cores may have been taken from us meanwhile
            os.sched_setaffinity(0, {cores[next(numbers) % len(cores)]})

    return settle
