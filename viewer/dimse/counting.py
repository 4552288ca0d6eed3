"""What the DICOM process counts, for `/metrics`: it writes its numbers to a file beside, which the web process reads.

Numbers since the process began; no names and no UIDs.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from pynetdicom import dimse_primitives as primitives
from pynetdicom import evt
from pynetdicom.status import code_to_category

WRITTEN_EVERY_S = 5.0
OPERATIONS: dict[type, str] = {
    primitives.C_ECHO: "echo",
    primitives.C_STORE: "store",
    primitives.C_FIND: "find",
    primitives.C_GET: "get",
    primitives.C_MOVE: "move",
    primitives.N_ACTION: "commit",
    primitives.N_CREATE: "step",
    primitives.N_SET: "step",
}
"""What peers ask for (PS3.7 9, 10), by the message that answers it."""
OUTCOMES = {"Success": "done", "Warning": "done", "Cancel": "cancelled"}
"""By category of status; a right that is missing is `denied`, whatever else `failed`."""
DENIED = 0x0124

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


def answered(message: Any) -> None:
    """The last answer to each request; what is sent of our own accord is no answer."""
    operation, status = OPERATIONS.get(type(message)), getattr(message, "Status", None)
    if operation is None or status is None or message.MessageIDBeingRespondedTo is None:
        return
    category = code_to_category(int(status))
    if category == "Pending":
        return
    outcome = "denied" if status == DENIED else OUTCOMES.get(category, "failed")
    count("operations", f"{operation} {outcome}")
    if operation == "store":
        count("objects", "stored" if outcome == "done" else "refused")


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
]
