"""Threads that keep to a core."""

from __future__ import annotations

import os
import threading

import pytest

from viewer.engine.cores import one_each

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no threads to cores")


def cores_of_threads(number: int) -> list[set[int]]:
    settle, found = one_each(), []

    def run() -> None:
        settle()
        found.append(os.sched_getaffinity(0))

    for _ in range(number):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    return found


def test_each_thread_has_a_core_of_its_own_and_then_they_share() -> None:
    cores = sorted(os.sched_getaffinity(0))
    assert cores_of_threads(2 * len(cores)) == [{core} for core in cores * 2]


def test_the_thread_that_starts_them_stays_free() -> None:
    before = os.sched_getaffinity(0)
    cores_of_threads(2)
    assert os.sched_getaffinity(0) == before
