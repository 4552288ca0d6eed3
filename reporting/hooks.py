"""What the viewer runs and shows for reporting, without knowing of it."""

from __future__ import annotations

from reporting.delivery.listener import listen
from reporting.workflow import verifying
from reporting.worklist.arrivals import arrivals
from viewer import panels, tasks, verification


def install() -> None:
    """Hang reporting into the viewer page and into the server's background tasks, and have it verified."""
    panels.add(panels.Panel("report", module="reporting/panel.js", sheets=("reporting/report.css",)))
    for task in TASKS:
        tasks.add(task)
    verification.add("reports", verifying.problems, verifying.owners)


TASKS: tuple[tasks.Task, ...] = (arrivals, listen)
"""Coroutine functions that run for as long as the server serves."""
