"""What the DICOM node does beside answering: threads that live as long as it does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from django.db import connections

from viewer.dimse import commitment, counting, priors, queue

logger = logging.getLogger(__name__)

Job = Callable[[threading.Event], None]
"""Runs until the event is set; begun again, after a while, when it fails."""

RESTS_S = (1.0, 5.0, 30.0)
"""Before the first, the second and every further new beginning."""

JOBS: list[tuple[str, Job]] = [
    ("storage commitment", commitment.answer_all),
    ("transfers", queue.run),
    ("earlier studies", priors.watch),
    ("counts", counting.keep_writing),
]


def start(stop: threading.Event) -> list[threading.Thread]:
    """Begin all jobs."""
    threads = [
        threading.Thread(target=_keep_running, args=(name, job, stop), name=name, daemon=True) for name, job in JOBS
    ]
    for thread in threads:
        thread.start()
    return threads


def _keep_running(name: str, job: Job, stop: threading.Event) -> None:
    failures = 0
    while not stop.is_set():
        try:
            job(stop)
            return
        except Exception:
            logger.exception("%s failed; it begins anew", name)
        finally:
            connections.close_all()
        stop.wait(RESTS_S[min(failures, len(RESTS_S) - 1)])
        failures += 1
