"""Storage commitment, push model (PS3.4 J): whether we hold objects for good, said after their bytes were read again."""

from __future__ import annotations

import threading

from pydicom.dataset import Dataset
from pynetdicom.events import Event


def requested(event: Event) -> tuple[int, Dataset | None]:
    return 0x0112, None


def answer_all(stop: threading.Event) -> None:
    stop.wait()
