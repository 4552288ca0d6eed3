"""What the DICOM process counts, for `/metrics`: it writes its numbers to a file beside, which the web process reads.

Numbers since the process began; no names and no UIDs.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from pathlib import Path

from django.conf import settings
from pynetdicom import evt
from pynetdicom.dimse_messages import C_STORE_RSP
from pynetdicom.status import code_to_category

WRITTEN_EVERY_S = 5.0

_counts: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()


def path() -> Path:
    return Path(settings.FARVIEW_TMP_DIR) / "dicom_counts.json"


def count(name: str, label: str) -> None:
    with _lock:
        _counts[name, label] += 1


def accepted(event: evt.Event) -> None:
    count("associations", "accepted")


def rejected(event: evt.Event) -> None:
    count("associations", "rejected")


def aborted(event: evt.Event) -> None:
    count("associations", "aborted")


def answered(event: evt.Event) -> None:
    """Each answer to a C-STORE: the object is kept, or it is not."""
    message = event.message
    if isinstance(message, C_STORE_RSP):
        status = int(message.command_set.get("Status") or 0)
        count("objects", "stored" if code_to_category(status) in ("Success", "Warning") else "refused")


def write() -> None:
    """Put the numbers where the web process finds them, whole at any moment."""
    with _lock:
        told: dict[str, dict[str, int]] = {}
        for (name, label), number in _counts.items():
            told.setdefault(name, {})[label] = number
    target = path()
    beside = target.with_suffix(f".{os.getpid()}")
    beside.write_text(json.dumps(told))
    os.replace(beside, target)


def keep_writing(stop: threading.Event) -> None:
    """The job."""
    while True:
        write()
        if stop.wait(WRITTEN_EVERY_S):
            write()
            return


HANDLERS = [
    (evt.EVT_ACCEPTED, accepted),
    (evt.EVT_REJECTED, rejected),
    (evt.EVT_ABORTED, aborted),
    (evt.EVT_DIMSE_SENT, answered),
]
