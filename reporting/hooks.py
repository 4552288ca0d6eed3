"""What the viewer runs and shows for reporting, without knowing of it."""

from __future__ import annotations

from reporting.critical.escalation import escalations
from reporting.delivery.listener import listen
from reporting.delivery.sending import deliver
from reporting.workflow import verifying
from reporting.worklist.arrivals import arrivals
from viewer import panels, tasks, verification


def install() -> None:
    """Hang reporting into the viewer page and into the server's background tasks, and have it verified."""
    panels.add(panels.Panel("report", module="reporting/panel.js", sheets=SHEETS))
    for task in TASKS:
        tasks.add(task)
    verification.add("reports", verifying.problems, verifying.owners)


SHEETS = ("reporting/signed_report.css", "reporting/report.css", "reporting/fields.css", "reporting/acts.css")
"""Style sheets of the viewer page's report panel."""

TASKS: tuple[tasks.Task, ...] = (arrivals, listen, deliver, escalations)
"""Coroutine functions that run for as long as the server serves."""
